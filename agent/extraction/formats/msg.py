"""Outlook messages (MS-OXMSG): headers, subject, body in whichever of three forms, attachments as children."""

from __future__ import annotations

import struct

from agent.document import Area, Document, Format, Problem, Spot
from agent.extraction.formats.base import BODY, Job
from agent.extraction.formats.cfb import CompoundFile

_SUBJECT, _BODY, _HTML, _RTF, _HEADERS = "0037", "1000", "1013", "1009", "007d"
_CLASS = "001a"
_FIELDS = {
    "0c1a": "from",
    "0c1f": "from",
    "5d01": "from",
    "0e04": "to",
    "0e03": "cc",
    "0e02": "bcc",
    "0070": "thread-topic",
}
_DATA, _LONG_NAME, _NAME, _TYPE = "3701", "3707", "3704", "370e"
_ATTACHMENT = "__attach_version1.0_"
_RECIPIENT = "__recip_version1.0_"
_MAX_MESSAGES = 8  # messages attached to messages
_Path = tuple[str, ...]

_RTF_SEED = (
    b"{\\rtf1\\ansi\\mac\\deff0\\deftab720{\\fonttbl;}{\\f0\\fnil \\froman \\fswiss \\fmodern \\fscript \\fdecor "
    b"MS Sans SerifSymbolArialTimes New RomanCourier{\\colortbl\\red0\\green0\\blue0\r\n"
    b"\\par \\pard\\plain\\f0\\fs20\\b\\i\\u\\tab\\tx"
)


def read_message(job: Job, file: CompoundFile) -> None:
    """Format.MSG."""
    _message(job, file, (), 0)


def _message(job: Job, file: CompoundFile, at: _Path, level: int) -> None:
    properties = _properties(file, at)
    for tag, name in _FIELDS.items():
        job.field(name, properties.get(tag, ""))
    job.field("subject", properties.get(_SUBJECT, ""))
    job.text(properties.get(_SUBJECT, ""), Spot(Area.SUBJECT))
    job.text(properties.get(_HEADERS, ""), Spot(Area.HEADER))
    job.text(properties.get(_BODY, ""), BODY)
    if not properties.get(_BODY):
        _other_bodies(job, file, at)
    message_class = properties.get(_CLASS, "").lower()
    if "smime" in message_class and "multipartsigned" not in message_class:
        job.fail(Problem.ENCRYPTED)
    people = sorted({path[: len(at) + 1] for path in file.entries if _inside(path, at, _RECIPIENT)})
    for person in people[:500]:
        recipient = _properties(file, person)
        job.field("to", f"{recipient.get('3001', '')} {recipient.get('39fe', '') or recipient.get('3003', '')}".strip())
    storages = sorted({path[: len(at) + 1] for path in file.entries if _inside(path, at, _ATTACHMENT)})
    for number, storage in enumerate(storages, 1):
        _attachment(job, file, storage, number, level)


def _inside(path: _Path, at: _Path, prefix: str) -> bool:
    return len(path) > len(at) and path[: len(at)] == at and path[len(at)].startswith(prefix)


def _properties(file: CompoundFile, at: _Path) -> dict[str, str]:
    """The text properties of one storage: tag → text."""
    found: dict[str, str] = {}
    for path, entry in file.entries.items():
        name = path[-1]
        if len(path) != len(at) + 1 or path[: len(at)] != at or not name.startswith("__substg1.0_") or len(name) != 20:
            continue
        tag, kind = name[12:16], name[16:20]
        if kind == "001f":
            found[tag] = file.read(entry).decode("utf-16-le", "replace").rstrip("\0")
        elif kind == "001e":
            found.setdefault(tag, file.read(entry).decode("cp1252", "replace").rstrip("\0"))
    return found


def _other_bodies(job: Job, file: CompoundFile, at: _Path) -> None:
    page = file.stream(*at, f"__substg1.0_{_HTML}0102")
    if page:
        job.child(page, "html", Spot(Area.BODY))
        return
    packed = file.stream(*at, f"__substg1.0_{_RTF}0102")
    if packed:
        job.child(unpack_rtf(packed, job.budget.limits.member_bytes), "rtf", Spot(Area.BODY))


def _attachment(job: Job, file: CompoundFile, at: _Path, number: int, level: int) -> None:
    spot = Spot(Area.ATTACHMENT, number)
    properties = _properties(file, at)
    name = properties.get(_LONG_NAME) or properties.get(_NAME) or ""
    inner = (*at, f"__substg1.0_{_DATA}000d")
    data = file.stream(*at, f"__substg1.0_{_DATA}0102")
    if data:
        job.child(data, spot=spot, name=name)
    elif inner in file.entries:
        job.budget.part()
        child = Document(Format.MSG, spot=spot)
        job.adopt(child, spot, name)
        if level >= _MAX_MESSAGES:
            child.problem = Problem.TOO_DEEP
        else:
            _message(Job(job.source, child, job.budget, job.depth + 1, job.recurse), file, inner, level + 1)


def unpack_rtf(data: bytes, limit: int) -> bytes:
    """Compressed RTF (MS-OXRTFCP 2.2): LZ77 with a 4 KiB dictionary that starts with common RTF."""
    if len(data) < 16:
        return b""
    _packed, size, kind, _crc = struct.unpack_from("<LL4sL", data)
    if kind == b"MELA":
        return data[16 : 16 + min(size, limit)]
    window = bytearray(4096)
    window[: len(_RTF_SEED)] = _RTF_SEED
    place, out, at = len(_RTF_SEED), bytearray(), 16
    while at < len(data) and len(out) < limit:
        control = data[at]
        at += 1
        for bit in range(8):
            if at >= len(data):
                break
            if not control >> bit & 1:
                window[place] = data[at]
                out.append(data[at])
                place = (place + 1) % 4096
                at += 1
                continue
            reference = int.from_bytes(data[at : at + 2], "big")
            at += 2
            origin, length = reference >> 4, (reference & 15) + 2
            if origin == place:
                return bytes(out)
            for step in range(length):
                byte = window[(origin + step) % 4096]
                window[place] = byte
                out.append(byte)
                place = (place + 1) % 4096
    return bytes(out)
