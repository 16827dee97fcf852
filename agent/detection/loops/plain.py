"""The innermost loops of recognition in plain Python: what ``_compiled.pyx`` does, said so that it can be read.

The reference that the compiled twin is tested against, and what runs where it could not be compiled. Owns three things:
finding the entries of a lexicon at word boundaries, telling the features of a page apart and summing what a model knows
of them, and the sum of two questions solved for a wanted probability. Takes bytes and numbers, returns numbers; knows
nothing of what entries and features mean. Pure.
"""

from __future__ import annotations

import math
import re
from array import array
from collections.abc import Sequence
from itertools import pairwise, repeat
from typing import Any

Feature = bytes | tuple[bytes, bytes]

ENDINGS = frozenset((b"s", b"e", b"es", b"x", b"n", b"en", b"er"))  # plural, feminine, case: all languages
_LONGEST_ENDING = 2
_SPACE = 0x20
ROUGH, FIGURES, MARKED = 1, 2, 4  # what the views of a page tell of it, see ``Views.of``
_ROUGH = re.compile(rb"  | \n|\n |-\n|\([es]\)")
_FIGURE = re.compile(rb"[0-9]")
_ALONE = rb"(?<![A-Za-z\xc0-\xff])[A-Za-z\xc0-\xff]"  # letters that stand by themselves, one behind another
_MARKED = re.compile(
    rb"[\x01-\x06\x08\x0e-\x1a\x7f\xad]|&[#A-Za-z]|\\u|%[0-9A-Za-z]|"
    + _ALONE
    + rb"([^0-9A-Za-z\xc0-\xff])(?:[A-Za-z\xc0-\xff]\1){3}"
)
_TOKEN = re.compile(rb"[a-z]+|0+|[^\sa-z0]")
_WORD = re.compile(rb"[a-z]{4,}")
AFFIXES = (3, 4, 5)  # letters of a beginning or an end; the word is longer
_SHAPES = bytes(0x30 if 0x30 <= code <= 0x39 else code for code in range(256))
_LENGTH_BITS, _COUNT_BITS = 40, 16  # a page has a few thousand features, each at most 2^20 long
_WEIGHT = _LENGTH_BITS + _COUNT_BITS  # from which bit on


def features(lines: bytes) -> set[Feature]:
    """The distinct features of a folded page (view ``lines``), every digit being a 0: runs of letters, runs of digits,
    other signs, and what stands next to each other.
    """
    tokens = _TOKEN.findall(lines.translate(_SHAPES))
    return {*tokens, *pairwise(tokens)}


def affixes(lines: bytes) -> set[bytes]:
    """The distinct beginnings (``>card``) and ends (``<ite``) of the runs of letters of a folded page: what a word that
    nobody has seen is made of.
    """
    found: set[bytes] = set()
    for word in set(_WORD.findall(lines)):
        for size in AFFIXES:
            if len(word) > size:
                found.add(b">" + word[:size])
                found.add(b"<" + word[-size:])
    return found


class Views:
    """Three views of one text with the same offsets, and what they tell of it (``fold.Folded`` says what they are).

    ``kept``: what each byte of a text in Latin-1 becomes, case kept. ``gone``: the bytes that are left out. ``words``:
    what a byte in lower case is among words.
    """

    def __init__(self, kept: bytes, gone: bytes, words: bytes) -> None:
        if len(kept) != len(words) or len(kept) != 256:
            raise ValueError("tables of 256 bytes")
        self._kept, self._gone, self._words = kept, gone, words

    def of(self, text: bytes) -> tuple[bytes, bytes, bytes, int]:
        """The views with case, in lower case and of words alone, each between two separators; and the sum of ``ROUGH``
        (there is something to smooth: blanks in a row or at the end of a line, «né(e)», a line that ends in a hyphen),
        ``FIGURES`` (there is a figure) and ``MARKED`` (the text may be disguised; it is not where this is not set).
        """
        cased = b"\n" + text.translate(self._kept, self._gone) + b"\n"
        lines = cased.lower()
        told = ROUGH * (_ROUGH.search(cased) is not None)
        told += FIGURES * (_FIGURE.search(cased) is not None)
        told += MARKED * (_MARKED.search(text) is not None)
        return cased, lines, lines.translate(self._words), told


def survey(text: bytes) -> tuple[int, int, bool, int, bool, int, int, int]:
    """What the lines of a text in Latin-1 are like: how many there are and how long the longest is; whether one before
    the last ends in a blank; how many gaps there are (two blanks, a tab, a stroke); whether there is a figure or a sign
    that Latin-1 has not (``?``); how many lines are not blank, how wide the widest of them is, and how many are at
    least half as wide.
    """
    lines = text.split(b"\n")
    widths = [len(line) for line in lines if line.decode("latin-1").strip()]
    widest = max(widths, default=0)
    return (
        len(lines),
        max(map(len, lines)),
        any(line.endswith((b" ", b"\t", b"\r", b"\f", b"\x1a")) for line in lines[:-1]),
        text.count(b"  ") + text.count(b"\t") + text.count(b"|"),
        _FIGURE.search(text) is not None or b"?" in text,
        len(widths),
        widest,
        sum(2 * width >= widest for width in widths),
    )


