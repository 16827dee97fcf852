"""The numbers of one text: every run of digits is shown to every scheme that could be in it.

``scan.py`` hands over the text, the same text folded (same offsets), the runs and the places of context words.
A grid of numbers in which few pass a check is noise, not identifiers: without a context word such passes are dropped.
"""

from __future__ import annotations

import re
from bisect import bisect_left
from collections.abc import Callable, Iterable, Sequence
from functools import lru_cache
from typing import Any

from agent.detection.identifiers import adeli, contacts, finess, foreign, ins, nir, rpps
from agent.detection.identifiers.base import AFTER, HEAD, NEAR, TAIL, Hit, Scheme, compact
from agent.detection.linear import anywhere, holding, sharing

MAX_HITS = 20_000
MAX_RUN_CHARACTERS = 400_000  # of number-like text examined; beyond that a text is a table of numbers
_CHUNK = 4_000  # characters of one run looked at together
_OVERLAP = 64
_BEFORE, _BEHIND = 6, 12  # letters before a run, and a key or a check letter behind it (« 1850578006084 clé 91 »)
_DIGITS = "0123456789²³¹".encode("latin-1")  # what counts as a digit
_UNKNOWN = ord("?")
_LETTERS_BEYOND = bytes(code for code in range(128, 256) if chr(code).isalnum())
_GRID = 20  # so many candidates of one shape make a column or a grid
_SURE = 0.98  # a labelled NIR, INS or RPPS with its key: no scheme that comes after it is as strong
_COLUMN_RATE = 0.3  # a column of identifiers passes far more often, noise far less (base rates are below 0.2 %)

SCHEMES: tuple[Scheme, ...] = (
    *ins.SCHEMES,
    *nir.SCHEMES,
    *rpps.SCHEMES,
    *finess.SCHEMES,
    *adeli.SCHEMES,
    *foreign.SCHEMES,
    *contacts.SCHEMES,
)
_LEAST = min(scheme.digits for scheme in SCHEMES)
_WORDLESS = tuple((index, scheme) for index, scheme in enumerate(SCHEMES) if scheme.alone)
WORDS = tuple(sorted({scheme.words.pattern for scheme in SCHEMES}))  # the context words, each sort once

_LEAST_ALONE = min(scheme.digits for _, scheme in _WORDLESS)
_LONGEST_WORD = 64  # characters: within a context word another one may begin, which is not found then
MAX_WORDS = 100_000  # context words that are looked for
_CROWD = 48  # runs from which the shapes that stand nowhere in the text are left out
MANY = 3  # runs from which one search tells where a number may stand that needs no context word
_LOOSENED = (  # a question mark in Latin-1 may be any digit; what stands before is taken in, not looked back at
    (HEAD, r"(?:\A|[^0-9A-Za-z])"), (TAIL, ""), (r"(?!\d)", ""),
    (r"\d", "[0-9?]"), (r"\u00a0", r"\xa0"), (r"\u202f", ""),
)  # fmt: skip


@lru_cache(maxsize=1)
def _vocabulary() -> Any:
    """Which sorts of context words a piece of text holds, in one linear pass."""
    import re2

    options = re2.Options()
    options.encoding = re2.Options.Encoding.LATIN1
    known = re2.Set.SearchSet(options)
    for pattern in WORDS:
        known.Add(pattern.encode("latin-1"))
    known.Compile()
    return known


@lru_cache(maxsize=256)
def _with_words(sorts: tuple[int, ...], alone: bool) -> tuple[tuple[int, Scheme], ...]:
    """The schemes worth a look where these sorts of words stand: theirs, and (``alone``) those that need none."""
    words = {WORDS[sort] for sort in sorts}
    return tuple(
        (i, scheme) for i, scheme in enumerate(SCHEMES) if (alone if scheme.alone else scheme.words.pattern in words)
    )


@lru_cache(maxsize=1)
def _shapes_alone() -> Any:
    """All shapes of numbers that need no context word, what must stand around them apart, for one linear search."""
    return _searched("|".join(scheme.pattern.pattern for _, scheme in _WORDLESS))


