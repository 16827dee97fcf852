"""The German xDT family (GDT, LDT, BDT, KVDT): lines of length, field number and content.

Specification: KBV data set descriptions; ``LLLFFFFcontent``, LLL = bytes of content + 9 (with CR LF). Real writers
count wrongly now and then, so four lines in five must agree.
"""

from __future__ import annotations

import re

from agent.detection.structured.base import CERTAIN, LIKELY, Person, Recognised, about, nobody
from agent.findings import Kind

_LINE = re.compile(r"(\d{3})(\d{4})(.*)")
_FIRST = re.compile(r"\ufeff?\d{3}8000")
MAX_LINES = 200_000
_CLINICAL = frozenset({"6200", "6205", "6220", "6221", "6227", "6228", "8410", "8420", "8480", "6000", "6001", "5001"})


def recognise_xdt(text: str) -> Recognised | None:
    """Judge the lines; None unless four or more and most of them carry their own length and the first is field 8000.

    The length counts bytes of the file's one-byte character set, so characters do.
    """
    if not _FIRST.match(text):
        return None
    lines = [line.rstrip("\r") for line in text.lstrip("\ufeff").split("\n", MAX_LINES)[:MAX_LINES]]
    records = [match.groups() for line in lines if (match := _LINE.fullmatch(line))]
    if len(records) < 4 or records[0][1] != "8000":
        return None
    fitting = sum(1 for length, _, content in records if int(length) == len(content) + 9)
    if fitting * 5 < len(records) * 4:
        return None
    people, clinical = _read(records)
    if not people and not clinical:
        return nobody(Kind.XDT, LIKELY)
    return about(Kind.XDT, people, clinical=clinical, confidence=CERTAIN if people else LIKELY)


def _read(records: list[tuple[str, ...]]) -> tuple[list[Person], int]:
    """One person a group of 3000/3101/3102/3103 fields; a repeated 3101 or a new record (8000) starts another."""
    people: list[Person] = []
    current: dict[str, str] = {}
    clinical = 0
    for _, field, content in [*records, ("", "8000", "")]:
        if field == "8000" or field in current:
            if {"3101", "3000", "3105"} & current.keys():
                number = tuple(filter(None, (current.get("3105") or current.get("3000"),)))
                people.append(Person(current.get("3101", ""), current.get("3102", ""), current.get("3103", ""), number))
            current = {}
        if field in {"3000", "3101", "3102", "3103", "3105"}:
            current[field] = content.strip()
        clinical += field in _CLINICAL
    return people, clinical
