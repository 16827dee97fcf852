"""Reaching into a person's folder with that person's rights, so that root cannot be tricked into writing elsewhere.

Only the calling thread changes (setfsuid, setfsgid and setgroups by system call; glibc's setgroups would change every
thread). While it lasts the kernel has taken the file capabilities away. Nothing else belongs inside but the file calls.
"""

from __future__ import annotations

import ctypes
import errno
import os
import pwd
from collections.abc import Iterator
from contextlib import contextmanager

_SETGROUPS = {"x86_64": 116, "aarch64": 159, "riscv64": 159}
_libc = ctypes.CDLL(None, use_errno=True)


@contextmanager
def as_user(uid: int) -> Iterator[None]:
    """File access of this thread is that of ``uid`` within; without root only for oneself.

    Raises OSError EPERM when the rights could not be taken on, before anything is done.
    """
    if uid == os.geteuid():
        yield
        return
    gid, groups = _groups(uid)
    before = os.getgroups()
    try:
        _set_groups(groups)
        _libc.setfsgid(gid)
        _libc.setfsuid(uid)
        if _libc.setfsuid(-1) != uid or _libc.setfsgid(-1) != gid:
            raise PermissionError(errno.EPERM, os.strerror(errno.EPERM))
        yield
    finally:
        _libc.setfsuid(os.geteuid())
        _libc.setfsgid(os.getegid())
        if os.geteuid() == 0:
            _set_groups(before)


def _groups(uid: int) -> tuple[int, list[int]]:
    try:
        person = pwd.getpwuid(uid)
    except KeyError:
        return uid, []  # a uid of another machine, found on a disk: no groups of ours
    return person.pw_gid, os.getgrouplist(person.pw_name, person.pw_gid)


def _set_groups(groups: list[int]) -> None:
    number = _SETGROUPS.get(os.uname().machine)
    if number is None:
        raise PermissionError(errno.EPERM, os.strerror(errno.EPERM))
    array = (ctypes.c_uint32 * len(groups))(*groups)
    if _libc.syscall(number, ctypes.c_size_t(len(groups)), array) != 0:
        code = ctypes.get_errno()
        raise OSError(code, os.strerror(code))


def may_read(uid: int, state: os.stat_result) -> bool:
    """Whether the rights of a file let ``uid`` read it (owner, group, others; access lists are not looked at)."""
    if uid in {0, state.st_uid}:
        return True
    if state.st_mode & 0o004:
        return True
    return bool(state.st_mode & 0o040) and state.st_gid in {_groups(uid)[0], *_groups(uid)[1]}
