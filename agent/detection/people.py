"""Persons as clinicians write them in a hurry: «F 72», «26YOM», «Joan Tickle 79», «*01.10.1941», «L4 Rossi Bruno».

Owns reading persons without a label: a name with an age, a sex with an age, a birth date under a star or behind a
name, a bed or a number at the beginning of a line (shapes: person_shapes.py). Lines that hold a person and something
clinical are counted in person_rows.py. Takes a folded page, adds to its ``Evidence``. Names and dates never leave
the process. Labels («né le», «Patient:») are identity.py, persons within sentences told.py.
"""

from __future__ import annotations

import re
from collections.abc import Sequence
from itertools import islice

import re2

from agent.detection.evidence import Evidence
from agent.detection.firsts import unknown
from agent.detection.fold import Folded
from agent.detection.identifiers.birth import date, numeric
from agent.detection.lexicon import family, given
from agent.detection.linear import spans
from agent.detection.person_names import NAME, NOT_NAMES, add_name, note_initial, parts_of
from agent.detection.person_rows import count_rows
from agent.detection.person_shapes import BEDS, SIGNS

_MOST = 120  # persons looked at a page
_MEMORY = 64
_OLDEST = 108  # years: «112 cas» is a number of something else
_LOG = 3  # clinical entries that may be those of a diary
_options = re2.Options()
_options.max_mem = 32 << 20  # bytes: with the usual 8 MB, names and dates in columns make the search five times slower
_options.log_errors = False  # a hostile page may need more than any: it is searched all the same, without a table
_FIND = re2.compile("|".join(SIGNS.values()).encode("ascii"), _options)
_CLASS = re.compile("|".join(f"(?P<{name}>{shape})" for name, shape in SIGNS.items()).encode("ascii"))
_AGE = re.compile(rb"(\d{1,3}) ?[^\d]{0,12}$")
_AGE_LAST = re.compile(rb"\d ?[a-zA-Z/.]+[ ,.;:)]\Z")
_NUMERIC = re.compile(rb"([0-3]?\d)[./-]([01]?\d)[./-](\d{2,4})(?!\d)")
_SOLID = re.compile(rb"((?:19|20)\d\d)-?([01]\d)-?([0-3]\d)")
_GROWN = "2012"  # without a clock: a date behind a name is a birth date only when it is that old
_STAFF = re.compile(rb"(?:\b(?:Dr|Dre|Dra|Drs|Pr|Prof|Dott|Doc|Docteur|Doctor|Doktor|Maitre|Me|IDE|RN|MD)\.?) ?$")


def read_people(
    evidence: Evidence, page: Folded, clinical: Sequence[int], persons: Sequence[int], *, some: bool = True
) -> None:
    """Add the persons without a label. ``clinical`` and ``persons`` are places of clinical entries and of persons with
    a civility; both count for the lines that hold one of each. ``some``: not ruled out that there are any.
    """
    places = [*persons, *_found(evidence, page)] if some else persons
    if clinical and (places or len(clinical) >= _LOG):
        count_rows(evidence, page, clinical, places)


def _found(evidence: Evidence, page: Folded) -> list[int]:
    """Note the persons without a label; where they and the beds stand."""
    cased = page.cased
    places: list[int] = []
    for start, end in islice(spans(_FIND, cased), _MOST):
        text = cased[start:end]
        kind = _CLASS.match(text)
        name = kind.lastgroup if kind else None
        if name is None:
            continue
        if _STAFF.search(cased, max(0, start - 10), start) or not _READ[name](evidence, text):
            continue
        places.append(start)
    if page.figures:
        places += [start + 1 for start, _ in islice(spans(BEDS, cased), _MOST)]
    return places


def _born(evidence: Evidence, text: bytes, before: str) -> bool:
    iso = ""
    if found := _SOLID.search(text):
        iso = date(int(found[1]), int(found[2]), int(found[3]))
    elif found := _NUMERIC.search(text):
        iso = numeric(found[1].decode(), found[2].decode(), found[3].decode())
    if not iso or iso >= before or len(evidence.births) >= _MEMORY:
        return False
    evidence.births.add(iso)
    evidence.named_births += 1
    return True


