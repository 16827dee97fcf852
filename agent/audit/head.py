"""``head.json``: how far the log surely reaches, kept beside the segments so that a cut-off tail is noticed.

Written after each fdatasync of the log, so it never promises more than the disk holds; after a power cut it may be
behind, never ahead. It also says where in the files that point is, so that a start reads the tail and not the year.
It is a convenience against accidents and clumsy hands: whoever can write it can rewrite it; the seals and the
collector are the witnesses against those.
"""

from __future__ import annotations

import os
from pathlib import Path

import msgspec

from agent.audit import chain, tree
from agent.errors import N_, AuditError
from agent.fsys.atomic import replace_file, write_all

FILE_NAME = "head.json"
MAX_BYTES = 65536
MAX_OPEN = 1024
"""More unfinished transfers than this are not listed; the start then reads the whole log."""


class Head(msgspec.Struct, frozen=True, forbid_unknown_fields=True):
    """``size`` records are durable; ``head`` and ``before`` are the heads after the last and the one before it
    (hexadecimal); the next frame goes to byte ``offset`` of ``segment``. ``open`` are the indices of transfers
    without an outcome, None when there are too many to list. ``clean``: the last record says that the agent stopped.

    From version 2 on: ``frontier``, the subtrees of the tree over the ``size`` records, smallest first; ``start``, the
    start key that the last opening announced; ``identity``, the public key that names the log.
    """

    size: int = 0
    head: str = chain.EMPTY_HEAD.hex()
    before: str = chain.EMPTY_HEAD.hex()
    segment: int = 0
    offset: int = 0
    open: tuple[int, ...] | None = ()
    clean: bool = True
    version: int = 1
    frontier: tuple[str, ...] = ()
    start: str = ""
    identity: str = ""

    @property
    def head_bytes(self) -> bytes:
        return bytes.fromhex(self.head)

    def subtrees(self) -> tree.Frontier:
        """The frontier as ``tree`` computes with it; version 2 only."""
        return tree.unpacked(self.size, [bytes.fromhex(each) for each in self.frontier])


def read_head(folder: Path) -> Head | None:
    """What head.json says; None when there is none. Raises AuditError: unreadable or not of its form."""
    path = folder / FILE_NAME
    try:
        with path.open("rb") as file:
            raw = file.read(MAX_BYTES + 1)
    except FileNotFoundError:
        return None
    except OSError as error:
        raise AuditError(N_("cannot be read: {why}"), where=str(path), why=error.strerror) from error
    try:
        head = msgspec.json.decode(raw, type=Head)
        right = len(bytes.fromhex(head.head)) == len(bytes.fromhex(head.before)) == len(chain.EMPTY_HEAD)
        if head.version == 2:
            tree.unpacked(head.size, [bytes.fromhex(each) for each in head.frontier])
        right = (
            right
            and head.version in {1, 2}
            and {len(bytes.fromhex(each)) for each in (head.start, head.identity)} <= {0, 32}
        )
    except (msgspec.MsgspecError, ValueError, RecursionError) as error:
        raise AuditError(N_("is not a head of an audit log"), where=str(path)) from error
    if not right or min(head.size, head.segment, head.offset) < 0:
        raise AuditError(N_("is not a head of an audit log"), where=str(path))
    return head


def write_head(folder: Path, head: Head, *, durable: bool) -> None:
    """Replace head.json atomically; ``durable`` also waits for the disk. Raises OSError."""
    data = msgspec.json.encode(head) + b"\n"
    path = folder / FILE_NAME
    if durable:
        replace_file(path, data, mode=0o640)
        return
    temporary = folder / f".{FILE_NAME}.tmp"  # one writer, by the log's lock
    fd = os.open(temporary, os.O_WRONLY | os.O_CREAT | os.O_TRUNC | os.O_CLOEXEC | os.O_NOFOLLOW, 0o640)
    try:
        write_all(fd, data)
    finally:
        os.close(fd)
    os.replace(temporary, path)
