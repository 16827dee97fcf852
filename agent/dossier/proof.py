"""The proof in a dossier: its records, the nodes that lead from them to one root, and the seals that vouch for it.

One proof for many records, so that nothing stands in it twice. A *node* is the hash of a perfect subtree, named
« level/place » (level 0 are the leaves); those that no record of the dossier lies under are given, the others follow.
docs/formats/dossier.md, section 3. ``prove`` reads a log; ``check`` is pure.
"""

from __future__ import annotations

from base64 import b64decode, b64encode
from bisect import bisect_left
from collections.abc import Mapping, Sequence
from pathlib import Path
from typing import Any, NamedTuple

from agent.audit import chain, checkpoint, frames, record, tree
from agent.audit.checkpoint import Seal, Why
from agent.audit.frames import Frame, FrameType
from agent.audit.prefix import read_prefix
from agent.audit.segments import BEGINNING, Position, items
from agent.crypto.signing import Signed, first_wrong
from agent.dossier.model import Evidence
from agent.errors import N_, AuditError, UntrustedInputError, UsageError

MAX_SEALS = 1_000_000


class Proven(NamedTuple):
    """What a proof shows: the log it is from, its records by number, the last seal's time (microseconds)."""

    log: str
    records: dict[int, dict[str, Any]]
    sealed_us: int
    size: int


class _Tree:
    """A tree that grows leaf by leaf and keeps the nodes that the wanted leaves need."""

    def __init__(self, wanted: Sequence[int], size: int, subtrees: Sequence[bytes]) -> None:
        self._wanted = wanted
        self.kept: dict[str, str] = {}
        self.size = size
        levels = [level for level in range(size.bit_length()) if size >> level & 1]
        self._stack = list(zip(reversed(levels), reversed(subtrees), strict=True))  # the largest first

    def _leads(self, level: int, place: int) -> bool:
        """Whether a wanted leaf lies under this node."""
        at = bisect_left(self._wanted, place << level)
        return at < len(self._wanted) and self._wanted[at] < place + 1 << level

    def _keep(self, level: int, place: int, node: bytes) -> None:
        if not self._leads(level, place):
            self.kept[f"{level}/{place}"] = _b64(node)

    def add(self, leaf: bytes) -> None:
        level, place, node = 0, self.size, leaf
        while self._stack and self._stack[-1][0] == level:
            left = self._stack.pop()[1]
            if self._leads(level + 1, place >> 1):
                self._keep(level, place - 1, left)
                self._keep(level, place, node)
            node = tree.node(left, node)
            level, place = level + 1, place >> 1
        self._stack.append((level, node))
        self.size += 1

    def ended(self) -> dict[str, str]:
        at = 0
        for level, node in self._stack:
            self._keep(level, at >> level, node)
            at += 1 << level
        return self.kept


def prove(folder: Path, evidence: Sequence[Evidence]) -> dict[str, Any]:
    """The proof of ``evidence`` from the log in ``folder``, which should have been verified before, as plain values.

    Raises like ``lead``.
    """
    return stated(lead(folder, sorted(each.number for each in evidence)), evidence)


def stated(led: Mapping[str, Any], evidence: Sequence[Evidence]) -> dict[str, Any]:
    """What ``lead`` gave, with the records that it leads from."""
    listed = sorted(evidence, key=lambda each: each.number)
    records = [
        {"number": each.number, "public": _b64(each.public), "private_hash": each.private_hash.hex()} for each in listed
    ]
    return {"seals": led["seals"], "nodes": led["nodes"], "records": records}


def lead(folder: Path, numbers: Sequence[int]) -> dict[str, Any]:
    """The nodes and seals that lead from the records ``numbers`` (rising) to a signed root; no record is in it.

    Raises UsageError (a record is not sealed yet, or its time is over) and AuditError.
    """
    prefix = read_prefix(folder)
    if prefix is not None and numbers and numbers[0] < prefix.size:
        raise UsageError(N_("record {number} is no longer there: its time is over"), number=numbers[0])
    grown = _Tree(numbers, prefix.size if prefix else 0, tree.packed(prefix.subtrees()) if prefix else [])
    seals = [bytes.fromhex(each) for each in prefix.openings] if prefix else []
    last = numbers[-1] if numbers else -1
    whole = False  # the opening of this session was met; without it its seals say nothing
    for _, item in items(folder, Position(prefix.segment) if prefix is not None else BEGINNING):
        if not isinstance(item, Frame):
            continue
        if item.kind == FrameType.LEAF:
            grown.add(_leaf(item.body, folder))
        elif item.kind == FrameType.CHECKPOINT:
            if item.body[:1] == bytes((Why.OPEN,)):
                seals, whole = [each for each in seals if each[0] == Why.OPEN], True
            elif not whole:
                continue
            seals.append(item.body)
            if grown.size > last and numbers:
                return {"seals": [_b64(each) for each in seals], "nodes": grown.ended()}
    raise UsageError(N_("there is no sealed record {number}"), hint=N_("see: serment audit list"), number=last)


