"""What a fuzz target is: seeds, and a check that states a property and tolerates exactly one exception type.

A target's ``prepare`` imports what it needs and returns the check, so that a run of one target loads nothing else and
a coverage-guided runner can instrument the code on its way in.
"""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import dataclass

Check = Callable[[bytes], object]


class Broken(AssertionError):
    """The property of a target does not hold for this input. The message says which, never with the input's text."""


@dataclass(frozen=True, slots=True)
class Target:
    """``promise`` is the property in words. ``cpu_s`` and ``memory_mib`` bound one input (processor time, growth of
    the resident memory); ``max_bytes`` bounds what a mutation may grow to.
    """

    name: str
    promise: str
    seeds: Callable[[], list[bytes]]
    prepare: Callable[[], Check]
    tolerates: type[Exception] | None = None
    words: tuple[bytes, ...] = ()
    cpu_s: float = 2.0
    memory_mib: int = 256
    max_bytes: int = 1 << 16


def must(holds: object, what: str) -> None:
    """Raise ``Broken`` unless the property holds; unlike ``assert`` it stays with ``python -O``."""
    if not holds:
        raise Broken(what)
