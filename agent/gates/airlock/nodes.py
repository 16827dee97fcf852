"""What the kernel holds: numbered nodes, each with a parent and a name. Memory only; the medium is never touched.

A node is found on the medium through its parent's directory descriptor, so moving a folder moves all below it and no
path is ever built, but for a question. A node without a parent has lost its name (unlinked, replaced): whoever has it
open goes on with it. ``Tree.lock`` guards names and counts, and every change of a name on the medium is made under it.
"""

from __future__ import annotations

import errno
import os
import stat
import threading
import time
from collections.abc import Callable, Iterator
from dataclasses import dataclass, field
from typing import TYPE_CHECKING

from agent.gates.airlock.descriptor import Descriptor

if TYPE_CHECKING:
    from agent.gates.airlock.passthrough import Backing
    from agent.gates.airlock.staged import Meta, Staged

ROOT = 1
_INVENTED = 1 << 40  # inode numbers of files that are not on the medium yet
_MOST_GHOSTS = 1024


@dataclass(slots=True, eq=False)
class Node:
    """``inode`` is the number shown. ``on_medium``: its name leads to a file there, if only to the version before this
    one. ``stale``: the kernel may hold pages of a state that was refused. ``kept``: what readers still have open of a
    file that is gone, and never was on the medium.
    """

    number: int
    parent: Node | None
    name: bytes
    kind: int  # of stat.S_IFMT
    inode: int
    on_medium: bool
    lookups: int = 0
    children: dict[bytes, Node] = field(default_factory=dict)
    file: Descriptor | None = None  # open for reading; of a folder: to look up in
    staged: Staged | None = None
    kept: Staged | None = None
    readers: int = 0
    writers: int = 0
    backing: Backing | None = None
    plain_opens: int = 0
    stale: bool = False
    outgrown: bool = False  # the kernel may hold the size of a state that was refused, and append behind it
    sealed_as: bytes = b""  # its content went to the medium sealed, under this name
    sealed_meta: Meta | None = None  # of a ghost: owner and mode that the document had

    @property
    def is_folder(self) -> bool:
        return self.kind == stat.S_IFDIR

    @property
    def bytes_here(self) -> Staged | None:
        """Its bytes, where they are not the medium's to give."""
        return self.staged if self.staged is not None and self.staged.ready else self.kept

    def let_kept_go(self) -> None:
        """Nobody reads it any more. Under ``Tree.lock``."""
        if self.kept is not None:
            self.kept.give_back()
            self.kept = None

    @property
    def in_use(self) -> bool:
        return bool(self.lookups or self.readers or self.writers or self.staged or self.children)


@dataclass(frozen=True, slots=True)
class Ghost:
    """A name whose document was sealed under another one: its writer may still rename it, nobody sees it listed."""

    sealed_as: bytes
    until: float  # of time.monotonic
    meta: Meta | None = None  # whose it was: he may write it anew at once


