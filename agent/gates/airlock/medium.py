"""The volume below: everything that is done on it, from its root's descriptor, one name at a time.

The descriptor belongs to a mount in no namespace, so no path leads here and nobody else writes through it. Names are
single components from the kernel, checked again; opens go through ``agent.fsys.openat`` (beneath, no links, no mounts),
because the medium itself was written by a stranger. Decides nothing about content.
"""

from __future__ import annotations

import contextlib
import errno
import os
import stat
import sys
import time
from collections.abc import Iterator
from itertools import islice

from agent.fsys.openat import open_beneath
from agent.fsys.rename import rename_noreplace, sync_folder_fd
from agent.gates.airlock.descriptor import Descriptor
from agent.gates.airlock.nodes import Node, Tree

_MOST_FOLDERS = 512  # directory descriptors kept open
_ROOM_FOR_S = 0.5
TEMPORARY = (b".serment-", b".tmp")
_TEMPORARY_LENGTH = 30
NAME_MAX = 255
_FAT, _EXFAT = 0x4D44, 0x2011BAB0  # NTFS is asked: its driver has an option for it
_FORBIDDEN = frozenset(b'"*:<>?\\|') | frozenset(range(32))


def is_temporary(name: bytes) -> bool:
    """Whether the name is one that a commit uses for itself: nobody sees or makes it."""
    return len(name) == _TEMPORARY_LENGTH and name.startswith(TEMPORARY[0]) and name.endswith(TEMPORARY[1])


def checked(name: bytes) -> bytes:
    """The name, if it is one component that a person may use. Raises OSError."""
    if len(name) > NAME_MAX:
        raise OSError(errno.ENAMETOOLONG, os.strerror(errno.ENAMETOOLONG))
    if name in {b"", b".", b".."} or b"/" in name or b"\0" in name:
        raise OSError(errno.EINVAL, os.strerror(errno.EINVAL))
    if is_temporary(name):
        raise OSError(errno.EPERM, os.strerror(errno.EPERM))
    return name


