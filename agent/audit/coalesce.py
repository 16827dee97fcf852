"""Counting what no longer gets a record each when the log nears its limit: nothing is dropped without a word.

Pure: counts in memory, gives the fields of ``coalesced`` records. ``log`` decides when. docs/formats/audit-log.md,
section 9.
"""

from __future__ import annotations

from collections import Counter
from collections.abc import Mapping
from typing import Any

from agent.audit.record import Kind

MAX_GROUPS = 24
MAX_COUNT = 256
MAX_AGE_US = 60_000_000
_KEYS = ("channel", "judgement", "kind", "decision")


def may_be_counted(kind: str, fields: Mapping[str, Any], *, full: bool) -> bool:
    """Whether a record may be counted instead of written: a transfer that was only observed, or, in a ``full`` log, any
    that is not acted on.
    """
    if kind != Kind.TRANSFER or fields.get("act"):
        return False
    return full or fields.get("decision") == "observe"


class Coalesced:
    """Transfers that were counted since they were last told."""

    def __init__(self) -> None:
        self._groups: Counter[tuple[str, ...]] = Counter()
        self._since = self._until = 0

    def add(self, fields: Mapping[str, Any], time_us: int) -> None:
        """One more."""
        self._since = self._since or time_us
        self._until = time_us
        self._groups[tuple(str(fields.get(key, "")) for key in _KEYS)] += 1

    def __len__(self) -> int:
        return self._groups.total()

    def is_due(self, time_us: int) -> bool:
        """Whether they should be told now: many, or for a while."""
        return len(self) >= MAX_COUNT or (bool(self._groups) and not 0 <= time_us - self._since < MAX_AGE_US)

    def fields(self) -> dict[str, Any]:
        """The fields of the record that tells them. The small groups are told as one."""
        largest = self._groups.most_common(MAX_GROUPS)
        groups = [
            {**{key: word for key, word in zip(_KEYS, words, strict=True) if word}, "count": count}
            for words, count in largest
        ]
        told = {"count": len(self), "since": self._since, "until": self._until, "groups": groups}
        if other := len(self) - sum(count for _, count in largest):
            told["other"] = other
        return told

    def clear(self) -> None:
        """They are told: the counting begins anew."""
        self._groups.clear()
        self._since = self._until = 0
