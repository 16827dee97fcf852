"""Which records somebody wants to see. Pure; the command line, the review screen and scripts share it."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass
from typing import Any


@dataclass(frozen=True, slots=True)
class Selection:
    """All conditions must hold; an empty set of words and a None bound ask for nothing.

    ``since`` and ``until`` are microseconds since 1970 UTC (until: not included); ``first`` and ``last`` are indices,
    both included.
    """

    kinds: frozenset[str] = frozenset()
    channels: frozenset[str] = frozenset()
    decisions: frozenset[str] = frozenset()
    since: int | None = None
    until: int | None = None
    first: int | None = None
    last: int | None = None

    def matches(self, record: Mapping[str, Any]) -> bool:
        """Whether a decoded record is wanted."""
        return (
            _among(record.get("k"), self.kinds)
            and _among(record.get("channel"), self.channels)
            and _among(record.get("decision"), self.decisions)
            and _within(record.get("t"), self.since, None if self.until is None else self.until - 1)
            and _within(record.get("i"), self.first, self.last)
        )


def _among(value: Any, words: frozenset[str]) -> bool:
    return not words or (isinstance(value, str) and value in words)


def _within(value: Any, low: int | None, high: int | None) -> bool:
    if low is None and high is None:
        return True
    return isinstance(value, int) and (low is None or value >= low) and (high is None or value <= high)
