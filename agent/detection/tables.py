"""Lists of patients in spreadsheets, databases and exports: one person a row, clinical columns beside.

Owns the judgement of a table: which columns name or number a person, which speak of care, which of staff, members,
goods or money; what the free cells say; how many distinct persons there are. Takes rows of cells, returns
``TableEvidence``. Headings are read by headings.py, cells by cells.py. Row keys are compared in memory and go nowhere.

A staff list has names, birth dates and NIR but no clinical column; statistics and price lists have clinical words but
nobody's row; a research table has ages and values under pseudonyms and is health data of nobody named.
"""

from __future__ import annotations

import re
from collections import Counter
from collections.abc import Sequence
from dataclasses import dataclass, replace
from itertools import pairwise

from agent.detection import cells as content
from agent.detection.cell_words import Words
from agent.detection.column_weights import AGAINST, FIGURES, FREE, NAMING, Seen, sides
from agent.detection.combine import sigmoid
from agent.detection.headings import is_heading, role_of, says_patient

Row = Sequence[str]
_HEADER_ROWS = 12  # the header is looked for in so many first rows
_SAMPLE = 120  # rows looked at for the content of columns
_MAX_ROWS = 200_000
_MAX_COLUMNS = 80
_MIN_ROWS = 2
_EMPTY = 0.3  # probability of a table with the columns of a list of patients and nobody in it
ROW = "#"
"""What the key of a row begins with of which no column says whose it is."""
_LABELS = frozenset(("name", "full-name", "subject", "id"))
_PERSONAL = _LABELS | {"birth", "age", "sex", "nir"}
_TURNED = (40, 40)  # rows and columns up to which persons may stand in columns instead


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
    found = _judge(rows[:_MAX_ROWS])
    if found.probability < 0.5 and _MIN_ROWS < len(rows) <= _TURNED[0]:
        width = max(map(len, rows))
        if _MIN_ROWS < width <= _TURNED[1] and not _is_form(rows, width):
            turned = _judge([tuple(row[at] if at < len(row) else "" for row in rows) for at in range(width)])
            about = _named_above([row for row in rows if not _names_several(row)])
            turned = replace(turned, identified=True, keys=frozenset((about,))) if about else turned
            found = turned if turned.probability >= 0.5 else found
    return found


def _is_form(rows: Sequence[Row], width: int) -> bool:
    """«Name | X | Born | Y»: labels in every other column, values of one person beside them."""
    if width % 2:
        return False
    labels = (row[at] for row in rows for at in range(2, width, 2) if at < len(row))
    return any(role_of(label.rstrip(" :")) in _PERSONAL for label in labels)


