"""KMEHR, the Belgian exchange format (SumEHR, laboratory, PMF and SMF exports).

Specification: eHealth platform, KMEHR bis standard: ``kmehrmessage/folder/patient``. A message whose content is
encrypted still names its patient in the header or nowhere.
"""

from __future__ import annotations

from agent.detection.structured.base import LIKELY, Person, Recognised, about, nobody, unclear
from agent.detection.structured.xmltree import Node, is_closed, parse
from agent.findings import Kind

MARK = b"ehealth.fgov.be/standards/kmehr"  # in every version of the namespace, also in URN form with other separators


def recognise_kmehr(raw: bytes) -> Recognised | None:
    """Judge a message, bare or in an envelope, or one of its folders alone; None when there is none."""
    root = parse(raw)
    nodes = list(root.walk()) if root is not None else []
    if root is None or not any(node.name.lower() in {"kmehrmessage", "folder", "transaction"} for node in nodes):
        return None
    patients = [node for node in nodes if node.name == "patient"]
    transactions = sum(node.name == "transaction" for node in nodes)
    sealed = any(node.name == "Base64EncryptedData" for node in nodes)
    if not patients and not transactions and not sealed:
        return nobody(Kind.KMEHR) if is_closed(raw, root.name) else unclear(Kind.KMEHR)
    people = [_person(patient) for patient in patients[:10_000]]
    return about(Kind.KMEHR, people, clinical=transactions) if people else about(Kind.KMEHR, [], confidence=LIKELY)


def _person(node: Node) -> Person:
    given = next((name.text.strip() for name in node.all("firstname")), "")
    birth = node.say("birthdate", "date") or node.say("birthdate", "year")
    family = node.say("familyname") or node.say("usualfamilyname")
    return Person(family, given, birth, tuple(i.text.strip() for i in node.all("id") if i.text.strip()))
