"""The bounded queue between the channels and the pipeline.

Owns: events that nobody has taken yet. Channels put, pipeline threads take. What has just arrived goes before what was
already there; an event that must wait (the file was still changing, the disk was full) comes back when it is due. The
same file is never queued twice. A full queue makes the channel wait, and nothing is dropped: a channel that waits too
long overflows in the kernel, which leads to a rescan.
"""

from __future__ import annotations

import heapq
import itertools
import threading
import time
from collections import OrderedDict

from agent.model import Cause, FileEvent

_Key = tuple[bytes, bytes]


class EventQueue:
    def __init__(self, capacity: int = 10_000) -> None:
        self._capacity = capacity
        self._fresh: OrderedDict[_Key, FileEvent] = OrderedDict()
        self._existing: OrderedDict[_Key, FileEvent] = OrderedDict()
        self._later: list[tuple[float, int, FileEvent]] = []
        self._due: dict[_Key, float] = {}  # of what waits for later: each file once, at its earliest time
        self._order = itertools.count()
        self._active = 0
        self._working: set[_Key] = set()  # two threads on one file would each discard what the other keeps
        self._closed = False
        self._moved = time.monotonic()  # when an event was last taken or finished, or the first one came
        self._changed = threading.Condition()

    def put(self, event: FileEvent) -> None:
        """Add an event; waits while the queue is full; does nothing after ``close``."""
        key = (event.place.root, event.name)
        with self._changed:
            while not self._closed and len(self._fresh) + len(self._existing) >= self._capacity:
                self._changed.wait()
            if self._closed or key in self._fresh:
                return
            if not (self._fresh or self._existing or self._active):
                self._moved = time.monotonic()
            if event.cause is Cause.EXISTING:
                self._existing.setdefault(key, event)
            else:
                self._existing.pop(key, None)
                self._fresh[key] = event
            self._changed.notify_all()

    def put_later(self, event: FileEvent, delay_s: float) -> None:
        """Bring an event back after ``delay_s`` seconds, or when the same file is due anyway, if that is sooner."""
        key, due = (event.place.root, event.name), time.monotonic() + delay_s
        with self._changed:
            if self._due.get(key, due + 1.0) <= due:
                return
            self._due[key] = due  # a later entry of the same file stays in the heap, and is passed over
            heapq.heappush(self._later, (due, next(self._order), event))
            self._changed.notify_all()

    def take(self) -> FileEvent | None:
        """The next event, or None when the queue is closed. Each taken event is owed one ``done``."""
        with self._changed:
            while not self._closed:
                event, wait_s = self._next()
                if event is not None:
                    self._active += 1
                    self._working.add((event.place.root, event.name))
                    self._moved = time.monotonic()
                    self._changed.notify_all()
                    return event
                self._changed.wait(wait_s)
            return None

    def done(self, event: FileEvent) -> None:
        with self._changed:
            self._active -= 1
            self._working.discard((event.place.root, event.name))
            self._moved = time.monotonic()
            self._changed.notify_all()

    def claim(self, event: FileEvent) -> bool:
        """Have a file that was not taken from here: waits until no thread has it; then none has until ``release``.

        False when the queue is closed; then nothing is owed.
        """
        key = (event.place.root, event.name)
        with self._changed:
            while not self._closed and key in self._working:
                self._changed.wait()
            if not self._closed:
                self._working.add(key)
            return not self._closed

    def release(self, event: FileEvent) -> None:
        """Give back what was claimed. It is no progress of the queue's own, and does not count as such."""
        with self._changed:
            self._working.discard((event.place.root, event.name))
            self._changed.notify_all()

    def at_work(self) -> bool:
        """Whether a document is being judged, or waits for it."""
        with self._changed:
            return bool(self._fresh or self._existing or self._active)

    def stuck_s(self) -> float:
        """For how many seconds events have waited while none was taken or finished; 0 when none waits."""
        with self._changed:
            return time.monotonic() - self._moved if self._fresh or self._existing else 0.0

    def depth(self) -> dict[str, int]:
        with self._changed:
            return {
                "fresh": len(self._fresh),
                "existing": len(self._existing),
                "later": len(self._due),
                "active": self._active,
            }

    def close(self) -> None:
        with self._changed:
            self._closed = True
            self._changed.notify_all()

    def _next(self) -> tuple[FileEvent | None, float | None]:
        now = time.monotonic()
        while self._later and self._later[0][0] <= now:
            due, _order, event = heapq.heappop(self._later)
            key = (event.place.root, event.name)
            if self._due.get(key) != due:
                continue
            del self._due[key]
            self._existing.pop(key, None)
            self._fresh.setdefault(key, event)
            self._fresh.move_to_end(key, last=False)
        for waiting in (self._fresh, self._existing):
            for key in waiting:
                if key not in self._working:
                    return waiting.pop(key), None
        return None, (self._later[0][0] - now if self._later else None)
