"""How a figure is taken: many repetitions, the median, and the bare operation measured in the same run beside it."""

from __future__ import annotations

import statistics
import time
from collections.abc import Callable
from dataclasses import asdict, dataclass
from pathlib import Path


@dataclass(frozen=True, slots=True)
class Figure:
    """``value`` in ``unit``; ``budget`` of the design (None: none); ``ratio`` to ``bare``, measured in the same run."""

    name: str
    value: float
    unit: str
    budget: float | None = None
    at_least: bool = False  # the budget is a floor, not a ceiling
    bare: str = ""
    ratio: float | None = None
    missing: str = ""  # why it could not be measured here

    @property
    def kept(self) -> bool | None:
        if self.budget is None or self.missing:
            return None
        return self.value >= self.budget if self.at_least else self.value <= self.budget

    def as_dict(self) -> dict[str, object]:
        return asdict(self) | {"kept": self.kept}

    def line(self) -> str:
        if self.missing:
            return f"  {self.name:<64} {self.missing}"
        budget = "" if self.budget is None else f"{'≥' if self.at_least else '≤'} {self.budget:g}"
        mark = {None: " ", True: "✓", False: "✗"}[self.kept]
        ratio = "" if self.ratio is None else f"{self.ratio:8.2f} × {self.bare}"
        return f"{mark} {self.name:<64} {self.value:>12.4g} {self.unit:<10} {budget:>10}   {ratio}"


def median_s(work: Callable[[], object], repeat: int = 30, warm: int = 3) -> float:
    """The median duration of ``work`` in seconds."""
    for _ in range(warm):
        work()
    times = []
    for _ in range(repeat):
        begun = time.perf_counter()
        work()
        times.append(time.perf_counter() - begun)
    return statistics.median(times)


def against(
    name: str,
    work: Callable[[], object],
    bare_name: str,
    bare: Callable[[], object],
    budget_ms: float | None,
    repeat: int = 40,
) -> Figure:
    """``work`` in milliseconds beside ``bare``, taken in turns so that noise meets both."""
    mine, theirs = [], []
    for _ in range(4):
        mine.append(median_s(work, repeat // 4))
        theirs.append(median_s(bare, repeat // 4))
    value, limit = statistics.median(mine), statistics.median(theirs)
    return Figure(name, value * 1000, "ms", budget_ms, bare=bare_name, ratio=value / limit if limit else None)


def in_turns(
    mine: Callable[[], object], theirs: Callable[[], object], repeat: int,
    after: tuple[Callable[[], object], ...] = (), before: tuple[Callable[[], object], ...] = (),
) -> tuple[float, float]:  # fmt: skip
    """The medians of both in seconds, taken one after the other so that noise meets both."""
    times: tuple[list[float], list[float]] = ([], [])
    for turn in range(repeat):
        for which in (0, 1) if turn % 2 else (1, 0):
            if before:
                before[which]()
            begun = time.perf_counter()
            (mine, theirs)[which]()
            times[which].append(time.perf_counter() - begun)
            if after:
                after[which]()
    return statistics.median(times[0]), statistics.median(times[1])


def memory_kb(pid: int, word: str) -> int:
    """A line of smaps_rollup. Raises OSError when the process is gone."""
    for line in Path(f"/proc/{pid}/smaps_rollup").read_text(encoding="ascii").splitlines():
        if line.startswith(f"{word}:"):
            return int(line.split()[1])
    return 0
