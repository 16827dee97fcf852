"""Office documents written as one XML file: flat OpenDocument, Word 2003, Flat OPC, Excel 2003. Any other XML goes on.

The same text as in the packed form: words are not torn where their formatting changes, rows of a sheet are a table.
Embedded pictures and objects stand in them as base64 and are found as in any text.
"""

from __future__ import annotations

import re
from xml.parsers import expat

from agent.document import Area, Problem, Spot
from agent.extraction.formats import markup, odf, ooxml, text
from agent.extraction.formats.base import BODY, Job
from agent.extraction.formats.charset import decode
from agent.extraction.formats.flow import flow
from agent.extraction.formats.markup import EntityDeclared, parser_for

_ROOT = re.compile(rb"<(?![?!])(?:[\w.-]{1,40}:)?([\w.-]{1,60})[\s>]")
_BINARY = re.compile(rb"(<(?:[\w.-]{1,40}:)?(?:binaryData|binary-data|binData)\b[^<>]{0,400}>)[^<]+")
_EXCEL = b"urn:schemas-microsoft-com:office:spreadsheet"
_CHUNK = 128 * 1024


def read(job: Job) -> None:
    """Format.XML."""
    match = _ROOT.search(job.head)
    root = match[1] if match else b""
    if root == b"document" and b"opendocument" in job.head:
        _opendocument(job)
    elif root in {b"wordDocument", b"package"} and (b"wordml" in job.head or b"xmlPackage" in job.head):
        data = _whole(job)
        job.text(flow(job, _BINARY.sub(rb"\1", data), ooxml.ACTIONS), BODY)
        text.children(job, data)
    elif root == b"Workbook" and _EXCEL in job.head:
        data = _whole(job)
        _Workbook(job).read(data)
        text.children(job, data)
    else:
        markup.read(job)


def _opendocument(job: Job) -> None:
    data = _whole(job)
    bare = _BINARY.sub(rb"\1", data)
    if b"opendocument.spreadsheet" in job.head or b"<office:spreadsheet" in bare:
        odf.read_sheets(job, bare)
    else:
        job.text(flow(job, bare, odf.ACTIONS), BODY)
    text.children(job, data)


def _whole(job: Job) -> bytes:
    """All of it, in UTF-8; the recognisers get it as well."""
    data = text.take(job)
    job.document.raw = data[: job.budget.limits.raw_bytes]
    if job.document.truncated:
        job.fail(Problem.TOO_LARGE)
    return data if job.head[:3] == b"\xef\xbb\xbf" or _is_utf8(data) else decode(data).encode("utf-8", "replace")


def _is_utf8(data: bytes) -> bool:
    try:
        data.decode("utf-8")
    except UnicodeDecodeError:
        return False
    return b"\0" not in data[:64]


class _Workbook:
    """The expat callbacks for SpreadsheetML 2003: rows of cells, and the place that a cell may name."""

    def __init__(self, job: Job) -> None:
        self._job = job
        self._tables: list[list[tuple[str, ...]]] = []
        self._row: list[str] = []
        self._cell: list[str] | None = None
        self._loose: list[str] = []

    def read(self, data: bytes) -> None:
        """Hand over each sheet as a table and as text."""
        parser = parser_for(data)
        parser.StartElementHandler, parser.EndElementHandler = self.start, self.end
        parser.CharacterDataHandler = self.characters
        try:
            for at in range(0, len(data), _CHUNK):
                self._job.budget.tick()
                parser.Parse(data[at : at + _CHUNK], at + _CHUNK >= len(data))
        except (expat.ExpatError, EntityDeclared, ValueError, LookupError):
            self._job.fail(Problem.CORRUPT)
        for number, rows in enumerate(self._tables, 1):
            if rows:
                self._job.document.tables.append(rows)
                self._job.text("\n".join("\t".join(row) for row in rows), Spot(Area.SHEET, number))
        self._job.text("\n".join(self._loose), Spot(Area.PROPERTIES))

    def start(self, name: str, attributes: dict[str, str]) -> None:
        local = name.rpartition(":")[2]
        if local == "Cell":
            self._cell = []
            place = attributes.get("ss:Index", "")
            if place.isdecimal() and len(place) < 5:
                room = min(int(place) - 1, self._job.budget.limits.columns) - len(self._row)
                self._row += [""] * max(0, room)
        elif local == "Worksheet":
            self._tables.append([])
            self._loose.append(attributes.get("ss:Name", ""))

    def end(self, name: str) -> None:
        local = name.rpartition(":")[2]
        if local == "Cell":
            shown = " ".join("".join(self._cell or ()).split()).removesuffix("T00:00:00.000")
            if len(self._row) < self._job.budget.limits.columns:
                self._row.append(shown)
            elif shown:
                self._loose.append(shown)
            self._cell = None
        elif local == "Row":
            self._job.budget.element(1 + len(self._row))
            if any(self._row) and self._tables:
                if len(self._tables[-1]) < self._job.budget.limits.rows:
                    self._tables[-1].append(tuple(self._row))
                else:
                    self._job.document.truncated = True
            self._row = []

    def characters(self, data: str) -> None:
        if self._cell is not None:
            self._cell.append(data)
        elif not data.isspace():
            self._loose.append(data)
