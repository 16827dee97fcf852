"""EDIFACT health messages: Dutch MEDLAB, MEDVRI, MEDEUR, MEDREC and the European MEDRPT, MEDREQ, MEDDIS family.

Specification: UN/EDIFACT syntax (ISO 9735) and the Dutch NHG/Nictiz message guides. An interchange header alone is any
trade message, so a ``UNH`` of a medical type is required.
"""

from __future__ import annotations

import re

from agent.detection.structured.base import STRONG, Person, Recognised, about
from agent.findings import Kind

_START = re.compile(r"(?:UNA(.)(.).(.).(.)\s*)?UNB")
_MEDICAL = re.compile(r"UNH.[^'\r\n]{0,20}?[+](MED(?:LAB|VRI|EUR|REC|SPE|OVD|RPT|REQ|DIS|RX|PRE|ADT|VKB))\b")
MAX_SEGMENTS = 100_000


def recognise_edifact(text: str) -> Recognised | None:
    """Judge an interchange; None unless it opens as one and holds a medical message."""
    text = text[:16_000_000].lstrip("\ufeff \r\n\t")
    found = _START.match(text)
    if not found or not _MEDICAL.search(text):
        return None
    component, element, release, end = (found[1], found[2], found[3], found[4]) if found[1] else (":", "+", "?", "'")
    people, clinical = [], 0
    for segment in re.split(rf"(?<!{re.escape(release)}){re.escape(end)}", text, maxsplit=MAX_SEGMENTS):
        elements = segment.strip().split(element)
        tag = elements[0].partition(component)[0]
        if tag in {"PID", "PNA", "PDI"}:
            people.append(_person(elements, component))
        clinical += tag in {"BEP", "OPB", "TXT", "INV", "RSL", "FTX", "IDE"}
    return about(Kind.EDIFACT, people, clinical=max(clinical, 1), confidence=STRONG)


def _person(elements: list[str], component: str) -> Person:
    """``PID+birth date+sex+NAME:::::initials``: the birth date has digits only, the name is the part with letters."""
    birth = next((e for e in elements[1:] if sum(map(str.isdigit, e)) >= 6 and not re.search(r"[A-Za-z]{2}", e)), "")
    name = next((e for e in elements[1:] if re.search(r"[^\W\d_]{2}", e)), "")
    family, _, rest = name.partition(component)
    return Person(family, rest.replace(component, " ").strip(), birth)
