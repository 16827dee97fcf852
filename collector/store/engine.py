"""Opening a database: SQLite in a folder, or PostgreSQL at an address. Brings its tables up to date first.

An acknowledgement means that the power may go: both engines wait for the disk at every commit.
"""

from __future__ import annotations

from pathlib import Path
from typing import Any

from sqlalchemy import Connection, Engine, create_engine, event
from sqlalchemy.engine import URL, make_url
from sqlalchemy.exc import ArgumentError, NoSuchModuleError, SQLAlchemyError

from agent.errors import N_, HostError, UsageError
from collector.store.base import Store
from collector.store.writing import OPTION

FILE_NAME = "collector.db"
BUSY_TIMEOUT_MS = 10_000
POOL_SIZE = 8
CONNECT_TIMEOUT_S = 10
# Half a minute of silence to what was asked, and the other machine is gone: else a collector
# that fell silent would keep its rows from the others for hours, and a database that did would keep our one writer.
_GONE = {"keepalives_idle": 15, "keepalives_interval": 5, "keepalives_count": 3, "tcp_user_timeout": 30_000}
_GONE_THERE = "-c tcp_keepalives_idle=15 -c tcp_keepalives_interval=5 -c tcp_keepalives_count=3 -c tcp_user_timeout=30s"
_SQLITE_SETTINGS = (
    "journal_mode=WAL",
    "synchronous=FULL",
    f"busy_timeout={BUSY_TIMEOUT_MS}",
    "temp_store=MEMORY",
    "trusted_schema=OFF",
    "cache_size=-65536",  # kB: pages of many laptops are touched in turn
    "wal_autocheckpoint=8000",  # pages; seldom enough that a page that is written often is copied once
)


def open_store(folder: Path, database: str = "") -> Store:
    """The store in ``folder``, or at ``database`` (``postgresql://…``), its tables as this version wants them.

    Raises UsageError (the address) and HostError (it cannot be opened, or a newer version has been here).
    """
    from collector.store.migrate import upgrade
    from collector.store.postgresql import PostgresqlStore
    from collector.store.sqlite import SqliteStore

    engine = open_engine(folder, database)
    try:
        upgrade(engine)
        return SqliteStore(engine) if engine.dialect.name == "sqlite" else PostgresqlStore(engine)
    except SQLAlchemyError as error:
        engine.dispose()
        raise unusable(error) from error
    except BaseException:
        engine.dispose()
        raise


def open_engine(folder: Path, database: str = "") -> Engine:
    """The engine alone, its tables as they are."""
    if not database:
        return _sqlite(folder / FILE_NAME)
    try:
        url = make_url(database)
    except ArgumentError as error:
        raise _address(N_("the database's address is not understood")) from error
    if url.get_backend_name() != "postgresql":
        raise _address(N_("the database's address should begin with postgresql://"))
    return _postgresql(url)


def _address(message: str) -> UsageError:
    return UsageError(message, hint=N_("example: --database postgresql://serment@/serment?host=/run/postgresql"))


def unusable(error: SQLAlchemyError) -> HostError:
    """What is said when it cannot be opened, read or written."""
    return HostError(
        N_("the collector's database cannot be used ({why})"),
        hint=N_("see that it runs, that this user may write to it, and that there is space"),
        why=type(getattr(error, "orig", None) or error).__name__,
    )


def _sqlite(path: Path) -> Engine:
    engine = create_engine(f"sqlite:///{path}", connect_args={"check_same_thread": False}, hide_parameters=True)

    @event.listens_for(engine, "connect")
    def _settings(connection: Any, _: Any) -> None:
        connection.isolation_level = None  # the driver's own idea of transactions knows no savepoints
        cursor = connection.cursor()
        for setting in _SQLITE_SETTINGS:
            cursor.execute(f"PRAGMA {setting}")
        cursor.close()

    @event.listens_for(engine, "begin")
    def _begin(connection: Connection) -> None:
        writes = connection.get_execution_options().get(OPTION)
        connection.exec_driver_sql("BEGIN IMMEDIATE" if writes else "BEGIN")

    return engine


def _postgresql(url: URL) -> Engine:
    try:
        return create_engine(
            url.set(drivername="postgresql+psycopg"),
            pool_size=POOL_SIZE,
            hide_parameters=True,  # an error's text comes into logs; what officers wrote does not
            pool_pre_ping=True,  # a database that was restarted is met again without an error
            connect_args={
                "connect_timeout": CONNECT_TIMEOUT_S,
                "options": f"-c synchronous_commit=on -c timezone=UTC {_GONE_THERE}",
                **_GONE,
            },
        )
    except (ImportError, NoSuchModuleError) as error:
        raise HostError(
            N_("PostgreSQL needs the package psycopg"), hint=N_("install it: pip install 'serment[postgresql]'")
        ) from error
