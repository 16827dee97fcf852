"""Patient records in JSON or XML of no published vocabulary: exports of practice software, portals, apps, interfaces.

A record is a patient's when one object holds a name with a birth date or a patient's number, when it is called a
patient (or holds two fields of care), and when fields of care stand in the file. Keys decide what a value is, values
must look like it: translations, schemas and API descriptions have the keys and not the values. Takes decoded values,
judges nothing else. National formats whose namespace is known need fewer fields.
"""

from __future__ import annotations

import re
from dataclasses import dataclass, field
from functools import lru_cache
from typing import Any

from agent.detection.cell_words import firm_words
from agent.detection.structured import record_words as words
from agent.detection.structured.base import LIKELY, STRONG, Person, Recognised, about
from agent.detection.structured.jsontree import said
from agent.detection.structured.xmltree import Node
from agent.findings import Kind

MAX_NODES = 300_000
_VAIN_NODES = 10_000  # objects after which a file without one patient is left
_MAX_PEOPLE = 50_000
_MAX_DEPTH = 40
_OWN_RECORD = 2  # fields of care, more than which make one person's file a record
_MANY = 2
_SPOKEN = 2  # clinical words in the values, more than which are care under keys that nobody knows
_MOST_TEXT = 200_000
_NAMED_BY = frozenset({"field", "column", "col", "property", "attribute", "data", "param", "value", "cell", "itemdata"})
_VALUES = frozenset({"text", "value", "Value", "v"})
_NAMES = frozenset({"name", "key", "column", "ItemOID"})
_HINTS = (
    b"patient",
    b"pazient",
    b"pacient",
    b"naiss",
    b"birth",
    b"geburt",
    b"geboort",
    b"nascita",
    b"nacimi",
    b"dsel",
    b"dob",
    b"ddn",
    b"dtn",
    b"datan",
    b"nasc",
    b"geb",
    b"assistit",
    b"bewohner",
)
_DESCRIPTIONS = frozenset({"$schema", "openapi", "swagger", "$defs", "definitions", "asyncapi", "locale", "i18n"})
_DATE = re.compile(
    r"(?:(?:18|19|20)\d\d[-/.]?(?:0[1-9]|1[0-2])[-/.]?(?:0[1-9]|[12]\d|3[01])"
    r"|(?:0?[1-9]|[12]\d|3[01])[-/.](?:0?[1-9]|1[0-2])[-/.](?:18|19|20)\d\d)(?:[T ].{0,20})?"
)
_NAME = re.compile(r"[^\W\d_][^\d<>{}|=;:]{0,59}")
_fold = lru_cache(maxsize=4096)(words.fold_key)
_is_patient = lru_cache(maxsize=4096)(words.is_patient)
_EMPTY: tuple[object, ...] = (None, "", [], {})
_OTHER_KINDS = frozenset({"", "staff", "animal"})


@dataclass(slots=True)
class _Found:
    """What one object tells: the fields of a person, and what they are part of."""

    fields: dict[str, str] = field(default_factory=dict)
    patient: bool = False  # it, or what it is in, is called a patient
    care: set[str] = field(default_factory=set)
    spoken: set[bytes] = field(default_factory=set)  # clinical words of its values
    animal: bool = False


@dataclass(slots=True)
class _Tally:
    people: list[Person] = field(default_factory=list)
    others: list[Person] = field(default_factory=list)  # persons that nothing calls a patient
    care: set[str] = field(default_factory=set)
    spoken: set[bytes] = field(default_factory=set)
    steps: int = 0
    unread: int = _MOST_TEXT  # characters of values that may still be searched for words


def may_hold_records(raw: bytes) -> bool:
    """A cheap look: without any of these words in it there is no record to find."""
    low = raw.lower()
    return any(hint in low for hint in _HINTS)


def recognise_records(value: Any, *, known: bool = False) -> Recognised | None:
    """Judge a decoded JSON value or the shape of an XML document; None when no patient's record is in it.

    ``known``: the vocabulary is a published one of health care, so that a name or number is enough.
    """
    if isinstance(value, dict) and _DESCRIPTIONS & value.keys():
        return None
    tally = _Tally()
    _visit(value, "", False, tally, known, 0)
    if len(tally.others) == 1 and not tally.people and len(tally.care) > _OWN_RECORD:
        tally.people = tally.others  # one person, and a file full of their care: a portal's export
    if tally.people and (known or tally.care or len(tally.spoken) > _SPOKEN):
        strong = known or len(tally.care) > 1
        return about(
            Kind.CLINICAL_NOTE if len({person.key for person in tally.people}) == 1 else Kind.PATIENT_TABLE,
            tally.people,
            clinical=max(1, len(tally.care)),
            confidence=STRONG if strong else LIKELY,
        )
    return None


def _visit(value: Any, key: str, patient: bool, tally: _Tally, known: bool, depth: int) -> _Found:
    """One object or list after its parts: the smallest object that holds a whole person is that person."""
    found = _Found(patient=patient or (bool(key) and _is_patient(key)))
    tally.steps += 1
    if depth > _MAX_DEPTH or tally.steps > (MAX_NODES if tally.people else _VAIN_NODES):
        return found
    if isinstance(value, list):
        for item in value:
            if isinstance(item, dict | list):
                inner = _visit(item, key, found.patient, tally, known, depth + 1)
                found.care |= inner.care
                found.spoken |= inner.spoken
                if len(value) == 1:
                    _merge(found, inner)
            else:
                _note(found, key, said(item))
        return found
    for name, item in value.items():
        folded = _fold(str(name))
        kind = _kind(folded)
        if kind == "animal" and said(item):
            found.animal = True
        elif kind == "staff" or item in _EMPTY:
            continue
        elif isinstance(item, dict | list):
            inner = _visit(item, _role(key, folded), found.patient, tally, known, depth + 1)
            found.care |= inner.care
            found.spoken |= inner.spoken
            if not kind:
                _merge(found, inner)
        elif not kind:
            role = _role(key, folded)
            bare = _bare(role)
            found.patient |= bare != role
            _note(found, bare, said(item))
            found.spoken |= _words_in(said(item), tally)
        if kind not in _OTHER_KINDS:
            found.care.add(kind)
    _judge(found, tally, known)
    tally.care |= found.care
    tally.spoken |= found.spoken
    return found


