"""Officers whom the hospital's directory knows, and their sign-ins on the way."""

from __future__ import annotations

import sqlalchemy as sa
from alembic import op

revision = "0006_directory"
down_revision = "0005_officers"

_BIG = sa.BigInteger().with_variant(sa.Integer(), "sqlite")


def upgrade() -> None:
    op.create_table(
        "officer_identities",
        sa.Column("digest", sa.LargeBinary, primary_key=True),
        sa.Column("officer", _BIG, nullable=False, unique=True),
    )
    op.create_table(
        "officer_flows",
        sa.Column("digest", sa.LargeBinary, primary_key=True),
        sa.Column("state", sa.Text, nullable=False),
        sa.Column("nonce", sa.Text, nullable=False),
        sa.Column("verifier", sa.Text, nullable=False),
        sa.Column("go_on", sa.Text, nullable=False),
        sa.Column("until", _BIG, nullable=False, index=True),
    )
