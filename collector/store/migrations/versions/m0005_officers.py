"""Officers, how they sign in, and what they decide."""

from __future__ import annotations

import sqlalchemy as sa
from alembic import op

revision = "0005_officers"
down_revision = "0002_fleet"

_BIG = sa.BigInteger().with_variant(sa.Integer(), "sqlite")


def upgrade() -> None:
    serial = op.get_bind().dialect.name == "postgresql"
    _people(serial=serial)
    _signing_in()
    _decisions(serial=serial)


def _id(serial: bool) -> sa.Column[int]:
    return sa.Column("id", _BIG, *([sa.Identity()] if serial else []), primary_key=True)


def _people(*, serial: bool) -> None:
    op.create_table(
        "officers",
        _id(serial),
        sa.Column("name", sa.Text, nullable=False, unique=True),
        sa.Column("roles", sa.Text, nullable=False),
        sa.Column("passphrase", sa.Text, nullable=False, server_default=""),
        sa.Column("made_at", _BIG, nullable=False),
        sa.Column("closed_at", _BIG),
        sqlite_autoincrement=True,
    )
    op.create_table(
        "officer_links",
        sa.Column("digest", sa.LargeBinary, primary_key=True),
        sa.Column("officer", _BIG, nullable=False),
        sa.Column("until", _BIG, nullable=False),
        sa.Column("used_at", _BIG),
    )


def _signing_in() -> None:
    op.create_table(
        "officer_sessions",
        sa.Column("digest", sa.LargeBinary, primary_key=True),
        sa.Column("officer", _BIG, nullable=False),
        sa.Column("csrf", sa.Text, nullable=False),
        sa.Column("whole", _BIG, nullable=False),
        sa.Column("made_at", _BIG, nullable=False),
        sa.Column("last_at", _BIG, nullable=False),
        sa.Column("challenge", sa.LargeBinary),
        sa.Column("challenge_until", _BIG),
    )
    op.create_table(
        "officer_passkeys",
        sa.Column("credential", sa.LargeBinary, primary_key=True),
        sa.Column("officer", _BIG, nullable=False),
        sa.Column("public_key", sa.LargeBinary, nullable=False),
        sa.Column("sign_count", _BIG, nullable=False),
        sa.Column("label", sa.Text, nullable=False),
        sa.Column("made_at", _BIG, nullable=False),
        sa.Column("last_at", _BIG),
    )
    op.create_table(
        "officer_tries",
        sa.Column("digest", sa.LargeBinary, primary_key=True),
        sa.Column("times", _BIG, nullable=False),
        sa.Column("last_at", _BIG, nullable=False),
    )


def _decisions(*, serial: bool) -> None:
    op.create_table(
        "story_decisions",
        _id(serial),
        sa.Column("device", _BIG, nullable=False),
        sa.Column("kind", sa.Text, nullable=False),
        sa.Column("verdict", sa.Text, nullable=False),
        sa.Column("until", _BIG),
        sa.Column("upto", _BIG, nullable=False),
        sa.Column("why", sa.Text, nullable=False),
        sa.Column("by_whom", sa.Text, nullable=False),
        sa.Column("at", _BIG, nullable=False),
    )
    op.create_table(
        "answers",
        _id(serial),
        sa.Column("device", _BIG, nullable=False),
        sa.Column("idx", _BIG, nullable=False),
        sa.Column("answer", sa.Text, nullable=False),
        sa.Column("why", sa.Text, nullable=False),
        sa.Column("by_whom", sa.Text, nullable=False),
        sa.Column("at", _BIG, nullable=False),
    )
    op.create_table(
        "risks",
        _id(serial),
        sa.Column("version", _BIG, nullable=False),
        sa.Column("title", sa.Text, nullable=False),
        sa.Column("treatment", sa.Text, nullable=False),
        sa.Column("owner", sa.Text, nullable=False),
        sa.Column("decided_on", sa.Text, nullable=False),
        sa.Column("review_on", sa.Text, nullable=False),
        sa.Column("note", sa.Text, nullable=False),
    )
