"""Threads that wait for a worker, in order of arrival. Owned by the pool in ``client``; shares its lock.

A freed worker is handed to one thread directly, so that nobody overtakes and nobody wakes in vain.
"""

from __future__ import annotations

import threading
from collections import deque
from collections.abc import Callable
from copy import copy
from queue import Empty, SimpleQueue

from agent.errors import HostError
from agent.extraction.child import Child


class Waiter:
    """One waiting thread; ``fresh``: only a worker that has judged nothing yet will do."""

    def __init__(self, fresh: bool) -> None:
        self.fresh = fresh
        self.slot: SimpleQueue[Child | HostError] = SimpleQueue()


class Line:
    """Every method but ``wait`` is called with the lock held."""

    def __init__(self, lock: threading.Lock) -> None:
        self._lock = lock
        self._waiters: deque[Waiter] = deque()

    def __bool__(self) -> bool:
        return bool(self._waiters)

    def join(self, fresh: bool) -> Waiter:
        """A place at the end; at the front for a document that has had its turn and lost it (``fresh``)."""
        waiter = Waiter(fresh)
        if fresh:
            self._waiters.appendleft(waiter)
        else:
            self._waiters.append(waiter)
        return waiter

    def offer(self, child: Child) -> bool:
        """Hand ``child`` to the first who can use it; False when nobody can."""
        for waiter in self._waiters:
            if not waiter.fresh or not child.served:
                self._waiters.remove(waiter)
                waiter.slot.put(child)
                return True
        return False

    def accept_any(self) -> None:
        """Nobody insists on a fresh worker any more."""
        for waiter in self._waiters:
            waiter.fresh = False

    def refuse_all(self, error: HostError) -> None:
        """Everybody gets ``error``."""
        while self._waiters:
            self._waiters.popleft().slot.put(error)

    def wait(self, waiter: Waiter, seconds: float, give_back: Callable[[Child], None]) -> Child | None:
        """What was handed over; None when nothing came in time. Raises the HostError that came instead.

        A worker that is handed over at the very moment of giving up goes to ``give_back``. The lock is not held.
        """
        try:
            given = waiter.slot.get(timeout=seconds)
        except BaseException as error:
            late = self._leave(waiter)
            if isinstance(late, Child):
                give_back(late)
            if isinstance(error, Empty):
                return None
            raise
        if isinstance(given, HostError):
            raise copy(given) from given  # several threads may be given the same one
        return given

    def _leave(self, waiter: Waiter) -> Child | HostError | None:
        with self._lock:
            if waiter in self._waiters:
                self._waiters.remove(waiter)
                return None
            return waiter.slot.get()
