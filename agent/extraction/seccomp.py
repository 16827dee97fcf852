"""The system calls that a worker may still make, as a seccomp-BPF program, and the few lines that assemble it.

An allow-list. What is not on it kills the process: no opening, no network, no new program, process or thread. A short
list answers EPERM instead, because libraries and the interpreter try these calls and cope with a refusal. The memory
calls may not make executable memory nor map a file, so that a descriptor passed read-write cannot be written through a
mapping; ``read`` and ``lseek`` are refused because they would move the offset that the parent's descriptor shares.

Sources: seccomp(2), the kernel's Documentation/userspace-api/seccomp_filter.rst, linux/bpf_common.h; numbers from the
kernel's tables for x86_64 and from asm-generic/unistd.h for aarch64.
"""

from __future__ import annotations

import ctypes
import errno
import os
import struct
import sys
from collections.abc import Sequence
from dataclasses import dataclass

from agent.errors import N_, HostError

_LOAD, _EQUAL, _AT_LEAST, _ANY_BIT, _RETURN = 0x20, 0x15, 0x35, 0x45, 0x06  # BPF_LD|W|ABS, JEQ, JGE, JSET, RET
ALLOW = 0x7FFF0000
KILL = 0x80000000  # the whole process, not only the thread
REFUSE = 0x00050000 | errno.EPERM
_NUMBER_AT, _ARCH_AT, _ARGUMENTS_AT = 0, 4, 16  # offsets in struct seccomp_data
_X32_BIT = 0x40000000
_AT_EMPTY_PATH = 0x1000
_MAP_ANONYMOUS = 0x20
_PROT_EXEC = 4


@dataclass(frozen=True, slots=True)
class Test:
    """A condition on the low 32 bits of one argument: ``how`` is equal, has (a bit), or lacks (a bit)."""

    argument: int
    how: str
    value: int


@dataclass(frozen=True, slots=True)
class Rule:
    """What to answer for one system call when all ``tests`` hold; EPERM when one does not."""

    name: str
    tests: tuple[Test, ...] = ()
    answer: int = ALLOW


@dataclass(frozen=True, slots=True)
class Machine:
    """One architecture: its audit number and its system-call numbers."""

    audit: int
    numbers: dict[str, int]
    x32: bool = False


_X86_64 = Machine(
    0xC000003E,
    {
        "read": 0, "write": 1, "close": 3, "stat": 4, "fstat": 5, "lstat": 6, "lseek": 8, "mmap": 9, "mprotect": 10,
        "munmap": 11, "brk": 12, "rt_sigaction": 13, "rt_sigprocmask": 14, "rt_sigreturn": 15, "ioctl": 16,
        "pread64": 17, "readv": 19, "writev": 20, "access": 21, "sched_yield": 24, "mremap": 25, "madvise": 28,
        "dup": 32, "nanosleep": 35, "getpid": 39, "sendto": 44, "recvmsg": 47, "exit": 60, "uname": 63, "fcntl": 72,
        "getcwd": 79, "mkdir": 83, "unlink": 87, "readlink": 89, "gettimeofday": 96, "getrusage": 98, "sysinfo": 99,
        "getuid": 102, "getgid": 104, "geteuid": 107, "getegid": 108, "sigaltstack": 131, "prctl": 157, "gettid": 186,
        "futex": 202, "sched_getaffinity": 204, "getdents64": 217, "restart_syscall": 219, "clock_gettime": 228,
        "clock_getres": 229, "clock_nanosleep": 230, "exit_group": 231, "openat": 257, "newfstatat": 262,
        "readlinkat": 267, "faccessat": 269, "preadv": 295, "prlimit64": 302, "getrandom": 318, "memfd_create": 319,
        "statx": 332, "openat2": 437, "faccessat2": 439, "open": 2, "mkdirat": 258, "unlinkat": 263,
    },
    x32=True,
)  # fmt: skip
_AARCH64 = Machine(
    0xC00000B7,
    {
        "getcwd": 17, "dup": 23, "fcntl": 25, "ioctl": 29, "mkdirat": 34, "unlinkat": 35, "faccessat": 48,
        "openat": 56, "close": 57, "getdents64": 61, "lseek": 62, "read": 63, "write": 64, "readv": 65, "writev": 66,
        "pread64": 67, "preadv": 69, "readlinkat": 78, "newfstatat": 79, "fstat": 80, "exit": 93, "exit_group": 94,
        "futex": 98, "nanosleep": 101, "clock_gettime": 113, "clock_getres": 114, "clock_nanosleep": 115,
        "sched_getaffinity": 123, "sched_yield": 124, "restart_syscall": 128, "sigaltstack": 132, "rt_sigaction": 134,
        "rt_sigprocmask": 135, "rt_sigreturn": 139, "uname": 160, "getrusage": 165, "prctl": 167, "gettimeofday": 169,
        "getpid": 172, "getuid": 174, "geteuid": 175, "getgid": 176, "getegid": 177, "gettid": 178, "sysinfo": 179,
        "sendto": 206, "recvmsg": 212, "brk": 214, "munmap": 215, "mremap": 216, "mmap": 222, "mprotect": 226,
        "madvise": 233, "prlimit64": 261, "getrandom": 278, "memfd_create": 279, "statx": 291, "openat2": 437,
        "faccessat2": 439,
    },
)  # fmt: skip
MACHINES = {"x86_64": _X86_64, "aarch64": _AARCH64}

