"""Lines that begin with a person and say something clinical of them: «LISE Armand -> frottis ASC-US», «## Ginette W.».

Owns the shape of such a line: two words with capitals, one of them a given name (``data/given.txt``), before a mark.
Two words with capitals alone are a heading as likely as a person. Takes a folded page, its ``Evidence`` and the places
of what is clinical; notes the names, returns where they stand. Names never leave the process.
"""

from __future__ import annotations

from collections.abc import Sequence
from itertools import islice

import re2

from agent.detection.evidence import Evidence
from agent.detection.fold import Folded
from agent.detection.head_words import ROLE
from agent.detection.lexicon import given
from agent.detection.linear import spans
from agent.detection.person_names import CIVILITIES, NAME, NOT_NAMES, add_name

_MOST = 120  # lines looked at a page
_CAP = r"[A-Z][A-Za-z'\-]{1,24}"
_BEHIND = 12  # bytes behind the mark: less is no more than a signature
_LINE = re2.compile(
    (
        rf"\n[-*>#.\[\]x ]{{0,8}}{_CAP} {_CAP}(?: {_CAP})? ?"
        rf"(?:-{{1,2}}>|=>|-{{1,2}}|:|\(|\*\*|,) ?[^\n]{{{_BEHIND}}}"
    ).encode("ascii")
)


def read_begun(evidence: Evidence, page: Folded, clinical: Sequence[int]) -> list[int]:
    """Note the persons that begin a line which is clinical behind them; where they stand."""
    found = islice(spans(_LINE, page.cased), _MOST) if clinical else ()
    return [
        start + 1
        for start, end in found
        if _tells(page.cased, start + 1, end, clinical) and _is_person(evidence, page.cased, start, end - _BEHIND)
    ]


def _tells(cased: bytes, start: int, end: int, clinical: Sequence[int]) -> bool:
    """Whether the line says something clinical behind the name."""
    if cased[start : start + 1] == b"#":  # the heading of a page of notes
        return True
    stop = cased.find(b"\n", end)
    return any(end - _BEHIND <= place < (stop if stop >= 0 else len(cased)) for place in clinical)


def _is_person(evidence: Evidence, cased: bytes, start: int, end: int) -> bool:
    named = list(NAME.finditer(cased, start, end))
    words = [found[0].lower() for found in named]
    if given().isdisjoint(words) or not CIVILITIES.isdisjoint(words) or not NOT_NAMES.isdisjoint(words):
        return False
    if ROLE.match(cased, named[-1].end()):  # «Lydie FAUVEL, cadre de santé»
        return False
    return add_name(evidence, cased[start : named[-1].end()])
