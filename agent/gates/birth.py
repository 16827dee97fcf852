"""New processes of ours without a program being started: copies of one that is small, and share its memory.

An interpreter with the modules of a gate takes 5 to 10 MB; what a copy does not change it has in common with the
process it was copied from. Here are the call and the name that ``ps`` shows. Only for processes with one thread. Owns
the memory in which that name stands.
"""

from __future__ import annotations

import contextlib
import ctypes
import errno
import mmap
import os
import signal
import struct

SHARE_FILES, SAME_PARENT = 0x400, 0x8000  # CLONE_FILES, CLONE_PARENT
_SYS_CLONE = {"x86_64": 56, "aarch64": 220}
_PR_SET_MM, _PR_SET_MM_MAP = 35, 14
_MM_MAP = struct.Struct("=11QQIi")  # struct prctl_mm_map (linux/prctl.h)
_NUMBERS = (26, 27, 45, 46, 47, 28, 50, 51)  # of /proc/PID/stat: start_code end_code start_data end_data start_brk ...
_names: list[mmap.mmap] = []


def clone(flags: int) -> int:
    """fork(2) with ``flags``: 0 in the copy. Raises OSError: ENOSYS where the number of the call is not known."""
    number = _SYS_CLONE.get(os.uname().machine)
    if number is None:
        raise OSError(errno.ENOSYS, os.strerror(errno.ENOSYS))
    python = ctypes.PyDLL(None, use_errno=True)  # keeps the interpreter's lock, as fork does
    zero = ctypes.c_long(0)
    ctypes.pythonapi.PyOS_BeforeFork()
    pid: int = python.syscall(ctypes.c_long(number), ctypes.c_long(flags | signal.SIGCHLD), zero, zero, zero, zero)
    if pid == 0:
        ctypes.pythonapi.PyOS_AfterFork_Child()
        return 0
    ctypes.pythonapi.PyOS_AfterFork_Parent()
    if pid < 0:
        code = ctypes.get_errno()
        raise OSError(code, os.strerror(code))
    return pid


def settle(words: tuple[bytes, ...], kept: tuple[int, ...]) -> None:
    """In a copy: a session of its own, the signals as a new program has them, no descriptor but the first three and
    ``kept``, and ``words`` as its command line.
    """
    signal.set_wakeup_fd(-1)
    for signum in (signal.SIGTERM, signal.SIGINT, signal.SIGHUP):
        signal.signal(signum, signal.SIG_DFL)
    os.setsid()
    below = 3
    for fd in sorted(kept):
        os.closerange(below, fd)
        below = fd + 1
    os.closerange(below, os.sysconf("SC_OPEN_MAX"))
    with contextlib.suppress(OSError, ValueError, IndexError):
        _call(words)


def _call(words: tuple[bytes, ...]) -> None:
    """What ``ps`` shows; without it the process works as well. The kernel reads it from memory of our own."""
    line = b"".join(word + b"\0" for word in words)
    area = mmap.mmap(-1, len(line), flags=mmap.MAP_PRIVATE | mmap.MAP_ANONYMOUS)
    area[:] = line
    start = ctypes.addressof(ctypes.c_char.from_buffer(area))
    with open("/proc/self/stat", "rb") as file:
        fields = file.read(4096).rpartition(b")")[2].split()
    code, code_end, data, data_end, heap, stack, env, env_end = (int(fields[number - 3]) for number in _NUMBERS)
    libc = ctypes.CDLL(None, use_errno=True)
    libc.sbrk.restype = ctypes.c_void_p
    brk = libc.sbrk(ctypes.c_long(0))
    packed = _MM_MAP.pack(
        code, code_end, data, data_end, heap, brk, stack, start, start + len(line), env, env_end, 0, 0, -1
    )
    size = ctypes.c_ulong(len(packed))
    if libc.prctl(_PR_SET_MM, ctypes.c_ulong(_PR_SET_MM_MAP), packed, size, ctypes.c_ulong(0)) == 0:
        _names.append(area)