_FREELY = (  # noqa: SIM905 - read as a list of words
    "pread64 preadv close fstat munmap mremap brk madvise futex clock_gettime clock_getres gettimeofday getrandom "
    "rt_sigreturn rt_sigprocmask rt_sigaction sigaltstack sched_yield restart_syscall getrusage sysinfo getpid gettid "
    "getuid geteuid getgid getegid exit exit_group"
).split()
_PROBED = (  # noqa: SIM905
    "openat open openat2 stat lstat statx access faccessat faccessat2 readlink readlinkat getdents64 getcwd mkdir "
    "mkdirat unlink unlinkat read readv write writev lseek ioctl fcntl dup uname prctl prlimit64 sched_getaffinity "
    "nanosleep clock_nanosleep memfd_create"
).split()


def worker_rules(socket_fd: int) -> tuple[Rule, ...]:
    """What a worker may do once it is warm; it hears and speaks on ``socket_fd`` alone."""
    return (
        Rule("recvmsg", (Test(0, "equal", socket_fd),)),
        Rule("sendto", (Test(0, "equal", socket_fd), Test(4, "equal", 0))),
        Rule("newfstatat", (Test(3, "equal", _AT_EMPTY_PATH),)),  # how glibc 2.33 and later do fstat
        Rule("mmap", (Test(3, "has", _MAP_ANONYMOUS), Test(2, "lacks", _PROT_EXEC))),
        Rule("mprotect", (Test(2, "lacks", _PROT_EXEC),)),
        *(Rule(name) for name in _FREELY),
        *(Rule(name, answer=REFUSE) for name in _PROBED),
    )


def assemble(machine: Machine, rules: Sequence[Rule]) -> bytes:
    """The BPF program: another architecture or the x32 table kills; then the rules in order; then kill.

    A rule for a call that this machine does not have is left out (``open`` on aarch64).
    """
    program = [
        _load(_ARCH_AT), _jump(_EQUAL, machine.audit, 1, 0), _answer(KILL),
        _load(_NUMBER_AT),
    ]  # fmt: skip
    if machine.x32:
        program += [_jump(_AT_LEAST, _X32_BIT, 0, 1), _answer(KILL)]
    for rule in rules:
        number = machine.numbers.get(rule.name)
        if number is not None:
            block = _block(rule)
            program += [_jump(_EQUAL, number, 0, len(block)), *block]
    return b"".join([*program, _answer(KILL)])


def this_machine() -> Machine:
    """The tables for this processor. Raises HostError where we have none (also a 32-bit program on a 64-bit kernel)."""
    machine = MACHINES.get(os.uname().machine) if sys.maxsize > 2**32 else None
    if machine is None:
        raise HostError(
            N_("no system-call table for this processor: {machine}"),
            hint=N_("documents are read on x86_64 and aarch64 only"),
            machine=os.uname().machine,
        )
    return machine


def install(program: bytes) -> None:
    """Put the filter in force, for good, for every thread. Needs no_new_privs. Raises HostError when refused."""
    libc = ctypes.CDLL(None, use_errno=True)
    code = ctypes.create_string_buffer(program, len(program))
    filter_ = struct.pack("@HxxxxxxQ", len(program) // 8, ctypes.addressof(code))
    # prctl(PR_SET_SECCOMP, SECCOMP_MODE_FILTER): there is one thread only, see sandbox.arm
    if libc.prctl(22, ctypes.c_ulong(2), ctypes.c_char_p(filter_), ctypes.c_ulong(0), ctypes.c_ulong(0)) != 0:
        raise HostError(
            N_("this kernel refuses the system-call filter: {why}"),
            hint=N_("a kernel with CONFIG_SECCOMP_FILTER is needed"),
            why=errno.errorcode.get(ctypes.get_errno(), "?"),
        )


def _block(rule: Rule) -> list[bytes]:
    """Instructions that end in an answer whatever happens; the tests jump over « allow » to « refuse »."""
    block: list[bytes] = []
    for index, test in enumerate(rule.tests):
        miss = 2 * (len(rule.tests) - index) - 1  # what is left of the tests after this jump, and the answer
        block.append(_load(_ARGUMENTS_AT + 8 * test.argument))  # both machines are little-endian: low half first
        if test.how == "lacks":
            block.append(_jump(_ANY_BIT, test.value, miss, 0))
        else:
            block.append(_jump(_ANY_BIT if test.how == "has" else _EQUAL, test.value, 0, miss))
    block.append(_answer(rule.answer))
    return [*block, _answer(REFUSE)] if rule.tests else block


def _load(offset: int) -> bytes:
    return struct.pack("=HBBI", _LOAD, 0, 0, offset)


def _jump(how: int, value: int, if_true: int, if_false: int) -> bytes:
    return struct.pack("=HBBI", how, if_true, if_false, value)


def _answer(what: int) -> bytes:
    return struct.pack("=HBBI", _RETURN, 0, 0, what)
