"""The child that reads an export and answers with digests: confined like a reader of documents, and then ended.

``python -I -m agent.patients.building FD MEMORY CPU UID GID KEY`` is started by ``load``; FD is one end of a pair of
SOCK_SEQPACKET sockets, KEY a descriptor of the list's key, read before the process is confined. Then one request with
the export's descriptor, which it reads by position; it opens nothing, writes nothing, and nothing of a patient leaves
it but digests. Any failure is a refusal with a code.
"""

from __future__ import annotations

import csv
import io
import os
import re
import socket
import sys
from collections.abc import Iterator, Sequence

from agent.detection.roster.digests import KEY_BYTES
from agent.document import Document
from agent.errors import HostError
from agent.extraction import sandbox
from agent.extraction.wire import EXIT_IMPORT, EXIT_PROTOCOL, EXIT_SANDBOX, encode_ready
from agent.patients import wire
from agent.patients.columns import HEADER_ROWS, Field, choose, enough, find_headings
from agent.patients.entries import Gathering
from agent.patients.rows import Reason, RowReader, writes_month_first
from agent.patients.wire import MAX_BAD, MAX_ROWS, Refusal, Report

MAX_BYTES = 128 << 20  # of an export
_SOCKET_FD = 3
_SEPARATORS = ";\t,|"
_FIELD = 131_072  # characters of one cell
_EVERY = 2_000  # rows between two messages of progress
_SPREADSHEETS = (b"PK\x03\x04", b"\xd0\xcf\x11\xe0", b"{\\rtf")
_SECONDS = 60.0  # to read a spreadsheet

Rows = list[tuple[str, ...]]


class RefusedError(Exception):
    """The export cannot be used; ``why`` says it in a code."""

    def __init__(self, why: Refusal) -> None:
        super().__init__(why.name)
        self.why = why


def main(arguments: Sequence[str]) -> int:
    """The process; its exit code is one of ``agent.extraction.wire.EXIT_*``, 0 at the end."""
    try:
        given, memory, cpu, uid, gid, key_fd = map(int, arguments)
        key = bytes.fromhex(os.pread(key_fd, 4 * KEY_BYTES, 0).decode("ascii"))
    except (ValueError, OSError):
        return EXIT_PROTOCOL
    os.dup2(given, _SOCKET_FD)
    channel = socket.socket(fileno=_SOCKET_FD)
    try:
        from agent.extraction.preload import preload
        from agent.extraction.reader import warm_up

        preload()
        warm_up()
    except Exception:
        return EXIT_IMPORT
    try:
        report = sandbox.arm(
            _SOCKET_FD, memory_bytes=memory, cpu_seconds=cpu, run_as=(uid, gid) if uid >= 0 else None
        )  # fmt: skip
    except (HostError, OSError, ValueError):
        return EXIT_SANDBOX
    channel.send(encode_ready(report))
    _answer(channel, key)
    os._exit(0)


def _answer(channel: socket.socket, key: bytes) -> None:
    message, descriptors, _, _ = socket.recv_fds(channel, wire.MAX_MESSAGE, 1)
    if len(descriptors) != 1:
        return
    try:
        extension, wanted, size = wire.decode_request(message)
        rows = read_rows(descriptors[0], extension, size, wanted)
        for answer in build(rows, wanted, key):
            channel.send(answer)
    except RefusedError as refusal:
        channel.send(wire.refused(refusal.why))
    except MemoryError:
        channel.send(wire.refused(Refusal.TOO_LARGE))
    except Exception:  # whatever a file provokes in a library
        channel.send(wire.refused(Refusal.UNREADABLE))


def build(rows: Rows, wanted: Sequence[tuple[Field, str]], key: bytes) -> Iterator[bytes]:
    """The messages of one table: progress, then the list. Raises RefusedError."""
    chosen = choose(rows, wanted)
    if chosen is None:
        raise RefusedError(Refusal.NO_SUCH_HEADING)
    start, columns = chosen
    if not enough(columns):
        raise RefusedError(Refusal.NO_COLUMNS)
    body = rows[start:]
    births = [at for at, what in columns.items() if what is Field.BIRTH_DATE][:1]
    reader = RowReader(columns, writes_month_first([row[at] for row in body for at in births if at < len(row)]))
    gathering, report = Gathering(key), Report(rows=len(body), columns=columns)
    for number, row in enumerate(body):
        if number % _EVERY == 0:
            yield wire.progress(number, len(body))
        _read(reader, row, start + number + 1, gathering, report)
    if not gathering.patients:
        raise RefusedError(Refusal.NO_PATIENT)
    yield wire.progress(len(body), len(body))
    yield from wire.result(report, gathering.index())


