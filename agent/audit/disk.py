"""What the machine may refuse to the audit log, translated once: the lock on its folder, and errors of writing."""

from __future__ import annotations

import fcntl
import os
from collections.abc import Callable
from pathlib import Path
from typing import TypeVar

from agent.errors import N_, HostError

_T = TypeVar("_T")


def take_lock(folder: Path) -> int:
    """The descriptor that keeps other writers out while it is open. Raises HostError (in use) and OSError."""
    fd = os.open(folder / "lock", os.O_RDWR | os.O_CREAT | os.O_CLOEXEC | os.O_NOFOLLOW, 0o600)
    try:
        fcntl.flock(fd, fcntl.LOCK_EX | fcntl.LOCK_NB)
    except BlockingIOError as error:
        os.close(fd)
        raise HostError(
            N_("the audit log is in use by another agent"),
            where=str(folder),
            hint=N_("stop the other agent, or give this one another data_dir"),
        ) from error
    return fd


def translated(folder: Path, work: Callable[[], _T]) -> _T:
    """Do the work; its OSError becomes HostError."""
    try:
        return work()
    except OSError as error:
        raise unwritable(folder, error) from error


def unwritable(folder: Path, error: OSError) -> HostError:
    return HostError(
        N_("the audit log cannot be written: {why}"),
        where=str(folder),
        hint=N_("make room on its disk; until then documents are only watched, none is acted upon"),
        why=error.strerror or str(error),
        what="audit",  # by which callers tell it from a reader that does not start
    )
