"""Files that a person names on the command line: opened, or refused with what to do. Nothing of their content is kept.

They may be anything: a folder, a pipe that nobody writes to, something that ends nowhere.
"""

from __future__ import annotations

import os
import stat
from pathlib import Path

from agent.errors import N_, UsageError
from agent.ui.printable import printable


def unreadable(path: bytes | str, error: OSError) -> UsageError:
    """What is said of a file that was asked for and cannot be read."""
    return UsageError(
        N_("cannot be read: {why}"), where=printable(path), hint=N_("check the path"), why=error.strerror or ""
    )


def open_file(path: bytes | str) -> int:
    """A descriptor of the regular file at ``path``, for the caller to close; waits for nobody. Raises UsageError."""
    try:
        fd = os.open(path, os.O_RDONLY | os.O_CLOEXEC | os.O_NONBLOCK)
    except OSError as error:
        raise unreadable(path, error) from error
    if not stat.S_ISREG(os.fstat(fd).st_mode):
        os.close(fd)
        raise UsageError(N_("is not a file"), where=printable(path), hint=N_("check the path"))
    return fd


def first_bytes(path: Path | str, limit: int) -> bytes:
    """At most ``limit`` bytes from the beginning; a pipe will do. Raises UsageError."""
    try:
        with open(path, "rb") as file:
            return file.read(limit)
    except OSError as error:
        raise unreadable(os.fspath(path), error) from error
