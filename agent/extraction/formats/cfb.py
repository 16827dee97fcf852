"""The compound file (MS-CFB) that old Office documents and Outlook messages are: a small file system in a file.

Pure over bytes. Every chain is followed with a counter, so loops end; sizes are cut to what the file can hold.
Raises ``Stop``:
corrupt, when the header or the directory make no sense.
"""

from __future__ import annotations

import struct
from dataclasses import dataclass

from agent.document import Problem
from agent.extraction.limits import Stop

MAGIC = b"\xd0\xcf\x11\xe0\xa1\xb1\x1a\xe1"
_HEADER = struct.Struct("<8s16s6H10L")
_FREE = 0xFFFFFFFA  # this and above are no sectors
_NONE = 0xFFFFFFFF
_ENTRY = 128
_UNUSED, _STORAGE, _STREAM, _ROOT = 0, 1, 2, 5
_MAX_ENTRIES = 20_000


@dataclass(frozen=True, slots=True)
class Entry:
    """A stream or storage. ``path`` is its lower-case names from the root down."""

    path: tuple[str, ...]
    stream: bool
    start: int
    size: int

    @property
    def name(self) -> str:
        return self.path[-1]


class CompoundFile:
    """The directory of a compound file, and its streams."""

    def __init__(self, data: bytes) -> None:
        if len(data) < 512 or not data.startswith(MAGIC):
            raise Stop(Problem.CORRUPT)
        self._data = data
        values = _HEADER.unpack_from(data)
        shift, mini_shift = values[5], values[6]
        if shift not in {9, 12} or mini_shift != 6:
            raise Stop(Problem.CORRUPT)
        self._sector = 1 << shift
        self._cutoff = 4096  # MS-CFB 2.2 fixes it
        first_directory, first_mini = values[11], values[14]
        self.damaged = False  # some chain did not lead where it should
        self._fat = self._read_fat(values[16], values[17])
        raw = self._chain(first_directory, len(data))
        self.entries: dict[tuple[str, ...], Entry] = {}
        self._mini_start, self._mini_size = 0, 0
        self._read_directory(raw)
        self._mini_fat = _table(self._chain(first_mini, len(data)))
        self._mini = self._chain(self._mini_start, self._mini_size) if self._mini_size else b""

    def _at(self, sector: int) -> bytes:
        start = (sector + 1) * self._sector
        return self._data[start : start + self._sector]

    def _read_fat(self, next_difat: int, count: int) -> tuple[int, ...]:
        sectors = list(struct.unpack_from("<109L", self._data, 76))
        for _ in range(min(count, len(self._data) // self._sector)):
            block = _table(self._at(next_difat)) if next_difat < _FREE else ()
            if not block:
                break
            sectors += block[:-1]
            next_difat = block[-1]
        known = [sector for sector in sectors if sector < _FREE]
        return _table(b"".join(self._at(sector) for sector in known[: len(self._data) // self._sector]))

    def _chain(self, sector: int, size: int) -> bytes:
        pieces: list[bytes] = []
        seen: set[int] = set()
        room = min(-(-size // self._sector), len(self._data) // self._sector + 1)
        while sector < _FREE and len(pieces) < room:
            piece = self._at(sector)
            if not piece or sector >= len(self._fat) or sector in seen:  # the last: it bites its tail
                self.damaged = True
                break
            seen.add(sector)
            pieces.append(piece)
            sector = self._fat[sector]
        self.damaged = self.damaged or len(pieces) >= len(self._data) // self._sector
        return b"".join(pieces)[:size]

    def _read_directory(self, raw: bytes) -> None:
        records = [raw[at : at + _ENTRY] for at in range(0, min(len(raw), _MAX_ENTRIES * _ENTRY), _ENTRY)]
        if not records or len(records[0]) < _ENTRY or records[0][66] != _ROOT:
            raise Stop(Problem.CORRUPT)
        self._mini_start, self._mini_size = struct.unpack_from("<LQ", records[0], 116)
        self._mini_size = min(self._mini_size & 0xFFFFFFFF, len(self._data))
        self.damaged = self.damaged or len(raw) > _MAX_ENTRIES * _ENTRY
        seen = self._walk(records)
        # sound files leave nothing behind: an entry that nothing leads to has lost its place in the tree
        for index, record in enumerate(records[1:], 1):
            if index not in seen and record[66:67] != bytes([_UNUSED]):
                self.damaged = True
                if len(record) == _ENTRY and record[66] == _STREAM:
                    self._add(record, ())

    def _walk(self, records: list[bytes]) -> set[int]:
        """Follow the tree from the root; returns the records that were met. One that makes no sense is damage."""
        pending: list[tuple[int, tuple[str, ...]]] = [(int.from_bytes(records[0][76:80], "little"), ())]
        seen: set[int] = {0}
        while pending:
            index, parent = pending.pop()
            if index == _NONE:
                continue
            if index in seen or index >= len(records) or len(parent) > 20:
                self.damaged = True
                continue
            seen.add(index)
            record = records[index]
            if len(record) < _ENTRY or record[66] not in {_STORAGE, _STREAM}:
                self.damaged = True
                continue
            path = self._add(record, parent)
            left, right, down = struct.unpack_from("<3L", record, 68)
            pending += [(left, parent), (right, parent)]
            if record[66] == _STORAGE:  # a stream has nothing below it, whatever a careless writer left there
                pending.append((down, path))
        return seen

    def _add(self, record: bytes, parent: tuple[str, ...]) -> tuple[str, ...]:
        name = _name(record)
        self.damaged = self.damaged or name is None
        path = (*parent, name or "")
        if path in self.entries:  # two entries with one name
            self.damaged = True
            path = (*parent, f"{name or ''}\0{len(self.entries)}")
        start, size = struct.unpack_from("<LQ", record, 116)
        size = min(size if self._sector > 512 else size & 0xFFFFFFFF, len(self._data))
        self.entries[path] = Entry(path, record[66] == _STREAM, start, size)
        return path

    def read(self, entry: Entry) -> bytes:
        """The bytes of a stream; shorter than it claims when the file is damaged."""
        if entry.size >= self._cutoff:
            data = self._chain(entry.start, entry.size)
        else:
            data = self._mini_chain(entry.start, entry.size)
        if len(data) < entry.size:
            self.damaged = True
        return data

    def _mini_chain(self, sector: int, size: int) -> bytes:
        pieces: list[bytes] = []
        seen: set[int] = set()  # a chain that comes back is broken: the stream is then shorter than it claims
        while sector < _FREE and len(pieces) * 64 < size and sector < len(self._mini_fat) and sector not in seen:
            seen.add(sector)
            pieces.append(self._mini[sector * 64 : sector * 64 + 64])
            sector = self._mini_fat[sector]
        return b"".join(pieces)[:size]

    def names(self) -> frozenset[str]:
        """The names in the root."""
        return frozenset(path[0] for path in self.entries if len(path) == 1)

    def stream(self, *path: str) -> bytes:
        """The bytes of the stream at a path (lower case), or nothing."""
        entry = self.entries.get(path)
        return self.read(entry) if entry and entry.stream else b""


def _table(data: bytes) -> tuple[int, ...]:
    return struct.unpack(f"<{len(data) // 4}L", data[: len(data) // 4 * 4])


def _name(record: bytes) -> str | None:
    """The name in lower case; None when it is not formed as MS-CFB 2.6.1 says (even length, one NUL, at its end)."""
    length = int.from_bytes(record[64:66], "little")
    if length % 2 or not 4 <= length <= 64:
        return None
    try:
        name = record[:length].decode("utf-16-le")
    except UnicodeDecodeError:
        return None
    return name[:-1].lower() if name.find("\0") == len(name) - 1 else None
