"""Finding every lexicon entry in one pass over the folded words, in time linear in the text.

Owns the search over the shipped lexicon, built once (``loops.Terms``). Takes the view ``words`` of a folded text,
returns non-overlapping matches at word boundaries, leftmost and longest. Knows nothing of what the entries mean.
"""

from __future__ import annotations

from functools import lru_cache
from typing import NamedTuple

from agent.detection.lexicon import Entry, entries
from agent.detection.loops import Terms

_made = tuple.__new__  # what the class of a match calls in the end: a page has hundreds


class Match(NamedTuple):
    """One entry found at ``start`` (first letter) to ``end`` (after the last letter of the word) of the folded text."""

    start: int
    end: int
    entry: Entry


class Matcher:
    """The search over all entries. Safe to share: it is never written to."""

    def __init__(self, lexicon: tuple[Entry, ...]) -> None:
        self._lexicon = lexicon
        self._terms = Terms(
            [entry.text for entry in lexicon],
            bytes([entry.whole for entry in lexicon]),
            bytes([entry.counted for entry in lexicon]),
        )

    def find(self, words: bytes) -> list[Match]:
        """Matches in order of position; of an entry that only counts once a page, the first. ``words`` holds lower-case
        letters, digits and spaces, a space at each end.
        """
        lexicon = self._lexicon
        return [_made(Match, (start, end, lexicon[number])) for start, end, number in self._terms.find(words)]


@lru_cache(maxsize=1)
def matcher() -> Matcher:
    """The one matcher of this process; the first call builds it (well under a fifth of a second)."""
    return Matcher(entries())
