"""FHIR resources, already decoded, to what they say of patients.

Takes the resources as JSON-shaped values (``fhir.py`` makes them from JSON, XML or Turtle). Knows the FHIR data types
it needs (HumanName, Identifier, Reference, Coding) and nothing of bytes. Bounded: no recursion, a maximum of resources.
"""

from __future__ import annotations

from collections.abc import Iterable, Iterator
from dataclasses import dataclass, field
from typing import Any

from agent.detection.structured import fhir_types as types
from agent.detection.structured.base import CERTAIN, LIKELY, STRONG, Person, Recognised, about, nobody
from agent.detection.structured.jsontree import listed, said
from agent.detection.structured.markers import INS_REAL, INS_TEST
from agent.findings import FindingType, Kind

MAX_RESOURCES = 100_000
_SUBJECT_KEYS = ("subject", "patient", "beneficiary", "for", "individual", "subscriber")
_NOT_PATIENTS = (
    "Group/",
    "Device/",
    "Location/",
    "Medication/",
    "Substance/",
    "Organization/",
    "Practitioner",
)  # also PractitionerRole/
_HUMAN_ELEMENTS = frozenset({"maritalStatus", "generalPractitioner"})
_HUMAN_EXTENSIONS = ("race", "ethnicity", "religion", "citizenship", "nationality", "mothersMaidenName")
_TEST_CODES = frozenset({"HTEST", "INS-NIR-TEST", "INS-NIR-DEMO"})


@dataclass(slots=True)
class Tally:
    """What was seen so far."""

    patients: list[Person] = field(default_factory=list)
    relatives: list[Person] = field(default_factory=list)
    subjects: dict[str, Person] = field(default_factory=dict)  # by reference, or by display when there is none
    clinical: int = 0
    anchored: int = 0  # clinical resources that point to a patient
    others: int = 0
    animals: int = 0
    test: bool = False
    anonymised: bool = False
    ins: bool = False


def resources(value: Any) -> Iterator[dict[str, Any]]:
    """Every resource below ``value``: bundle entries, contained ones, parameters; at most MAX_RESOURCES."""
    stack = [item for item in reversed(listed(value)) if isinstance(item, dict)]
    count = 0
    while stack and count < MAX_RESOURCES:
        node = stack.pop()
        if said(node.get("resourceType")) in types.ALL:
            count += 1
            yield node
        inner: list[Any] = []
        for key in ("entry", "parameter", "part", "contained", "resource", "response", "outcome"):
            inner.extend(listed(node.get(key)))
        stack.extend(child for child in reversed(inner) if isinstance(child, dict))


def _person(resource: dict[str, Any]) -> Person:
    families: list[str] = []
    givens: list[str] = []
    for name in listed(resource.get("name")):
        if isinstance(name, dict):
            families.extend(said(part) for part in listed(name.get("family")))
            givens.extend(said(part) for part in listed(name.get("given")))
            if not name.get("family"):
                families.append(said(name.get("text")))
    identifiers = [said(i.get("value")) for i in listed(resource.get("identifier")) if isinstance(i, dict)]
    return Person(
        family=next(filter(None, families), ""),
        given=next(filter(None, givens), ""),
        birth=said(resource.get("birthDate")),
        identifiers=tuple(filter(None, identifiers)),
    )


def _codings(resource: dict[str, Any]) -> Iterable[str]:
    meta = resource.get("meta")
    if isinstance(meta, dict):
        for coding in [*listed(meta.get("security")), *listed(meta.get("tag"))]:
            if isinstance(coding, dict):
                yield said(coding.get("code"))
    for identifier in listed(resource.get("identifier")):
        if isinstance(identifier, dict) and isinstance(identifier.get("type"), dict):
            for coding in listed(identifier["type"].get("coding")):
                if isinstance(coding, dict):
                    yield said(coding.get("code"))


def _systems(resource: dict[str, Any]) -> set[str]:
    found = {said(i.get("system")) for i in listed(resource.get("identifier")) if isinstance(i, dict)}
    return {system.removeprefix("urn:oid:") for system in found}


def _is_animal(resource: dict[str, Any]) -> bool:
    """Marked as an animal (STU3 element, R4 extension) and without anything that only people have."""
    urls = [said(e.get("url")) for e in listed(resource.get("extension")) if isinstance(e, dict)]
    if "animal" not in resource and not any(url.endswith("patient-animal") for url in urls):
        return False
    return not (_HUMAN_ELEMENTS & resource.keys() or any(url.endswith(_HUMAN_EXTENSIONS) for url in urls))


def _note_markers(resource: dict[str, Any], tally: Tally) -> None:
    codes, systems = set(_codings(resource)), _systems(resource)
    tally.test |= bool(codes & _TEST_CODES or systems & INS_TEST or any("synthetichealth" in s for s in systems))
    tally.anonymised |= "ANONYED" in codes
    tally.ins |= bool(systems & (INS_REAL | INS_TEST) or codes & {"INS-NIR", "INS-NIA", "INS-C"})


def _subject(resource: dict[str, Any]) -> tuple[str, Person] | None:
    """The patient that a clinical resource points to: (key, person); None when it points to none."""
    actors = [p.get("actor") for p in listed(resource.get("participant")) if isinstance(p, dict)]
    for reference in [*(resource.get(key) for key in _SUBJECT_KEYS), *actors]:
        if not isinstance(reference, dict):
            continue
        target, display = said(reference.get("reference")), said(reference.get("display"))
        if any(kind in target for kind in _NOT_PATIENTS):
            continue
        inner = reference.get("identifier")
        value = said(inner.get("value")) if isinstance(inner, dict) else ""
        is_actor = any(reference is actor for actor in actors)
        if (target and not is_actor) or "Patient/" in target or ((value or display) and not is_actor):
            return target or value or display, Person(family=display, identifiers=(value,) if value else ())
    return None


def count(value: Any, tally: Tally) -> None:
    """Add every resource below ``value`` to the tally."""
    for resource in resources(value):
        kind = said(resource.get("resourceType"))
        _note_markers(resource, tally)
        if kind == "Patient" and _is_animal(resource):
            tally.animals += 1
        elif kind == "Patient":
            tally.patients.append(_person(resource))
        elif kind in types.PEOPLE:
            tally.relatives.append(_person(resource))
        elif kind in types.CLINICAL:
            tally.clinical += 1
            subject = _subject(resource)
            if subject is not None:
                tally.anchored += 1
                tally.subjects.setdefault(*subject)
        else:
            tally.others += 1


def conclude(tally: Tally) -> Recognised:
    """The answer for all that was counted."""
    if tally.animals and not tally.patients:
        return nobody(Kind.FHIR, STRONG, why=FindingType.VETERINARY)
    if not (tally.patients or tally.relatives or tally.clinical):
        return nobody(Kind.FHIR, CERTAIN)
    people = tally.patients or [*tally.subjects.values(), *tally.relatives]
    anonymous = tally.anonymised and not any(person.named for person in people)
    confidence = CERTAIN if tally.patients or tally.anchored else LIKELY
    return about(
        Kind.FHIR,
        people,
        clinical=tally.clinical,
        test_data=tally.test,
        deidentified=anonymous,
        confidence=confidence,
        identifier_type=FindingType.INS if tally.ins else None,
        anonymous=0 if tally.patients else len(tally.subjects),
    )
