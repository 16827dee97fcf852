"""The inotify watches of one guarded folder: which watch descriptor is which folder.

The only caller of watchdog's reader. Watches are added through ``/proc/self/fd/N`` of a folder that the caller opened
beneath the root: no link is followed and no other mount entered, whatever happens to the names meanwhile. Used by one
thread.
"""

from __future__ import annotations

import errno
import itertools
from typing import TYPE_CHECKING, cast

if TYPE_CHECKING:
    from watchdog.observers.inotify_c import CallbackId, InotifyFD, Mask, WatchCallback, WatchDescriptor

# inotify(7)
IN_MODIFY, IN_CLOSE_WRITE, IN_MOVED_FROM, IN_MOVED_TO, IN_CREATE = 0x2, 0x8, 0x40, 0x80, 0x100
IN_DELETE_SELF, IN_MOVE_SELF, IN_UNMOUNT, IN_IGNORED, IN_ISDIR = 0x400, 0x800, 0x2000, 0x8000, 0x40000000
_IN_ONLYDIR, _IN_EXCL_UNLINK = 0x01000000, 0x04000000
_FILES = IN_MODIFY | IN_CLOSE_WRITE | IN_MOVED_FROM | IN_MOVED_TO | IN_CREATE
MASK = _FILES | IN_DELETE_SELF | IN_MOVE_SELF | _IN_ONLYDIR | _IN_EXCL_UNLINK
_ids = itertools.count(1)


class WatchLimit(Exception):
    """The kernel gives no more watches."""


class Watches:
    """Folders by watch descriptor and back; ``callback`` hears of their events on the inotify thread."""

    def __init__(self, inotify: InotifyFD, callback: WatchCallback) -> None:
        self._inotify = inotify
        self._callback = callback
        self._folders: dict[int, tuple[bytes, int]] = {}  # descriptor → folder, callback id
        self._descriptors: dict[bytes, int] = {}

    def __len__(self) -> int:
        return len(self._folders)

    def folder(self, wd: int) -> bytes | None:
        """The folder of a watch descriptor, b"" for the root, None when it is none of ours."""
        return self._folders.get(wd, (None, 0))[0]

    def add(self, fd: int, name: bytes) -> None:
        """Watch the open folder ``fd`` under ``name``; again is fine. Raises WatchLimit, OSError."""
        number = next(_ids)
        path = b"/proc/self/fd/%d" % fd
        try:
            wd = self._inotify.add_callback(path, cast("Mask", MASK), self._callback, cast("CallbackId", number))
        except OSError as error:
            if error.errno in {errno.ENOSPC, errno.ENOMEM}:
                raise WatchLimit from error
            raise
        if wd < 0:  # watchdog passes over EACCES
            raise PermissionError(errno.EACCES, "no watch")
        old_name, old_number = self._folders.get(wd, (None, 0))
        if old_name is not None:  # the same folder, perhaps under an older name
            self._inotify.remove_callbacks([(wd, cast("CallbackId", old_number))])
            if self._descriptors.get(old_name) == wd:
                del self._descriptors[old_name]
        other = self._descriptors.get(name)
        if other is not None:  # another folder had this name
            self._release(other)
        self._folders[wd] = (name, number)
        self._descriptors[name] = wd

    def drop(self, path: bytes) -> None:
        """A folder left its name: its watches go, and those below; they come back below its new name."""
        below = path + b"/"
        for folder in [folder for folder in self._descriptors if folder == path or folder.startswith(below)]:
            self._release(self._descriptors[folder])

    def forget(self, wd: int) -> None:
        """The kernel has removed this watch."""
        folder, _ = self._folders.pop(wd)
        if self._descriptors.get(folder) == wd:
            del self._descriptors[folder]

    def clear(self) -> None:
        for wd in list(self._folders):
            self._release(wd)

    def _release(self, wd: int) -> None:
        _, number = self._folders[wd]
        self.forget(wd)
        try:
            self._inotify.remove_callbacks([(cast("WatchDescriptor", wd), cast("CallbackId", number))])
        except OSError:
            pass  # the kernel had removed it already
