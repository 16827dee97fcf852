"""How often a person may ask for what leaves a record or keeps keys busy. Any thread."""

from __future__ import annotations

import threading
import time

from agent.errors import N_, HostError

_HOUR_S = 3600.0
_RECORDS_AN_HOUR = 60


class Allowance:
    """So that nobody fills the log by asking, or keeps the keys busy: so many requests of one person an hour."""

    def __init__(self) -> None:
        self._lock = threading.Lock()
        self._spent: dict[int, list[float]] = {}

    def spent(self, uid: int) -> int:
        """``uid``, when it may. Raises HostError when it asked too often."""
        now = time.monotonic()
        with self._lock:
            recent = [each for each in self._spent.get(uid, []) if now - each < _HOUR_S]
            if len(recent) >= _RECORDS_AN_HOUR:
                raise HostError(N_("too many requests in an hour"), hint=N_("try again later"))
            self._spent[uid] = [*recent, now]
        return uid
