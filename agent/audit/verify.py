"""Replays a log and names the first record that does not fit. Pure over an iterator of frames and what is expected.

Verification raises; there is no boolean to forget. Links between records name the place of a clumsy change; seals show
any change of what was sealed, whoever made it and whatever was mended afterwards; a collector's signature and head.json
show that the end is missing. docs/formats/audit-log.md, section 6 says what cannot be shown.
"""

from __future__ import annotations

from collections.abc import Iterable, Iterator, Sequence
from dataclasses import dataclass, field
from typing import NamedTuple

from agent.audit import chain, checkpoint, record, tree
from agent.audit.checkpoint import Cosigned, Seal, Why
from agent.audit.frames import Damage, Frame, FrameType, Item, Torn
from agent.audit.head import Head
from agent.audit.misfit import Read, Summary, check_head, cut_is_told, misfit, read_leaf
from agent.audit.prefix import Prefix
from agent.audit.record import Kind
from agent.audit.tampering import Tampering, tampered
from agent.crypto.signing import Signed, first_wrong
from agent.errors import TamperError, UntrustedInputError

__all__ = ["Expected", "Summary", "verify"]

_LEAF = int(FrameType.LEAF)
_STATEMENTS = frozenset((int(FrameType.CHECKPOINT), int(FrameType.COSIGNED)))
_START = Kind.START.value
MAX_UNSEALED = 1024
"""More records than this without a seal are not what a writer leaves."""


class Expected(NamedTuple):
    """What the log is held against. ``identity``: the public key that must name it. ``witnessed``: statements of a
    collector that were kept elsewhere. ``witness``: the only key whose statements count (None: any).
    """

    head: Head | None
    identity: bytes | None = None
    witnessed: Sequence[Cosigned] = ()
    witness: bytes | None = None


def verify(
    items: Iterable[tuple[int, Item]],
    expected: Head | Expected | None,
    *,
    head_needed: bool = True,
    prefix: Prefix | None = None,
) -> Summary:
    """Check every record and seal of ``items`` (segment number, frame) and the end against ``expected``.

    ``prefix`` stands for the records that were purged. Raises TamperError; its fields hold ``index`` (of the first bad
    record) and ``kind`` (a Tampering word).
    """
    wanted = expected if isinstance(expected, Expected) else Expected(expected)
    return _Replay(wanted, head_needed, prefix).run(iter(items))


