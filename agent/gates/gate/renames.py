"""What was renamed, removed or made on the file systems of guarded folders, told afterwards; nobody is held for it.

Owns the group that is told. It says only that it was a folder, not which: whoever asks looks at all of them.
"""

from __future__ import annotations

import contextlib
import os

from agent.gates.gate.fanotify import (
    CREATED,
    DELETED,
    EVENT,
    MOVED_TO,
    ON_FOLDER,
    OVERFLOW,
    guard_filesystem,
    moves_group,
)  # fmt: skip
from agent.gates.gate.folders import Folders


class Renames:
    """``fd`` becomes readable when something happened; -1: nothing is watched."""

    def __init__(self) -> None:
        self.fd = -1

    def watch(self, folders: Folders) -> None:
        """Be told of folders that are renamed or removed, from now on on these file systems only."""
        if self.fd >= 0:
            os.close(self.fd)
            self.fd = -1
        with contextlib.suppress(OSError):
            self.fd = moves_group()
            self._tell(folders, MOVED_TO | DELETED)

    def watch_made(self, folders: Folders) -> None:
        """Be told also of folders that are made, until ``watch`` is called again."""
        with contextlib.suppress(OSError):
            self._tell(folders, CREATED)

    def _tell(self, folders: Folders, what: int) -> None:
        for place in folders.places:
            guard_filesystem(self.fd, place.fd, what | ON_FOLDER)

    def read(self) -> tuple[bool, bool]:
        """(whether a folder was renamed, whether one was renamed, removed or made); true too when too much happened."""
        seen = 0
        with contextlib.suppress(OSError):
            while self.fd >= 0 and (raw := os.read(self.fd, 65536)):
                at = 0
                while at + EVENT.size <= len(raw):
                    length, _, _, _, mask, _, _ = EVENT.unpack_from(raw, at)
                    seen |= mask if mask & (OVERFLOW | ON_FOLDER) else 0
                    at += max(length, EVENT.size)
        return bool(seen & (OVERFLOW | MOVED_TO)), bool(seen)
