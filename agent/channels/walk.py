"""Going through a guarded folder by descriptors: never through a link, never into another mount, never too deep.

Handed a place's root path, it opens what it needs for a moment and closes it again, so that a stick can be unmounted
while it is guarded. Names are bytes relative to the root. It reads folders and states; it opens no file.
"""

from __future__ import annotations

import errno
import os
import stat
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from dataclasses import dataclass
from itertools import islice

from agent.channels.settle import State
from agent.fsys.openat import open_beneath
from agent.fsys.ways import open_root, reach_root

MAX_DEPTH = 128  # folders below the root
CHUNK = 1024  # entries read before the folder is given a pause
_FOLDER = os.O_RDONLY | os.O_DIRECTORY
_VANISHED = frozenset({errno.ENOENT, errno.ENOTDIR, errno.ELOOP, errno.ESTALE})  # it, or another thing has its name


class RootGone(Exception):
    """The guarded folder is no longer there, or something else is mounted in its place."""


@dataclass(frozen=True, slots=True)
class Root:
    """A guarded folder: absolute path, and which folder it was when the guarding began (device, inode)."""

    path: bytes
    identity: tuple[int, int] | None = None

    @contextmanager
    def open(self) -> Iterator[int]:
        """Its descriptor for a moment. Raises RootGone, also for another folder there; OSError when unreadable."""
        with self._opened(open_root) as fd:
            yield fd

    @contextmanager
    def _opened(self, how: Callable[[bytes], int]) -> Iterator[int]:
        try:
            fd = how(self.path)
        except OSError as error:
            if error.errno in {errno.ENOENT, errno.ENOTDIR, errno.ELOOP, errno.ENODEV, errno.ENXIO, errno.EIO}:
                raise RootGone from error
            raise
        try:
            state = os.fstat(fd)
            if self.identity not in {None, (state.st_dev, state.st_ino)}:
                raise RootGone
            yield fd
        finally:
            os.close(fd)

    def found(self) -> Root:
        """The same path with the folder that is there now. Raises RootGone, OSError."""
        with Root(self.path).open() as fd:
            state = os.fstat(fd)
        return Root(self.path, (state.st_dev, state.st_ino))

    def is_mounted(self) -> bool:
        """Whether a file system begins here. Raises RootGone, OSError."""
        with self.open() as fd, Root(os.path.dirname(self.path)).open() as parent:
            return os.fstat(fd).st_dev != os.fstat(parent).st_dev

    def state(self, name: bytes) -> State | None:
        """Size, times and inode of a regular file, or None when it is gone or something else. Raises RootGone."""
        try:
            state = self._stat(name)
        except (OSError, ValueError):
            return None
        if not stat.S_ISREG(state.st_mode):
            return None
        return state.st_size, state.st_mtime_ns, state.st_ctime_ns, state.st_ino

    def links(self, name: bytes) -> int:
        """How many names a file has, 0 when it is gone. Raises RootGone."""
        try:
            return self._stat(name).st_nlink
        except (OSError, ValueError):
            return 0

    def _stat(self, name: bytes) -> os.stat_result:
        """Folders are passed through, not opened: each opening and closing is a question to an airlock."""
        head, _, tail = name.rpartition(b"/")
        with self._opened(reach_root) as root, _below(root, head, os.O_PATH | os.O_DIRECTORY) as folder:
            return os.stat(tail, dir_fd=folder, follow_symlinks=False)


@contextmanager
def _below(root: int, name: bytes, flags: int = _FOLDER) -> Iterator[int]:
    fd = open_beneath(root, name, flags)
    try:
        yield fd
    finally:
        os.close(fd)


Enter = Callable[[int, bytes], None]
"""Called with the open folder and its name before its entries are read (a watch added here misses nothing)."""
Problem = Callable[[str], None]
"""Told ``mount``, ``deep`` or ``unreadable`` for a folder that is not gone into."""


def walk(root: Root, start: bytes, enter: Enter, problem: Problem) -> Iterator[tuple[bytes, ...]]:
    """The regular files at and below the folder ``start``, folder by folder, a chunk at a time.

    Raises RootGone. A folder that vanishes on the way is passed over.
    """
    waiting = [start]
    while waiting:
        name = waiting.pop()
        if name.count(b"/") >= MAX_DEPTH:
            problem("deep")
            continue
        try:
            with root.open() as top, _below(top, name) as fd:
                enter(fd, name)
                with os.scandir(fd) as entries:
                    first, more = _chunk(entries, name, waiting)
                    while more:  # a very large folder stays open while its files are handed out
                        yield first
                        first, more = _chunk(entries, name, waiting)
        except OSError as error:
            if error.errno not in _VANISHED:
                problem({errno.EXDEV: "mount", errno.ENAMETOOLONG: "deep"}.get(error.errno or 0, "unreadable"))
            continue
        yield first


def _chunk(entries: Iterator[os.DirEntry[str]], name: bytes, waiting: list[bytes]) -> tuple[tuple[bytes, ...], bool]:
    files = []
    prefix = name + b"/" if name else b""
    count = 0
    for entry in islice(entries, CHUNK):
        count += 1
        path = prefix + os.fsencode(entry.name)
        if entry.is_dir(follow_symlinks=False):
            waiting.append(path)
        elif entry.is_file(follow_symlinks=False):
            files.append(path)
    return tuple(files), count == CHUNK
