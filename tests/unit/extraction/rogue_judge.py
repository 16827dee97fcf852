"""A worker in the real sandbox whose judge does what the extension says: the part of a document that took over.

Its answer says how far it got: ``patients`` is the errno of the refusal, or SUCCEEDED.
"""

import ctypes
import mmap
import os
import platform
import signal
import socket
import sys
import threading
import time

from agent.extraction.worker import run
from agent.findings import Findings, Judgement

SUCCEEDED = 100_000
LIBC = ctypes.CDLL(None, use_errno=True)
PARENT = os.getppid()
NUMBERS = {
    "x86_64": {
        "ptrace": 101, "mount": 165, "unshare": 272, "setns": 308, "bpf": 321, "keyctl": 250, "userfaultfd": 323,
        "perf_event_open": 298, "process_vm_readv": 310, "pidfd_open": 434, "pidfd_getfd": 438, "io_uring_setup": 425,
        "open_by_handle": 304, "ftruncate": 77, "pwrite64": 18, "sendmsg": 46, "kill": 62, "tkill": 200,
        "socketpair": 53, "execveat": 322, "clone3": 435, "vfork": 58, "setuid": 105, "chroot": 161,
        "init_module": 175, "fchmod": 91, "fsetxattr": 190, "sendfile": 40, "splice": 275, "copy_file_range": 326,
        "memfd_secret": 447, "seccomp": 317, "personality": 135, "dup3": 292, "rt_sigqueueinfo": 129,
    },
    "aarch64": {
        "ptrace": 117, "mount": 40, "unshare": 97, "setns": 268, "bpf": 280, "keyctl": 219, "userfaultfd": 282,
        "perf_event_open": 241, "process_vm_readv": 270, "pidfd_open": 434, "pidfd_getfd": 438, "io_uring_setup": 425,
        "open_by_handle": 265, "ftruncate": 46, "pwrite64": 68, "sendmsg": 211, "kill": 129, "tkill": 130,
        "socketpair": 199, "execveat": 281, "clone3": 435, "vfork": 220, "setuid": 146, "chroot": 51,
        "init_module": 105, "fchmod": 52, "fsetxattr": 7, "sendfile": 71, "splice": 76, "copy_file_range": 285,
        "memfd_secret": 447, "seccomp": 277, "personality": 92, "dup3": 24, "rt_sigqueueinfo": 138,
    },
}[platform.machine()]  # fmt: skip
STAT_AT = {"x86_64": 262, "aarch64": 79}[platform.machine()]
OPENAT2 = 437


def attempt(result: int) -> int:
    if result < 0:
        raise OSError(ctypes.get_errno(), "refused")
    return result


def raw(number: int, *arguments: object) -> int:
    return attempt(LIBC.syscall(ctypes.c_long(number), *arguments))


def stat_at(flags: int) -> None:
    raw(STAT_AT, -100, ctypes.c_char_p(b"/etc/passwd"), ctypes.create_string_buffer(256), flags)


def memory_map(protection: int) -> None:
    mmap.mmap(-1, 4096, prot=protection)


def protect() -> None:
    LIBC.mmap.restype = ctypes.c_void_p
    page = LIBC.mmap(None, ctypes.c_size_t(4096), 3, 0x22, -1, 0)
    attempt(LIBC.mprotect(ctypes.c_void_p(page), ctypes.c_size_t(4096), 5))


def spin() -> None:
    while True:
        pass


def recurse() -> None:
    recurse()


def work(seconds: float) -> None:
    end = time.process_time() + seconds
    while time.process_time() < end:
        pass


class Panic(BaseException):
    """What a Rust library raises is no Exception."""


def fail(error: BaseException) -> None:
    raise error


DEEDS = {
    "open": lambda fd: os.open("/etc/passwd", os.O_RDONLY),
    "openat2": lambda fd: raw(OPENAT2, -100, ctypes.c_char_p(b"/etc/passwd"), ctypes.create_string_buffer(24), 24),
    "environ": lambda fd: os.open("/proc/self/environ", os.O_RDONLY),
    "list": lambda fd: os.listdir("/"),
    "create": lambda fd: os.open("/tmp/serment-escape", os.O_CREAT | os.O_WRONLY),
    "stat": lambda fd: stat_at(0),
    "statempty": lambda fd: stat_at(0x1000),
    "read": lambda fd: os.read(fd, 1),
    "lseek": lambda fd: os.lseek(fd, 7, os.SEEK_SET),
    "write": lambda fd: os.write(fd, b"x"),
    "mapfile": lambda fd: mmap.mmap(fd, 19),
    "mapexec": lambda fd: memory_map(mmap.PROT_READ | mmap.PROT_WRITE | mmap.PROT_EXEC),
    "protectexec": lambda fd: protect(),
    "memfd": lambda fd: os.memfd_create("x"),
    "prctl": lambda fd: attempt(LIBC.prctl(4, 1, 0, 0, 0)),
    "rlimit": lambda fd: attempt(LIBC.prlimit(0, 7, ctypes.create_string_buffer(16), None)),
    "import": lambda fd: __import__("wave"),
    "connect": lambda fd: socket.socket(),
    "fork": lambda fd: os.fork(),
    "exec": lambda fd: os.execv("/bin/true", ["true"]),
    "thread": lambda fd: threading.Thread(target=print).start(),
    "killparent": lambda fd: os.kill(PARENT, signal.SIGTERM),
    "ptraceparent": lambda fd: raw(NUMBERS["ptrace"], 16, PARENT, 0, 0),
    "x32": lambda fd: raw(0x40000000 | 39),
    "memory": lambda fd: bytearray(4 << 30),
    "recursion": lambda fd: recurse(),
    "raise": lambda fd: fail(ValueError("x")),
    "panic": lambda fd: fail(Panic()),
    "exit": lambda fd: fail(SystemExit(0)),
    "timeout": lambda fd: fail(TimeoutError()),
    "spin": lambda fd: spin(),
    "work": lambda fd: work(0.15),
    "crash": lambda fd: ctypes.string_at(8),
    "pread": lambda fd: os.pread(fd, 4096, 0),
    "fstat": lambda fd: os.fstat(fd),
    "random": lambda fd: os.urandom(8),
    **{name: lambda fd, number=number: raw(number, 0, 0, 0, 0, 0) for name, number in NUMBERS.items()},
}


def judge(fd: int, extension: str, size: int) -> Findings:
    deed = DEEDS.get(extension.replace("0", "_"))  # an extension has no underscore
    if deed is None:
        return Findings(Judgement.NOT_MEDICAL, patients=size)
    try:
        deed(fd)
    except OSError as error:
        if isinstance(error, TimeoutError):
            raise
        return Findings(Judgement.NOT_MEDICAL, patients=error.errno or 0)
    return Findings(Judgement.NOT_MEDICAL, patients=SUCCEEDED)


if __name__ == "__main__":
    sys.exit(run(sys.argv[1:], lambda: judge))
