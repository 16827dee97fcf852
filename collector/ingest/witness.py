"""The collector as witness: it signs how large each laptop's log is and which root its tree has, once that is stored.

Owns ``witness.key``. A laptop keeps the signed statement in its own log, and whoever holds one shows with it that a log
is shorter than it was, or another one. docs/formats/audit-log.md, section 10.
"""

from __future__ import annotations

import os
import time
from pathlib import Path

from agent.audit import checkpoint
from agent.audit.checkpoint import Cosigned
from agent.crypto.signing import SEED_BYTES, FileKey
from agent.errors import N_, HostError
from agent.fsys.atomic import replace_file

NAME = "serment-collector"
FILE_NAME = "witness.key"


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
