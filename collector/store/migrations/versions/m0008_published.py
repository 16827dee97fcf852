"""Which state of the policies was published last, whichever collector did it."""

from __future__ import annotations

import sqlalchemy as sa
from alembic import op

revision = "0008_published"
down_revision = "0007_figures"

_BIG = sa.BigInteger().with_variant(sa.Integer(), "sqlite")


def upgrade() -> None:
    op.create_table(
        "published",
        sa.Column("id", _BIG, primary_key=True, autoincrement=False),
        sa.Column("number", _BIG, nullable=False),
        sa.Column("digest", sa.Text, nullable=False),
    )
    op.execute("INSERT INTO published (id, number, digest) VALUES (1, 0, '')")
