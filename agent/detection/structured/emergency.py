"""Emergency call messages of the French health hub (15-15, 15-18): case creation, update, intervention report.

Derived from the published models (ANS « Hub Santé », RS-EDA, RS-EDA-MAJ, RS-BPV, RC-EDA, EMSI), in JSON or XML, bare or
in an EDXL envelope. A message with a patient block or a medical note is about a patient; one about vehicles, positions,
resources or an event (EMSI) is not.
"""

from __future__ import annotations

from typing import Any

from agent.detection.structured import jsontree
from agent.detection.structured.base import CERTAIN, STRONG, Person, Recognised, about, nobody
from agent.detection.structured.jsontree import listed, said
from agent.detection.structured.xmltree import Node, parse
from agent.findings import Kind

NAMESPACE_PREFIX = "urn:emergency:"
_CASES = ("createCaseHealth", "createCaseHealthUpdate", "interventionReport", "createCase", "createCaseUpdate")
_OTHERS = (
    *("emsi", "resourcesInfo", "resourcesInfoCisu", "resourcesRequest", "resourcesResponse", "resourcesStatus", "rpis"),
    *(
        "geoPositionsUpdate",
        "geoResourcesDetails",
        "geoResourcesRequest",
        "documentLink",
        "technical",
        "reference",
        "error",
    ),
)
_MARKS = frozenset({"caseId", "reportId", "initialAlert", "patient", "resource", "position", "CONTEXT", "EVENT"})
_ENVELOPE_DEPTH = 10
_DETAILS = ("detail", "hypothesis", "evaluation", "age", "weight", "height")


def recognise_emergency_json(value: Any) -> Recognised | None:
    """Judge a decoded JSON value; None when none of the published messages is in it."""
    bodies: list[dict[str, Any]] = []
    other = False
    if not isinstance(value, dict):
        return None
    for node in jsontree.objects(value, _ENVELOPE_DEPTH):
        for name in _CASES:
            body = node.get(name)
            if isinstance(body, dict) and body.keys() & _MARKS and "properties" not in body:
                bodies.append(body)
        other |= any(isinstance(node.get(name), dict) and node[name].keys() & _MARKS for name in _OTHERS)
    if bodies:
        return _judge(bodies)
    return nobody(Kind.EMERGENCY) if other else None


def recognise_emergency_xml(raw: bytes) -> Recognised | None:
    """Judge an XML message of the ``urn:emergency:`` family, or of an envelope around one."""
    root = parse(raw)
    if root is None:
        return None
    bodies = [node for node in root.walk() if node.name in _CASES]
    if bodies:
        return _judge([_shape(node) for node in bodies[:100]])
    known = any(node.name in _OTHERS for node in root.walk())
    return nobody(Kind.EMERGENCY) if known else None


def _shape(root: Node) -> dict[str, Any]:
    """An XML element as the JSON dress writes it (every inner element a list, leaves as text); no recursion."""
    shaped: dict[int, Any] = {}
    for node in reversed(list(root.walk())):
        value: dict[str, Any] = {}
        for child in node.children:
            value.setdefault(child.name, []).append(shaped.pop(id(child)))
        shaped[id(node)] = value or node.text.strip()
    result = shaped[id(root)]
    return result if isinstance(result, dict) else {}


def _judge(bodies: list[dict[str, Any]]) -> Recognised:
    patients = [p for body in bodies for p in listed(body.get("patient")) if isinstance(p, dict)][:10_000]
    notes = sum(len(listed(body.get("medicalNote"))) + len(listed(body.get("evaluation"))) for body in bodies)
    if not patients and not notes:
        return nobody(Kind.EMERGENCY)
    people = [_person(patient) for patient in patients]
    details = sum(1 for patient in patients for key in _DETAILS if patient.get(key))
    named = any(person.named for person in people)
    return about(Kind.EMERGENCY, people, clinical=notes + details, confidence=CERTAIN if named else STRONG)


def _one(value: Any) -> dict[str, Any]:
    first = next(iter(listed(value)), None)
    return first if isinstance(first, dict) else {}


def _person(patient: dict[str, Any]) -> Person:
    """Names stand in ``identity`` (case messages) or beside the identifier (reports). The identifier of the case is a
    pseudonym made by the sender, so it names nobody.
    """
    identity = _one(patient.get("identity"))
    strict, loose = _one(identity.get("strictFeatures")), _one(identity.get("nonStrictFeatures"))
    places = (strict, loose, patient)

    def pick(*keys: str) -> str:
        values = (said(next(iter(listed(place.get(key))), "")) for place in places for key in keys)
        return next(filter(None, values), "")

    numbers = tuple(filter(None, (pick("insIdentifier", "ins", "nir"),)))
    return Person(
        pick("lastName", "birthName", "complete"), pick("firstName", "birthFirstName"), pick("birthDate"), numbers
    )
