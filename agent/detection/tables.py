"""Lists of patients in spreadsheets and CSV files: one person a row, clinical columns beside.

Owns the reading of tables: which columns name or number a person, which speak of care, which of staff, members, goods
or money; how many distinct persons there are. Takes rows of cells, returns ``TableEvidence``. Header words count, and
so does what stands below them, because exports come without headers. Row keys are compared in memory and go nowhere.

A staff list has names, birth dates and NIR but no clinical column; statistics and price lists have clinical words but
nobody's row; a research table has ages and values under pseudonyms and is health data of nobody named.
"""

from __future__ import annotations

import re
from collections.abc import Sequence
from dataclasses import dataclass
from functools import lru_cache

from agent.detection.combine import sigmoid
from agent.detection.fold import fold, fold_term
from agent.detection.lexicon import columns, entries
from agent.detection.matcher import matcher
from agent.detection.morphology import shaped

Row = Sequence[str]
_HEADER_ROWS = 12  # the header is looked for in so many first rows
_SAMPLE = 120  # rows looked at for the content of columns
_MAX_ROWS = 200_000
_MAX_COLUMNS = 80
_MIN_ROWS = 2
_PASS = 0.6  # share of a column's cells that must have its shape
_DATE = re.compile(
    r"\s*(?:(?:[0-3]?\d)[-/.](?:[01]?\d)[-/.]((?:1[89]|20)\d\d)|"
    r"((?:1[89]|20)\d\d)-(?:[01]\d)-(?:[0-3]\d))(?:[T ].{0,12})?\s*"
)
_CODE = re.compile(r"\s*[A-TV-Z]\d{2}(?:\.\d{1,2}|\d)?(?:\s+\D.*)?\s*")
_NIR = re.compile(r"\D*([12378])\D?(\d\d)\D?(0[1-9]|1[0-2]|[2-9]\d)\D?(\d\d|2[AB])\D?(\d{3})\D?(\d{3})\D{0,3}(\d\d)\s*")
_FULL_NAME = re.compile(r"\s*(?:(?:M|Mr|Mme|Mlle|Mrs|Ms)\.?\s+)[A-Z][\w'-]+(?:\s+[A-Z][\w'-]+)+\s*")


@dataclass(frozen=True, slots=True)
class TableEvidence:
    """What one table shows. ``keys`` are opaque: one a distinct person, never shown."""

    probability: float = 0.0  # that it is a list of patients
    person: float = 0.0  # log-odds that each row is a person
    clinical: float = 0.0  # log-odds that the columns speak of care
    identified: bool = False
    numbered: bool = False  # a column of social security numbers with valid keys
    keys: frozenset[str] = frozenset()
    columns: int = 0  # columns about persons and care


