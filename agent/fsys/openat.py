"""Opening files that a hostile user may be moving about: openat2 below a folder, never through a symbolic link.

The agent is root and the names come from people who are not. Every open here starts from a directory descriptor, never
leaves it, follows no link of any kind, crosses no mount (a user's own FUSE mount could stall us), and does not block
on a FIFO or a device. Linux 5.6; openat2(2), RESOLVE_* flags.
"""

from __future__ import annotations

import ctypes
import errno
import os
import stat
from collections.abc import Iterator
from contextlib import contextmanager

from agent.errors import N_, HostError

_SYS_OPENAT2 = 437
_RESOLVE_NO_XDEV = 0x01
_RESOLVE_NO_MAGICLINKS = 0x02
_RESOLVE_NO_SYMLINKS = 0x04
_RESOLVE_BENEATH = 0x08
_RESOLVE = _RESOLVE_NO_XDEV | _RESOLVE_NO_MAGICLINKS | _RESOLVE_NO_SYMLINKS | _RESOLVE_BENEATH
_RETRIES = 64
_ALWAYS = os.O_CLOEXEC | os.O_NOFOLLOW | os.O_NONBLOCK | os.O_NOCTTY
_libc = ctypes.CDLL(None, use_errno=True)


class _OpenHow(ctypes.Structure):
    _fields_ = (("flags", ctypes.c_uint64), ("mode", ctypes.c_uint64), ("resolve", ctypes.c_uint64))


def open_beneath(root_fd: int, name: bytes, flags: int, mode: int = 0) -> int:
    """A descriptor of ``name`` below the directory ``root_fd``.

    Raises OSError as open(2) does; ELOOP for a link on the way, EXDEV for a mount or an escape, EINVAL for a NUL.
    """
    return _openat2(root_fd, name, flags, mode, _RESOLVE)


def _openat2(root_fd: int, name: bytes, flags: int, mode: int, resolve: int) -> int:
    if b"\0" in name:
        raise OSError(errno.EINVAL, os.strerror(errno.EINVAL))
    always = _ALWAYS & ~(os.O_NONBLOCK | os.O_NOCTTY) if flags & os.O_PATH else _ALWAYS  # openat2 is strict with O_PATH
    how = _OpenHow(flags | always, mode, resolve)
    size = ctypes.c_size_t(ctypes.sizeof(how))
    code = errno.EAGAIN
    for _ in range(_RETRIES):
        fd: int = _libc.syscall(_SYS_OPENAT2, root_fd, ctypes.c_char_p(name or b"."), ctypes.byref(how), size)
        if fd >= 0:
            return fd
        code = ctypes.get_errno()
        if code == errno.ENOSYS:
            raise HostError(N_("this kernel has no openat2"), hint=N_("Linux 5.6 or newer is needed"))
        if code not in {errno.EINTR, errno.EAGAIN}:  # EAGAIN: a rename raced with the look-up of a «..»
            break
    raise OSError(code, os.strerror(code))  # EAGAIN too: somebody holds a lease on the file, fcntl(2) F_SETLEASE


def open_folder(path: bytes) -> int:
    """A descriptor of the directory at the absolute ``path``; no component may be a symbolic link.

    Mounts on the way are crossed (a volume's root is one). Raises OSError.
    """
    fd = os.open(b"/", os.O_RDONLY | os.O_DIRECTORY | os.O_CLOEXEC)
    try:
        how = _OpenHow(
            os.O_RDONLY | os.O_DIRECTORY | _ALWAYS, 0, _RESOLVE_NO_MAGICLINKS | _RESOLVE_NO_SYMLINKS | _RESOLVE_BENEATH
        )
        relative = path.strip(b"/") or b"."
        new: int = _libc.syscall(
            _SYS_OPENAT2,
            ctypes.c_int(fd),
            ctypes.c_char_p(relative),
            ctypes.byref(how),
            ctypes.c_size_t(ctypes.sizeof(how)),
        )
        if new < 0:
            code = ctypes.get_errno()
            raise OSError(code, os.strerror(code))
        return new
    finally:
        os.close(fd)


def open_point(path: bytes) -> int:
    """An O_PATH descriptor of the directory at the absolute ``path``; no component may be a symbolic link.

    The file system there is not asked anything (a dead FUSE one would not answer): only what is mounted there can be
    told. It keeps that mount busy until it is closed. Raises OSError.
    """
    fd = os.open(b"/", os.O_PATH | os.O_DIRECTORY | os.O_CLOEXEC)
    try:
        return _openat2(
            fd, path.strip(b"/"), os.O_PATH | os.O_DIRECTORY, 0,
            _RESOLVE_NO_MAGICLINKS | _RESOLVE_NO_SYMLINKS | _RESOLVE_BENEATH,
        )  # fmt: skip
    finally:
        os.close(fd)


def open_regular(root_fd: int, name: bytes, flags: int = os.O_RDONLY) -> int:
    """Like open_beneath, and the thing opened is a regular file; otherwise OSError EINVAL (never blocks)."""
    fd = open_beneath(root_fd, name, flags)
    try:
        if not stat.S_ISREG(os.fstat(fd).st_mode):
            raise OSError(errno.EINVAL, "not a regular file")
    except BaseException:
        os.close(fd)
        raise
    return fd


@contextmanager
def parent_folder(root_fd: int, name: bytes) -> Iterator[tuple[int, bytes]]:
    """The directory descriptor that holds ``name``, and the last component; closed on leaving. Raises OSError."""
    head, _, tail = name.rpartition(b"/")
    if tail in {b"", b".", b".."} or b"\0" in tail:
        raise OSError(errno.EINVAL, os.strerror(errno.EINVAL))
    fd = open_beneath(root_fd, head, os.O_RDONLY | os.O_DIRECTORY)
    try:
        yield fd, tail
    finally:
        os.close(fd)