@dataclass(slots=True)
class _Replay:
    expected: Expected
    head_needed: bool
    prefix: Prefix | None
    summary: Summary = field(default_factory=Summary)
    frontier: tree.Frontier = field(default_factory=list)
    pending: list[bytes] = field(default_factory=list)
    key: bytes = b""  # signs the next seal
    start: bytes | None = None  # signs the next opening
    stopped: bool = True  # the last seal was one of a stop
    old: bool = True  # only records of version 1 so far
    purge_told: bool = False
    roots: dict[int, bytes] = field(default_factory=dict)
    signed: list[Signed] = field(default_factory=list)
    signed_from: list[int] = field(default_factory=list)  # the first record that only this signature vouches for
    said: list[Cosigned] = field(default_factory=list)
    met_head: bool = False

    def run(self, stream: Iterator[tuple[int, Item]]) -> Summary:
        try:
            self._begin()
            self._read(stream)
            self._end()
        except TamperError:
            self._check_signatures()  # of what lies before: a wrong one there comes first
            raise
        self._check_signatures()
        return self.summary

    def _begin(self) -> None:
        summary, prefix = self.summary, self.prefix
        if prefix is not None:
            self.frontier = prefix.subtrees()
            summary.records = summary.purged = summary.sealed = prefix.size
            summary.head, self.key = prefix.head_bytes, bytes.fromhex(prefix.key)
            self.old = not prefix.openings
            self.roots[prefix.size] = tree.root(self.frontier)
            for seal in prefix.seals():
                self._opening(seal)
            self.stopped = True  # how the purged ones ended is not known
            summary.sessions = summary.seals = summary.unclean_sessions = 0
        head = self.expected.head
        self.met_head = head is None or head.size <= summary.records

    def _read(self, stream: Iterator[tuple[int, Item]]) -> None:
        summary, head = self.summary, self.expected.head
        watched = {each.size for each in self.expected.witnessed}
        for _, item in stream:
            if type(item) is not Frame or item.kind != _LEAF:
                if type(item) is Torn:
                    summary.torn_bytes = item.length
                    continue
                if type(item) is Frame and item.kind in _STATEMENTS:
                    self._statement(item, stream)
                    continue
                if isinstance(item, Damage) and cut_is_told(stream):
                    raise tampered(Tampering.TRUNCATED, summary.records)  # the cut went through a record
            self._leaf(read_leaf(item, summary.records), stream)
            if head is not None and summary.records == head.size:
                check_head(head, summary)
                self.met_head = True
            if summary.records in watched:
                self._fold()

    def _leaf(self, found: Read, rest: Iterator[tuple[int, Item]]) -> None:
        summary = self.summary
        if found.number != summary.records or found.link != summary.head[: chain.LINK_BYTES]:
            raise misfit(found, summary, rest)
        old = found.public[:1] == b"{"  # chain.is_old
        if not old:
            self.old = False
        elif not self.old:  # nobody writes version 1 behind version 2
            raise tampered(Tampering.INSERTED, found.number)
        summary.before = summary.head
        summary.head = chain.advance(summary.head, found.leaf) if old else found.leaf
        self.pending.append(found.leaf)
        summary.records += 1
        summary.first_us = summary.first_us or found.time_us
        summary.last_us = found.time_us
        if found.kind == _START:
            summary.starts += 1
            summary.unclean_starts += record.decode(found.public).get("clean") is not True
        elif self.prefix is not None and found.kind == Kind.PURGE:
            fields = record.decode(found.public)
            same = fields.get("root") == self.roots[self.prefix.size].hex()
            self.purge_told = self.purge_told or (same and fields.get("until") == self.prefix.size)

    def _fold(self) -> bytes:
        tree.extend(self.frontier, self.pending)
        self.pending = []
        root = self.roots[self.summary.records] = tree.root(self.frontier)
        return root

    # ---- seals

    def _statement(self, frame: Frame, rest: Iterator[tuple[int, Item]]) -> None:
        summary = self.summary
        try:
            if frame.kind == FrameType.COSIGNED:
                self.said.append(checkpoint.unpack_cosigned(frame.body))
                return
            seal = checkpoint.unpack(frame.body)
        except UntrustedInputError as error:
            raise tampered(Tampering.EDITED, summary.sealed) from error
        if seal.size > summary.records:
            raise tampered(Tampering.TRUNCATED if cut_is_told(rest) else Tampering.DELETED, summary.records)
        if seal.size < summary.records:
            raise tampered(Tampering.INSERTED, seal.size)
        if seal.root != self._fold():
            raise tampered(Tampering.EDITED, summary.sealed)
        if seal.why is Why.OPEN:
            self._opening(seal)
        else:
            self._seal(seal)
        summary.sealed, summary.last_seal_us = seal.size, seal.time_us
        summary.seals += 1
        self.key, self.stopped = seal.next_key, seal.why is Why.STOP

    def _opening(self, seal: Seal) -> None:
        summary = self.summary
        identity = summary.identity or self.expected.identity or seal.identity
        if seal.identity != identity:
            raise tampered(Tampering.SPLICED, seal.size)
        if seal.by != (self.start or identity):
            raise tampered(Tampering.KEY_REPLACED, seal.size)
        summary.identity, self.start = identity, seal.next_start
        self._vouch(seal, seal.by)
        summary.sessions += 1
        summary.unclean_sessions += not self.stopped
        self.stopped = False

    def _seal(self, seal: Seal) -> None:
        if not self.key or not self.summary.identity:
            raise tampered(Tampering.RESEALED, self.summary.sealed)
        self._vouch(seal, self.key)

    def _vouch(self, seal: Seal, key: bytes) -> None:
        text = checkpoint.text(seal, checkpoint.origin(self.summary.identity))
        self.signed.append(Signed(key, seal.signature, text))
        self.signed_from.append(min(self.summary.sealed, seal.size))

    def _check_signatures(self) -> None:
        wrong = first_wrong(self.signed)
        if wrong is not None:
            raise tampered(Tampering.RESEALED, self.signed_from[wrong])

    # ---- the end

    def _end(self) -> None:
        summary, head = self.summary, self.expected.head
        if head is None:
            if self.head_needed and summary.records:
                raise tampered(Tampering.HEAD_REPLACED, summary.records)
        elif not self.met_head:
            raise tampered(Tampering.TRUNCATED, summary.records)
        if self.prefix is not None and not self.purge_told:
            raise tampered(Tampering.TRUNCATED, 0)
        if self.expected.identity is not None and summary.identity != self.expected.identity:
            raise tampered(Tampering.SPLICED, 0)
        if not self.old and self.start is None:
            raise tampered(Tampering.UNSEALED, 0)
        unsealed = 0 if self.old else summary.records - summary.sealed
        if unsealed > MAX_UNSEALED or (
            unsealed and head is not None and head.version > 1 and head.size > summary.sealed
        ):
            raise tampered(Tampering.UNSEALED, summary.sealed)
        for statement in (*self.said, *self.expected.witnessed):
            self._check_cosigned(statement)

    def _check_cosigned(self, said: Cosigned) -> None:
        summary = self.summary
        if self.expected.witness not in {None, said.key} or not summary.identity:
            return
        if said.size > summary.records:
            raise tampered(Tampering.TRUNCATED, summary.records)
        text = checkpoint.cosigned_text(checkpoint.origin(summary.identity), said.size, said.root, said.time_s)
        if first_wrong([Signed(said.key, said.signature, text)]) is not None:
            raise tampered(Tampering.FORKED, said.size)
        root = self.roots.get(said.size)
        if root is None and said.size >= summary.purged:
            raise tampered(Tampering.FORKED, said.size)
        if root is not None and root != said.root:
            raise tampered(Tampering.FORKED, max(said.size - 1, 0))
        if summary.cosigned is None or said.size >= summary.cosigned.size:
            summary.cosigned = said
