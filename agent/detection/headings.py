"""What the heading of a column says: a person, care, staff, goods — however it is written.

Owns the reading of one heading: known words (``data/columns.tsv``), joined (DATENAISSANCE), cut at ten letters as dBase
does, with the prefix of a table (PAT_NOM), with words around the known one («traitement actuel», «HbA1c (%)»). Takes a
cell, returns a role or ""; looks at no content and no other column.
"""

from __future__ import annotations

import re
from functools import lru_cache

from agent.detection.fold import fold_term
from agent.detection.lexicon import columns, entries

LONGEST = 60  # characters of a heading
_DBASE = 10  # letters of a field name
_WORDS = 6  # of a heading that is looked at piece by piece
_CAMEL = re.compile(r"(?<=[a-z])(?=[A-Z])|(?<=[A-Z])(?=[A-Z][a-z])")
_PATIENT = (b"patient", b"pazient", b"pacient", b"pasient", b"malade")
_PREFIX = frozenset(
    b"pat patient patients patiente pac paciente paz paziente pt ptnt pers person fld tbl usr res t f p"
    b" patienten patientin pazienti pacientes sir".split()
)
_MARKS = frozenset(b"pat patient patiente pac paciente paz paziente ptnt patienten patientin".split())
# units, moments and qualities that stand beside the name of a measure
_BESIDE = frozenset(
    b"mmol mol l g dl mg ml ui iu u kg cm mm mmhg pct h min s j0 j1 m0 m1 m3 m6 m12 t0 t1 v1 v2 initial initiale final"
    b" finale actuel actuelle basal baseline 1 2 3 4 sys dia max valeur value wert valore valor level date datum data"
    b" fecha dernier derniere last letzter letzte ultimo ultima current aktuelle n no nr pre post le la de du des et"
    b" of the und y e di del en".split()
)
# words whose meaning changes with what stands beside them count only alone
_ALONE = frozenset(
    b"note classe total nombre reference ref mois fonction specialite display concept profile poste categorie name nom"
    b" date s p dose evenement condition reason plan result results resultat resultats score deces examen analyse obs"
    b" drug ame session charge op pa ta dent cat ins topo nac nee ne geb p dn n".split()
)
# both genders at once: Patient/in, Bewohner:in, patient(e), usager·ère, Assistito/a
_GENDERS = re.compile(
    r"(?<=\w{3})(?:[/:*_·.]|\()(?:in|innen|e|es|ne|ère|ere|euse|rice|a|o|i|en|n|s)\b\)?(?!\w)", re.IGNORECASE
)
_NEVER = 1 << 30  # letters
_LOOSE = frozenset({"exam", "diagnosis", "clinical", "care", "other", "staff", "animal", "birth"})


def role_of(cell: str) -> str:
    """Role of a column headed by ``cell`` (see ``data/columns.tsv``), or ""."""
    return _role(cell) if 0 < len(cell) <= LONGEST else ""


def is_heading(cell: str) -> bool:
    """Whether a cell is a known heading word for word: a header that a long list repeats."""
    if len(cell) > LONGEST:
        return False
    first = cell[:1].lower()
    if first.isascii() and first.isalnum() and first not in _firsts():  # a date, a number
        return False
    if cell.isascii() and cell.isalnum():  # folded, it is as it was
        return cell.lower().encode("ascii") in columns()
    return fold_term(cell) in columns()


def says_patient(cell: str) -> bool:
    """Whether a heading or title calls the persons patients."""
    if not 0 < len(cell) <= 2 * LONGEST:
        return False
    word = fold_term(cell)
    return any(stem in word for stem in _PATIENT) or not _MARKS.isdisjoint(word.split())


@lru_cache(maxsize=8192)
def _role(cell: str) -> str:
    word = fold_term(cell)
    if len(word) < 2 and word != b"s":
        return ""
    found = _known(word) or _known(fold_term(_GENDERS.sub("", cell)))
    if found:
        return found
    tokens = fold_term(_CAMEL.sub(" ", cell)).split()
    found = _known(b" ".join(tokens))
    if found:
        return found
    if len(tokens) > 1 and (tokens[0] in _PREFIX or tokens[-1] in _PREFIX):
        rest = tokens[1:] if tokens[0] in _PREFIX else tokens[:-1]
        found = _known(b" ".join(rest))
        if found:
            return found
    return _within(tokens) if 1 < len(tokens) <= _WORDS else ""


def _known(word: bytes) -> str:
    """A whole heading: as listed, as one word, as dBase cuts it, or the name of something that is measured."""
    known = columns()
    found = known.get(word) or known.get(word.replace(b" e ", b" "))
    if found:
        return found
    joined = word.replace(b" ", b"")
    found = _compact().get(joined) or (_cut().get(joined, "") if len(joined) == _DBASE else "")
    return found or ("clinical" if word in _measures() else "")


def _within(tokens: list[bytes]) -> str:
    """The longest known words at the beginning or the end of a heading; goods and staff before care."""
    kept = [token for token in tokens if token not in _BESIDE]
    if kept != tokens and kept and (found := _known(b" ".join(kept))):
        return found
    seen = set()
    for size in range(len(kept) - 1, 0, -1):
        for piece in (kept[:size], kept[-size:]):
            word = b" ".join(piece)
            role = _known(word) if word not in _ALONE and len(word) > 2 else ""
            if role in _LOOSE:
                seen.add(role)
    for role in ("animal", "staff", "other", "birth", "exam", "diagnosis", "clinical", "care"):
        if role in seen:
            return "clinical" if role in {"exam", "diagnosis"} else role
    return ""


@lru_cache(maxsize=1)
def _firsts() -> frozenset[str]:
    """What a known heading begins with."""
    return frozenset(chr(word[0]) for word in columns())


@lru_cache(maxsize=1)
def _compact() -> dict[bytes, str]:
    """Headings of several words as databases write them: DATENAISSANCE."""
    return {word.replace(b" ", b""): role for word, role in columns().items() if b" " in word and len(word) > 6}


@lru_cache(maxsize=1)
def _cut() -> dict[bytes, str]:
    """Headings as dBase cuts them: DATENAISSA."""
    joined = ((word.replace(b" ", b""), role) for word, role in columns().items())
    return {word[:_DBASE]: role for word, role in joined if len(word) > _DBASE}


@lru_cache(maxsize=1)
def _measures() -> frozenset[bytes]:
    """Lexicon entries that make a clinical column: analytes, vital signs, medicines, long medical words."""
    return frozenset([entry.text for entry in entries() if len(entry.text) >= _least(entry.uses)])


@lru_cache(maxsize=4096)
def _least(uses: tuple[tuple[str, str], ...]) -> int:
    """How long an entry of these uses must be; tens of thousands of entries share a few hundred of them."""
    groups = {group for group, _ in uses}
    if groups & {"analyte", "vital", "drug"}:
        return 3
    return 7 if "term" in groups else _NEVER
