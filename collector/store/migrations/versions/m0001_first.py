"""The first version: one file, SQLite. Made when it is not there; PostgreSQL begins with the next."""

from __future__ import annotations

from alembic import op

revision = "0001_first"
down_revision = None

_TABLES = """
CREATE TABLE IF NOT EXISTS laptops (id INTEGER PRIMARY KEY, device TEXT NOT NULL UNIQUE, first_seen INTEGER NOT NULL,
    last_seen INTEGER NOT NULL, size INTEGER NOT NULL, head BLOB, skew_ms INTEGER NOT NULL, summary TEXT NOT NULL);
CREATE TABLE IF NOT EXISTS events (device INTEGER NOT NULL, idx INTEGER NOT NULL, t INTEGER NOT NULL,
    kind TEXT NOT NULL, channel TEXT NOT NULL, decision TEXT NOT NULL, result TEXT NOT NULL, public BLOB NOT NULL,
    private_hash BLOB, PRIMARY KEY (device, idx)) WITHOUT ROWID;
CREATE INDEX IF NOT EXISTS events_by_time ON events (t);
CREATE TABLE IF NOT EXISTS trees (device INTEGER PRIMARY KEY, size INTEGER NOT NULL, frontier BLOB NOT NULL,
    log TEXT NOT NULL);
CREATE TABLE IF NOT EXISTS alerts (id INTEGER PRIMARY KEY, device INTEGER NOT NULL, kind TEXT NOT NULL,
    idx INTEGER NOT NULL, first_at INTEGER NOT NULL, last_at INTEGER NOT NULL, times INTEGER NOT NULL,
    UNIQUE (device, kind, idx))
"""


def upgrade() -> None:
    if op.get_bind().dialect.name == "sqlite":
        for statement in _TABLES.split(";"):
            op.execute(statement)
