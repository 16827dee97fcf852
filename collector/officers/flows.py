"""Sign-ins that are on their way through the directory: what ties the answer to the browser that asked.

A cookie of 32 random bytes, of which only the digest is kept; ten minutes; taken once. In the database, because the
answer may reach another collector than the question.
"""

from __future__ import annotations

import hashlib
import hmac
import secrets
from typing import NamedTuple

from sqlalchemy import Engine, delete, func, insert, select

from agent.errors import N_, TransportError
from collector.store.tables import officer_flows
from collector.store.writing import writing

PATH = "/login/directory"
COOKIE = "serment_sign_in"
LIFE_S = 600
MOST = 100_000
MAX_COOKIE = 64
_f = officer_flows.c


class Flow(NamedTuple):
    """``cookie`` goes to the browser, ``state`` and ``nonce`` by way of it to the directory, ``verifier`` nowhere but
    to the directory itself (RFC 7636). ``go_on``: the page that was wanted.
    """

    cookie: str
    state: str
    nonce: str
    verifier: str
    go_on: str


def begin(engine: Engine, go_on: str, now: int) -> Flow:
    """A new one. Raises TransportError: there are too many."""
    cookie, state, nonce, verifier = (secrets.token_urlsafe(32) for _ in range(4))
    values = {
        "digest": _digest(cookie), "state": state, "nonce": nonce, "verifier": verifier, "go_on": go_on,
        "until": now + LIFE_S,
    }  # fmt: skip
    with writing(engine) as connection:
        connection.execute(delete(officer_flows).where(_f.until <= now))
        if connection.execute(select(func.count()).select_from(officer_flows)).scalar_one() >= MOST:
            raise TransportError(N_("too many sign-ins at once; try again in ten minutes"), kind="busy", retry_s=0)
        connection.execute(insert(officer_flows).values(values))
    return Flow(cookie, state, nonce, verifier, go_on)


def take(engine: Engine, untrusted_cookie: str, untrusted_state: str, now: int) -> Flow | None:
    """The sign-in that cookie and state belong to, which is over with this; None: there is none, or not any more."""
    if not 0 < len(untrusted_cookie) <= MAX_COOKIE:
        return None
    digest = _digest(untrusted_cookie)
    given = untrusted_state.encode("utf-8", "surrogatepass")
    with writing(engine) as connection:
        row = connection.execute(select(officer_flows).where(_f.digest == digest, _f.until > now)).first()
        if row is None or not hmac.compare_digest(row.state.encode(), given):
            return None
        if connection.execute(delete(officer_flows).where(_f.digest == digest)).rowcount != 1:
            return None  # another request with the same answer was quicker
        return Flow(untrusted_cookie, row.state, row.nonce, row.verifier, row.go_on)


def _digest(cookie: str) -> bytes:
    return hashlib.sha256(cookie.encode("utf-8", "surrogatepass")).digest()
