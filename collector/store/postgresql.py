"""PostgreSQL: several collectors may write. ``events`` is partitioned by month of arrival; rows go in by COPY.

A collector never waits for another but at the row of a laptop that both want, and they take those in one order.
"""

from __future__ import annotations

import contextlib
from collections.abc import Iterator, Sequence
from hashlib import sha256
from typing import Any

from sqlalchemy import Connection, Executable, select, text
from sqlalchemy.dialects.postgresql import insert
from sqlalchemy.exc import OperationalError

from collector.store.base import Row
from collector.store.copying import packed
from collector.store.sql import SqlStore, first_values
from collector.store.tables import EVENT_COLUMNS, events, laptops, tallies
from collector.store.writing import writing

_NAMES = ", ".join(f'"{name}"' for name in EVENT_COLUMNS)
_DDL_LOCK = 0x5E12E7  # two collectors that meet a new month at once: the second waits

_more = insert(tallies)
_ADDING = _more.on_conflict_do_update(
    index_elements=[tallies.c.slot, tallies.c.shard],
    set_={name: tallies.c[name] + _more.excluded[name] for name in ("documents", "medical", "held")},
)


class PostgresqlStore(SqlStore):
    """See ``base.Store``."""

    def _enter(self, connection: Connection, device: str, now: int) -> None:
        connection.execute(insert(laptops).values(first_values(device, now)).on_conflict_do_nothing())

    def _adding(self) -> Executable:
        return _ADDING

    def _insert(self, connection: Connection, month: int, rows: Sequence[Row]) -> None:
        import psycopg

        driver: Any = connection.connection.driver_connection
        statement = f"COPY events_{month:06d} ({_NAMES}) FROM STDIN WITH (FORMAT BINARY)"
        try:
            with driver.cursor() as cursor, cursor.copy(statement) as copy:
                copy.write(packed(rows))
        except psycopg.Error as error:  # the driver's own way in: its errors are to be those of every other statement
            raise OperationalError(statement, None, error) from error

    def _transfers(self, since_us: int, until_us: int) -> list[Executable]:
        e, outcomes = events.c, events.alias("outcomes")
        closing = (outcomes.c.device == e.device) & (outcomes.c.of == e.idx) & (outcomes.c.kind == "outcome")
        outcome = select(outcomes.c.public).where(closing).order_by(outcomes.c.idx).limit(1).scalar_subquery()
        found = select(laptops.c.device, laptops.c.group_name, e.idx, e.public, outcome.label("outcome"))
        return [
            found.join(laptops, laptops.c.id == e.device).where(e.t >= since_us, e.t < until_us, e.kind == "transfer")
        ]

    def _settled(self) -> list[Any]:
        # Numbers are given before the commit: what is numbered lower may still be on its way. Its transaction is then
        # not older than the oldest that runs.
        return [text("xid < pg_snapshot_xmin(pg_current_snapshot())")]

    @contextlib.contextmanager
    def exclusive(self, name: str) -> Iterator[bool]:
        """By an advisory lock, which a collector that dies lets go of."""
        number = int.from_bytes(sha256(name.encode()).digest()[:8], "big", signed=True)
        with self.engine.connect().execution_options(isolation_level="AUTOCOMMIT") as connection:
            mine = bool(connection.execute(text("SELECT pg_try_advisory_lock(:n)"), {"n": number}).scalar_one())
            try:
                yield mine
            finally:
                if mine:
                    connection.execute(text("SELECT pg_advisory_unlock(:n)"), {"n": number})

    def months(self) -> list[int]:
        with self.engine.connect() as connection:
            found = connection.execute(
                text(
                    "SELECT child.relname FROM pg_inherits JOIN pg_class child ON child.oid = inhrelid"
                    " WHERE inhparent = 'events'::regclass"
                )
            )
            return sorted(int(row[0].removeprefix("events_")) for row in found)

    def _make_month(self, month: int) -> None:
        with writing(self.engine) as connection:
            connection.execute(text(f"SELECT pg_advisory_xact_lock({_DDL_LOCK})"))
            connection.exec_driver_sql(
                f"CREATE TABLE IF NOT EXISTS events_{month:06d} PARTITION OF events FOR VALUES IN ({month})"
            )
            connection.exec_driver_sql(f"ALTER TABLE events_{month:06d} ALTER COLUMN month SET DEFAULT {month}")

    def forget(self, month: int) -> None:
        with self._writing, writing(self.engine) as connection:
            connection.exec_driver_sql(f"DROP TABLE IF EXISTS events_{month:06d}")
            self._known_months.discard(month)
