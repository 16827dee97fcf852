"""Which structured format a textual document is: by its first character, then by its root, then by its module's tests.

XML is dispatched on the root element, JSON on its first brace, everything else is offered to the line formats in turn.
"""

from __future__ import annotations

import re
from dataclasses import replace
from typing import Any

from agent.detection.structured import fhir_types, jsontree, records
from agent.detection.structured.base import LIKELY, STRONG, Recognised, nobody, unclear
from agent.detection.structured.belgian import recognise_belgian
from agent.detection.structured.billing import recognise_billing
from agent.detection.structured.cda import NAMESPACE as V3
from agent.detection.structured.cda import recognise_cda, recognise_v3
from agent.detection.structured.diary import recognise_diary
from agent.detection.structured.dicom_written import ROOTS as DICOM_ROOTS
from agent.detection.structured.dicom_written import recognise_dicom_json, recognise_dicom_xml, recognise_dump
from agent.detection.structured.ecg import is_examination, recognise_ecg_xml
from agent.detection.structured.edifact import recognise_edifact
from agent.detection.structured.emergency import NAMESPACE_PREFIX as EMERGENCY
from agent.detection.structured.emergency import recognise_emergency_json, recognise_emergency_xml
from agent.detection.structured.fhir import NAMESPACE as FHIR
from agent.detection.structured.fhir import from_broken_json, from_json, from_ndjson, from_turtle, from_xml
from agent.detection.structured.hl7v2 import XML_NAMESPACE as V2XML
from agent.detection.structured.hl7v2 import recognise_hl7v2, recognise_hl7v2_xml
from agent.detection.structured.hprim import (
    recognise_astm,
    recognise_hprim_medecin,
    recognise_hprim_sante,
    recognise_hprim_xml,
)
from agent.detection.structured.itk import recognise_itk
from agent.detection.structured.keyed import recognise_keyed
from agent.detection.structured.kmehr import MARK as KMEHR
from agent.detection.structured.kmehr import recognise_kmehr
from agent.detection.structured.medication_plan import recognise_plan
from agent.detection.structured.omop import recognise_omop
from agent.detection.structured.openehr import NAMESPACE_PREFIX as OPENEHR
from agent.detection.structured.openehr import recognise_openehr_json, recognise_openehr_xml
from agent.detection.structured.pmsi import recognise_pmsi
from agent.detection.structured.research import recognise_research
from agent.detection.structured.wellness import recognise_wellness
from agent.detection.structured.x12 import recognise_x12
from agent.detection.structured.xdm import SUBMISSIONS, recognise_metadata
from agent.detection.structured.xdt import recognise_xdt
from agent.detection.structured.xmltree import Node, is_closed, parse, root_of
from agent.document import Area, Document, Format
from agent.findings import Kind

_SCHEMAS = frozenset({"schema", "stylesheet", "transform", "pattern"})
_CLINICAL_SPACES = (b"urn:hl7-org:v3", b"urn:hl7-org:v2xml", b"http://hl7.org/fhir", b"hprimXML", b"urn:emergency:")
_LINE_FORMATS = (
    recognise_hprim_sante,
    recognise_astm,
    recognise_hl7v2,
    recognise_xdt,
    recognise_edifact,
    recognise_x12,
    recognise_belgian,
    recognise_diary,
    recognise_hprim_medecin,
    recognise_pmsi,
    recognise_billing,
    recognise_omop,
    recognise_dump,
)
_JSON_FORMATS = (from_json, recognise_emergency_json, recognise_dicom_json, recognise_openehr_json)
# published vocabularies of health care without a reader of their own: MedCom (Denmark), KITH (Norway), ASTM CCR, NCPDP
# SCRIPT (United States), CDA release 1 (SCIPHOX)
_HEALTH_SPACES = (
    "http://rep.oio.dk/medcom.dk",
    "http://rep.oio.dk/sundcom.dk",
    "http://www.kith.no/",
    "urn:astm-org:CCR",
    "http://www.ncpdp.org/schema/SCRIPT",
    "urn:hl7-org:v3/cda",
    "urn::hl7-org/",
    "http://www.oio.dk/medcom",
)
# the start tag itself is cut
_OPENED = re.compile(
    rb"<(?:\w{1,20}:)?(?:ClinicalDocument|kmehrmessage|DistributionEnvelope|evenements?[PS]\w{5,30})\b[^<>]*\Z"
)
_HEADED = re.compile(rb"\[{1,2}[^\[\]{}\"\r\n,]{1,60}\]{1,2}[ \t]*\r?\n")  # a key file's first line, which JSON has not
_QUERIES = frozenset({"AdhocQueryRequest", "AdhocQueryResponse"})
_EXCHANGE = re.compile(
    r"[\s\ufeff]*(?:HTTP/\d|(?:POST|PUT|GET) /|[<>*] |--[\w:.+=-]{4,}\r?\n|Content-[A-Z]"
    r"|\[?(?:19|20)\d\d[-/]\d\d[-/]\d\d[T ]|\[?(?:DEBUG|INFO|TRACE)\b"
    r"|(?://[^\n]*\n\s*|/\*(?:[^*]|\*(?!/)){0,1500}\*/\s*)+[{\[<])"
)
_PAYLOAD = re.compile(
    r"<(?:\w{1,20}:)?ClinicalDocument[\s>]|\{\s{0,40}\"resourceType\"|<\w{2,40} xmlns=\"http://hl7\.org/fhir\""
)
_UTF16 = frozenset({b"\xff\xfe", b"\xfe\xff"})
_MAX_ELEMENTS = 30_000  # of XML in no known vocabulary
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
        return _json(raw) or (recognise_keyed(decode(raw)) if _HEADED.match(head) else None)
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
    keyed = recognise_keyed(text)
    if keyed is not None:
        return keyed
    carried = _carried(text)
    if carried is not None:
        return carried
    if "fhir:" in text[:5_000] and "http://hl7.org/fhir" in text[:20_000]:
        return from_turtle(text)
    return None


