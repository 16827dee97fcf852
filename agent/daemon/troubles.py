"""What is wrong at this moment, for ``status``, ``doctor`` and the audit log. Raised and cleared by word."""

from __future__ import annotations

import threading
from collections.abc import Callable, Mapping
from dataclasses import dataclass, field

from agent.daemon.failures import FAILURES


@dataclass(slots=True)
class Standing:
    """One trouble that stands: how often it happened since it began, and the fields of its sentence."""

    word: str
    message: str
    hint: str
    severity: str
    count: int = 0
    fields: dict[str, str] = field(default_factory=dict)


class Troubles:
    """``raise_``, ``clear``, ``standing``. ``record`` is told when an audited trouble begins and ends.

    ``always``: fields of sentences that are the same for all of this agent's life.
    """

    def __init__(self, record: Callable[[str, str], None], always: Mapping[str, str] | None = None) -> None:
        self._record = record
        self._always = dict(always or {})
        self._standing: dict[str, Standing] = {}
        self._lock = threading.Lock()

    def raise_(self, word: str, **fields: str) -> None:
        """A failure of the table happened; ``fields`` fill its sentence."""
        failure = FAILURES[word]
        with self._lock:
            standing = self._standing.get(word)
            begins = standing is None
            if standing is None:
                standing = Standing(word, failure.message, failure.hint, failure.severity, fields=dict(self._always))
                self._standing[word] = standing
            standing.count += 1
            standing.fields.update(fields, count=str(standing.count))
        if begins and failure.audited:
            self._record(word, "begin")

    def clear(self, word: str) -> None:
        with self._lock:
            ended = self._standing.pop(word, None)
        if ended is not None and FAILURES[word].audited:
            self._record(word, "end")

    def standing(self) -> tuple[Standing, ...]:
        with self._lock:
            return tuple(self._standing.values())

    def stopped(self) -> bool:
        """Whether something stands that stops enforcement."""
        return any(trouble.severity == "stopped" for trouble in self.standing())
