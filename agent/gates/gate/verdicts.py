"""What was decided about a file in a state, kept so that the next reader of it need not wait. Bounded.

A verdict is kept only when the file cannot have been another one under the same stamp: nobody had it open for writing
(a lease says so; a store into mapped memory leaves no other trace), and its last change was longer ago than the clock
of a file system may stand still. One thread writes, another reads: single dictionary operations, no lock.
"""

from __future__ import annotations

import errno
import fcntl
import signal
import time

Stamp = tuple[int, int, int, int, int]  # device, inode, size, mtime and ctime in nanoseconds
MOST = 16384
REFUSED_S = 30.0  # a refusal is asked about again after that: the document may have been released
SETTLED_NS = 50_000_000  # the coarsest clock ticks every 10 ms


class Verdicts:
    def __init__(self) -> None:
        self._known: dict[tuple[Stamp, bytes], float] = {}  # 0: may be read; else: refused until (monotonic)

    def keep(self, stamp: Stamp, way: bytes, *, refused: bool) -> None:
        if len(self._known) >= MOST:
            self._known.clear()
        self._known[stamp, way] = time.monotonic() + REFUSED_S if refused else 0.0

    def refused(self, stamp: Stamp, way: bytes) -> bool | None:
        """Whether a program of that way is refused this file; None when that is not known (any more)."""
        until = self._known.get((stamp, way))
        if not until:
            return None if until is None else False
        return True if time.monotonic() < until else None

    def forget(self) -> None:
        self._known = {}


def settled(stamp: Stamp) -> bool:
    """Whether a change from now on shows in the stamp."""
    return time.time_ns() - SETTLED_NS - stamp[4] >= 0


def written_to(fd: int) -> bool | None:
    """Whether anybody has the file open for writing, by a lease that is given back at once; None: cannot be known."""
    try:
        fcntl.fcntl(fd, fcntl.F_SETSIG, signal.SIGURG)  # a broken lease sends it, and it is ignored
        fcntl.fcntl(fd, fcntl.F_SETLEASE, fcntl.F_RDLCK)
    except OSError as error:
        return True if error.errno == errno.EAGAIN else None
    fcntl.fcntl(fd, fcntl.F_SETLEASE, fcntl.F_UNLCK)
    return False
