"""The final look at the pictures of a held document: before it goes, within limits.

Reading takes seconds a page, and somebody waits. One document waits at most ``wait_s``; all documents of a while
together ``budget_s``, so that copying five hundred holiday photographs is not the work of an afternoon. What was not
read in time goes as its first verdict says and is read afterwards, on the medium (``second_look.py``).
"""

from __future__ import annotations

import contextlib
import os
import threading
import time
from collections.abc import Callable

from agent.daemon.second_look import Reader
from agent.errors import HostError
from agent.findings import Findings

_REFILL_S = 600.0  # an empty budget is full again after that


class HeldPictures:
    """``look`` from any thread. ``make`` gives the reader when the first picture comes; None: none are read here."""

    def __init__(self, make: Callable[[], Reader] | None, wait_s: float, budget_s: float) -> None:
        self._make = make
        self._reader: Reader | None = None
        self._wait_s = wait_s
        self._budget_s = self._left_s = budget_s
        self._filled_at = time.monotonic()
        self._busy = threading.Semaphore(2)
        self._lock = threading.Lock()
        self._closed = False

    def look(self, fd: int, extension: str, size: int) -> Findings | None:
        """The findings with the pictures read; None when that did not come about in time."""
        began = time.monotonic()
        wait_s = min(self._wait_s, self._left(began))
        reader = self._ready()
        if reader is None or wait_s < 0.5 or not self._busy.acquire(timeout=wait_s):
            return None
        found: list[Findings] = []
        came = threading.Event()
        copy = os.dup(fd)  # the question may be answered, and its descriptor closed, while this is still being read

        def read() -> None:
            try:
                with contextlib.suppress(HostError):
                    found.append(reader.judge(copy, extension, size))
            finally:
                os.close(copy)
                self._busy.release()
                came.set()

        threading.Thread(target=read, name="held-pictures", daemon=True).start()
        came.wait(max(0.0, wait_s - (time.monotonic() - began)))
        self._spend(time.monotonic() - began)
        return found[0] if found else None

    def _ready(self) -> Reader | None:
        with self._lock:
            if self._reader is None and self._make is not None and not self._closed:
                self._reader = self._make()
            return self._reader

    def _left(self, now: float) -> float:
        with self._lock:
            self._left_s = min(self._budget_s, self._left_s + (now - self._filled_at) * self._budget_s / _REFILL_S)
            self._filled_at = now
            return self._left_s

    def _spend(self, seconds: float) -> None:
        with self._lock:
            self._left_s = max(0.0, self._left_s - seconds)

    def lend(self, files: tuple[object, ...]) -> None:
        """The practice's patient list, for this reader too."""
        reader = self._ready() if self._reader is not None else None
        if reader is not None and hasattr(reader, "lend"):
            reader.lend(files)

    def close(self) -> None:
        with self._lock:
            self._closed = True
            reader, self._reader = self._reader, None
        if reader is not None:
            reader.close()
