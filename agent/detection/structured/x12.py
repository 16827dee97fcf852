"""ASC X12 transactions of American health care: claims (837), payments (835), eligibility (270, 271), reviews (278).

Specification: ASC X12 005010 implementation guides. The first segment is of fixed length and states the separators. A
patient or subscriber is ``NM1`` with qualifier IL or QC, or 1P in older ones; ``DMG`` holds the birth date.
"""

from __future__ import annotations

import re

from agent.detection.structured.base import CERTAIN, STRONG, Person, Recognised, about, unclear
from agent.findings import Kind

_HEALTH = frozenset({"837", "835", "270", "271", "276", "277", "278", "275"})
_INTERCHANGE = re.compile(r"ISA([^\w\s]).{2}\1.{10}\1", re.DOTALL)
_HEADER = 106  # characters of an ISA segment
_MAX_SEGMENTS = 200_000
_MAX_PEOPLE = 20_000


def recognise_x12(text: str) -> Recognised | None:
    """Judge an interchange; None when it is none or belongs to another trade."""
    text = text[:16_000_000].lstrip("\ufeff \r\n\t")
    found = _INTERCHANGE.match(text)
    if not found or len(text) < _HEADER:
        return None
    separator, end = found[1], text[_HEADER - 1]
    segments = [part.strip().split(separator) for part in text.split(end, _MAX_SEGMENTS)[:_MAX_SEGMENTS]]
    kinds = {part[1] for part in segments if part[0] == "ST" and len(part) > 1}
    if not kinds & _HEALTH:
        return (
            unclear(Kind.EDIFACT)
            if any(part[0] == "GS" and part[1:2] in (["HC"], ["HP"]) for part in segments)
            else None
        )
    people: list[Person] = []
    clinical = 0
    for number, part in enumerate(segments):
        clinical += part[0] in {"HI", "SV1", "SV2", "CLM", "SVC", "CLP"}
        if (
            part[0] == "NM1"
            and len(people) < _MAX_PEOPLE
            and len(part) > 4
            and part[1] in {"IL", "QC", "03"}
            and part[2] == "1"
        ):
            births = [after[2] for after in segments[number + 1 : number + 6] if after[0] == "DMG" and len(after) > 2]
            people.append(Person(part[3], part[4], births[0] if births else "", tuple(part[9:10])))
    usage = (segments[0] + [""] * 16)[15]
    return about(
        Kind.EDIFACT,
        people,
        clinical=max(clinical, 1),
        test_data=usage == "T",
        confidence=CERTAIN if people else STRONG,
    )
