"""The wire between the kernel's FUSE and us: opcodes, flags, layouts, negotiation. Pure.

Taken from linux/fuse.h, protocol 7.36 (Linux 6.1) to 7.45 (6.18); every layout used here has kept its shape since 7.12,
and ``INIT`` grows at its end only. A request is a header and a body, a reply a header and a body; what the bodies mean
stands with the operations. Native byte order, no padding.
"""

from __future__ import annotations

import struct
from typing import NamedTuple

MAJOR = 7
MINOR = 43  # the newest that is understood here; the kernel falls back to the lower of both
OLDEST_MINOR = 31  # Linux 5.4: what the reply to INIT below supposes

LOOKUP, FORGET, GETATTR, SETATTR, READLINK, SYMLINK = 1, 2, 3, 4, 5, 6
MKNOD, MKDIR, UNLINK, RMDIR, RENAME, LINK = 8, 9, 10, 11, 12, 13
OPEN, READ, WRITE, STATFS, RELEASE, FSYNC = 14, 15, 16, 17, 18, 20
FLUSH, INIT, OPENDIR, READDIR, RELEASEDIR, FSYNCDIR = 25, 26, 27, 28, 29, 30
ACCESS, CREATE, INTERRUPT, DESTROY = 34, 35, 36, 38
BATCH_FORGET, FALLOCATE, READDIRPLUS, RENAME2, LSEEK, SYNCFS = 42, 43, 44, 45, 46, 50

NOTIFY_INVAL_INODE = 2
NOTIFY_INVAL_ENTRY = 3

ASYNC_READ = 1 << 0
ATOMIC_O_TRUNC = 1 << 3  # without it an open with O_TRUNC would empty the old version before the new one is judged
BIG_WRITES = 1 << 5
DO_READDIRPLUS = 1 << 13
READDIRPLUS_AUTO = 1 << 14
ASYNC_DIO = 1 << 15
PARALLEL_DIROPS = 1 << 18
MAX_PAGES = 1 << 22
CACHE_SYMLINKS = 1 << 23
EXPLICIT_INVAL_DATA = 1 << 25
INIT_EXT = 1 << 30
PASSTHROUGH = 1 << 37
REQUEST_TIMEOUT = 1 << 42  # Linux 6.15: the kernel ends the connection of whoever does not answer
# not asked for, on purpose: WRITEBACK_CACHE (a write must reach staging before the close that is judged; excludes
# PASSTHROUGH), POSIX_LOCKS and FLOCK_LOCKS (locks stay local to the kernel), POSIX_ACL, SPLICE_*
_WANTED = (
    ASYNC_READ | ATOMIC_O_TRUNC | BIG_WRITES | DO_READDIRPLUS | READDIRPLUS_AUTO | ASYNC_DIO | PARALLEL_DIROPS
    | MAX_PAGES | CACHE_SYMLINKS | EXPLICIT_INVAL_DATA | INIT_EXT | REQUEST_TIMEOUT
)  # fmt: skip

FOPEN_KEEP_CACHE = 1 << 1
FOPEN_NOFLUSH = 1 << 5
FOPEN_PASSTHROUGH = 1 << 7

FATTR_MODE, FATTR_UID, FATTR_GID, FATTR_SIZE = 1, 2, 4, 8
FATTR_ATIME, FATTR_MTIME, FATTR_FH = 16, 32, 64
FATTR_ATIME_NOW, FATTR_MTIME_NOW = 128, 256

MAX_WRITE = 1 << 20  # bytes in one READ or WRITE
MAX_REQUEST = MAX_WRITE + 64 * 1024
PAGE = 4096

_U64 = (1 << 64) - 1
_SECOND = 1_000_000_000
HEADER = struct.Struct("=IIQQIIIHH")  # len, opcode, unique, node, uid, gid, pid, extension, padding
REPLY = struct.Struct("=IiQ")  # len, error, unique
_ATTRIBUTES = struct.Struct("=6Q10I")
_VALID = struct.Struct("=QII")
_ENTRY = struct.Struct("=4QII")
OPENED = struct.Struct("=QIi")  # handle, flags, backing
SET_ATTRIBUTES = struct.Struct("=IIQQQQQQIIIIIIII")
GET_ATTRIBUTES = struct.Struct("=IIQ")
OPEN_IN = struct.Struct("=II")
CREATE_IN = struct.Struct("=IIII")
READ_IN = struct.Struct("=QQIIQII")  # handle, offset, size, ...
WRITE_IN = struct.Struct("=QQIIQII")
WRITTEN = struct.Struct("=II")
HANDLE = struct.Struct("=Q")
FALLOCATE_IN = struct.Struct("=QQQII")
LSEEK_IN = struct.Struct("=QQII")
OFFSET = struct.Struct("=Q")
FSYNC_IN = struct.Struct("=QII")
FORGET_ONE = struct.Struct("=QQ")
_STATFS = struct.Struct("=5Q4I6I")
_DIRENT = struct.Struct("=QQII")
_INVAL_INODE = struct.Struct("=Qqq")
_INVAL_ENTRY = struct.Struct("=QII")
_INIT_OUT = struct.Struct("=4I2H2I2H2I12H")


