"""UK ITK envelopes: a ``DistributionEnvelope`` around a CDA, an NHS 111 report or something without a patient.

Specification: NHS Digital Interoperability Toolkit, message distribution (namespace ``urn:nhs-itk:ns:201005``).
"""

from __future__ import annotations

from dataclasses import replace

from agent.detection.structured.base import LIKELY, Recognised, about, nobody
from agent.detection.structured.cda import from_nodes
from agent.detection.structured.xmltree import parse
from agent.findings import Kind

NAMESPACE_PREFIX = "urn:nhs-itk"


def recognise_itk(raw: bytes) -> Recognised | None:
    """Judge an envelope by its payload; None when the root is no envelope."""
    root = parse(raw, stop=frozenset({"structuredBody", "nonXMLBody"}))
    if root is None or root.name not in {"DistributionEnvelope", "Envelope"}:
        return None
    documents = [node for node in root.walk() if node.name == "ClinicalDocument"]
    if documents:
        return replace(from_nodes(documents), kind=Kind.ITK)
    opaque = [node for node in root.walk() if node.name in {"payload", "CipherData"} and node.text.strip()]
    return about(Kind.ITK, [], confidence=LIKELY) if opaque else nobody(Kind.ITK, LIKELY)
