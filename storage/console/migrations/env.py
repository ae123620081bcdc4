"""What Alembic runs: the scripts, within the transaction of the connection that `migrating.migrate` hands over."""

from alembic import context

connection = context.config.attributes["connection"]
context.configure(connection=connection, transactional_ddl=True)
context.run_migrations()
