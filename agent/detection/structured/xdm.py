"""IHE XDM packages (the zip of MSSanté mails and of portal exports) and the ebRIM metadata in them.

Specification: IHE ITI TF-2 3.32 (Distribute Document Set on Media) and TF-3 4.2 (metadata: slot ``sourcePatientInfo``).
"""

from __future__ import annotations

import re
from collections.abc import Iterable

from agent.detection.structured.base import CERTAIN, LIKELY, Person, Recognised, about, nobody, unclear
from agent.detection.structured.markers import INS_REAL, INS_TEST
from agent.detection.structured.xmltree import is_closed, parse
from agent.document import Area, Document
from agent.findings import FindingType, Kind

_METADATA = re.compile(r"(?:^|[/\\])metadata\.xml$", re.IGNORECASE)
_FOLDER = re.compile(r"(?:^|[/\\])ihe_xdm[/\\]", re.IGNORECASE)
_PATIENT_ID_SCHEME = "urn:uuid:58a6f841-87b3-4a3e-92fd-a8ffeff98427"  # XDSDocumentEntry.patientId
_ASKED = frozenset({"$XDSDocumentEntryPatientId", "$XDSSubmissionSetPatientId", "$XDSFolderPatientId", "$patientId"})
SUBMISSIONS = frozenset(
    {
        "SubmitObjectsRequest",
        "ProvideAndRegisterDocumentSetRequest",
        "RegistryObjectList",
        "RetrieveDocumentSetResponse",
    }
)


def recognise_xdm(document: Document) -> Recognised | None:
    """Judge an archive by its members' names and its metadata; None when it is no such package."""
    members = list(_members(document))
    if not any(_FOLDER.search(name) for name, _ in members):
        return None
    metadata = [child for name, child in members if _METADATA.search(name)]
    for child in metadata:
        found = recognise_metadata(child.raw)
        if found is not None and found.patient_data:
            return found
    documents = len(members) - len(metadata)
    return about(Kind.XDM, [], clinical=documents, confidence=LIKELY) if documents else nobody(Kind.XDM, LIKELY)


def _members(document: Document) -> Iterable[tuple[str, Document]]:
    for child in document.children[:10_000]:
        for part in child.parts:
            if part.spot.area is Area.MEMBER:
                yield part.text.strip(), child


def recognise_metadata(raw: bytes) -> Recognised | None:
    """Judge ebRIM metadata (METADATA.XML, XDS submission); None when it is another XML."""
    root = parse(raw, limit=100_000)
    if root is None:
        return None
    people, oids, entries = [], set[str](), 0
    for node in root.walk():
        if node.name == "Slot" and node.get("name") == "sourcePatientInfo":
            person, authorities = _source_patient([value.text.strip() for value in node.all("ValueList", "Value")])
            people.append(person)
            oids |= authorities
        elif node.name == "ExternalIdentifier" and node.get("identificationScheme") == _PATIENT_ID_SCHEME:
            people.append(Person(identifiers=(node.get("value").partition("^")[0],)))
        elif node.name == "Slot" and node.get("name") in _ASKED:
            values = [value.text.strip(" '\t\r\n()") for value in node.all("ValueList", "Value")]
            people.extend(Person(identifiers=(value.partition("^")[0],)) for value in values[:1])
            oids |= set(re.findall(r"&([\d.]{5,64})&", values[0] if values else ""))
        entries += node.name == "ExtrinsicObject"
    if not (people or entries) and root.name not in SUBMISSIONS:
        return None if is_closed(raw, root.name) or root.name != "AdhocQueryRequest" else unclear(Kind.XDM)
    if not (people or entries):
        return nobody(Kind.XDM, LIKELY) if is_closed(raw, root.name) else unclear(Kind.XDM)
    named = [person for person in people if person.named] or people
    return about(
        Kind.XDM,
        named,
        clinical=entries,
        test_data=bool(oids & INS_TEST) and not oids & INS_REAL,
        confidence=CERTAIN,
        identifier_type=FindingType.INS if oids & (INS_TEST | INS_REAL) else None,
    )


def _source_patient(values: list[str]) -> tuple[Person, set[str]]:
    """``PID-3|``, ``PID-5|`` and ``PID-7|`` lines, written as in HL7 v2."""
    fields = dict(value.split("|", 1) for value in values if "|" in value)
    name = (fields.get("PID-5", "") + "^").split("^")
    number = fields.get("PID-3", "").partition("^")[0]
    oids = set(re.findall(r"&([\d.]{5,64})&", fields.get("PID-3", "")))
    return Person(name[0], name[1], fields.get("PID-7", ""), (number,) if number else ()), oids
