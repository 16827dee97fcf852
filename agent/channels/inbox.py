"""What the inotify thread leaves for a guard's thread: raw events, bounded, and what was asked of the guard.

The only thing that both threads touch. Putting never blocks and never looks at the disk; an event that finds the inbox
full is dropped and turned into the request for a rescan, like the kernel's own queue overflow.
"""

from __future__ import annotations

import threading
from collections import deque
from typing import TYPE_CHECKING

from agent.channels.watches import IN_IGNORED

if TYPE_CHECKING:
    from watchdog.observers.inotify_c import InotifyEvent, WatchDescriptor

MAX_EVENTS = 50_000
RawEvent = tuple[int, int, bytes]
"""Watch descriptor, mask, name."""


class Inbox:
    """A watchdog ``WatchCallback``; ``take`` is for the guard's thread."""

    def __init__(self) -> None:
        self._condition = threading.Condition()
        self._events: deque[RawEvent] = deque()
        self._asked: set[str] = set()

    def __len__(self) -> int:
        return len(self._events)

    def ask(self, what: str) -> None:
        """``stop``, ``rescan`` or ``overflow``."""
        with self._condition:
            self._asked.add(what)
            self._condition.notify()

    def take(self, seconds: float) -> tuple[set[str], deque[RawEvent]]:
        """What is there, after waiting at most ``seconds`` for something."""
        with self._condition:
            self._condition.wait_for(lambda: self._events or self._asked, timeout=seconds)
            asked, self._asked = self._asked, set()
            events, self._events = self._events, deque()
        return asked, events

    def on_event(self, event: InotifyEvent) -> None:
        """Something happened in a watched folder."""
        self._put((event.wd, event.mask, event.name))

    def on_watch_deleted(self, wd: WatchDescriptor) -> None:
        """The kernel removed a watch."""
        self._put((wd, IN_IGNORED, b""))

    def on_queue_overflow(self) -> None:
        """The kernel dropped events: IN_Q_OVERFLOW."""
        self.ask("overflow")

    def _put(self, event: RawEvent) -> None:
        with self._condition:
            if len(self._events) >= MAX_EVENTS:
                self._asked.add("overflow")
                return
            self._events.append(event)
            self._condition.notify()