def _words_in(value: str, tally: _Tally) -> set[bytes]:
    if len(value) < 4 or tally.unread <= 0:
        return set()
    tally.unread -= len(value)
    return firm_words(value)


@lru_cache(maxsize=4096)
def _kind(folded: str) -> str:
    """What a key opens besides a field of a person: "staff", "animal", a stem of care, or ""."""
    if folded in words.ANIMAL:
        return "animal"
    return "staff" if words.is_staff(folded) else words.care(folded)


def _role(above: str, folded: str) -> str:
    """The key that says what a value is: a date below « birth date » is one, whatever it is called itself."""
    named = words.BIRTH | words.FAMILY - {"nom"} | words.GIVEN
    inherits = above in named and folded not in words.FAMILY | words.GIVEN | words.BIRTH | words.NUMBER
    return above if inherits and (above in words.BIRTH or folded in {"v", "value", "text", "prenom"}) else folded


@lru_cache(maxsize=4096)
def _bare(key: str) -> str:
    """A column's name without that of its table: ``PAT_DDN``, ``patient_ln``."""
    if key in words.FAMILY | words.GIVEN | words.BIRTH | words.FULL:
        return key
    rest = next(
        (key.removeprefix(table) for table in ("patient", "pat", "pac", "paz", "pt") if key.startswith(table)), ""
    )
    return rest if rest in (words.FAMILY | words.GIVEN | words.BIRTH) - {"name"} else key


def _merge(found: _Found, inner: _Found) -> None:
    for kind, value in inner.fields.items():
        found.fields.setdefault(kind, value)


def _note(found: _Found, key: str, value: str) -> None:
    """One value under its key, when it looks like what the key says."""
    if not value or len(value) > 120:
        return
    if key in words.BIRTH and _DATE.fullmatch(value):
        found.fields["birth"] = value
    elif key == "nom" and "family" in found.fields and "given" not in found.fields and _NAME.fullmatch(value):
        found.fields["given"] = value  # Italian «Cogn, Nom»
    elif key in words.FAMILY and _NAME.fullmatch(value):
        found.fields["family"] = value
    elif key in words.GIVEN and _NAME.fullmatch(value):
        found.fields["given"] = value
    elif key in words.FULL and " " in value and _NAME.fullmatch(value):
        found.fields["full"] = value
    elif key in words.NUMBER and sum(map(str.isdigit, value)) >= 1:
        found.fields["patient-number" if key in words.PATIENT_NUMBER else "number"] = value


def _judge(found: _Found, tally: _Tally, known: bool) -> None:
    """Count the object when it is a whole person, and keep its fields from the objects around it."""
    fields = found.fields
    named = ("family" in fields and "given" in fields) or ("full" in fields and "family" not in fields)
    number = fields.get("patient-number") or fields.get("number", "")
    told = named and ("birth" in fields or bool(number))
    if not told and not (known and found.patient and (named or number)):
        return
    found.fields = {}
    if found.animal or len(tally.people) >= _MAX_PEOPLE:
        return
    family = fields.get("family") or fields.get("full", "")
    person = Person(family, fields.get("given", ""), fields.get("birth", ""), (number,) if number else ())
    if found.patient or "patient-number" in fields or len(found.care) > 1 or len(found.spoken) > _SPOKEN or known:
        tally.people.append(person)
    elif len(tally.others) < _MANY:
        tally.others.append(person)


def shape_of(root: Node) -> dict[str, Any]:
    """An XML tree in the shape of JSON: attributes and elements as keys, repeated ones as lists, leaves as text."""
    shaped: dict[int, Any] = {}
    for node in reversed(list(root.walk())):
        value: dict[str, Any] = dict(node.attributes)
        for child in node.children:
            inner, name = shaped.pop(id(child)), child.name
            if isinstance(inner, dict) and name.lower() in _NAMED_BY and inner.keys() & _NAMES:
                name, inner = _named(inner)
            if name not in value:
                value[name] = inner
            elif isinstance(value[name], list):
                value[name].append(inner)
            else:
                value[name] = [value[name], inner]
        text = node.text.strip()
        if not node.children and text:
            shaped[id(node)] = text if not value else {**value, "text": text}
        elif not node.children and len(value) == 1 and next(iter(value)).lower() in {"v", "value"}:
            shaped[id(node)] = next(iter(value.values()))
        else:
            shaped[id(node)] = value
    return {root.name: shaped[id(root)]}


def _named(field: dict[str, Any]) -> tuple[str, Any]:
    """``<field name="pat_nom">``, as dumps of databases write a row: the attribute is the key, the text its value."""
    key = next(str(field[name]) for name in ("name", "key", "column", "ItemOID") if name in field)
    rest = {name: value for name, value in field.items() if name not in _NAMES}
    return key[:60], next(iter(rest.values())) if rest.keys() <= _VALUES and len(rest) == 1 else rest