def _leaf(body: bytes, folder: Path) -> bytes:
    try:
        public, private = frames.unpack_leaf(body)
    except UntrustedInputError as error:
        raise AuditError(N_("the log is damaged: verify it first"), where=str(folder)) from error
    return chain.leaf(public, chain.private_hash(private))


def check(proof: Mapping[str, Any]) -> Proven:
    """What ``proof`` shows. Raises UntrustedInputError: it is not of its form, or does not hold."""
    try:
        seals = [checkpoint.unpack(b64decode(each, validate=True)) for each in proof["seals"]]
        nodes = {str(name): b64decode(each, validate=True) for name, each in proof["nodes"].items()}
        leaves, records = _records(proof["records"])
        identity = next(seal.identity for seal in seals if seal.why is Why.OPEN)
        last = seals[-1]
    except (KeyError, TypeError, ValueError, AttributeError, IndexError, StopIteration) as error:
        raise UntrustedInputError(N_("this is not the proof of a dossier")) from error
    log = checkpoint.origin(identity)
    if len(seals) > MAX_SEALS or first_wrong(_signatures(seals, identity, log)) is not None:
        raise UntrustedInputError(N_("the proof does not hold: a seal is not signed by the key announced for it"))
    if _root(leaves, nodes, last.size) != last.root:
        raise UntrustedInputError(N_("the proof does not hold: its records are not those that were sealed"))
    return Proven(log, records, last.time_us, last.size)


def _records(listed: Any) -> tuple[dict[int, bytes], dict[int, dict[str, Any]]]:
    leaves, records = {}, {}
    for each in listed:
        public, hidden = b64decode(each["public"], validate=True), bytes.fromhex(each["private_hash"])
        fields = record.decode(public)
        if fields["i"] != each["number"] or fields["i"] in leaves or len(hidden) != 32:
            raise UntrustedInputError(N_("this is not the proof of a dossier"))
        leaves[fields["i"]], records[fields["i"]] = chain.leaf(public, hidden), fields
    return leaves, records


def _signatures(seals: Sequence[Seal], identity: bytes, log: str) -> list[Signed]:
    """Each seal with the key that was announced for it."""
    key, start = b"", identity
    signed = []
    for seal in seals:
        if seal.why is Why.OPEN:
            if seal.identity != identity or seal.by != start:
                raise UntrustedInputError(N_("the proof does not hold: a session that the log did not announce"))
            key, start = seal.by, seal.next_start
        signed.append(Signed(key, seal.signature, checkpoint.text(seal, log)))
        key = seal.next_key
    return signed


def _root(leaves: Mapping[int, bytes], nodes: Mapping[str, bytes], size: int) -> bytes:
    """The root of the tree of ``size`` leaves. Raises UntrustedInputError: a node is missing, or a record outside."""
    numbers = sorted(leaves)
    if not 0 < size < 1 << tree.MAX_LEVELS or (numbers and not 0 <= numbers[0] <= numbers[-1] < size):
        raise UntrustedInputError(N_("this is not the proof of a dossier"))

    def node(level: int, place: int) -> bytes:
        at = bisect_left(numbers, place << level)
        if not (at < len(numbers) and numbers[at] < place + 1 << level):
            found = nodes.get(f"{level}/{place}", b"")
            if len(found) != 32:
                raise UntrustedInputError(N_("this is not the proof of a dossier"))
            return found
        return leaves[place] if level == 0 else tree.node(node(level - 1, 2 * place), node(level - 1, 2 * place + 1))

    at, found = 0, []
    for level in reversed(range(size.bit_length())):
        if size >> level & 1:
            found.append(node(level, at >> level))
            at += 1 << level
    return tree.root(reversed(found))


def _b64(data: bytes) -> str:
    return b64encode(data).decode("ascii")
