"""The tables of the spool."""

from typing import Final

SCHEMA: Final = """
CREATE TABLE IF NOT EXISTS screenings (
    rank INTEGER PRIMARY KEY AUTOINCREMENT, screening_id TEXT NOT NULL UNIQUE,
    -- clinical records of it that were spooled, corrections counted, and amendments
    features INTEGER NOT NULL DEFAULT 0, amendments INTEGER NOT NULL DEFAULT 0
);
CREATE TABLE IF NOT EXISTS items (
    number INTEGER PRIMARY KEY AUTOINCREMENT,
    item_id TEXT NOT NULL UNIQUE,
    screening_id TEXT NOT NULL,
    rank INTEGER NOT NULL,
    stage INTEGER NOT NULL,
    level INTEGER NOT NULL,
    topic TEXT NOT NULL,
    content_sha256 TEXT NOT NULL,
    size INTEGER NOT NULL,
    composing INTEGER NOT NULL,
    state TEXT NOT NULL,
    reason TEXT,
    retryable INTEGER NOT NULL DEFAULT 0,
    added_at REAL NOT NULL,
    sent_at REAL
);
CREATE TABLE IF NOT EXISTS bodies (
    number INTEGER PRIMARY KEY REFERENCES items (number) ON DELETE CASCADE,
    key BLOB NOT NULL, headers TEXT NOT NULL, value BLOB NOT NULL
);
CREATE TABLE IF NOT EXISTS reports (screening_id TEXT PRIMARY KEY, revision_number INTEGER NOT NULL, answer BLOB NOT NULL);
CREATE TABLE IF NOT EXISTS positions (partition INTEGER PRIMARY KEY, next_offset INTEGER NOT NULL);
CREATE INDEX IF NOT EXISTS upload_order ON items (composing, state, rank, stage, level, number);
"""  # noqa: E501
