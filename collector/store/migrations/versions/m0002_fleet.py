"""Laptops that are enrolled, their seals, months of records, arrivals. Takes over what a first version has stored."""

from __future__ import annotations

import time

import sqlalchemy as sa
from alembic import op

from agent.audit import chain, record, tree
from agent.errors import UntrustedInputError
from collector.store.sql import month_of
from collector.store.sqlite import make_indices, make_view

revision = "0002_fleet"
down_revision = "0001_first"

_BIG = sa.BigInteger().with_variant(sa.Integer(), "sqlite")


def upgrade() -> None:
    connection = op.get_bind()
    if connection.dialect.name == "sqlite":
        _columns()
        _move_events(connection)
        _move_trees(connection)
    else:
        _postgresql()
    _new_tables(serial=connection.dialect.name == "postgresql")


def _columns() -> None:
    for column in (
        sa.Column("group_name", sa.Text, nullable=False, server_default=""),
        sa.Column("version", _BIG, nullable=False, server_default="0"),
        sa.Column("frontier", sa.LargeBinary),
        sa.Column("log", sa.Text, nullable=False, server_default=""),
        sa.Column("seals", sa.LargeBinary, nullable=False, server_default=""),
        sa.Column("report", sa.LargeBinary),
        sa.Column("reported", _BIG, nullable=False, server_default="0"),
        sa.Column("next_at", _BIG, nullable=False, server_default="0"),
        sa.Column("visit_s", _BIG, nullable=False, server_default="0"),
        sa.Column("key", sa.LargeBinary),
        sa.Column("enrolled_at", _BIG),
        sa.Column("certified_until", _BIG),
        sa.Column("denied_at", _BIG),
        sa.Column("denied_why", sa.Text, nullable=False, server_default=""),
    ):
        op.add_column("laptops", column)


def _move_events(connection: sa.Connection) -> None:
    """What was stored becomes the month of now: when it arrived was not kept."""
    month = month_of(int(time.time()))
    name = f"events_{month:06d}"
    op.execute("DROP INDEX events_by_time")
    op.execute(f"ALTER TABLE events RENAME TO {name}")
    op.execute(f"ALTER TABLE {name} DROP COLUMN result")
    # The new column stands where the readers expect it: they name columns, so its place does not matter.
    op.execute(f'ALTER TABLE {name} ADD COLUMN "of" INTEGER')
    outcomes = connection.exec_driver_sql(
        f"SELECT device, idx, public FROM {name} WHERE kind = 'outcome'"  # noqa: S608 - a number
    ).all()
    found = [(of, row[0], row[1]) for row in outcomes if (of := _of(row[2], row[1])) is not None]
    if found:
        connection.exec_driver_sql(f'UPDATE {name} SET "of" = ? WHERE device = ? AND idx = ?', found)  # noqa: S608
    make_indices(connection, month)
    make_view(connection, [month])


def _of(public: bytes, index: int) -> int | None:
    try:
        of = record.decode(public).get("of")
    except UntrustedInputError:
        return None
    return of if type(of) is int and 0 <= of < index else None


def _move_trees(connection: sa.Connection) -> None:
    """The tree of each laptop: as it was kept, or made anew from its records when none is missing."""
    rows = connection.exec_driver_sql(
        "SELECT laptops.id, laptops.size, trees.size, trees.frontier, trees.log FROM laptops"
        " LEFT JOIN trees ON trees.device = laptops.id"
    ).all()
    for laptop, size, kept, frontier, log in rows:
        subtrees = frontier if kept == size else _made_anew(connection, laptop, size)
        connection.exec_driver_sql(
            "UPDATE laptops SET frontier = ?, log = ? WHERE id = ?", (subtrees, log or "", laptop)
        )
    op.execute("DROP TABLE trees")


def _made_anew(connection: sa.Connection, laptop: int, size: int) -> bytes | None:
    frontier: tree.Frontier = []
    rows = connection.exec_driver_sql(
        "SELECT public, private_hash FROM events WHERE device = ? ORDER BY idx", (laptop,)
    )
    count = 0
    for part in rows.partitions(2000):
        tree.extend(frontier, [chain.leaf(row[0], row[1] or chain.NO_PRIVATE) for row in part])
        count += len(part)
    return b"".join(tree.packed(frontier)) if count == size else None