class Attributes(NamedTuple):
    """What stat(2) says of a file; times in nanoseconds, ``blocks`` of 512 bytes."""

    inode: int
    mode: int
    links: int
    uid: int
    gid: int
    size: int
    blocks: int
    atime_ns: int
    mtime_ns: int
    ctime_ns: int
    device: int = 0

    def pack(self) -> bytes:
        """As struct fuse_attr. Times before 1970 go as the kernel's signed seconds."""
        access, access_ns = divmod(self.atime_ns, _SECOND)
        change, change_ns = divmod(self.mtime_ns, _SECOND)
        state, state_ns = divmod(self.ctime_ns, _SECOND)
        return _ATTRIBUTES.pack(
            self.inode, self.size, self.blocks, access & _U64, change & _U64, state & _U64,
            access_ns, change_ns, state_ns, self.mode, self.links, self.uid, self.gid,
            self.device & 0xFFFFFFFF, PAGE, 0,
        )  # fmt: skip


class Hello(NamedTuple):
    """What the kernel offers in INIT."""

    major: int
    minor: int
    readahead: int
    flags: int


def parse_init(body: memoryview) -> Hello:
    """Raises struct.error when the body is shorter than any kernel's."""
    major, minor, readahead, low = struct.unpack_from("=4I", body)
    high = struct.unpack_from("=I", body, 16)[0] if low & INIT_EXT and len(body) >= 20 else 0
    return Hello(major, minor, readahead, low | high << 32)


def init_reply(hello: Hello, *, passthrough: bool, timeout_s: int = 0) -> tuple[bytes, int]:
    """The reply to INIT, and the flags that both sides now hold to. ``timeout_s``: longer than any request may take, at
    most 65,535; then the kernel, where it can, frees everybody who waits. 0: never.
    """
    flags = hello.flags & (_WANTED | (PASSTHROUGH if passthrough else 0))
    reply = _INIT_OUT.pack(
        MAJOR, min(hello.minor, MINOR), min(hello.readahead, MAX_WRITE), flags & 0xFFFFFFFF,
        64, 48, MAX_WRITE, 1, MAX_WRITE // PAGE, 0, flags >> 32, 1 if flags & PASSTHROUGH else 0,
        timeout_s if flags & REQUEST_TIMEOUT else 0, *[0] * 11,
    )  # fmt: skip
    return reply, flags


def attributes_reply(attributes: Attributes, valid_s: int) -> bytes:
    return _VALID.pack(valid_s, 0, 0) + attributes.pack()


def entry_reply(node: int, attributes: Attributes, entry_s: int, attributes_s: int) -> bytes:
    """As struct fuse_entry_out: how many seconds the kernel may keep the name, and the attributes."""
    return _ENTRY.pack(node, 0, entry_s, attributes_s, 0, 0) + attributes.pack()


NO_ENTRY = bytes(128)


def directory_entry(inode: int, offset: int, name: bytes, kind: int) -> bytes:
    """As struct fuse_dirent, padded; ``kind`` is a DT_* (st_mode >> 12); ``offset`` is that of the next one."""
    length = _DIRENT.size + len(name)
    return _DIRENT.pack(inode, offset, len(name), kind) + name + bytes(-length % 8)


def statfs_reply(blocks: int, free: int, available: int, files: int, files_free: int, unit: int, names: int) -> bytes:
    return _STATFS.pack(blocks, free, available, files, files_free, unit, names, unit, 0, *[0] * 6)


def forget_inode(node: int) -> bytes:
    """Body of NOTIFY_INVAL_INODE: attributes and every cached page."""
    return _INVAL_INODE.pack(node, 0, 0)


def forget_attributes(node: int) -> bytes:
    """Body of NOTIFY_INVAL_INODE: attributes alone (a negative offset leaves the pages)."""
    return _INVAL_INODE.pack(node, -1, 0)


def forget_entry(folder: int, name: bytes) -> bytes:
    return _INVAL_ENTRY.pack(folder, len(name), 0) + name + b"\0"


def two_names(body: memoryview) -> tuple[bytes, bytes]:
    """Two names, each ended by a NUL. Raises ValueError otherwise."""
    first, second, rest = bytes(body).split(b"\0", 2)
    if rest:
        raise ValueError("more than two names")
    return first, second


def one_name(body: memoryview) -> bytes:
    """Raises ValueError unless exactly one NUL ends it."""
    name, rest = bytes(body).split(b"\0", 1)
    if rest:
        raise ValueError("more than one name")
    return name
