"""Reading the files of a log: which segments there are, what lies in them, and the records from some index on.

Reads only, needs neither the agent nor its lock, and may run while the agent appends: a frame that is not whole yet is
simply not there yet. Damage is passed over here, in the open: ``verify`` is the one that judges it.
"""

from __future__ import annotations

import os
import re
from collections.abc import Iterator, Sequence
from pathlib import Path
from typing import Any, NamedTuple

from agent.audit import frames, record
from agent.audit.checkpoint import Cosigned
from agent.audit.frames import Damage, Frame, Item, Torn
from agent.audit.head import read_head
from agent.audit.prefix import read_prefix
from agent.audit.verify import Expected, Summary, verify
from agent.errors import N_, AuditError, UntrustedInputError

SEGMENT_BYTES = 16 << 20
_CHUNK_BYTES = 256 << 10
_NAME = re.compile(r"(\d{8})\.slog")


class Entry(NamedTuple):
    """A record as read: its place in the log, its fields, its canonical bytes and its private part."""

    number: int
    fields: dict[str, Any]
    public: bytes
    private: bytes


class Position(NamedTuple):
    """Where in the files to begin: a frame's segment number and byte offset."""

    segment: int = 0
    offset: int = 0


BEGINNING = Position()


def segment_path(folder: Path, number: int) -> Path:
    return folder / f"{number:08d}.slog"


def segment_numbers(folder: Path) -> list[int]:
    """The numbers of the segments in ``folder``, rising. Raises AuditError when the folder cannot be read."""
    try:
        names = os.listdir(folder)
    except OSError as error:
        raise AuditError(
            N_("the audit log cannot be read: {why}"),
            where=str(folder),
            hint=N_("give the folder that holds the .slog files, and read it as root or as a reviewer"),
            why=error.strerror,
        ) from error
    return sorted(int(found[1]) for name in names if (found := _NAME.fullmatch(name)))


def bytes_in(folder: Path) -> int:
    """How large the segments are together. Raises OSError and AuditError."""
    return sum(segment_path(folder, number).stat().st_size for number in segment_numbers(folder))


def segment_items(folder: Path, number: int, offset: int = 0) -> Iterator[Item]:
    """The frames of one segment from byte ``offset`` on; damage and a torn end stand at their place.

    Raises AuditError when the file cannot be read.
    """
    path = segment_path(folder, number)
    try:
        with path.open("rb", buffering=0) as file:
            file.seek(offset)
            rest, base = b"", offset
            while True:
                # as much again: damage that nothing whole follows yet is looked at twice, not once a piece
                chunk = file.read(max(_CHUNK_BYTES, len(rest)))
                items, used = frames.split(rest + chunk if rest else chunk, base, final=not chunk)
                yield from items
                if not chunk:
                    return
                rest = (rest + chunk)[used:]
                base += used
    except OSError as error:
        raise AuditError(N_("cannot be read: {why}"), where=str(path), why=error.strerror) from error


def items(folder: Path, start: Position = BEGINNING) -> Iterator[tuple[int, Item]]:
    """Everything in the log from ``start`` on, with its segment number.

    Only the last segment may end in Torn: a torn end of an earlier one is Damage. Raises AuditError: unreadable.
    """
    numbers = [number for number in segment_numbers(folder) if number >= start.segment]
    for number in numbers:
        offset = start.offset if number == start.segment else 0
        for item in segment_items(folder, number, offset):
            if type(item) is Frame or (isinstance(item, Torn) and number == numbers[-1]):
                yield number, item
            elif not isinstance(item, Frame):
                yield number, Damage(item.offset, item.length, number)


def position_of(folder: Path, index: int) -> Position:
    """The beginning of the last segment whose first record is not behind ``index``. Raises AuditError."""
    best = BEGINNING
    for number in segment_numbers(folder):
        first = next((entry.number for _, entry in _entries(folder, Position(number), only=number)), None)
        if first is None:
            continue
        if first > index:
            break
        best = Position(number)
    return best


def read(folder: Path, start: int = 0, position: Position | None = None) -> Iterator[Entry]:
    """The readable records with an index of at least ``start``, in the order of the files.

    ``position`` is a shortcut that the caller remembers from before. Raises AuditError when a file cannot be read.
    """
    for _, entry in read_placed(folder, start, position):
        yield entry


def read_placed(folder: Path, start: int = 0, position: Position | None = None) -> Iterator[tuple[Position, Entry]]:
    """Like ``read``, with the position that follows each record."""
    if position is None:
        position = position_of(folder, start) if start else BEGINNING
    for place, entry in _entries(folder, position):
        if entry.number >= start:
            yield place, entry


def read_sealed(
    folder: Path, start: int, position: Position | None, end: Position
) -> Iterator[tuple[Position, Entry | bytes]]:
    """The records from index ``start`` on and the seals (bodies of frames) among them, as they lie, with the position
    that follows each; nothing behind ``end``. Without ``position`` also the seals right behind record ``start`` - 1.

    Raises AuditError when a file cannot be read.
    """
    begin = position or (position_of(folder, start - 1) if start else BEGINNING)
    reached = position is not None or not start
    for number, item in items(folder, begin):
        if not isinstance(item, Frame):
            continue
        place = Position(number, item.offset + frames.HEADER_BYTES + len(item.body))
        if place > end:
            return
        if item.kind == frames.FrameType.LEAF:
            entry = _entry(item)
            if entry is not None:
                reached = reached or entry.number >= start - 1
                if entry.number >= start:
                    yield place, entry
        elif item.kind == frames.FrameType.CHECKPOINT and reached:
            yield place, item.body


def _entry(frame: Frame) -> Entry | None:
    """The record in a frame; None when it is none, which ``verify`` is to judge."""
    try:
        public, private = frames.unpack_leaf(frame.body)
        fields = record.decode(public)
    except UntrustedInputError:
        return None
    return Entry(fields["i"], fields, public, private)


def _entries(folder: Path, start: Position, only: int | None = None) -> Iterator[tuple[Position, Entry]]:
    source = (
        items(folder, start) if only is None else ((only, item) for item in segment_items(folder, only, start.offset))
    )
    for number, item in source:
        if not isinstance(item, Frame) or item.kind != frames.FrameType.LEAF:
            continue
        entry = _entry(item)
        if entry is not None:
            yield Position(number, item.offset + frames.HEADER_BYTES + len(item.body)), entry


def require_log(folder: Path) -> None:
    """Raises AuditError: there is no log in ``folder``, or it cannot be read."""
    if not segment_numbers(folder):
        raise AuditError(
            N_("there is no audit log here"), where=str(folder), hint=N_("give the folder that holds the .slog files")
        )


def verify_folder(
    folder: Path,
    identity: bytes | None = None,
    witnessed: Sequence[Cosigned] = (),
    witness: bytes | None = None,
) -> Summary:
    """Check the whole log in ``folder``; the agent may be writing to it. See ``verify.Expected`` for the others.

    Raises TamperError (changed or cut off: index, kind) and AuditError (there is no log here, or it cannot be read).
    """
    head = read_head(folder)  # first: the log only grows beyond it
    if head is None:
        require_log(folder)
    prefix = read_prefix(folder)
    begin = Position(prefix.segment) if prefix is not None else BEGINNING
    return verify(items(folder, begin), Expected(head, identity, witnessed, witness), prefix=prefix)
