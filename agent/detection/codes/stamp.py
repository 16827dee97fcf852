"""2D-Doc, the stamp on French official documents: a header, fields in clear, a signature.

Source: France Titres (ANTS), « Spécifications techniques des codes à barres 2D-Doc » 3.3. Header: ``DC``, version (01
to 04), authority (4), certificate (4), date of issue and date of signature (days since 2000-01-01, four hexadecimal
digits, ``FFFF`` for none), type of document (2), from version 3 the perimeter (2), from version 4 the country (2). Then
fields (two characters and a value; GS closes a variable one, RS one that was cut) and US with the signature. Perimeter
01 is the state's own, where types mean the same for everybody.

Types of health: B2 (COVID test), L1 (vaccination), A4 and AE (certificate of death, signed by a physician). The rest is
about a person outside care (taxes, pay, identity, bank), about a thing, or about an animal (B3: titre of antibodies
against rabies). A2, the card of a disabled person, holds a number and no name: the person's own, and not a patient's.
"""

from __future__ import annotations

import re
from dataclasses import dataclass

from agent.detection.codes.base import PERSONAL, day_first, separated
from agent.detection.structured.base import CERTAIN, STRONG, Person, Recognised, about, nobody
from agent.findings import FindingType, Kind

MARKER = "DC0"
_HEADER = re.compile(r"DC(?P<version>0[1-4])[A-Z]{2}[A-Z0-9]{2}[A-Z0-9]{4}[0-9A-F]{4}[0-9A-F]{4}(?P<type>[0-9A-Z]{2})")
_CLOSED = re.compile(r"[\x1d\x1e]")
_STATE = "01"
_MAX_FIELDS = 64
_LONGEST_NAME = 80  # characters
_OFFICIAL = frozenset(  # documents with a person's official number, income, bank account or standing
    ("02", "03", "04", "05", "06", "07", "08", "10", "11", "13", "15", "16", "17", "18", "19", "20", "21", "23", "24",
     "25", "27", "28", "29", "A1", "A2", "AA", "AB", "AD")
)  # fmt: skip


@dataclass(frozen=True, slots=True)
class _Sort:
    """A type of document about a patient: field → its fixed length (0: variable), and which fields say who."""

    kind: Kind
    family: str
    given: str
    birth: str
    sizes: dict[str, int]


def _sizes(text: str) -> dict[str, int]:
    return {item[:2]: int(item[3:] or 0) for item in text.split()}


_DEATH = _Sort(
    Kind.CERTIFICATE, "72", "73", "75",
    _sizes("70:12 71:12 72: 73: 74: 75:8 76:1 77: 78:5 79: 7A:5 7B: 7C:1 7D:1 7E:1 7F:1 7G:1 7H:2 7I:1 7J:1 7K:13"
           " 7L:9 7M: 7N: 7O:1 7P:16"),
)  # fmt: skip
_PATIENTS = {
    "B2": _Sort(Kind.LAB_REPORT, "F1", "F0", "F2", _sizes("F0: F1: F2:8 F3:1 F4: F5:1 F6:12")),
    "L1": _Sort(Kind.CERTIFICATE, "L0", "L1", "L2", _sizes("L0: L1: L2:8 L3: L4: L5: L6: L7:1 L8:1 L9:8 LA:2")),
    "A4": _DEATH,
    "AE": _DEATH,
}


def read(text: str) -> Recognised | None:
    """What the stamp says: a patient's document, a person's outside care, nothing of anybody; None: it is no stamp."""
    header = _HEADER.match(text)
    if header is None:
        return None
    plain = separated(text)
    version, sort, start = int(header["version"]), header["type"], header.end()
    if version >= 3:
        if plain[start : start + 2] != _STATE:
            return nobody(Kind.OTHER, why=FindingType.ADMINISTRATIVE)
        start += 2 if version == 3 else 4
    if sort in _PATIENTS:
        return _patient(_PATIENTS[sort], plain[start:])
    if sort in _OFFICIAL:
        return PERSONAL
    return nobody(Kind.OTHER, why=FindingType.VETERINARY if sort == "B3" else FindingType.ADMINISTRATIVE)


def _patient(sort: _Sort, rest: str) -> Recognised | None:
    """Both names must be there and be names; the birth date too, but where the specification lets it be left out."""
    fields = _fields(sort.sizes, rest.partition("\x1f")[0])
    family, given = fields.get(sort.family, ""), fields.get(sort.given, "").replace("/", " ")
    birth = day_first(fields.get(sort.birth, ""))
    if not (0 < len(family) <= _LONGEST_NAME and 0 < len(given) <= _LONGEST_NAME and (birth or sort is _DEATH)):
        return None
    return about(sort.kind, [Person(family, given, birth)], clinical=1, confidence=CERTAIN if birth else STRONG)


def _fields(sizes: dict[str, int], message: str) -> dict[str, str]:
    """The fields by name. Where every GS was lost on the way, the usual order of the fields tells them apart."""
    separated = "\x1d" in message or "\x1e" in message
    fields: dict[str, str] = {}
    place = 0
    while place < len(message) and len(fields) < _MAX_FIELDS:
        name = message[place : place + 2]
        if name not in sizes:
            break
        place += 2
        stop = place + sizes[name] if sizes[name] else _stop(sizes, message, place, separated=separated)
        fields.setdefault(name, message[place:stop].strip())
        place = stop + (message[stop : stop + 1] in {"\x1d", "\x1e"})
    return fields


def _stop(sizes: dict[str, int], message: str, place: int, *, separated: bool) -> int:
    """Where the variable field at ``place`` ends: at its separator; without any, before the next field of the order."""
    if separated:
        found = _CLOSED.search(message, place)
        return found.start() if found else len(message)
    names = list(sizes)
    for name in names[names.index(message[place - 2 : place]) + 1 :]:
        at = message.find(name, place + 1)
        if at > 0:
            return at
    return len(message)
