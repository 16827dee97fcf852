"""Landlock with no rule at all: every right that this kernel can take away by it is taken away.

The second wall behind the system-call filter: if a call slips through the filter, no file can still be opened, no TCP
port reached, no process outside signalled. Linux 5.13; landlock(7), landlock_create_ruleset(2). It binds the calling
thread and what comes after it, so arm it while there is one thread only.
"""

from __future__ import annotations

import ctypes
import errno
import os

from agent.errors import N_, HostError

_CREATE_RULESET = 444  # the same number on every architecture
_RESTRICT_SELF = 446
_VERSION_FLAG = 1
_FS_BITS = {1: 13, 2: 14, 3: 15, 4: 15, 5: 16}  # ABI → how many rights on files it knows, from bit 0 up
_NET_BITS = 2  # since ABI 4: bind and connect TCP
_SCOPE_BITS = 2  # since ABI 6: abstract unix sockets, signals


class _Ruleset(ctypes.Structure):
    _fields_ = (("fs", ctypes.c_uint64), ("net", ctypes.c_uint64), ("scoped", ctypes.c_uint64))


def abi() -> int:
    """The ABI version of this kernel's Landlock (1 and up), or 0 when it has none or it is switched off."""
    version: int = _syscall(_CREATE_RULESET, None, ctypes.c_size_t(0), ctypes.c_uint32(_VERSION_FLAG))
    return max(version, 0)


def deny_everything() -> int:
    """Take away every right that Landlock governs; the ABI it was done with, 0 when the kernel has no Landlock.

    Needs no_new_privs. Raises HostError when the kernel has it and refuses.
    """
    version = abi()
    if not version:
        return 0
    rules = _Ruleset(
        fs=(1 << _FS_BITS[min(version, max(_FS_BITS))]) - 1,
        net=(1 << _NET_BITS) - 1 if version >= 4 else 0,
        scoped=(1 << _SCOPE_BITS) - 1 if version >= 6 else 0,
    )
    size = 8 if version < 4 else 16 if version < 6 else 24  # an older kernel does not know the later fields
    fd: int = _syscall(_CREATE_RULESET, ctypes.byref(rules), ctypes.c_size_t(size), ctypes.c_uint32(0))
    if fd < 0:
        raise _failure()
    try:
        if _syscall(_RESTRICT_SELF, ctypes.c_int(fd), ctypes.c_uint32(0)) != 0:
            raise _failure()
    finally:
        os.close(fd)
    return version


def _syscall(number: int, *arguments: object) -> int:
    result: int = ctypes.CDLL(None, use_errno=True).syscall(ctypes.c_long(number), *arguments)
    return result


def _failure() -> HostError:
    return HostError(
        N_("this kernel refuses Landlock: {why}"),
        hint=N_("look for a container or a security module that forbids it"),
        why=errno.errorcode.get(ctypes.get_errno(), "?"),
    )
