"""French hospital billing and PMSI files: fixed-width lines, thousands of patients a file.

Layouts: ATIH « formats PMSI » (RUM, RSS, RHS, VID-HOSP, RSF-ACE), norme CNAM B2; positions in the comments are 1-based
as in those documents. At least three lines must match (a file of one line must match whole).
"""

from __future__ import annotations

import re
from dataclasses import dataclass

from agent.detection.structured.base import STRONG, Person, Recognised, about
from agent.findings import FindingType, Kind

_DAY = r"(?:0[1-9]|[12]\d|3[01])(?:0[1-9]|1[0-2])(?:19|20)\d{2}"
_FINESS = r"\d[\dAB]\d{7}"
_NIR = r"[1-478]\d{4}(?:\d{2}|2[AB])\d{6}\d{2}"
MAX_LINES = 200_000
_SHORTEST = 34  # characters of the shortest record part that is matched
_SIGNS = frozenset("0123456789ABCDEFGHIJKLMNOPQRSTUVWXYZ ")
_START = re.compile(r"[0-9A-Z ]{9}")  # prose does not begin like this, so it is not tried further
_HEAD, _HEAD_LINES = 40_000, 40  # characters and lines looked at to choose the layout


@dataclass(frozen=True, slots=True)
class Layout:
    """One record: what a line must look like, and where (0-based slices) the person stands in it."""

    pattern: re.Pattern[str]
    number: slice  # social security number, or the stay's number where there is none
    birth: slice
    has_nir: bool


LAYOUTS = (
    # RSS grouped: version 10-12, FINESS 16-24, RUM version 25-27, birth date 78-85, sex 86
    Layout(
        re.compile(rf"[0-9A-Z ]{{2}}.{{7}}1(?:1[5-9]|2\d)\d{{3}}{_FINESS}0(?:1[5-9]|2\d).{{50}}{_DAY}[123].{{54}}"),
        slice(47, 67),
        slice(77, 85),
        False,
    ),
    # RUM: FINESS 1-9, version 10-12, RSS number 13-32, stay 33-52, birth date 63-70, sex 71, entry 78-85
    Layout(
        re.compile(rf"{_FINESS}0(?:1[5-9]|2\d).{{20}}.{{20}}.{{10}}{_DAY}[123].{{6}}{_DAY}"),
        slice(32, 52),
        slice(62, 70),
        False,
    ),
    # RHS grouped: 10 blanks, version 11-13 M.., FINESS 14-22, stay 33-52, start 66-73, birth date 82-89, sex 90
    Layout(
        re.compile(rf" {{10}}M[0-9][0-9A-Z]{_FINESS}.{{10}}.{{20}}.{{13}}{_DAY}.{{8}}{_DAY}[123]"),
        slice(32, 52),
        slice(81, 89),
        False,
    ),
    # VID-HOSP: NIR 1-13, key 14-15, birth date 20-27, sex 28, stay 29-48, version 49-52, FINESS 53-61
    Layout(re.compile(rf"{_NIR}.{{4}}{_DAY}[123].{{20}}V0\d\d{_FINESS}"), slice(0, 13), slice(19, 27), True),
    # RSA (no birth date): FINESS 1-9, version 10-12, age in years 53-55 or in days 56-58, sex 59, exit month 62-67
    Layout(
        re.compile(rf"{_FINESS}2(?:1[89]|[23]\d).{{40}}[ \d]{{6}}[123].{{2}}(?:0[1-9]|1[0-2])20\d\d"),
        slice(0, 0),
        slice(0, 0),
        False,
    ),
    # ANO-HOSP: version 17-19 A.., stay 41-60, FINESS 78-86
    Layout(re.compile(rf"[0-9A-Z ]{{16}}A(?:1[2-9]|2\d).{{58}}{_FINESS}"), slice(40, 60), slice(0, 0), False),
    # RSF-ACE A: FINESS 2-10 and 11-19, NIR 22-34, key 35-36, birth date 76-83
    Layout(re.compile(rf"A{_FINESS}{_FINESS}.{{2}}{_NIR}.{{39}}{_DAY}"), slice(21, 34), slice(75, 83), True),
    # RSF-ACE B, C, ...: FINESS twice, NIR 20-32, key 33-34
    Layout(re.compile(rf"[BCHLMP]{_FINESS}{_FINESS}{_NIR}"), slice(19, 32), slice(0, 0), True),
    # B2 type 2: 128 characters, NIR 12-24, key 25-26, birth date 96-101
    Layout(re.compile(rf"2.{{10}}{_NIR}.{{69}}\d{{6}}.{{27}}"), slice(11, 24), slice(95, 101), True),
)


def recognise_pmsi(text: str) -> Recognised | None:
    """Judge fixed-width lines; None when fewer than three match a layout, or they are a minority of the records."""
    head = [line for line in _head(text) if len(line) >= _SHORTEST and line[1] in _SIGNS and _START.match(line)]
    families = _families(head) if head else []
    if not families:
        return None
    lines = _records(text, MAX_LINES)
    best: list[tuple[Layout, str]] = []
    for layouts in families:
        matched = [(layout, line) for line in lines for layout in layouts if layout.pattern.match(line)]
        if len(matched) > len(best):
            best = matched
    if len(lines) > 1 and best and best[-1][1] is not lines[-1] and _is_stump(lines[-1], best[-1][1]):
        lines = lines[:-1]  # the last record was cut
    if len(best) < min(3, len(lines)) or len(best) * 2 < len(lines):
        return None
    people = [_person(layout, line) for layout, line in best]
    nir = any(layout.has_nir for layout, _ in best)
    unnumbered = sum(not person.recognisable for person in people)  # anonymised stays: still one patient each
    return about(
        Kind.PMSI,
        people,
        clinical=len(best),
        confidence=STRONG,
        identifier_type=FindingType.NIR if nir else None,
        anonymous=unnumbered,
    )


def _is_stump(line: str, record: str) -> bool:
    return len(line) < len(record) and not any(map(str.islower, line)) and _START.match(line.ljust(9)) is not None


def _head(text: str) -> list[str]:
    return text[:_HEAD].lstrip("\ufeff").replace("\r", "").split("\n", _HEAD_LINES)[:_HEAD_LINES]


def _records(text: str, most: int) -> list[str]:
    return [line.rstrip("\r") for line in text.lstrip("\ufeff").split("\n", most)[:most] if line.strip()]


def _families(head: list[str]) -> list[tuple[Layout, ...]]:
    """The record families worth trying on the whole file: those that match one of its first lines."""
    families = (*((layout,) for layout in LAYOUTS[:6]), (LAYOUTS[6], LAYOUTS[7]), (LAYOUTS[8],))
    return [family for family in families if any(layout.pattern.match(line) for layout in family for line in head)]


def _person(layout: Layout, line: str) -> Person:
    number = "".join(line[layout.number].split())
    return Person(birth=line[layout.birth], identifiers=(number,) if number.strip("0") else ())
