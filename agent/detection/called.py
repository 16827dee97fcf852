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
from agent.detection.person_names import PARTICLES
from agent.detection.told import full_names, is_aside

_MOST = 60  # names looked at a page
_CAP = rb"[A-Z][A-Za-z'\-]{2,24}"
_COMMA = re2.compile(rb"\b" + _CAP + rb", ?(?:" + _CAP + rb"\b|[A-Z]\.?(?:[ )\n:]|$))")
_CAPITALS = re2.compile(rb"\b[A-Z][A-Z'\-]{3,24} [A-Z]\.")
_SMALL = re2.compile(
    rb"\b(?:mr|mme|mlle|melle|mrs|ms|mw|dhr|madame|monsieur|frau|herrn?|signora|senora|mevrouw|meneer)\.? "
    rb"(?:(?:le|la|de|du|van|ben|el) ){0,2}[a-z'\-]{3,24}(?: [a-z'\-]{3,24})?\b"
)
_AGED = re2.compile(rb"\b[a-z'\-]{3,24} [a-z'\-]{3,24},? \(?\d{1,3} ?(?:ans|a|y|yo|jahre|anni|anos|jaar|mois|months)\b")
_BRIEF = 3  # letters of a civility that hardly anybody writes but before a name
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
    """«mr leroux andre», «mme riou», «jade marchetti, 7 ans»: nobody pressed the shift key."""
    for start, end in islice(spans(_SMALL, cased), _MOST):
        title, *words = cased[start:end].replace(b".", b"").split()
        first, *second = [word for word in words if word not in PARTICLES] or words
        brief = len(title) <= _BRIEF and _is_family(first)
        if brief or first in family() or (second and _are_a_name(first, second[0])):
            yield start, end
    for start, end in islice(spans(_AGED, cased), _MOST):
        first, second = _WORD.findall(cased, start, end)[:2]
        if _are_a_name(first, second):
            yield start, end


def _are_a_name(first: bytes, second: bytes) -> bool:
    return (second in given() and _is_family(first)) or (first in given() and _is_family(second))


def _is_family(word: bytes) -> bool:
    return word in family() or unknown(word.replace(b"-", b" "))
