"""Tests of the catalogue, on SQLite and on a real PostgreSQL."""
