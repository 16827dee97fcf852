"""A proof of one record that stands alone: the record, its path in the tree, and the seals that vouch for its root.

The seals lead from the opening that names the log to the first seal over the record: the openings before its session,
and each seal of that session, for every key is announced by the one before. Where a session's beginning was purged,
the next opening vouches. docs/formats/audit-log.md, section 11.
"""

from __future__ import annotations

from base64 import b64encode
from dataclasses import dataclass, field
from pathlib import Path
from typing import Any

from agent.audit import chain, checkpoint, frames, record, tree
from agent.audit.checkpoint import Why
from agent.audit.frames import Frame, FrameType
from agent.audit.prefix import read_prefix
from agent.audit.segments import BEGINNING, Position, items
from agent.errors import N_, AuditError, UntrustedInputError, UsageError

FORMAT = "serment-audit-proof/1"


@dataclass(slots=True)
class _Gathered:
    """What the log gives up to the first seal over the record."""

    index: int
    first: int = 0  # the record that ``leaves`` begins with
    leaves: list[bytes] = field(default_factory=list)
    seals: list[bytes] = field(default_factory=list)
    public: bytes = b""
    private_hash: bytes = b""
    whole: bool = False  # the opening of this session was met; without it, its seals say nothing

    def leaf(self, body: bytes) -> None:
        public, private = frames.unpack_leaf(body)
        hidden = chain.private_hash(private)
        if self.first + len(self.leaves) == self.index:
            self.public, self.private_hash = public, hidden
        self.leaves.append(chain.leaf(public, hidden))

    def seal(self, body: bytes) -> bool:
        """Whether this is the seal that ends the gathering."""
        seal = checkpoint.unpack(body)
        if seal.why is Why.OPEN:  # seals of the sessions before do not vouch for anything any more
            self.seals = [each for each in self.seals if each[0] == Why.OPEN]
            self.whole = True
        elif not self.whole:
            return False
        self.seals.append(body)
        return seal.size > self.index


def prove(folder: Path, index: int) -> dict[str, Any]:
    """The proof of record ``index`` as plain values, for JSON. The log should have been verified before.

    Raises UsageError (there is no such record, its time is over, it is not sealed yet) and AuditError.
    """
    prefix = read_prefix(folder)
    gathered = _Gathered(index)
    old: list[bytes] = []
    if prefix is not None:
        if index < prefix.size:
            raise UsageError(N_("record {number} is no longer there: its time is over"), number=index)
        gathered.first = prefix.size
        gathered.seals = [bytes.fromhex(each) for each in prefix.openings]
        old = tree.packed(prefix.subtrees())
    position = Position(prefix.segment) if prefix is not None else BEGINNING
    if index >= 0 and _gather(folder, position, gathered):
        path = _path(gathered, old, prefix.size if prefix is not None else 0)
        return {
            "format": FORMAT,
            "record": record.decode(gathered.public),
            "public": b64encode(gathered.public).decode("ascii"),
            "private_hash": gathered.private_hash.hex(),
            "path": [each.hex() for each in path],
            "seals": [b64encode(each).decode("ascii") for each in gathered.seals],
        }
    raise UsageError(N_("there is no sealed record {number}"), hint=N_("see: serment audit list"), number=index)


def _gather(folder: Path, position: Position, gathered: _Gathered) -> bool:
    for _, item in items(folder, position):
        try:
            if isinstance(item, Frame) and item.kind == FrameType.LEAF:
                gathered.leaf(item.body)
            elif isinstance(item, Frame) and item.kind == FrameType.CHECKPOINT and gathered.seal(item.body):
                return bool(gathered.public)
        except UntrustedInputError as error:
            raise AuditError(N_("the log is damaged: verify it first"), where=str(folder)) from error
    return False


def _path(gathered: _Gathered, old: list[bytes], begin: int) -> list[bytes]:
    """The audit path, also when the records before ``begin`` are known by their subtrees ``old`` alone."""
    path: list[bytes] = []
    low, high = 0, gathered.first + len(gathered.leaves)
    while high - low > 1:
        middle = low + (1 << (high - low - 1).bit_length() - 1)
        left = gathered.index < middle
        path.append(_root(gathered, old, begin, *((middle, high) if left else (low, middle))))
        low, high = (low, middle) if left else (middle, high)
    return path[::-1]


def _root(gathered: _Gathered, old: list[bytes], begin: int, low: int, high: int) -> bytes:
    """The root over the records from ``low`` to ``high``, which begin at a perfect subtree's beginning."""
    if low >= begin:
        frontier: tree.Frontier = []
        tree.extend(frontier, gathered.leaves[low - begin : high - begin])
        return tree.root(frontier)
    at = 0
    for level in reversed(range(begin.bit_length())):  # the old subtrees lie from the largest to the smallest
        if begin >> level & 1:
            if (at, at + (1 << level)) == (low, high):
                return old[sum(begin >> each & 1 for each in range(level))]
            at += 1 << level
    middle = low + (1 << (high - low - 1).bit_length() - 1)
    return tree.node(_root(gathered, old, begin, low, middle), _root(gathered, old, begin, middle, high))
