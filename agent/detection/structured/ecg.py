"""Signals: SCP-ECG, EDF/EDF+/BDF, ISHNE, MFER headers; HL7 aECG, GE MUSE and Philips ECG in XML.

Specifications: EN 1064 (SCP-ECG), the EDF+ paper (Kemp 2003), ISHNE 1998, HL7 aECG R1. Only headers are read; a signal
is data of a patient even when it names nobody.
"""

from __future__ import annotations

import re
import struct

from agent.detection.structured.base import CERTAIN, STRONG, Person, Recognised, about
from agent.detection.structured.markers import is_placeholder
from agent.detection.structured.xmltree import Node, parse
from agent.findings import Kind

ROOTS = frozenset({"AnnotatedECG", "RestingECG", "restingecgdata"})
_EDF = re.compile(rb"(0 {7}|\xffBIOSEMI)(.{80})(.{80})\d\d\.\d\d\.\d\d\d\d\.\d\d\.\d\d", re.DOTALL)
_MONTH = re.compile(r"\d\d-[A-Z]{3}-\d{4}", re.IGNORECASE)
_EEG_LABEL = re.compile(rb"EEG|\b(?:Fp1|C3|C4|O1|O2|Cz)\b", re.IGNORECASE)


def recognise_signal(raw: bytes) -> Recognised | None:
    """Judge the header bytes of a signal file; None when the magic is of none of these."""
    found = _EDF.match(raw)
    if found:
        return _edf(raw, found[2].decode("latin-1"))
    if raw[16:22] == b"SCPECG":
        return _named(Kind.ECG, _scp(raw))
    if raw.startswith(b"ISHNE1.0"):
        return _named(Kind.ECG, _ishne(raw))
    if raw.startswith((b"@  MFER ", b"@ MFR ", b"GDF ")):
        return about(Kind.ECG, [], clinical=1, confidence=STRONG)
    return None


def _named(kind: Kind, person: Person) -> Recognised:
    return about(kind, [person], clinical=1, confidence=CERTAIN)


def _edf(raw: bytes, patient: str) -> Recognised:
    """EDF+: ``code sex dd-MMM-yyyy name``; plain EDF: free text. X X X X is anonymous."""
    words = patient.split()
    labels = raw[256 : 256 + 16 * 128]
    kind = Kind.EEG if _EEG_LABEL.search(labels) or b"ECG" not in labels else Kind.ECG
    if len(words) >= 4 and words[1] in {"M", "F", "X"} and (_MONTH.fullmatch(words[2]) or words[2] == "X"):
        code = () if is_placeholder(words[0]) else (words[0],)
        return _named(kind, Person(family=words[3].replace("_", " "), birth=words[2], identifiers=code))
    name = " ".join(word for word in words if re.search(r"[^\W\d_]{2}", word))
    return _named(kind, Person(family=name, identifiers=tuple(w for w in words if any(map(str.isdigit, w)))[:1]))


def _scp(raw: bytes) -> Person:
    """Section 1: tag (1 byte), length (2 bytes, little endian), value. 0 last name, 1 first name, 2 number, 5 birth."""
    values: dict[int, bytes] = {}
    place = _scp_section_one(raw)
    while place is not None and place + 3 <= len(raw) and len(values) < 64:
        tag, length = struct.unpack_from("<BH", raw, place)
        if tag == 255 or place + 3 + length > len(raw):
            break
        values.setdefault(tag, raw[place + 3 : place + 3 + length])
        place += 3 + length

    def text(tag: int) -> str:
        return values.get(tag, b"")[:64].split(b"\0")[0].decode("utf-8", "replace").strip()

    birth = values.get(5, b"")
    year, month, day = struct.unpack("<HBB", birth) if len(birth) == 4 else (0, 0, 0)
    date = f"{year:04d}{month:02d}{day:02d}"
    return Person(text(0), text(1), date, tuple(filter(None, (text(2),))))


def _scp_section_one(raw: bytes) -> int | None:
    """Where section 1's tags start: the pointers of section 0 give number, length and 1-based index of each section."""
    for place in range(22, min(len(raw) - 10, 22 + 10 * 64), 10):
        number, _, index = struct.unpack_from("<HII", raw, place)
        if number == 1 and 0 < index < len(raw) - 16:
            return int(index) - 1 + 16  # a section opens with a header of 16 bytes
    return None


def _ishne(raw: bytes) -> Person:
    """ISHNE: magic 8, checksum 2, lengths and versions, then first name, last name and number of 40, 40, 20 bytes."""

    def text(start: int, size: int) -> str:
        return raw[start : start + size].split(b"\0")[0].decode("latin-1").strip()

    return Person(text(68, 40), text(28, 40), "", tuple(filter(None, (text(108, 20),))))


def recognise_ecg_xml(raw: bytes) -> Recognised | None:
    """Judge an ECG in XML (aECG, MUSE, Philips) by its demographics."""
    root = parse(raw, limit=20_000)
    if root is None or root.name not in ROOTS:
        return None
    texts: dict[str, str] = {}
    for node in root.walk():
        _collect(node, texts)
    family = texts.get("patientlastname") or texts.get("lastname") or texts.get("family") or texts.get("name", "")
    given = texts.get("patientfirstname") or texts.get("firstname") or texts.get("given", "")
    birth = texts.get("dateofbirth") or texts.get("birthtime", "")
    number = texts.get("patientid") or texts.get("trialsubject", "")
    return _named(Kind.ECG, Person(family, given, birth, (number,) if number else ()))


def _collect(node: Node, texts: dict[str, str]) -> None:
    name = node.name.lower()
    if name == "trialsubject":
        identifier = node.first("id")
        if identifier is not None:
            texts.setdefault(name, identifier.get("extension"))
    elif name == "birthtime":
        texts.setdefault(name, node.get("value"))
    elif node.text.strip():
        texts.setdefault(name, node.text.strip())
