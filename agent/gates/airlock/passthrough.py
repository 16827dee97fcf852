"""Reading committed files at the speed of the bare volume: the kernel reads the lower file itself (Linux 6.9).

Only opens for reading of files that are not being written, and only of large ones: a small file is in the page cache
after one READ. Writes never pass through: what the kernel wrote into staging behind our back could not be judged.
An inode has one backing file, so a writer cannot share a node with such readers: the node loses its name, the writer's
open is answered ESTALE, the kernel looks the name up again and gets a fresh node; the readers keep the version they
opened. Needs CAP_SYS_ADMIN.
"""

from __future__ import annotations

import errno
import fcntl
import os
import struct
from typing import TYPE_CHECKING

if TYPE_CHECKING:
    from agent.gates.airlock.descriptor import Descriptor
    from agent.gates.airlock.nodes import Node, Tree

_BACKING_OPEN = 0x4010E501  # FUSE_DEV_IOC_BACKING_OPEN
_BACKING_CLOSE = 0x4004E502
_MAP = struct.Struct("=iIQ")
SMALLEST = 256 * 1024  # bytes


class Backing:
    """A lower file that the kernel knows by ``number``; ``opens`` are the handles that read through it."""

    __slots__ = ("_connection", "file", "number", "opens")

    def __init__(self, connection: int, file: Descriptor) -> None:
        """Raises OSError when the kernel does not take it: too deep a stack of file systems, no right."""
        self._connection = connection
        self.number: int = fcntl.ioctl(connection, _BACKING_OPEN, bytearray(_MAP.pack(file.fd, 0, 0)), True)
        self.file = file
        self.opens = 0

    def close(self) -> None:
        try:
            fcntl.ioctl(self._connection, _BACKING_CLOSE, struct.pack("=I", self.number))
        except OSError:
            pass  # the connection is gone, and with it the number


def join(node: Node, connection: int, file: Descriptor) -> Backing | None:
    """The backing of one more reader of ``node``; None when it must read through us. Under ``Tree.lock``."""
    if node.staged is not None or node.plain_opens or os.fstat(file.fd).st_size < SMALLEST:
        return None
    if node.backing is None:
        try:
            node.backing = Backing(connection, file)
        except OSError:
            return None
    node.backing.opens += 1
    return node.backing


def leave(node: Node, backing: Backing) -> None:
    """A reader has closed. Under ``Tree.lock``."""
    backing.opens -= 1
    if backing.opens == 0:
        backing.close()
        if node.backing is backing:
            node.backing = None


def make_way(tree: Tree, node: Node) -> None:
    """Somebody wants to change the file. Raises OSError ESTALE when he has to look it up again. Under ``Tree.lock``."""
    if node.backing is not None:
        tree.unbind(node)
        raise OSError(errno.ESTALE, os.strerror(errno.ESTALE))
