"""What a waiting thread is doing, as far as the kernel says it and the thread cannot change it.

The thread sleeps in its system call, so number and registers are those of the call. Memory is not: what stands behind
a pointer (openat2's flags) may be changed by another thread, and is not looked at. A 32-bit program's numbers mean
other calls; none of those below opens a file there.
"""

from __future__ import annotations

import os

_CALLS: dict[str, dict[int, int | None]] = {"x86_64": {257: 3, 2: 2, 85: None}, "aarch64": {56: 3}}
_FLAGS_AT = _CALLS.get(os.uname().machine, {})
"""Number of the call → which field of /proc/PID/syscall holds its flags; None: creat(2), which only writes."""


def only_writes(thread: int) -> bool:
    """Whether the descriptor that it will get cannot be read from. False when that is not certain."""
    flags = _flags(thread)
    return flags is not None and flags & os.O_ACCMODE == os.O_WRONLY


def also_writes(thread: int) -> bool:
    """Whether it opens for reading and writing."""
    flags = _flags(thread)
    return flags is not None and flags & os.O_ACCMODE == os.O_RDWR


def _flags(thread: int) -> int | None:
    try:
        fd = os.open(b"/proc/%d/syscall" % thread, os.O_RDONLY | os.O_CLOEXEC)
    except OSError:
        return None
    try:
        fields = os.read(fd, 256).split()
        number = int(fields[0])
        if number not in _FLAGS_AT:
            return None
        at = _FLAGS_AT[number]
        return os.O_WRONLY if at is None else int(fields[at], 16)
    except (OSError, ValueError, IndexError):
        return None
    finally:
        os.close(fd)
