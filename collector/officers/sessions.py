"""Who is signed in. A cookie of 32 random bytes, of which only the digest is kept; every request asks the database.

A session ends after an hour without a request, twelve hours after it began, at signing out, and when the account is
closed. ``whole`` is False while a passkey is still to come: such a session may do nothing else.
"""

from __future__ import annotations

import hashlib
import secrets
from dataclasses import dataclass

from sqlalchemy import Engine, delete, insert, select, update

from collector.journal import note
from collector.officers.accounts import Officer
from collector.store.tables import officer_sessions, officers
from collector.store.writing import writing

COOKIE = "serment_officer"
LIFE_S = 12 * 3600
IDLE_S = 3600
_TOUCH_S = 60
MAX_COOKIE = 64
_s, _o = officer_sessions.c, officers.c


@dataclass(frozen=True, slots=True)
class Session:
    officer: Officer
    digest: bytes
    csrf: str
    whole: bool


def begin(engine: Engine, officer: Officer, now: int, *, whole: bool, how: str) -> str:
    """A new session; the value of its cookie. ``how`` (a stable word) goes into the journal with a whole one."""
    cookie = secrets.token_urlsafe(32)
    values = {
        "digest": _digest(cookie), "officer": officer.id, "csrf": secrets.token_urlsafe(24), "whole": int(whole),
        "made_at": now, "last_at": now,
    }  # fmt: skip
    with writing(engine) as connection:
        connection.execute(delete(officer_sessions).where(_s.made_at <= now - LIFE_S))
        connection.execute(insert(officer_sessions).values(values))
        if whole:
            note(connection, officer.name, "officer.signed_in", {"how": how})
    return cookie


def find(engine: Engine, untrusted_cookie: str, now: int) -> Session | None:
    """The session of a cookie; None when there is none (any more)."""
    if not 0 < len(untrusted_cookie) <= MAX_COOKIE:
        return None
    digest = _digest(untrusted_cookie)
    query = (
        select(officer_sessions, _o.name, _o.roles)
        .join(officers, _o.id == _s.officer)
        .where(
            _s.digest == digest, _s.made_at > now - LIFE_S, _s.last_at > now - IDLE_S, _o.closed_at.is_(None)
        )
    )  # fmt: skip
    with engine.connect() as connection:
        row = connection.execute(query).first()
    if row is None:
        return None
    if row.last_at < now - _TOUCH_S:
        with writing(engine) as connection:
            connection.execute(update(officer_sessions).where(_s.digest == digest).values(last_at=now))
    return Session(Officer(row.officer, row.name, tuple(row.roles.split())), digest, row.csrf, bool(row.whole))


def end(engine: Engine, session: Session, *, quiet: bool = False) -> None:
    """Sign out; ``quiet``: another session takes its place."""
    with writing(engine) as connection:
        connection.execute(delete(officer_sessions).where(_s.digest == session.digest))
        if not quiet:
            note(connection, session.officer.name, "officer.signed_out")


def _digest(cookie: str) -> bytes:
    return hashlib.sha256(cookie.encode("utf-8", "surrogatepass")).digest()