def count_rows(rows: Sequence[Row]) -> frozenset[str]:
    """One key a distinct person of a table that stands in a document about patients, whoever found that out.

    Empty when no column says who. Nothing is judged here: the members of a club are counted as well.
    """
    start, header = read_header(rows := rows[:_MAX_ROWS])
    body = rows[start:]
    if len(body) < _MIN_ROWS or max((len(row) for row in body[:_SAMPLE]), default=0) < 2:
        return frozenset()
    sample = body[:: max(1, len(body) // _SAMPLE)][:_SAMPLE]
    roles = _look(rows[:start], header, sample).roles
    if {*NAMING, "id", "nir"}.isdisjoint(roles.values()):
        roles = _named_column(header, sample)
        body = body[any(column < len(body[0]) and not content.is_full_name(body[0][column]) for column in roles) :]
    return _keys(body, roles) if roles else frozenset()


def _named_column(header: dict[int, str], sample: Sequence[Row]) -> dict[int, str]:
    """The first column of names of two words, whatever its heading, but for those of staff and of who gives care."""
    for column in range(min(_MAX_COLUMNS, max(len(row) for row in sample))):
        cells = [row[column] for row in sample if column < len(row) and row[column].strip()]
        if header.get(column, "") in {"staff", "signer", "care", "animal"} or 2 * len(cells) < len(sample):
            continue
        if content.are_full_names(cells, Words((cells,))):
            return {column: "full-name"}
    return {}


def _judge(rows: Sequence[Row]) -> TableEvidence:
    start, header = read_header(rows)
    body = rows[start:]
    if len(body) < _MIN_ROWS or max((len(row) for row in body[:_SAMPLE]), default=0) < 2:
        return TableEvidence()
    seen = _look(rows[:start], header, body[:: max(1, len(body) // _SAMPLE)][:_SAMPLE])
    body = body[1:] if not start and _is_unknown_header(body[0], seen.roles) else body
    roles = set(seen.roles.values())
    person, clinical = sides(seen)
    probability = sigmoid(person) * sigmoid(clinical)
    keys = _keys(body, seen.roles) if probability >= 0.5 else frozenset()
    about = _named_above(rows[:start]) if keys and roles.isdisjoint({*NAMING, "id", "nir"}) else ""
    keys = frozenset((about,)) if about else keys
    if probability >= 0.5 and not keys:
        probability = _EMPTY
    return TableEvidence(
        probability,
        person,
        clinical,
        identified=bool(about) or not roles.isdisjoint({*NAMING, "nir"}) or {"id", "birth"} <= roles,
        numbered="nir" in roles,
        keys=keys,
        columns=sum(role not in AGAINST for role in seen.roles.values()),
    )


def read_header(rows: Sequence[Row]) -> tuple[int, dict[int, str]]:
    """(row after the header, column → role) by header words; (0, {}) without a header."""
    best: tuple[int, dict[int, str]] = (0, {})
    for number, row in enumerate(rows[:_HEADER_ROWS]):
        roles = {column: role for column, cell in enumerate(row[:_MAX_COLUMNS]) if (role := role_of(cell))}
        if _tells(roles) > _tells(best[1]) and not _is_filled(row[:_MAX_COLUMNS]):
            best = (number + 1, roles)
    return best if len(best[1]) >= 2 else (0, {})


def _tells(roles: dict[int, str]) -> int:
    """How much a row looks like headings: cells of medicines are all of one role, headings of several."""
    kinds = set(roles.values())
    return len(roles) + 2 * len(kinds) + 3 * (not kinds.isdisjoint({*NAMING, "id", "birth", "nir"}))


def _named_above(rows: Sequence[Row]) -> str:
    """Whom a table of readings is about, by the label and the name above its headings, or ""."""
    pairs = (pair for row in rows for pair in pairwise(row[:_MAX_COLUMNS]))
    return next((value.strip().lower() for label, value in pairs if _is_labelled(label, value)), "")


def _names_several(row: Row) -> bool:
    """«Patient | DUPONT Jean | MARTIN Luc»: a row that names one person a column."""
    return any(content.is_written_name(cell) and content.is_written_name(after) for cell, after in pairwise(row))


def _is_labelled(label: str, value: str) -> bool:
    return role_of(label) in _LABELS and not role_of(value) and content.is_written_name(value)


def _is_filled(row: Row) -> bool:
    """Whether a row holds what stands below headings: a date, or a label with a person's name behind it."""
    dated = any(content.is_date(cell) or (role_of(cell) == "birth" and any(map(str.isdigit, cell))) for cell in row)
    return dated or any(_is_labelled(label, value) for label, value in pairwise(row))


def _is_unknown_header(first: Row, roles: dict[int, str]) -> bool:
    """Whether the first row has words where every other row has a date or a number: headings that nobody knows."""
    cells = [first[column] for column, role in roles.items() if role in FIGURES and column < len(first)]
    return bool(cells) and not any(char.isdigit() for cell in cells for char in cell)


def _look(head: Sequence[Row], header: dict[int, str], sample: Sequence[Row]) -> Seen:
    """Roles by heading and by cells; header words before contents, cells before headings of empty columns."""
    width = min(_MAX_COLUMNS, max(len(row) for row in sample))
    roles: dict[int, str] = {}
    confirmed = False
    words = Words(sample)
    unknown: list[tuple[int, list[str]]] = []
    for column in range(width):
        cells = [row[column] for row in sample if column < len(row) and row[column].strip()]
        said = header.get(column, "")
        below = content.role_by_cells(cells, words) if len(cells) >= max(_MIN_ROWS, len(sample) // 4) else ""
        confirmed |= said in {"diagnosis", "clinical", "vague"} and below in {"terms", "codes"}
        role = _settled(said, below, cells) if cells else said if said in AGAINST else ""
        if role:
            roles[column] = role
        elif len(cells) * 2 > len(sample):
            unknown.append((column, cells))
    _add_names(roles, unknown, words)
    titles = [cell for row in head for cell in row[:_MAX_COLUMNS]]
    return Seen(
        roles,
        patients=any(map(says_patient, titles)),
        staff=any(role_of(word) == "staff" for row in head[:-1] for cell in row[:3] for word in cell[:80].split()),
        confirmed=confirmed,
        free=_free(sample, roles, words),
    )


def _settled(said: str, below: str, cells: list[str]) -> str:
    """The role of a column whose heading says ``said`` and whose cells look like ``below``."""
    if said == "id" and content.share(cells, lambda cell: not any(map(str.isdigit, cell[:40]))) >= content.PASS:
        return "subject"  # «Patient», «Resident», with words below it: names, not numbers
    if said in {"id", "name", "birth", "other"} and below in {"person", "full-name", "nir"}:
        return below
    if said == "name" and below in {"terms", "codes"}:
        return "other"  # medicines and diagnoses have names too
    if said == "vague" and below in {"terms", "codes"}:
        return "clinical"
    return said or below


def _add_names(roles: dict[int, str], unknown: list[tuple[int, list[str]]], words: Words) -> None:
    """Beside birth dates or numbers, columns of capitalised words are names."""
    if NAMING.isdisjoint(roles.values()) and not {"birth", "nir"}.isdisjoint(roles.values()):
        for column, cells in unknown:
            if content.are_names(cells, words) and sum(role == "name" for role in roles.values()) < 2:
                roles[column] = "name"


def _free(sample: Sequence[Row], roles: dict[int, str], words: Words) -> float:
    """How much (0 to 1) the cells that are nobody's name, number or date, and no goods, speak of care."""
    rows, said = 0, set()
    for row, times in Counter(tuple(row[:_MAX_COLUMNS]) for row in sample).items():
        found: set[bytes] = set()
        for column, cell in enumerate(row):
            if roles.get(column, "") in FREE:
                found |= words.clinical(cell)
        rows += times * bool(found)
        said |= found
    share, distinct = rows / len(sample), len(said) / min(4, max(2, len(sample)))
    return min(1.0, share / 0.35) * min(1.0, distinct)


def _keys(body: Sequence[Row], roles: dict[int, str]) -> frozenset[str]:
    """One key a distinct person: by number where the row has one, else by name and birth date, else by row.

    A sum at the foot, a blank line and a header that a long list repeats are nobody.
    """
    numbers = [column for wanted in ("nir", "id") for column, role in roles.items() if role == wanted][:1]
    told = {*NAMING, "birth" if "birth" in roles.values() else "age"}  # what tells namesakes apart
    naming = [column for column, role in roles.items() if role in told]
    told_by = [(_values(row, numbers), _values(row, naming)) for row in body]
    if numbers and _numbers_visits(told_by, naming, roles):
        numbers = []
        told_by = [([], names) for _, names in told_by]
    least = min(2, len(naming)) if numbers or len(naming) > 1 else 1
    keys = set()
    for place, (number, names) in enumerate(told_by):
        if any(map(is_heading, number)) or any(map(is_heading, names)):
            continue
        if number:
            keys.add(number[0] if number[0].isalnum() else _SEPARATORS.sub("", number[0]))
        elif naming and len(names) >= least:
            keys.add("|".join(names))
        elif not numbers and not naming and any(cell.strip() for cell in body[place]):
            keys.add(f"{ROW}{place}")
    return frozenset(keys)


def _numbers_visits(pairs: list[tuple[list[str], list[str]]], naming: list[int], roles: dict[int, str]) -> bool:
    """Whether the number is that of a stay or a visit: every row with a name and a birth date, and fewer persons than
    numbers. ``pairs``: the number and the names of each row.
    """
    if NAMING.isdisjoint(roles[column] for column in naming) or "birth" not in roles.values():
        return False
    whole = [(number[0], "|".join(names)) for number, names in pairs if number and len(names) == len(naming)]
    if len(whole) < 0.9 * sum(bool(number) for number, _ in pairs):
        return False
    return len({names for _, names in whole}) < 0.97 * len({number for number, _ in whole})


_SEPARATORS = re.compile(r"[\s./-]")


def _values(row: Row, columns_of: Sequence[int]) -> list[str]:
    """What stands in these columns of a row, without blanks around and within, in one case."""
    found = []
    for column in columns_of:
        words = row[column].lower().split() if column < len(row) else ()
        if words:
            found.append(words[0] if len(words) == 1 else " ".join(words))
    return found