def _named_birth(evidence: Evidence, text: bytes) -> bool:
    if any(part in NOT_NAMES for part in parts_of(text)[:3]):
        return False
    return _born(evidence, text, _GROWN)


def _named_age(evidence: Evidence, text: bytes) -> bool:
    cut = re.split(rb"[ ,(-]+\d", text, maxsplit=1)[0]
    return add_name(evidence, cut) and _age(evidence, text[len(cut) :])


def _paren_age(evidence: Evidence, text: bytes) -> bool:
    name, _, age = text.strip(b"()").rpartition(b",")
    return add_name(evidence, name) and _age(evidence, age)


def _first_age(evidence: Evidence, text: bytes) -> bool:
    word = NAME.match(text)
    if word is None or word[0].lower() in NOT_NAMES or not _age(evidence, text[word.end() :]):
        return False
    evidence.called += word[0].lower() in given() or unknown(word[0].lower())
    return True


def _alone_age(evidence: Evidence, text: bytes) -> bool:
    return _first_age(evidence, text.lstrip(b"\n: "))


def _given_age(evidence: Evidence, text: bytes) -> bool:
    """A unit of one letter, or none: only behind a given name."""
    word = NAME.search(text)
    if word is None or word[0].isupper() or word[0].lower() not in given():  # «EVA 6, DDR»
        return False
    return _first_age(evidence, text[word.start() :])


def _said_patient(evidence: Evidence, text: bytes) -> bool:
    return add_name(evidence, text.partition(b"(")[0])


def _comma_name(evidence: Evidence, text: bytes) -> bool:
    return add_name(evidence, text.split(b"(")[0])


def _young(evidence: Evidence, text: bytes) -> bool:
    return add_name(evidence, text[text.rindex(b" ") :])


def _initial(evidence: Evidence, text: bytes) -> bool:
    note_initial(evidence)
    _age(evidence, text)
    return True


def _first_initial(evidence: Evidence, text: bytes) -> bool:
    """«Camille R.», and with an age behind it the name is the family's: «Morandi S. 22 a»."""
    return (_AGE_LAST.search(text) and _named_age(evidence, text.lstrip(b"\n:- "))) or _initial(evidence, text)


def _listed_age(evidence: Evidence, text: bytes) -> bool:
    """«Zerbib 58 a» at the beginning of a line: a family name is no word."""
    word = NAME.search(text)
    if word is None or not (word[0].lower() in family() or unknown(word[0].lower().replace(b"-", b" "))):
        return False
    return add_name(evidence, word[0]) and _age(evidence, text[word.end() :])


def _age(evidence: Evidence, text: bytes) -> bool:
    found = re.search(rb"\d{1,3}", text)
    if found and int(found[0]) <= _OLDEST and len(evidence.ages) < _MEMORY:
        evidence.ages.add(found[0])
        return True
    return False


def _named_year(evidence: Evidence, text: bytes) -> bool:
    cut = re.split(rb"[ ,(-]+(?:[a-zJ][a-z]+\.? ?)?\d", text, maxsplit=1)[0]
    if not add_name(evidence, cut):
        return False
    evidence.ages.add(text[-5:-1])
    return True


def _age_last(evidence: Evidence, text: bytes) -> bool:
    return _age(evidence, text[max(0, len(text) - 9) :])


_READ = {
    "named_year": _named_year, "star": lambda evidence, text: _born(evidence, text, "9"),
    "named_age": _named_age, "named_birth": _named_birth, "sexed_age": _age,
    "aged_sex": _age, "year_old": _age, "line_sex": _age, "jahrig": _age, "edad": _age, "line_age": _age_last,
    "first_age": _first_age, "complains": _age, "alone_age": _alone_age, "given_age": _given_age,
    "said_patient": _said_patient, "infant": _age, "bed_age": _age_last,
    "initials_age": _age, "paren_age": _paren_age, "initial": _initial, "young": _young, "comma_name": _comma_name,
    "first_initial": _first_initial, "listed_age": _listed_age,
}  # fmt: skip
