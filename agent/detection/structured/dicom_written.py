"""DICOM headers written out as text: the JSON and XML models of the standard, and what header viewers print.

Standards: PS3.18 annex F (DICOM JSON), PS3.19 annex A (Native DICOM Model). Habits: dcmtk (``dcm2xml``, ``dcmdump``),
pydicom's print, Orthanc's tags and simplified tags. Takes parsed JSON, the XML bytes or the text; hands the fields to
``dicom``. A data dictionary, which names the attributes without values, is no header.
"""

from __future__ import annotations

import re
from collections.abc import Iterable
from typing import Any

from agent.detection.structured import jsontree
from agent.detection.structured.base import Recognised
from agent.detection.structured.dicom import recognise_dicom
from agent.detection.structured.xmltree import Node, parse

ROOTS = frozenset({"NativeDicomModel", "file-format", "data-set"})
_KEYWORDS = {
    "PatientName": "0010,0010", "PatientID": "0010,0020", "PatientBirthDate": "0010,0030", "PatientSex": "0010,0040",
    "Modality": "0008,0060", "SOPClassUID": "0008,0016", "StudyInstanceUID": "0020,000D", "StudyDate": "0008,0020",
    "SeriesInstanceUID": "0020,000E", "StudyDescription": "0008,1030", "SeriesDescription": "0008,103E",
    "PatientIdentityRemoved": "0012,0062", "BurnedInAnnotation": "0028,0301", "AccessionNumber": "0008,0050",
    "PatientSpeciesDescription": "0010,2201", "PatientBreedDescription": "0010,2292", "SOPInstanceUID": "0008,0018",
}  # fmt: skip
_TAG = re.compile(r"([0-9A-Fa-f]{4}),?([0-9A-Fa-f]{4})")
_DUMPED = re.compile(  # dcmdump: (0010,0010) PN [Doe^Jo]; pydicom: (0010, 0010) Patient's Name  PN: 'Doe^Jo'
    r"^[ \t>]*\(?([0-9A-Fa-f]{4}), ?([0-9A-Fa-f]{4})\)?[ \t]+(?:(?:[A-Z]{2})[ \t]+[\[=]([^\]\r\n]{0,400})\]?|"
    r"[^\r\n]{0,60}?[ \t][A-Z]{2}:[ \t]+'?([^'\r\n]{0,400})'?)",
    re.MULTILINE,
)
_WHO = ("0010,0010", "0010,0020", "0010,0030")
_LINKS = ("0020,000D", "0020,000E", "0008,0018")
_FEWEST = 3  # elements with values that make a header
_MOST = 10_000  # data sets looked at
_TEXT = 2_000_000  # characters of a dump looked at

_Fields = dict[str, str]


def recognise_dicom_json(value: Any) -> Recognised | None:
    """Judge a JSON value: a data set, a list of them, or a server's answer that holds some."""
    found: list[_Fields] = []
    for node in jsontree.objects(value, 6):
        fields = _of_object(node)
        if fields:
            found.append(fields)
            if len(found) >= _MOST:
                break
    return _judged(found)


def recognise_dicom_xml(raw: bytes) -> Recognised | None:
    """Judge XML whose root is one of ``ROOTS``."""
    root = parse(raw, limit=50_000)
    if root is None or root.name not in ROOTS:
        return None
    return _judged([_of_elements(root.walk())])


def recognise_dump(text: str) -> Recognised | None:
    """Judge the printed elements of a header."""
    if "0" not in text or "0010" not in text[:100_000] or not _DUMPED.search(text[:20_000]):
        return None
    fields: _Fields = {}
    names: list[str] = []
    for group, element, bracketed, quoted in _DUMPED.findall(text[:_TEXT]):
        key, value = f"{group},{element}".upper(), (bracketed or quoted).strip().strip("'")
        if value and value != "(no value available)":
            fields.setdefault(key, value)
            if key == _WHO[0]:
                names.append(value)
    return _judged([fields, *({**fields, _WHO[0]: name, _WHO[1]: "", _WHO[2]: ""} for name in names[1:_MOST])])


def _judged(found: list[_Fields]) -> Recognised | None:
    sound = [fields for fields in found if _is_header(fields)]
    if not sound:
        return None
    rows = [tuple(fields.get(tag, "") for tag in _WHO) for fields in sound]
    return recognise_dicom(sound[0], rows if len(rows) > 1 else ())


def _is_header(fields: _Fields) -> bool:
    """Elements with values, of which one says whose they are or which study they belong to."""
    return len(fields) >= _FEWEST and any(fields.get(tag) for tag in (*_WHO[:2], *_LINKS))


def _of_object(node: dict[str, Any]) -> _Fields:
    fields: _Fields = {}
    for key, value in list(node.items())[:2_000]:
        match = _TAG.fullmatch(key)
        if match and isinstance(value, dict):
            said = _value(value.get("Value"))
            if said:
                fields[f"{match[1]},{match[2]}".upper()] = said
        elif key in _KEYWORDS and isinstance(value, str) and value:
            fields[_KEYWORDS[key]] = value
    return fields if "0008,0060" in fields or "0008,0016" in fields or "0020,000D" in fields else {}


def _value(value: Any) -> str:
    parts = []
    for item in jsontree.listed(value)[:50]:
        if isinstance(item, dict):
            item = item.get("Alphabetic") or item.get("Ideographic") or ""  # noqa: PLW2901 - a name is an object
        parts.append(jsontree.said(item))
    return "\\".join(part for part in parts if part)


def _of_elements(nodes: Iterable[Node]) -> _Fields:
    fields: _Fields = {}
    for node in nodes:
        match = _TAG.fullmatch(node.get("tag")) if node.name in {"DicomAttribute", "element"} else None
        if match is None:
            continue
        name = node.first("PersonName", "Alphabetic")
        said = node.text.strip()
        if name is not None:
            said = "^".join((name.say("FamilyName"), name.say("GivenName"))).strip("^")
        elif node.name == "DicomAttribute":
            said = "\\".join(value.text.strip() for value in node.all("Value"))
        if said:
            fields.setdefault(f"{match[1]},{match[2]}".upper(), said)
    return fields
