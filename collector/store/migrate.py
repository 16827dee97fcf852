"""Brings a database's tables to what this version wants; a database of before there were migrations too.

Each package's tables have a migration of their own, all of them behind ``0002_fleet``; ``upgrade`` goes to every head.
On PostgreSQL a second collector that starts at the same moment waits.
"""

from __future__ import annotations

import os
from pathlib import Path
from zlib import crc32

from sqlalchemy import Connection, Engine, text

from agent.errors import N_, HostError
from collector.store.writing import writing

_FOLDER = Path(__file__).parent / "migrations"
_LOCK = 0x5E12E8


def upgrade(engine: Engine, target: str = "heads") -> None:
    """Run the migrations that are missing, each in a transaction. Raises HostError: a newer version has been here."""
    if target == "heads" and _is_current(engine):
        return
    from alembic import command
    from alembic.config import Config
    from alembic.util import CommandError

    config = Config()
    config.set_main_option("script_location", str(_FOLDER).replace("%", "%%"))
    try:
        with writing(engine) as connection:
            if engine.dialect.name == "postgresql":
                connection.execute(text(f"SELECT pg_advisory_xact_lock({_LOCK})"))
            config.attributes["connection"] = connection
            command.upgrade(config, target)
            if target == "heads":
                _mark(connection)
    except CommandError as error:
        raise HostError(
            N_("the collector's database is of a newer version"),
            hint=N_("install that version again, or put back a backup of before"),
        ) from error


def _fingerprint() -> int:
    """Of the migrations that there are: a collector that is started for one request does not load Alembic for
    nothing.
    """
    names = sorted(name for name in os.listdir(_FOLDER / "versions") if name.startswith("m") and name.endswith(".py"))
    return crc32(",".join(names).encode()) & 0x7FFFFFFF


def _is_current(engine: Engine) -> bool:
    if engine.dialect.name != "sqlite":
        return False
    with engine.connect() as connection:
        return bool(connection.exec_driver_sql("PRAGMA user_version").scalar_one() == _fingerprint())


def _mark(connection: Connection) -> None:
    if connection.dialect.name == "sqlite":
        connection.exec_driver_sql(f"PRAGMA user_version = {_fingerprint()}")
