"""The FUSE mount over a volume's own: made without a path, found again by its number, taken away with care.

The mount table is all that remembers it: type ``fuse.serment``, made by root (``user_id=0``: the kernel writes down
who opened the connection, so no user's program can pass for it), source ``serment:`` and which agent's it is.
"""

from __future__ import annotations

import os

from agent.errors import N_, HostError
from agent.fsys.openat import open_point
from agent.gates.takeover import mounting

MAX_READ = 1 << 20  # bytes of one read request
_DEVICE = "/dev/fuse"


def connect() -> int:
    """A new connection to the kernel's FUSE. Raises HostError where there is none."""
    try:
        return os.open(_DEVICE, os.O_RDWR | os.O_CLOEXEC)
    except OSError as error:
        raise HostError(
            N_("the kernel offers no FUSE: {why}"), hint=N_("load the module fuse"), why=error.strerror or ""
        ) from error


def cover(point_fd: int, device_fd: int, source: bytes, *, no_exec: bool = False) -> int:
    """Mount the connection over the folder ``point_fd``, for all users; returns the mount's number. Raises HostError.

    From this moment every program there waits until somebody serves ``device_fd``.
    """
    options: dict[bytes, bytes | None] = {
        b"source": source,
        b"subtype": b"serment",
        b"fd": str(device_fd).encode(),
        b"rootmode": b"40000",
        b"user_id": b"0",
        b"group_id": b"0",
        b"max_read": str(MAX_READ).encode(),
        b"allow_other": None,
        b"default_permissions": None,
    }
    attributes = mounting.NOSUID | mounting.NODEV | (mounting.NOEXEC if no_exec else 0)
    try:
        fd = mounting.mounted(b"fuse", options, attributes)
        try:
            mounting.attach(fd, point_fd)
            return mounting.mount_id(fd)
        finally:
            os.close(fd)  # it would keep the volume from being ejected
    except OSError as error:
        raise HostError(
            N_("the kernel does not let the volume be taken over: {why}"), why=error.strerror or ""
        ) from error


def uppermost(point: bytes) -> int:
    """The number of the mount that the path ``point`` leads to, asking no file system. Raises OSError."""
    fd = open_point(point)
    try:
        return mounting.mount_id(fd)
    finally:
        os.close(fd)


def unique(point: bytes, number: int) -> int:
    """The unique number (``mounting.unique_id``) of the mount ``number``, if it is what ``point`` leads to, else 0."""
    try:
        fd = open_point(point)
    except OSError:
        return 0
    try:
        return mounting.unique_id(fd) if mounting.mount_id(fd) == number else 0
    finally:
        os.close(fd)


def take_away(point: bytes, number: int, *, lazy: bool = False, abort: bool = False, known: int = 0) -> bool:
    """Unmount the mount ``number`` if it is what ``point`` leads to; False when it is not. Raises OSError (EBUSY).

    Looked at and taken away by way of one descriptor of the folder above, which may be a user's own: another folder or
    a link that he puts in its place meanwhile leads nobody astray. ``abort``: as ``mounting.unmount`` has it.
    ``known``: what ``unique`` said of it, for who tries for seconds: a number of the mount table may meanwhile be that
    of a volume which was plugged in since.
    """
    above, _, name = point.rpartition(b"/")
    above_fd = open_point(above or b"/")
    try:
        fd = os.open(name or b".", os.O_PATH | os.O_DIRECTORY | os.O_NOFOLLOW | os.O_CLOEXEC, dir_fd=above_fd)
        try:
            if mounting.mount_id(fd) != number or (known and mounting.unique_id(fd) != known):
                return False
        finally:
            os.close(fd)  # it would keep the mount busy
        mounting.unmount(b"/proc/self/fd/%d/%s" % (above_fd, name), lazy=lazy, abort=abort)
    finally:
        os.close(above_fd)
    return True
