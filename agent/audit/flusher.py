"""The thread that makes durable what nobody waits for, and seals a quiet log now and then."""

from __future__ import annotations

import contextlib
import threading
from collections.abc import Callable

from agent.audit.limits import Limits
from agent.errors import AuditError, HostError


class Flusher:
    """Calls ``work`` a moment after ``wake`` (True), and without one every ``beat_s`` (False).

    What it raises is left to whoever waits for the next durable record: that fails as well.
    """

    def __init__(self, work: Callable[[bool], None], limits: Limits) -> None:
        self._work = work
        self._limits = limits
        self._waiting = threading.Event()
        self._closing = threading.Event()
        self._thread = threading.Thread(target=self._run, name="audit", daemon=True)
        self._thread.start()

    def wake(self) -> None:
        """There is something that is not durable yet."""
        if not self._waiting.is_set():  # the work that is due then begins after this, and finds it
            self._waiting.set()

    def end(self) -> None:
        """Come back when nothing runs any more. Twice is once."""
        self._closing.set()
        self._waiting.set()
        self._thread.join()

    def _run(self) -> None:
        while True:
            news = self._waiting.wait(self._limits.beat_s)
            if news:
                self._closing.wait(self._limits.flush_after_s)
            self._waiting.clear()
            if self._closing.is_set():  # only now: an end that is told later than this finds the next wait
                return
            with contextlib.suppress(AuditError, HostError):
                self._work(news)
