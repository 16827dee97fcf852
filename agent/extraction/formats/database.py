"""SQLite databases: each table's rows as cells, as far as the limits go; free space is searched for printable runs.

The library works on bytes in memory: no file, no journal, no extension, nothing written. Only plain tables are asked
for; views, virtual tables and triggers, which run what the file says, are not. A counter stops what takes too long.
"""

from __future__ import annotations

from typing import Any

from agent.document import Area, Problem, Spot
from agent.extraction.formats.base import Job
from agent.extraction.limits import MIB, Stop

_MOST_TABLES = 200
_CELL = 4_000  # characters of one cell of a table; what is longer is text beside it
_SMALL = 512  # bytes: a smaller blob is no document but may be text
_STEPS = 20_000  # instructions of the library's machine between looks at the clock
_CHECKED = 4 * MIB  # bytes: a larger database is not checked through and through
_LARGEST = 64 * MIB


def read(job: Job) -> None:
    """Format.SQLITE. Raises ``Stop``: too large, corrupt."""
    import sqlite3

    whole = job.whole(min(_LARGEST, job.budget.limits.whole_bytes))
    if len(whole) < 512:
        raise Stop(Problem.CORRUPT)
    data = bytearray(whole)
    data[18:20] = b"\1\1"  # a journal beside the file is not here: read what the file itself holds
    connection = sqlite3.connect(":memory:", isolation_level=None)
    try:
        connection.deserialize(bytes(data))
        connection.set_progress_handler(_Clock(job), _STEPS)
        connection.text_factory = _text
        for setting in ("trusted_schema=OFF", "query_only=ON", "temp_store=MEMORY", "mmap_size=0"):
            connection.execute(f"PRAGMA {setting}")
        connection.setlimit(sqlite3.SQLITE_LIMIT_LENGTH, 8 * MIB)
        _tables(job, connection)
        if _is_cut(whole) or (len(whole) <= _CHECKED and not _is_sound(connection)):
            raise Stop(Problem.CORRUPT)
    except sqlite3.Error as error:
        job.budget.tick()  # interrupted by the clock: then that is what is said
        raise Stop(_problem(error)) from None
    except UnicodeDecodeError:  # the name of a table or column
        raise Stop(Problem.CORRUPT) from None
    finally:
        connection.close()


def _is_cut(data: bytes) -> bool:
    """Whether pages are missing at the end (file format 1.3.8: the count is valid when both change counters agree)."""
    size = int.from_bytes(data[16:18], "big")
    pages = int.from_bytes(data[28:32], "big") if data[24:28] == data[92:96] else 0
    return pages * (65_536 if size == 1 else size) > len(data)


def _is_sound(connection: Any) -> bool:
    """What the library itself finds wrong with the pages; a page of zeros reads as an empty one."""
    return [tuple(row) for row in connection.execute("PRAGMA quick_check(1)")] == [("ok",)]


def _problem(error: Exception) -> Problem:
    return Problem.TOO_LARGE if "too big" in str(error) else Problem.CORRUPT


class _Clock:
    """Called by the library now and then; anything but 0 stops it."""

    def __init__(self, job: Job) -> None:
        self._job = job

    def __call__(self) -> int:
        try:
            self._job.budget.tick()
        except Stop:
            return 1
        return 0


def _text(value: bytes) -> str:
    return value.decode("utf-8", "replace")


def _tables(job: Job, connection: Any) -> None:
    names = connection.execute(
        "SELECT name FROM sqlite_master WHERE type = 'table' AND name NOT LIKE 'sqlite\\_%' ESCAPE '\\'"
        " AND sql NOT LIKE 'CREATE VIRTUAL%' LIMIT ?",
        (_MOST_TABLES + 1,),
    ).fetchall()
    for number, (name,) in enumerate(names[:_MOST_TABLES], 1):
        job.budget.part()
        _table(job, connection, str(name), number)
    if len(names) > _MOST_TABLES:
        job.fail(Problem.TOO_MANY_PARTS)


def _table(job: Job, connection: Any, name: str, number: int) -> None:
    limits = job.budget.limits
    quoted = '"' + name.replace('"', '""') + '"'
    cursor = connection.execute(f"SELECT * FROM {quoted} LIMIT ?", (limits.rows + 1,))  # noqa: S608 - quoted
    names = [str(column[0])[:_CELL] for column in cursor.description]
    rows: list[tuple[str, ...]] = [tuple(names[: limits.columns])]
    beside: list[str] = []
    spot = Spot(Area.SHEET, number)
    for row in cursor:
        job.budget.element(len(row))
        if len(rows) > limits.rows:
            job.document.truncated = True
            break
        cells = [_cell(job, value, spot) for value in row]
        beside += [f"{key}: {cell}" for key, cell in zip(names, cells, strict=True) if len(cell) > _CELL]
        more = zip(names[limits.columns :], cells[limits.columns :], strict=True)
        beside += [f"{key}: {cell}" for key, cell in more if cell]
        rows.append(tuple(cell[:_CELL] for cell in cells[: limits.columns]))
    if len(rows) > 1:
        job.document.tables.append(rows)
        job.text(name + "\n" + "\n".join("\t".join(row) for row in rows), spot)
        job.text("\n".join(beside), spot)


def _cell(job: Job, value: object, spot: Spot) -> str:
    """A cell as text; a document kept in a cell becomes a child."""
    if not isinstance(value, bytes):
        return "" if value is None else str(value)
    if len(value) < _SMALL:
        return _written(value)
    job.budget.inflate(len(value))
    job.child(value, spot=spot)
    return ""


def _written(value: bytes) -> str:
    """A small blob that is text; empty when it is a digest, a key or a number."""
    try:
        text = value.decode()
    except UnicodeDecodeError:
        return ""
    return text if "".join(text.split()).isprintable() else ""
