"""FHIR in its four dresses (JSON, NDJSON, XML, Turtle) to decoded resources, and the verdict of ``fhir_walk``.

Specification: hl7.org/fhir R4 and R5, chapters json, xml, rdf and bulk data. A broken or cut JSON file is judged by
the resource types and names that can still be seen in it, with less confidence.
"""

from __future__ import annotations

import re
from collections.abc import Iterator
from typing import Any

from agent.detection.structured import fhir_types as types
from agent.detection.structured import jsontree
from agent.detection.structured.base import LIKELY, Person, Recognised, about, nobody, unclear
from agent.detection.structured.fhir_walk import Tally, conclude, count
from agent.detection.structured.jsontree import said
from agent.detection.structured.xmltree import Node, is_closed, parse
from agent.findings import Kind

NAMESPACE = "http://hl7.org/fhir"
MAX_LINES = 50_000  # of NDJSON
_WRAPPER_DEPTH = 8  # a resource may sit in the answer of some other interface
_CARRIERS = frozenset({"Bundle", "Parameters", "MessageHeader", "OperationOutcome"})  # patients may follow after these
_TYPE = re.compile(rb'"resourceType"\s*:\s*"([A-Z][A-Za-z]{2,40})"')
_FAMILY = re.compile(rb'"family"\s*:\s*"([^"\\]{1,80})"')
_TURTLE = re.compile(r"\ba\s+fhir:([A-Z][A-Za-z]{2,40})\b")
_TURTLE_NAME = re.compile(r'fhir:(?:HumanName\.)?family\s*(?:\(\s*)?\[\s*fhir:(?:value|v)\s+"([^"]{1,80})"')


def from_json(value: Any) -> Recognised | None:
    """Judge one decoded JSON value; None when there is no FHIR resource in it."""
    roots = list(_outermost(value))
    if not roots:
        return None
    tally = Tally()
    for root in roots:
        count(root, tally)
    return conclude(tally)


def _outermost(value: Any) -> Iterator[dict[str, Any]]:
    """The resources in a value that are in no other resource: the value itself, or those in some wrapper."""
    stack, steps = [(value, 0)], 0
    while stack and steps < jsontree.MAX_NODES:
        node, level = stack.pop()
        steps += 1
        if isinstance(node, dict) and said(node.get("resourceType")) in types.ALL:
            yield node
        elif level < _WRAPPER_DEPTH and isinstance(node, dict | list):
            inner = list(node.values() if isinstance(node, dict) else node)
            stack.extend((child, level + 1) for child in reversed(inner))


def from_ndjson(raw: bytes) -> Recognised | None:
    """Judge newline-delimited resources (bulk export); None unless the first three lines hold a resource."""
    tally = Tally()
    seen = 0
    for number, line in enumerate(raw.split(b"\n", MAX_LINES)[:MAX_LINES]):
        if not line.strip():
            continue
        value = jsontree.load(line) if line.lstrip()[:1] == b"{" else None
        if isinstance(value, dict) and said(value.get("resourceType")) in types.ALL:
            count(value, tally)
            seen += 1
        elif number >= 3 and not seen:
            return None
    return conclude(tally) if seen else None


def from_broken_json(raw: bytes) -> Recognised | None:
    """Judge JSON that does not parse (cut, commented, concatenated) by what can be seen in it."""
    kinds = {match.decode() for match in _TYPE.findall(raw)} & types.ALL
    if not kinds:
        return None
    if not kinds & (types.PEOPLE | types.CLINICAL):
        return nobody(Kind.FHIR, LIKELY) if kinds - _CARRIERS else unclear(Kind.FHIR)
    names = [Person(family=name.decode("utf-8", "replace")) for name in _FAMILY.findall(raw[:4_000_000])]
    people = names[:1] if "Patient" in kinds else []
    return about(Kind.FHIR, people, clinical=len(kinds & types.CLINICAL), confidence=LIKELY)


def from_xml(raw: bytes) -> Recognised | None:
    """Judge FHIR XML; None when the root is no resource."""
    root = parse(raw)
    if root is None or root.name not in types.ALL:
        return None
    tally = Tally()
    count(_shape(root), tally)
    found = conclude(tally)
    cut = not found.patient_data and root.name in _CARRIERS and not is_closed(raw, root.name)
    return unclear(Kind.FHIR) if cut else found


def _shape(root: Node) -> dict[str, Any]:
    """FHIR XML to the shape of FHIR JSON: values lifted out of ``value`` attributes, every element a list.

    Works from the leaves up over the finished list of elements, so that depth costs no stack.
    """
    shaped: dict[int, Any] = {}
    for node in reversed(list(root.walk())):
        value: dict[str, Any] = {}
        for child in node.children:
            value.setdefault(child.name, []).append(shaped.pop(id(child)))
        if node.name[:1].isupper():
            value["resourceType"] = node.name
        if node.name in {"resource", "contained", "outcome"} and node.children:
            shaped[id(node)] = next(iter(value.values()))[0]
            continue
        _lift(node, value)
        shaped[id(node)] = value or node.get("value")
    result = shaped[id(root)]
    return result if isinstance(result, dict) else {}


_ONCE = "system value code type birthDate reference display identifier text meta family"
_ONCE_MORE = "subject patient beneficiary for individual subscriber actor url use"
_SINGLE = frozenset(f"{_ONCE} {_ONCE_MORE}".split())


def _lift(node: Node, value: dict[str, Any]) -> None:
    """Undo the list around elements that JSON writes once (identifiers of people excepted), and add ``@url``."""
    keep = {"identifier", "type"} if node.name[:1].isupper() else set()
    for key in _SINGLE & value.keys() - keep:
        if len(value[key]) == 1:
            value[key] = value[key][0]
    if node.get("url"):
        value["url"] = node.get("url")


def from_turtle(text: str) -> Recognised | None:
    """Judge FHIR RDF Turtle by its typed nodes; None when no resource type is stated."""
    kinds = set(_TURTLE.findall(text)) & types.ALL
    if not kinds:
        return None
    if not kinds & (types.PEOPLE | types.CLINICAL):
        return nobody(Kind.FHIR, LIKELY)
    names = _TURTLE_NAME.findall(text)[:1] if "Patient" in kinds else []
    return about(Kind.FHIR, [Person(family=name) for name in names], clinical=len(kinds & types.CLINICAL))
