"""SQLite: one file, one writer. A month of records is a table; ``events`` is a view over all of them.

The months lie in one file because an acknowledgement must be one commit: over attached files it would not be.
"""

from __future__ import annotations

import contextlib
from collections.abc import Iterator, Sequence
from itertools import chain

from sqlalchemy import Connection, Executable, text
from sqlalchemy.dialects.sqlite import insert

from collector.store.base import Row
from collector.store.sql import SqlStore, first_values
from collector.store.tables import EVENT_COLUMNS, laptops, tallies
from collector.store.writing import writing

_NAMES = ", ".join(f'"{name}"' for name in EVENT_COLUMNS)

_TOGETHER = 100  # rows a statement: 900 values, and every SQLite takes 999

_more = insert(tallies)
_ADDING = _more.on_conflict_do_update(
    index_elements=[tallies.c.slot, tallies.c.shard],
    set_={name: tallies.c[name] + _more.excluded[name] for name in ("documents", "medical", "held")},
)


class SqliteStore(SqlStore):
    """See ``base.Store``."""

    def _enter(self, connection: Connection, device: str, now: int) -> None:
        connection.execute(insert(laptops).values(first_values(device, now)).on_conflict_do_nothing())

    def _adding(self) -> Executable:
        return _ADDING

    def _insert(self, connection: Connection, month: int, rows: Sequence[Row]) -> None:
        """A hundred rows a statement: the driver lets other threads run at each, and each costs as much as its row."""
        whole = len(rows) - len(rows) % _TOGETHER
        for first, end, together in ((0, whole, _TOGETHER), (whole, len(rows), 1)):
            if first < end:
                flat, width = [*chain.from_iterable(rows[first:end])], together * len(EVENT_COLUMNS)
                values = [tuple(flat[at : at + width]) for at in range(0, len(flat), width)]
                connection.exec_driver_sql(_statement(month, together), values)

    def _transfers(self, since_us: int, until_us: int) -> list[Executable]:
        """Month by month, and each with the index that it is found by: over the view, and left to choose without
        statistics, SQLite reads all outcomes of a laptop for each of its transfers.
        """
        months, bounds = self.months(), {"since": since_us, "until": until_us}
        return [text(_transfers_of(month, months[at:])).bindparams(**bounds) for at, month in enumerate(months)]

    @contextlib.contextmanager
    def exclusive(self, name: str) -> Iterator[bool]:
        """One collector a folder (its lock): always."""
        yield True

    def months(self) -> list[int]:
        with self.engine.connect() as connection:
            return months_in(connection)

    def _make_month(self, month: int) -> None:
        with writing(self.engine) as connection:
            make_month(connection, month)

    def forget(self, month: int) -> None:
        with self._writing, writing(self.engine) as connection:
            kept = [each for each in months_in(connection) if each != month]
            make_view(connection, kept)
            connection.exec_driver_sql(f"DROP TABLE IF EXISTS events_{month:06d}")
            self._known_months.discard(month)


def _statement(month: int, rows: int) -> str:
    places = "(" + ", ".join("?" for _ in EVENT_COLUMNS) + ")"
    return f"INSERT INTO events_{month:06d} ({_NAMES}) VALUES " + ", ".join([places] * rows)  # noqa: S608 - a number


def _transfers_of(month: int, later: Sequence[int]) -> str:
    """The transfers that arrived in ``month``; their outcomes arrived in that month or a later one."""
    outcomes = ", ".join(
        f"(SELECT o.public FROM events_{each:06d} AS o INDEXED BY events_{each:06d}_of"  # noqa: S608 - a number
        " WHERE o.device = e.device AND o.\"of\" = e.idx AND o.kind = 'outcome' ORDER BY o.idx LIMIT 1)"
        for each in later
    )
    return (
        f"SELECT l.device, l.group_name, e.idx, e.public, coalesce({outcomes}, NULL) AS outcome"  # noqa: S608
        f" FROM events_{month:06d} AS e INDEXED BY events_{month:06d}_t JOIN laptops AS l ON l.id = e.device"
        " WHERE e.t >= :since AND e.t < :until AND e.kind = 'transfer'"
    )


def months_in(connection: Connection) -> list[int]:
    """The months that there are tables of."""
    found = connection.exec_driver_sql(
        "SELECT name FROM sqlite_master WHERE type = 'table' AND name GLOB 'events_[0-9][0-9][0-9][0-9][0-9][0-9]'"
    )
    return sorted(int(row[0].removeprefix("events_")) for row in found)


def make_month(connection: Connection, month: int) -> None:
    """The table of a month, and the view over all of them."""
    connection.exec_driver_sql(
        f"CREATE TABLE IF NOT EXISTS events_{month:06d} (device INTEGER NOT NULL, idx INTEGER NOT NULL,"
        ' t INTEGER NOT NULL, kind TEXT NOT NULL, channel TEXT NOT NULL, decision TEXT NOT NULL, "of" INTEGER,'
        " public BLOB NOT NULL, private_hash BLOB, PRIMARY KEY (device, idx)) WITHOUT ROWID"
    )
    make_indices(connection, month)
    make_view(connection, months_in(connection))


def make_indices(connection: Connection, month: int) -> None:
    """What a month is searched by."""
    connection.exec_driver_sql(f"CREATE INDEX IF NOT EXISTS events_{month:06d}_t ON events_{month:06d} (t)")
    connection.exec_driver_sql(
        f'CREATE INDEX IF NOT EXISTS events_{month:06d}_of ON events_{month:06d} (device, "of") WHERE "of" IS NOT NULL'
    )
    connection.exec_driver_sql(
        f"CREATE INDEX IF NOT EXISTS events_{month:06d}_rare ON events_{month:06d} (kind, t)"
        " WHERE kind NOT IN ('transfer', 'outcome')"
    )


def make_view(connection: Connection, months: Sequence[int]) -> None:
    """``events``, over the tables of ``months``."""
    connection.exec_driver_sql("DROP VIEW IF EXISTS events")
    parts = [f"SELECT {_NAMES}, {month} AS month FROM events_{month:06d}" for month in months]  # noqa: S608
    nothing = ", ".join(f'NULL AS "{name}"' for name in (*EVENT_COLUMNS, "month"))
    connection.exec_driver_sql("CREATE VIEW events AS " + (" UNION ALL ".join(parts) or f"SELECT {nothing} WHERE 0"))
