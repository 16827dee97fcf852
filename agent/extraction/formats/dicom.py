"""DICOM (PS3.10) by pydicom: the header's elements as fields « gggg,eeee », and an encapsulated document as a child.

Pixels are never read. A deflated data set is inflated here under the budget before the library sees it, because the
library
inflates without limit. Nested elements go into the text as well: that is where structured reports keep what they say.
"""

from __future__ import annotations

import io
from typing import Any

from agent.document import Area, Problem, Spot
from agent.extraction.formats import inflate
from agent.extraction.formats.base import Job
from agent.extraction.limits import Budget, Stop
from agent.extraction.sniff import stray_bytes
from agent.extraction.source import Behind, BytesSource, Source, SourceFile

_DEFLATED = b"1.2.840.10008.1.2.1.99"
_PLAIN = b"1.2.840.10008.1.2.1\0\0\0"
_RAW = 4096  # bytes of the header kept as they are
_BUFFER = 64 * 1024
_BINARY = frozenset({"OB", "OW", "OF", "OD", "OL", "OV", "UN", "AT"})
_PAYLOAD, _MIME = 0x00420011, 0x00420012
_DIRECTORY, _RECORD_TYPE, _WHO = 0x00041220, 0x00041430, (0x00100010, 0x00100020, 0x00100030)
_SAID = frozenset({0x0040A160, 0x00080104, 0x0040A123, 0x00081155, 0x00420010, 0x00104000, 0x001021B0})
_MAX_ITEMS = 2_000  # items of one sequence
_MAX_TEXT = 4_000  # characters of one value
_MIME_EXTENSION = {"application/pdf": "pdf", "text/xml": "xml", "application/xml": "xml", "model/stl": "stl"}


def read(job: Job) -> None:
    """Format.DICOM."""
    pydicom = _library()
    source, head = _aligned(job.source, job.head)
    job.document.raw = head[:_RAW]
    source = _inflated(source, head, job.budget)
    file = io.BufferedReader(SourceFile(source, job.budget), _BUFFER)
    try:
        data = pydicom.dcmread(file, stop_before_pixels=True, force=True)
    except Stop:
        raise
    except Exception:  # pydicom raises whatever a hostile header provokes
        job.fail(Problem.CORRUPT)
        return
    if _DIRECTORY in data:
        _directory(job, data)
    walker = _Walker(job)
    meta = getattr(data, "file_meta", None)
    if meta is not None:
        walker.walk(meta, 0)
    walker.walk(data, 0)
    if not job.document.fields:
        job.fail(Problem.CORRUPT)
    job.text("\n".join(walker.lines), Spot(Area.FIELD))
    _payload(job, data)


def _library() -> Any:
    import logging
    import warnings

    import pydicom
    from pydicom import config

    config.settings.reading_validation_mode = config.IGNORE
    logging.getLogger("pydicom").disabled = True  # it would log values
    warnings.filterwarnings("ignore", module="pydicom")
    return pydicom


def _aligned(source: Source, head: bytes) -> tuple[Source, bytes]:
    """The same file without the byte that a careless copy put in front of it."""
    skipped = stray_bytes(head)
    if not skipped:
        return source, head
    return Behind(source, skipped), head[skipped:]


def _directory(job: Job, data: Any) -> None:
    """DICOMDIR (PS3.3 F.5.1): name, number and birth date of each PATIENT record, one row each."""
    rows: list[tuple[str, ...]] = []
    for record in list(data[_DIRECTORY].value or ()):
        job.budget.element()
        try:
            if str(record.get(_RECORD_TYPE).value).strip() == "PATIENT":
                rows.append(tuple(_text(record[tag].value) if tag in record else "" for tag in _WHO))
        except Stop:
            raise
        except Exception:  # a value that does not fit its type
            job.fail(Problem.CORRUPT)
        if len(rows) >= job.budget.limits.rows:
            job.document.truncated = True
            break
    if rows:
        job.document.tables.append(rows)


def _inflated(source: Source, head: bytes, budget: Budget) -> Source:
    """The same file with a deflated data set inflated and its transfer syntax renamed (PS3.5 A.5)."""
    if head[128:132] != b"DICM" or _DEFLATED not in head[:2048]:
        return source
    start = 144 + int.from_bytes(head[140:144], "little")
    if not 144 < start < min(len(head), source.size):
        raise Stop(Problem.CORRUPT)
    machine, pending, at, out = inflate.deflate(), b"", start, [head[:start].replace(_DEFLATED, _PLAIN)]
    total, limit = 0, budget.limits.member_bytes
    while not machine.eof and total < limit:
        if not pending and machine.hungry:
            pending = source.pread(_BUFFER, at)
            at += len(pending)
            if not pending:
                break
        piece, pending = machine.feed(pending)
        budget.inflate(len(piece))
        total += len(piece)
        out.append(piece)
    return BytesSource(b"".join(out))


class _Walker:
    """Turns elements into fields and lines, within the limits."""

    def __init__(self, job: Job) -> None:
        self._job = job
        self.lines: list[str] = []

    def walk(self, data: Any, depth: int) -> None:
        """All elements of one data set; a broken one is noted and skipped."""
        if depth > 12:
            self._job.fail(Problem.TOO_DEEP)
            return
        for tag in sorted(data.keys()):
            self._job.budget.element()
            try:
                element = data[tag]
            except Stop:
                raise
            except Exception:  # a value that does not fit its type
                self._job.fail(Problem.CORRUPT)
                continue
            self._element(element, int(tag), depth)

    def _element(self, element: Any, tag: int, depth: int) -> None:
        if element.VR == "SQ":
            for item in list(element.value or ())[:_MAX_ITEMS]:
                self._job.budget.tick()
                self.walk(item, depth + 1)
            return
        if tag == _PAYLOAD or (element.VR in _BINARY and not isinstance(element.value, str)):
            return
        text = _text(element.value)
        if not text:
            return
        key = f"{tag >> 16:04x},{tag & 0xFFFF:04x}"
        if depth == 0 or key not in self._job.document.fields:
            self._job.field(key, text)
        if depth or tag in _SAID or element.VR in {"LT", "ST", "UT", "PN"}:
            self.lines.append(text)


def _text(value: Any) -> str:
    if value is None:
        return ""
    if isinstance(value, bytes):
        return value[:_MAX_TEXT].decode("latin-1").strip("\0 ")
    if isinstance(value, str | int | float):
        return str(value)[:_MAX_TEXT].strip("\0 ")
    if hasattr(value, "__iter__") and not hasattr(value, "original_string"):
        return "\\".join(str(item) for item in list(value)[:50])[:_MAX_TEXT]
    return str(value)[:_MAX_TEXT].strip("\0 ")


def _payload(job: Job, data: Any) -> None:
    """An encapsulated PDF or CDA (PS3.3 A.45)."""
    if _PAYLOAD not in data:
        return
    try:
        value = data[_PAYLOAD].value
    except Stop:
        raise
    except Exception:
        job.fail(Problem.CORRUPT)
        return
    if isinstance(value, bytes) and value:
        kind = job.document.fields.get("0042,0012", "").lower()
        job.child(value.rstrip(b"\0"), _MIME_EXTENSION.get(kind, ""), Spot(Area.ATTACHMENT))
