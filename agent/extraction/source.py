"""Where bytes come from: a descriptor that somebody else owns, or bytes already in memory.

Reads are positional, so the offset that the descriptor shares with its other holders never moves; nothing here opens or
closes a file. A ``SourceFile`` dresses a source as a seekable read-only file for libraries that want one.
"""

from __future__ import annotations

import io
import os
from typing import TYPE_CHECKING, Protocol

from agent.document import Problem
from agent.extraction.limits import Stop

if TYPE_CHECKING:
    from agent.extraction.limits import Budget

CHUNK = 1 << 20  # bytes asked for in one read call


class Source(Protocol):
    """Bytes of known size, readable at any position; short only at the end."""

    size: int

    def pread(self, count: int, offset: int) -> bytes:
        """At most ``count`` bytes from ``offset``. Raises ``Stop`` (unreadable, or over budget)."""
        ...


class BytesSource:
    """Bytes that are in memory already, and paid for."""

    __slots__ = ("data", "size")

    def __init__(self, data: bytes) -> None:
        self.data = data
        self.size = len(data)

    def pread(self, count: int, offset: int) -> bytes:
        if offset <= 0 and count >= self.size:
            return self.data
        return self.data[offset : offset + count]


class Behind:
    """Another source without its first ``skipped`` bytes."""

    __slots__ = ("_skipped", "_source", "size")

    def __init__(self, source: Source, skipped: int) -> None:
        self._source = source
        self._skipped = skipped
        self.size = max(0, source.size - skipped)

    def pread(self, count: int, offset: int) -> bytes:
        return self._source.pread(count, offset + self._skipped)


class DescriptorSource:
    """An open file; ``size`` is what the caller says, and nothing beyond it is read."""

    __slots__ = ("_budget", "_fd", "size")

    def __init__(self, fd: int, size: int, budget: Budget) -> None:
        self._fd = fd
        self._budget = budget
        self.size = size if size > 0 else _size_of(fd)

    def pread(self, count: int, offset: int) -> bytes:
        count = max(0, min(count, self.size - offset))
        self._budget.read(count)
        pieces: list[bytes] = []
        while count > 0:
            try:
                piece = os.pread(self._fd, min(count, CHUNK), offset)
            except OSError:
                raise Stop(Problem.UNREADABLE) from None
            if not piece:
                break  # the file became shorter meanwhile
            pieces.append(piece)
            offset += len(piece)
            count -= len(piece)
        return pieces[0] if len(pieces) == 1 else b"".join(pieces)


def _size_of(fd: int) -> int:
    try:
        return os.fstat(fd).st_size
    except OSError:
        raise Stop(Problem.UNREADABLE) from None


class SourceFile(io.RawIOBase):
    """A source as an unbuffered, seekable, read-only file. Closing it closes nothing else."""

    name = ""  # libraries ask for one; there is none to tell

    def __init__(self, source: Source, budget: Budget) -> None:
        super().__init__()
        self._source = source
        self._budget = budget
        self._at = 0

    def readable(self) -> bool:
        return True

    def seekable(self) -> bool:
        return True

    def seek(self, offset: int, whence: int = io.SEEK_SET) -> int:
        base = (0, self._at, self._source.size)[whence]
        self._at = max(0, base + offset)
        return self._at

    def tell(self) -> int:
        return self._at

    def readinto(self, buffer: object) -> int:
        view = memoryview(buffer).cast("B")  # type: ignore[arg-type]  # the buffer protocol has no name before 3.12
        self._budget.tick()  # the library that reads here has no other way to be stopped
        data = self._source.pread(len(view), self._at)
        view[: len(data)] = data
        self._at += len(data)
        return len(data)
