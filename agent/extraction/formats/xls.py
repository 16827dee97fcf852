"""XLS workbooks (MS-XLS): cells by python-calamine, and everything else (comments, headers, notes) as printable runs.

The record stream is walked first: an encrypted workbook is told by its FILEPASS record, and one whose cells lie so
far apart
that the library would allocate all that lies between is not handed to it.
"""

from __future__ import annotations

import datetime as dt
import io
from collections.abc import Iterator
from typing import Any

from agent.document import Area, Problem, Spot
from agent.extraction.formats.base import PROPERTIES, Job
from agent.extraction.formats.cfb import CompoundFile
from agent.extraction.formats.runs import document_runs
from agent.extraction.formats.serial import number_text
from agent.extraction.limits import Stop

_BOF, _FILEPASS, _CONTINUE = 0x0809, 0x2F, 0x3C
_CELLS = frozenset({0x0201, 0x0203, 0x0204, 0x0205, 0x027E, 0x00BD, 0x00BE, 0x00D6, 0x00FD, 0x0006, 0x0406, 0x0206})
_MAX_AREA = 4_000_000  # cells between the first and the last one of a sheet


def read_workbook(job: Job, file: CompoundFile, data: bytes) -> None:
    """Format.XLS."""
    stream = file.stream("workbook") or file.stream("book")
    sane, area = _survey(job, stream)
    # the library follows a chain in a circle until the memory is full
    rows = _tables(job, data) if sane and area <= _MAX_AREA and not file.damaged else False
    limits = job.budget.limits
    if not rows:
        job.document.truncated = job.document.truncated or area > _MAX_AREA
        job.text(document_runs(stream, limits.text_chars))
        return
    known = {cell for table in job.document.tables for row in table for cell in row}
    # shown nowhere as a cell: comments, headers, text boxes, deleted strings
    hidden = [run for run in document_runs(stream, limits.run_chars).split("\n") if run not in known]
    job.text("\n".join(hidden), PROPERTIES)


def _survey(job: Job, stream: bytes) -> tuple[bool, int]:
    """(whether the records follow one another to the end, the largest area of a sheet). Raises ``Stop(ENCRYPTED)``."""
    last_row = last_column = area = 0
    first = True
    for kind, body in _records(stream):
        if first and kind & 0xFF != _BOF & 0xFF:
            job.fail(Problem.CORRUPT)
            return False, 0
        first = False
        if kind == _FILEPASS:
            raise Stop(Problem.ENCRYPTED)
        if kind in _CELLS and len(body) >= 4:
            last_row = max(last_row, int.from_bytes(body[0:2], "little"))
            last_column = max(last_column, int.from_bytes(body[2:4], "little"))
            area = max(area, (last_row + 1) * (last_column + 1))
            job.budget.element()
        elif kind == _BOF:
            last_row = last_column = 0
    if first:
        job.fail(Problem.CORRUPT)
    return not first, area


def _records(stream: bytes) -> Iterator[tuple[int, memoryview]]:
    view, at = memoryview(stream), 0
    while at + 4 <= len(stream):
        kind = int.from_bytes(view[at : at + 2], "little")
        length = int.from_bytes(view[at + 2 : at + 4], "little")
        if kind == 0 and length == 0:
            return  # padding
        yield kind, view[at + 4 : at + 4 + length]
        at += 4 + length


def _tables(job: Job, data: bytes) -> bool:
    """Whether the library could read it."""
    import python_calamine

    limits = job.budget.limits
    try:
        book = python_calamine.CalamineWorkbook.from_filelike(io.BytesIO(data))
        names = list(book.sheet_names)[:1000]
        job.text("\n".join(names), PROPERTIES)
        for number, name in enumerate(names, 1):
            job.budget.tick()
            rows = _rows(book.get_sheet_by_name(name), limits.rows, limits.columns)
            if len(rows) > limits.rows:
                job.document.truncated = True
                rows = rows[: limits.rows]
            if rows:
                job.document.tables.append(rows)
                job.text("\n".join("\t".join(row) for row in rows), Spot(Area.SHEET, number))
    except Stop:
        raise
    except MemoryError:
        job.document.truncated = True
        return False
    except BaseException as error:
        if not isinstance(error, Exception) and type(error).__name__ != "PanicException":
            raise
        return False  # the runs of the stream are read instead, and they do not depend on the structure
    return True


def _rows(sheet: Any, limit: int, columns: int) -> list[tuple[str, ...]]:
    cells = sheet.to_python(skip_empty_area=True, nrows=limit + 1)
    rows = (tuple(_shown(cell) for cell in row[:columns]) for row in cells)
    return [row for row in rows if any(row)]


def _shown(cell: object) -> str:
    if isinstance(cell, str):
        return cell
    if isinstance(cell, bool):
        return "TRUE" if cell else "FALSE"
    if isinstance(cell, float):
        return number_text(repr(cell))
    if isinstance(cell, dt.datetime):
        midnight = not (cell.hour or cell.minute)
        return cell.strftime("%Y-%m-%d" if midnight else "%Y-%m-%d %H:%M")
    return str(cell)
