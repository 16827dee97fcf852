"""Tables of the OMOP common data model as CSV: person, visits, conditions, measurements, drugs.

Specification: OHDSI OMOP CDM 5.x, whose column names are fixed. A row belongs to a ``person_id``, a pseudonym of the
hospital: health data of people who are not named. The vocabulary tables have no ``person_id`` and hold nobody.
"""

from __future__ import annotations

import re

from agent.detection.structured.base import STRONG, Recognised, about
from agent.findings import Kind

_CONCEPT = re.compile(r"\b[a-z_]+_concept_id\b")
_CELL = re.compile(r"[\"']?\s*([^\"']{0,60}?)\s*[\"']?")
_MAX_LINES = 200_000


def recognise_omop(text: str) -> Recognised | None:
    """Judge a table by its header; None unless ``person_id`` and the concept columns of the model are in it."""
    header = text[: max(0, text.find("\n", 0, 8_000))].lstrip("\ufeff").lower()
    if "person_id" not in header or not _CONCEPT.search(header):
        return None
    separator = max("\t,;|", key=header.count)
    names = [_strip(cell) for cell in header.split(separator)]
    if "person_id" not in names:
        return None
    column = names.index("person_id")
    persons = set()
    for line in text.split("\n", _MAX_LINES)[1:_MAX_LINES]:
        cells = line.split(separator, column + 1)
        if len(cells) > column and _strip(cells[column]):
            persons.add(_strip(cells[column]))
    if not persons:
        return None
    return about(
        Kind.PATIENT_TABLE, [], clinical=len(persons), confidence=STRONG, deidentified=True, anonymous=len(persons)
    )


def _strip(cell: str) -> str:
    found = _CELL.fullmatch(cell[:64].strip())
    return found[1] if found else cell.strip()
