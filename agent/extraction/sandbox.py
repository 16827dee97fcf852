"""Arming: after this the process can compute, read the descriptors it is handed, and speak on one socket. Nothing else.

Called once by the worker, when everything is imported and warmed up, for nothing can be opened afterwards. The layers
are independent: user, capabilities, empty root folder, limits, Landlock, system-call filter. Each one alone stops most
of what a document could make the process do; ``report`` reads back from the kernel which are in force. Seccomp and
no_new_privs are required; a kernel without Landlock gives a weaker sandbox, which the report says.

Must not: be called with threads running (Landlock binds the calling thread only), or in the agent.
"""

from __future__ import annotations

import ctypes
import errno
import os
import resource
import struct
from contextlib import suppress
from dataclasses import dataclass

from agent.errors import N_, HostError
from agent.extraction import landlock, seccomp
from agent.extraction.wire import Report

OPEN_FILES = 8  # 0 to 2, the socket, one document, and little more
MEMORY_BYTES = 1 << 30
CPU_SECONDS = 1800  # of a whole life; the parent replaces a worker long before

_PR_SET_PDEATHSIG, _PR_SET_DUMPABLE, _PR_GET_DUMPABLE, _PR_SET_NO_NEW_PRIVS = 1, 4, 3, 38
_PR_CAP_AMBIENT, _CLEAR_ALL = 47, 4
_SIGKILL = 9
_CAPABILITY_VERSION_3 = 0x20080522


@dataclass(frozen=True, slots=True)
class Evidence:
    """What ``report`` reads after nothing can be opened any more."""

    status_fd: int  # an open /proc/self/status: the kernel answers it anew at each read
    landlock: int
    chrooted: bool
    undumpable: bool
    memory_bytes: int


def arm(
    socket_fd: int,
    *,
    memory_bytes: int = MEMORY_BYTES,
    cpu_seconds: int = CPU_SECONDS,
    run_as: tuple[int, int] | None = None,
) -> Report:
    """Confine this process for good and say what is in force.

    ``memory_bytes`` bounds the address space, ``cpu_seconds`` the whole life; ``run_as`` (uid, gid) is taken when we
    are root. Every descriptor but 0 to 2 (which become /dev/null) and ``socket_fd`` is closed. Raises HostError when
    a required layer cannot be had; the process must then end.
    """
    _refuse_threads()
    machine = seccomp.this_machine()
    _close_all_but(socket_fd)
    status_fd = os.open("/proc/self/status", os.O_RDONLY | os.O_CLOEXEC)
    try:
        _prctl(_PR_SET_NO_NEW_PRIVS, 1)
        chrooted = _enter_empty_root()
        _drop(run_as)
        # Only now: a change of user clears the death signal and resets dumpable.
        _prctl(_PR_SET_PDEATHSIG, _SIGKILL)
        _prctl(_PR_SET_DUMPABLE, 0)
        _limit(memory_bytes, cpu_seconds)
        evidence = Evidence(
            status_fd, landlock.deny_everything(), chrooted, _prctl(_PR_GET_DUMPABLE, 0) == 0, memory_bytes
        )
        seccomp.install(seccomp.assemble(machine, seccomp.worker_rules(socket_fd)))
        return report(evidence)
    finally:
        os.close(status_fd)


def report(evidence: Evidence) -> Report:
    """What is in force, from the kernel's own account of this process."""
    lines = os.pread(evidence.status_fd, 1 << 16, 0).decode("ascii", "replace").splitlines()
    status = dict(line.partition(":")[::2] for line in lines)
    return Report(
        uid=int(status["Uid"].split()[1]),
        gid=int(status["Gid"].split()[1]),
        seccomp=int(status["Seccomp"]),
        landlock=evidence.landlock,
        no_new_privs=int(status["NoNewPrivs"]) == 1,
        undumpable=evidence.undumpable,
        chrooted=evidence.chrooted,
        capabilities=int(status["CapEff"], 16),
        memory_bytes=evidence.memory_bytes,
        open_files=OPEN_FILES,
    )


def _refuse_threads() -> None:
    count = len(os.listdir("/proc/self/task"))
    if count != 1:
        raise HostError(N_("{count} threads run where one may"), hint=N_("a library starts threads"), count=count)


def _close_all_but(socket_fd: int) -> None:
    null = os.open("/dev/null", os.O_RDWR)
    for fd in range(3):
        os.dup2(null, fd)
    for fd in map(int, os.listdir("/proc/self/fd")):
        if fd > 2 and fd != socket_fd:
            with suppress(OSError):  # the one that listed them is closed already
                os.close(fd)


def _enter_empty_root() -> bool:
    """Make a folder without files the root, so that even the names and sizes of files are out of sight.

    /proc/self/fdinfo needs no folder of ours on the disk; once undumpable the kernel closes it even to ourselves.
    """
    try:
        os.chroot("/proc/self/fdinfo")
        os.chdir("/")
    except OSError:  # not root: the system-call filter and Landlock stand alone
        return False
    return True


def _drop(run_as: tuple[int, int] | None) -> None:
    """Another user when we are root, no group beside its own, and in any case no capability."""
    try:
        if run_as is not None and os.geteuid() == 0:
            uid, gid = run_as
            os.setgroups([])
            os.setresgid(gid, gid, gid)
            os.setresuid(uid, uid, uid)
    except OSError as error:
        raise _failure(error.errno) from error
    _prctl(_PR_CAP_AMBIENT, _CLEAR_ALL)
    header = struct.pack("=Ii", _CAPABILITY_VERSION_3, 0)
    libc = ctypes.CDLL(None, use_errno=True)
    if libc.capset(ctypes.c_char_p(header), ctypes.c_char_p(bytes(24))) != 0:
        raise _failure(ctypes.get_errno())


def _limit(memory_bytes: int, cpu_seconds: int) -> None:
    limits = {
        resource.RLIMIT_AS: memory_bytes,
        resource.RLIMIT_CPU: cpu_seconds,
        resource.RLIMIT_NOFILE: OPEN_FILES,
        resource.RLIMIT_FSIZE: 0,
        resource.RLIMIT_NPROC: 0,
        resource.RLIMIT_CORE: 0,
        resource.RLIMIT_MEMLOCK: 0,
        resource.RLIMIT_MSGQUEUE: 0,
    }
    for which, wanted in limits.items():
        ceiling = resource.getrlimit(which)[1]
        value = wanted if ceiling == resource.RLIM_INFINITY else min(wanted, ceiling)
        resource.setrlimit(which, (value, value))


def _prctl(option: int, value: int) -> int:
    libc = ctypes.CDLL(None, use_errno=True)
    result: int = libc.prctl(ctypes.c_int(option), *(ctypes.c_ulong(number) for number in (value, 0, 0, 0)))
    if result < 0:
        raise _failure(ctypes.get_errno())
    return result


def _failure(code: int | None) -> HostError:
    return HostError(
        N_("the reader process cannot be confined: {why}"),
        hint=N_("look for a container or a security module that forbids it"),
        why=errno.errorcode.get(code or 0, "?"),
    )
