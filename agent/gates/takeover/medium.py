"""The medium behind an airlock: the volume's file system, writable, on a mount that is in no namespace.

Handed the folder where the user's own mount begins (an O_PATH descriptor). Makes sure that this mount is read-only,
clones it, and makes the clone writable. The clone is gone with its last descriptor, also after a kill, and the user
then has what was mounted all along: a read-only volume.
"""

from __future__ import annotations

import errno
import os
from collections.abc import Mapping
from dataclasses import dataclass

from agent.errors import N_, HostError
from agent.gates.takeover import mounting

OPEN_WRITERS = N_("programs that had files open for writing before the guard began can still write to those")
_NO_WRITING = {errno.EROFS, errno.EACCES, errno.EPERM}
_FORGETFUL = frozenset({b"ntfs3"})
"""Drivers that take what is not said again at a reconfiguration for their defaults: owner and rights would change."""


class ReadOnlyMediumError(HostError):
    """Nothing can be written to this medium: its switch, its driver, or its state says so."""


@dataclass(frozen=True, slots=True)
class Medium:
    """``fd``: the root folder, open for reading, of the writable clone. ``weaker``: a catalogue key, or empty."""

    fd: int
    weaker: str = ""


@dataclass(frozen=True, slots=True)
class Volume:
    """What the mount table says of the user's mount. ``read_only``: of the file system, not of the mount alone."""

    filesystem: bytes
    read_only: bool
    options: Mapping[bytes, bytes | None]  # of the file system, ``ro`` and ``rw`` left out


def open_medium(point_fd: int, volume: Volume) -> Medium:
    """Close the user's mount for writing and open the medium. The caller closes ``fd``.

    Raises ReadOnlyMediumError, HostError (what the kernel refused). What was mounted stays mounted.
    """
    if volume.read_only and volume.filesystem.startswith(b"fuse"):
        raise ReadOnlyMediumError(
            N_("its driver is a program that was started read-only: nothing can be written there"),
            hint=N_("mount it with the kernel's driver, see packaging/udev"),
        )
    weaker = _close_for_writing(point_fd)
    try:
        clone_fd = mounting.clone(point_fd)
    except OSError as error:
        raise _refused(error) from error
    try:
        mounting.set_attributes(
            clone_fd, on=mounting.NOSUID | mounting.NODEV, off=mounting.RDONLY, private=True
        )  # fmt: skip
        if volume.read_only:
            _make_writable(clone_fd, volume)
        return Medium(os.open(b".", os.O_RDONLY | os.O_DIRECTORY | os.O_CLOEXEC, dir_fd=clone_fd), weaker)
    except OSError as error:
        raise _refused(error) from error
    finally:
        os.close(clone_fd)


def _close_for_writing(point_fd: int) -> str:
    """The user's own way to the volume becomes read-only; below the airlock nobody reaches it any more either way."""
    try:
        mounting.set_attributes(point_fd, on=mounting.RDONLY)
    except OSError as error:
        if error.errno != errno.EBUSY:
            raise _refused(error) from error
        return OPEN_WRITERS
    return ""


def _make_writable(clone_fd: int, volume: Volume) -> None:
    try:
        mounting.reconfigure(clone_fd, b"rw", volume.options if volume.filesystem in _FORGETFUL else None)
    except OSError as error:
        if error.errno in _NO_WRITING or error.errno == errno.EINVAL:  # EINVAL: a dirty NTFS
            raise ReadOnlyMediumError(N_("the medium cannot be written to")) from error
        raise
    if os.fstatvfs(clone_fd).f_flag & os.ST_RDONLY:
        raise ReadOnlyMediumError(N_("the medium cannot be written to"))


def give_back(point_fd: int, *, writable: bool) -> None:
    """The end of a take-over that the administrator wants: the user's mount as it was. Raises OSError."""
    if writable:
        mounting.set_attributes(point_fd, off=mounting.RDONLY)
    else:
        mounting.reconfigure(point_fd, b"ro")


def _refused(error: OSError) -> HostError:
    return HostError(N_("the kernel does not let the volume be taken over: {why}"), why=error.strerror or "")
