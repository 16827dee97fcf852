"""How long programs were held: for ``serment status``. Milliseconds, the last thousand questions of each place."""

from __future__ import annotations

import math
import threading
from collections import deque
from typing import Any

KEPT = 1000


class HoldTimes:
    """``note`` from any thread; ``summary`` for status."""

    def __init__(self) -> None:
        self._recent: deque[float] = deque(maxlen=KEPT)
        self._max = 0.0
        self._asked = self._refused = self._sealed = 0
        self._lock = threading.Lock()

    def note(self, milliseconds: float, *, refused: bool = False, sealed: bool = False) -> None:
        """One question was answered after that time."""
        with self._lock:
            self._recent.append(milliseconds)
            self._max = max(self._max, milliseconds)
            self._asked += 1
            self._refused += refused
            self._sealed += sealed

    def summary(self) -> dict[str, Any]:
        """``asked``, ``refused``, ``sealed`` since the place was armed; ``p50_ms``, ``p99_ms`` of the last thousand."""
        with self._lock:
            recent = sorted(self._recent)
            counts = {"asked": self._asked, "refused": self._refused, "sealed": self._sealed}
            longest = self._max
        return {
            **counts, "p50_ms": _part(recent, 0.5), "p99_ms": _part(recent, 0.99), "max_ms": round(longest, 1)
        }  # fmt: skip


def _part(ordered: list[float], part: float) -> float:
    """The smallest that so large a part of all does not exceed."""
    return round(ordered[max(0, math.ceil(len(ordered) * part) - 1)], 1) if ordered else 0.0
