"""The catalogue's tables and views in a database, brought to what this version needs: made at once, or migrated.

An empty database gets the tables as they are now, which takes a fraction of a second; one of an earlier version is
migrated by Alembic, whose scripts lie in `migrations/`. A test holds that both ways end in the same tables. Views are
made again whenever their text has changed.
"""

import hashlib
from pathlib import Path
from typing import Final

from sqlalchemy import Connection, inspect, text

from sonovan.contracts.errors import Fatal
from sonovan.storage.catalogue.columns import META
from sonovan.storage.catalogue.listing import bring_up_listed
from sonovan.storage.catalogue.tables import MADE
from sonovan.storage.catalogue.views import FOR_READERS, VIEWS
from sonovan.storage.migrating import migrate as run_scripts

HEAD: Final = "0013"
"""The newest migration."""

READER: Final = "sonovan_catalog_reader"
"""The role of PostgreSQL that reads the views and nothing else."""

_VERSION: Final = "alembic_version"
_TEXTS: Final = hashlib.sha256(repr(VIEWS).encode()).hexdigest()


def bring_up(connection: Connection) -> None:
    """Make or migrate tables and views, within the transaction of the connection; nothing where they are as they must
    be.

    Raises Fatal for a database of a newer version.
    """
    found = version(connection)
    if found is None:
        META.create_all(connection)
        connection.execute(text(f"CREATE TABLE {_VERSION} (version_num VARCHAR(32) NOT NULL PRIMARY KEY)"))
        connection.execute(text(f"INSERT INTO {_VERSION} VALUES (:head)"), {"head": HEAD})
    elif found > HEAD:
        raise Fatal(f"the catalogue is of version {found}, newer than {HEAD}, known here: upgrade sonovan")
    elif found < HEAD:
        drop_views(connection)
        migrate(connection, HEAD)
    made = connection.execute(text(f"SELECT value FROM {MADE.name} WHERE name = 'views'")).scalar_one_or_none()
    if made != _TEXTS:
        _make_views(connection)
    bring_up_listed(connection)


def version(connection: Connection) -> str | None:
    """The migration at which the tables are; None where there are none."""
    if not inspect(connection).has_table(_VERSION):
        return None
    return connection.execute(text(f"SELECT version_num FROM {_VERSION}")).scalar_one_or_none()


def migrate(connection: Connection, target: str) -> None:
    """Run Alembic's scripts up to `target`, within the transaction of the connection."""
    run_scripts(connection, Path(__file__).parent / "migrations", target)


def drop_views(connection: Connection) -> None:
    """Drop every view; `bring_up` makes them again."""
    for name in reversed(VIEWS):
        connection.execute(text(f"DROP VIEW IF EXISTS {name}"))
    connection.execute(text(f"DELETE FROM {MADE.name} WHERE name = 'views'"))


def grant_reader(connection: Connection) -> None:
    """Let the reader's role, where there is one, read the views in the schema of this connection."""
    if connection.dialect.name != "postgresql":
        return
    there = connection.execute(text("SELECT 1 FROM pg_roles WHERE rolname = :role"), {"role": READER}).scalar()
    if there:
        schema = connection.execute(text("SELECT current_schema()")).scalar_one()
        connection.execute(text(f'GRANT USAGE ON SCHEMA "{schema}" TO {READER}'))
        connection.execute(text(f"GRANT SELECT ON {', '.join(FOR_READERS)} TO {READER}"))


def _make_views(connection: Connection) -> None:
    drop_views(connection)
    for name, (_, query) in VIEWS.items():
        connection.exec_driver_sql(f"CREATE VIEW {name} AS {query}")
    connection.execute(text(f"INSERT INTO {MADE.name} VALUES ('views', :texts)"), {"texts": _TEXTS})
    grant_reader(connection)
