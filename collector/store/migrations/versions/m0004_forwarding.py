"""Where records are forwarded to, how far each target is, and what a target would not take."""

from __future__ import annotations

import sqlalchemy as sa
from alembic import op

revision = "0004_forwarding"
down_revision = "0002_fleet"

_BIG = sa.BigInteger().with_variant(sa.Integer(), "sqlite")


def upgrade() -> None:
    op.create_table(
        "forward_targets",
        sa.Column("id", _BIG, primary_key=True),
        sa.Column("name", sa.Text, nullable=False, unique=True),
        sa.Column("settings", sa.Text, nullable=False),
        sa.Column("number", _BIG, nullable=False, server_default="0"),
        sa.Column("skip", _BIG, nullable=False, server_default="0"),
        sa.Column("sent", _BIG, nullable=False, server_default="0"),
        sa.Column("lost", _BIG, nullable=False, server_default="0"),
        sa.Column("failures", _BIG, nullable=False, server_default="0"),
        sa.Column("next_at", _BIG, nullable=False, server_default="0"),
        sa.Column("sent_at", _BIG),
        sa.Column("problem", sa.Text, nullable=False, server_default=""),
    )
    op.create_table(
        "forward_dead",
        sa.Column("id", _BIG, primary_key=True),
        sa.Column("target", _BIG, nullable=False, index=True),
        sa.Column("laptop", _BIG, nullable=False),
        sa.Column("idx", _BIG, nullable=False),
        sa.Column("at", _BIG, nullable=False),
        sa.Column("why", sa.Text, nullable=False),
        sa.UniqueConstraint("target", "laptop", "idx"),
    )
