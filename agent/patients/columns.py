"""Which column of an export holds what: by its heading, in French or English, or as the administrator says. Pure.

Takes rows of cells and the ``--columns`` of the command line; returns column numbers. Headings are compared without
accents, case, blanks and signs, so that «Date_de_naissance», «date de naissance» and «DateDeNaissance» are one.
"""

from __future__ import annotations

from collections.abc import Sequence
from enum import IntEnum

from agent.detection.fold import fold_term
from agent.errors import N_, UsageError

HEADER_ROWS = 20  # the headings are looked for in so many first rows
MAX_COLUMNS = 400


class Field(IntEnum):
    """What a column holds. The numbers travel between child and parent."""

    FAMILY = 1  # the name in use, or the only one
    BIRTH_NAME = 2
    GIVEN = 3
    FULL_NAME = 4  # family and given names in one cell
    BIRTH_DATE = 5
    NIR = 6
    RECORD = 7


WORDS = {
    "family": Field.FAMILY,
    "birth-name": Field.BIRTH_NAME,
    "given": Field.GIVEN,
    "name": Field.FULL_NAME,
    "birth-date": Field.BIRTH_DATE,
    "nir": Field.NIR,
    "record": Field.RECORD,
}
"""The words of ``--columns``."""

_HEADINGS = {
    Field.FAMILY: (
        "nom | nom usuel | nom d'usage | nom usage | nom utilisé | nom marital | nom d'épouse | "
        "nom de famille | nom patient | nom du patient | patient nom | last name | surname | family name | "
        "family | patient last name | used name | nom exercice | nom affiché | nom courant"
    ),
    Field.BIRTH_NAME: (
        "nom de naissance | nom naissance | nom de jeune fille | nom jeune fille | nom patronymique | "
        "patronyme | nom patro | birth name | maiden name | nom nais | nom naiss | nom jf | ndn | "
        "family name at birth | birth family name"
    ),
    Field.GIVEN: (
        "prénom | prénoms | prénom(s) | prénom usuel | prénom utilisé | prénom d'usage | prénom usage | "
        "prénom de naissance | prénoms de naissance | prénom naissance | 1er prénom | premier prénom | "
        "premier prénom de naissance | liste des prénoms | liste prénoms | autres prénoms | deuxième prénom | "
        "2ème prénom | prénom 2 | prénom patient | prénom du patient | patient prénom | first name | "
        "firstname | given name | given names | forename | forenames | middle name | patient first name | "
        "prénom acte naissance | liste des prénoms de naissance"
    ),
    Field.FULL_NAME: (
        "nom prénom | nom et prénom | nom prénoms | nom et prénoms | nom / prénom | prénom nom | nom complet "
        "| identité | patient | identité patient | full name | name | patient name | "
        "nom de naissance et prénom"
    ),
    Field.BIRTH_DATE: (
        "date de naissance | date naissance | date naiss | date de naiss | date nais | naissance | ddn | "
        "d d n | né le | né(e) le | née le | birth date | birthdate | date of birth | dob | birthday | "
        "patient dob | jour de naissance | date naissance patient | date de naissance du patient | dnaiss | "
        "dtnaiss | dt naissance | dt naiss | datenais"
    ),
    Field.NIR: (
        "nir | ins | matricule ins | ins nir | nir ins | nir patient | nir assuré | n° sécu | no sécu | "
        "num sécu | numéro sécu | numéro de sécu | n° ss | no ss | num ss | nss | numéro ss | "
        "n° de sécurité sociale | n° sécurité sociale | no sécurité sociale | numéro de sécurité sociale | "
        "numéro sécurité sociale | num sécurité sociale | sécurité sociale | n° immatriculation | "
        "immatriculation | numéro d'immatriculation | n° insee | numéro insee | insee | "
        "social security number | matricule | n° assuré | numéro assuré | nir ou nia"
    ),
    Field.RECORD: (
        "ipp | nip | n° patient | no patient | num patient | numéro patient | numéro du patient | id patient "
        "| patient id | identifiant | identifiant patient | n° dossier | no dossier | num dossier | "
        "numéro dossier | numéro de dossier | n° de dossier | dossier | code patient | réf patient | "
        "référence patient | mrn | record number | medical record number | patient number | numéro interne"
    ),
}  # fmt: skip


def _key(heading: str) -> bytes:
    return fold_term(heading[:80]).replace(b" ", b"")


_BY_HEADING = {_key(heading): field for field, line in _HEADINGS.items() for heading in line.split(" | ")}


def field_of(heading: str) -> Field | None:
    """What a heading says that its column holds; None when it is not one of ours."""
    return _BY_HEADING.get(_key(heading)) if heading.strip() else None


def find_headings(rows: Sequence[Sequence[str]]) -> tuple[int, dict[int, Field]]:
    """(the row after the headings, column → field) of the row with most known headings; (0, {}) when none has two."""
    best: tuple[int, dict[int, Field]] = (0, {})
    for number, row in enumerate(rows[:HEADER_ROWS]):
        found = {column: field for column, cell in enumerate(row[:MAX_COLUMNS]) if (field := field_of(cell))}
        if len(found) > len(best[1]):
            best = (number + 1, found)
    return best if len(best[1]) >= 2 else (0, {})


def choose(rows: Sequence[Sequence[str]], wanted: Sequence[tuple[Field, str]]) -> tuple[int, dict[int, Field]] | None:
    """As ``find_headings``, or as ``wanted`` says by heading or number (from 1); None when a heading is not there."""
    if not wanted:
        return find_headings(rows)
    start, chosen = 0, dict[int, Field]()
    for field, where in wanted:
        if _is_number(where):
            chosen[int(where) - 1] = field
            continue
        place = next(
            ((number, column) for number, row in enumerate(rows[:HEADER_ROWS]) for column, cell in enumerate(row)
             if _key(cell) == _key(where)), None,
        )  # fmt: skip
        if place is None:
            return None
        start = max(start, place[0] + 1)
        chosen[place[1]] = field
    return (start or find_headings(rows)[0]), chosen


def _is_number(where: str) -> bool:
    """Of figures that everybody counts with: a column may be called « ² »."""
    return where.isascii() and where.isdigit()


def enough(columns: dict[int, Field]) -> bool:
    """Whether these columns can tell a patient: a name with the birth date, or a number."""
    found = set(columns.values())
    named = Field.FULL_NAME in found or bool(found & {Field.FAMILY, Field.BIRTH_NAME})
    return (named and Field.BIRTH_DATE in found) or bool(found & {Field.NIR, Field.RECORD})


def read_wanted(text: str) -> list[tuple[Field, str]]:
    """``family=Nom,given=2`` → fields with a heading or a number from 1. Raises UsageError with the known words."""
    wanted = []
    for item in filter(None, (piece.strip() for piece in text.split(","))):
        word, equals, where = item.partition("=")
        field = WORDS.get(word.strip())
        where = where.strip()
        bad_number = _is_number(where) and not 1 <= int(where[:6]) <= MAX_COLUMNS
        if field is None or not equals or not where or bad_number:
            raise UsageError(
                N_("--columns is not understood at: {item}"),
                hint=N_("write WORD=HEADING or WORD=NUMBER; words: {words}"), item=item[:60], words=", ".join(WORDS),
            )  # fmt: skip
        wanted.append((field, where))
    return wanted
