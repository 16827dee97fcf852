"""The gate's hold on the program that refuses that folders are moved into guarded ones (``bpf_program``).

The agent has put it into the kernel and under a name (``bpf_moves``). Held here too, so that it is there as long as the
gate remembers anything, whatever becomes of the name. Loaded by the gate's process: small.
"""

from __future__ import annotations

import contextlib
import os
import stat
from collections.abc import Iterable

from agent.gates.gate import bpf

LINK, LABELS = b"/moves", b"/guarded"
"""What stands under the name."""


class Moves:
    """The gate's hold on the program. ``Moves.of`` takes it; one thread's."""

    def __init__(self, name: bytes, link: int, labels_fd: int) -> None:
        self.name = name
        self._link = link
        self._labels = labels_fd

    @classmethod
    def of(cls, name: bytes) -> Moves | None:
        """None when it is not there, or somebody else than root could take its name away."""
        link = -1
        try:
            state = os.stat(name, follow_symlinks=False)
            if not stat.S_ISDIR(state.st_mode) or state.st_uid or state.st_mode & 0o022:
                return None
            link = bpf.pinned(name + LINK)
            return cls(name, link, bpf.pinned(name + LABELS))
        except OSError:
            if link >= 0:
                os.close(link)
            return None

    def guard(self, folders: Iterable[int]) -> None:
        """From now on no folder comes into these (descriptors) from outside. Raises OSError."""
        for fd in folders:
            bpf.label(self._labels, fd)

    def release(self, folders: Iterable[int]) -> None:
        """They are guarded no more."""
        for fd in folders:
            with contextlib.suppress(OSError):
                bpf.unlabel(self._labels, fd)

    def close(self) -> None:
        for fd in (self._link, self._labels):
            os.close(fd)