def _read(reader: RowReader, row: Sequence[str], number: int, gathering: Gathering, report: Report) -> None:
    patient, reason = reader.read(row)
    if patient is not None:
        if gathering.full:
            raise RefusedError(Refusal.TOO_MANY)
        report.used += 1
        report.doubles += not gathering.add(patient)
    if reason is not None:
        report.reasons[reason] = report.reasons.get(reason, 0) + 1
        if len(report.bad) < MAX_BAD and reason is not Reason.EMPTY:
            report.bad.append((number, reason))


def read_rows(fd: int, extension: str, size: int, wanted: Sequence[tuple[Field, str]]) -> Rows:
    """The rows of the export's table, blank ones left out. Raises RefusedError."""
    if size > MAX_BYTES:
        raise RefusedError(Refusal.TOO_LARGE)
    if os.pread(fd, 8, 0).startswith(_SPREADSHEETS):
        return _from_spreadsheet(fd, extension, size)
    return rows_of(b"".join(_blocks(fd, size)), wanted)


def _blocks(fd: int, size: int) -> Iterator[bytes]:
    place = 0
    while place < size and (block := os.pread(fd, min(1 << 20, size - place), place)):
        place += len(block)
        yield block


def _from_spreadsheet(fd: int, extension: str, size: int) -> Rows:
    from agent.extraction.limits import Budget, Limits
    from agent.extraction.reader import read_document

    limits = Limits(rows=MAX_ROWS, elements=20_000_000, soft_seconds=_SECONDS)
    document = read_document(fd, extension, size, Budget(limits))
    tables = [table for table in _tables(document) if table]
    if document.problem is not None or document.truncated:
        raise RefusedError(Refusal.UNREADABLE)
    if not tables:
        raise RefusedError(Refusal.NO_TABLE)
    return max(tables, key=lambda table: (len(find_headings(table)[1]), len(table)))


def _tables(document: Document) -> list[Rows]:
    return [*document.tables, *(table for child in document.children for table in child.tables)]


def rows_of(data: bytes, wanted: Sequence[tuple[Field, str]]) -> Rows:
    """The rows of a delimited text in whatever encoding; the separator that gives most known headings wins.

    Raises RefusedError: there is no separator in it, or a cell is beyond all measure.
    """
    from agent.extraction.formats.charset import decode

    text = decode(data).replace("\0", "")
    if text[:4].lower() == "sep=":  # what a spreadsheet program writes for itself
        text = text.partition("\n")[2]
    separator = max(_SEPARATORS, key=lambda sign: _fit(text, sign, wanted))
    csv.field_size_limit(_FIELD)
    try:
        rows = _read_quoted(text, separator)
    except csv.Error as error:
        if (plain := _read_plain(text, separator)) is None:
            raise RefusedError(Refusal.UNREADABLE) from error
        rows = plain
    if any("\n" in cell for row in rows for cell in row):
        rows = _read_plain(text, separator) or rows
    if len(rows) > MAX_ROWS:
        raise RefusedError(Refusal.TOO_MANY)
    if max(map(len, rows), default=0) < 2:
        raise RefusedError(Refusal.NO_TABLE)
    return rows


def _read_quoted(text: str, separator: str) -> Rows:
    """The rows; raises csv.Error."""
    lines = csv.reader(io.StringIO(text, newline=""), delimiter=separator)
    return [tuple(row) for row in lines if any(map(str.strip, row))]


def _read_plain(text: str, separator: str) -> Rows | None:
    """The rows when a quotation mark is a sign like any other: a stray one would swallow the patients up to the next.

    None unless every line then has as many cells as the others, and none beyond all measure.
    """
    lines = (line.split(separator) for line in re.split("\r\n?|\n", text))
    rows = [tuple(cell.strip('"') for cell in row) for row in lines if any(map(str.strip, row))]
    fits = len({len(row) for row in rows}) == 1 and all(len(cell) <= _FIELD for row in rows for cell in row)
    return rows if fits else None


def _fit(text: str, separator: str, wanted: Sequence[tuple[Field, str]]) -> tuple[int, float]:
    """How many headings are known with this separator, and how many cells most rows have."""
    lines = text[:100_000].splitlines()[: HEADER_ROWS + 30]
    rows = [line.split(separator) for line in lines if line.strip()]
    unquoted = [[cell.strip().strip('"') for cell in row] for row in rows]
    counts = [len(row) for row in rows]
    usual = max(set(counts), key=counts.count, default=1)
    chosen = choose(unquoted, wanted)
    return len(chosen[1]) if chosen else 0, (usual > 1) * counts.count(usual) / max(len(counts), 1) + usual / 1000


if __name__ == "__main__":
    sys.exit(main(sys.argv[1:]))
