"""What a waiting thread is doing, as far as the kernel says it and the thread cannot change it.

The thread sleeps in its system call, so number and registers are those of the call. Memory is not: what stands behind
a pointer (openat2's flags) may be changed by another thread, and is not looked at. A 32-bit program's numbers mean
other calls; none of those below opens a file there.

What the call opens need not be the file that is asked about: for whoever opens a file of an overlay for writing, the
kernel first reads the file below, in the same call, to copy it up into a folder of the caller's. It reads on a mount of
its own that is in nobody's namespace (linux/fs/overlayfs/super.c, clone_private_mount), and by that it is known.
"""

from __future__ import annotations

import os

_LOOKS = 5  # its event comes a few microseconds before it sleeps
_MOST_MOUNTS = 1 << 20  # bytes of a namespace's table
_CALLS: dict[str, dict[int, int | None]] = {"x86_64": {257: 3, 2: 2, 85: None}, "aarch64": {56: 3}}
_FLAGS_AT = _CALLS.get(os.uname().machine, {})
"""Number of the call → which field of /proc/PID/syscall holds its flags; None: creat(2), which only writes."""


def only_writes(thread: int, mount: int, folder_mount: int) -> bool | None:
    """Whether nothing of the file on ``mount`` can be read by the descriptor that it will get: it is for writing alone,
    or the file is emptied before it is given. False when that is not certain; None: it does not sleep yet, look again.
    ``folder_mount`` is one that a descriptor of ours holds: its number is nobody else's meanwhile.
    """
    flags = _flags(thread)
    if flags is None or not _reads_nothing(flags):
        return None if flags is None else False
    return mount == folder_mount or _sees(thread, mount)


def also_writes(thread: int) -> bool:
    """Whether it opens for reading and writing."""
    flags = _flags(thread)
    return flags is not None and flags & os.O_ACCMODE == os.O_RDWR


def _reads_nothing(flags: int) -> bool:
    mode = flags & os.O_ACCMODE
    return mode == os.O_WRONLY or (mode == os.O_RDWR and bool(flags & os.O_TRUNC))


def _sees(thread: int, mount: int) -> bool:
    """Whether the mount is in its namespace."""
    try:
        with open(f"/proc/{thread}/mountinfo", "rb") as table:
            lines = table.read(_MOST_MOUNTS).splitlines()
    except OSError:
        return False
    return any(line.startswith(b"%d " % mount) for line in lines)


def _flags(thread: int) -> int | None:
    """Of the call that opens; those of a reader where nobody can know; None: it does not sleep yet."""
    try:
        fd = os.open(b"/proc/%d/syscall" % thread, os.O_RDONLY | os.O_CLOEXEC)
    except OSError:
        return os.O_RDONLY
    try:
        fields = _asleep(fd)
        if not fields:
            return None
        number = int(fields[0])
        if number not in _FLAGS_AT:
            return os.O_RDONLY
        at = _FLAGS_AT[number]
        return os.O_WRONLY if at is None else int(fields[at], 16)
    except (OSError, ValueError, IndexError):
        return os.O_RDONLY
    finally:
        os.close(fd)


def _asleep(fd: int) -> list[bytes]:
    """What the call's line says; nothing when the thread stays awake for these few looks."""
    for _ in range(_LOOKS):
        fields = os.pread(fd, 256, 0).split()
        if fields != [b"running"]:
            return fields
        os.sched_yield()
    return []
