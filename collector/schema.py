"""The tables. One file, SQLite in WAL mode; nothing here knows how they are filled or read."""

from __future__ import annotations

from pathlib import Path
from typing import Any

from sqlalchemy import (
    Column,
    Connection,
    Engine,
    Index,
    Integer,
    LargeBinary,
    MetaData,
    Table,
    Text,
    UniqueConstraint,
    create_engine,
    event,
)

FILE_NAME = "collector.db"
BUSY_TIMEOUT_MS = 10_000

metadata = MetaData()

laptops = Table(
    "laptops",
    metadata,
    Column("id", Integer, primary_key=True),
    Column("device", Text, nullable=False, unique=True),  # the pseudonym, as sent
    Column("first_seen", Integer, nullable=False),  # seconds since 1970 UTC, the collector's clock
    Column("last_seen", Integer, nullable=False),
    Column("size", Integer, nullable=False),  # records 0 to size-1 are known, the holes that were told excepted
    Column("head", LargeBinary),  # NULL behind a hole
    Column("skew_ms", Integer, nullable=False),  # the collector's clock minus the laptop's
    Column("summary", Text, nullable=False),  # what the last records say of it, as JSON: fleet.Summary
)

events = Table(
    "events",
    metadata,
    Column("device", Integer, primary_key=True),
    Column("idx", Integer, primary_key=True),
    Column("t", Integer, nullable=False),  # microseconds since 1970 UTC, the laptop's clock
    Column("kind", Text, nullable=False),
    Column("channel", Text, nullable=False),
    Column("decision", Text, nullable=False),
    Column("result", Text, nullable=False),  # of a transfer: its outcome, once that has come
    Column("public", LargeBinary, nullable=False),
    Column("private_hash", LargeBinary),  # NULL: there is no private part
    sqlite_with_rowid=False,
)
Index("events_by_time", events.c.t)

trees = Table(  # what is signed of each laptop's log; a laptop behind a hole has no row that fits its size
    "trees",
    metadata,
    Column("device", Integer, primary_key=True),
    Column("size", Integer, nullable=False),
    Column("frontier", LargeBinary, nullable=False),  # of the Merkle tree, smallest subtree first
    Column("log", Text, nullable=False),  # the name of the log, as first sent
)

alerts = Table(
    "alerts",
    metadata,
    Column("id", Integer, primary_key=True),
    Column("device", Integer, nullable=False),
    Column("kind", Text, nullable=False),
    Column("idx", Integer, nullable=False),
    Column("first_at", Integer, nullable=False),
    Column("last_at", Integer, nullable=False),
    Column("times", Integer, nullable=False),
    UniqueConstraint("device", "kind", "idx"),
)


def open_database(folder: Path) -> Engine:
    """The engine for the database in ``folder``, its tables made when they are not there."""
    engine = create_engine(f"sqlite:///{folder / FILE_NAME}", connect_args={"check_same_thread": False})

    @event.listens_for(engine, "connect")
    def _settings(connection: Any, _: Any) -> None:
        connection.isolation_level = None  # the driver's own idea of transactions knows no savepoints
        cursor = connection.cursor()
        for setting in (
            "journal_mode=WAL",
            "synchronous=FULL",  # an acknowledgement means that the power may go
            f"busy_timeout={BUSY_TIMEOUT_MS}",
            "temp_store=MEMORY",
            "trusted_schema=OFF",
        ):
            cursor.execute(f"PRAGMA {setting}")
        cursor.close()

    @event.listens_for(engine, "begin")
    def _begin(connection: Connection) -> None:
        connection.exec_driver_sql("BEGIN")

    metadata.create_all(engine)
    return engine
