"""HL7 v2.x: pipe-delimited messages (single, batch, MLLP frames, logs of several) and the v2 XML encoding.

Specification: HL7 v2.5 chapters 2 (encoding), 3 (PID); French profile IHE PAM. Judged by the patient segments: an
acknowledgement, a master-file update or a message about an animal is the format without a patient.
"""

from __future__ import annotations

import re
from dataclasses import dataclass, field

from agent.detection.structured.base import CERTAIN, LIKELY, Person, Recognised, about, nobody, unclear
from agent.detection.structured.hl7v2_frames import messages_of
from agent.detection.structured.markers import INS_REAL, INS_TEST
from agent.detection.structured.xmltree import Node, is_closed, parse
from agent.findings import FindingType, Kind

XML_NAMESPACE = "urn:hl7-org:v2xml"
_CLINICAL_SEGMENTS = "OBR OBX DG1 PR1 AL1 IAM ORC RXO RXE RXA RXD RXR TXA PV1 NTE SPM ZBE ZFA ZFM SCH IN1 FT1 GOL PRB"
_CLINICAL = frozenset(_CLINICAL_SEGMENTS.split())
# acknowledgements, master files, queries, network: these message types may end without a patient
_NO_PATIENT = re.compile(
    r"(?:ACK|MC[FU]|MF[NKQRD]|M\d\d|NM[DQR]|Q|K\d\d|RSP|RTB|ERP|ESR|SUR|INR|INU|EA[CNR]|SSU|TCU|LS[RU])"
)
_BEFORE = frozenset({"MSH", "SFT", "UAC", "EVN"})  # what stands before the patient in every message
_NAME = 5  # field of PID
_QUERY_NAME = re.compile(r"@PID\.(?:5|11|7|3)[.\d]*\^")
_HUMAN = re.compile(r"337915000|homo sapiens|human|humain", re.IGNORECASE)


@dataclass(slots=True)
class _Reading:
    people: list[Person] = field(default_factory=list)
    messages: int = 0
    clinical: int = 0
    animals: int = 0
    empty_patients: int = 0
    test: int = 0
    oids: set[str] = field(default_factory=set)
    queries: int = 0
    unfinished: bool = False  # a message that is about a patient ends before it names one


def recognise_hl7v2(text: str) -> Recognised | None:
    """Judge pipe-delimited text; None unless messages stand in it as messages (not quoted on a page)."""
    messages = messages_of(text)
    if messages is None:
        return None
    reading = _Reading()
    for message in messages:
        _read(message, reading)
    return _conclude(reading) if reading.messages else None


def _read(message: list[list[str]], reading: _Reading) -> None:
    header = message[0]
    marks = (header[1] + "^~\\&")[:4] if len(header) > 1 else "^~\\&"
    component, repetition, subcomponent = marks[0], marks[1], marks[3]
    reading.messages += 1
    reading.test += _at(header, 10).partition(component)[0] in {"T", "D"}
    known = False
    for fields in message[1:]:
        name = fields[0][:3]
        known |= name == "PID" or name in _CLINICAL
        if name == "PID":
            _read_patient(fields, (component, repetition, subcomponent), reading)
        elif name in _CLINICAL:
            reading.clinical += 1
        elif name in {"QPD", "QRD", "QRF"}:
            reading.queries += _QUERY_NAME.search(_at(fields, 3)) is not None
            _read_query(name, fields, component, reading)
    kind = _at(header, 8).partition(component)[0]
    last = message[-1]
    stump = last[0][:3] == "PID" and len(last) <= _NAME  # cut before the name
    stump |= not known and all(fields[0][:3] in _BEFORE for fields in message)
    reading.unfinished |= stump and not _NO_PATIENT.match(kind)


def _read_query(name: str, fields: list[str], component: str, reading: _Reading) -> None:
    """Whom an old query asks for: QRD-8, an identifier with a name."""
    asked = _at(fields, 8).split(component) if name == "QRD" else []
    named = len(asked) > 1 and asked[1].strip()
    person = Person(asked[1], "".join(asked[2:3]), identifiers=(asked[0],)) if named else Person()
    if person.recognisable:
        reading.people.append(person)


