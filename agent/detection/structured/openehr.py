"""openEHR data: compositions in canonical JSON or XML, in the flat and structured shapes of platforms, EHR extracts.

Specification: openEHR RM (COMPOSITION, PARTY_SELF), « simplified formats ». The subject is nearly always PARTY_SELF:
health data of one person who is not named. Archetypes and templates (ADL, OPT) describe data and hold none.
"""

from __future__ import annotations

from typing import Any

from agent.detection.structured import jsontree
from agent.detection.structured.base import LIKELY, STRONG, Person, Recognised, about, nobody
from agent.detection.structured.jsontree import said
from agent.detection.structured.xmltree import Node, parse
from agent.findings import Kind

NAMESPACE_PREFIX = "http://schemas.openehr.org"
_DATA = frozenset(
    {"COMPOSITION", "OBSERVATION", "EVALUATION", "INSTRUCTION", "ACTION", "ADMIN_ENTRY", "CONTRIBUTION", "FOLDER"}
)
_DEFINING = frozenset({"template", "archetype", "operationaltemplate", "opt"})
_FLAT = ("|magnitude", "|code", "|unit", "|terminology")
_DEPTH = 12


def recognise_openehr_json(value: Any) -> Recognised | None:
    """Judge a decoded JSON value; None when there is no openEHR data in it."""
    if isinstance(value, dict) and (any(key.startswith("ctx/") for key in value) or "ctx" in value):
        measured = sum(key.endswith(_FLAT) for key in value)
        inner = (
            sum(any(key.startswith("|") for key in node) for node in jsontree.objects(value, _DEPTH))
            if "ctx" in value
            else 0
        )
        return about(Kind.CLINICAL_NOTE, [], clinical=measured + inner, confidence=LIKELY) if measured + inner else None
    entries = 0
    people: list[Person] = []
    for node in jsontree.objects(value, _DEPTH):
        if said(node.get("_type")) in _DATA and "openEHR-EHR" in said(node.get("archetype_node_id")):
            entries += 1
        elif said(node.get("_type")) == "PARTY_IDENTIFIED" and "subject" in node:
            people.append(Person(family=said(node.get("name"))))
    return about(Kind.CLINICAL_NOTE, people, clinical=entries, confidence=STRONG) if entries else None


def recognise_openehr_xml(raw: bytes) -> Recognised | None:
    """Judge XML in an openEHR namespace; None when the root is not of it."""
    root = parse(raw)
    if root is None or not root.space.startswith(NAMESPACE_PREFIX):
        return None
    if root.name.lower() in _DEFINING:
        return nobody(Kind.CLINICAL_NOTE)
    entries = sum(_is_entry(node) for node in root.walk())
    return (
        about(Kind.CLINICAL_NOTE, [], clinical=entries, confidence=STRONG)
        if entries
        else nobody(Kind.CLINICAL_NOTE, LIKELY)
    )


def _is_entry(node: Node) -> bool:
    return "openEHR-EHR" in node.get("archetype_node_id") or node.get("type") in _DATA
