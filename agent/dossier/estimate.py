"""How many persons are concerned: a range and how it was reckoned, never more exact than the log is. Pure.

The log counts the distinct persons of each document and keeps nothing by which the same person in two documents would
be known again. So the number lies between the largest single document and the sum of all.
"""

from __future__ import annotations

from collections.abc import Callable, Iterable
from dataclasses import asdict, dataclass
from typing import Any

from agent.dossier.model import IN_CLEAR, TRACES, Document, Fate


@dataclass(frozen=True, slots=True)
class Estimate:
    """``documents`` about patients, with ``least`` to ``most`` distinct persons.

    ``uncounted``: documents about a patient in which no person was counted, taken as one person each at the most.
    ``unread``: documents that could not be judged and may hold any number; they are in none of the other figures.
    """

    documents: int
    least: int
    most: int
    uncounted: int
    unread: int
    size: int  # bytes, of all of them


def estimate(documents: Iterable[Document]) -> Estimate:
    """The persons of ``documents``."""
    count = least = most = uncounted = unread = size = 0
    for document in documents:
        size += document.size
        if document.judgement != "medical":
            unread += 1
            continue
        count += 1
        uncounted += document.patients == 0
        least = max(least, document.patients, 1)
        most += max(document.patients, 1)
    return Estimate(count, least, most, uncounted, unread, size)


_GROUPS: dict[str, Callable[[Document], bool]] = {
    "clear": lambda document: document.fate in IN_CLEAR,
    "traces": lambda document: document.fate in TRACES,
    "sealed": lambda document: document.fate is Fate.SEALED,
    "refused": lambda document: document.fate is Fate.REFUSED,
}


def estimates(documents: Iterable[Document]) -> dict[str, dict[str, Any]]:
    """By where the documents are: ``clear`` (or not known), ``traces``, ``sealed``, ``refused``; ``test`` apart."""
    listed = list(documents)
    real = [document for document in listed if not document.test]
    found = {name: asdict(estimate(filter(belongs, real))) for name, belongs in _GROUPS.items()}
    return found | {"test": asdict(estimate(document for document in listed if document.test))}