def _at(fields: list[str], index: int) -> str:
    value = fields[index].strip() if index < len(fields) else ""
    return "" if value == '""' else value


def _read_patient(fields: list[str], marks: tuple[str, str, str], reading: _Reading) -> None:
    component, repetition, subcomponent = marks
    if _is_animal(fields):
        reading.animals += 1
        return
    identifiers: list[str] = []
    for value in [_at(fields, 2), *_at(fields, 3).split(repetition), _at(fields, 4), _at(fields, 19)]:
        parts = value.split(component)
        identifiers.append(parts[0])
        reading.oids.update(_oids(parts, subcomponent))
    name = (_at(fields, 5).split(repetition)[0] + component).split(component)
    person = Person(
        name[0].partition(subcomponent)[0],
        name[1],
        _at(fields, 7).partition(component)[0],
        tuple(filter(None, identifiers)),
    )
    reading.test += _at(fields, 32).partition(component)[0] == "FICTI"
    if person.recognisable:
        reading.people.append(person)
    else:
        reading.empty_patients += any(field.strip() for field in fields[2:])


# race, marital status, religion, social security number, ethnic group, citizenship, nationality
_HUMAN_FIELDS = (10, 16, 17, 19, 22, 26, 28)


def _is_animal(fields: list[str]) -> bool:
    """A species (PID-35) that is not human; software that fills every field also fills the human ones, and then the
    message is about a person.
    """
    species = _at(fields, 35)
    return bool(species) and not _HUMAN.search(species) and not any(_at(fields, index) for index in _HUMAN_FIELDS)


def _oids(parts: list[str], subcomponent: str) -> set[str]:
    return {piece for part in parts[3:4] for piece in part.split(subcomponent)}


def _conclude(reading: _Reading) -> Recognised:
    if not reading.people:
        if reading.animals:
            return nobody(Kind.HL7V2, CERTAIN, why=FindingType.VETERINARY)
        if not (reading.clinical or reading.empty_patients or reading.queries):
            return unclear(Kind.HL7V2) if reading.unfinished else nobody(Kind.HL7V2, CERTAIN)
    return about(
        Kind.HL7V2,
        reading.people,
        clinical=reading.clinical,
        test_data=reading.test >= reading.messages or (bool(reading.oids & INS_TEST) and not reading.oids & INS_REAL),
        confidence=CERTAIN if reading.people else LIKELY,
        identifier_type=FindingType.INS if reading.oids & (INS_TEST | INS_REAL) else None,
    )


def recognise_hl7v2_xml(raw: bytes) -> Recognised | None:
    """Judge a message in the v2 XML encoding (root named after the message structure)."""
    root = parse(raw)
    if root is None:
        return None
    reading = _Reading(messages=1)
    for node in root.walk():
        if node.name == "MSH":
            mode = node.say("MSH.11", "PT.1") or node.say("MSH.11", "MSH.11.1") or node.say("MSH.11")
            reading.test += mode in {"T", "D"}
        elif node.name == "PID":
            person = _xml_person(node)
            reading.people += [person] if person.recognisable else []
            reading.empty_patients += not person.recognisable and any(
                child.children or child.text for child in node.children
            )
        elif node.name in _CLINICAL:
            reading.clinical += 1
    reading.messages = max(1, sum(node.name == "MSH" for node in root.walk()))
    reading.unfinished = not is_closed(raw, root.name)
    return _conclude(reading)


def _xml_person(node: Node) -> Person:
    """By the data types of the standard (XPN.1), or by position as integration engines write it (PID.5.1)."""

    def first(*paths: tuple[str, ...]) -> str:
        return next(filter(None, (node.say(*path) for path in paths)), "")

    family = first(
        ("PID.5", "XPN.1", "FN.1"), ("PID.5", "XPN.1"), ("PID.5", "PID.5.1", "PID.5.1.1"), ("PID.5", "PID.5.1")
    )
    given = first(("PID.5", "XPN.2"), ("PID.5", "PID.5.2"))
    birth = first(("PID.7", "TS.1"), ("PID.7", "PID.7.1"), ("PID.7",))
    numbers = [value.text.strip() for kind in ("CX.1", "PID.3.1") for value in node.all("PID.3", kind)]
    return Person(family, given, birth, tuple(filter(None, numbers)))
