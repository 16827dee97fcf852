"""How soon one file is looked at again: one that is rewritten without end, one whose action failed, one that broke us.

Owns the memory of those three, bounded or emptied as files recover; from any thread. Knows files by their key alone and
does nothing itself: ``pipeline`` waits, tells and tries.
"""

from __future__ import annotations

import threading
import time
from collections import OrderedDict

FREE = 5  # times that a file is looked at without waiting
FORGOTTEN_S = 120.0
KEPT = 4096
MOST_S = 60.0
RETRY_S = (30.0, 120.0, 600.0, 3600.0)
Key = tuple[bytes, bytes]
"""A guarded folder and the name within it."""


class Paces:
    """A file that is rewritten again and again is looked at ever more seldom, at most each minute.

    Otherwise anybody could fill the audit log, and with it the disk, by rewriting one file.
    """

    def __init__(self) -> None:
        self._known: OrderedDict[Key, tuple[int, float]] = OrderedDict()  # streak, last time
        self._lock = threading.Lock()

    def wait_s(self, file: Key) -> float:
        """Seconds to wait before the next look; not positive: none."""
        with self._lock:
            streak, last = self._known.get(file, (0, 0.0))
        rested = time.monotonic() - last
        if streak < FREE or rested >= FORGOTTEN_S:
            return 0.0
        return min(MOST_S, 0.25 * 2.0 ** min(streak, 16)) - rested  # bounded: it may go on for weeks

    def looked(self, file: Key) -> None:
        """Count one look; what is skipped as known does not count, or a rescan would delay what is new."""
        now = time.monotonic()
        with self._lock:
            streak, last = self._known.pop(file, (0, 0.0))
            self._known[file] = (1 if now - last >= FORGOTTEN_S else streak + 1, now)
            while len(self._known) > KEPT:
                self._known.popitem(last=False)


class Failures:
    """The files whose action failed, and how often."""

    def __init__(self) -> None:
        self._times: dict[Key, int] = {}
        self._lock = threading.Lock()

    def failed(self, file: Key) -> float:
        """Count one failure. Seconds until the next try."""
        with self._lock:
            times = self._times.get(file, 0)
            self._times[file] = times + 1
        return RETRY_S[min(times, len(RETRY_S) - 1)]

    def recovered(self, file: Key) -> bool:
        """Whether this was the last file that failed."""
        with self._lock:
            return self._times.pop(file, None) is not None and not self._times


class Crashes:
    """The files over which an error of ours happened: each is tried once more."""

    def __init__(self) -> None:
        self._files: set[Key] = set()
        self._lock = threading.Lock()

    def crashed(self, file: Key) -> bool:
        """Whether it is the first time."""
        with self._lock:
            first = file not in self._files
            self._files.add(file)
        return first

    def recovered(self, file: Key) -> bool:
        """Whether this was the last such file."""
        with self._lock:
            known = file in self._files
            self._files.discard(file)
            return known and not self._files
