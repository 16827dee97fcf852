"""Accounts in the database: made by a command on the collector's machine, opened by a one-time link, closed.

There is no default account and no default passphrase. Every change is told in the same transaction (``journal.note``).
"""

from __future__ import annotations

import hashlib
import re
import secrets
from collections.abc import Sequence
from dataclasses import dataclass
from typing import Any

from sqlalchemy import Connection, Engine, delete, insert, select, update

from agent.errors import N_, UsageError
from collector.journal import note
from collector.officers import passphrase
from collector.officers.roles import Right, Role, rights
from collector.store.tables import officer_identities, officer_links, officer_passkeys, officer_sessions, officers
from collector.store.writing import writing

LINK_S = 48 * 3600
_NAME = re.compile(r"[a-z0-9][a-z0-9._@-]{1,63}")
_o = officers.c


@dataclass(frozen=True, slots=True)
class Officer:
    """Somebody with an account that is open."""

    id: int
    name: str
    roles: tuple[str, ...]

    @property
    def rights(self) -> frozenset[Right]:
        return rights(self.roles)


def add(engine: Engine, name: str, roles: Sequence[str], now: int, by: str) -> str:
    """A new account; the secret of its one-time link.

    Raises UsageError: the name or a role is not one, or the name is taken.
    """
    _check(name, roles)
    with writing(engine) as connection:
        if connection.execute(select(_o.id).where(_o.name == name)).first():
            raise UsageError(N_("there is an account with this name already"), where=name)
        values = {"name": name, "roles": " ".join(sorted(set(roles))), "made_at": now}
        connection.execute(insert(officers).values(values))
        officer = int(connection.execute(select(_o.id).where(_o.name == name)).scalar_one())
        note(connection, by, "officer.added", {"officer": name, "roles": values["roles"]})  # type: ignore[dict-item]
        return _link(connection, officer, now)


def _check(name: str, roles: Sequence[str]) -> None:
    if not _NAME.fullmatch(name):
        raise UsageError(
            N_("a name is 2 to 64 small letters, digits and . _ @ -, found {found}"), found=name[:64],
        )  # fmt: skip
    if not roles or any(role not in set(Role) for role in roles):
        raise UsageError(N_("roles are: {roles}"), roles=", ".join(Role))


def link(engine: Engine, name: str, now: int, by: str) -> str:
    """A new one-time link for an account whose passphrase or passkey is lost; the old ones no longer open anything.

    "" for an account of the directory: it is signed in there, and never gets a way round it. Raises UsageError: there
    is no such account.
    """
    with writing(engine) as connection:
        officer = _open(connection, name)
        connection.execute(update(officers).where(_o.id == officer).values(passphrase=""))
        connection.execute(delete(officer_passkeys).where(officer_passkeys.c.officer == officer))
        connection.execute(delete(officer_links).where(officer_links.c.officer == officer))
        connection.execute(delete(officer_sessions).where(officer_sessions.c.officer == officer))
        note(connection, by, "officer.link", {"officer": name})
        return "" if _in_directory(connection, officer) else _link(connection, officer, now)


def close(engine: Engine, name: str, now: int, by: str) -> None:
    """Close an account; whoever is signed in with it is not any more. Raises UsageError: there is no such account."""
    with writing(engine) as connection:
        officer = _open(connection, name)
        connection.execute(update(officers).where(_o.id == officer).values(closed_at=now, passphrase=""))
        connection.execute(delete(officer_links).where(officer_links.c.officer == officer))
        connection.execute(delete(officer_sessions).where(officer_sessions.c.officer == officer))
        note(connection, by, "officer.closed", {"officer": name})


def listed(engine: Engine) -> list[dict[str, Any]]:
    """Every account, closed ones too."""
    identity = officer_identities.c.digest
    query = (
        select(_o.name, _o.roles, _o.made_at, _o.closed_at, _o.passphrase, identity)
        .outerjoin(officer_identities, officer_identities.c.officer == _o.id)
        .order_by(_o.name)
    )
    with engine.connect() as connection:
        return [
            {
                "name": row.name, "roles": row.roles.split(), "made_at": row.made_at, "closed_at": row.closed_at,
                "ready": bool(row.passphrase) or row.digest is not None, "directory": row.digest is not None,
            }
            for row in connection.execute(query)
        ]  # fmt: skip


def of_link(engine: Engine, untrusted: str, now: int) -> Officer | None:
    """Whose link this is; None when it is unknown, old or used."""
    with engine.connect() as connection:
        return _of_link(connection, untrusted, now)


def choose_passphrase(engine: Engine, untrusted_link: str, chosen: str, now: int) -> Officer | None:
    """Use the link up; None when it opens nothing any more."""
    kept = passphrase.make(chosen)
    with writing(engine) as connection:
        officer = _of_link(connection, untrusted_link, now)
        if officer is None:
            return None
        used = update(officer_links).where(
            officer_links.c.digest == _digest(untrusted_link), officer_links.c.used_at.is_(None)
        )
        if connection.execute(used.values(used_at=now)).rowcount != 1:
            return None
        connection.execute(update(officers).where(_o.id == officer.id).values(passphrase=kept))
        note(connection, officer.name, "officer.passphrase")
        return officer


def of_passphrase(engine: Engine, name: str, untrusted: str) -> Officer | None:
    """Whose name and passphrase these are; takes equally long whether there is such an account or not."""
    query = select(_o.id, _o.name, _o.roles, _o.passphrase).where(_o.name == name.lower(), _o.closed_at.is_(None))
    with engine.connect() as connection:
        row = connection.execute(query).first()
    if not passphrase.fits(untrusted, row.passphrase if row else "") or row is None:
        return None
    return Officer(row.id, row.name, tuple(row.roles.split()))


def _open(connection: Connection, name: str) -> int:
    found = connection.execute(select(_o.id).where(_o.name == name, _o.closed_at.is_(None))).scalar()
    if found is None:
        raise UsageError(N_("there is no such account"), where=name, hint=N_("see: serment-collector officer list"))
    return int(found)


def _in_directory(connection: Connection, officer: int) -> bool:
    found = select(officer_identities.c.digest).where(officer_identities.c.officer == officer)
    return connection.execute(found).first() is not None


def _link(connection: Connection, officer: int, now: int) -> str:
    secret = secrets.token_urlsafe(32)
    connection.execute(insert(officer_links).values(digest=_digest(secret), officer=officer, until=now + LINK_S))
    return secret


def _of_link(connection: Connection, untrusted: str, now: int) -> Officer | None:
    links = officer_links.c
    query = select(_o.id, _o.name, _o.roles).join(officer_links, links.officer == _o.id).where(
        links.digest == _digest(untrusted), links.used_at.is_(None), links.until > now, _o.closed_at.is_(None)
    )  # fmt: skip
    row = connection.execute(query).first()
    return Officer(row.id, row.name, tuple(row.roles.split())) if row else None


def _digest(secret: str) -> bytes:
    return hashlib.sha256(secret.encode("utf-8", "surrogatepass")).digest()
