"""Accounts of people whom the hospital's directory knows: made at the first sign-in, with the roles it says each time.

Somebody is the issuer and the subject of their token, never a name or an address: those are given to others one day.
An account of the collector's own is never taken over. Every change is told in the same transaction.
"""

from __future__ import annotations

import re
from collections.abc import Sequence
from hashlib import sha256

from sqlalchemy import Connection, Engine, delete, insert, select, update
from sqlalchemy.exc import IntegrityError

from collector.journal import note
from collector.officers.accounts import Officer
from collector.store.tables import officer_identities, officer_sessions, officers
from collector.store.writing import writing

BY = "directory"
_o, _i = officers.c, officer_identities.c
_UNUSABLE = re.compile(r"[^a-z0-9._@-]+")
_MAX_NAME = 48


def come_in(engine: Engine, issuer: str, subject: str, name: object, roles: Sequence[str], now: int) -> Officer | None:
    """The account of this person, as the directory says today; None: no role, or the account was closed.

    Without a role nothing is made, and whoever was signed in with the account is not any more.
    """
    digest = sha256(f"{issuer}\n{subject}".encode()).digest()
    for last in (False, True):
        try:
            with writing(engine) as connection:
                return _come_in(connection, digest, _name(name, digest), " ".join(sorted(set(roles))), now)
        except IntegrityError:  # two first sign-ins at once, or a name that was just taken
            if last:
                raise
    return None


def is_known(engine: Engine, officer: int) -> bool:
    """Whether the directory vouches for this account."""
    with engine.connect() as connection:
        return connection.execute(select(_i.officer).where(_i.officer == officer)).first() is not None


def _come_in(connection: Connection, digest: bytes, name: str, roles: str, now: int) -> Officer | None:
    found = select(_o.id, _o.name, _o.roles, _o.closed_at).join(officer_identities, _i.officer == _o.id)
    row = connection.execute(found.where(_i.digest == digest)).first()
    if row is None:
        if roles:
            return _made(connection, digest, name, roles, now)
        _turn_away(connection, name, "role")
        return None
    if row.closed_at is not None:
        _turn_away(connection, row.name, "closed")
        return None
    if row.roles != roles:
        connection.execute(update(officers).where(_o.id == row.id).values(roles=roles))
        note(connection, BY, "officer.roles", {"officer": row.name, "roles": roles, "before": row.roles})
    if not roles:
        connection.execute(delete(officer_sessions).where(officer_sessions.c.officer == row.id))
        _turn_away(connection, row.name, "role")
        return None
    return Officer(row.id, row.name, tuple(roles.split()))


def _made(connection: Connection, digest: bytes, name: str, roles: str, now: int) -> Officer:
    taken = connection.execute(select(_o.id).where(_o.name == name)).first()
    if taken:  # somebody else's: of the collector's own accounts, or of an earlier person of this name
        name = f"{name}.{digest.hex()[:8]}"
    connection.execute(insert(officers).values(name=name, roles=roles, made_at=now))
    officer = int(connection.execute(select(_o.id).where(_o.name == name)).scalar_one())
    connection.execute(insert(officer_identities).values(digest=digest, officer=officer))
    note(connection, BY, "officer.added", {"officer": name, "roles": roles})
    return Officer(officer, name, tuple(roles.split()))


def _turn_away(connection: Connection, name: str, why: str) -> None:
    note(connection, BY, "officer.turned_away", {"officer": name, "why": why})


def _name(untrusted: object, digest: bytes) -> str:
    """What the journal calls them: the directory's name in the letters that a name here may have."""
    name = _UNUSABLE.sub("-", untrusted[:200].lower()) if isinstance(untrusted, str) else ""
    name = name.strip("._@-")[:_MAX_NAME].rstrip("._@-")
    return name if len(name) >= 2 else f"officer.{digest.hex()[:8]}"
