"""``Judged``: the answer about one node of a document, before its parts are put together. Values only."""

from __future__ import annotations

from collections.abc import Iterable
from dataclasses import dataclass, field

from agent.detection.roster.search import Listed
from agent.document import Document, Problem
from agent.findings import Finding, Kind, Scale

NAMED = "~"
"""What the key of a person begins with of whom only the name is known."""


@dataclass(frozen=True, slots=True)
class Judged:
    """The answer about one node, without its children. ``persons`` are opaque keys, for counting only."""

    node: Document
    probability: float = 0.0
    kind: Kind = Kind.OTHER
    identified: bool = False
    persons: frozenset[str] = frozenset()
    anonymous: int = 0  # persons spoken of without a key
    test_data: bool = False
    number: bool = False  # holds a social security number
    problem: Problem | None = None
    unread: bool = False  # a picture taken for an illustration, large enough to be a page
    items: tuple[Finding, ...] = ()
    scale: Scale | None = None  # the sums behind the probability, where there are
    listed: Listed = field(default=Listed(), repr=False)  # patients of the practice's list


def distinct(keys: Iterable[str]) -> frozenset[str]:
    """The keys of persons known by name, without those that say less of a name than another: «tran», «hai tran van»."""
    words = {key: frozenset(key.removeprefix(NAMED).split()) for key in set(keys)}
    return frozenset(key for key, who in words.items() if not any(who < other for other in words.values()))
