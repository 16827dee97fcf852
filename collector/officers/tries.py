"""Slows guessing down: after five failures in a row a name waits, longer each time, for at most five minutes.

By name and not by address: behind a hospital's web server all addresses are the same. Names that do not exist wait like
those that do.
"""

from __future__ import annotations

import hashlib

from sqlalchemy import Engine, delete, insert, select, update
from sqlalchemy.exc import IntegrityError

from collector.store.tables import officer_tries
from collector.store.writing import writing

FREE = 5
FIRST_WAIT_S = 10
MAX_WAIT_S = 300
FORGET_S = 24 * 3600
_t = officer_tries.c


def wait(engine: Engine, name: str, now: int) -> int:
    """Seconds until this name may try again; 0: at once."""
    with engine.connect() as connection:
        row = connection.execute(select(_t.times, _t.last_at).where(_t.digest == _digest(name))).first()
    if row is None or row.times < FREE:
        return 0
    return int(max(row.last_at + min(FIRST_WAIT_S << min(row.times - FREE, 10), MAX_WAIT_S) - now, 0))


def failed(engine: Engine, name: str, now: int) -> None:
    """One more."""
    digest = _digest(name)
    again = update(officer_tries).where(_t.digest == digest).values(times=_t.times + 1, last_at=now)
    with writing(engine) as connection:
        connection.execute(delete(officer_tries).where(_t.last_at < now - FORGET_S))
        if connection.execute(again).rowcount:
            return
    try:
        with writing(engine) as connection:
            connection.execute(insert(officer_tries).values(digest=digest, times=1, last_at=now))
    except IntegrityError:  # somebody else was quicker
        with writing(engine) as connection:
            connection.execute(again)


def succeeded(engine: Engine, name: str) -> None:
    with writing(engine) as connection:
        connection.execute(delete(officer_tries).where(_t.digest == _digest(name)))


def _digest(name: str) -> bytes:
    return hashlib.sha256(name.lower().encode("utf-8", "surrogatepass")).digest()
