"""Where the time of records comes from: the one place of the audit log that asks the machine for it."""

from __future__ import annotations

import time
from pathlib import Path
from typing import Any, Protocol


class Clock(Protocol):
    """Where the time comes from. ``boot`` is eight hexadecimal digits that change with each boot."""

    @property
    def boot(self) -> str: ...

    def now(self) -> tuple[int, int]:
        """Microseconds since 1970 UTC, and milliseconds since boot (time asleep included)."""


def clock_state() -> dict[str, bool | int]:
    """What the kernel says of the wall clock: ``synchronised``, and then ``error_ms``, how far it may be off at most.

    Empty when it says nothing.
    """
    import ctypes

    timex = _timex()
    state = timex()
    if ctypes.CDLL(None, use_errno=True).adjtimex(ctypes.byref(state)) < 0:
        return {}
    if state.status & _UNSYNCHRONISED:
        return {"synchronised": False}
    return {"synchronised": True, "error_ms": int(state.maxerror) // 1000}


_UNSYNCHRONISED = 0x40  # STA_UNSYNC of <sys/timex.h>


def _timex() -> Any:
    from ctypes import Structure, c_int, c_long, c_uint

    class Timex(Structure):
        """The beginning of struct timex, as far as it is read; nothing is set, for ``modes`` is 0."""

        _fields_ = [
            ("modes", c_uint), ("offset", c_long), ("freq", c_long), ("maxerror", c_long), ("esterror", c_long),
            ("status", c_int), ("rest", c_long * 32),
        ]  # fmt: skip

    return Timex


class SystemClock:
    def __init__(self) -> None:
        self.boot = Path("/proc/sys/kernel/random/boot_id").read_text("ascii")[:8]

    def now(self) -> tuple[int, int]:
        return time.time_ns() // 1000, time.clock_gettime_ns(time.CLOCK_BOOTTIME) // 1_000_000
