"""Which files wait for their second look. Bounded: what does not fit is owed in the ledger; a rescan brings it back.

Owns the waiting events, nothing else. What has just arrived goes before what was already there: nobody's new scan waits
behind a stick full of old photographs. Putting never blocks, so that no first look is ever held up.
"""

from __future__ import annotations

import threading
import time
from collections import OrderedDict

from agent.daemon.case import key_of
from agent.model import FileEvent

_Lane = OrderedDict[tuple[bytes, bytes], FileEvent]


class OwedLooks:
    """``put`` from any thread; one thread takes. ``overflowed``: something did not fit since it was last asked."""

    def __init__(self, capacity: int = 2000) -> None:
        self._capacity = capacity
        self._fresh: _Lane = OrderedDict()
        self._existing: _Lane = OrderedDict()
        self._overflowed = False
        self._closed = False
        self._changed = threading.Condition()

    def put(self, event: FileEvent, *, fresh: bool) -> None:
        """Add a file; once is enough. When there is no room, one that was already there gives way to a fresh one."""
        key = key_of(event)
        with self._changed:
            if self._closed or key in self._fresh or (key in self._existing and not fresh):
                return
            self._existing.pop(key, None)
            if len(self) >= self._capacity:
                self._overflowed = True
                if not fresh or not self._existing:
                    return
                self._existing.popitem()
            (self._fresh if fresh else self._existing)[key] = event
            self._changed.notify_all()

    def take(self, timeout_s: float) -> FileEvent | None:
        """The next file; None when none came in time, or this is closed."""
        deadline = time.monotonic() + timeout_s
        with self._changed:
            while not self._closed:
                for lane in (self._fresh, self._existing):
                    if lane:
                        return lane.popitem(last=False)[1]
                if (left := deadline - time.monotonic()) <= 0:
                    break
                self._changed.wait(left)
            return None

    def rest(self, seconds: float) -> None:
        """Wait that long, or until this is closed."""
        with self._changed:
            self._changed.wait_for(lambda: self._closed, seconds)

    def take_overflow(self) -> bool:
        """Whether something did not fit since this was last asked, and nothing waits any more."""
        with self._changed:
            if self._closed or len(self):
                return False
            overflowed, self._overflowed = self._overflowed, False
            return overflowed

    def close(self) -> None:
        with self._changed:
            self._closed = True
            self._changed.notify_all()

    @property
    def closed(self) -> bool:
        return self._closed

    def __len__(self) -> int:
        return len(self._fresh) + len(self._existing)