class Terms:
    """All entries of a lexicon, to be found in the view ``words`` of a page.

    Patterns begin with the space before the word, so a match never starts inside a word; only its end is tested. Where
    the longest entry ends inside a word, it stands with an ending unless ``whole`` says that none is tolerated; else
    the shorter entries that begin it are tried in its place. Of an entry whose flag ``once`` is set, the first of a
    page is told (but for words with an ending). Safe to share: what it adds to itself later follows from the lexicon.
    """

    def __init__(self, texts: Sequence[bytes], whole: bytes, once: bytes) -> None:
        from ahocorasick_rs import BytesAhoCorasick, Implementation, MatchKind  # the worker alone pays for it

        self._texts, self._whole, self._once = texts, whole, once
        self._numbers = {text: number for number, text in enumerate(texts)}
        # what may be tried instead of an entry that ends inside a word: found out when it is met, all would take long
        self._shorter: dict[int, tuple[int, ...]] = {}
        self._tried = bytearray(b"\1" * len(texts))
        self._automaton: Any = BytesAhoCorasick(
            [b" " + text for text in texts],
            matchkind=MatchKind.LeftmostLongest,
            implementation=Implementation.ContiguousNFA,  # a few megabytes, which caches hold; a DFA has sixty
        )

    def find(self, words: bytes) -> list[tuple[int, int, int]]:
        """Start, end and number of the entries found, from left to right, without overlap. ``words`` holds lower-case
        letters, digits and spaces, and ends with a space; IndexError when it does not and an entry stands there.
        """
        found: list[tuple[int, int, int]] = []
        seen: set[int] = set()
        once, tried = self._once, self._tried
        for number, start, end in self._automaton.find_matches_as_indexes(words):
            if words[end] == _SPACE:
                if number not in seen:
                    found.append((start + 1, end, number))
                    if once[number]:
                        seen.add(number)
            # half of all hits are the beginning of a longer word and nothing else can begin there
            elif tried[number] and (match := self._inside(words, number, start + 1, end)) is not None:
                found.append(match)
        return found

    def _inside(self, words: bytes, number: int, start: int, end: int) -> tuple[int, int, int] | None:
        """What an entry that ends inside a word stands for: itself with an ending, a shorter one, or nothing."""
        shorter = self._shorter.get(number)
        if shorter is None:
            shorter = self._shorter[number] = self._begun_with(self._texts[number])
            self._tried[number] = bool(shorter) or not self._whole[number]
        stop = -1 if self._whole[number] else words.find(b" ", end, end + _LONGEST_ENDING + 1)
        if stop > 0 and words[end:stop] in ENDINGS:
            return start, stop, number
        return self._cut_short(words, start, shorter) if shorter else None

    def _begun_with(self, text: bytes) -> tuple[int, ...]:
        """The shorter entries that ``text`` begins with and that can end where a word ends: at a blank, at most an
        ending before one, or that close to the end of ``text``. Longest first.
        """
        near, size = _LONGEST_ENDING, len(text)
        cuts = [cut for cut in range(size - 1, 0, -1) if size - cut <= near or b" " in text[cut : cut + near + 1]]
        return tuple(self._numbers[text[:cut]] for cut in cuts if text[:cut] in self._numbers)

    def _cut_short(self, words: bytes, start: int, candidates: tuple[int, ...]) -> tuple[int, int, int] | None:
        """The longest of the shorter entries that ends where a word ends."""
        for candidate in candidates:
            end = start + len(self._texts[candidate])
            stop = end if words[end] == _SPACE else words.find(b" ", end, end + _LONGEST_ENDING + 1)
            if stop == end or (stop > 0 and not self._whole[candidate] and words[end:stop] in ENDINGS):
                return start, stop, candidate
        return None


class Sound:
    """A model of one weight and one length (whole numbers) a feature, and what it knows of a page.

    A number a feature holds its weight, a one and its length, so that one sum adds up all three exactly.
    """

    def __init__(self, texts: Sequence[bytes], weights: Sequence[int], lengths: Sequence[int]) -> None:
        """``texts``: the features, the two tokens of a pair with a blank between them; affixes with their sign."""
        self._packed: dict[Feature, int] = {}
        self._numbers: dict[Feature, int] = {}
        for number, (text, weight, length) in enumerate(zip(texts, weights, lengths, strict=True)):
            first, blank, second = text.partition(b" ")
            feature = (first, second) if blank else first
            self._packed[feature] = (weight << _WEIGHT) + (1 << _LENGTH_BITS) + length
            self._numbers[feature] = number

    def hear(self, lines: bytes) -> tuple[int, int, int, int, bytes]:
        """Of the distinct features and affixes of a page: the sum of the weights and of the lengths of those that the
        model knows; how many features these are, and how many features there are in all (affixes are not counted).
        Last, the numbers of the features that it knows, of four bytes each and in no order; not of affixes, which may
        be those of a name.
        """
        found = features(lines)
        total = sum(map(self._packed.get, found, repeat(0)))
        count = total >> _LENGTH_BITS & ((1 << _COUNT_BITS) - 1)
        total += sum(map(self._packed.get, affixes(lines), repeat(0)))
        numbers = array("i", [self._numbers[feature] for feature in found if feature in self._numbers]).tobytes()
        return total >> _WEIGHT, total & ((1 << _LENGTH_BITS) - 1), count, len(found), numbers


def lift(clinical: float, person: float, wanted: float, slope: float) -> float:
    """Nats on both sides that make the probability of the product ``wanted``; to a thousandth. ``slope``: how surely a
    product is told (``combine.told``).
    """
    low, high = -40.0, 40.0
    while high - low > 1e-3:
        middle = (low + high) / 2
        product = _sigmoid(clinical + middle) * _sigmoid(person + middle)
        product = min(max(product, 1e-12), 1 - 1e-12)
        if _sigmoid(slope * math.log(product / (1 - product))) < wanted:
            low = middle
        else:
            high = middle
    return high


def _sigmoid(nats: float) -> float:
    return 1.0 / (1.0 + math.exp(-max(-40.0, min(40.0, nats))))
