"""Enrolment tokens: made for one laptop of one group, kept as a digest, used once.

A token is spent in the transaction that enters the laptop. The laptop that spent it may ask again for an hour with the
same key, because an answer may be lost; anybody else gets the same refusal as for a token that never was.
"""

from __future__ import annotations

import secrets
from hashlib import sha256

from sqlalchemy import Connection, Engine, insert, select, update

from agent.audit import chain
from agent.errors import N_, UsageError
from agent.fleet.token import SECRET_BYTES, Token, pin_of
from collector.enrol.authority import Authority
from collector.enrol.certificates import Issued
from collector.journal import note
from collector.store.tables import certificates, laptops, tokens
from collector.store.writing import writing

AGAIN_S = 3600
MOST_DAYS = 30
_DAY_S = 24 * 3600


class Spent(Exception):
    """The token is unknown, used, too old or revoked, or the pseudonym is another laptop's: one answer for all."""


def make_token(
    engine: Engine, authority: Authority, address: tuple[str, int], group: str, days: int, now: int, by: str
) -> Token:
    """A new token for the collector at ``address``. Raises UsageError: ``days`` are not 1 to 30."""
    if not 1 <= days <= MOST_DAYS:
        raise UsageError(N_("a token may be used for 1 to {most} days"), most=MOST_DAYS)
    secret = secrets.token_bytes(SECRET_BYTES)
    values = {
        "digest": sha256(secret).digest(), "group_name": group, "made_at": now, "until": now + days * _DAY_S,
    }  # fmt: skip
    with writing(engine) as connection:
        connection.execute(insert(tokens), values)
        note(connection, by, "token.made", {"group": group, "days": days})
    return Token(pin_of(authority.der), secret, *address)


def group_of(connection: Connection, secret: bytes, device: str, key: bytes, now: int) -> str:
    """The group that a laptop may join with this secret. Raises Spent."""
    row = connection.execute(select(tokens).where(tokens.c.digest == sha256(secret).digest())).first()
    if row is None or row.revoked_at is not None or now > row.until:
        raise Spent
    again = row.used_at is not None
    if again and (now - row.used_at > AGAIN_S or row.used_key != sha256(key).digest() or row.device != device):
        raise Spent
    there = connection.execute(select(laptops.c.key, laptops.c.denied_at).where(laptops.c.device == device)).first()
    if there is not None and (there.denied_at is not None or (there.key is not None and there.key != key)):
        raise Spent
    return str(row.group_name)


def enter(connection: Connection, secret: bytes, device: str, group: str, issued: Issued, log: str, now: int) -> None:
    """Spend the token and enter the laptop, in the caller's transaction. Raises Spent: somebody else was quicker."""
    spent = connection.execute(
        update(tokens)
        .where(
            tokens.c.digest == sha256(secret).digest(),
            tokens.c.used_at.is_(None) | (tokens.c.used_key == sha256(issued.key).digest()),
        )
        .values(used_at=now, used_key=sha256(issued.key).digest(), device=device)
    )
    if spent.rowcount != 1:
        raise Spent
    certified = {"key": issued.key, "group_name": group, "certified_until": issued.until}
    known = update(laptops).where(laptops.c.device == device)
    if not connection.execute(known.values(**certified, version=laptops.c.version + 1)).rowcount:
        fresh = {
            "device": device, "first_seen": now, "last_seen": now, "size": 0, "head": chain.EMPTY_HEAD, "frontier": b"",
            "seals": b"", "skew_ms": 0, "summary": "{}", "enrolled_at": now, "log": log,
        }  # fmt: skip
        connection.execute(insert(laptops), {**fresh, **certified})
    else:
        connection.execute(known.where(laptops.c.enrolled_at.is_(None)).values(enrolled_at=now))
    keep_certificate(connection, device, issued, now, "enrol")
    note(connection, device, "laptop.enrolled", {"laptop": device, "group": group})


def keep_certificate(connection: Connection, device: str, issued: Issued, now: int, why: str) -> None:
    """Remember that a certificate was issued."""
    values = {"serial": issued.serial, "device": device, "issued_at": now, "until": issued.until, "why": why}
    connection.execute(insert(certificates), values)
