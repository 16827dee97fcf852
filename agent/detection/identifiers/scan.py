"""One pass over a text for every identifier.

Linear searches (google-re2) find where a number, a label or a context word is; only there do the identifiers look, in
windows of bounded size. A text without digits costs a few microseconds.
"""

from __future__ import annotations

from collections.abc import Callable, Iterator
from functools import lru_cache
from itertools import chain, islice
from typing import Any

from agent.detection.disguise import readable
from agent.detection.identifiers import birth, contacts, foreign, ins, ipp
from agent.detection.identifiers.base import Hit, compact
from agent.detection.identifiers.numbers import MANY, MAX_HITS, MAX_WORDS, WORDS, NumberScan, grade, shaped_in
from agent.detection.linear import at_start, spans
from agent.findings import FindingType

MAX_LANDMARKS = 50_000
_NUMBERS = rb"[0-9](?:[ .\-/|\xa0()]{0,3}[0-9ABab]){6,}"
# what a number's label, a street or a number with letters in it begins with, tried in this order
_LANDMARKS = (
    ipp.PATIENT,
    ipp.STAY,
    birth.LABEL,
    contacts.STREET,
    *foreign.LANDMARKS,
)
_LONGEST_LANDMARK = 400  # characters: none is as long
_MARKED = "àâäáãéèêëîïíìôöóòõûüùúçñÀÂÄÁÃÉÈÊËÎÏÍÌÔÖÓÒÕÛÜÙÚÇÑøØºª\xa0\n\r\t"
_PLAIN = "aaaaaeeeeiiiiooooouuuucnaaaaaeeeeiiiiooooouuuucnoooa    "
_FOLD = bytes.maketrans(_MARKED.encode("latin-1"), _PLAIN.encode("latin-1"))


@lru_cache(maxsize=1)
def _searchers() -> tuple[Any, Any, Any]:
    """Linear-time searchers for numbers, for landmarks, and for any context word (over folded text)."""
    import re2

    options = re2.Options()
    options.encoding = re2.Options.Encoding.LATIN1
    landmarks = "|".join(f"(?:{pattern})" for pattern in _LANDMARKS).encode("latin-1")
    words = "|".join(WORDS).encode("latin-1")
    return tuple(re2.compile(pattern, options) for pattern in (_NUMBERS, landmarks, words))


@lru_cache(maxsize=1)
def _kinds() -> tuple[Callable[..., bool], ...]:
    """For each sort of landmark, whether one begins a text."""
    return tuple([at_start(pattern.encode("latin-1")) for pattern in _LANDMARKS])


def find_identifiers(text: str) -> list[Hit]:
    """Every identifier in the text, by place; overlapping ones are settled for the stronger. Never raises.

    Places are those of ``readable(text)``: the text itself, unless it is disguised.
    """
    return find_in(readable(text))


def find_in(text: str) -> list[Hit]:
    """The same for a text that is readable as it is."""
    if not any(digit in text for digit in "0123456789"):
        return contacts.mails(text)
    plain = text.replace("\u202f", "\u00a0").encode("latin-1", "replace")  # one byte a character: same offsets
    numbers, landmarks, words = _searchers()
    hits = [*contacts.mails(text), *ins.datamatrix(text)]
    runs = spans(numbers, plain)
    first = [*islice(runs, MANY)]
    folded = plain.translate(_FOLD).lower()
    if first:
        places = [start for start, _ in islice(spans(words, folded), MAX_WORDS)]
        shaped = shaped_in(plain) if len(first) == MANY else None
        if places or shaped is None or shaped:  # else none of the others is worth finding
            hits += NumberScan(text, plain, folded, places, shaped).over(chain(first, runs))
    hits += _landmarks(text, plain, folded, spans(landmarks, plain))
    return _settle(hits) if hits else hits


def _landmarks(text: str, plain: bytes, folded: bytes, found: Iterator[tuple[int, int]]) -> list[Hit]:
    hits: list[Hit] = []
    for number, (start, end) in enumerate(found):
        if number > MAX_LANDMARKS or len(hits) > MAX_HITS:
            break
        if start and text[start - 1].isalnum():
            continue
        piece = plain[start : start + _LONGEST_LANDMARK]
        sort = next(sort for sort, begins in enumerate(_kinds(), 1) if begins(piece))  # the first is the one that did
        hit = _read_landmark(text, folded, start, end, sort)
        if hit is not None:
            hits.append(hit)
    return hits


def _read_landmark(text: str, folded: bytes, start: int, end: int, sort: int) -> Hit | None:
    if sort <= 2:
        return ipp.read(text, end, FindingType.IPP if sort == 1 else FindingType.NDA)
    if sort == 3:
        return birth.read(text, end)
    if sort == 4:
        return contacts.address(text, start, end)
    scheme = foreign.LETTERED[sort - 5]
    letters = scheme.pattern.match(text, start)
    if letters is None or not scheme.valid(compact(letters[1])):
        return None
    return grade(scheme, folded.decode("latin-1"), letters)


def _settle(hits: list[Hit]) -> list[Hit]:
    """Drop every hit that overlaps a stronger one; equal ones go to the longer, then the earlier."""
    kept: list[Hit] = []
    for hit in sorted(hits, key=lambda h: (h.start, -h.strength, h.start - h.end)):
        if kept and hit.start < kept[-1].end:
            if hit.strength > kept[-1].strength:
                kept[-1] = hit
            continue
        kept.append(hit)
    return kept[:MAX_HITS]
