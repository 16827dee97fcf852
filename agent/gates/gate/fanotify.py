"""The kernel's boundary of open permissions: fanotify(7) by ctypes, and what there is to know of an event's file.

Owns nothing but the calls and their constants; every failure is an OSError with its number. A permission event is 24
bytes: a descriptor of what is being opened and the thread that opens it, which waits until the group has an answer for
the descriptor's number. Linux 6.0 for ignoring folders; everything else is older.
"""

from __future__ import annotations

import ctypes
import os
import struct

_CLASS_CONTENT, _CLOEXEC, _UNLIMITED_QUEUE, _REPORT_TID = 0x04, 0x01, 0x10, 0x100
_NONBLOCK, _REPORT_DIR_FID = 0x02, 0x400
_ADD, _REMOVE, _ONLYDIR, _FILESYSTEM = 0x01, 0x02, 0x08, 0x100
_DONT_FOLLOW, _FLUSH, _EVICTABLE, _IGNORE, _SURVIVES_WRITING = 0x04, 0x80, 0x200, 0x400, 0x40
OPEN_PERM, _ON_CHILD, ON_FOLDER = 0x10000, 0x08000000, 0x40000000
MOVED_TO, CREATED, DELETED = 0x80, 0x100, 0x200
OVERFLOW = 0x4000
ALLOW, DENY = 1, 2
EVENT = struct.Struct("<IBBHQii")  # length, version, -, length of this head, mask, descriptor, thread
ANSWER = struct.Struct("<iI")
EVENT_VERSION = 3
_EVENT_FLAGS = os.O_RDONLY | os.O_LARGEFILE | os.O_CLOEXEC | os.O_NOATIME | os.O_NONBLOCK

_AT_FDCWD, _AT_EMPTY_PATH, _AT_DONT_SYNC = -100, 0x1000, 0x4000
_STATX_BASIC, _STATX_MNT_ID = 0x7FF, 0x1000
_STATX_SIZE = 256
_WHOLE = struct.Struct("<IIQIIIHxxQQQQqIxxxxqIxxxxqIxxxxqIxxxxIIIIQ")
"""struct statx to its mount id: ... mode, inode, size ...; four times (atime, btime, ctime, mtime), rdev, dev."""

_libc = ctypes.CDLL(None, use_errno=True)
_libc.fanotify_mark.argtypes = [ctypes.c_int, ctypes.c_uint, ctypes.c_uint64, ctypes.c_int, ctypes.c_char_p]
_libc.fanotify_init.argtypes = [ctypes.c_uint, ctypes.c_uint]
_libc.statx.argtypes = [ctypes.c_int, ctypes.c_char_p, ctypes.c_int, ctypes.c_uint, ctypes.c_void_p]
_libc.name_to_handle_at.argtypes = [
    ctypes.c_int, ctypes.c_char_p, ctypes.c_void_p, ctypes.POINTER(ctypes.c_int), ctypes.c_int,
]  # fmt: skip
_libc.open_by_handle_at.argtypes = [ctypes.c_int, ctypes.c_void_p, ctypes.c_int]


def _checked(result: int) -> int:
    if result < 0:
        code = ctypes.get_errno()
        raise OSError(code, os.strerror(code))
    return result


def permission_group() -> int:
    """A group that is asked before a file is opened. Its queue has no limit: an overflow would let everybody in.

    Raises OSError: EPERM without CAP_SYS_ADMIN, ENOSYS or EINVAL when the kernel was built without it.
    """
    return _checked(_libc.fanotify_init(_CLASS_CONTENT | _CLOEXEC | _UNLIMITED_QUEUE | _REPORT_TID, _EVENT_FLAGS))


def moves_group() -> int:
    """A group that is told, afterwards, what was moved where; it never holds anybody, and does not block on reading."""
    return _checked(_libc.fanotify_init(_CLOEXEC | _NONBLOCK | _REPORT_DIR_FID, os.O_RDONLY))


def guard_filesystem(group: int, folder_fd: int, told: int = 0) -> None:
    """Ask about openings, or tell what ``told`` says, on the whole file system that ``folder_fd`` (not O_PATH) lies on.

    Whole, because only that catches what is opened by way of a bind mount, another mount namespace or a hard link.
    """
    _checked(_libc.fanotify_mark(group, _ADD | _FILESYSTEM, told or OPEN_PERM, folder_fd, b"."))


def release_filesystem(group: int, folder_fd: int) -> None:
    """The opposite of guard_filesystem."""
    _checked(_libc.fanotify_mark(group, _REMOVE | _FILESYSTEM, OPEN_PERM, folder_fd, b"."))


