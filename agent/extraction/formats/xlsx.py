"""The sheets of an XLSX workbook as rows of cells: shared and inline strings, numbers, and dates as ISO dates.

Hidden sheets, rows and columns are read like all others. Cells are placed by their address within ``Limits.columns``;
rows are not padded, so a cell at XFD1048576 costs nothing.
"""

from __future__ import annotations

import html
import re
from collections.abc import Callable
from xml.parsers import expat

from agent.document import Area, Problem, Spot
from agent.extraction.formats.base import PROPERTIES, Job
from agent.extraction.formats.markup import EntityDeclared, parser_for
from agent.extraction.formats.package import part
from agent.extraction.formats.serial import date_of, is_date_format, number_text
from agent.extraction.formats.workbook import Workbook
from agent.extraction.formats.zipdir import Member
from agent.extraction.limits import Stop

_CHUNK = 128 * 1024
_SHEET_NAME = re.compile(rb"<(?:\w+:)?sheet\s[^>]{0,300}?\bname=\"([^\"]{1,300})\"")
_NUMBER_FORMAT = re.compile(rb"<(?:\w+:)?numFmt\s[^>]{0,400}>")
_CELL_STYLES = re.compile(rb"<(?:\w{1,20}:)?cellXfs\b")
_STYLE = re.compile(rb"<(?:\w+:)?xf\s[^>]{0,400}>")
_ID = re.compile(rb"numFmtId=\"(\d{1,9})\"")
_CODE = re.compile(rb"formatCode=\"([^\"]{1,300})\"")
_LITERAL = re.compile(r"\"([^\"]{3,})\"")  # text that a format puts around a number, or in its place
_CACHED = re.compile(rb"<(?:\w+:)?[sdn] v=\"([^\"]{1,2000})\"")
_MAX_STYLES = 65_536
_Start = Callable[[str, dict[str, str]], None]
_Text = Callable[[str], None]


def cached_values(data: bytes) -> list[str]:
    """Values that a pivot table keeps of data whose sheet may be gone."""
    return [html.unescape(value.decode("utf-8", "replace")) for value in _CACHED.findall(data)]


def read_sheets(job: Job, found: Workbook) -> None:
    """Read the sheets and what their cells refer to."""
    strings, dates = _shared(job, found.strings), _date_styles(job, found.styles)
    book = part(job, found.book) if found.book else b""
    names = [html.unescape(name.decode("utf-8", "replace")) for name in _SHEET_NAME.findall(book)[:1000]]
    job.text("\n".join(names), PROPERTIES)
    unused = set(strings)
    for number, member in found.sheets:
        reader = _Sheet(job, strings, dates, b'date1904="1"' in book or b'date1904="true"' in book)
        reader.read(part(job, member), number)
        unused -= reader.used
    job.text("\n".join(sorted(unused)), PROPERTIES)  # strings of deleted cells stay in the file


class _Strings:
    """Collects shared strings: one an ``si`` element, without the phonetic guides."""

    def __init__(self, job: Job) -> None:
        self.strings: list[str] = []
        self._job = job
        self._pieces: list[str] = []
        self._keep = self._phonetic = False

    def start(self, name: str, _attributes: dict[str, str]) -> None:
        if name == "rPh" or name.endswith(":rPh"):
            self._phonetic = True
        self._keep = not self._phonetic and (name == "t" or name.endswith(":t"))

    def end(self, name: str) -> None:
        self._keep = False
        if name == "si" or name.endswith(":si"):
            self._job.budget.element()
            self.strings.append("".join(self._pieces))
            self._pieces.clear()
        elif name == "rPh" or name.endswith(":rPh"):
            self._phonetic = False

    def characters(self, data: str) -> None:
        if self._keep:
            self._pieces.append(data)


def _shared(job: Job, member: Member | None) -> list[str]:
    if member is None:
        return []
    collector = _Strings(job)
    _parse(job, part(job, member), collector.start, collector.end, collector.characters)
    return collector.strings


def _parse(job: Job, data: bytes, start: _Start, end: _Text, characters: _Text) -> None:
    parser = parser_for(data)
    parser.StartElementHandler, parser.EndElementHandler, parser.CharacterDataHandler = start, end, characters
    try:
        for at in range(0, len(data), _CHUNK):
            job.budget.tick()
            parser.Parse(data[at : at + _CHUNK], at + _CHUNK >= len(data))
    except _Enough:
        job.document.truncated = True
    except (expat.ExpatError, EntityDeclared, ValueError, LookupError):
        job.fail(Problem.CORRUPT)
    except Stop as stop:
        job.fail(stop.problem)