@lru_cache(maxsize=1)
def _each_alone() -> tuple[tuple[int, Callable[..., bool]], ...]:
    """The same one by one, each with its number: whether it stands anywhere in a text."""
    return tuple([(index, holding(_searched(scheme.pattern.pattern))) for index, scheme in _WORDLESS])


def _searched(shape: str) -> Any:
    import re2

    options = re2.Options()
    options.encoding = re2.Options.Encoding.LATIN1
    options.never_capture = True
    for exact, loose in _LOOSENED:
        shape = shape.replace(exact, loose)
    return re2.compile(shape.encode("latin-1"), options)


def shaped_in(plain: bytes) -> list[tuple[int, int]]:
    """Where a number may stand that needs no context word, in a text in Latin-1 (case kept): one linear search."""
    return [*sharing(_shapes_alone(), plain)]


class NumberScan:
    """One pass over the runs of one text. ``plain``: the same in Latin-1; ``folded``: folded, one byte a character
    too; ``word_places``: ascending starts of context words in it; ``shaped``: what ``shaped_in`` found, None where it
    was not asked.
    """

    def __init__(
        self,
        text: str,
        plain: bytes,
        folded: bytes,
        word_places: list[int],
        shaped: list[tuple[int, int]] | None = None,
    ) -> None:
        self._text = text
        self._plain = plain
        self._bytes = folded
        self._folded = folded.decode("latin-1")
        self._words = word_places
        self._candidates = [0] * len(SCHEMES)
        self._passes = [0] * len(SCHEMES)
        self._alone: list[tuple[int, Hit]] = []
        self._hits: list[Hit] = []
        self._shaped = shaped
        self._nowhere: frozenset[int] = frozenset()  # schemes of which no number stands in the text
        self._least = _LEAST_ALONE  # digits of a number of the others that needs no context word

    def over(self, runs: Iterable[tuple[int, int]]) -> list[Hit]:
        """The hits in these runs (start, end); passes without context in a failing grid are left out."""
        budget = MAX_RUN_CHARACTERS
        for number, (start, end) in enumerate(runs):
            if number == _CROWD:
                self._leave_out()
            budget -= end - start
            if budget < 0 or len(self._hits) + len(self._alone) > MAX_HITS:
                break
            for low in range(start, end, _CHUNK):
                self._run(low, min(end, low + _CHUNK + _OVERLAP))
        return self._hits + [hit for index, hit in self._alone if self._is_no_noise(index)]

    def _leave_out(self) -> None:
        """Of many runs, forget the shapes that stand nowhere in the text: they would be looked for at each of them."""
        self._nowhere = frozenset(index for index, stands in _each_alone() if not stands(self._plain))
        self._least = min((s.digits for index, s in _WORDLESS if index not in self._nowhere), default=_LEAST_ALONE)

    def _is_no_noise(self, index: int) -> bool:
        return self._candidates[index] < _GRID or self._passes[index] >= self._candidates[index] * _COLUMN_RATE

    def _run(self, start: int, end: int) -> None:
        low, high = max(0, start - _BEFORE), min(len(self._text), end + _BEHIND)
        alone, beside = self._may_stand(low, high), self._has_word(start, end)
        if not (alone or beside):
            return
        count = self._digits(start, end + _BEHIND)
        if count < (_LEAST if self._words else _LEAST_ALONE):
            return
        worth = self._worth(start, end, alone=alone) if beside else _WORDLESS
        if not worth:
            return
        window = self._text[low:high]
        for index, scheme in worth:
            if count < scheme.digits or index in self._nowhere or (scheme.pieces and not _may_match(scheme, window)):
                continue
            for match in _shapes(scheme, self._text, low, high):
                self._judge(index, scheme, match)
            if self._settled(start, end):
                return

    def _may_stand(self, low: int, high: int) -> bool:
        """Whether a number that needs no context word may stand there, whole."""
        if self._shaped is None:
            return True
        place = bisect_left(self._shaped, (high - self._least + 1, 0)) - 1
        return place >= 0 and self._shaped[place][1] > low

    def _digits(self, start: int, end: int) -> int:
        piece = self._bytes[start:end]
        if _UNKNOWN in piece:  # perhaps a digit that Latin-1 does not have
            return sum(map(str.isdigit, self._text[start:end]))
        return len(piece) - len(piece.translate(None, _DIGITS))

    def _settled(self, start: int, end: int) -> bool:
        """The whole run is a number so sure that whatever else it may look like would give way to it."""
        hit = self._hits[-1] if self._hits else None
        return hit is not None and hit.strength >= _SURE and hit.start <= start and hit.end >= end

    def _worth(self, start: int, end: int, *, alone: bool) -> tuple[tuple[int, Scheme], ...]:
        """The schemes that could give a hit here, beside a context word: a scheme that needs one is looked at where its
        own stands, the others where their shapes were seen (``alone``).
        """
        low, high = max(0, start - _BEFORE - NEAR), end + _BEHIND + AFTER
        return _with_words(tuple(sorted(_vocabulary().Match(self._bytes[low:high]) or ())), alone)

    def _has_word(self, start: int, end: int) -> bool:
        """Whether a context word stands near enough to tell of a number there."""
        place = bisect_left(self._words, max(0, start - _BEFORE - NEAR))
        return place < len(self._words) and self._words[place] < end + _BEHIND + AFTER

    def _may_be_told(self, low: int, high: int) -> bool:
        """Whether a context word may stand there: all that were found are known, or one that such a one hides."""
        if len(self._words) >= MAX_WORDS:
            return True
        place = bisect_left(self._words, low - _LONGEST_WORD)
        return place < len(self._words) and self._words[place] < high

    def _judge(self, index: int, scheme: Scheme, match: re.Match[str]) -> None:
        self._candidates[index] += 1
        if not scheme.valid(compact(match[1])):
            return
        self._passes[index] += 1
        start, end = match.span(1)
        told = self._may_be_told(start - scheme.reach, end + scheme.after)
        hit = grade(scheme, self._folded, match, told=told)
        if hit is None:
            return
        if hit.strength >= scheme.labelled:
            self._hits.append(hit)
        else:
            self._alone.append((index, hit))


