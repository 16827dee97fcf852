"""The clinical words that cells hold: medical words, medicines, measures, phrases of reports.

Owns the look at cells with the lexicon. A table repeats itself and is asked about a cell several times, so ``Words``
folds all its cells together and looks at each once; it lives as long as the table is judged. Nothing else is kept.
"""

from __future__ import annotations

import re
from collections.abc import Iterable, Sequence

from agent.detection.fold import fold
from agent.detection.lexicon import Entry
from agent.detection.matcher import matcher

_SHORTEST, _LONGEST = 3, 399  # characters of a cell that is looked at
_CLINICAL = ("term", "drug", "analyte", "vital", "phrase", "letter", "title")
_FIRM = ("term", "drug")
# letters that stand apart, of other alphabets, or as codes; the sign that parts cells
_ODD = re.compile(r"÷|&|%[0-9a-fA-F]|[^\x00-\xff\u0152\u0153\u2010-\u2026]|\b\w\b\W{1,3}\b\w\b\W{1,3}\b\w\b")
_APART, _SPLIT = "\n÷\n", b"\xf7"  # between cells: the one sign that no cell has, once it is taken out of them


class Words:
    """The clinical words in the cells of one table."""

    def __init__(self, rows: Iterable[Sequence[str]]) -> None:
        self._rows: Iterable[Sequence[str]] = rows
        self._folded: dict[str, bytes] | None = None
        self._known: dict[str, tuple[Entry, ...]] = {}

    def is_clinical(self, cell: str) -> bool:
        """Whether a medical word or a medicine stands in the cell."""
        return any(entry.has("term") or entry.has("drug") for entry in self._of(cell))

    def clinical(self, cell: str) -> set[bytes]:
        """The distinct clinical entries of the cell."""
        return {entry.text for entry in self._of(cell) if any(map(entry.has, _CLINICAL))}

    def _of(self, cell: str) -> tuple[Entry, ...]:
        found = self._known.get(cell)
        if found is None:
            if self._folded is None:
                self._folded = _together(
                    dict.fromkeys(cell for row in self._rows for cell in row if _is_looked_at(cell))
                )
            found = self._known[cell] = _entries(cell, self._folded.get(cell))
        return found


def clinical_words(cell: str) -> set[bytes]:
    """Distinct clinical entries of one cell: medical words, medicines, measures, phrases of reports."""
    return {entry.text for entry in _entries(cell) if any(map(entry.has, _CLINICAL))}


def firm_words(cell: str) -> set[bytes]:
    """Distinct medical words and medicines of one cell."""
    return {entry.text for entry in _entries(cell) if any(map(entry.has, _FIRM))}


def _is_looked_at(cell: str) -> bool:
    return _SHORTEST <= len(cell) <= _LONGEST


def _entries(cell: str, words: bytes | None = None) -> tuple[Entry, ...]:
    """The entries in a cell; ``words`` is its view of that name, where it is known."""
    if not _is_looked_at(cell):
        return ()
    return tuple([match.entry for match in matcher().find(words if words is not None else fold(cell).words)])


def _together(cells: Iterable[str]) -> dict[str, bytes]:
    """The view ``words`` of each cell, from one folding; nothing of a cell that may be disguised: what brings one to
    light changes its neighbours too.
    """
    cells = [cell for cell in cells if not _ODD.search(cell)]
    page = fold(_APART.join(cells))
    pieces = page.cased.split(_SPLIT)
    if len(pieces) != len(cells):
        return {}
    folded: dict[str, bytes] = {}
    start = 0
    for cell, piece in zip(cells, pieces, strict=True):
        folded[cell] = page.words[start : start + len(piece)]
        start += len(piece) + 1
    return folded
