"""When something is asked, and what follows from the answer: only from here do bytes and names reach the medium.

A state of a file is asked once: its outcome is kept until the next change. A state that is empty is asked at the last
close and at fsync only: until then it says nothing but its name, and committing it would show the name of a document
that may yet be refused, or throw the old version away before the new one is judged (dd and shells close a copy of the
descriptor before they have written anything). What could not be judged in time is asked again at the next fsync or
close, but not at the last one: its writer was told that it failed.
"""

from __future__ import annotations

import errno
import os
import threading
import time
from collections import OrderedDict
from collections.abc import Callable
from typing import TYPE_CHECKING

from agent.gates.airlock.commit import Gone, commit, commit_sealed
from agent.gates.airlock.staged import SETTLED
from agent.gates.asking import Ask, Done, Flag, Say

if TYPE_CHECKING:
    from agent.gates.airlock.judge import Judge, Ruling
    from agent.gates.airlock.nodes import Node
    from agent.gates.airlock.staged import Staged
    from agent.gates.airlock.volume import Volume

Tick = Callable[[], object]
_NAMES_KEPT = 1024
_LONGEST = 4096  # bytes of a path in a question
_NAME_KEPT_S = 30.0  # a changed policy is not to wait longer


def judge_state(volume: Volume, staged: Staged, flags: Flag, tick: Tick = bool) -> int:
    """Have the present state judged and committed; the error number its writer gets, 0 when all is well.

    The caller holds the gate.
    """
    if staged.dropped or staged.orphan:
        return 0
    if staged.known and (staged.outcome in SETTLED or flags & Flag.LAST):
        return _again(volume, staged, flags)
    try:
        staged.outcome = _ask(volume, staged, flags, tick)
    except Gone:
        staged.outcome = 0
    except OSError as error:
        staged.outcome = error.errno or errno.EIO
    staged.judged = staged.generation
    return staged.outcome


def _again(volume: Volume, staged: Staged, flags: Flag) -> int:
    """The same state once more: nothing is asked, but fsync keeps its promise."""
    node = staged.node
    if flags & Flag.SYNC and not staged.outcome and staged.durable != staged.generation and node.on_medium:
        with volume.tree.lock:
            parent = node.parent
        if parent is not None:
            try:
                volume.medium.make_durable(volume.folder(parent), node.name)
            except OSError as error:
                return error.errno or errno.EIO
            staged.durable = staged.generation
    return staged.outcome


def _ask(volume: Volume, staged: Staged, flags: Flag, tick: Tick) -> int:
    node = staged.node
    if _brings_name(volume, node):
        flags |= Flag.NEW
    document = staged.blob.open_for_judge()
    question = volume.judge.begin(
        Ask.FILE,
        flags,
        _askable(volume.tree.path(node)),
        size=staged.blob.size,
        writer=staged.writer,
        document=document,
    )
    problem: OSError | None = None
    digests: dict[int, bytes] = {}
    try:
        digests = staged.digests()  # while the agent reads it too
    except OSError as error:
        problem = error
    ruling = volume.judge.wait(question, tick)
    if ruling.say is Say.REFUSE:
        return ruling.error or errno.EPERM
    if problem is not None:
        volume.judge.done(Done(ruling.number, problem.errno or errno.EIO))
        raise problem
    return _carry_out(volume, staged, digests, ruling, sync=bool(flags & Flag.SYNC))


def _brings_name(volume: Volume, node: Node) -> bool:
    """Whether its commit shows a name that the medium does not have, or not with these capitals."""
    if not node.on_medium:
        return True
    with volume.tree.lock:
        parent = node.parent
    return parent is None or not volume.medium.shows(volume.folder(parent), node.name)


def _carry_out(volume: Volume, staged: Staged, digests: dict[int, bytes], ruling: Ruling, *, sync: bool) -> int:
    try:
        if ruling.say is Say.SUBSTITUTE and ruling.sealed is not None:
            name = ruling.name.rpartition(b"/")[2]
            state, shown = commit_sealed(volume.medium, volume.tree, staged, ruling.sealed, name, sync=sync)
        else:
            shown = b""
            state = commit(volume.medium, volume.tree, staged, digests, sync=sync)
    except OSError as error:
        volume.judge.done(Done(ruling.number, error.errno or errno.EIO))
        raise
    if sync:
        staged.durable = staged.generation
    volume.committed_in(staged.node.parent)
    volume.judge.done(Done(ruling.number, 0, state, shown))
    return 0


def _askable(path: bytes) -> bytes:
    """Folders may be nested deeper than a question has room for: then its end, from the start of a name."""
    return path if len(path) <= _LONGEST else path[path.index(b"/", len(path) - _LONGEST - 1) + 1 :]


class Names:
    """Asks whether a name may appear; a released one is not asked again for half a minute."""

    def __init__(self, judge: Judge) -> None:
        self._judge = judge
        self._lock = threading.Lock()
        self._released: OrderedDict[tuple[bytes, bytes, Flag], float] = OrderedDict()

    def ask(self, name: bytes, flags: Flag, writer: tuple[int, int], tick: Tick, detail: bytes = b"") -> None:
        """``name`` is the path below the volume. Raises OSError: what the agent says, or EIO without an answer."""
        key = (name, detail, flags)
        if self._released.get(key, 0.0) > time.monotonic():
            return
        question = self._judge.begin(Ask.NAME, flags, _askable(name), detail=detail, writer=writer)
        ruling = self._judge.wait(question, tick)
        if ruling.say is not Say.RELEASE:
            code = ruling.error or errno.EPERM
            raise OSError(code, os.strerror(code))
        with self._lock:
            while len(self._released) >= _NAMES_KEPT:
                self._released.popitem(last=False)
            self._released[key] = time.monotonic() + _NAME_KEPT_S


def renamed_needs_asking(volume: Volume, node: Node, parent: Node, name: bytes) -> bool:
    """Whether a rename shows a new name on the medium: not when it is there, nor when the file itself is not."""
    if not node.on_medium and not node.sealed_as:
        return False  # asked with its content
    return not volume.medium.shows(volume.folder(parent), name)
