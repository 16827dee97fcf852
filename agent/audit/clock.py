"""Where the time of records comes from: the one place of the audit log that asks the machine for it."""

from __future__ import annotations

import time
from pathlib import Path
from typing import Protocol


class Clock(Protocol):
    """Where the time comes from. ``boot`` is eight hexadecimal digits that change with each boot."""

    @property
    def boot(self) -> str: ...

    def now(self) -> tuple[int, int]:
        """Microseconds since 1970 UTC, and milliseconds since boot (time asleep included)."""


class SystemClock:
    def __init__(self) -> None:
        self.boot = Path("/proc/sys/kernel/random/boot_id").read_text("ascii")[:8]

    def now(self) -> tuple[int, int]:
        return time.time_ns() // 1000, time.clock_gettime_ns(time.CLOCK_BOOTTIME) // 1_000_000
