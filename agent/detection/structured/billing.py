"""French billing to health insurance: B2 and NOEMIE records of 128 characters, RSF lines, logs of electronic claims.

Sources: CNAM norme B2, NOEMIE « cahier des charges » (records of 128 characters, the first ``000``, the last ``999``),
ATIH RSF. Their versions move the number of the insured person, so it is looked for: a column in which social security
numbers with a right key stand line after line. Nomenclature files share the header and hold nobody's number.
"""

from __future__ import annotations

import re
from collections import Counter, defaultdict
from collections.abc import Iterable, Iterator

from agent.detection.linear import anywhere
from agent.detection.structured.base import STRONG, Person, Recognised, about
from agent.findings import FindingType, Kind

RECORD = 128  # characters
_MAX_LINES = 100_000
_SAMPLE = 400  # lines in which the column is looked for
_FEW = 40  # records: so short a file needs one number only
_NIR = re.compile(r"(?=([1-478]\d\d(?:0[1-9]|1[0-2]|[2-9]\d)(?:\d\d|2[AB])\d{6}\d{2}))")
_CLAIM_LINE = re.compile(r"[A-Z]\d[\dAB]0\d{6}")  # type letter and FINESS
_CLAIMS = re.compile(
    r"\b(?:FSE|DRE|SESAM|VITALE|feuilles? de soins|NGAP|CCAM|b[ée]n[ée]f(?:iciaire)?|assur[ée]|lot de facturation)\b",
    re.IGNORECASE,
)
_LONG_NUMBER = re.compile(r"[12]\d\d[01]\d\d[\dAB]\d{6}")
_may_be_number = anywhere(rb"[12][0-9?]{2}[01][0-9?]{2}[0-9AB?][0-9?]{6}")
_DIGITS = 12  # of those thirteen signs, where Corsica has a letter
_NO_DIGITS = bytes(set(range(256)) - set(b"0123456789?"))
_LOG_NIR = re.compile(r"(?<![\dA-Za-z])([12]\d\d(?:0[1-9]|1[0-2])(?:\d\d|2[AB])\d{6})[ /]?(\d\d)(?!\d)")


def recognise_billing(text: str) -> Recognised | None:
    """Judge claims; None when no column, and no line of a log, holds numbers of insured persons."""
    start = text.lstrip("\ufeff")[:RECORD]
    if start[:1] in {"0", "3"} and start[:3].strip().isdigit():
        records = _records(text)
        return _numbered(records) if records else None
    if _CLAIM_LINE.match(start):
        lines = [line.rstrip("\r") for line in text.split("\n", _MAX_LINES)[:_MAX_LINES] if line.strip()]
        fitting = [line for line in lines if _CLAIM_LINE.match(line)]
        return _numbered(fitting) if len(fitting) >= 3 and len(fitting) * 10 >= len(lines) * 9 else None
    if not _may_hold_number(text[:4_000]):
        return None
    return _claims_log(text) if _LONG_NUMBER.search(text, 0, 4_000) and _CLAIMS.search(text, 0, 4_000) else None


def _may_hold_number(text: str) -> bool:
    """Whether a number may stand there: digits enough, and in one place. A sign unknown to Latin-1 may be one."""
    plain = text.encode("latin-1", "replace")
    return len(plain.translate(None, _NO_DIGITS)) >= _DIGITS and _may_be_number(plain)


def _records(text: str) -> list[str]:
    """Records of 128 characters, with or without line ends; empty when the text is none of that."""
    text = text[:16_000_000].lstrip("\ufeff")
    first = text.split("\n", 1)[0].rstrip("\r")
    if len(first) >= 3 * RECORD and first.startswith("000") and first[RECORD : RECORD + 1].isdigit():
        return [first[at : at + RECORD] for at in range(0, len(first), RECORD)][:_MAX_LINES]
    lines = [line.rstrip("\r") for line in text.split("\n", _MAX_LINES)[:_MAX_LINES] if line.strip()]
    full = sum(len(line) == RECORD for line in lines)
    return lines if len(lines) >= 3 and full * 10 >= len(lines) * 8 else []


def _right_key(number: str) -> bool:
    body = number[:13].replace("2A", "19").replace("2B", "18")
    return body.isdigit() and 97 - int(body) % 97 == int(number[13:])


def _numbers(line: str) -> Iterator[tuple[int, str]]:
    """(column, number) of everything in a record that is a social security number by its shape and key."""
    for found in _NIR.finditer(line):
        if _right_key(found[1]):
            yield found.start(), found[1]


def _numbered(lines: list[str]) -> Recognised | None:
    """By kind of record (its first character), the column that holds numbers in most of them."""
    seen: Counter[tuple[str, int]] = Counter()
    kinds = Counter(line[0] for line in lines[:_SAMPLE])
    for line in lines[:_SAMPLE]:
        seen.update((line[0], column) for column, _ in _numbers(line))
    least = 1 if len(lines) < _FEW else 2
    columns: dict[str, int] = {}
    for (kind, column), count in seen.most_common():
        if count >= max(least, kinds[kind] * 0.4) and kind not in columns:
            columns[kind] = column
    cells = [line[column : column + 15] for line in lines if (column := columns.get(line[0], -1)) >= 0]
    return _answer(cell[:13] for cell in cells if _NIR.match(cell) and _right_key(cell)) if columns else None


def _claims_log(text: str) -> Recognised | None:
    """A log of claims: lines that hold a number with its key and a word of claims."""
    numbers: dict[str, set[str]] = defaultdict(set)
    for line in text[:4_000_000].split("\n", _MAX_LINES):
        for found in _LOG_NIR.finditer(line):
            if _right_key(found[1] + found[2]) and _CLAIMS.search(line):
                numbers[found[1]].add(line[:200])
    return _answer(numbers) if sum(len(lines) for lines in numbers.values()) >= 3 else None


def _answer(numbers: Iterable[str]) -> Recognised | None:
    people = [Person(identifiers=(number,)) for number in numbers]
    if not people:
        return None
    return about(Kind.PMSI, people, clinical=len(people), confidence=STRONG, identifier_type=FindingType.NIR)
