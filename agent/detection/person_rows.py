"""Lines that hold a person and something clinical: several of them are a list of patients.

Owns the counting of such lines, of the different persons that begin them, and of the dated lines of a diary. Takes a
folded page, its ``Evidence`` and places; names are counted and compared there and go nowhere else.
"""

from __future__ import annotations

import re
from bisect import bisect_left
from collections.abc import Iterator, Sequence

from agent.detection.evidence import Evidence
from agent.detection.fold import Folded
from agent.detection.person_names import CIVILITIES, NAME, NOT_NAMES

_DIARY = 2600  # folded bytes of a page that may be one
_DATED = re.compile(  # a line that begins with a day or an hour, as in a diary
    rb"\n? ?[-*>\[]{0,2} ?(?:[a-z]\d{1,2} )?(?:(?:lun|mar|mer|jeu|ven|sam|dim|mon|tue|wed|thu|fri|sat|sun|mo|di|mi|do|"
    rb"fr|sa|so|gio|sab|dom|vie|mie|zo|za|vr)[a-z]{0,7}\.? ?)?(?:[0-3]?\d[./-][01]?\d\b|(?:19|20)\d\d-[01]\d-[0-3]\d|"
    rb"[0-2]?\d ?(?:h ?(?:[0-5]\d)?|: ?[0-5]\d)\b(?!:))"
)
_TO_DAY, _DIGITS = 20, b"0123456789"  # bytes from a line's end within which its first figure must stand


def count_rows(evidence: Evidence, page: Folded, clinical: Sequence[int], places: Sequence[int]) -> None:
    """Lines with a person and something clinical, and the different persons that begin them."""
    told = sorted(clinical)
    if len(page.lines) <= _DIARY:
        evidence.dated = sum(_begins_dated(page.lines, line) for line in _begun(page.lines, told))
    rows: dict[int, frozenset[bytes]] = {}
    for place in sorted(places):
        line = page.lines.rfind(b"\n", 0, place + 1)
        if line in rows:
            continue
        near, end = bisect_left(told, line), page.lines.find(b"\n", line + 1)
        if near < len(told) and told[near] < (end if end >= 0 else len(page.lines)):
            rows[line] = _who(page.cased[place : place + 60])
    evidence.rows = len(rows)
    known: list[frozenset[bytes]] = []
    for words in rows.values():
        if words and not any(words & other for other in known):  # «Mme DUPONT» and «DUPONT Jeanne» are one
            known.append(words)
    evidence.row_names = {b" ".join(sorted(words)) for words in known}


def _begun(lines: bytes, told: Sequence[int]) -> Iterator[int]:
    """Where the line end before each line stands that holds one of these places, which ascend."""
    end = -1
    for place in told:
        if place >= end:
            yield lines.rfind(b"\n", 0, place + 1)
            end = lines.find(b"\n", place + 1)
            end = end if end >= 0 else len(lines)


def _begins_dated(lines: bytes, line: int) -> bool:
    """Whether the line, told by where the line end before it stands, begins with a day or an hour."""
    head = lines[line : line + _TO_DAY]
    return len(head.translate(None, _DIGITS)) < len(head) and _DATED.match(lines, line) is not None


def _who(text: bytes) -> frozenset[bytes]:
    """The words of the name that stands there, in lower case, civility and bed apart."""
    words = (word.lower() for word in NAME.findall(text.split(b"\n")[0])[:4])
    return frozenset([word for word in words if word not in NOT_NAMES and len(word) > 2 and word not in CIVILITIES][:2])
