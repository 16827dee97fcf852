"""``prefix.json``: what is kept of records whose time is over, so that every later one can still be proved.

The subtrees of the tree over them, and the openings of their sessions: each start key was announced by the opening
before, so the first opening that is still in the log is known to be the log's own. docs/formats/audit-log.md,
section 8. Written by ``retention`` alone.
"""

from __future__ import annotations

import os
from pathlib import Path

import msgspec

from agent.audit import chain, checkpoint, tree
from agent.audit.checkpoint import Seal, Why
from agent.errors import N_, AuditError, UntrustedInputError
from agent.fsys.atomic import replace_file

FILE_NAME = "prefix.json"
MAX_BYTES = 16 << 20


class Prefix(msgspec.Struct, frozen=True, forbid_unknown_fields=True):
    """The records 0 to ``size``-1 are gone; ``head`` and ``frontier`` are what was known behind the last of them.

    ``segment`` is the first one that is left; ``key`` signs the next seal; ``openings`` are the bodies of the purged
    ones (hexadecimal like all hashes here).
    """

    size: int
    head: str
    segment: int
    key: str
    frontier: tuple[str, ...]
    openings: tuple[str, ...]

    @property
    def head_bytes(self) -> bytes:
        return bytes.fromhex(self.head)

    def subtrees(self) -> tree.Frontier:
        """The frontier as ``tree`` computes with it."""
        return tree.unpacked(self.size, [bytes.fromhex(each) for each in self.frontier])

    def seals(self) -> list[Seal]:
        """The openings of the sessions that were purged."""
        return [checkpoint.unpack(bytes.fromhex(each)) for each in self.openings]

    @property
    def identity(self) -> bytes:
        """The public key that names the log; empty when no session was opened before."""
        return self.seals()[0].identity if self.openings else b""

    @property
    def announced(self) -> bytes | None:
        """The start key that the last of the openings announced."""
        return checkpoint.unpack(bytes.fromhex(self.openings[-1])).next_start if self.openings else None


def read_prefix(folder: Path) -> Prefix | None:
    """What prefix.json says; None: nothing was purged. Raises AuditError: unreadable or not of its form."""
    path = folder / FILE_NAME
    try:
        fd = os.open(path, os.O_RDONLY | os.O_CLOEXEC | os.O_NOFOLLOW)
        with open(fd, "rb") as file:
            raw = file.read(MAX_BYTES + 1)
    except FileNotFoundError:
        return None
    except OSError as error:
        raise AuditError(N_("cannot be read: {why}"), where=str(path), why=error.strerror) from error
    try:
        prefix = msgspec.json.decode(raw[: MAX_BYTES + 1], type=Prefix)
        prefix.subtrees()
        right = len(prefix.head_bytes) == len(chain.EMPTY_HEAD) and len(bytes.fromhex(prefix.key)) in {0, 32}
        right = right and all(seal.why is Why.OPEN for seal in prefix.seals()) and prefix.segment >= 0
    except (msgspec.MsgspecError, ValueError, RecursionError, UntrustedInputError) as error:
        raise AuditError(N_("is not what was kept of purged records"), where=str(path)) from error
    if not right:
        raise AuditError(N_("is not what was kept of purged records"), where=str(path))
    return prefix


def write_prefix(folder: Path, prefix: Prefix) -> None:
    """Replace prefix.json durably. Raises OSError."""
    replace_file(folder / FILE_NAME, msgspec.json.encode(prefix) + b"\n", mode=0o640)
