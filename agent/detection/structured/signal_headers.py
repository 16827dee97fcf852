"""Headers of binary signal files → the person they name: SCP-ECG, ISHNE, MFER, GDF, Micromed, Nihon Kohden.

Specifications: EN 1064 (SCP-ECG), ISHNE 1998, ISO 22077 (MFER), GDF 2.x (Schlögl). Micromed and Nihon Kohden as their
open readers describe them. Takes the first bytes, returns a ``Person`` (empty where nobody is named); never raises.
"""

from __future__ import annotations

import re
import struct
from collections.abc import Callable

from agent.detection.structured.base import Person
from agent.detection.structured.markers import is_placeholder
from agent.findings import Kind

_NK = re.compile(rb"(?:EEG-(?:1100[A-C]|2100|1200A)|QI-403A|DAE-2100D|CTE-\d\d\d\d) *V\d\d\.\d\d")
_MOST = 200  # tags of one header
_NAME, _NUMBER, _BIRTH, _WAVE, _CHANNEL = 0x81, 0x82, 0x83, 0x1E, 0x3F  # MFER tags (ISO 22077-1, 5.4)


def named_in(raw: bytes) -> tuple[Kind, Person] | None:
    """What kind of signal the header announces, and whom it names; None when its mark is of none of these."""
    if raw[16:22] == b"SCPECG":
        return Kind.ECG, _scp(raw)
    for marks, kind, reader in _READERS:
        if raw.startswith(marks):
            return kind, reader(raw)
    if _NK.match(raw):
        return Kind.EEG, Person(_field(raw, 0x4F, 32))
    return None


def _field(raw: bytes, start: int, size: int) -> str:
    """A fixed field: to the first zero byte, UTF-8 where it is, else Latin-1; control characters make it nothing."""
    cell = raw[start : start + size].split(b"\0")[0]
    try:
        text = cell.decode("utf-8")
    except UnicodeDecodeError:
        text = cell.decode("latin-1")
    text = text.strip()
    return text if text.isprintable() else ""


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
    family, given, number = (_field(values.get(tag, b""), 0, 64) for tag in (0, 1, 2))
    return Person(family, given, _date(values.get(5, b""), "<HBB"), (number,) if number else ())


def _scp_section_one(raw: bytes) -> int | None:
    """Where section 1's tags start: the pointers of section 0 give number, length and 1-based index of each section."""
    for place in range(22, min(len(raw) - 10, 22 + 10 * 64), 10):
        number, _, index = struct.unpack_from("<HII", raw, place)
        if number == 1 and 0 < index < len(raw) - 16:
            return int(index) - 1 + 16  # a section opens with a header of 16 bytes
    return None


def _date(value: bytes, layout: str) -> str:
    if len(value) != struct.calcsize(layout):
        return ""
    year, month, day = struct.unpack(layout, value)
    return f"{year:04d}{month:02d}{day:02d}" if 1850 < year < 2200 and 1 <= month <= 12 and 1 <= day <= 31 else ""


def _ishne(raw: bytes) -> Person:
    """ISHNE: magic 8, checksum 2, lengths and versions, then first name, last name and number of 40, 40, 20 bytes;
    the birth date (day, month, year) follows sex and race.
    """
    day, month, year = struct.unpack_from("<3h", raw, 132) if len(raw) >= 138 else (0, 0, 0)
    birth = f"{year:04d}{month:02d}{day:02d}" if 1850 < year < 2200 and 1 <= month <= 12 and 1 <= day <= 31 else ""
    number = _field(raw, 108, 20)
    return Person(_field(raw, 68, 40), _field(raw, 28, 40), birth, (number,) if number else ())


def _mfer(raw: bytes) -> Person:
    """Tag (1 byte; one more for a channel), length (1 byte, or as many bytes as its low bits say), value."""
    values: dict[int, bytes] = {}
    at = 0
    for _ in range(_MOST):
        if at + 2 > len(raw) or raw[at] in {_WAVE, 0x80}:
            break
        tag = raw[at]
        at += 2 if tag == _CHANNEL else 1
        length = raw[at] if at < len(raw) else 0
        at += 1
        if length & 0x80:
            wide = min(length & 0x7F, 4)
            length, at = int.from_bytes(raw[at : at + wide], "big"), at + wide
        values.setdefault(tag, raw[at : at + length])
        at += length
    birth = values.get(_BIRTH, b"")[-4:]
    number = _field(values.get(_NUMBER, b""), 0, 64)
    name = _field(values.get(_NAME, b""), 0, 128)
    return Person(name, "", _date(birth, "<HBB") or _date(birth, ">HBB"), (number,) if number else ())


def _gdf(raw: bytes) -> Person:
    """Version 1: 80 bytes of free text; version 2: 66 bytes, number and name apart by a space. X stands for nothing."""
    words = _field(raw, 8, 66 if raw.startswith(b"GDF 2") else 80).split()
    number, name = words[0] if words else "", " ".join(words[1:]).replace("_", " ")
    return Person("" if is_placeholder(name) else name, "", "", () if is_placeholder(number) else (number,))


def _micromed(raw: bytes) -> Person:
    """Surname at 64, first name at 86, then month, day and year since 1900."""
    month, day, year = raw[106:109] if len(raw) > 109 else (0, 0, 0)
    birth = f"{1900 + year:04d}{month:02d}{day:02d}" if 1 <= month <= 12 and 1 <= day <= 31 else ""
    return Person(_field(raw, 64, 22), _field(raw, 86, 20), birth)


def _nobody(_raw: bytes) -> Person:
    return Person()


_READERS: tuple[tuple[tuple[bytes, ...], Kind, Callable[[bytes], Person]], ...] = (
    ((b"ISHNE1.0", b"ANN  1.0"), Kind.ECG, _ishne),
    ((b"@  MFER ", b"@ MFR ", b"@ MFER"), Kind.ECG, _mfer),
    ((b"GDF 1.", b"GDF 2."), Kind.EEG, _gdf),
    ((b"* MICROMED",), Kind.EEG, _micromed),
    ((b"Version 3.0\0",), Kind.EEG, _nobody),  # Neuroscan .cnt
)
