"""Reading a small file of ours that somebody may have replaced by accident: whatever lies there, nothing waits for it
and nothing grows without an end.
"""

from __future__ import annotations

import errno
import os
import stat
from pathlib import Path
from typing import BinaryIO


def open_small(path: Path) -> BinaryIO:
    """A regular file, also through a link. Raises OSError: also for a pipe, a device or a folder."""
    fd = os.open(path, os.O_RDONLY | os.O_CLOEXEC | os.O_NONBLOCK | os.O_NOCTTY)
    if not stat.S_ISREG(os.fstat(fd).st_mode):
        os.close(fd)
        raise OSError(errno.EINVAL, os.strerror(errno.EINVAL))
    return open(fd, "rb")


def read_small(path: Path, limit: int) -> bytes:
    """Its first ``limit`` bytes. Raises OSError."""
    with open_small(path) as file:
        return file.read(limit)
