"""Tables that refer to one another: the persons in one, their care in the other, as databases keep them.

Owns finding which column of one table holds the numbers of the persons of another, and laying both side by side, one
row of care with its person. Takes tables with their heading rows, returns further tables; judges nothing. Bounded: few
tables, few rows.
"""

from __future__ import annotations

from collections.abc import Iterator, Sequence

from agent.detection.fold import fold_term
from agent.detection.headings import role_of, says_patient

Row = Sequence[str]
_MOST_TABLES = 60
_MOST_JOINS = 12
_MOST_ROWS = 5_000
_FITTING = 0.9  # share of the references that must be known
_KEYS = frozenset(b"id nr no num numero nummer ref code key cle pk fk ident uid guid".split())
_PERSONS = frozenset({"name", "full-name", "birth", "nir"})


def joined(tables: Sequence[Sequence[Row]]) -> Iterator[list[tuple[str, ...]]]:
    """Tables laid side by side where one refers to the persons of another by number."""
    if not 1 < len(tables) <= _MOST_TABLES:
        return
    made = 0
    for place, people in enumerate(tables):
        key = _own_key(people)
        if key is None:
            continue
        known = {row[key]: row for row in people[1:_MOST_ROWS] if key < len(row) and row[key]}
        for other, care in enumerate(tables):
            column = _reference(care, people[0][key], known) if other != place else None
            if column is not None and made < _MOST_JOINS:
                made += 1
                yield _side_by_side(people, known, care, column)


def _own_key(table: Sequence[Row]) -> int | None:
    """The column that numbers the rows of a table of persons; None when it is none."""
    if len(table) < 3 or sum(role_of(cell) in _PERSONS for cell in table[0]) < 2:
        return None
    body = table[1:_MOST_ROWS]
    for column, cell in enumerate(table[0][:6]):
        if _KEYS.isdisjoint(fold_term(cell).split()) and not _ends_as_key(cell) and role_of(cell) != "id":
            continue
        values = [row[column] for row in body if column < len(row)]
        if all(values) and len(set(values)) == len(values) == len(body):
            return column
    return None


def _ends_as_key(cell: str) -> bool:
    return fold_term(cell).endswith((b"id", b"nr", b"num", b"ref", b"key"))


def _reference(table: Sequence[Row], own: str, known: dict[str, Row]) -> int | None:
    """The column of ``table`` that holds numbers of known persons, by its heading and by its values."""
    body = table[1:_MOST_ROWS]
    for column, cell in enumerate(table[0] if len(table) > 1 else ()):
        if not _may_refer(cell, own, column):
            continue
        values = [row[column] for row in body if column < len(row) and row[column]]
        if values and sum(value in known for value in values) >= _FITTING * len(values):
            return column
    return None


def _may_refer(cell: str, own: str, column: int) -> bool:
    """A heading that names a person or a number, and is not the plain number of the table's own rows."""
    word = fold_term(cell)
    if word in _KEYS:
        return word == fold_term(own) and column > 0
    return word == fold_term(own) or says_patient(cell) or role_of(cell) == "id" or (_ends_as_key(cell) and column < 6)


def _side_by_side(
    people: Sequence[Row], known: dict[str, Row], care: Sequence[Row], column: int
) -> list[tuple[str, ...]]:
    """Each row of care behind its person, then the persons of whom there is none."""
    width = len(people[0])

    def line(person: Row, row: Row) -> tuple[str, ...]:
        padded = (*person[:width], *("" for _ in range(width - len(person))))
        return (*padded, *(cell for at, cell in enumerate(row) if at != column))

    lines = [line(people[0], care[0])]
    seen = set()
    for row in care[1:_MOST_ROWS]:
        person = known.get(row[column]) if column < len(row) else None
        if person is not None:
            seen.add(row[column])
            lines.append(line(person, row))
    lines.extend(line(person, ()) for number, person in known.items() if number not in seen)
    return lines
