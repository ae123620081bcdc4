"""Alembic's scripts of the catalogue, which travel with the package: a new one goes into `versions/`.

They go one way. An older version makes the catalogue again from the topics (`sonovan catalog rebuild`).
"""