class Medium:
    """Owns ``root_fd``, a directory descriptor (O_PATH will do) of the volume's own mount, writable."""

    def __init__(self, root_fd: int) -> None:
        self._mount = Descriptor(root_fd)
        self._root = Descriptor(open_beneath(root_fd, b"", os.O_RDONLY | os.O_DIRECTORY))
        self._folders: dict[int, Node] = {}
        self._room = (0.0, 0)
        figures = os.fstatvfs(self._root.fd)
        self._largest = figures.f_blocks * figures.f_frsize
        self.kind = _file_system(self._root.fd)
        self.folds = self.kind in {_FAT, _EXFAT} or _ignores_case(self._root.fd)

    @property
    def root(self) -> int:
        return self._root.fd

    def fold(self, name: bytes) -> bytes:
        """The key of a name: where capitals do not count, without them.

        Rather two keys for one file than one for two: «straße» and «strasse» are different documents everywhere, and a
        FAT as it is mounted here (utf8) knows the capitals of ASCII only.
        """
        if not self.folds:
            return name
        if self.kind == _FAT or name.isascii():
            return name.lower()
        return "".join(map(_small, name.decode("utf-8", "surrogateescape"))).encode("utf-8", "surrogateescape")

    def refuse_impossible(self, name: bytes) -> None:
        """OSError EINVAL for a new name that this file system cannot hold, before a whole file was written for it."""
        if self.kind in {_FAT, _EXFAT} and not _FORBIDDEN.isdisjoint(name):
            raise OSError(errno.EINVAL, os.strerror(errno.EINVAL))

    def refuse_too_large(self, size: int) -> None:
        """OSError EFBIG for a file larger than the whole volume, holes or not: nobody would finish judging it."""
        if size > self._largest:
            raise OSError(errno.EFBIG, os.strerror(errno.EFBIG))

    def folder(self, tree: Tree, node: Node) -> Descriptor:
        """The directory descriptor of a node. Raises OSError ENOENT when the folder has lost its name, or is none."""
        if node is tree.root:
            return self._root
        found = node.file
        if found is not None:
            return found
        with tree.lock:
            return self._open_folder(tree, node)

    def _open_folder(self, tree: Tree, node: Node) -> Descriptor:
        chain: list[Node] = []
        at: Node | None = node
        while at is not None and at is not tree.root and at.file is None:
            chain.append(at)
            at = at.parent
        if at is None:
            raise OSError(errno.ENOENT, os.strerror(errno.ENOENT))
        found = at.file or self._root
        for step in reversed(chain):
            found = step.file = Descriptor(open_beneath(found.fd, step.name, os.O_RDONLY | os.O_DIRECTORY))
            self._folders[step.number] = step
        while len(self._folders) > _MOST_FOLDERS:
            oldest = self._folders.pop(next(iter(self._folders)))
            if oldest is not node:
                oldest.file = None
        return found

    def state(self, folder: int, name: bytes) -> os.stat_result:
        """Raises OSError."""
        return os.stat(name, dir_fd=folder, follow_symlinks=False)

    def exists(self, folder: int, name: bytes) -> bool:
        try:
            self.state(folder, name)
        except FileNotFoundError:
            return False
        return True

    def shows(self, folder: int, name: bytes) -> bool:
        """Whether the name stands there, spelled so. Where capitals do not count, writing or renaming brings new ones,
        and with them what a name tells. The folder is listed only where the name answers to other capitals too.
        """
        if not self.exists(folder, name):
            return False
        return not self.exists(folder, name.swapcase()) or any(name == each for each, _, _ in self.names(folder))

    def open_file(self, folder: int, name: bytes) -> Descriptor:
        """For reading. Raises OSError; EPERM for what is no regular file."""
        found = Descriptor(open_beneath(folder, name, os.O_RDONLY))
        if not stat.S_ISREG(os.fstat(found.fd).st_mode):
            raise OSError(errno.EPERM, os.strerror(errno.EPERM))
        return found

    def names(self, folder: int) -> Iterator[tuple[bytes, int, int]]:
        """(name, inode, kind) of what is listed; our own temporary files are not."""
        # opened anew: two programs that list the same folder would share one position in it, and each miss names
        own = Descriptor(os.open(b".", os.O_RDONLY | os.O_DIRECTORY | os.O_CLOEXEC, dir_fd=folder))
        with os.scandir(own.fd) as entries:
            for entry in entries:
                name = os.fsencode(entry.name)
                if not is_temporary(name):
                    yield name, entry.inode(), _kind(entry)

    def change_mode(self, folder: int, name: bytes, mode: int) -> None:
        """Raises OSError; EPERM for anything but a regular file or a folder."""
        kind = self.state(folder, name).st_mode
        if not (stat.S_ISREG(kind) or stat.S_ISDIR(kind)):
            raise OSError(errno.EPERM, os.strerror(errno.EPERM))
        found = Descriptor(open_beneath(folder, name, os.O_RDONLY))
        os.fchmod(found.fd, mode)

    def make_folder(self, folder: int, name: bytes, mode: int, uid: int, gid: int) -> None:
        """Raises OSError. Owner and mode as far as the file system takes them."""
        os.mkdir(name, mode, dir_fd=folder)
        try:
            os.chown(name, uid, gid, dir_fd=folder, follow_symlinks=False)
            if mode & stat.S_ISGID:
                self.change_mode(folder, name, mode)
        except OSError as error:
            if error.errno not in {errno.EPERM, errno.ENOSYS, errno.EOPNOTSUPP}:
                raise

    def make_link(self, target: bytes, folder: int, name: bytes, uid: int, gid: int) -> None:
        """A symbolic link. Raises OSError; EPERM where there are none."""
        os.symlink(target, name, dir_fd=folder)
        try:
            os.chown(name, uid, gid, dir_fd=folder, follow_symlinks=False)
        except OSError:
            pass  # a driver without owners

    def rename(self, folder: int, name: bytes, to_folder: int, to: bytes, *, replace: bool = True) -> None:
        """Raises OSError; FileExistsError when not ``replace`` and the name is taken."""
        if replace:
            os.rename(name, to, src_dir_fd=folder, dst_dir_fd=to_folder)
        else:
            rename_noreplace(folder, name, to_folder, to)

    def make_durable(self, folder: int, name: bytes) -> None:
        """What ``name`` holds and that it is there survives a power cut. Raises OSError."""
        found = self.open_file(folder, name)
        os.fsync(found.fd)
        sync_folder_fd(folder)

    def room(self) -> int:
        """Bytes free for everybody, at most half a second old."""
        now = time.monotonic()
        if now - self._room[0] > _ROOM_FOR_S:
            figures = os.fstatvfs(self.root)
            self._room = (now, figures.f_bavail * figures.f_frsize)
        return self._room[1]

    def sync(self) -> None:
        """Everything committed is on the medium. Raises OSError."""
        _sync_file_system(self.root)

    def clean(self) -> int:
        """Remove what an airlock that died left in the middle of a commit; how many. Only the root holds such files."""
        with os.scandir(self.root) as entries:  # not a list: a stranger's folder may have millions
            left = [name for name in (os.fsencode(entry.name) for entry in entries) if is_temporary(name)]
        for name in left:
            with contextlib.suppress(OSError):  # a stranger's, that nobody can remove: it is not shown
                if stat.S_ISREG(self.state(self.root, name).st_mode):
                    os.unlink(name, dir_fd=self.root)
        return len(left)


def _kind(entry: os.DirEntry[str]) -> int:
    if entry.is_symlink():
        return stat.S_IFLNK
    if entry.is_dir(follow_symlinks=False):
        return stat.S_IFDIR
    return stat.S_IFREG if entry.is_file(follow_symlinks=False) else 0


def _ignores_case(root: int) -> bool:
    """Asked of a name that is there already: the medium is not written to for a question."""
    for name in _some_names(root):
        other = name.swapcase()
        if other != name and name.isascii():
            try:
                here, there = (os.stat(one, dir_fd=root, follow_symlinks=False) for one in (name, other))
            except OSError:
                return False
            if (here.st_ino, here.st_dev) != (there.st_ino, there.st_dev):
                return False
            with os.scandir(root) as entries:  # two names of one file are a hard link
                return not any(entry.name == other for entry in entries)
    return False


def _some_names(root: int) -> list[str]:
    with os.scandir(root) as entries:
        return [entry.name for entry in islice(entries, 64)]


def _small(letter: str) -> str:
    """The small one of two letters that are capital and small to each other, and to nothing else."""
    small = letter.lower()
    return small if len(small) == 1 and small.upper() == letter else letter


def _file_system(fd: int) -> int:
    """f_type of statfs(2)."""
    import ctypes

    figures = (ctypes.c_long * 32)()
    libc = ctypes.CDLL(None, use_errno=True)
    if libc.fstatfs(fd, figures) != 0:
        return 0
    return int(figures[0]) & 0xFFFFFFFF if sys.byteorder == "little" else int(figures[0])


def _sync_file_system(fd: int) -> None:
    import ctypes

    libc = ctypes.CDLL(None, use_errno=True)
    if libc.syncfs(fd) != 0:
        code = ctypes.get_errno()
        raise OSError(code, os.strerror(code))
