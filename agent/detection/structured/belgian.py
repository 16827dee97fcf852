r"""The Belgian line formats of laboratories and hospitals besides KMEHR: HealthOne and Medidoc (``.lab``, ``.rep``).

HealthOne: records ``A1\request\…`` to ``A4`` (who) and ``L1`` to ``L6`` (results), one request number throughout.
Medidoc: blocks ``#A`` (patient: number, name, birth date, sex) and ``#R`` (report), closed by ``#R/``, ``#A/``, ``#/``.
Positions beyond names and birth date differ between senders and are not read.
"""

from __future__ import annotations

import re

from agent.detection.structured.base import STRONG, Person, Recognised, about
from agent.findings import Kind

_HEALTHONE = re.compile(r"[AL][1-7]\\[^\\\r\n]{1,40}\\")
_MEDIDOC = re.compile(r"^#A([^\r\n]{0,40})\r?\n([^\r\n]{2,60})\r?\n([^\r\n]{6,10})\r?\n", re.MULTILINE)
_MAX_TEXT = 16_000_000


def recognise_belgian(text: str) -> Recognised | None:
    """Judge HealthOne or Medidoc lines; None when it is neither."""
    if _HEALTHONE.match(text.lstrip("\ufeff \r\n")):
        return _healthone(text[:_MAX_TEXT])
    if "#" in text and "#A" in text[:4_000] and "#R" in text:
        return _medidoc(text[:_MAX_TEXT])
    return None


def _healthone(text: str) -> Recognised | None:
    records = [line.split("\\") for line in text.lstrip("\ufeff \r\n").splitlines() if line.strip()]
    fitting = [record for record in records if len(record) > 2 and re.fullmatch(r"[AL][1-7]", record[0])]
    if len(fitting) < 3 or len(fitting) * 10 < len(records) * 8:
        return None
    people = [_patient(record) for record in fitting if record[0] == "A2"]
    results = sum(record[0].startswith("L") for record in fitting)
    return about(Kind.LAB_REPORT, people, clinical=results, confidence=STRONG) if people or results else None


def _patient(record: list[str]) -> Person:
    r"""``A2\request\FAMILY\GIVEN\sex\birth date``."""
    fields = [*record, "", "", "", "", ""]
    return Person(fields[2], fields[3], fields[5])


def _medidoc(text: str) -> Recognised | None:
    found = [match for match in _MEDIDOC.finditer(text) if re.fullmatch(r"[\d ./-]{6,10}", match[3])]
    if not found or not re.search(r"^#(?:R[a-z]|A/)", text, re.MULTILINE):
        return None
    people = []
    for match in found:
        family, _, given = match[2].strip().partition("  ")
        number = match[1].strip()
        people.append(Person(family, given.strip(), match[3], (number,) if number else ()))
    return about(
        Kind.CLINICAL_NOTE, people, clinical=len(re.findall(r"^#R[a-z]", text, re.MULTILINE)), confidence=STRONG
    )
