"""The German xDT family (GDT, LDT, BDT, KVDT): lines of length, field number and content.

Specification: KBV data set descriptions; ``LLLFFFFcontent``, LLL = bytes of content + 9 (with CR LF). Real writers
count wrongly now and then, so four lines in five must agree.
"""

from __future__ import annotations

import re

from agent.detection.structured.base import CERTAIN, LIKELY, Person, Recognised, about, nobody, unclear
from agent.findings import Kind

_LINE = re.compile(r"(\d{3})(\d{4})(.*)")
_FIRST = re.compile(r"[\ufeff\s]{0,8}\d{3}8000")
MAX_LINES = 200_000
# record that closes a file, by the first letters of the one that opens it: without it the file was cut
_ENDS = {"con": "con9", "002": "0021", "001": "0011", "822": "8221", "823": "8231"}
_CLINICAL = frozenset({"6200", "6205", "6220", "6221", "6227", "6228", "8410", "8420", "8480", "6000", "6001", "5001"})


def recognise_xdt(text: str) -> Recognised | None:
    """Judge the lines; None unless four or more and most of them carry their own length and the first is field 8000.

    The length counts bytes: characters where the character set is one of the old ones, else those of UTF-8.
    """
    if not _FIRST.match(text):
        return None
    lines = [line.rstrip("\r") for line in text.lstrip("\ufeff \t\r\n").split("\n", MAX_LINES)[:MAX_LINES]]
    lines = lines if lines[-1] == "" or len(lines) == 1 else lines[:-1]  # a last line without an end may be cut
    records = [match.groups() for line in lines if (match := _LINE.fullmatch(line))]
    if not records or records[0][1] != "8000":
        return None
    if len(records) < 4:  # the head of one, if its first line is as long as it says
        return (
            unclear(Kind.XDT)
            if len(records) >= len(lines) - 1 and int(records[0][0]) == len(records[0][2]) + 9
            else None
        )
    fitting = sum(int(length) - 9 in {len(content), len(content.encode())} for length, _, content in records)
    if fitting * 5 < len(records) * 4:
        return None
    people, clinical = _read(records)
    if not people and not clinical:
        ends = _ENDS.get(records[0][2].strip()[:3].lower(), "")
        return (
            nobody(Kind.XDT, LIKELY)
            if any(ends and r[2].strip().lower() == ends for r in records)
            else unclear(Kind.XDT)
        )
    numbers = {number for person in people if person.named for number in person.identifiers}
    people = [person for person in people if person.named or not numbers.issuperset(person.identifiers)]
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
