"""What was not watched, and when: the agent off, its troubles, events lost, records gone. Pure.

Said whether it helps or not: a dossier that is silent about a gap is worth nothing.
"""

from __future__ import annotations

from collections.abc import Mapping
from typing import Any

from agent.dossier.model import Span

OPEN = -1


class Watching:
    """``see`` every record in its order; then ``spans``."""

    def __init__(self) -> None:
        self._spans: list[Span] = []
        self._troubles: dict[str, tuple[int, int]] = {}
        self._last: tuple[int, int, str] | None = None  # number, time, kind
        self._counting = 0  # the record behind which the counting began that the next « coalesced » tells

    def see(self, record: Mapping[str, Any]) -> None:
        """One more record."""
        number, time_us, kind = record["i"], record["t"], record["k"]
        if kind == "start":
            self._started(record)
        elif kind == "trouble":
            self._trouble(record)
        elif kind == "overflow":
            self._spans.append(Span("overflow", number, number, time_us, time_us))
        elif kind in {"purge", "erasure", "coalesced"}:
            first = self._counting if kind == "coalesced" else number  # told up to a minute after they went
            self._spans.append(Span(kind, first, number, _number(record.get("since")), time_us, str(_count(record))))
        if kind == "coalesced" or (kind == "trouble" and record.get("what") == "nearly-full"):
            self._counting = number
        self._last = number, time_us, kind

    def _started(self, record: Mapping[str, Any]) -> None:
        if self._last is None:
            return
        number, time_us, kind = self._last
        clean = record.get("clean") is True and kind == "stop"
        what = "off" if clean else "off-unclean"
        self._spans.append(Span(what, number, record["i"], time_us, record["t"]))
        for word, (first, since) in self._troubles.items():  # they stood until the agent ended
            self._spans.append(Span("trouble", first, number, since, time_us, word))
        self._troubles.clear()

    def _trouble(self, record: Mapping[str, Any]) -> None:
        word, number, time_us = str(record.get("word") or ""), record["i"], record["t"]
        if not word:
            self._spans.append(Span("log", number, number, time_us, time_us, str(record.get("what") or "")))
        elif record.get("state") == "begin":
            self._troubles.setdefault(word, (number, time_us))
        elif word in self._troubles:
            first, since = self._troubles.pop(word)
            self._spans.append(Span("trouble", first, number, since, time_us, word))

    def spans(self, first: int, last: int) -> tuple[Span, ...]:
        """What touches the records from ``first`` to ``last``, in order; a trouble that stands ends in OPEN."""
        standing = [Span("trouble", number, OPEN, since, 0, word) for word, (number, since) in self._troubles.items()]
        wanted = (
            span for span in [*self._spans, *standing] if span.first <= last and (span.last >= first or span.last < 0)
        )
        return tuple(sorted(wanted, key=lambda span: (span.first, span.what, span.word)))


def _number(value: object) -> int:
    return value if type(value) is int else 0


def _count(record: Mapping[str, Any]) -> int:
    if record["k"] == "purge":
        return _number(record.get("until")) - _number(record.get("since"))
    return _number(record.get("count"))
