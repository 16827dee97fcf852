"""Held documents as a person sees them: what was copied together is one batch, with one answer. Pure.

Made from the quarantine alone, so that a batch is the same after a restart and without any notice.
"""

from __future__ import annotations

from collections.abc import Iterable
from dataclasses import dataclass

from agent.actions.entry import HELD, Entry
from agent.model import Decision

GAP_S = 60  # documents further apart are not of one batch
WAITING = frozenset({Decision.JUSTIFY, Decision.BLOCK})


@dataclass(frozen=True, slots=True)
class Batch:
    """``entries`` are of one person, place and rule, oldest first; never empty."""

    entries: tuple[Entry, ...]

    @property
    def id(self) -> str:
        return self.entries[0].id

    @property
    def waiting(self) -> tuple[Entry, ...]:
        """Those that still wait for an answer."""
        return tuple(entry for entry in self.entries if entry.state == HELD)


def batches(entries: Iterable[Entry]) -> tuple[Batch, ...]:
    """All batches, by the time of their first document; answered documents stay members, so that a batch is found by
    any of its ids.
    """
    runs: dict[tuple[int, bytes, str, Decision], list[list[Entry]]] = {}
    for entry in sorted(entries, key=lambda entry: (entry.taken, entry.id)):
        if entry.action not in WAITING:
            continue
        of_key = runs.setdefault((entry.uid, entry.root, entry.rule, entry.action), [])
        if of_key and entry.taken - of_key[-1][-1].taken <= GAP_S:
            of_key[-1].append(entry)
        else:
            of_key.append([entry])
    made = [Batch(tuple(run)) for of_key in runs.values() for run in of_key]
    return tuple(sorted(made, key=lambda batch: (batch.entries[0].taken, batch.id)))


def batch_of(entries: Iterable[Entry], entry_id: str) -> Batch | None:
    """The batch that this document is of."""
    return next((batch for batch in batches(entries) if any(each.id == entry_id for each in batch.entries)), None)
