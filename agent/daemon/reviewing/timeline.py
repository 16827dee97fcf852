"""Where in the audit log each day lies, and what was said later of a transfer: a cache, made when somebody asks.

Owns no file: it reads the log's segments like any reader, from where it stopped the last time, and forgets everything
when nobody has asked for a while (the agent stays small). It knows numbers and keyed digests, no name. What a day
holds is read from the log again each time; here are only its places and the sums.
"""

from __future__ import annotations

import threading
import time
from collections import Counter
from collections.abc import Iterator, Mapping
from dataclasses import dataclass, field
from pathlib import Path
from typing import Any

from agent.audit.record import Kind
from agent.audit.segments import BEGINNING, Entry, Position, read_placed

FORGET_AFTER_S = 300.0
_RUN = 1000  # records between two places that are remembered: a day may have very many
_MAX_MARKS = 16  # of one record: enough to see who looked, and nobody fills the memory


@dataclass(slots=True)
class Run:
    """Records that follow one another and are of one local day; a day has several."""

    day: str
    position: Position
    first: int
    last: int


@dataclass(slots=True)
class Later:
    """What the log says of a transfer behind its own record: values of those records."""

    outcome: Mapping[str, Any] | None = None
    given: Mapping[str, Any] | None = None
    contest: Mapping[str, Any] | None = None
    reviews: list[Mapping[str, Any]] = field(default_factory=list)


@dataclass(slots=True)
class DaySum:
    """Of one person (by pseudonym) on one day: transfers, those that were acted on, those of them not reviewed."""

    transfers: int = 0
    acted: int = 0
    open: int = 0


class Timeline:
    """Any thread may ask; ``refresh`` first, then the others see one state."""

    def __init__(self, folder: Path) -> None:
        self._folder = folder
        self._lock = threading.RLock()
        self._timer: threading.Timer | None = None
        self._forget()

    def _forget(self) -> None:
        with self._lock:
            self._next, self._position = 0, BEGINNING
            self._runs: list[Run] = []
            self._later: dict[int, Later] = {}
            self._held: dict[str, int] = {}
            self._acted: dict[int, DaySum] = {}  # transfers that need a review → where they are counted
            self._sums: dict[tuple[str, str], DaySum] = {}
            self._kinds: Counter[str] = Counter()
            self._clock = _Days()

    def refresh(self) -> None:
        """Take in what the log has gained. Raises AuditError: it cannot be read."""
        with self._lock:
            position = self._position
            for behind, entry in read_placed(self._folder, self._next, position if self._next else None):
                if entry.fields["k"] == Kind.PURGE and self._runs and self._runs[0].first < _number(entry, "until"):
                    self._forget()  # what was counted is gone
                    return self.refresh()
                self._take(entry, position)
                self._next, position = entry.number + 1, behind
            self._position = position
            self._stay()
        return None

    def _stay(self) -> None:
        if self._timer is not None:
            self._timer.cancel()
        self._timer = threading.Timer(FORGET_AFTER_S, self._forget)
        self._timer.daemon = True
        self._timer.start()

    def _take(self, entry: Entry, position: Position) -> None:
        fields, number = entry.fields, entry.number
        day = self._clock.day(fields["t"])
        if not self._runs or self._runs[-1].day != day or number - self._runs[-1].first >= _RUN:
            self._runs.append(Run(day, position, number, number))
        self._runs[-1].last = number
        kind = fields["k"]
        self._kinds[kind] += 1
        if kind == Kind.TRANSFER:
            self._transfer(number, day, fields)
        elif kind == Kind.OUTCOME:
            self._outcome(fields)
        elif kind in {Kind.RELEASE, Kind.RESTORE}:
            of = self._held.get(str(fields.get("held")))
            if of is not None:
                self._of(of).given = fields
        elif kind == Kind.REVIEW:
            self._review(fields)
        elif kind == Kind.CONTEST and type(of := fields.get("of")) is int and 0 <= of < number:
            self._of(of).contest = fields

    def _transfer(self, number: int, day: str, fields: Mapping[str, Any]) -> None:
        user = str(fields.get("user", ""))
        total = self._sums.setdefault((day, user), DaySum())
        total.transfers += 1
        if needs_review(fields):
            total.acted += 1
            total.open += 1
            self._acted[number] = total

    def _outcome(self, fields: Mapping[str, Any]) -> None:
        of = fields.get("of")
        if type(of) is int:
            self._of(of).outcome = fields
            if fields.get("held"):
                self._held[str(fields["held"])] = of

    def _review(self, fields: Mapping[str, Any]) -> None:
        for of in fields.get("records") or ():
            if type(of) is not int or of not in self._acted:
                continue
            later = self._of(of)
            if not later.reviews:
                self._acted[of].open -= 1
            if len(later.reviews) < _MAX_MARKS:
                later.reviews.append(fields)

    def _of(self, number: int) -> Later:
        return self._later.setdefault(number, Later())

    # ---- asked

    def days(self, user: str | None) -> dict[str, DaySum]:
        """The sums by day, the newest first; of one person, or of all together when ``user`` is None."""
        with self._lock:
            found: dict[str, DaySum] = {run.day: DaySum() for run in self._runs}
            for (day, whose), total in self._sums.items():
                if user in {None, whose}:
                    there = found[day]
                    there.transfers += total.transfers
                    there.acted += total.acted
                    there.open += total.open
        return dict(sorted(found.items(), reverse=True))

    def later(self, number: int) -> Later:
        """What was said of record ``number`` afterwards."""
        with self._lock:
            return self._later.get(number, Later())

    def runs(self, day: str) -> tuple[Run, ...]:
        """Where the records of ``day`` lie, in the order of the log."""
        with self._lock:
            return tuple(run for run in self._runs if run.day == day)

    def run_of(self, number: int) -> Run | None:
        """Where record ``number`` lies."""
        with self._lock:
            return next((run for run in self._runs if run.first <= number <= run.last), None)

    def read(self, run: Run, first: int = 0) -> Iterator[Entry]:
        """The records of ``run`` from number ``first`` on. Raises AuditError."""
        for _, entry in read_placed(self._folder, max(first, run.first), run.position):
            if entry.number > run.last:
                return
            yield entry

    @property
    def kinds(self) -> Mapping[str, int]:
        """How many records of each kind there are."""
        with self._lock:
            return dict(self._kinds)


class _Days:
    """Local days of times; neighbours are nearly always of one day, and finding it is slow."""

    def __init__(self) -> None:
        self._from = self._until = 0
        self._day = ""

    def day(self, time_us: int) -> str:
        if not self._from <= time_us < self._until:
            at = time.localtime(time_us / 1e6)
            self._day = time.strftime("%Y-%m-%d", at)
            begin = int(time.mktime((at.tm_year, at.tm_mon, at.tm_mday, 0, 0, 0, 0, 0, -1)))
            end = int(time.mktime((at.tm_year, at.tm_mon, at.tm_mday + 1, 0, 0, 0, 0, 0, -1)))
            self._from, self._until = begin * 1_000_000, end * 1_000_000
        return self._day


def needs_review(fields: Mapping[str, Any]) -> bool:
    """Whether somebody should look at a transfer: something was done, or would have been in enforcement."""
    return bool(fields.get("act")) or fields.get("decision") not in {"observe", None} or bool(fields.get("exception"))


def _number(entry: Entry, name: str) -> int:
    value = entry.fields.get(name)
    return value if type(value) is int else 0
