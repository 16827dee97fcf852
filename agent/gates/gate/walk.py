"""Going to a folder by its path one name at a time, and no further than the kernel alone answers.

Behind a mount may stand a person's program that never answers. What is opened here on the way asks nobody (O_PATH), so
the next mount is known before a name is looked for in it. Opens nothing but folders; no link is followed.
"""

from __future__ import annotations

import contextlib
import errno
import os
from collections.abc import Callable

from agent.gates.gate.fanotify import State

_FOLDER = os.O_PATH | os.O_DIRECTORY | os.O_NOFOLLOW | os.O_CLOEXEC
_READ = os.O_RDONLY | os.O_DIRECTORY | os.O_NOFOLLOW | os.O_CLOEXEC


class BehindProgramError(OSError):
    """The path leads into what a person's program has mounted: whoever asked there might wait for ever."""


def open_unasked(path: bytes) -> int:
    """A descriptor of the folder at the absolute ``path``, as ``fsys.openat.open_folder``. Raises OSError;
    BehindProgramError where somebody's program would be asked.
    """
    point = walked(path, lambda _above, here: _is_persons(here))[0]
    if point < 0:
        raise BehindProgramError(errno.EREMOTE, os.strerror(errno.EREMOTE))
    try:
        return os.open(b".", _READ, dir_fd=point)
    finally:
        os.close(point)


def walked(path: bytes, stops: Callable[[int, int], bool]) -> tuple[int, int, bool]:
    """(O_PATH descriptor, mount, whether others than root can move it), or -1 for the first: ``stops`` has said so of a
    mount and of the one on it that the path leads into. Raises OSError.
    """
    above, here, fd, movable = State(), State(), os.open(b"/", _FOLDER), False
    above.of(fd)
    for name in filter(None, path.split(b"/")):
        try:
            inner = os.open(name, _FOLDER, dir_fd=fd)
        finally:
            os.close(fd)
        fd = inner
        here.of(fd)
        if here.mount != above.mount and stops(above.mount, here.mount):
            os.close(fd)
            return -1, -1, True
        # what lies above the root of the mount does not move what is in it
        movable = here.mount == above.mount and (movable or bool(above.uid or above.mode & 0o022))
        above, here = here, above
    return fd, above.mount, movable


def _is_persons(mount: int) -> bool:
    """Whether somebody else than root has mounted a program's file system there; also when it has gone meanwhile."""
    with contextlib.suppress(OSError), open("/proc/self/mountinfo", "rb") as table:
        for line in table:
            if line.startswith(b"%d " % mount):
                kind, _, options = line.rstrip().rpartition(b" - ")[2].split(b" ", 2)
                program = kind == b"fuse" or kind.startswith(b"fuse.")
                return program and b"user_id=0" not in options.split(b" ")[-1].split(b",")
    return True
