"""What stands below a heading: dates of birth, names, social security numbers, codes, clinical words.

Owns the shapes of cells, for exports without headings and for columns whose heading says nothing. Takes the cells of
one column, returns its role or ""; knows no heading. Nothing of a cell is kept.
"""

from __future__ import annotations

import re
from collections import Counter
from collections.abc import Callable, Sequence

from agent.detection.cell_words import Words

PASS = 0.6  # share of a column's cells that must have its shape
_LEAST = 2
_OLDEST, _SPREAD, _GROWN = 1890, 15, 2012
_DATE = re.compile(
    r"\s*(?:[0-3]?\d[-/. ][01]?\d[-/. ]((?:18|19|20)\d\d)"
    r"|((?:18|19|20)\d\d)[-/.](?:[01]?\d)[-/.](?:[0-3]?\d)"
    r"|((?:18|19|20)\d\d)(?:0[1-9]|1[0-2])(?:0[1-9]|[12]\d|3[01])"
    r"|(?:0[1-9]|[12]\d|3[01])(?:0[1-9]|1[0-2])((?:19|20)\d\d)"
    r"|[0-3]?\d[-/.][01]?\d[-/.](\d\d))(?:[T ].{0,15})?\s*"
)
_CODE = re.compile(r"\s*[A-TV-Z]\d{2}(?:\.\d{1,2}|\d)?(?:\s+\D.*)?\s*")
# acts of care: CCAM, and the key letters of the French NGAP with their factor
_ACT = re.compile(
    r"\s*(?:[A-HJ-NP-Z][A-Z]{3}\d{3}|(?:\d{1,3} ?x ?)?(?:AM[IKSCYPOX]|AIS|BS[ABC]|DI|SF|SP|TLS|IF[ADS]|IK"
    r"|MAU|MCI|COE|MEG)\s?\d{0,2}(?:[.,/]\d{1,2})?(?:\W.{0,40})?)\s*"
)
_NIR = re.compile(r"\D*([12378])\D?(\d\d)\D?(0[1-9]|1[0-2]|[2-9]\d)\D?(\d\d|2[AB])\D?(\d{3})\D?(\d{3})\D{0,3}(\d\d)\s*")
_CAPITALS = r"[A-ZÀ-ÖØ-Þ][A-ZÀ-ÖØ-Þ'’]+(?:-[A-ZÀ-ÖØ-Þ]+)*"
_WORD = r"[A-ZÀ-ÖØ-Þ][\w'’]*[a-zß-ÿ]+(?:-[A-ZÀ-ÖØ-Þ]?[a-zß-ÿ]+)*"
_PARTICLES = "de|du|la|le|van|von|der|den|ter|ten|di|da|del|dos|el|ben|zu|DE|VAN|DER|DI|LE|LA"
_PARTICLE = rf"(?:(?:{_PARTICLES}) )*"
_PARTICLE_WORDS = frozenset(_PARTICLES.split("|"))
_CIVILITY = (
    r"(?:M|Mr|Mme|Mlle|Mrs|Ms|Miss|Mx|Monsieur|Madame|Herr|Frau|Hr|Fr|Sig|Sig\.?ra|Sr|Sra|D|Dña|Dhr|Mw|Mevr|Pan|Pani)"
)
_FULL_NAME = re.compile(
    rf"\s*(?:{_CIVILITY}\.? +(?:[A-Z]\.? ?){{0,3}}{_PARTICLE}(?:{_CAPITALS}|{_WORD})(?: +[\w'’-]+){{0,3}}"
    rf"|{_PARTICLE}{_CAPITALS}(?: +{_CAPITALS}){{0,2}},? +{_WORD}(?: {_WORD})?"
    rf"|{_WORD} +{_CAPITALS}(?: {_CAPITALS})?)\s*"
)
_NAME = re.compile(
    rf"\s*{_PARTICLE}(?:{_CAPITALS}|{_WORD}|[A-Z]'[A-Z]\w+)"
    rf"(?:[ ,]+{_PARTICLE}(?:{_CAPITALS}|{_WORD}|[A-Z]\.?)){{0,3}}\s*"
)
_WITH_BIRTH = re.compile(
    rf"\s*(?:{_CIVILITY}\.? +)?{_PARTICLE}(?:{_CAPITALS}|{_WORD})[^\d\n]{{0,60}}[ (,*]"
    r"(?:[0-3]?\d[-/.][01]?\d[-/.](?:(?:19|20)\d\d|\d\d)|(?:19|20)\d\d-[01]\d-[0-3]\d)\W{0,3}.{0,60}"
)
_DIGITS = 14  # of a social security number at least, of 15 signs