def _postgresql() -> None:
    op.create_table(
        "laptops",
        sa.Column("id", sa.BigInteger, sa.Identity(), primary_key=True),
        sa.Column("device", sa.Text, nullable=False, unique=True),
        sa.Column("first_seen", sa.BigInteger, nullable=False),
        sa.Column("last_seen", sa.BigInteger, nullable=False),
        sa.Column("size", sa.BigInteger, nullable=False),
        sa.Column("head", sa.LargeBinary),
        sa.Column("skew_ms", sa.BigInteger, nullable=False),
        sa.Column("summary", sa.Text, nullable=False),
    )
    _columns()
    op.execute(
        "CREATE TABLE events (device bigint NOT NULL, idx bigint NOT NULL, t bigint NOT NULL, kind text NOT NULL,"
        ' channel text NOT NULL, decision text NOT NULL, "of" bigint, public bytea NOT NULL, private_hash bytea,'
        " month bigint NOT NULL, PRIMARY KEY (device, idx, month)) PARTITION BY LIST (month)"
    )
    op.execute("ALTER TABLE events ALTER COLUMN public SET STORAGE PLAIN")  # digests: nothing to be compressed
    op.execute("CREATE INDEX events_t ON events (t)")
    op.execute('CREATE INDEX events_of ON events (device, "of") WHERE "of" IS NOT NULL')
    op.create_table(
        "alerts",
        sa.Column("id", sa.BigInteger, sa.Identity(), primary_key=True),
        sa.Column("device", sa.BigInteger, nullable=False),
        sa.Column("kind", sa.Text, nullable=False),
        sa.Column("idx", sa.BigInteger, nullable=False),
        sa.Column("first_at", sa.BigInteger, nullable=False),
        sa.Column("last_at", sa.BigInteger, nullable=False),
        sa.Column("times", sa.BigInteger, nullable=False),
        sa.UniqueConstraint("device", "kind", "idx"),
    )


def _new_tables(*, serial: bool) -> None:
    op.create_table(
        "arrivals",
        sa.Column("number", _BIG, *([sa.Identity()] if serial else []), primary_key=True),
        sa.Column("laptop", _BIG, nullable=False),
        sa.Column("first", _BIG, nullable=False),
        sa.Column("brought", _BIG, nullable=False),
        sa.Column("at", _BIG, nullable=False),
        sqlite_autoincrement=True,
    )
    if serial:
        op.execute("ALTER TABLE arrivals ADD COLUMN xid xid8 NOT NULL DEFAULT pg_current_xact_id()")
    op.create_index("arrivals_at", "arrivals", ["at"])
    op.create_table(
        "tokens",
        sa.Column("id", _BIG, *([sa.Identity()] if serial else []), primary_key=True),
        sa.Column("digest", sa.LargeBinary, nullable=False, unique=True),
        sa.Column("group_name", sa.Text, nullable=False),
        sa.Column("made_at", _BIG, nullable=False),
        sa.Column("until", _BIG, nullable=False),
        sa.Column("used_at", _BIG),
        sa.Column("used_key", sa.LargeBinary),
        sa.Column("device", sa.Text, nullable=False, server_default=""),
        sa.Column("revoked_at", _BIG),
    )
    op.create_table(
        "certificates",
        sa.Column("serial", sa.Text, primary_key=True),
        sa.Column("device", sa.Text, nullable=False),
        sa.Column("issued_at", _BIG, nullable=False),
        sa.Column("until", _BIG, nullable=False),
        sa.Column("why", sa.Text, nullable=False),
    )
    op.create_table(
        "acts",
        sa.Column("id", _BIG, *([sa.Identity()] if serial else []), primary_key=True),
        sa.Column("at", _BIG, nullable=False),
        sa.Column("by_whom", sa.Text, nullable=False),
        sa.Column("what", sa.Text, nullable=False),
        sa.Column("fields", sa.Text, nullable=False),
        sa.Column("journal_index", _BIG),
        sqlite_autoincrement=True,
    )