def _date_styles(job: Job, member: Member | None) -> frozenset[str]:
    """The cell styles (their index, as written in cells) that show a number as a date."""
    if member is None:
        return frozenset()
    data = part(job, member)
    codes: dict[int, str] = {}
    for element in _NUMBER_FORMAT.findall(data)[:_MAX_STYLES]:
        number, code = _ID.search(element), _CODE.search(element)
        if number and code:
            codes[int(number.group(1))] = html.unescape(code.group(1).decode("utf-8", "replace"))
    job.text("\n".join(word for code in codes.values() for word in _LITERAL.findall(code)), PROPERTIES)
    block = _CELL_STYLES.search(data)
    end = data.find(b"cellXfs>", block.end()) if block else -1
    styles = _STYLE.findall(data, block.end(), end)[:_MAX_STYLES] if block and end > 0 else []
    numbers = (int(match.group(1)) if (match := _ID.search(style)) else 0 for style in styles)
    return frozenset(
        str(index) for index, number in enumerate(numbers) if is_date_format(number, codes.get(number, ""))
    )


class _Enough(Exception):
    """The sheet has more rows than are kept."""


class _Sheet:
    """The expat callbacks of one sheet."""

    def __init__(self, job: Job, strings: list[str], dates: frozenset[str], since_1904: bool) -> None:
        self._job = job
        self._strings, self._dates, self._since_1904 = strings, dates, since_1904
        self.used: set[str] = set()
        self._rows: list[tuple[str, ...]] = []
        self._loose: list[str] = []  # header, footer, validation lists: text outside cells
        self._row: list[str] = []
        self._pieces: list[str] = []
        self._attributes: dict[str, str] = {}
        self._in_cell = False
        self._columns = job.budget.limits.columns
        self._room = job.budget.chars_left  # characters of this sheet that may still be kept

    def read(self, data: bytes, number: int) -> None:
        """Hand over the sheet as a table and as text."""
        if not data:
            return
        _parse(self._job, data, self.start, self.end, self._pieces.append)
        self._end_row()
        spot = Spot(Area.SHEET, number)
        if self._rows:
            self._job.document.tables.append(self._rows)
        self._job.text("\n".join("\t".join(row) for row in self._rows), spot)
        self._job.text("\n".join(self._loose), spot)

    def start(self, name: str, attributes: dict[str, str]) -> None:
        if name == "c" or name.endswith(":c"):
            self._attributes = attributes
            self._in_cell = True
            self._pieces.clear()
        elif name == "row" or name.endswith(":row"):
            self._end_row()

    def end(self, name: str) -> None:
        if name in {"v", "t", "is", "r", "rPr"}:
            return
        local = name.rpartition(":")[2]
        if local == "c":
            self._end_cell()
        elif local == "f":
            self._pieces.clear()
        elif self._pieces and not self._in_cell:
            self._loose.append("".join(self._pieces).strip())
            self._pieces.clear()

    def _end_cell(self) -> None:
        self._in_cell = False
        pieces = self._pieces
        value = self._value(pieces[0] if len(pieces) == 1 else "".join(pieces)) if pieces else ""
        pieces.clear()
        limit = self._columns
        column = _column(self._attributes.get("r", ""))
        if column is not None and len(self._row) < column < limit:
            self._row += [""] * (column - len(self._row))
        if value:
            if len(self._row) < limit:
                self._row.append(value)
            else:
                self._loose.append(value)
        elif len(self._row) < limit:
            self._row.append("")

    def _value(self, written: str) -> str:
        kind = self._attributes.get("t", "n")
        if kind == "s":
            index = int(written) if written.strip().isdecimal() and len(written) < 9 else -1
            text = self._strings[index] if 0 <= index < len(self._strings) else ""
            self.used.add(text)
            return text
        if kind != "n":
            return {"1": "TRUE", "0": "FALSE"}.get(written, written) if kind == "b" else written
        if self._attributes.get("s") in self._dates:
            return date_of(written, since_1904=self._since_1904)
        return number_text(written)

    def _end_row(self) -> None:
        row = self._row
        self._job.budget.element(len(row))
        while row and not row[-1]:
            row.pop()
        if not row:
            return
        self._room -= sum(map(len, row))
        if len(self._rows) >= self._job.budget.limits.rows or self._room < 0:
            row.clear()
            raise _Enough
        self._rows.append(tuple(row))
        row.clear()


def _column(address: str) -> int | None:
    """0-based column of « BC12 », or None."""
    column = 0
    for place, char in enumerate(address):
        if not "A" <= char <= "Z":
            return column - 1 if place else None
        column = column * 26 + ord(char) - 64
        if place > 3:
            return None
    return None
