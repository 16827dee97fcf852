"""The sheets of a binary XLSX workbook (MS-XLSB): enough of its records to see every cell."""

from __future__ import annotations

import struct
from collections.abc import Iterator

from agent.document import Area, Spot
from agent.extraction.formats.base import PROPERTIES, Job
from agent.extraction.formats.package import part
from agent.extraction.formats.serial import number_text
from agent.extraction.formats.zipdir import Member, read_member
from agent.extraction.limits import Stop

_ROW, _RK, _REAL, _STRING, _SHARED = 0, 2, 5, 6, 7
_FORMULA_STRING, _FORMULA_NUMBER, _ITEM, _RICH_STRING, _SHEET_NAME = 8, 9, 19, 62, 156
_BOOK, _SHEET, _STRINGS, _COMMENTS, _COMMENT = 131, 129, 159, 628, 637
_USUAL = {"xl/workbook.bin": _BOOK, "xl/sharedstrings.bin": _STRINGS}


def read_sheets(job: Job, members: list[Member]) -> list[Member]:
    """Read the sheets; return the members that are something else."""
    rest: list[Member] = []
    sheets: list[Member] = []
    strings: list[str] = []
    for member in members:
        if not (member.name.startswith("xl/") and member.name.endswith(".bin") and "/embeddings/" not in member.name):
            rest.append(member)
            continue
        kind = _kind(job, member)
        if kind == _STRINGS:
            strings = strings or [_wide(body, 1) for number, body in records(part(job, member)) if number == _ITEM]
        elif kind == _BOOK:
            job.text("\n".join(_sheet_names(part(job, member))), PROPERTIES)
        elif kind == _SHEET:
            sheets.append(member)
        elif kind == _COMMENTS:
            said = records(part(job, member))
            job.text("\n".join(_wide(body, 1) for number, body in said if number == _COMMENT))
    for number, member in enumerate(sheets, 1):
        _read_sheet(job, part(job, member), strings, Spot(Area.SHEET, number))
    return rest


def _kind(job: Job, member: Member) -> int:
    """What a part is, by its usual name or by the record that it begins with, for a name is free."""
    if member.name in _USUAL:
        return _USUAL[member.name]
    if member.name.startswith("xl/worksheets/"):
        return _SHEET
    job.budget.tick()
    try:
        head, _complete = read_member(job.source, member, job.budget, 16)
    except Stop:
        return _COMMENTS  # its reader says why
    return next(records(head), (-1, b""))[0]


def _read_sheet(job: Job, data: bytes, strings: list[str], spot: Spot) -> None:
    rows, far = _rows(job, data, strings)
    if rows:
        job.document.tables.append(rows)
        job.text("\n".join("\t".join(row) for row in rows), spot)
    job.text("\n".join(far), spot)


def records(data: bytes) -> Iterator[tuple[int, bytes]]:
    """(type, body) of every record; stops at the first that does not fit."""
    at, size = 0, len(data)
    while at + 2 <= size:
        kind = data[at]
        at += 1
        if kind & 0x80:
            kind = (kind & 0x7F) | (data[at] & 0x7F) << 7
            at += 1
        length = shift = 0
        while at < size and shift < 28:
            byte = data[at]
            at += 1
            length |= (byte & 0x7F) << shift
            shift += 7
            if not byte & 0x80:
                break
        if at + length > size:
            return
        yield kind, data[at : at + length]
        at += length


def _wide(body: bytes, at: int) -> str:
    count = int.from_bytes(body[at : at + 4], "little")
    return body[at + 4 : at + 4 + 2 * min(count, len(body))].decode("utf-16-le", "replace")


def _sheet_names(data: bytes) -> list[str]:
    """BrtBundleSh: state, id, relationship id, name."""
    names = []
    for kind, body in records(data):
        if kind == _SHEET_NAME and len(body) >= 12:
            relation = int.from_bytes(body[8:12], "little")
            names.append(_wide(body, 12 + 2 * (relation if relation < len(body) else 0)))
    return names


def _rows(job: Job, data: bytes, strings: list[str]) -> tuple[list[tuple[str, ...]], list[str]]:
    """The rows, and what stands in columns too far to the right to be kept as such."""
    limits, row, far = job.budget.limits, list[str](), list[str]()
    rows: list[tuple[str, ...]] = []
    for kind, body in records(data):
        if kind == _ROW:
            if row:
                rows.append(tuple(row))
                row = []
            if len(rows) >= limits.rows:
                job.document.truncated = True
                break
        elif (_RK <= kind <= _FORMULA_NUMBER or kind == _RICH_STRING) and len(body) >= 9:
            job.budget.element()
            (row if len(row) < limits.columns else far).append(_value(kind, body, strings))
    if row:
        rows.append(tuple(row))
    return rows, far


def _value(kind: int, body: bytes, strings: list[str]) -> str:
    if kind == _SHARED and len(body) >= 12:
        index = int.from_bytes(body[8:12], "little")
        return strings[index] if index < len(strings) else ""
    if kind in {_STRING, _FORMULA_STRING}:
        return _wide(body, 8)
    if kind == _RICH_STRING:
        return _wide(body, 9)  # behind a byte of flags
    if kind in {_REAL, _FORMULA_NUMBER} and len(body) >= 16:
        return number_text(repr(struct.unpack_from("<d", body, 8)[0]))
    return number_text(repr(rk_number(body[8:12]))) if kind == _RK and len(body) >= 12 else ""


def rk_number(packed: bytes) -> float:
    """An RK number (MS-XLS 2.5.217): 30 bits of an integer or of a double, perhaps in hundredths."""
    raw = int.from_bytes(packed, "little", signed=True)
    value = float(raw >> 2) if raw & 2 else struct.unpack("<d", b"\0\0\0\0" + struct.pack("<i", raw & ~3))[0]
    return float(value / 100 if raw & 1 else value)
