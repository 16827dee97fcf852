"""KMEHR, the Belgian exchange format (SumEHR, laboratory, PMF and SMF exports).

Specification: eHealth platform, KMEHR bis standard: ``kmehrmessage/folder/patient``. A message whose content is
encrypted still names its patient in the header or nowhere.
"""

from __future__ import annotations

from agent.detection.structured.base import LIKELY, Person, Recognised, about, nobody
from agent.detection.structured.xmltree import Node, parse
from agent.findings import Kind

NAMESPACE_PREFIX = "http://www.ehealth.fgov.be/standards/kmehr"


def recognise_kmehr(raw: bytes) -> Recognised | None:
    """Judge a ``kmehrmessage``; None when the root is another element."""
    root = parse(raw)
    if root is None or root.name.lower() != "kmehrmessage":
        return None
    patients = [patient for folder in root.all("folder") for patient in folder.all("patient")]
    transactions = sum(len(folder.all("transaction")) for folder in root.all("folder"))
    sealed = any(node.name == "Base64EncryptedData" for node in root.walk())
    if not patients and not transactions and not sealed:
        return nobody(Kind.KMEHR)
    people = [_person(patient) for patient in patients[:10_000]]
    return about(Kind.KMEHR, people, clinical=transactions) if people else about(Kind.KMEHR, [], confidence=LIKELY)


def _person(node: Node) -> Person:
    given = next((name.text.strip() for name in node.all("firstname")), "")
    birth = node.say("birthdate", "date") or node.say("birthdate", "year")
    return Person(node.say("familyname"), given, birth, tuple(i.text.strip() for i in node.all("id") if i.text.strip()))
