"""The collector as witness: it signs how large each laptop's log is and which root its tree has, once that is stored.

Owns ``witness.key``. A laptop keeps the signed statement in its own log, and whoever holds one shows with it that a log
is shorter than it was, or another one. docs/formats/audit-log.md, section 10.
"""

from __future__ import annotations

import os
import time
from collections.abc import Iterable
from pathlib import Path

from sqlalchemy import Connection, delete, select

from agent.audit import chain, checkpoint, tree
from agent.audit.checkpoint import Cosigned
from agent.crypto.signing import SEED_BYTES, FileKey
from agent.errors import N_, HostError
from agent.fsys.atomic import replace_file
from collector.schema import events, trees

NAME = "serment-collector"
FILE_NAME = "witness.key"
_HOLED = -1  # the size of a tree that lacks leaves: nothing is signed of it


class Witness:
    """Signs with ``key``."""

    def __init__(self, key: FileKey) -> None:
        self._key = key

    @property
    def public(self) -> bytes:
        return self._key.public

    def cosign(self, log: str, size: int, root: bytes) -> bytes:
        """The packed statement about the log named ``log``, at this moment."""
        now = int(time.time())
        signature = self._key.sign(checkpoint.cosigned_text(log, size, root, now))
        return checkpoint.pack_cosigned(Cosigned(size, root, now, self._key.public, signature, NAME))


def load_witness(folder: Path) -> Witness:
    """The witness whose key lies in ``folder``, made at the first call. Raises HostError: unreadable or damaged."""
    path = folder / FILE_NAME
    try:
        if not path.exists():
            replace_file(path, FileKey().seed)
        fd = os.open(path, os.O_RDONLY | os.O_CLOEXEC | os.O_NOFOLLOW)
        with open(fd, "rb") as file:
            seed = file.read(SEED_BYTES + 1)
    except OSError as error:
        raise HostError(N_("cannot be read: {why}"), where=str(path), why=error.strerror or "") from error
    if len(seed) != SEED_BYTES:
        raise HostError(
            N_("the key by which this collector signs is damaged"), where=str(path),
            hint=N_("put it back from a backup; without it laptops no longer trust what this collector signs"),
        )  # fmt: skip
    return Witness(FileKey(seed))


def grow(connection: Connection, device: int, size: int, leaves: Iterable[bytes], log: str) -> bytes | None:
    """Add ``leaves`` to what is held of the laptop, up to ``size`` records; the root, or None: some are missing here,
    or the laptop says that its log has another name than before.
    """
    row = connection.execute(select(trees).where(trees.c.device == device)).first()
    if row is not None and row.size == _HOLED:
        return None
    if row is None:
        frontier, held, name = _held(connection, device)
    else:
        frontier, held, name = _frontier(row.size, row.frontier), row.size, row.log
        added = list(leaves)
        tree.extend(frontier, added)
        held += len(added)
    if name and log and name != log:
        return None
    whole = held == size
    subtrees = b"".join(tree.packed(frontier))
    kept = {"device": device, "size": size if whole else _HOLED, "frontier": subtrees, "log": name or log}
    connection.execute(delete(trees).where(trees.c.device == device))
    connection.execute(trees.insert().values(kept))
    return tree.root(frontier) if whole else None


def _frontier(size: int, packed: bytes) -> tree.Frontier:
    return tree.unpacked(size, [packed[at : at + 32] for at in range(0, len(packed), 32)])


def _held(connection: Connection, device: int) -> tuple[tree.Frontier, int, str]:
    """The tree over every record that is stored: for a laptop whose tree was not kept yet."""
    frontier: tree.Frontier = []
    rows = connection.execute(
        select(events.c.public, events.c.private_hash).where(events.c.device == device).order_by(events.c.idx)
    )
    leaves = [chain.leaf(row.public, row.private_hash or chain.NO_PRIVATE) for row in rows]
    tree.extend(frontier, leaves)
    return frontier, len(leaves), ""
