"""The agent's end of the bell: taken from the sync process, watched by the main loop, and never read.

When it rings a visit is due at once, when it is lost a visit is due some minutes later (a collector that starts again
would meet its whole fleet otherwise). Whoever rings or cuts without end gets a visit less and less often.
"""

from __future__ import annotations

import contextlib
import random
import socket
import time
from pathlib import Path

from agent.transport import bell

_APART_S = 10.0  # two visits for a ring, the second ring soon after the first
_SHORT_S = 600.0  # a bell that was lost sooner did not last
_SPREAD_S = 300.0
_DOUBLINGS = 7  # of either: rings 21 minutes apart at last, lost bells hours


class Bell:
    """``owner`` is the uid that syncs (None: our own). Not for several threads."""

    def __init__(self, place: Path, owner: int | None) -> None:
        self._place, self._owner = place, owner
        self._listener: socket.socket | None = None
        self._held: socket.socket | None = None
        self._since = 0.0
        self._due: float | None = None
        self._rung_at = float("-inf")
        self._rings = 0  # in quick succession
        self._lost = 0  # likewise
        self._want()

    @property
    def held(self) -> bool:
        """Whether the collector can call this laptop now."""
        return self._held is not None

    def descriptors(self) -> tuple[int, ...]:
        """What to wait for: any of them readable means ``look``."""
        return tuple(each.fileno() for each in (self._listener, self._held) if each is not None)

    def look(self) -> float | None:
        """Take note of what happened; when a visit is due for it (monotonic seconds; None: none is)."""
        now = time.monotonic()
        if self._listener is not None and (found := bell.taken(self._listener)) is not None:
            self._hang_up()
            self._held, self._since = found, now
            self._listener.close()
            self._listener = None
            with contextlib.suppress(OSError):
                self._place.unlink()
        if self._held is not None and (rang := bell.rung(self._held)) is not None:
            self._hang_up()
            due = self._rang(now) if rang else self._was_lost(now)
            self._due = due if self._due is None else min(due, self._due)
            self._want()
        return self._due

    def visited(self) -> None:
        """A visit begins: what was due is being done."""
        self._due = None

    def close(self) -> None:
        """Nobody may call any more."""
        self._hang_up()
        if self._listener is not None:
            self._listener.close()
            self._listener = None
            with contextlib.suppress(OSError):
                self._place.unlink()

    def _rang(self, now: float) -> float:
        quiet = now - self._rung_at > 2 * _APART_S * 2**self._rings
        self._rings = 0 if quiet else min(self._rings + 1, _DOUBLINGS)
        due = now if quiet else max(now, self._rung_at + _APART_S * 2 ** (self._rings - 1))
        self._rung_at = due
        return due

    def _was_lost(self, now: float) -> float:
        self._lost = min(self._lost + 1, _DOUBLINGS) if now - self._since < _SHORT_S else 0
        return now + random.uniform(1.0, _SPREAD_S * 2**self._lost)  # noqa: S311 - spreads load, hides nothing

    def _want(self) -> None:
        if self._listener is None:
            with contextlib.suppress(OSError):  # without a place for it there is no bell, and visits go on
                self._listener = bell.listen(self._place, self._owner)

    def _hang_up(self) -> None:
        if self._held is not None:
            self._held.close()
            self._held = None