def role_by_cells(cells: Sequence[str], words: Words) -> str:
    """Role of a column by its cells that are not empty, or "": nir, birth, person (name with birth date), full-name,
    codes, terms. ``words`` are those of the table.
    """
    if len(cells) < _LEAST:
        return ""
    told = Counter(cells)  # lists repeat themselves
    if _most(told, valid_nir):
        return "nir"
    years = birth_years(told)
    if years or _most(told, is_date):
        return "birth" if years else ""
    for role, shape in (("person", _WITH_BIRTH), ("full-name", _FULL_NAME), ("codes", _CODE), ("codes", _ACT)):
        if _like(told, shape) and len(told) > 1:
            return role if role == "codes" or not _most(told, words.is_clinical, PASS / 2) else "terms"
    return "terms" if _most(told, words.is_clinical, PASS / 2) else ""


def birth_years(cells: Counter[str]) -> list[int]:
    """Years of a column of dates that are spread as birth dates are; [] for any other column."""
    years = [year for cell, times in cells.items() if (year := _year(cell)) for _ in range(times)]
    if len(years) < PASS * cells.total() or len(years) < _LEAST:
        return []
    middle = sorted(years)[len(years) // 2]
    return years if max(years) - min(years) >= _SPREAD and _OLDEST <= middle < _GROWN else []


def _year(cell: str) -> int:
    found = _DATE.fullmatch(cell[:40])
    if found is None:
        return 0
    if found[5]:
        return int(found[5]) + (1900 if int(found[5]) > 27 else 2000)
    return int(next(group for group in found.groups() if group))


def is_date(cell: str) -> bool:
    """Whether the cell is a date and nothing else."""
    return _DATE.fullmatch(cell[:40]) is not None


def are_names(cells: Sequence[str], words: Words) -> bool:
    """Whether a column holds words that could be names of different persons: meant beside a column of birth dates."""
    return (
        len(cells) >= _LEAST
        and _like(Counter(cells), _NAME, 0.8)
        and len(set(cells)) * 2 > len(cells)
        and share(cells, words.is_clinical) < 0.15
    )


def are_full_names(cells: Sequence[str], words: Words) -> bool:
    """Whether a column holds names of persons, a given and a family name or a civility before it."""
    if len(cells) < _LEAST or share(cells, words.is_clinical) >= PASS / 2:
        return False
    return share(cells, lambda cell: len(cell) < 120 and is_full_name(cell)) >= PASS and len(set(cells)) > 1


def is_full_name(cell: str) -> bool:
    """A given and a family name, or a family name after a civility."""
    return _FULL_NAME.fullmatch(cell) is not None or (
        " " in cell.strip() and _NAME.fullmatch(cell) is not None and _is_spelled(cell)
    )


def is_written_name(cell: str) -> bool:
    """A family name in capitals with a given name, or a name behind a civility: no heading is written so."""
    return len(cell) < 120 and _FULL_NAME.fullmatch(cell) is not None


def _is_spelled(cell: str) -> bool:
    """At least two words, each with a capital, as a name is written and a sentence is not."""
    words = [word for word in cell.replace(",", " ").split() if word not in _PARTICLE_WORDS]
    return len(words) > 1 and all(word[0].isupper() for word in words)


def _like(told: Counter[str], shape: re.Pattern[str], least: float = PASS) -> bool:
    return _most(told, lambda cell: len(cell) < 120 and shape.fullmatch(cell) is not None, least)


def _most(told: Counter[str], test: Callable[[str], bool], least: float = PASS) -> bool:
    """Whether the share of the cells that pass is ``least`` or more: known as soon as too many have not."""
    total, left = told.total(), told.total()
    for cell, times in told.items():
        if not test(cell):
            left -= times
            if left / total < least:
                return False
    return total > 0


def share(cells: Sequence[str], test: Callable[[str], bool]) -> float:
    """Share (0 to 1) of the cells that pass."""
    told = Counter(cells)  # lists repeat themselves
    return sum(times for cell, times in told.items() if test(cell)) / told.total() if told else 0.0


def valid_nir(cell: str) -> bool:
    """A French social security number whose key is right."""
    found = _NIR.fullmatch(cell[:40]) if len(cell) > _DIGITS <= sum(map(str.isdigit, cell[:40])) else None
    if found is None:
        return False
    body = "".join(found.groups()[:6]).replace("2A", "19").replace("2B", "18")
    return body.isdigit() and 97 - int(body) % 97 == int(found[7])
