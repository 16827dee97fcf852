"""How far the times of records can be trusted: steps of the clock against the time since boot. Pure.

Each record holds the wall clock, which people and programs may set, and the milliseconds since boot, which nobody can.
Within one boot every change of their difference is a step; across a boot only a clock that goes backwards shows.
"""

from __future__ import annotations

from collections.abc import Mapping
from typing import Any

from agent.dossier.model import Start, Step

STEP_US = 2_000_000
"""Smaller differences are the slow corrections of time synchronisation."""


class ClockWatch:
    """``see`` every record in its order; then ``steps`` and ``shift``."""

    def __init__(self) -> None:
        self.steps: list[Step] = []
        self._starts: list[Start] = []
        self._boot = ""
        self._offset = 0
        self._time = 0
        self._last_offset: dict[str, int] = {}

    def see(self, record: Mapping[str, Any]) -> None:
        """One more record."""
        time_us, boot = record["t"], record["b"]
        offset = time_us - record["m"] * 1000
        if boot == self._boot:
            shift = offset - self._offset
            if abs(shift) >= STEP_US:
                self.steps.append(Step(record["i"], time_us, shift, restart=False))
        elif self._boot and time_us < self._time - STEP_US:
            self.steps.append(Step(record["i"], time_us, time_us - self._time, restart=True))
        if record["k"] == "start" and type(record.get("synchronised")) is bool:
            error = record.get("error_ms") if record["synchronised"] else -1
            self._starts.append(Start(record["i"], time_us, error if type(error) is int else -1))
        self._boot, self._offset, self._time = boot, offset, time_us
        self._last_offset[boot] = offset

    def starts(self, first: int, last: int) -> tuple[Start, ...]:
        """The starts of the sessions that the records from ``first`` to ``last`` belong to."""
        before = [start for start in self._starts if start.number <= first][-1:]
        return (*before, *(start for start in self._starts if first < start.number <= last))

    def shift(self, record: Mapping[str, Any]) -> int:
        """By how much the clock was set after ``record`` in the same boot, microseconds; 0 when by less than a step."""
        offset = record["t"] - record["m"] * 1000
        shift = self._last_offset.get(record["b"], offset) - offset
        return shift if abs(shift) >= STEP_US else 0