def _may_match(scheme: Scheme, window: str) -> bool:
    """Every piece that the scheme cannot do without is there."""
    return all(piece in window for piece in scheme.pieces)


def _shapes(scheme: Scheme, text: str, start: int, end: int) -> Sequence[re.Match[str]]:
    """Matches of the shape, overlapping ones too: a wrong reading of a run must not hide the right one behind it."""
    search = scheme.pattern.search
    found = search(text, start, end)
    if found is None:
        return ()
    matches = []
    while found is not None:
        matches.append(found)
        found = search(text, found.start(1) + 1, end)
    return matches


def grade(scheme: Scheme, folded: str, match: re.Match[str], *, told: bool = True) -> Hit | None:
    """The hit with its strength by context; None when the scheme needs a context word and there is none. ``told``: one
    may stand there.
    """
    start, end = match.span(1)
    labelled = told and _says(scheme.words, folded[max(0, start - scheme.reach) : start])
    if told and not labelled and scheme.after:
        labelled = _says(scheme.words, folded[end : end + scheme.after])
    strength = scheme.labelled if labelled else scheme.alone
    return Hit(scheme.type, start, end, compact(match[1]), scheme.country, strength) if strength else None


def _says(words: re.Pattern[str], piece: str) -> bool:
    """Whether one of these context words stands in a folded piece, in which a letter may be beyond ASCII."""
    plain = piece.encode("latin-1")
    if len(plain.translate(None, _LETTERS_BEYOND)) < len(plain):
        return words.search(piece) is not None
    return _automaton(words.pattern)(plain)


@lru_cache(maxsize=64)
def _automaton(pattern: str) -> Callable[..., bool]:
    return anywhere(pattern.encode("latin-1"))
