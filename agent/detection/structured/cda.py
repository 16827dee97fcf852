"""CDA R2 and its profiles (C-CDA, French CI-SIS, eDS, ...), and the other HL7 v3 messages that carry a patient.

Specification: HL7 CDA Release 2 (POCD_HD000040); French header: ANS CI-SIS « Structuration minimale ». Only the header
is read: reading stops at the body. An XML file that merely speaks of CDA (schema, stylesheet, schematron) never comes
here, because its root is another element.
"""

from __future__ import annotations

from agent.detection.structured.base import CERTAIN, LIKELY, STRONG, Person, Recognised, about, nobody, unclear
from agent.detection.structured.markers import INS_REAL, INS_TEST
from agent.detection.structured.xmltree import Node, is_closed, parse
from agent.findings import FindingType, Kind

NAMESPACE = "urn:hl7-org:v3"
# QRDA category III reports count patients and name none
_AGGREGATES = frozenset({"2.16.840.1.113883.10.20.27.1.1", "2.16.840.1.113883.10.20.27.1.2"})
_V3_PATIENTS = frozenset({"patient", "patientPerson", "identifiedPerson", "patientRole"})
_ASKED_NAMES = frozenset({"livingSubjectName", "patientName", "patient.name"})
_ASKED_NUMBERS = frozenset({"livingSubjectId", "patientId"})
_MAX_PEOPLE = 10_000


def recognise_cda(raw: bytes) -> Recognised | None:
    """Judge a document whose root, or whose payload, is a ClinicalDocument; None when there is none."""
    documents = documents_in(raw)
    if not documents:
        return None
    found = from_nodes(documents)
    cut = found.confidence < CERTAIN and not is_closed(raw, "ClinicalDocument")
    return unclear(Kind.CDA) if cut and not found.patient_data else found


def documents_in(raw: bytes) -> list[Node]:
    """Every ClinicalDocument in the bytes: the root, of which the header is enough, or those in an envelope or list."""
    root = parse(raw, stop=frozenset({"structuredBody", "nonXMLBody"}))
    if root is not None and root.name != "ClinicalDocument":
        root = parse(raw)
    return [node for node in root.walk() if node.name == "ClinicalDocument"] if root is not None else []


def from_nodes(documents: list[Node]) -> Recognised:
    """Judge ClinicalDocument elements (of one file or one envelope)."""
    roles = [role for document in documents for role in document.all("recordTarget", "patientRole")]
    templates = {node.get("root") for document in documents for node in document.all("templateId")}
    people = [person_of(role) for role in roles]
    if templates & _AGGREGATES and not any(person.recognisable for person in people):
        return nobody(Kind.CDA)
    bodies = sum(len(document.all("component")) for document in documents)
    if not bodies and not any(person.recognisable for person in people):
        return nobody(Kind.CDA, LIKELY)  # an empty shell: nobody in it and nothing about anybody
    identifiers = {identifier.get("root") for role in roles for identifier in role.all("id")}
    result = about(
        Kind.CDA,
        people,
        clinical=bodies,
        test_data=bool(identifiers & INS_TEST) and not identifiers & INS_REAL,
        identifier_type=FindingType.INS if identifiers & (INS_TEST | INS_REAL) else None,
    )
    return result if result.identified else about(Kind.CDA, people, clinical=bodies, confidence=STRONG)


def person_of(role: Node) -> Person:
    """The patient in a ``patientRole``. Names with a nullFlavor and identifiers without extension name nobody."""
    identifiers = tuple(node.get("extension") for node in role.all("id") if node.get("extension"))
    for patient in role.all("patient") or [role]:
        names = [name for name in patient.all("name") if not name.get("nullFlavor")]
        birth = patient.first("birthTime")
        for name in names:
            family, given = _part(name, "family"), _part(name, "given")
            if family or given or name.text.strip():
                value = birth.get("value") if birth is not None else ""
                return Person(family or name.text.strip(), given, value, identifiers)
    return Person(identifiers=identifiers)


def _part(name: Node, part: str) -> str:
    """The birth name where names are qualified, else the first one."""
    nodes = [node for node in name.all(part) if node.text.strip()]
    best = next((node for node in nodes if node.get("qualifier") == "BR"), nodes[0] if nodes else None)
    return best.text.strip() if best is not None else ""


def recognise_v3(raw: bytes) -> Recognised | None:
    """Judge another HL7 v3 message (PRPA_IN..., RCMR_IN..., POLB_IN...); None when it is an unknown shape."""
    root = parse(raw, limit=50_000)
    if root is None or "_" not in root.name:
        return None
    people: list[Person] = []
    inner: set[int] = set()  # within a patient that is already counted
    for node in root.walk():
        if (
            node.name not in _V3_PATIENTS | _ASKED_NAMES | _ASKED_NUMBERS
            or id(node) in inner
            or len(people) >= _MAX_PEOPLE
        ):
            continue
        inner.update(id(child) for child in node.walk())
        person = _asked(node) if node.name in _ASKED_NAMES | _ASKED_NUMBERS else _v3_person(node)
        if person.recognisable:
            people.append(person)
    named = [person for person in people if person.named]
    asked = any(node.name == "queryByParameter" for node in root.walk()) and named
    if people:
        return about(Kind.CDA, named[:1] if asked else people)
    return nobody(Kind.CDA, LIKELY) if is_closed(raw, root.name) else unclear(Kind.CDA)


def _v3_person(node: Node) -> Person:
    """A patient role, with the person it plays (``patient`` > ``patientPerson``): numbers above, names below."""
    persons = [person_of(child) for child in node.walk() if child.name in _V3_PATIENTS]
    numbers = tuple(number for person in persons for number in person.identifiers)
    named = next((person for person in persons if person.named), Person())
    return Person(named.family, named.given, named.birth, numbers)


def _asked(node: Node) -> Person:
    """Whom a query asks for."""
    if node.name in _ASKED_NUMBERS:
        return Person(
            identifiers=tuple(value.get("extension") for value in node.all("value") if value.get("extension"))
        )
    value = node.first("value") or node
    return Person(_part(value, "family") or value.text.strip(), _part(value, "given"))
