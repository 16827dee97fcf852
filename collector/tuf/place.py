"""Which folder the policies of a fleet are published from, where several collectors share a database: one.

A row says what was published last: the number and the digest of the timestamp. A folder that is behind it (the second
collector's, a copy, one that was put back by hand) neither signs nor serves: laptops refuse two states with one number,
and one that is older than what they have seen. A folder that is ahead of it was published from by somebody who was
killed, or lost the database, before it was noted: then that is noted, with what laptops are told now.
"""

from __future__ import annotations

from hashlib import sha256

from sqlalchemy import Connection, Row, insert, select, update

from agent.errors import N_, HostError
from collector.journal import note
from collector.store.tables import published
from collector.tuf.repository import ServerRepository

BY = "collector"
UNRECORDED = "policy.unrecorded"


def is_behind(repository: ServerRepository, connection: Connection) -> bool:
    """Whether another folder has published since."""
    return _is_behind(repository, connection.execute(select(published)).first())


def is_ahead(repository: ServerRepository, connection: Connection) -> bool:
    """Whether something was published that is not noted, or is being published at this moment."""
    return _is_ahead(repository, connection.execute(select(published)).first())


def require(repository: ServerRepository, connection: Connection) -> None:
    """Before something is published: nobody else does until the transaction ends. What was published and not noted is
    noted. Raises HostError: it is behind.
    """
    last = _kept(connection)
    _check(repository, last)
    if _is_ahead(repository, last):
        note(connection, BY, UNRECORDED, {"timestamp": repository.number(), **_facts(repository)})
        remember(repository, connection)


def _facts(repository: ServerRepository) -> dict[str, str | int | bool]:
    state = repository.rollout()
    if state is None:
        return {}
    return {"release": state.release, "permille": state.permille, "held": state.held}


def _check(repository: ServerRepository, last: Row[tuple[int, int, str]] | None) -> None:
    if _is_behind(repository, last):
        raise HostError(
            N_("policies are published from the folder of another collector, and this one is behind"),
            where=str(repository.folder),
            hint=N_("publish there; where that one is lost: serment-collector publish --here"),
        )


def remember(repository: ServerRepository, connection: Connection) -> None:
    """What is published now. Raises HostError: another folder was quicker."""
    number, digest = _state(repository)
    if _kept(connection) is None:
        connection.execute(insert(published).values(id=1, number=number, digest=digest))
    connection.execute(update(published).where(published.c.number < number).values(number=number, digest=digest))
    _check(repository, _kept(connection))


def take(repository: ServerRepository, connection: Connection) -> None:
    """From now on it is this folder, with numbers above all that were published."""
    last = _kept(connection)
    repository.leap(last.number if last is not None else 0)
    remember(repository, connection)


def _kept(connection: Connection) -> Row[tuple[int, int, str]] | None:
    """The row, which nobody else reads to write until the end of the transaction."""
    return connection.execute(select(published).with_for_update()).first()


def _is_behind(repository: ServerRepository, last: Row[tuple[int, int, str]] | None) -> bool:
    number, digest = _state(repository)
    return last is not None and (last.number > number or (last.number == number and last.digest != digest))


def _is_ahead(repository: ServerRepository, last: Row[tuple[int, int, str]] | None) -> bool:
    return repository.number() > (last.number if last is not None else 0)


def _state(repository: ServerRepository) -> tuple[int, str]:
    data = repository.timestamp()
    return repository.number(data), sha256(data).hexdigest() if data else ""
