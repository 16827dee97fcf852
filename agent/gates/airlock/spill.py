"""Staged files on the local disk: without a name, and encrypted unless the disk is.

AES-256-XTS (IEEE 1619) in sectors of 16 KiB; the key is drawn at the start and lives in this process's memory alone, so
what is left on the disk after a kill or a power cut is noise. A sector that was never written is a hole and reads as
zeros. XTS hides content, it does not prove it: who can write to our disk is root, and commit checks every chunk's
digest anyway.

A judge needs the clear bytes of an encrypted file behind a descriptor, without a copy in memory of what was too big for
it: ``agent.gates.airlock.view``.
"""

from __future__ import annotations

import errno
import os
import struct
from itertools import count
from typing import TYPE_CHECKING, Any

from agent.gates.airlock.descriptor import Descriptor

if TYPE_CHECKING:
    from agent.gates.airlock.staging import Blob
    from agent.gates.airlock.view import View

SECTOR = 16 * 1024
_BLOCK = 512
_ZEROS = bytes(SECTOR)


class DiskSpill:
    """Makes blobs in the folder ``folder_fd`` (owned). ``view`` opens an encrypted one for a judge; None: in clear."""

    def __init__(self, folder_fd: int, view: View | None) -> None:
        self._folder = Descriptor(folder_fd)
        self._view = view
        self._numbers = count(1)
        self._key = os.urandom(64)

    def blob(self) -> Blob:
        """Raises OSError when the local disk is full or read-only."""
        fd = os.open(b".", os.O_RDWR | os.O_TMPFILE | os.O_EXCL | os.O_CLOEXEC, 0o600, dir_fd=self._folder.fd)
        if self._view is None:
            return ClearBlob(Descriptor(fd))
        return SealedBlob(Descriptor(fd), self._key, next(self._numbers), self._view)


class ClearBlob:
    """On a disk that is encrypted itself."""

    def __init__(self, fd: Descriptor) -> None:
        self._fd = fd
        self.size = 0

    def read(self, into: memoryview, offset: int) -> int:
        return os.preadv(self._fd.fd, (into,), offset)

    def write(self, data: memoryview, offset: int) -> None:
        _write(self._fd.fd, data, offset)
        self.size = max(self.size, offset + len(data) if data else 0)

    def truncate(self, size: int) -> None:
        os.ftruncate(self._fd.fd, size)
        self.size = size

    def held(self) -> int:
        return os.fstat(self._fd.fd).st_blocks * _BLOCK

    def seek(self, offset: int, whence: int) -> int:
        return os.lseek(self._fd.fd, offset, whence)

    def open_for_judge(self) -> Descriptor:
        return Descriptor(os.open(f"/proc/self/fd/{self._fd.fd}", os.O_RDONLY | os.O_CLOEXEC))


class SealedBlob:
    """Sectors of ciphertext; the tail of the last one is padded with zeros before it is encrypted."""

    def __init__(self, fd: Descriptor, key: bytes, number: int, view: View | None) -> None:
        self._fd = fd
        self._key = key
        self._number = number
        self._view = view
        self.size = 0

    def read(self, into: memoryview, offset: int) -> int:
        length = max(0, min(len(into), self.size - offset))
        done = 0
        while done < length:
            sector, start = divmod(offset + done, SECTOR)
            part = self._clear(sector)[start : start + length - done]
            into[done : done + len(part)] = part
            done += len(part)
        return length

    def write(self, data: memoryview, offset: int) -> None:
        done = 0
        while done < len(data):
            sector, start = divmod(offset + done, SECTOR)
            part = data[done : done + SECTOR - start]
            whole = part if len(part) == SECTOR else self._patched(sector, start, part)
            _write(self._fd.fd, memoryview(self._cipher(sector).encryptor().update(whole)), sector * SECTOR)
            done += len(part)
        self.size = max(self.size, offset + len(data) if data else 0)

    def truncate(self, size: int) -> None:
        sector, start = divmod(size, SECTOR)
        if size < self.size and start:
            kept = self._clear(sector)[:start]
            self.write(memoryview(kept + _ZEROS[start:]), sector * SECTOR)
        os.ftruncate(self._fd.fd, -(-size // SECTOR) * SECTOR)
        self.size = size

    def held(self) -> int:
        return os.fstat(self._fd.fd).st_blocks * _BLOCK

    def seek(self, offset: int, whence: int) -> int:
        """To the sector: a hole inside one is data."""
        if offset >= self.size:
            raise OSError(errno.ENXIO, os.strerror(errno.ENXIO))
        return max(offset, min(os.lseek(self._fd.fd, offset, whence), self.size))

    def open_for_judge(self) -> Descriptor:
        if self._view is None:
            raise OSError(errno.EIO, os.strerror(errno.EIO))
        return self._view.open(self._fd.fd, self._number, self.size, self._key)

    def _patched(self, sector: int, start: int, part: memoryview) -> bytes:
        before = self._clear(sector)
        return before[:start] + part.tobytes() + before[start + len(part) :]

    def _clear(self, sector: int) -> bytes:
        """All of a sector, zeros beyond what was written."""
        data = os.pread(self._fd.fd, SECTOR, sector * SECTOR)
        if len(data) < SECTOR or data == _ZEROS:
            return _ZEROS
        clear: bytes = self._cipher(sector).decryptor().update(data)
        return clear

    def _cipher(self, sector: int) -> Any:
        from cryptography.hazmat.primitives.ciphers import Cipher, algorithms, modes

        tweak = struct.pack("<QQ", sector, self._number)
        return Cipher(algorithms.AES(self._key), modes.XTS(tweak))


def _write(fd: int, data: memoryview, offset: int) -> None:
    while data:
        written = os.pwrite(fd, data, offset)
        data, offset = data[written:], offset + written
