"""One guarded volume in memory: the medium, what the kernel holds of it, what is staged, who is open. The operations'
common ground.

Owns the handles and the life of a staged file: it begins with the first change, not with the open, and ends when the
last writer has closed and its state has an outcome. Order of locks: a file's gate, then ``Tree.lock``; nothing is
asked, copied or told to the kernel under ``Tree.lock``.
"""

from __future__ import annotations

import errno
import os
import stat
from collections.abc import Callable
from itertools import count
from typing import TYPE_CHECKING

from agent.gates.airlock import protocol as wire
from agent.gates.airlock.descriptor import Number
from agent.gates.airlock.judging import Names
from agent.gates.airlock.listings import Listings
from agent.gates.airlock.protocol import Attributes
from agent.gates.airlock.staged import Meta, Staged

if TYPE_CHECKING:
    from agent.gates.airlock.descriptor import Descriptor
    from agent.gates.airlock.judge import Judge
    from agent.gates.airlock.medium import Medium
    from agent.gates.airlock.nodes import Node, Tree
    from agent.gates.airlock.passthrough import Backing
    from agent.gates.airlock.session import Session
    from agent.gates.airlock.staging import Store

KEEP_S = 10  # seconds the kernel may keep names and attributes: nobody but us changes the medium
GHOST_S = 5.0  # a sealed document's own name can still be renamed


class Handle:
    """One open(2) of a file, or of a folder with its ``listing``."""

    __slots__ = ("backing", "listing", "node", "number", "writer", "writing")

    def __init__(self, number: int, node: Node, writing: bool, writer: tuple[int, int]) -> None:
        self.number = number
        self.node = node
        self.writing = writing
        self.writer = writer
        self.backing: Backing | None = None
        self.listing: list[tuple[bytes, int, int]] | None = None


