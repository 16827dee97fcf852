"""Who has become a person of this laptop since the agent began: a new login, or a first session of a directory's user.

``look`` is asked in each round of the main loop and costs three looks at times; the question itself goes to the
password database in a thread, for a directory service may take its time. Nobody is forgotten while the agent runs.
"""

from __future__ import annotations

import contextlib
import os
import threading
import time
from collections.abc import Callable, Iterable, Sequence

from agent.channels.people import Person, people

ASK_EVERY_S = 600.0  # whether or not a time has changed: homes may lie anywhere
_SIGNS = ("/etc/passwd", "/run/user", "/home")  # a login is made, a session begins, a home is made


class Newcomers:
    """``woken`` is called, from another thread, when ``look`` has news."""

    def __init__(
        self,
        names: Sequence[str],
        known: Iterable[Person],
        woken: Callable[[], None],
        *,
        ask: Callable[[Sequence[str]], list[Person]] = people,
        signs: Sequence[str] = _SIGNS,
        clock: Callable[[], float] = time.monotonic,
    ) -> None:
        self._names, self._woken, self._ask, self._signs, self._clock = names, woken, ask, signs, clock
        self._known = {person.uid for person in known}
        self._seen = self._times()
        self._asked_s = clock()
        self._found: list[Person] = []
        self._asking = False
        self._lock = threading.Lock()

    def look(self) -> tuple[Person, ...]:
        """The persons who are new since the last call; asks again when it may be time. Never raises, never waits."""
        self._ask_when_due()
        with self._lock:
            new = [person for person in self._found if person.uid not in self._known]
            self._found = []
            self._known.update(person.uid for person in new)
        return tuple(new)

    def _ask_when_due(self) -> None:
        times, now = self._times(), self._clock()
        with self._lock:
            if self._asking or (times == self._seen and now - self._asked_s < ASK_EVERY_S):
                return
            self._asking, self._seen, self._asked_s = True, times, now
        try:
            threading.Thread(target=self._run, name="newcomers", daemon=True).start()
        except RuntimeError:  # no thread to be had: when it is due again
            with self._lock:
                self._asking = False

    def _run(self) -> None:
        found: list[Person] = []
        try:
            with contextlib.suppress(OSError):  # a directory that fails is asked again
                found = self._ask(self._names)
        finally:
            with self._lock:
                self._asking = False
                self._found += found
                news = any(person.uid not in self._known for person in found)
        if news:
            self._woken()

    def _times(self) -> tuple[tuple[int, int], ...]:
        return tuple(map(_time_of, self._signs))


def _time_of(path: str) -> tuple[int, int]:
    try:
        state = os.stat(path)
    except OSError:
        return 0, 0
    return state.st_ino, state.st_mtime_ns
