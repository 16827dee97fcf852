"""dBase, FoxPro and Clipper tables (.dbf), in which old practice software keeps its patients: rows of cells.

Nothing says « dBase » in the file but the shape of its header, so all of it has to fit: version, date, lengths that
add up. Deleted rows are read too: they are still in the file. Memo files are searched for printable runs elsewhere.
"""

from __future__ import annotations

import struct
from dataclasses import dataclass

from agent.document import Area, Problem, Spot
from agent.extraction.formats.base import Job
from agent.extraction.limits import Stop

_VERSIONS = frozenset(b"\x02\x03\x04\x05\x30\x31\x32\x43\x63\x83\x87\x8b\x8c\x8e\xcb\xf5\xfb")
_CODE_PAGES = {
    0x01: "cp437",
    0x02: "cp850",
    0x03: "cp1252",
    0x57: "cp1252",
    0x58: "cp1252",
    0x59: "cp1252",
    0x64: "cp852",
}
_DOS_ONLY = bytes(range(0x80, 0xA0))  # letters in cp850, rare signs in cp1252
_WINDOWS_ONLY = bytes(range(0xC0, 0x100))  # letters in cp1252, mostly lines and boxes in cp850
_MAX_FIELDS = 255
_BINARY = frozenset(b"MGPBQVW0")  # memo pointers, pictures
_BLOCK = 1 << 20


@dataclass(frozen=True, slots=True)
class Header:
    """What the first bytes say: columns as (name, type, length), where rows begin, how long and how many they are."""

    columns: tuple[tuple[str, int, int], ...]
    start: int
    width: int
    count: int
    page: str


def header(head: bytes) -> Header | None:
    """The header of a table, or None when these bytes are no such thing. ``head``: the first 4096 bytes suffice."""
    if len(head) < 65 or head[0] not in _VERSIONS or not (1 <= head[2] <= 12 and 1 <= head[3] <= 31):
        return None
    count, start, width = struct.unpack_from("<LHH", head, 4)
    columns: list[tuple[str, int, int]] = []
    at, total = 32, 1
    while at + 32 <= len(head) and head[at] not in {0x0D, 0} and len(columns) < _MAX_FIELDS:
        name, kind, size = head[at : at + 11].split(b"\0")[0], head[at + 11], head[at + 16]
        if not name.isascii() or not chr(kind).isalnum():
            return None
        if kind == ord("C"):  # Clipper: the second byte of the length
            size += head[at + 17] << 8 if total + size < width and head[at + 17] < 16 else 0
        columns.append((name.decode("ascii"), kind, size))
        total += size
        at += 32
    if not columns or total > width or not (total == width or head[0] in {0x30, 0x31, 0x32}) or start < at:
        return None
    return Header(tuple(columns), start, width, count, _CODE_PAGES.get(head[29], ""))


def read(job: Job, table: Header) -> None:
    """A table as rows and as text; a row more or less than it says is corrupt."""
    limits = job.budget.limits
    rows = [tuple(name for name, _kind, _size in table.columns)]
    wanted = min(table.count, limits.rows)
    data = job.source.pread(min(wanted * table.width, limits.member_bytes), table.start)
    page = table.page or (_guessed(data))
    for at in range(0, len(data) - table.width + 1, table.width):
        job.budget.element(len(table.columns))
        rows.append(_row(data[at + 1 : at + table.width], table, page))
    job.document.tables.append(rows)
    job.text("\n".join("\t".join(row) for row in rows), Spot(Area.SHEET, 1))
    if len(rows) - 1 < wanted:
        raise Stop(Problem.CORRUPT)
    if wanted < table.count:
        job.document.truncated = True


def _guessed(data: bytes) -> str:
    """The code page of a table that names none: old programs wrote DOS letters."""
    dos = len(data) - len(data.translate(None, _DOS_ONLY))
    return "cp850" if dos > len(data) - len(data.translate(None, _WINDOWS_ONLY)) else "cp1252"


def _row(record: bytes, table: Header, page: str) -> tuple[str, ...]:
    cells: list[str] = []
    at = 0
    for _name, kind, size in table.columns:
        value = record[at : at + size]
        at += size
        cells.append("" if kind in _BINARY else _cell(value, kind, page))
    return tuple(cells)


def _cell(value: bytes, kind: int, page: str) -> str:
    if kind in b"IT+@YO" and len(value) in {4, 8}:  # numbers and moments in binary
        return str(int.from_bytes(value, "little", signed=True)) if kind in b"I+" else ""
    text = value.split(b"\0")[0].decode(page, "replace").strip()
    if kind == ord("D") and len(text) == 8 and text.isdecimal():
        return f"{text[:4]}-{text[4:6]}-{text[6:]}"
    return text
