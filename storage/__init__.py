"""Objects and their keys, and later the catalogue database.

Belongs here: every use of minio and sqlalchemy. Imports contracts alone.
"""
