"""What lies in a backup, as a tar archive: the database first, the other files, a manifest with their digests last."""

from __future__ import annotations

import contextlib
import hashlib
import io
import json
import os
import stat
import tarfile
import time
from collections.abc import Iterator
from importlib.metadata import version
from pathlib import Path
from typing import IO

from agent.errors import N_, HostError
from collector.store.engine import FILE_NAME

FORMAT = 1
MANIFEST = "manifest.json"
MAX_FILE_BYTES = 64 << 20  # of what is not the database
_CHUNK = 1 << 20
_LEFT_OUT = frozenset({FILE_NAME, f"{FILE_NAME}-wal", f"{FILE_NAME}-shm", "lock"})


class Spliced:
    """The archive: what is written to ``plain``, with the content of ``database`` (None: there is none) behind the
    header that comes first there.
    """

    def __init__(self, plain: IO[bytes], database: IO[bytes] | None) -> None:
        self.plain = plain
        self.database = database
        self._at, self._length, self._room = 0, 0, 0  # bytes: where it begins, how long it is, what it takes up

    def begin(self) -> tuple[int, str] | None:
        """Put the database's header down; its size and digest."""
        if self.database is None:
            return None
        member = _member(FILE_NAME, os.fstat(self.database.fileno()))
        self._at = self.plain.write(member.tobuf(tarfile.PAX_FORMAT))
        self._length, self._room = member.size, -(-member.size // tarfile.BLOCKSIZE) * tarfile.BLOCKSIZE
        return member.size, _digest(self.database, member.size)

    def size(self) -> int:
        """Bytes of the whole."""
        return self.plain.seek(0, os.SEEK_END) + self._room

    def read(self, offset: int, length: int) -> bytes:
        """Up to ``length`` bytes from ``offset`` on."""
        inside = offset - self._at
        if inside < 0:
            return os.pread(self.plain.fileno(), min(length, -inside), offset)
        if self.database is not None and inside < self._length:
            return os.pread(self.database.fileno(), min(length, self._length - inside), inside)
        if inside < self._room:
            return bytes(min(length, self._room - inside))
        return os.pread(self.plain.fileno(), length, offset - self._room)


def pack(spliced: Spliced, data: Path) -> int:
    """The archive: every file with its digest in a manifest, which comes last; how many files."""
    digests: dict[str, tuple[int, str]] = {}
    if (database := spliced.begin()) is not None:
        digests[FILE_NAME] = database
    with tarfile.open(fileobj=spliced.plain, mode="w", format=tarfile.PAX_FORMAT) as archive:
        for path in _files(data):
            name = str(path.relative_to(data))
            with contextlib.suppress(FileNotFoundError):  # gone meanwhile
                digests[name] = _put(archive, path, name)
        said = {"format": FORMAT, "made": int(time.time()), "version": version("serment"), "files": digests}
        text = json.dumps(said, sort_keys=True).encode()
        member = tarfile.TarInfo(MANIFEST)
        member.size, member.mode = len(text), 0o600
        archive.addfile(member, io.BytesIO(text))
    spliced.plain.flush()
    return len(digests)


def _files(data: Path) -> Iterator[Path]:
    """Regular files, but for the database, locks, what is hidden (also what is on its way to another name), and a
    manifest, which lies there where a backup was unpacked by hand.
    """
    for folder, folders, names in os.walk(data):
        folders[:] = sorted(name for name in folders if not name.startswith("."))
        for name in sorted(names):
            path = Path(folder) / name
            if name in _LEFT_OUT or name.startswith(".") or path == data / MANIFEST:
                continue
            if stat.S_ISREG(path.lstat().st_mode):
                yield path


def _put(archive: tarfile.TarFile, path: Path, name: str) -> tuple[int, str]:
    """A file as it is now: one that grows meanwhile is taken as far as it was."""
    fd = os.open(path, os.O_RDONLY | os.O_CLOEXEC | os.O_NOFOLLOW)
    with open(fd, "rb") as file:
        found = os.fstat(fd)
        if found.st_size > MAX_FILE_BYTES:
            raise HostError(N_("larger than {limit} bytes: it does not belong here"), where=name, limit=MAX_FILE_BYTES)
        archive.addfile(_member(name, found), file)
        return found.st_size, _digest(file, found.st_size)


def _member(name: str, found: os.stat_result) -> tarfile.TarInfo:
    member = tarfile.TarInfo(name)
    member.size, member.mode, member.mtime = found.st_size, found.st_mode & 0o777, int(found.st_mtime)
    return member


def _digest(file: IO[bytes], size: int) -> str:
    """SHA-256 of the first ``size`` bytes."""
    file.seek(0)
    digest, left = hashlib.sha256(), size
    while left and (piece := file.read(min(left, _CHUNK))):
        digest.update(piece)
        left -= len(piece)
    return digest.hexdigest()
