"""The kernel's mount interface by descriptors: open_tree(2), fsopen(2), move_mount(2), mount_setattr(2), fspick(2).

The boundary to ctypes: every function takes and returns descriptors and values, raises OSError, and resolves no path
that a user could be moving about, but for ``unmount``, whose caller makes sure what is there. Linux 5.12, root. The
numbers are the same on every architecture (they came after the tables were unified).
"""

from __future__ import annotations

import contextlib
import ctypes
import os
import sys
from collections.abc import Mapping

_OPEN_TREE, _MOVE_MOUNT, _FSOPEN, _FSCONFIG, _FSMOUNT, _FSPICK, _MOUNT_SETATTR = 428, 429, 430, 431, 432, 433, 442
_AT_EMPTY_PATH = 0x1000
_OPEN_TREE_CLONE = 1
_CLOEXEC = os.O_CLOEXEC
_FSOPEN_CLOEXEC = _FSPICK_CLOEXEC = _FSMOUNT_CLOEXEC = 1
_FSPICK_EMPTY_PATH = 8
_SET_FLAG, _SET_STRING, _CREATE, _RECONFIGURE = 0, 1, 6, 7  # FSCONFIG_*
_F_EMPTY_PATH, _T_EMPTY_PATH = 0x4, 0x40
RDONLY, NOSUID, NODEV, NOEXEC = 0x1, 0x2, 0x4, 0x8  # MOUNT_ATTR_*
_MS_PRIVATE = 1 << 18
_MNT_FORCE, _MNT_DETACH, _UMOUNT_NOFOLLOW = 1, 2, 8
_STATX_MNT_ID_UNIQUE, _AT_STATX_DONT_SYNC = 0x4000, 0x4000
_STATX_BYTES, _STATX_MNT_ID_AT = 256, 144
_libc = ctypes.CDLL(None, use_errno=True)


class _Attributes(ctypes.Structure):
    _fields_ = tuple((name, ctypes.c_uint64) for name in ("set", "clear", "propagation", "userns_fd"))


def clone(fd: int) -> int:
    """A detached copy of the mount at ``fd``: in no namespace, reached by nobody but the holders of the descriptor."""
    return _call(_OPEN_TREE, fd, b"", _OPEN_TREE_CLONE | _AT_EMPTY_PATH | _CLOEXEC)


def set_attributes(fd: int, on: int = 0, off: int = 0, *, private: bool = False) -> None:
    """Change one mount's own flags. OSError EBUSY: RDONLY while somebody has a file open for writing through it."""
    attributes = _Attributes(on, off, _MS_PRIVATE if private else 0, 0)
    _call(_MOUNT_SETATTR, fd, b"", _AT_EMPTY_PATH, ctypes.byref(attributes), ctypes.sizeof(attributes))


def reconfigure(fd: int, flag: bytes, options: Mapping[bytes, bytes | None] | None = None) -> None:
    """Reconfigure the file system (the super block) behind the mount at ``fd``: ``flag`` is ``rw`` or ``ro``.

    ``options`` are given again, for drivers that would otherwise fall back to their defaults; those that the driver
    does not know in this form are left out.
    """
    context = _call(_FSPICK, fd, b"", _FSPICK_CLOEXEC | _FSPICK_EMPTY_PATH)
    try:
        for key, value in (options or {}).items():
            with contextlib.suppress(OSError):
                _configure(context, _SET_FLAG if value is None else _SET_STRING, key, value)
        _configure(context, _SET_FLAG, flag, None)
        _configure(context, _RECONFIGURE, None, None)
    finally:
        os.close(context)


def mounted(kind: bytes, options: Mapping[bytes, bytes | None], attributes: int) -> int:
    """A new file system of this kind on a detached mount; it appears with ``attach``."""
    context = _call(_FSOPEN, kind, _FSOPEN_CLOEXEC)
    try:
        for key, value in options.items():
            _configure(context, _SET_FLAG if value is None else _SET_STRING, key, value)
        _configure(context, _CREATE, None, None)
        return _call(_FSMOUNT, context, _FSMOUNT_CLOEXEC, attributes)
    finally:
        os.close(context)


def attach(fd: int, target_fd: int) -> None:
    """Put the detached mount ``fd`` on top of the folder ``target_fd``, in the namespace of that."""
    _call(_MOVE_MOUNT, fd, b"", target_fd, b"", _F_EMPTY_PATH | _T_EMPTY_PATH)


def mount_id(fd: int) -> int:
    """The number in the mount table of the mount that the descriptor is on."""
    with open(f"/proc/self/fdinfo/{fd}", encoding="ascii") as info:
        return next(int(line.split()[1]) for line in info if line.startswith("mnt_id:"))


def unique_id(fd: int) -> int:
    """The number that no other mount gets until the next boot (statx(2), Linux 6.8); 0 where the kernel has none.

    Those of the mount table are the lowest that are free: a volume that is plugged in again often gets the one it had.
    The file system is asked nothing.
    """
    found = ctypes.create_string_buffer(_STATX_BYTES)
    flags = ctypes.c_int(_AT_EMPTY_PATH | _AT_STATX_DONT_SYNC)
    if _libc.statx(ctypes.c_int(fd), b"", flags, ctypes.c_uint(_STATX_MNT_ID_UNIQUE), found) != 0:
        return 0
    if not int.from_bytes(found.raw[:4], sys.byteorder) & _STATX_MNT_ID_UNIQUE:
        return 0
    return int.from_bytes(found.raw[_STATX_MNT_ID_AT : _STATX_MNT_ID_AT + 8], sys.byteorder)


def unmount(path: bytes, *, lazy: bool = False, abort: bool = False) -> None:
    """Take away the uppermost mount at ``path``. OSError EBUSY while it is in use, unless ``lazy``.

    ``abort``: end its FUSE connection as well, whoever else still holds it; who waits in it gets an error.
    """
    flags = _UMOUNT_NOFOLLOW | (_MNT_DETACH if lazy else 0) | (_MNT_FORCE if abort else 0)
    if _libc.umount2(ctypes.c_char_p(path), flags) != 0:
        code = ctypes.get_errno()
        raise OSError(code, os.strerror(code))


def _configure(context: int, command: int, key: bytes | None, value: bytes | None) -> None:
    _call(_FSCONFIG, context, command, key, value, 0)


def _call(number: int, *arguments: object) -> int:
    converted = [
        ctypes.c_char_p(each) if isinstance(each, bytes) else ctypes.c_long(each) if isinstance(each, int) else each
        for each in arguments
    ]
    answer: int = _libc.syscall(ctypes.c_long(number), *converted)
    if answer < 0:
        code = ctypes.get_errno()
        raise OSError(code, os.strerror(code))
    return answer
