"""Finding every lexicon entry in one pass over the folded words, in time linear in the text.

Owns the Aho-Corasick automaton, built once from the lexicon. Takes the view ``words`` of a folded text, returns
non-overlapping matches at word boundaries, leftmost and longest. Knows nothing of what the entries mean.

Patterns begin with the space before the word, so a match never starts inside a word; only its end is tested. Where the
longest entry ends inside a word, the shorter entries that begin it are tried in its place.
"""

from __future__ import annotations

from functools import lru_cache
from typing import Any, NamedTuple

from agent.detection.lexicon import Entry, entries

_ENDINGS = frozenset((b"s", b"e", b"es", b"x", b"n", b"en", b"er"))  # plural, feminine, case: all languages
_SPACE = 0x20


class Match(NamedTuple):
    """One entry found at ``start`` (first letter) to ``end`` (after the last letter of the word) of the folded text."""

    start: int
    end: int
    entry: Entry


class Matcher:
    """The automaton over all entries. Immutable after construction; safe to share."""

    def __init__(self, lexicon: tuple[Entry, ...]) -> None:
        from ahocorasick_rs import BytesAhoCorasick, Implementation, MatchKind  # the worker alone pays for it

        self._lexicon = lexicon
        self._whole = tuple(entry.whole for entry in lexicon)
        self._counted = frozenset(number for number, entry in enumerate(lexicon) if entry.counted)
        self._shorter = _prefixes(lexicon)
        # half of all hits are the beginning of a longer word and nothing else can begin there: let go at once
        self._closed = frozenset(n for n, entry in enumerate(lexicon) if entry.whole and n not in self._shorter)
        self._automaton: Any = BytesAhoCorasick(
            [b" " + entry.text for entry in lexicon],
            matchkind=MatchKind.LeftmostLongest,
            implementation=Implementation.DFA,
        )

    def find(self, words: bytes) -> list[Match]:
        """Matches in order of position; of an entry that only counts once a page, the first. ``words`` holds lower-case
        letters, digits and spaces, a space at each end.
        """
        found: list[Match] = []
        seen: set[int] = set()
        lexicon, whole, shorter = self._lexicon, self._whole, self._shorter
        counted, closed, find = self._counted, self._closed, words.find
        for number, start, end in self._automaton.find_matches_as_indexes(words):
            if words[end] == _SPACE:
                if number not in seen:
                    found.append(Match(start + 1, end, lexicon[number]))
                    if number in counted:
                        seen.add(number)
                continue
            if number in closed:
                continue
            stop = -1 if whole[number] else find(b" ", end, end + 3)
            if stop > 0 and words[end:stop] in _ENDINGS:
                found.append(Match(start + 1, stop, lexicon[number]))
            elif number in shorter and (match := self._cut_short(words, start + 1, shorter[number])) is not None:
                found.append(match)
        return found

    def _cut_short(self, words: bytes, start: int, candidates: tuple[int, ...]) -> Match | None:
        """The longest of the shorter entries that ends where a word ends."""
        for candidate in candidates:
            entry = self._lexicon[candidate]
            end = start + len(entry.text)
            stop = end if words[end] == _SPACE else words.find(b" ", end, end + 3)
            if stop == end or (stop > 0 and not entry.whole and words[end:stop] in _ENDINGS):
                return Match(start, stop, entry)
        return None


def _prefixes(lexicon: tuple[Entry, ...]) -> dict[int, tuple[int, ...]]:
    """For each entry the shorter entries it begins with, longest first."""
    numbers = {entry.text: number for number, entry in enumerate(lexicon)}
    shorter = {}
    for number, entry in enumerate(lexicon):
        text = entry.text
        known = tuple(numbers[text[:cut]] for cut in range(len(text) - 1, 0, -1) if text[:cut] in numbers)
        if known:
            shorter[number] = known
    return shorter


@lru_cache(maxsize=1)
def matcher() -> Matcher:
    """The one matcher of this process; the first call builds it (well under a fifth of a second)."""
    return Matcher(entries())
