"""Alembic's scripts of the catalogue, which travel with the package: a new one goes into `versions/`."""