class Tree:
    """``fold`` gives the key under which two names are the same file."""

    def __init__(self, root_inode: int, fold: Callable[[bytes], bytes] = bytes) -> None:
        self.lock = threading.RLock()
        self.fold = fold
        self.root = Node(ROOT, None, b"", stat.S_IFDIR, root_inode, on_medium=True, lookups=1)
        self._nodes = {ROOT: self.root}
        self._next = ROOT + 1
        self._invented = _INVENTED
        self._ghosts: dict[tuple[int, bytes], Ghost] = {}

    def get(self, number: int) -> Node:
        """Raises OSError ESTALE for a number that was forgotten."""
        node = self._nodes.get(number)
        if node is None:
            raise OSError(errno.ESTALE, os.strerror(errno.ESTALE))
        return node

    def child(self, parent: Node, name: bytes) -> Node | None:
        return parent.children.get(self.fold(name))

    def invent(self) -> int:
        """An inode number for a file that is not on the medium."""
        with self.lock:
            self._invented += 1
            return self._invented

    def bind(self, parent: Node, name: bytes, kind: int, inode: int, *, on_medium: bool) -> Node:
        """A new node with this name; one that had it before loses it."""
        with self.lock:
            before = self.child(parent, name)
            if before is not None:
                self.unbind(before)
            node = Node(self._next, parent, name, kind, inode, on_medium)
            self._next += 1
            self._nodes[node.number] = node
            parent.children[self.fold(name)] = node
            return node

    def unbind(self, node: Node) -> None:
        """The node keeps its number and loses its name."""
        with self.lock:
            parent = node.parent
            if parent is None:
                return
            key = self.fold(node.name)
            if parent.children.get(key) is node:
                del parent.children[key]
            node.parent = None
            self._prune(parent)
            self._prune(node)

    def move(self, node: Node, parent: Node, name: bytes) -> None:
        """Another name for a node; the node that had it loses it."""
        with self.lock:
            before = self.child(parent, name)
            if before is not None and before is not node:
                self.unbind(before)
            old = node.parent
            if old is not None and old.children.get(self.fold(node.name)) is node:
                del old.children[self.fold(node.name)]
            node.parent, node.name = parent, name
            parent.children[self.fold(name)] = node
            if old is not None and old is not parent:
                self._prune(old)

    def forget(self, number: int, count: int) -> None:
        """The kernel gives back ``count`` look-ups."""
        with self.lock:
            node = self._nodes.get(number)
            if node is not None and node is not self.root:
                node.lookups = max(0, node.lookups - count)
                self._prune(node)

    def settle(self, node: Node) -> None:
        """Something that kept the node may be over: drop it if nobody needs it."""
        with self.lock:
            self._prune(node)

    def _prune(self, node: Node) -> None:
        while node is not self.root and not node.in_use and self._nodes.pop(node.number, None) is not None:
            node.file = None
            parent = node.parent
            if parent is None:
                return
            key = self.fold(node.name)
            if parent.children.get(key) is node:
                del parent.children[key]
            node.parent = None
            node = parent

    def path(self, node: Node, last: bytes | None = None) -> bytes:
        """Below the volume, without a leading slash; ``last`` is a name in the folder ``node``.

        Raises OSError ENOENT when the node has lost its name.
        """
        parts = [] if last is None else [last]
        with self.lock:
            at: Node | None = node
            while at is not None and at is not self.root:
                parts.append(at.name)
                at = at.parent
        if at is None:
            raise OSError(errno.ENOENT, os.strerror(errno.ENOENT))
        return b"/".join(reversed(parts))

    def staged(self) -> Iterator[Staged]:
        """What is staged now, of files with and without a name."""
        with self.lock:
            return iter([node.staged for node in self._nodes.values() if node.staged is not None])

    def remember_ghost(
        self, folder: Node, name: bytes, sealed_as: bytes, lasting_s: float, meta: Meta | None = None
    ) -> None:
        with self.lock:
            if len(self._ghosts) >= _MOST_GHOSTS:
                del self._ghosts[next(iter(self._ghosts))]
            key = (folder.number, self.fold(name))
            self._ghosts[key] = Ghost(sealed_as, time.monotonic() + lasting_s, meta)

    def ghost(self, folder: Node, name: bytes, *, fresh: bool = True) -> Ghost | None:
        """What ``name`` was sealed as; only while its writer may still need the name, unless not ``fresh``."""
        ghost = self._ghosts.get((folder.number, self.fold(name)))
        return None if ghost is None or (fresh and time.monotonic() > ghost.until) else ghost

    def unseal(self, folder: Node, name: bytes) -> None:
        """What ``name`` holds from now on is no sealed file of ours: nothing may be sealed over it."""
        with self.lock:
            for key in [
                key for key, ghost in self._ghosts.items() if (key[0], ghost.sealed_as) == (folder.number, name)
            ]:
                del self._ghosts[key]

    def lay_ghost(self, folder: Node, name: bytes) -> None:
        """Forget it."""
        with self.lock:
            self._ghosts.pop((folder.number, self.fold(name)), None)
