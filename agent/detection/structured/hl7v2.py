"""HL7 v2.x: pipe-delimited messages (single, batch, MLLP frames, logs of several) and the v2 XML encoding.

Specification: HL7 v2.5 chapters 2 (encoding), 3 (PID); French profile IHE PAM. Judged by the patient segments: an
acknowledgement, a master-file update or a message about an animal is the format without a patient.
"""

from __future__ import annotations

import re
from collections.abc import Iterator
from dataclasses import dataclass, field

from agent.detection.structured.base import CERTAIN, LIKELY, Person, Recognised, about, nobody
from agent.detection.structured.markers import INS_REAL, INS_TEST
from agent.detection.structured.xmltree import Node, parse
from agent.findings import FindingType, Kind

XML_NAMESPACE = "urn:hl7-org:v2xml"
MAX_SEGMENTS = 200_000
# MSH, then five different separators that are neither letters nor digits (a sixth one from v2.7 on is ignored)
_HEADER = re.compile(r"MSH([^\w\s\"'\\])([^\w\s\"'])([^\w\s\"'])([^\w\s\"'])([^\w\s\"'])")
_BATCH = re.compile(r"(?:FHS|BHS)[^\w\s\"'\\][^\w\s]{4}")
_SEGMENT = re.compile(r"[A-Z][A-Z][A-Z0-9]\|?")
_CLINICAL_SEGMENTS = "OBR OBX DG1 PR1 AL1 IAM ORC RXO RXE RXA RXD RXR TXA PV1 NTE SPM ZBE ZFA ZFM SCH IN1 FT1 GOL PRB"
_CLINICAL = frozenset(_CLINICAL_SEGMENTS.split())
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


def recognise_hl7v2(text: str) -> Recognised | None:
    """Judge pipe-delimited text; None unless a header stands first, or the text is mostly segments (a log)."""
    start = text[:64].lstrip("\ufeff\x0b \t\r\n")
    anchored = bool(_HEADER.match(start) or _BATCH.match(start))
    if not anchored and not _HEADER.search(text, 0, 1_000_000):
        return None
    lines = re.split(r"[\r\n\x0b\x1c\x85\u2028]+", text.lstrip("\ufeff"), maxsplit=MAX_SEGMENTS)
    if not anchored and not _is_log(lines):
        return None
    reading = _Reading()
    for message in _messages(lines):
        _read(message, reading)
    return _conclude(reading) if reading.messages else None


def _is_log(lines: list[str]) -> bool:
    """Whether a text that does not start with a header is a log of messages rather than a page that quotes one."""
    sample = [line for line in lines[:2_000] if line.strip()]
    segments = sum(
        1 for line in sample if _SEGMENT.match(line.lstrip()) and line.lstrip()[3:4] in {"|", "\x1e", "#", "~"}
    )
    return segments >= 2 and segments * 2 >= len(sample)


def _messages(lines: list[str]) -> Iterator[list[list[str]]]:
    """Messages as lists of segments as lists of fields. The first two fields of MSH are its separators."""
    message: list[list[str]] = []
    separator = "|"
    for line in lines:
        found = _HEADER.search(line[:400])
        if found:
            if message:
                yield message
            separator = found[1]
            message = [line[found.start() :].split(separator)]
        elif message and _SEGMENT.match(line.lstrip()):
            message.append(line.lstrip().split(separator))
    if message:
        yield message


def _read(message: list[list[str]], reading: _Reading) -> None:
    header = message[0]
    marks = (header[1] + "^~\\&")[:4] if len(header) > 1 else "^~\\&"
    component, repetition, subcomponent = marks[0], marks[1], marks[3]
    reading.messages += 1
    reading.test += _at(header, 10).partition(component)[0] in {"T", "D"}
    for fields in message[1:]:
        name = fields[0][:3]
        if name == "PID":
            _read_patient(fields, (component, repetition, subcomponent), reading)
        elif name in _CLINICAL:
            reading.clinical += 1
        elif name in {"QPD", "QRD", "QRF"} and _QUERY_NAME.search(_at(fields, 3)):
            reading.queries += 1


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
            return nobody(Kind.HL7V2, CERTAIN)
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
            reading.test += node.say("MSH.11", "PT.1") in {"T", "D"}
        elif node.name == "PID":
            reading.people.extend(filter(lambda person: person.recognisable, [_xml_person(node)]))
        elif node.name in _CLINICAL:
            reading.clinical += 1
    return _conclude(reading)


def _xml_person(node: Node) -> Person:
    family = node.say("PID.5", "XPN.1", "FN.1") or node.say("PID.5", "XPN.1")
    identifiers = tuple(value.text.strip() for value in node.all("PID.3", "CX.1") if value.text.strip())
    return Person(family, node.say("PID.5", "XPN.2"), node.say("PID.7", "TS.1") or node.say("PID.7"), identifiers)