def _carried(text: str) -> Recognised | None:
    """A document in the dump of an exchange (HTTP, MIME, a log), or under comments; a guide that shows one is none."""
    found = _PAYLOAD.search(text, 0, 1_000_000) if _EXCHANGE.match(text[:2_000]) else None
    if found is None:
        return None
    payload = text[found.start() :]
    if payload[0] == "<":
        return _xml(payload[: payload.rfind(">") + 1].encode("utf-8", "replace"))
    return _json(payload[: payload.rfind("}") + 1].encode("utf-8", "replace"))


def _json(raw: bytes) -> Recognised | None:
    value = jsontree.load(raw)
    if value is None:
        return _broken_json(raw)
    return _json_value(value, raw)


def _broken_json(raw: bytes) -> Recognised | None:
    """One value a line; else what stands before the cut; else the names and types that can still be seen."""
    found = from_ndjson(raw)
    if found is None:
        value = jsontree.salvage(raw)
        found = _json_value(value, raw) if value is not None else None
        found = replace(found, confidence=min(found.confidence, LIKELY)) if found is not None else None
    return found if found is not None and found.patient_data else from_broken_json(raw) or found


def _json_value(value: Any, raw: bytes) -> Recognised | None:
    for recognise_one in _JSON_FORMATS:
        found = recognise_one(value)
        if found is not None:
            return found
    return records.recognise_records(value) if records.may_hold_records(raw) else None


def _xml(raw: bytes) -> Recognised | None:
    root = root_of(raw)
    if root is None:
        opened = _OPENED.search(raw[:4_000].replace(b"\0", b""))
        return unclear(Kind.OTHER) if opened else None
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
    if name == "MP":
        return recognise_plan(raw)
    if space.startswith(FHIR) or (not space and name in fhir_types.PEOPLE | {"Bundle"} and b"value=" in raw[:5_000]):
        return from_xml(raw)
    if space == V2XML:
        return recognise_hl7v2_xml(raw)
    if name in DICOM_ROOTS:
        return recognise_dicom_xml(raw)
    if is_examination(name):
        return recognise_ecg_xml(raw)
    if name.startswith(("evenement", "acquittement")):
        return recognise_hprim_xml(raw) if "hprim" in space.lower() or b"enteteMessage" in raw else None
    if name.lower() == "kmehrmessage" or KMEHR in space.encode():
        return recognise_kmehr(raw)
    if name == "DistributionEnvelope" or space.startswith("urn:nhs-itk"):
        return recognise_itk(raw)
    if space.startswith((EMERGENCY, "urn:oasis:names:tc:emergency:EDXL")):
        return recognise_emergency_xml(raw)
    if space.startswith(OPENEHR):
        return recognise_openehr_xml(raw)
    if name == "HealthData":
        return recognise_wellness(raw)
    if name in SUBMISSIONS | _QUERIES:
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
    if KMEHR in raw:
        return recognise_kmehr(raw)
    if b"<MSH" in raw[:20_000]:
        return recognise_hl7v2_xml(raw)
    return _recorded(raw)


def _recorded(raw: bytes) -> Recognised | None:
    """A patient's record in a vocabulary without a reader of its own."""
    root = (
        parse(raw, limit=_MAX_ELEMENTS)
        if records.may_hold_records(raw) or any(space.encode() in raw[:4_000] for space in _HEALTH_SPACES)
        else None
    )
    if root is None or root.name.lower() == "html":
        return None
    known = root.space.startswith(_HEALTH_SPACES)
    found = records.recognise_records(records.shape_of(root), known=known)
    return unclear(Kind.OTHER) if found is None and known and not is_closed(raw, root.name) else found
