"""Whether a page names anybody it may be about, where no label, civility, age or sentence does: «ESCANDE Ferdinand».

Owns the last look of all, asked only for a text that was judged medical and says otherwise of nobody who it is: on a
page of a note's length a full name that is neither staff, nor addressed, nor a signature, also «Kobayashi, R» and
«mr leroux andre». Takes a folded page and its ``Evidence``. Tells that there is somebody, not how many. Names never
leave the process.
"""

from __future__ import annotations

import re
from collections.abc import Iterator
from itertools import islice

import re2

from agent.detection.evidence import Evidence
from agent.detection.firsts import unknown
from agent.detection.jottings import LONGEST
from agent.detection.lexicon import family, given
from agent.detection.linear import spans
from agent.detection.told import full_names, is_aside

_MOST = 60  # names looked at a page
_CAP = rb"[A-Z][A-Za-z'\-]{2,24}"
_COMMA = re2.compile(rb"\b" + _CAP + rb", ?(?:" + _CAP + rb"\b|[A-Z]\.?(?:[ )\n:]|$))")
_CAPITALS = re2.compile(rb"\b[A-Z][A-Z'\-]{3,24} [A-Z]\.")
_SMALL = re2.compile(rb"\b(?:mr|mme|mlle) [a-z'\-]{3,24} [a-z'\-]{3,24}\b")
_WORD = re.compile(rb"[A-Za-z'\-]+")


def names_somebody(evidence: Evidence, cased: bytes) -> bool:
    """Whether a page of a note names a person who may be whom it is about."""
    if not 0 < len(cased) <= LONGEST:
        return False
    places = [*full_names(evidence, cased), *_turned(cased), *_shouted(cased), *_small(cased)]
    return any(not is_aside(cased, start) and not _signs(cased, start, end) for start, end in places)


def _signs(cased: bytes, start: int, end: int) -> bool:
    """Whether what stands there ends the page: alone on its last line, or behind a dash."""
    if cased[end:].strip(b"\n .)"):
        return False
    before = cased[cased.rfind(b"\n", 0, start) + 1 : start].rstrip()
    return not before or before.endswith((b"-", b",", b"."))


def _turned(cased: bytes) -> Iterator[tuple[int, int]]:
    """«Mbatha, Zanele», «Kobayashi, R»: the family name first, which is no word."""
    for start, end in islice(spans(_COMMA, cased), _MOST):
        words = [word.lower() for word in _WORD.findall(cased, start, end)]
        first, second = words[0], words[1]
        if _is_family(first) and first not in given() and (len(second) == 1 or second.split(b"-")[0] in given()):
            yield start, end


def _shouted(cased: bytes) -> Iterator[tuple[int, int]]:
    """«HAMMADI K.»: a word in capitals that is none, with an initial."""
    for start, end in islice(spans(_CAPITALS, cased), _MOST):
        if unknown(cased[start : end - 3].lower()):
            yield start, end


def _small(cased: bytes) -> Iterator[tuple[int, int]]:
    """«mr leroux andre»: nobody pressed the shift key."""
    for start, end in islice(spans(_SMALL, cased), _MOST):
        _, first, second = cased[start:end].split()
        if (second in given() and _is_family(first)) or (first in given() and _is_family(second)):
            yield start, end


def _is_family(word: bytes) -> bool:
    return word in family() or unknown(word.replace(b"-", b" "))
