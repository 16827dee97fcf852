"""The kernel's boundary of BPF: bpf(2) by ctypes, the few commands that a small security program needs.

Owns nothing but the calls and their numbers; every failure is an OSError with its number. What is made here is a
descriptor, closed on exec, and the caller's. Knows no meaning of any program.
"""

from __future__ import annotations

import ctypes
import os
import struct

_CALL = {"x86_64": 321, "aarch64": 280}
_MAP_CREATE, _UPDATE, _DELETE, _PROG_LOAD, _PIN, _GET, _ATTACH, _BTF_LOAD = 0, 2, 3, 5, 6, 7, 17, 18
_INODE_STORAGE, _NO_PREALLOC = 28, 1
_LSM, _LSM_MAC = 29, 27
_LOG_BYTES = 4096
_INT = struct.pack("<HBBIIIII", 0xEB9F, 1, 0, 24, 0, 16, 16, 5) + struct.pack("<IIII", 1, 1 << 24, 4, 32) + b"\0int\0"
"""Types of a label: BTF with an int of 32 bits, number 1, and its name."""
_libc = ctypes.CDLL(None, use_errno=True)


def _bpf(command: int, layout: str, *values: int | bytes) -> int:
    """Raises OSError: EPERM without CAP_SYS_ADMIN, ENOSYS where there is no such call."""
    number = _CALL.get(os.uname().machine)
    if number is None:
        raise OSError(38, os.strerror(38))
    attributes = ctypes.create_string_buffer(struct.pack(layout, *values))
    size = ctypes.sizeof(attributes) - 1
    result: int = _libc.syscall(
        ctypes.c_long(number), ctypes.c_long(command), ctypes.byref(attributes), ctypes.c_long(size)
    )
    if result < 0:
        code = ctypes.get_errno()
        raise OSError(code, os.strerror(code))
    return result


def labels() -> int:
    """A new map that gives inodes a label; an inode that leaves the memory loses it. Raises OSError."""
    types = ctypes.create_string_buffer(_INT, len(_INT))
    btf = _bpf(_BTF_LOAD, "<QQIII", ctypes.addressof(types), 0, len(_INT), 0, 0)
    try:
        return _bpf(
            _MAP_CREATE, "<IIIIIII16sIIII", _INODE_STORAGE, 4, 4, 0, _NO_PREALLOC, 0, 0, b"guarded", 0, btf, 1, 1
        )
    finally:
        os.close(btf)


def label(labels_fd: int, fd: int) -> None:
    """Give the file behind ``fd`` (O_PATH will do) its label. Raises OSError."""
    key, value = ctypes.c_int(fd), ctypes.c_int(1)
    _bpf(_UPDATE, "<IxxxxQQQ", labels_fd, ctypes.addressof(key), ctypes.addressof(value), 0)


def unlabel(labels_fd: int, fd: int) -> None:
    """Take it back. Raises OSError: ENOENT when it has none."""
    key = ctypes.c_int(fd)
    _bpf(_DELETE, "<IxxxxQQQ", labels_fd, ctypes.addressof(key), 0, 0)


def security_program(code: bytes, hook: int, licence: bytes) -> int:
    """Load a program for the security hook with that number in the kernel's types. Raises OSError."""
    text, words = ctypes.create_string_buffer(code, len(code)), ctypes.create_string_buffer(licence)
    return _bpf(
        _PROG_LOAD, "<IIQQIIQII16sIIIIQIIQIII", _LSM, len(code) // 8, ctypes.addressof(text), ctypes.addressof(words),
        0, 0, 0, 0, 0, b"serment", 0, _LSM_MAC, 0, 0, 0, 0, 0, 0, 0, hook, 0,
    )  # fmt: skip


def attach(program_fd: int) -> int:
    """From now on it is asked, until nothing holds the descriptor that is returned, nor a pin of it. Raises OSError."""
    return _bpf(_ATTACH, "<QIxxxx", 0, program_fd)


def pin(fd: int, path: bytes) -> None:
    """Keep it under a name in a file system of type bpf. Raises OSError."""
    name = ctypes.create_string_buffer(path)
    _bpf(_PIN, "<QII", ctypes.addressof(name), fd, 0)


def pinned(path: bytes) -> int:
    """What stands under that name. Raises OSError."""
    name = ctypes.create_string_buffer(path)
    return _bpf(_GET, "<QII", ctypes.addressof(name), 0, 0)
