"""Outlook messages (MS-OXMSG): headers, subject, body in whichever of three forms, attachments as children."""

from __future__ import annotations

import re
import struct

from agent.document import Area, Document, Format, Problem, Spot
from agent.extraction.formats.base import BODY, PROPERTIES, Job
from agent.extraction.formats.cfb import CompoundFile
from agent.extraction.formats.runs import document_runs
from agent.extraction.limits import KIB

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
_LISTED = "__properties_version1.0"
_KNOWN = re.compile(  # MS-OXMSG 2.1: the only names there are
    r"__(?:substg1\.0_[0-9a-f]{8}(?:-[0-9a-f]{8})?|properties_version1\.0|nameid_version1\.0"
    r"|(?:attach|recip)_version1\.0_#[0-9a-f]{8})"
)
_APART = frozenset({0x1E, 0x1F, 0x102})  # types of property whose value lies in a stream: text and bytes
_LONG = 64  # bytes: a shorter stream in a message without a body is no lost body
_MOST_TWICE = 256 * KIB  # of RTF that is unpacked beside the same body as HTML
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
    if not _other_bodies(job, file, at, properties) and not properties.get(_BODY):
        _bodiless(job, file, at)
    if not _is_whole(file, at):
        job.fail(Problem.CORRUPT)
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
            data = file.read(entry).rstrip(b"\0")
            wide = b"\0" in data  # then its type is wrong, or rather the name that says it
            found.setdefault(tag, data.decode("utf-16-le" if wide else "cp1252", "replace"))
    return found


def _is_whole(file: CompoundFile, at: _Path) -> bool:
    """Whether every name in this message is one that messages have, and each listed property has its stream."""
    here = {path[-1] for path in file.entries if len(path) == len(at) + 1 and path[: len(at)] == at}
    if not all(_KNOWN.fullmatch(name) for name in here):
        return False
    listed = file.stream(*at, _LISTED)
    for place in range(24 if at else 32, len(listed) - 15, 16):  # MS-OXMSG 2.4.2: 16 bytes each
        kind, tag, _flags, size = struct.unpack_from("<HHLL", listed, place)
        if kind in _APART and size > 2 and f"__substg1.0_{tag:04x}{kind:04x}" not in here:
            return False
    return True


def _bodiless(job: Job, file: CompoundFile, at: _Path) -> None:
    """No body: it may be there under a name that was damaged, so what is nowhere else read is read as runs."""
    for path, entry in list(file.entries.items()):
        here = entry.stream and len(path) == len(at) + 1 and path[: len(at)] == at
        if not here or entry.size < _LONG or path[-1] == _LISTED or path[-1][12:16] in {_SUBJECT, _HEADERS}:
            continue
        job.budget.part()
        job.text(document_runs(file.read(entry), job.budget.limits.run_chars), PROPERTIES)


def _other_bodies(job: Job, file: CompoundFile, at: _Path, properties: dict[str, str]) -> bool:
    """The body as HTML and as RTF; whether there is one. The plain one may be a stub that says « see the page »."""
    page = file.stream(*at, f"__substg1.0_{_HTML}0102") or properties.get(_HTML, "").encode()
    if page:
        _form_of_body(job, page, "html", properties.get(_BODY, ""))
    packed = file.stream(*at, f"__substg1.0_{_RTF}0102")
    long = int.from_bytes(packed[4:8], "little") > _MOST_TWICE
    if packed and not (page and long):
        _form_of_body(job, unpack_rtf(packed, job.budget.limits.member_bytes), "rtf", properties.get(_BODY, ""))
    return bool(page or packed)


def _form_of_body(job: Job, data: bytes, extension: str, plain: str) -> None:
    """Add a form of the body as a child, unless it says what the plain one says."""
    child = job.child(data, extension, Spot(Area.BODY))
    said = {word for part in child.parts for word in part.text.split()}
    if child.problem is None and not child.children and said and said <= set(plain.split()):
        job.document.children.pop()


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
