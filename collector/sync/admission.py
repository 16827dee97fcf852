"""Whether a request is read now, and if not, when to come again. Pure: time comes from who asks.

A bucket of tokens lets bursts through; whoever finds it empty is given a place in a line that moves at most of the
rate, so that those who return find room and nobody is sent away twice by those who came with him.
"""

from __future__ import annotations

from dataclasses import dataclass

RETURNING = 0.8  # of the rate is promised; the rest is for who comes for the first time
MAX_LINE_S = 1800.0


@dataclass(slots=True)
class Admission:
    """``rate`` requests a second, ``burst`` at once; ``at`` is when it was last asked (monotonic seconds)."""

    rate: float
    burst: float
    at: float = 0.0
    tokens: float = -1.0
    line_until: float = 0.0

    def ask(self, now: float, chance: float) -> int:
        """0: read it. Else the seconds after which to come again. ``chance`` (0 to 1) parts those of one second."""
        if self.tokens < 0:
            self.tokens, self.at = self.burst, now
        self.tokens = min(self.burst, self.tokens + (now - self.at) * self.rate)
        self.at = now
        if self.tokens >= 1:
            self.tokens -= 1
            return 0
        self.line_until = max(self.line_until, now) + 1 / (self.rate * RETURNING)
        wait = self.line_until - now
        if wait > MAX_LINE_S:
            self.line_until = now + MAX_LINE_S
            wait = MAX_LINE_S * (0.5 + chance / 2)
        return max(1, round(wait + chance))
