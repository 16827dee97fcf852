"""The watching of all places: one inotify instance (watchdog's), one ``Guard`` a place. The boundary to watchdog.

The agent hands in places and a sink, and gets file events and troubles. Only the low-level part of watchdog is used,
its reader of inotify with the report of a queue overflow (version 7.1): its observers add watches by path, pass over a
reached watch limit in silence, and queue without a bound.
"""

from __future__ import annotations

import threading
import time
from collections.abc import Callable
from typing import TYPE_CHECKING

from agent.channels.base import Sink, Trouble
from agent.channels.guard import Guard
from agent.errors import N_, HostError
from agent.model import ChannelKind, Place

if TYPE_CHECKING:
    from watchdog.observers.inotify_c import InotifyFD

EXISTING_RATE = 2000.0  # files a second reported of those that were there before
STOP_LIMIT = 5.0  # s to wait for a guard's thread; one that hangs on a dead volume is left behind
_Key = tuple[ChannelKind, bytes]


class Watcher:
    """Guards places; see the module. Methods may be called from any thread."""

    def __init__(
        self,
        sink: Sink,
        on_trouble: Callable[[Place, Trouble], None] = lambda _place, _trouble: None,
        on_overflow: Callable[[Place], None] = lambda _place: None,
        *,
        existing_rate: float = EXISTING_RATE,
    ) -> None:
        self._sink = sink
        self._on_trouble = on_trouble
        self._on_overflow = on_overflow
        self._rate = existing_rate
        self._guards: dict[_Key, Guard] = {}
        self._lock = threading.Lock()
        self._inotify: InotifyFD | None = None

    def add(self, place: Place) -> None:
        """Guard a place and report what is in it; a place already guarded only gets its new description.

        Raises HostError when the kernel gives no inotify instance, or no thread: it is not guarded then.
        """
        with self._lock:
            guard = self._guards.get(_key(place))
            if guard is not None:
                guard.place = place
                return
            guard = Guard(place, self._sink, self._reader(), self._on_trouble, self._on_overflow, self._rate)
            try:
                guard.start()
            except RuntimeError as error:
                raise _no_thread() from error
            self._guards[_key(place)] = guard

    def remove(self, place: Place) -> None:
        """Stop guarding a place; nothing of it is reported afterwards, unless its volume hangs."""
        with self._lock:
            guard = self._guards.pop(_key(place), None)
        if guard is not None:
            _end([guard])

    def rescan(self, place: Place | None = None) -> None:
        """Look at everything again, in one place or in all; files changed since the guarding began count as written."""
        with self._lock:
            guards = [guard for key, guard in self._guards.items() if place is None or key == _key(place)]
        for guard in guards:
            guard.ask("rescan")

    def places(self) -> tuple[Place, ...]:
        """What is guarded now."""
        with self._lock:
            return tuple(guard.place for guard in self._guards.values())

    def troubles(self) -> tuple[tuple[Place, Trouble], ...]:
        """What weakens the guard now."""
        with self._lock:
            guards = list(self._guards.values())
        return tuple((guard.place, trouble) for guard in guards for trouble in tuple(guard.troubles.values()))

    def wait(self, seconds: float, *, surveyed: bool = False) -> bool:
        """Wait until every place is watched whole (``surveyed``: and its files reported); False when time ran out."""
        deadline = time.monotonic() + seconds
        with self._lock:
            guards = list(self._guards.values())
        return all(
            (guard.surveyed if surveyed else guard.armed).wait(max(0.0, deadline - time.monotonic()))
            for guard in guards
        )

    def stop(self) -> None:
        """Stop guarding everything."""
        with self._lock:
            guards, self._guards = list(self._guards.values()), {}
            inotify, self._inotify = self._inotify, None
        _end(guards)
        if inotify is not None:
            inotify.stop()
            if inotify.ident is not None:
                inotify.join(STOP_LIMIT)

    def _reader(self) -> InotifyFD:
        if self._inotify is None:
            from watchdog.observers.inotify_c import InotifyFD

            try:
                self._inotify = InotifyFD()
            except OSError as error:
                raise HostError(
                    N_("the kernel gives no inotify instance: {why}"),
                    hint=N_("raise fs.inotify.max_user_instances with sysctl"),
                    why=error.strerror,
                ) from error
        if self._inotify.ident is None:
            try:
                self._inotify.start()
            except RuntimeError as error:
                raise _no_thread() from error
        return self._inotify


def _no_thread() -> HostError:
    return HostError(N_("the system gives no more threads"), hint=N_("run: serment doctor"))


def _key(place: Place) -> _Key:
    return place.channel, place.root


def _end(guards: list[Guard]) -> None:
    for guard in guards:
        guard.ask("stop")
    deadline = time.monotonic() + STOP_LIMIT
    for guard in guards:
        if guard is not threading.current_thread():
            guard.join(max(0.0, deadline - time.monotonic()))
