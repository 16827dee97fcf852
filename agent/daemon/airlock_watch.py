"""Is an airlock still there, and does it still serve? What its volume's thread looks at while all is well.

Looks at processes, the mount table and the device; touches no path behind the FUSE mount but in a probe of its own
thread, which may hang.
"""

from __future__ import annotations

import contextlib
import os
import select
import threading
import time

from agent.channels.mounts import Mount
from agent.fsys.ways import reach_root
from agent.gates.takeover.process import Process

DRAIN_S = 600.0  # an airlock whose volume was unmounted finishes what it has, on a slow stick
STOPPED_S = 2.0  # an airlock that somebody has stopped is replaced, so long after that was seen
PROBE_S = 60.0  # how often it is asked for something that needs no verdict, to see that it still answers
SILENT_S = 300.0  # ... and how long it may take: longer than any verdict it may be waiting for, on a slow stick
_TICK_S = 0.5
_CALM_TICK_S = 4.0  # while there is nothing to wonder at


class Watch:
    """``ended`` waits for news, ``hopeless`` says whether the airlock must be ended; in turns, from one thread. To be
    closed.
    """

    def __init__(self, volume: Mount, process: Process, mountinfo: str) -> None:
        self._volume = volume
        self._process = process
        self._table = os.open(mountinfo, os.O_RDONLY | os.O_CLOEXEC)  # kept: no change between two waits is missed
        self._probe = _Probe(volume.point)
        self._stopped_since = self._uncovered_since = 0.0

    def ended(self, wake: int) -> bool:
        """Wait for a moment, or for news: whether the process has ended."""
        poll = select.poll()
        poll.register(self._process, select.POLLIN)
        poll.register(wake, select.POLLIN)
        poll.register(self._table, select.POLLPRI | select.POLLERR)
        tick_s = _TICK_S if self._stopped_since or self._uncovered_since else _CALM_TICK_S
        return self._process.fileno() in {fd for fd, _event in poll.poll(tick_s * 1000)}

    def close(self) -> None:
        os.close(self._table)

    def hopeless(self, *, covered: bool) -> bool:
        """Whether nothing more is to be had from it: stopped, silent, its device gone, too long at its last work."""
        now = time.monotonic()
        self._stopped_since = (self._stopped_since or now) if self._process.stopped() else 0.0
        self._uncovered_since = 0.0 if covered else self._uncovered_since or now
        return (
            bool(self._stopped_since and now - self._stopped_since >= STOPPED_S)
            or bool(self._uncovered_since and now - self._uncovered_since >= DRAIN_S)
            or (covered and self._probe.silent_s(now) >= SILENT_S)
            or device_is_gone(self._volume)
        )


def device_is_gone(volume: Mount) -> bool:
    """Whether the device behind the volume was pulled out (known for real block devices only)."""
    major, minor = volume.device
    return major != 0 and not os.path.exists(f"/sys/dev/block/{major}:{minor}")


class _Probe:
    """Asks the file system behind the airlock how large it is, now and then, in a thread that may well hang."""

    def __init__(self, point: bytes) -> None:
        self._point = point
        self._asked_at = time.monotonic()
        self._answered = threading.Event()
        self._answered.set()

    def silent_s(self, now: float) -> float:
        """For how long a question has been waiting for its answer; asks the next one when it is due."""
        if not self._answered.is_set():
            return now - self._asked_at
        if now - self._asked_at >= PROBE_S:
            self._asked_at = now
            self._answered.clear()
            threading.Thread(target=self._ask, args=(self._answered,), name="airlock-probe", daemon=True).start()
        return 0.0

    def _ask(self, answered: threading.Event) -> None:
        with contextlib.suppress(OSError):
            fd = reach_root(self._point)
            try:
                os.fstatvfs(fd)
            finally:
                os.close(fd)
        answered.set()
