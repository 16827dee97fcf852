"""One row of an export → one patient in the forms that are entered, or why it is not usable. Pure.

A row is used when it has a family name, a given name and a birth date, or a number that holds its check. What is not
usable is counted with its row number; it never stops the loading.
"""

from __future__ import annotations

import re
from collections.abc import Sequence
from dataclasses import dataclass, field
from datetime import date
from enum import IntEnum

from agent.detection.identifiers import birth
from agent.detection.roster.dates import dates_of
from agent.detection.roster.names import family_forms, given_forms, split_full_name
from agent.detection.roster.numbers import nir_form, record_form, sure
from agent.patients.columns import Field

_NUMERIC = re.compile(r"\s*(\d{1,4})\s?[-/. ]\s?(\d{1,2})\s?[-/. ]\s?(\d{4}|\d{2})(?:[ T].{0,20})?\s*", re.DOTALL)
_SERIAL = re.compile(r"\s*(\d{4,5})(?:\.0+)?\s*")  # a spreadsheet's day number
_EPOCH = date(1899, 12, 30).toordinal()
_CIVILITY = re.compile(
    r"\s*(?:mr?|mme|mlle|mle|mrs|ms|monsieur|madame|mademoiselle|enfant|bébé|dr)\b\.?\s+", re.IGNORECASE
)
_OTHER_NAME = re.compile(
    r"[()/]|\b(?:née?|nee|épouse|epouse|ép|ep|veuve|vve|divorcée?|dite?)\b\.?", re.IGNORECASE
)  # « DUPONT née MARTIN », « MARTIN (ép. DUPONT) »
_MAX_FAMILIES = 8
_MAX_CELL = 200  # characters


class Reason(IntEnum):
    """Why a row, or a number in it, is not used. The numbers travel between child and parent."""

    NO_NAME = 1  # no family name or no given name
    NO_BIRTH = 2  # no birth date, or none that is a day
    EMPTY = 3  # nothing in the columns that count
    BAD_NUMBER = 4  # the row is used, its social security number is not: its key is wrong


@dataclass(frozen=True, slots=True, repr=False)
class Patient:
    """What is entered for one patient: every form of the names, folded; ISO birth dates; numbers in their form."""

    families: tuple[bytes, ...] = ()
    givens: tuple[bytes, ...] = ()
    births: tuple[bytes, ...] = ()
    nir: bytes = b""
    records: tuple[bytes, ...] = ()


@dataclass(slots=True)
class RowReader:
    """Reads the rows of one table. ``month_first``: its dates are written as in the United States."""

    columns: dict[int, Field]
    month_first: bool = False
    _of: dict[Field, list[int]] = field(init=False)

    def __post_init__(self) -> None:
        self._of = {wanted: [at for at, found in sorted(self.columns.items()) if found is wanted] for wanted in Field}

    def read(self, row: Sequence[str]) -> tuple[Patient | None, Reason | None]:
        """The patient of a row, or None; and what is wrong with the row, if anything."""
        families, givens = self._names(row)
        births = self._births(row)
        numbers = self._cells(row, Field.NIR)
        nir = next(filter(None, map(nir_form, numbers)), b"")
        records = tuple(filter(None, map(record_form, self._cells(row, Field.RECORD))))
        if not (families or givens or births or numbers or records):
            return None, Reason.EMPTY
        if not births:
            records = tuple(filter(sure, records))  # a short number says nothing without the birth date
        named = bool(families and givens and births)
        if not named:
            families, givens = (), ()
        if not (named or nir or records):
            return None, Reason.NO_BIRTH if not births else Reason.NO_NAME
        patient = Patient(families, givens, births, nir, records)
        return patient, Reason.BAD_NUMBER if numbers and not nir else None

    def _names(self, row: Sequence[str]) -> tuple[tuple[bytes, ...], tuple[bytes, ...]]:
        cells = self._cells(row, Field.FAMILY) + self._cells(row, Field.BIRTH_NAME)
        given = " ".join(self._cells(row, Field.GIVEN))
        full = self._cells(row, Field.FULL_NAME)
        pairs = [(family, given) for cell in cells for family in _several(cell)] if given else []
        if not pairs:
            pairs = [pair for cell in (full or cells) for part in _several(cell) for pair in split_full_name(part)]
        families = dict.fromkeys(form for family, _ in pairs for form in family_forms(family))
        givens = dict.fromkeys(form for _, names in pairs for form in given_forms(names))
        return tuple(families)[:_MAX_FAMILIES], tuple(givens)

    def _births(self, row: Sequence[str]) -> tuple[bytes, ...]:
        for cell in self._cells(row, Field.BIRTH_DATE):
            found = birth_dates(cell, month_first=self.month_first)
            if found:
                return found
        return ()

    def _cells(self, row: Sequence[str], wanted: Field) -> list[str]:
        return [row[at][:_MAX_CELL] for at in self._of[wanted] if at < len(row) and row[at].strip()]


def _several(cell: str) -> list[str]:
    """The names in a cell that gives more than one: in use and by birth."""
    pieces = _OTHER_NAME.split(f" {_CIVILITY.sub('', cell, count=1)} ")
    return [piece for piece in pieces if piece and piece.strip()]


def birth_dates(cell: str, *, month_first: bool) -> tuple[bytes, ...]:
    """The birth date of a cell; two when its year has two digits and both centuries are possible."""
    numeric = _NUMERIC.fullmatch(cell)
    if numeric is None:
        serial = _SERIAL.fullmatch(cell)
        if serial:
            day = date.fromordinal(_EPOCH + int(serial[1]))
            return _valid([(day.year, day.month, day.day)])
        found = dates_of(cell)
        return tuple(iso.encode() for iso in found[:1])
    first, second, third = numeric.groups()
    if len(first) > 2:
        return _valid([(int(first), int(second), int(third))]) if len(first) == 4 and len(third) == 2 else ()
    day_, month = (int(second), int(first)) if month_first else (int(first), int(second))
    years = [int(third)] if len(third) == 4 else [1900 + int(third), 2000 + int(third)]
    return _valid([(year, month, day_) for year in years])


def _valid(days: list[tuple[int, int, int]]) -> tuple[bytes, ...]:
    return tuple(iso.encode() for year, month, day in days if (iso := birth.date(year, month, day)))


def writes_month_first(cells: Sequence[str]) -> bool:
    """Whether a column of dates is written month first: its second number exceeds twelve somewhere, its first never."""
    second_over = False
    for cell in cells:
        found = _NUMERIC.fullmatch(cell[:40])
        if found is None or len(found[1]) > 2:
            continue
        if int(found[1]) > 12:
            return False
        second_over = second_over or int(found[2]) > 12
    return second_over