def ignore_folder(group: int, folder_fd: int) -> None:
    """Do not ask about the files that stand directly in this folder, as long as they do.

    The mark is the folder's, so it does not go with a file that is moved or linked elsewhere; it does go with the
    folder, which is why only folders are marked that nobody can move into a guarded one (``folders``, ``bpf_moves``).
    The kernel may forget it.
    """
    how = _ADD | _IGNORE | _SURVIVES_WRITING | _EVICTABLE | _ONLYDIR
    _checked(_libc.fanotify_mark(group, how, OPEN_PERM | _ON_CHILD, folder_fd, b"."))


def keep_in_memory(group: int, folder_fd: int) -> None:
    """As long as the group has other marks of folders, this folder stays in the kernel's memory, with its label. It is
    asked about as before.
    """
    _checked(_libc.fanotify_mark(group, _ADD | _ONLYDIR, OPEN_PERM | _ON_CHILD, folder_fd, b"."))


def ask_about_all(group: int) -> None:
    """Forget every ignored folder, and what ``keep_in_memory`` has kept."""
    _checked(_libc.fanotify_mark(group, _FLUSH, 0, _AT_FDCWD, None))


_statx = _libc.statx
_MODE, _MOUNT = struct.Struct("<H").unpack_from, struct.Struct("<Q").unpack_from


class State:
    """What there is to know of a file without asking anybody: never waits for a network or a user's file system.

    One buffer, used again and again: an object belongs to one thread.
    """

    __slots__ = ("_address", "_buffer", "device", "inode", "links", "mode", "mount", "stamp", "uid")

    def __init__(self) -> None:
        self._buffer = ctypes.create_string_buffer(_STATX_SIZE)
        self._address = ctypes.addressof(self._buffer)
        self.mount = self.device = self.inode = self.mode = self.links = self.uid = 0
        self.stamp = (0, 0, 0, 0, 0)

    def of(self, fd: int, path: bytes = b"") -> bool:
        """Read the state of the descriptor, or of ``path`` from it. False when there is none."""
        flags = _AT_DONT_SYNC if path else _AT_EMPTY_PATH | _AT_DONT_SYNC
        if _libc.statx(fd, path, flags, _STATX_BASIC | _STATX_MNT_ID, self._address) < 0:
            return False
        self._read()
        return True

    def glance(self, fd: int) -> bool:
        """Read ``mode`` and ``mount`` of the descriptor alone; ``look`` reads the rest of what was glanced at."""
        if _statx(fd, b"", _AT_EMPTY_PATH | _AT_DONT_SYNC, _STATX_BASIC | _STATX_MNT_ID, self._address) < 0:
            return False
        self.mode, self.mount = _MODE(self._buffer, 28)[0], _MOUNT(self._buffer, 144)[0]
        return True

    def look(self) -> None:
        """All of what was glanced at."""
        self._read()

    def _read(self) -> None:
        (
            _, _, _, self.links, self.uid, _, self.mode, self.inode, size, _, _, _, _, _, _,
            ctime, ctime_n, mtime, mtime_n, _, _, major, minor, self.mount,
        ) = _WHOLE.unpack_from(self._buffer)  # fmt: skip
        self.device = os.makedev(major, minor)
        self.stamp = (self.device, self.inode, size, mtime * 10**9 + mtime_n, ctime * 10**9 + ctime_n)

    @property
    def identity(self) -> tuple[int, int, int]:
        """Device, inode, time of change: the same file, not one that got its number later."""
        return self.device, self.inode, self.stamp[4]

    def program_of(self, thread: int) -> bool:
        """Read the state of the program that a thread runs. False for threads of the kernel."""
        return self.of(_AT_FDCWD, b"/proc/%d/exe" % thread)


class _Handle(ctypes.Structure):
    _fields_ = (("length", ctypes.c_uint), ("kind", ctypes.c_int), ("bytes", ctypes.c_ubyte * 128))


def reopened(fd: int, folder_fd: int) -> int:
    """The same file as ``fd``, as an O_PATH descriptor on the mount of ``folder_fd``: its path is then ours to read.

    The file is in memory, so nothing is read from a disk. Raises OSError where there are no handles.
    """
    handle, mount = _Handle(128), ctypes.c_int()
    _checked(_libc.name_to_handle_at(fd, b"", ctypes.byref(handle), ctypes.byref(mount), _AT_EMPTY_PATH))
    return _checked(_libc.open_by_handle_at(folder_fd, ctypes.byref(handle), os.O_PATH | os.O_CLOEXEC))
