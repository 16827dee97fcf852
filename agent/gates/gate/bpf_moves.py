"""The program of ``bpf_program`` in the kernel: put there, proved and taken back by the agent.

It stands under a name in the kernel's own file system (``/sys/fs/bpf``), and so it is there as long as the gate's marks
may be, whoever of us is killed. Needs the ``bpf`` security module and the trampolines of Linux 6.0 on x86-64, 6.4 on
64-bit ARM. Elsewhere nothing is put there, and the gate asks about every opening. Owns the names ``serment-…`` there.
"""

from __future__ import annotations

import contextlib
import errno
import os

from agent.gates.gate import bpf
from agent.gates.gate.bpf_hold import LABELS, LINK
from agent.gates.gate.bpf_program import HOOK, LICENCE, MEMBERS, text
from agent.gates.gate.bpf_types import Types

PINS = b"/sys/fs/bpf"
_TYPES = "/sys/kernel/btf/vmlinux"
_MODULES = "/sys/kernel/security/lsm"
_MOST_TYPES = 64 << 20  # bytes


def name_of(socket_path: bytes) -> bytes:
    """Under which the programs of the agent with that socket stand; another agent beside it has another name."""
    import hashlib

    return PINS + b"/serment-" + hashlib.sha256(socket_path).hexdigest()[:16].encode() + b"-"


def install(socket_path: bytes) -> bytes:
    """Put the program into the kernel, and prove that it refuses; its name. Nothing is left behind by a failure.

    Raises OSError (ENOTSUP: there is no such module here, EPERM: the kernel takes no such program, ENXIO: it took it
    and did not do what it says) and ValueError (types that are not as expected).
    """
    with open(_MODULES, "rb") as file:
        if b"bpf" not in file.read(4096).strip().split(b","):
            raise OSError(errno.ENOTSUP, os.strerror(errno.ENOTSUP))
    name = name_of(socket_path) + os.urandom(4).hex().encode()
    opened: list[int] = []
    try:
        labels_fd = _kept(opened, bpf.labels())
        link = _kept(opened, _attached(labels_fd, opened))
        _prove(labels_fd, os.path.dirname(socket_path))
        os.mkdir(name, 0o700)
        bpf.pin(labels_fd, name + LABELS)
        bpf.pin(link, name + LINK)
    except BaseException:
        remove(name)
        raise
    finally:
        for fd in opened:
            os.close(fd)
    return name


def _kept(opened: list[int], fd: int) -> int:
    opened.append(fd)
    return fd


def _attached(labels_fd: int, opened: list[int]) -> int:
    with open(_TYPES, "rb") as file:
        types = Types(file.read(_MOST_TYPES), MEMBERS, (HOOK,))
    return bpf.attach(_kept(opened, bpf.security_program(text(types, labels_fd), types.functions[HOOK], LICENCE)))


def _prove(labels_fd: int, place: bytes) -> None:
    """In a folder of our own: into a labelled folder is refused, out of it is not. Raises OSError."""
    base = place + b"/moves-" + os.urandom(4).hex().encode()
    folders = [base, base + b"/guarded", base + b"/guarded/inner", base + b"/outside"]
    try:
        for folder in folders:
            os.mkdir(folder, 0o700)
        fd = os.open(folders[1], os.O_PATH | os.O_DIRECTORY | os.O_NOFOLLOW | os.O_CLOEXEC)
        try:
            bpf.label(labels_fd, fd)
            _refused(folders[3], folders[1] + b"/outside")
            os.rename(folders[2], base + b"/inner")
        finally:
            os.close(fd)
    finally:
        for folder in (base + b"/inner", folders[1] + b"/outside", *reversed(folders)):
            with contextlib.suppress(OSError):
                os.rmdir(folder)


def _refused(folder: bytes, target: bytes) -> None:
    try:
        os.rename(folder, target)
    except OSError as error:
        if error.errno == errno.EXDEV:
            return
        raise
    raise OSError(errno.ENXIO, os.strerror(errno.ENXIO))


def remove(name: bytes) -> None:
    """Nothing keeps the program any more but who holds it. What is not there is no error."""
    for path in (name + LINK, name + LABELS):
        with contextlib.suppress(OSError):
            os.unlink(path)
    with contextlib.suppress(OSError):
        os.rmdir(name)


def sweep(socket_path: bytes, kept: bytes = b"") -> None:
    """Remove what agents before us have left, when their gates are gone."""
    start = name_of(socket_path)
    with contextlib.suppress(OSError):
        for entry in os.listdir(PINS):
            name = PINS + b"/" + entry
            if name.startswith(start) and name != kept:
                remove(name)
