"""EDIFACT health messages: Dutch MEDLAB, MEDVRI, MEDEUR, MEDREC and the European MEDRPT, MEDREQ, MEDREF family.


Specification: UN/EDIFACT syntax (ISO 9735) and the Dutch NHG/Nictiz message guides. An interchange header alone is any
trade message, so a ``UNH`` of a medical type is required.
"""

from __future__ import annotations

import re

from agent.detection.structured.base import STRONG, Person, Recognised, about, unclear
from agent.findings import Kind

_START = re.compile(r"(?:UNA(.)(.).(.).(.)\s*)?UNB")
_MEDICAL = re.compile(r"UNH.[^'\r\n]{0,20}?[^\w\s](MED[A-Z]{2,3})\b")
_UNNAMED = frozenset({"UNA", "UNB", "UNH", "BGM", "UNT", "UNZ"})
MAX_SEGMENTS = 100_000


def recognise_edifact(text: str) -> Recognised | None:
    """Judge an interchange; None unless it opens as one and holds a medical message."""
    text = text[:16_000_000].lstrip("\ufeff \r\n\t")
    found = _START.match(text)
    if not found or not _MEDICAL.search(text):
        return None
    component, element, release, end = (found[1], found[2], found[3], found[4]) if found[1] else (":", "+", "?", "'")
    people, clinical, other = [], 0, 0
    for segment in re.split(rf"(?<!{re.escape(release)}){re.escape(end)}", text, maxsplit=MAX_SEGMENTS):
        elements = segment.strip().split(element)
        tag = elements[0].partition(component)[0]
        if tag == "PID":
            people.append(_dutch(elements, component))
        elif tag == "PNA" and elements[1:2] == ["PAT"]:
            people.append(_european(elements, component))
        clinical += tag in {"BEP", "OPB", "TXT", "INV", "RSL", "FTX", "IDE", "CLI", "DIA"}
        other += tag not in _UNNAMED and tag != ""
    if not people and not other:
        return unclear(Kind.EDIFACT)  # cut after its header
    return about(Kind.EDIFACT, people, clinical=max(clinical, 1), confidence=STRONG)


def _dutch(elements: list[str], component: str) -> Person:
    """``PID+birth date+sex+NAME:::::initials``: the birth date has digits only, the name is the part with letters."""
    birth = next((e for e in elements[1:] if sum(map(str.isdigit, e)) >= 6 and not re.search(r"[A-Za-z]{2}", e)), "")
    name = next((e for e in elements[1:] if re.search(r"[^\W\d_]{2}", e)), "")
    family, _, rest = name.partition(component)
    return Person(family, rest.replace(component, " ").strip(), birth)


def _european(elements: list[str], component: str) -> Person:
    """``PNA+PAT+number:authority+++SU:FAMILY+FO:GIVEN``: names are qualified (SU, FO; older messages: US for both)."""
    names: dict[str, str] = {}
    for element in elements[3:]:
        qualifier, _, value = element.partition(component)
        names.setdefault(qualifier, value.replace(component, " ").strip())
    number = elements[2].partition(component)[0] if len(elements) > 2 else ""
    return Person(names.get("SU") or names.get("US", ""), names.get("FO", ""), "", (number,) if number else ())
