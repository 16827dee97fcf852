"""What an airlock gives up when it starts: it needs files of all owners, and nothing else of root.

Kept: CHOWN, DAC_OVERRIDE, DAC_READ_SEARCH, FOWNER, FSETID (files of their owners on the medium), and SYS_ADMIN only
where the kernel passes reads through (FUSE_DEV_IOC_BACKING_OPEN asks for it). Dropped for good: all others, among them
SYS_RESOURCE (the blocks that ext4 reserves for root are not for a person's copy), NET_*, SYS_PTRACE, SYS_MODULE.
"""

from __future__ import annotations

import ctypes
import os
import resource

_KEPT = (0, 1, 2, 3, 4)
SYS_ADMIN = 21
_LAST_CAPABILITY = 63
_M_MMAP_THRESHOLD, _M_ARENA_MAX = -3, -8  # mallopt(3)
_LARGE = 256 * 1024  # bytes: buffers above go back to the system when they are freed
_PR_SET_DUMPABLE, _PR_CAPBSET_DROP, _PR_SET_NO_NEW_PRIVS = 4, 24, 38
_CAPSET = {"x86_64": 126, "aarch64": 91, "riscv64": 91}
_VERSION_3 = 0x20080522
_libc = ctypes.CDLL(None, use_errno=True)


def give_up(*, keep_admin: bool) -> None:
    """For every thread that is started from now on, and this one. Raises OSError; without root nothing happens."""
    if os.geteuid() != 0:
        return
    kept = {*_KEPT, SYS_ADMIN} if keep_admin else set(_KEPT)
    _libc.prctl(_PR_SET_NO_NEW_PRIVS, 1, 0, 0, 0)
    _libc.prctl(_PR_SET_DUMPABLE, 0, 0, 0, 0)  # no core file with a document in it
    for capability in range(_LAST_CAPABILITY + 1):
        if capability not in kept:
            _libc.prctl(_PR_CAPBSET_DROP, capability, 0, 0, 0)  # EINVAL beyond what this kernel knows
    low, high = (sum(1 << number % 32 for number in kept if number // 32 == half) for half in (0, 1))
    header = (ctypes.c_uint32 * 2)(_VERSION_3, 0)
    data = (ctypes.c_uint32 * 6)(low, low, 0, high, high, 0)
    if _libc.syscall(_CAPSET[os.uname().machine], header, data) != 0:
        code = ctypes.get_errno()
        raise OSError(code, os.strerror(code))


def settle_in() -> None:
    """Many descriptors, little memory kept, and not the first to go when it is short: it holds what was just saved."""
    os.umask(0)  # the kernel has applied that of the program already
    _libc.mallopt(_M_MMAP_THRESHOLD, _LARGE)
    _libc.mallopt(_M_ARENA_MAX, 2)
    _, hard = resource.getrlimit(resource.RLIMIT_NOFILE)
    resource.setrlimit(resource.RLIMIT_NOFILE, (hard, hard))
    resource.setrlimit(resource.RLIMIT_CORE, (0, 0))
    try:
        with open("/proc/self/oom_score_adj", "w", encoding="ascii") as score:
            score.write("-500")
    except OSError:
        pass  # a container that does not let us
