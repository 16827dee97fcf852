"""Verifying a laptop's log from the records that are held: every record's number, what each says of the one before it,
that it ends as it did, that none is gone which retention has not taken, and the tree over all of them against the one
that was kept. And the export, with which others verify the same.
"""

from __future__ import annotations

import json
import time
from base64 import b64encode
from collections.abc import Iterator
from dataclasses import dataclass

from agent.audit import chain, checkpoint, record, tree
from agent.errors import UntrustedInputError
from collector.ingest.witness import Witness
from collector.store.base import Known, Laptop, Row, Store

FORMAT = "serment-proof/1"
BATCH = 1000


@dataclass(frozen=True, slots=True)
class Proof:
    """What a verification found. ``root`` and ``fits`` are for a log that is held whole; ``fits`` None: it is not, so
    the tree cannot be computed anew. ``broken``: index of the first record that does not continue the one before it,
    or None. ``lost``: how many records arrived, are not old enough to be forgotten, and are not there. ``ends`` False:
    the last record is not the one that was kept.
    """

    size: int
    held: int
    first: int
    broken: int | None
    fits: bool | None
    root: str
    seconds: float
    lost: int = 0
    ends: bool = True

    @property
    def good(self) -> bool:
        return self.broken is None and self.fits is not False and self.ends and not self.lost


def verify(store: Store, laptop: Laptop) -> Proof:
    """Read and compute everything anew; takes about ten microseconds a record."""
    begun = time.monotonic()
    replay = _Replay()
    for row in store.records(laptop.id, 0, laptop.known.size):
        replay.take(row)
    size, frontier = laptop.known.size, laptop.known.frontier
    fits, root = None, ""
    if replay.held == size and frontier is not None:
        found = replay.root()
        fits = found == tree.root(tree.unpacked(size, _subtrees(frontier)))
        root = b64encode(found).decode("ascii")
    lost = max(0, store.brought(laptop.id, size) - replay.held)  # asked last: what retention took meanwhile is no loss
    ends = replay.ends_with(laptop.known)
    return Proof(size, replay.held, replay.first, replay.broken, fits, root, time.monotonic() - begun, lost, ends)


class _Replay:
    """Grows the tree record by record; behind a hole the chain begins anew."""

    def __init__(self) -> None:
        self.held, self.first = 0, 0
        self.broken: int | None = None
        self._frontier: tree.Frontier = []
        self._waiting: list[bytes] = []
        self._head: bytes | None = chain.EMPTY_HEAD
        self._next = 0

    def take(self, row: Row) -> None:
        if not self.held:
            self.first = row.idx
        if row.idx != self._next:
            self._head = None
        leaf = chain.leaf(row.public, row.private_hash or chain.NO_PRIVATE)
        if self.broken is None and not self._continues(row):
            self.broken = row.idx
        self._head = leaf if not chain.is_old(row.public) else self._advanced(leaf)
        self._next, self.held = row.idx + 1, self.held + 1
        self._waiting.append(leaf)
        if len(self._waiting) == BATCH:
            self._grow()

    def ends_with(self, known: Known) -> bool:
        """Whether the last record of the log is the one that was kept; True also where that cannot be said: it is not
        held, or of an old version behind a hole.
        """
        return self._next != known.size or None in (known.head, self._head) or self._head == known.head

    def root(self) -> bytes:
        self._grow()
        return tree.root(self._frontier)

    def _continues(self, row: Row) -> bool:
        try:
            fields = record.decode(row.public)
        except UntrustedInputError:
            return False
        return fields["i"] == row.idx and (self._head is None or fields["p"] == chain.link(self._head))

    def _advanced(self, leaf: bytes) -> bytes | None:
        return None if self._head is None else chain.advance(self._head, leaf)

    def _grow(self) -> None:
        tree.extend(self._frontier, self._waiting)
        self._waiting = []


def export(store: Store, laptop: Laptop, witness: Witness) -> Iterator[bytes]:
    """Lines of JSON: what the log is and what the collector states of it, then each record's public part and the hash
    of its private part (base64), by index. SHA-256(0x00, SHA-256(public), private hash) are the leaves of an RFC 6962
    tree, whose root is in the collector's signed statement.
    """
    known = laptop.known
    head = {"format": FORMAT, "laptop": laptop.device, "log": known.log, "size": known.size}
    if known.frontier is not None:
        root = tree.root(tree.unpacked(known.size, _subtrees(known.frontier)))
        head["root"] = b64encode(root).decode("ascii")
        if known.log:
            signed = checkpoint.unpack_cosigned(witness.cosign(known.log, known.size, root))
            head["checkpoint"] = checkpoint.cosigned_note(signed, known.log)
            head["witness"] = b64encode(witness.public).decode("ascii")
    yield json.dumps(head).encode() + b"\n"
    for row in store.records(laptop.id, 0, known.size):
        hashed = row.private_hash or chain.NO_PRIVATE
        line = {"i": row.idx, "public": b64encode(row.public).decode(), "private": b64encode(hashed).decode()}
        yield json.dumps(line).encode() + b"\n"


def _subtrees(frontier: bytes) -> list[bytes]:
    return [frontier[at : at + 32] for at in range(0, len(frontier), 32)]
