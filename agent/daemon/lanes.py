"""Threads that answer a gate: a bounded number, started when there is work and ended when there is none.

Each gate has lanes of its own, so that one that asks a thousand questions never keeps another from being answered, and
a lane for each sort of question, so that a slow document never holds up a name.
"""

from __future__ import annotations

import threading
from collections import deque
from collections.abc import Callable

IDLE_S = 20.0  # a thread without work ends after that
Work = Callable[[], None]


class Lane:
    """``put`` from any thread, never blocks. Work must not raise; what it raises is told and dropped."""

    def __init__(self, name: str, size: int, on_error: Callable[[Exception], None], capacity: int = 4096) -> None:
        self._name = name
        self._size = size
        self._capacity = capacity
        self._on_error = on_error
        self._waiting: deque[Work] = deque()
        self._threads = 0
        self._free = 0
        self._closed = False
        self._changed = threading.Condition()

    def put(self, work: Work) -> bool:
        """Have it done; False when too much waits already, or the lane is closed."""
        with self._changed:
            if self._closed or len(self._waiting) >= self._capacity:
                return False
            self._waiting.append(work)
            if self._free >= len(self._waiting):
                self._changed.notify()
                return True
            if self._threads >= self._size:
                return True
            self._threads += 1
        try:
            threading.Thread(target=self._run, name=self._name, daemon=True).start()
        except RuntimeError:  # no thread to be had: one that runs will come to it
            with self._changed:
                self._threads -= 1
                return self._threads > 0
        return True

    def close(self) -> None:
        """What waits is dropped; what is under way ends by itself."""
        with self._changed:
            self._closed = True
            self._waiting.clear()
            self._changed.notify_all()

    def _run(self) -> None:
        while (work := self._next()) is not None:
            try:
                work()
            except Exception as error:
                self._on_error(error)
            del work  # it holds descriptors and names

    def _next(self) -> Work | None:
        with self._changed:
            self._free += 1
            try:
                if self._changed.wait_for(lambda: self._waiting or self._closed, IDLE_S) and not self._closed:
                    return self._waiting.popleft()
                self._threads -= 1
                return None
            finally:
                self._free -= 1
