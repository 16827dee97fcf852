"""Old Office documents (DOC, PPT, other compound files): the text of their streams, and the files embedded in them.

DOC text is taken by its piece table (MS-DOC 2.4.1) where it makes sense; everything else, and a damaged file, is
read as runs
of printable characters, which finds headers, notes, comments and deleted text as well. XLS and MSG have readers of
their own.
"""

from __future__ import annotations

import re
import struct
import zlib

from agent.document import Area, Format, Problem, Spot
from agent.extraction.formats import msg, xls
from agent.extraction.formats.base import PROPERTIES, Job
from agent.extraction.formats.blips import note_blips
from agent.extraction.formats.cfb import CompoundFile
from agent.extraction.formats.runs import document_runs
from agent.extraction.limits import Stop
from agent.extraction.sniff import HEAD, ole_format, sniff

_PROPERTY_STREAMS = ("\x05summaryinformation", "\x05documentsummaryinformation")
_EMBEDDED = Spot(Area.ATTACHMENT)
_WORTH = frozenset({Format.PDF, Format.ZIP, Format.OLE, Format.RTF, Format.XML, Format.HTML, Format.IMAGE})
_SKIPPED = (
    "worddocument",
    "0table",
    "1table",
    "powerpoint document",
    "workbook",
    "book",
    "pictures",
    "current user",
    "data",
)
_PICTURES = {Format.DOC: ("data", "worddocument"), Format.PPT: ("pictures",)}
_OBJECT = re.compile(rb"[\0\x10]\0\x11\x10")
_LOCKED = frozenset({"encryptedpackage", "\x09drmcontent", "\x09drmviewercontent"})
_PPT_ENCRYPTED = 0xF3D1C4DF


def read(job: Job) -> None:
    """Format.OLE as sniffed; the document's format becomes what it is."""
    data = job.whole()
    document, limits = job.document, job.budget.limits
    try:
        file = CompoundFile(data)
    except Stop as stop:
        job.fail(stop.problem)
        document.format = {"doc": Format.DOC, "xls": Format.XLS, "ppt": Format.PPT, "msg": Format.MSG}.get(
            document.extension, Format.OLE
        )
        job.text(document_runs(data, limits.text_chars))
        return
    document.format = ole_format(file.names(), document.extension)
    if file.names() & _LOCKED:
        raise Stop(Problem.ENCRYPTED)
    if document.format is Format.MSG:
        msg.read_message(job, file)
    else:
        _office(job, file, data)
    # a sound document holds something, if only its properties: nothing at all means that nothing was found again
    if file.damaged or not (document.parts or document.tables or document.children):
        job.fail(Problem.CORRUPT)


def _office(job: Job, file: CompoundFile, data: bytes) -> None:
    format_ = job.document.format
    if format_ is Format.DOC:
        _word(job, file)
    elif format_ is Format.PPT:
        _slides(job, file)
    elif format_ is Format.XLS:
        xls.read_workbook(job, file, data)
    else:
        _any(job, file)
        _visio(job, file)
    for name in _PROPERTY_STREAMS:
        job.text(document_runs(file.stream(name), 20_000), PROPERTIES)
    _embedded(job, file)
    for name in _PICTURES.get(format_, ()):
        note_blips(job, file.stream(name))


def _word(job: Job, file: CompoundFile) -> None:
    main = file.stream("worddocument")
    if len(main) < 512 or main[:2] not in {b"\xec\xa5", b"\xdc\xa5", b"\x9b\xa5"}:
        job.fail(Problem.CORRUPT)
    flags = int.from_bytes(main[10:12], "little")
    if flags & 0x0100:
        raise Stop(Problem.ENCRYPTED)
    text = _pieces(main, file.stream("1table" if flags & 0x0200 else "0table"))
    limit = job.budget.limits.text_chars
    job.text(text if len(text) > 20 else document_runs(main, limit))


def _pieces(main: bytes, table: bytes) -> str:
    """The text by the piece table, with Word's control characters as line ends and tabs; empty when there is none."""
    if len(main) < 0x1AA or not table:
        return ""
    start, size = struct.unpack_from("<LL", main, 0x1A2)
    clx = table[start : start + size]
    at = 0
    while at + 3 <= len(clx) and clx[at] == 1:  # formatting that comes first
        at += 3 + int.from_bytes(clx[at + 1 : at + 3], "little")
    if at + 5 > len(clx) or clx[at] != 2:
        return ""
    body = clx[at + 5 : at + 5 + int.from_bytes(clx[at + 1 : at + 5], "little")]
    count = (len(body) - 4) // 12
    if count < 1:
        return ""
    ends = struct.unpack_from(f"<{count + 1}L", body)
    pieces: list[str] = []
    for index in range(count):
        length = ends[index + 1] - ends[index]
        place = struct.unpack_from("<L", body, 4 * (count + 1) + 8 * index + 2)[0]
        if not 0 <= length <= len(main):
            continue
        pieces.append(_piece(main, place, length))
    return "".join(pieces).translate(_CONTROLS)


