"""Which structured format a textual document is: by its first character, then by its root, then by its module's tests.

XML is dispatched on the root element, JSON on its first brace, everything else is offered to the line formats in turn.
"""

from __future__ import annotations

from agent.detection.structured import fhir_types, jsontree
from agent.detection.structured.base import STRONG, Recognised, nobody
from agent.detection.structured.cda import NAMESPACE as V3
from agent.detection.structured.cda import recognise_cda, recognise_v3
from agent.detection.structured.ecg import ROOTS as ECG_ROOTS
from agent.detection.structured.ecg import recognise_ecg_xml
from agent.detection.structured.edifact import recognise_edifact
from agent.detection.structured.emergency import NAMESPACE_PREFIX as EMERGENCY
from agent.detection.structured.emergency import recognise_emergency_json, recognise_emergency_xml
from agent.detection.structured.fhir import NAMESPACE as FHIR
from agent.detection.structured.fhir import from_broken_json, from_json, from_ndjson, from_turtle, from_xml
from agent.detection.structured.hl7v2 import XML_NAMESPACE as V2XML
from agent.detection.structured.hl7v2 import recognise_hl7v2, recognise_hl7v2_xml
from agent.detection.structured.hprim import (
    recognise_hprim_medecin,
    recognise_hprim_sante,
    recognise_hprim_xml,
)
from agent.detection.structured.itk import recognise_itk
from agent.detection.structured.kmehr import recognise_kmehr
from agent.detection.structured.pmsi import recognise_pmsi
from agent.detection.structured.research import recognise_research
from agent.detection.structured.xdm import SUBMISSIONS, recognise_metadata
from agent.detection.structured.xdt import recognise_xdt
from agent.detection.structured.xmltree import Node, root_of
from agent.document import Area, Document, Format
from agent.findings import Kind

_SCHEMAS = frozenset({"schema", "stylesheet", "transform", "pattern"})
_CLINICAL_SPACES = (b"urn:hl7-org:v3", b"urn:hl7-org:v2xml", b"http://hl7.org/fhir", b"hprimXML", b"urn:emergency:")
_LINE_FORMATS = (
    recognise_hprim_sante,
    recognise_hl7v2,
    recognise_xdt,
    recognise_edifact,
    recognise_hprim_medecin,
    recognise_pmsi,
)
_UTF16 = frozenset({b"\xff\xfe", b"\xfe\xff"})
_MAX_TEXT = 32_000_000  # characters


def recognise_textual(document: Document) -> Recognised | None:
    """Judge XML, JSON, line formats, and the body texts of a mail (where practices receive HPRIM)."""
    raw = document.raw
    if not raw or document.format in {Format.EML, Format.MBOX, Format.MSG}:
        return _by_parts(document)
    head = raw[:512].lstrip(b"\xef\xbb\xbf \t\r\n\x0b\x00")
    if raw[:2] in _UTF16:
        found = _xml(raw)  # the declaration in it says UTF-16, so it is read as it is
        return found or _by_text(decode(raw))
    if head[:1] == b"<":
        return _xml(raw)
    if head[:1] in {b"{", b"["}:
        return _json(raw)
    return _lines(decode(raw)) or recognise_research(raw)


def decode(raw: bytes) -> str:
    """UTF-8 or UTF-16 where the bytes say so, else Windows-1252 with the undefined bytes kept as Latin-1."""
    if raw[:2] in _UTF16:
        return raw[:_MAX_TEXT].decode("utf-16", "replace")
    try:
        return raw[:_MAX_TEXT].decode("utf-8")
    except UnicodeDecodeError:
        return raw[:_MAX_TEXT].decode("latin-1")


def _by_parts(document: Document) -> Recognised | None:
    if document.format in {Format.EML, Format.MBOX, Format.MSG}:
        texts = [part.text for part in document.parts if part.spot.area is Area.BODY][:20]
        return next((found for text in texts if (found := _lines(text))), None)
    return _by_text("\n".join(part.text for part in document.parts)[:_MAX_TEXT])


def _by_text(text: str) -> Recognised | None:
    first = text.lstrip("\ufeff \t\r\n")[:1]
    if first in {"<", "{", "["}:
        raw = text.encode("utf-8", "replace")
        return _xml(raw) if first == "<" else _json(raw)
    return _lines(text)


def _lines(text: str) -> Recognised | None:
    for recognise_one in _LINE_FORMATS:
        found = recognise_one(text)
        if found is not None:
            return found
    if "fhir:" in text[:5_000] and "http://hl7.org/fhir" in text[:20_000]:
        return from_turtle(text)
    return None


def _json(raw: bytes) -> Recognised | None:
    value = jsontree.load(raw)
    if value is not None:
        return from_json(value) or recognise_emergency_json(value)
    return from_ndjson(raw) or from_broken_json(raw)


def _xml(raw: bytes) -> Recognised | None:
    root = root_of(raw)
    if root is None:
        return None
    if root.name in _SCHEMAS:
        return nobody(_schema_kind(raw), STRONG) if any(s in raw[:20_000] for s in _CLINICAL_SPACES) else None
    return _xml_by_root(root, raw)


def _schema_kind(raw: bytes) -> Kind:
    head = raw[:20_000]
    if b"http://hl7.org/fhir" in head:
        return Kind.FHIR
    return Kind.HL7V2 if b"urn:hl7-org:v2xml" in head else Kind.CDA


def _xml_by_root(root: Node, raw: bytes) -> Recognised | None:
    name, space = root.name, root.space
    if name == "ClinicalDocument":
        return recognise_cda(raw)
    if space.startswith(FHIR) or (not space and name in fhir_types.PEOPLE | {"Bundle"} and b"value=" in raw[:5_000]):
        return from_xml(raw)
    if space == V2XML:
        return recognise_hl7v2_xml(raw)
    if name in ECG_ROOTS:
        return recognise_ecg_xml(raw)
    if name.startswith(("evenement", "acquittement")):
        return recognise_hprim_xml(raw) if "hprim" in space.lower() or b"enteteMessage" in raw else None
    if name.lower() == "kmehrmessage":
        return recognise_kmehr(raw)
    if name == "DistributionEnvelope" or space.startswith("urn:nhs-itk"):
        return recognise_itk(raw)
    if space.startswith((EMERGENCY, "urn:oasis:names:tc:emergency:EDXL")):
        return recognise_emergency_xml(raw)
    if name in SUBMISSIONS:
        return recognise_metadata(raw) or recognise_cda(raw)
    if space == V3:
        return recognise_v3(raw)
    return _wrapped(raw)


def _wrapped(raw: bytes) -> Recognised | None:
    """A clinical payload inside another envelope (SOAP, a vendor's export)."""
    if b"urn:hl7-org:v3" in raw and b"ClinicalDocument" in raw:
        return recognise_cda(raw)
    if b"urn:emergency:eda:" in raw:
        return recognise_emergency_xml(raw)
    if b"sourcePatientInfo" in raw:
        return recognise_metadata(raw)
    return None
