"""What the pages count and search by, so that they need not read a whole fleet: a few columns of laptops, the documents
of the last day added up, and indices.
"""

from __future__ import annotations

import time

import sqlalchemy as sa
from alembic import op

from collector.ingest.tally import tally
from collector.store.base import SLOT_S, Row
from collector.store.repeated import of_laptop
from collector.store.sqlite import make_indices, months_in
from collector.store.tables import EVENT_COLUMNS

revision = "0007_figures"
down_revision = ("0004_forwarding", "0006_directory")

_BIG = sa.BigInteger().with_variant(sa.Integer(), "sqlite")
_AT_ONCE = 2000


def upgrade() -> None:
    connection = op.get_bind()
    sqlite = connection.dialect.name == "sqlite"
    _columns()
    _fill(connection)
    op.create_table(
        "tallies",
        sa.Column("slot", _BIG, primary_key=True, autoincrement=False),
        sa.Column("shard", _BIG, primary_key=True, autoincrement=False),
        sa.Column("documents", _BIG, nullable=False),
        sa.Column("medical", _BIG, nullable=False),
        sa.Column("held", _BIG, nullable=False),
    )
    _add_up(connection)
    _indices()
    if sqlite:
        for month in months_in(connection):
            make_indices(connection, month)
    else:
        op.execute("CREATE INDEX events_rare ON events (kind, t) WHERE kind NOT IN ('transfer', 'outcome')")


def _columns() -> None:
    op.add_column("laptops", sa.Column("running", _BIG))
    for name in ("guard", "policy_name", "policy_release", "policy_mode", "refused_why"):
        op.add_column("laptops", sa.Column(name, sa.Text, nullable=False, server_default=""))
    op.add_column("laptops", sa.Column("refused_number", _BIG, nullable=False, server_default="0"))


def _fill(connection: sa.Connection) -> None:
    """From what is known of each laptop already; a part at a time, fleets are large."""
    names = ("running", "guard", "policy_name", "policy_release", "policy_mode", "refused_why", "refused_number")
    change = sa.text(
        "UPDATE laptops SET " + ", ".join(f"{name} = :{name}" for name in names) + " WHERE id = :id"  # noqa: S608
    )
    last = -1
    while rows := connection.execute(
        sa.text("SELECT id, summary, report FROM laptops WHERE id > :last ORDER BY id LIMIT :most"),
        {"last": last, "most": _AT_ONCE},
    ).all():
        connection.execute(change, [{"id": row.id, **of_laptop(row.summary, row.report or b"")} for row in rows])
        last = rows[-1].id


def _add_up(connection: sa.Connection) -> None:
    """The documents of the last day, so that today's page goes on from where it was."""
    names = ", ".join(f'"{name}"' for name in EVENT_COLUMNS)
    query = sa.text(f"SELECT {names} FROM events WHERE t >= :since AND kind = 'transfer'")  # noqa: S608
    since = (int(time.time()) // SLOT_S - 96 - 96) * SLOT_S * 1_000_000
    with connection.execute(query.execution_options(yield_per=_AT_ONCE), {"since": since}) as found:
        counted: dict[int, list[int]] = {}
        for part in found.partitions():
            for slot, *more in tally(Row(*row) for row in part):
                counted[slot] = [one + other for one, other in zip(counted.get(slot, (0, 0, 0)), more, strict=True)]
    if counted:
        connection.execute(
            sa.text("INSERT INTO tallies VALUES (:slot, 0, :documents, :medical, :held)"),
            [{"slot": slot, "documents": a, "medical": b, "held": c} for slot, (a, b, c) in counted.items()],
        )


def _indices() -> None:
    op.execute("CREATE INDEX laptops_seen ON laptops (last_seen, id, denied_at, group_name, guard, running)")
    op.execute(
        "CREATE INDEX laptops_policy ON laptops (policy_name, policy_release, policy_mode) WHERE denied_at IS NULL"
    )
    op.execute("CREATE INDEX laptops_refusing ON laptops (id) WHERE refused_why <> ''")
    op.execute("CREATE INDEX story_decisions_of ON story_decisions (device, kind, id)")
    op.execute("CREATE INDEX answers_of ON answers (device, idx, id)")