def read_table(rows: Sequence[Row]) -> TableEvidence:
    """Judge one table. Work is bounded: a sample of rows for the columns, one pass over the rows to count persons."""
    rows = rows[:_MAX_ROWS]
    start, roles = _header(rows)
    body = rows[start:]
    if len(body) < _MIN_ROWS or max((len(row) for row in body[:_SAMPLE]), default=0) < 2:
        return TableEvidence()
    step = max(1, len(body) // _SAMPLE)
    sample = body[::step][:_SAMPLE]
    content = _by_content(sample)
    roles = _roles(roles, content, sample)
    person, clinical = _sides(roles)
    confirmed = [column for column, role in content.items() if role in {"terms", "codes"}]
    if any(roles[column] in {"diagnosis", "clinical"} for column in confirmed):
        clinical += _CONFIRMED
    named = any(role in {"name", "nir", "full-name"} for role in roles.values()) or _numbered_people(roles)
    probability = sigmoid(person) * sigmoid(clinical)
    return TableEvidence(
        probability,
        person,
        clinical,
        identified=named,
        numbered="nir" in roles.values(),
        keys=_keys(body, roles) if probability >= 0.5 else frozenset(),
        columns=sum(role not in {"other", ""} for role in roles.values()),
    )


def _header(rows: Sequence[Row]) -> tuple[int, dict[int, str]]:
    """(row after the header, column → role) by header words; (0, {}) without a header."""
    best: tuple[int, dict[int, str]] = (0, {})
    for number, row in enumerate(rows[:_HEADER_ROWS]):
        roles = {column: role for column, cell in enumerate(row[:_MAX_COLUMNS]) if (role := _role(cell))}
        if len(roles) > len(best[1]):
            best = (number + 1, roles)
    return best if len(best[1]) >= 2 else (0, {})


def _roles(header: dict[int, str], content: dict[int, str], sample: Sequence[Row]) -> dict[int, str]:
    """Header words before contents, but a column «Patient» full of words holds names, not numbers."""
    roles = {**content, **header}
    for column, role in header.items():
        cells = [row[column] for row in sample if column < len(row) and row[column].strip()]
        if role == "id" and cells and _share(cells, lambda cell: not any(map(str.isdigit, cell[:40]))) >= _PASS:
            roles[column] = "full-name"
    return roles


def _role(cell: str) -> str:
    if not 1 < len(cell) <= 60:
        return ""
    word, known = fold_term(cell), columns()
    found = known.get(word) or known.get(word.replace(b" e ", b" ")) or _compact().get(word.replace(b" ", b""), "")
    return found or ("clinical" if word in _measures() else "")


@lru_cache(maxsize=1)
def _compact() -> dict[bytes, str]:
    """Headings of several words as databases write them: DATENAISSANCE."""
    return {word.replace(b" ", b""): role for word, role in columns().items() if b" " in word and len(word) > 6}


@lru_cache(maxsize=1)
def _measures() -> frozenset[bytes]:
    """Lexicon entries that make a clinical column: analytes, vital signs, medicines."""
    return frozenset(
        entry.text for entry in entries() if len(entry.text) > 2 and any(map(entry.has, ("analyte", "vital", "drug")))
    )


def _by_content(sample: Sequence[Row]) -> dict[int, str]:
    """Column → role by what its cells look like; header words, where there are, take precedence."""
    width = min(_MAX_COLUMNS, max(len(row) for row in sample))
    roles = {}
    for column in range(width):
        cells = [row[column] for row in sample if column < len(row) and row[column].strip()]
        role = _content_role(cells) if len(cells) >= max(_MIN_ROWS, len(sample) // 4) else ""
        if role:
            roles[column] = role
    return roles


def _content_role(cells: list[str]) -> str:
    if _share(cells, _valid_nir) >= _PASS:
        return "nir"
    years = [int(found[1] or found[2]) for cell in cells if (found := _DATE.fullmatch(cell[:40]))]
    if len(years) >= _PASS * len(cells):
        return "birth" if max(years) - min(years) >= 15 and sorted(years)[len(years) // 2] < 2012 else ""
    if _share(cells, lambda cell: _FULL_NAME.fullmatch(cell[:60]) is not None) >= _PASS:
        return "full-name"
    if _share(cells, lambda cell: _CODE.fullmatch(cell[:80]) is not None) >= _PASS and len(set(cells)) > 1:
        return "codes"
    return "terms" if _share(cells, _clinical_cell) >= _PASS / 2 else ""


def _share(cells: list[str], test: object) -> float:
    return sum(bool(test(cell)) for cell in cells) / len(cells) if callable(test) else 0.0


def _valid_nir(cell: str) -> bool:
    found = _NIR.fullmatch(cell[:40]) if sum(map(str.isdigit, cell[:40])) >= 14 else None
    if found is None:
        return False
    body = "".join(found.groups()[:6]).replace("2A", "19").replace("2B", "18")
    return body.isdigit() and 97 - int(body) % 97 == int(found[7])


def _clinical_cell(cell: str) -> bool:
    if not 2 < len(cell) < 400:
        return False
    words = fold(cell).words
    found = any(any(map(match.entry.has, _TOLD)) for match in matcher().find(words))
    return found or any(True for _ in shaped(words))


_TOLD = ("term", "drug", "phrase", "analyte")  # entries that make a cell one of care
_PERSON = {"id": 2.6, "name": 1.4, "full-name": 3.4, "birth": 2.6, "nir": 2.6, "age": 1.2, "sex": 1.0}
_CLINICAL = {"diagnosis": 3.4, "clinical": 1.9, "care": 0.8, "codes": 2.2, "terms": 3.4, "id": 0.9}
_CAPS = {"diagnosis": 5.5, "clinical": 6.0, "care": 2.0, "codes": 2.2, "terms": 3.8, "other": 4.5}
_CONFIRMED = 1.0  # the cells of a column with a clinical header are clinical words or codes
_PRIOR = -3.0


def _sides(roles: dict[int, str]) -> tuple[float, float]:
    found = list(roles.values())
    person = _PRIOR + sum(weight for role, weight in _PERSON.items() if role in found)
    person += 0.6 if found.count("name") > 1 else 0.0  # family and first name
    clinical = _PRIOR + sum(
        min(weight * found.count(role), _CAPS.get(role, weight)) for role, weight in _CLINICAL.items()
    )
    clinical -= min(1.1 * found.count("other"), _CAPS["other"])
    return person, clinical


def _numbered_people(roles: dict[int, str]) -> bool:
    """A hospital's own number beside a birth date tells a person."""
    return "id" in roles.values() and "birth" in roles.values()


def _keys(body: Sequence[Row], roles: dict[int, str]) -> frozenset[str]:
    """One key a distinct person: by number where the row has one, else by name and birth date, else by row.

    A sum at the foot, a blank line and a header that a long list repeats are nobody.
    """
    numbers = [column for wanted in ("nir", "id") for column, role in roles.items() if role == wanted][:1]
    told = {"full-name", "name", "birth" if "birth" in roles.values() else "age"}  # what tells namesakes apart
    naming = [column for column, role in roles.items() if role in told]
    least = min(2, len(naming)) if numbers or len(naming) > 1 else 1
    keys = set()
    for place, row in enumerate(body):
        number, names = _values(row, numbers), _values(row, naming)
        if any(_role(value) for value in number + names):
            continue
        if number:
            keys.add(_SEPARATORS.sub("", number[0]))
        elif naming and len(names) >= least:
            keys.add("|".join(names))
        elif not numbers and not naming and any(cell.strip() for cell in row):
            keys.add(f"#{place}")
    return frozenset(keys)


_SEPARATORS = re.compile(r"[\s./-]")


def _values(row: Row, columns_of: Sequence[int]) -> list[str]:
    """What stands in these columns of a row, without blanks around and within, in one case."""
    cells = (" ".join(row[column].lower().split()) for column in columns_of if column < len(row))
    return [cell for cell in cells if cell]