class Volume:
    """``session`` is set before the first request comes."""

    session: Session

    def __init__(self, medium: Medium, tree: Tree, store: Store, judge: Judge) -> None:
        self.medium = medium
        self.tree = tree
        self.store = store
        self.judge = judge
        self.names = Names(judge)
        self.listings = Listings()
        self.connection = -1  # the descriptor of /dev/fuse, where the kernel passes reads through
        self._handles: dict[int, Handle] = {}
        self._numbers = count(1)

    def open(self, node: Node, writer: tuple[int, int], *, writing: bool) -> Handle:
        with self.tree.lock:
            handle = Handle(next(self._numbers), node, writing, writer)
            node.readers += not writing
            node.writers += writing
            self._handles[handle.number] = handle
        return handle

    def handle(self, number: int) -> Handle:
        """Raises OSError EBADF."""
        handle = self._handles.get(number)
        if handle is None:
            raise OSError(errno.EBADF, os.strerror(errno.EBADF))
        return handle

    def close(self, handle: Handle) -> bool:
        """True when it was the last writer of its file."""
        with self.tree.lock:
            if self._handles.pop(handle.number, None) is None:
                return False
            self.listings.forget(handle)
            handle.node.readers -= not handle.writing
            handle.node.writers -= handle.writing
            return handle.writing and handle.node.writers == 0

    def folder(self, node: Node) -> Number:
        """A descriptor number that stays open while whoever asked for it has it. Raises OSError.

        Another thread may let the folder go at any moment, and its number would lead to another one.
        """
        return Number.of(self.medium.folder(self.tree, node))

    def reading(self, node: Node) -> Descriptor:
        """The file on the medium, open for reading. Raises OSError."""
        found = node.file
        if found is not None:
            return found
        with self.tree.lock:
            if node.file is None:
                if node.parent is None or not node.on_medium:
                    raise OSError(errno.ENOENT, os.strerror(errno.ENOENT))
                node.file = self.medium.open_file(self.folder(node.parent), node.name)
            return node.file

    def hold_open(self, node: Node) -> None:
        """Its name on the medium is about to go: whoever has it open keeps the bytes. Under ``Tree.lock``."""
        if (node.readers or node.writers) and node.on_medium and not node.is_folder and node.file is None:
            try:
                self.reading(node)
            except OSError:
                pass  # no regular file, or unreadable: there are no bytes to keep

    def attributes(self, node: Node) -> tuple[Attributes, int]:
        """(stat, seconds that it may be kept). Raises OSError."""
        staged = node.bytes_here
        if staged is not None:
            return staged.attributes(node.inode), 0
        if node is self.tree.root:
            return shown(os.fstat(self.medium.root), node.inode), KEEP_S
        if node.parent is not None and node.on_medium:
            state = self.medium.state(self.folder(node.parent), node.name)
            return shown(state, node.inode), KEEP_S
        file = node.backing.file if node.backing is not None else node.file
        if file is not None:
            state = os.fstat(file.fd)
            return shown(state, node.inode)._replace(links=0 if node.parent is None else 1), 0
        now = _again(node)
        return Attributes(
            node.inode, node.kind | now.mode, 0, now.uid, now.gid, 0, 0, now.atime_ns, now.mtime_ns, now.ctime_ns
        ), 0

    def stage(self, node: Node, writer: tuple[int, int], *, empty: bool = False) -> Staged:
        """The staged file of a node, begun with the version on the medium unless ``empty``. Raises OSError."""
        with self.tree.lock:
            if node.staged is not None:
                return node.staged
            meta, base = self._base(node)
            staged = Staged(node, self.store, meta, writer)
            staged.orphan = node.parent is None
            hold = staged.gate()
            hold.__enter__()  # nobody writes before the old version is there: before anybody can see it
            node.staged = staged
        try:
            if base is not None and not empty:
                file, size = base, os.fstat(base.fd).st_size
                self.medium.refuse_too_large(size)  # a hole of a stranger's: it would be written out in staging
                staged.fill(lambda into, offset: os.preadv(file.fd, (into,), offset), size)
                staged.judged = staged.generation
                staged.durable = staged.generation
            staged.ready = True
        except BaseException:
            self._detach(staged)
            raise
        finally:
            hold.__exit__(None, None, None)
        return staged

    def _base(self, node: Node) -> tuple[Meta, Descriptor | None]:
        if node.parent is not None and not node.on_medium:
            return _again(node), None
        file = self.reading(node)
        return Meta.of(os.fstat(file.fd)), file

    def changing(
        self, node: Node, writer: tuple[int, int], change: Callable[[Staged], None], tick: Callable[[], object]
    ) -> None:
        """Change the bytes of a node's file, alone. Raises OSError."""
        while True:
            staged = node.staged or self.stage(node, writer)
            with staged.gate(tick):
                if not staged.dropped:
                    staged.writer = writer
                    change(staged)
                    return

    def settle(self, staged: Staged) -> None:
        """Nobody writes any more: the medium speaks for itself again. The caller holds the gate.

        What was refused vanishes: the old version is there again, or no file at all. Whoever reads a file that is gone
        reads on, as on any file system.
        """
        node = staged.node
        with self.tree.lock:
            if staged.dropped or (node.writers and not staged.known):
                return
            failed = bool(staged.outcome) or not staged.known
            if failed:
                node.stale = node.outgrown = True
            self._detach(staged, keep=bool(node.readers and not node.on_medium))
            if not node.on_medium and node.parent is not None:
                parent, name = node.parent, node.name
                if node.sealed_as:
                    self.tree.remember_ghost(parent, name, node.sealed_as, GHOST_S, staged.meta)
                    self.session.notify(wire.NOTIFY_INVAL_ENTRY, wire.forget_entry(parent.number, node.sealed_as))
                self.tree.unbind(node)
                self.session.notify(wire.NOTIFY_INVAL_ENTRY, wire.forget_entry(parent.number, name))
        if failed:
            self.session.notify(wire.NOTIFY_INVAL_INODE, wire.forget_inode(node.number))

    def committed_in(self, folder: Node | None) -> None:
        """The times of a folder, and of the root with its temporary file, changed behind the kernel's back.

        To be called before the reply to whoever waits for the commit: a tar that comes next compares them.
        """
        for node in {self.tree.root, folder or self.tree.root}:
            self.session.notify_attributes(node.number)

    def _detach(self, staged: Staged, *, keep: bool = False) -> None:
        node = staged.node
        with self.tree.lock:
            staged.close(keep=keep)
            if node.staged is staged:
                node.staged = None
            if keep:
                node.let_kept_go()
                node.kept, staged.orphan = staged, True


def _again(node: Node) -> Meta:
    """What a file begins with that is not on the medium: whose it was before it was sealed, or root's."""
    was = node.sealed_meta
    return Meta.new(was.mode, was.uid, was.gid) if was else Meta.new(0o600, 0, 0)


def shown(state: os.stat_result, inode: int) -> Attributes:
    """What the kernel is told of a file on the medium. Set-user-id means nothing on a stick and stays as it is."""
    return Attributes(
        inode, state.st_mode, state.st_nlink if stat.S_ISDIR(state.st_mode) else 1, state.st_uid, state.st_gid,
        state.st_size, state.st_blocks, state.st_atime_ns, state.st_mtime_ns, state.st_ctime_ns, state.st_rdev,
    )  # fmt: skip
