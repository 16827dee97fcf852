"""UK ITK envelopes: a ``DistributionEnvelope`` around a CDA, an NHS 111 report or something without a patient.

Specification: NHS Digital Interoperability Toolkit, message distribution (namespace ``urn:nhs-itk:ns:201005``).
"""

from __future__ import annotations

from dataclasses import replace

from agent.detection.structured.base import LIKELY, Recognised, about, nobody, unclear
from agent.detection.structured.cda import documents_in, from_nodes
from agent.detection.structured.xmltree import is_closed, parse
from agent.findings import Kind

NAMESPACE_PREFIX = "urn:nhs-itk"


def recognise_itk(raw: bytes) -> Recognised | None:
    """Judge an envelope by its payload; None when the root is no envelope."""
    root = parse(raw)
    if root is None or root.name not in {"DistributionEnvelope", "Envelope"}:
        return None
    documents = documents_in(raw)
    cut = not is_closed(raw, root.name)
    if documents:
        found = replace(from_nodes(documents), kind=Kind.ITK)
        return unclear(Kind.ITK) if cut and not found.patient_data else found
    opaque = [node for node in root.walk() if node.name in {"payload", "CipherData"} and node.text.strip()]
    if opaque:
        return about(Kind.ITK, [], confidence=LIKELY)
    return unclear(Kind.ITK) if cut else nobody(Kind.ITK, LIKELY)