def _piece(main: bytes, place: int, length: int) -> str:
    if place & 0x40000000:
        start = (place & 0x3FFFFFFF) // 2
        return main[start : start + length].decode("cp1252", "replace")
    return main[place : place + 2 * length].decode("utf-16-le", "replace")


_CONTROLS = dict.fromkeys(range(32)) | {
    7: "\t",
    9: "\t",
    10: "\n",
    11: "\n",
    12: "\n",
    13: "\n",
    14: "\n",
    30: "-",
    31: None,
}
_CONTROLS |= {19: " ", 20: " ", 21: " "}  # around fields


def _slides(job: Job, file: CompoundFile) -> None:
    user = file.stream("current user")
    if len(user) >= 16 and int.from_bytes(user[12:16], "little") == _PPT_ENCRYPTED:
        raise Stop(Problem.ENCRYPTED)
    stream = file.stream("powerpoint document")
    job.text(document_runs(stream, job.budget.limits.text_chars))
    _stored(job, stream)


def _stored(job: Job, stream: bytes) -> None:
    """Objects within the slides' own stream, packed or not (ExOleObjStg, MS-PPT 2.10.34)."""
    at = 0
    while match := _OBJECT.search(stream, at):
        job.budget.part()
        at = match.end()
        start, size = at + 4, int.from_bytes(stream[at : at + 4], "little")
        if not 4 < size <= len(stream) - start:
            continue
        payload = stream[start : start + size]
        if match[0].startswith(b"\x10"):
            payload = _unpacked(job, payload[4:])  # behind its size
        if sniff(payload[:HEAD]) is not Format.OLE:
            continue
        job.budget.inflate(len(payload))
        child = job.child(payload, spot=_EMBEDDED)
        at = start + size
        if not (child.parts or child.tables or child.children) and child.problem is Problem.CORRUPT:
            child.problem = None  # a button without words


def _unpacked(job: Job, packed: bytes) -> bytes:
    machine = zlib.decompressobj()
    try:
        data = machine.decompress(packed, max(1, min(job.budget.limits.member_bytes, job.budget.inflated_left)))
    except zlib.error:
        return b""
    job.document.truncated |= bool(machine.unconsumed_tail)
    return data


def _visio(job: Job, file: CompoundFile) -> None:
    """A drawing's own stream is packed by a method of its own; its properties are not."""
    if "visiodocument" in file.names():
        job.fail(Problem.UNSUPPORTED)


def _any(job: Job, file: CompoundFile) -> None:
    """Publisher, Visio, Works, Project and unknown programs: runs of every stream."""
    left = job.budget.limits.run_chars
    for entry in file.entries.values():
        if entry.stream and left > 0:
            job.budget.part()
            text = document_runs(file.read(entry), left)
            left -= len(text)
            job.text(text)


def _embedded(job: Job, file: CompoundFile) -> None:
    for entry in list(file.entries.values()):
        if not entry.stream or (len(entry.path) == 1 and entry.name in _SKIPPED) or entry.size < 64:
            continue
        job.budget.part()
        if entry.name == "\x01ole10native":
            name, payload = native(file.read(entry))
        elif len(entry.path) > 1 and entry.name in {"worddocument", "workbook", "book", "powerpoint document"}:
            name, payload = "", b""
            job.text(document_runs(file.read(entry), job.budget.limits.run_chars), _EMBEDDED)
        else:
            name, payload = "", file.read(entry)
            payload = payload if sniff(payload[:HEAD]) in _WORTH else b""
        if payload:
            job.child(payload, spot=_EMBEDDED, name=name)


def native(data: bytes) -> tuple[str, bytes]:
    """(name, content) of an Ole10Native stream (MS-OLEDS 2.3.6, and the packager's layout inside it)."""
    body = data[4:]
    if body[:2] != b"\x02\x00":
        return "", body
    label_end = body.find(b"\0", 2, 1024)
    path_end = body.find(b"\0", label_end + 1, 4096)
    if label_end < 0 or path_end < 0:
        return "", body
    at = path_end + 1 + 4  # two unknown words
    temp = int.from_bytes(body[at : at + 4], "little")
    at += 4 + temp
    size = int.from_bytes(body[at : at + 4], "little")
    content = body[at + 4 : at + 4 + size]
    return (body[2:label_end].decode("cp1252", "replace"), content) if content else ("", body)
