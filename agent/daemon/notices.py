"""What the clinician should be told: the last notices of each person, kept in memory, shown to that person only.

A notice holds the document's name because its owner needs it; it never goes to a log or to the collector. Repeats of
the same decision in the same minute and folder are merged: fifty files copied are one notice.
"""

from __future__ import annotations

import itertools
import threading
import time
from collections import deque
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from dataclasses import dataclass, replace

from agent.findings import Findings
from agent.model import Decision, FileEvent, Outcome, Result, Verdict

MERGE_S = 60.0
KEPT = 200
LONG_S = 2.0
"""Whoever waits longer than that for a verdict is told that the document is being examined."""
EXAMINING = "examining"
"""Result of a notice about a document that is held and not yet judged; it is gone when the verdict is there."""


@dataclass(frozen=True, slots=True)
class Notice:
    number: int
    time: float  # seconds since the epoch, of the last document merged into it
    owner: int  # uid
    channel: str
    folder: bytes
    name: bytes  # of the first document
    count: int  # documents merged
    kind: str
    decision: str
    result: str
    held: str
    rule: str
    message: tuple[tuple[str, str], ...]
    about: str = ""  # "name" when the document's name was judged, else its content
    file: str = ""  # digest of the document's state, where nothing is held and the document stays where it is
    terminal: str = ""  # from which the program runs that was refused


class Notices:
    """``told`` is called with the owner's uid after each change; it must not wait."""

    def __init__(self, told: Callable[[int], None] = lambda _owner: None) -> None:
        self.told = told
        self._kept: deque[Notice] = deque(maxlen=KEPT)
        self._numbers = itertools.count(1)
        self._examining: dict[int, Notice] = {}
        self._answered: set[int] = set()  # numbers of notices that nothing is merged into any more
        self._lock = threading.Lock()

    def tell(
        self,
        event: FileEvent,
        findings: Findings,
        verdict: Verdict,
        outcome: Outcome,
        now: float,
        *,
        again: bool = False,
        about: str = "",
        file: str = "",
        terminal: str = "",
        owner: int | None = None,
    ) -> Notice:
        """Note what happened to a document at ``now`` (seconds since the epoch); returns the notice, merged or new.

        ``again``: its first look was told already; it does not count as another document. ``about``, ``file`` and
        ``terminal``: see ``Notice``. ``owner``: whose the document is, when not the place's.
        """
        new = Notice(
            number=0, time=now, owner=event.place.owner if owner is None else owner,
            channel=str(event.place.channel), folder=event.place.root,
            name=event.name, count=1, kind=str(findings.kind), decision=str(verdict.decision),
            result=str(outcome.result), held=outcome.held, rule=verdict.rule, message=verdict.message,
            about=about, file=file, terminal=terminal,
        )  # fmt: skip
        notice = self._keep(new, now, again=again)
        self.told(notice.owner)
        return notice

    def _keep(self, new: Notice, now: float, *, again: bool) -> Notice:
        with self._lock:
            for position in range(len(self._kept) - 1, -1, -1):
                old = self._kept[position]
                if now - old.time > MERGE_S:
                    break
                if _alike(old, new) and old.number not in self._answered:
                    merged = replace(old, time=now, count=old.count + (not again), terminal=new.terminal)
                    self._kept[position] = merged
                    return merged
            new = replace(new, number=next(self._numbers))
            self._kept.append(new)
            return new

    def answered(self, held: frozenset[str]) -> None:
        """The batch with these quarantine ids was answered: what comes now is another one."""
        with self._lock:
            kept = {notice.number for notice in self._kept}
            over = {notice.number for notice in self._kept if notice.held in held}
            self._answered = (self._answered | over) & kept

    def announce(self, owner: int, channel: str, message: tuple[tuple[str, str], ...], now: float) -> Notice:
        """Tell a person something that is about no document, in ``message`` by language."""
        with self._lock:
            notice = Notice(
                number=next(self._numbers), time=now, owner=owner, channel=channel, folder=b"", name=b"", count=1,
                kind="", decision=str(Decision.INFORM), result=str(Result.DONE), held="", rule="", message=message,
            )  # fmt: skip
            self._kept.append(notice)
        self.told(owner)
        return notice

    @contextmanager
    def examining(self, event: FileEvent) -> Iterator[None]:
        """While a held document is judged: ``of`` tells of it once it has taken long."""
        number = next(self._numbers)
        notice = Notice(
            number=number, time=time.time(), owner=event.place.owner, channel=str(event.place.channel),
            folder=event.place.root, name=event.name, count=1, kind="", decision="", result=EXAMINING, held="", rule="",
            message=(),
        )  # fmt: skip
        with self._lock:
            self._examining[number] = notice
        try:
            yield
        finally:
            with self._lock:
                del self._examining[number]

    def of(self, owner: int | None) -> tuple[Notice, ...]:
        """The notices of a person (uid), or all of them (None), newest last; at the end what takes long just now."""
        long_ago = time.time() - LONG_S
        with self._lock:
            waiting = [notice for notice in self._examining.values() if notice.time <= long_ago]
            return tuple(notice for notice in (*self._kept, *waiting) if owner is None or notice.owner == owner)


def _alike(old: Notice, new: Notice) -> bool:
    same = ("owner", "channel", "folder", "decision", "result", "rule", "about")
    return all(getattr(old, name) == getattr(new, name) for name in same)


def worth_telling(verdict: Verdict, outcome: Outcome) -> bool:
    """Whether the clinician should hear of it: everything but mere observation and files that are judged again."""
    return verdict.decision is not Decision.OBSERVE and outcome.result in {Result.DONE, Result.FAILED}
