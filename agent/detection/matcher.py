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
_LONGEST_ENDING = 2
_SPACE = 0x20


class Match(NamedTuple):
    """One entry found at ``start`` (first letter) to ``end`` (after the last letter of the word) of the folded text."""

    start: int
    end: int
    entry: Entry


class Matcher:
    """The automaton over all entries. Safe to share: what it adds to itself later follows from the lexicon alone."""

    def __init__(self, lexicon: tuple[Entry, ...]) -> None:
        from ahocorasick_rs import BytesAhoCorasick, Implementation, MatchKind  # the worker alone pays for it

        self._lexicon = lexicon
        self._counted = frozenset(number for number, entry in enumerate(lexicon) if entry.counted)
        self._numbers = {entry.text: number for number, entry in enumerate(lexicon)}
        # what may be tried instead of an entry that ends inside a word: found out when it is met, all would take long
        self._shorter: dict[int, tuple[int, ...]] = {}
        self._tried = bytearray(b"\1" * len(lexicon))
        self._automaton: Any = BytesAhoCorasick(
            [b" " + entry.text for entry in lexicon],
            matchkind=MatchKind.LeftmostLongest,
            implementation=Implementation.ContiguousNFA,  # a few megabytes, which caches hold; a DFA has sixty
        )

    def find(self, words: bytes) -> list[Match]:
        """Matches in order of position; of an entry that only counts once a page, the first. ``words`` holds lower-case
        letters, digits and spaces, a space at each end.
        """
        found: list[Match] = []
        seen: set[int] = set()
        lexicon, counted, tried = self._lexicon, self._counted, self._tried
        for number, start, end in self._automaton.find_matches_as_indexes(words):
            if words[end] == _SPACE:
                if number not in seen:
                    found.append(Match(start + 1, end, lexicon[number]))
                    if number in counted:
                        seen.add(number)
            # half of all hits are the beginning of a longer word and nothing else can begin there
            elif tried[number] and (match := self._inside(words, number, start + 1, end)) is not None:
                found.append(match)
        return found

    def _inside(self, words: bytes, number: int, start: int, end: int) -> Match | None:
        """What an entry that ends inside a word stands for: itself with an ending, a shorter one, or nothing."""
        entry = self._lexicon[number]
        shorter = self._shorter.get(number)
        if shorter is None:
            shorter = self._shorter[number] = self._begun_with(entry.text)
            self._tried[number] = bool(shorter) or not entry.whole
        stop = -1 if entry.whole else words.find(b" ", end, end + _LONGEST_ENDING + 1)
        if stop > 0 and words[end:stop] in _ENDINGS:
            return Match(start, stop, entry)
        return self._cut_short(words, start, shorter) if shorter else None

    def _begun_with(self, text: bytes) -> tuple[int, ...]:
        """The shorter entries that ``text`` begins with and that can end where a word ends: at a blank, at most an
        ending before one, or that close to the end of ``text``. Longest first.
        """
        near, size = _LONGEST_ENDING, len(text)
        cuts = [cut for cut in range(size - 1, 0, -1) if size - cut <= near or b" " in text[cut : cut + near + 1]]
        return tuple(self._numbers[text[:cut]] for cut in cuts if text[:cut] in self._numbers)

    def _cut_short(self, words: bytes, start: int, candidates: tuple[int, ...]) -> Match | None:
        """The longest of the shorter entries that ends where a word ends."""
        for candidate in candidates:
            entry = self._lexicon[candidate]
            end = start + len(entry.text)
            stop = end if words[end] == _SPACE else words.find(b" ", end, end + _LONGEST_ENDING + 1)
            if stop == end or (stop > 0 and not entry.whole and words[end:stop] in _ENDINGS):
                return Match(start, stop, entry)
        return None


@lru_cache(maxsize=1)
def matcher() -> Matcher:
    """The one matcher of this process; the first call builds it (well under a fifth of a second)."""
    return Matcher(entries())
