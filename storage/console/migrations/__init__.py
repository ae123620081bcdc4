"""Alembic's scripts of the console's database, which travel with the package: a new one goes into `versions/`."""
