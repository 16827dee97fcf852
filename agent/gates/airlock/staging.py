"""Where files being written lie until they are judged: in memory, and beyond a budget on the local disk.

In memory is a memfd; on the disk a file without a name (O_TMPFILE), encrypted with a key that lives in this process
only, unless the disk is encrypted itself (``agent.gates.airlock.spill``). Nothing here survives the process. Knows how
much may lie here at all, in bytes really held (a hole costs nothing), and says ENOSPC before the limit is passed.
"""

from __future__ import annotations

import errno
import os
import threading
from typing import Protocol

from agent.gates.airlock.descriptor import Descriptor

_COPY = 1 << 20
_BLOCK = 512


class Blob(Protocol):
    """The bytes of one file. Offsets and sizes in bytes; nobody calls two of these at once but ``read``."""

    size: int

    def read(self, into: memoryview, offset: int) -> int:
        """Fill ``into`` from ``offset``; how many bytes there were."""

    def write(self, data: memoryview, offset: int) -> None:
        """Raises OSError, EIO for a local disk in trouble."""

    def truncate(self, size: int) -> None: ...

    def held(self) -> int:
        """Bytes really taken."""

    def seek(self, offset: int, whence: int) -> int:
        """SEEK_DATA or SEEK_HOLE, as lseek(2)."""

    def open_for_judge(self) -> Descriptor:
        """A descriptor that can only read these bytes."""


class MemoryBlob:
    """A memfd."""

    def __init__(self) -> None:
        self._fd = Descriptor(os.memfd_create("staged", os.MFD_CLOEXEC))
        self.size = 0

    def read(self, into: memoryview, offset: int) -> int:
        return os.preadv(self._fd.fd, (into,), offset)

    def write(self, data: memoryview, offset: int) -> None:
        while data:
            written = os.pwrite(self._fd.fd, data, offset)
            data, offset = data[written:], offset + written
            self.size = max(self.size, offset)

    def truncate(self, size: int) -> None:
        os.ftruncate(self._fd.fd, size)
        self.size = size

    def held(self) -> int:
        return os.fstat(self._fd.fd).st_blocks * _BLOCK

    def seek(self, offset: int, whence: int) -> int:
        return os.lseek(self._fd.fd, offset, whence)

    def open_for_judge(self) -> Descriptor:
        return Descriptor(os.open(f"/proc/self/fd/{self._fd.fd}", os.O_RDONLY | os.O_CLOEXEC))


class Spill(Protocol):
    """Makes blobs on the local disk."""

    def blob(self) -> Blob: ...


class Store:
    """Gives out blobs and counts them. ``limit`` and ``memory`` in bytes; without a ``spill`` there is only memory."""

    def __init__(self, limit: int, memory: int, spill: Spill | None) -> None:
        self._limit = limit
        self._memory = min(memory, limit) if spill else limit
        self._spill = spill
        self._lock = threading.Lock()
        self._held: dict[Blob, int] = {}
        self._total = 0
        self._in_memory = 0

    @property
    def total(self) -> int:
        """Bytes staged now."""
        return self._total

    def new(self) -> Blob:
        blob = MemoryBlob()
        with self._lock:
            self._held[blob] = 0
        return blob

    def room_for(self, blob: Blob, more: int) -> Blob:
        """The blob in which ``more`` bytes may now be written: this one, or its copy on the disk.

        Raises OSError ENOSPC when the limit would be passed.
        """
        if self._total + more > self._limit:
            raise OSError(errno.ENOSPC, os.strerror(errno.ENOSPC))
        if isinstance(blob, MemoryBlob) and self._spill and self._in_memory + more > self._memory:
            return self._move(blob, self._spill.blob())
        return blob

    def _move(self, blob: Blob, onto: Blob) -> Blob:
        copy(blob, onto)
        with self._lock:
            self._held[onto] = 0
        self.count(onto)
        self.drop(blob)
        return onto

    def count(self, blob: Blob) -> None:
        """See how much a blob holds now."""
        held = blob.held()
        with self._lock:
            change = held - self._held[blob]
            self._held[blob] = held
            self._total += change
            if isinstance(blob, MemoryBlob):
                self._in_memory += change

    def drop(self, blob: Blob) -> None:
        """The blob is not needed any more; a reader that still has it may finish."""
        with self._lock:
            held = self._held.pop(blob, 0)
            self._total -= held
            if isinstance(blob, MemoryBlob):
                self._in_memory -= held


def copy(blob: Blob, onto: Blob) -> None:
    """Every byte, holes left out. Raises OSError."""
    buffer = memoryview(bytearray(_COPY))
    offset = 0
    while (offset := next_data(blob, offset)) < blob.size:
        length = blob.read(buffer, offset)
        onto.write(buffer[:length], offset)
        offset += length
    onto.truncate(blob.size)


def next_data(blob: Blob, offset: int) -> int:
    """Where the first byte that is no hole lies, from ``offset``; the size when only a hole follows."""
    if offset >= blob.size:
        return blob.size
    try:
        return blob.seek(offset, os.SEEK_DATA)
    except OSError as error:
        if error.errno != errno.ENXIO:
            raise
        return blob.size
