"""What the running collector does with its repository: tells laptops that there is news, lets rings go on, or holds.

A change comes from a command beside this process: it is noticed by the repository's files, at once when a laptop asks
and within seconds otherwise.
"""

from __future__ import annotations

import contextlib
import logging
import os
import time
from collections.abc import Mapping
from hashlib import sha256
from typing import Any

from sqlalchemy import Connection

from agent.errors import ChangedError
from agent.fleet import release
from agent.fleet.release import Rollout
from collector.journal import note
from collector.service import Service
from collector.store.base import Laptop
from collector.store.writing import writing
from collector.tasks import Task
from collector.tuf import figures, place, rollout
from collector.tuf.repository import ServerRepository

EVERY_S = 2.0
JUDGE_S = 60.0
RENEW_S = 24 * 3600.0
BOOST_S = 3600
_log = logging.getLogger("serment.collector")


class Following:
    """Owns nothing but what it remembers of the files."""

    def __init__(self, service: Service, repository: ServerRepository) -> None:
        self._service = service
        self._repository = repository
        self._stamp: tuple[int, int] | None = None
        self._number = 0
        self._told = repository.number()
        self._pressed = self._urgent()
        self._pressing = self._told if any(self._pressed) else 0
        self._judged = 0.0
        self._compare()

    def part(self, laptop: Laptop, report: Mapping[str, Any]) -> Mapping[str, Any]:
        """See ``AnswerPart``: the newest timestamp, for a laptop that has not verified it."""
        number = self.number() if self._service.policies is not None else 0
        if not number or report.get("tuf") == number:
            return {}
        return {"policy": {"timestamp": number}}

    def number(self) -> int:
        """The newest timestamp's; read again when its file changed."""
        try:
            state = os.stat(self._repository.folder / "metadata" / "timestamp.json")
        except OSError:
            return 0
        stamp = (state.st_ino, state.st_mtime_ns)
        if stamp != self._stamp:
            self._number, self._stamp = self._repository.number(), stamp
        return self._number

    def tasks(self) -> list[Task]:
        """What is done by the clock."""
        return [Task("policy", EVERY_S, self.look, 0.5)]

    def look(self) -> None:
        """Once every few seconds: news that is urgent, a ring that is over, a jump, a signature of yesterday."""
        self._compare()
        if not self._repository.started or self._service.policies is None:
            return
        self._settle()
        number = self.number()
        if number != self._told:
            self._told = number
            before, self._pressed = self._pressed, self._urgent()
            if any(new and new != old for new, old in zip(self._pressed, before, strict=True)):
                self._pressing = number
                self._service.boost(int(time.time()) + BOOST_S)
        if self._repository.age_s() > RENEW_S:
            with self._service.store.exclusive("policy") as mine:
                if mine:
                    self._renew()
        if time.monotonic() - self._judged >= JUDGE_S:
            self._judged = time.monotonic()
            with self._service.store.exclusive("policy") as mine:
                if mine:
                    self.judge(int(time.time()))

    def _compare(self) -> None:
        """Where another collector on this database has published since, this one has nothing to serve."""
        with self._service.engine.connect() as connection:
            behind = place.is_behind(self._repository, connection)
        if behind and self._service.policies is not None:
            _log.warning(
                "policies are published from another collector's folder: this one neither signs nor serves any"
            )
        self._service.policies = None if behind else self._repository

    def _settle(self) -> None:
        """What a command published that was killed before it was noted."""
        with self._service.engine.connect() as connection:
            ahead = place.is_ahead(self._repository, connection)
        if ahead:
            with writing(self._service.engine) as connection:
                place.require(self._repository, connection)

    def _renew(self) -> None:
        with writing(self._service.engine) as connection:
            place.require(self._repository, connection)
            self._repository.renew()
            place.remember(self._repository, connection)

    def _urgent(self) -> tuple[str, str]:
        """What is published and should not wait for the next visits: an emergency, a release; "" for none."""
        emergency = self._repository.read(release.EMERGENCY)
        state = self._repository.rollout()
        found = self._repository.release(state.release) if state is not None else None
        urgent = found is not None and found.urgent
        return sha256(emergency).hexdigest() if emergency else "", str(found.number) if found and urgent else ""

    def pressing(self, seen: int) -> bool:
        """Whether a laptop that has heard of the timestamp ``seen`` missed something that should not wait."""
        return seen < self._pressing

    def judge(self, now: int) -> None:
        """Hold a release that does harm; else let it go on when its hours are over."""
        state = self._repository.rollout()
        found = self._repository.release(state.release) if state is not None else None
        if state is None or found is None or state.held:
            return
        seen = figures.gather(self._service.store, found, state, now)
        if why := rollout.alarm(seen, found, figures.when_resumed(self._service.store, found.number)):
            told = {"why": why, "figures": figures.as_text(seen)}
            self._say(rollout.held(state, why), "rollout.held", told, state)
        elif (following := rollout.following(state, found, now)) is not None:
            self._say(following, "rollout.advanced", {"permille": following.permille}, state)

    def _say(self, new: Rollout, what: str, fields: Mapping[str, str | int | bool], before: Rollout) -> None:
        """Unless somebody has decided meanwhile: their word stands, and is judged in a minute."""
        with contextlib.suppress(ChangedError), writing(self._service.engine) as connection:
            say(self._repository, new, connection, place.BY, what, fields, before)


def say(
    repository: ServerRepository, new: Rollout, connection: Connection, by: str, what: str,
    fields: Mapping[str, str | int | bool], before: Rollout | None = None,
) -> None:  # fmt: skip
    """Publish a rollout's new state, and note who did it: first the note, so that nothing is done unnoted. What is
    killed before the transaction ends, ``place.require`` notes. Raises ChangedError: it is no longer ``before``.
    """
    import msgspec

    place.require(repository, connection)
    note(connection, by, what, {"release": new.release, **fields})
    known = msgspec.json.encode(before) if before is not None else None
    repository.say("rollout", release.ROLLOUT, msgspec.json.encode(new), before=known)
    place.remember(repository, connection)
