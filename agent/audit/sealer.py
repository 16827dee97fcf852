"""Makes the seals of one session: who signs, what is announced. Writes ``start.key`` alone; ``log`` does the rest.

The private key of the next seal lives inside the library alone, signs once and is gone (``signing.OnceKey``). When a
seal could not be made durable and was taken back, its key is gone all the same: the session is then opened anew.
"""

from __future__ import annotations

import contextlib
from pathlib import Path

from agent.audit import checkpoint, start_key
from agent.audit.checkpoint import Seal, Why
from agent.audit.head import MAX_OPEN, Head
from agent.audit.recovery import State
from agent.audit.tree import packed
from agent.crypto.signing import FileKey, OnceKey


class Sealer:
    """``identity`` names the log (empty: this opening will); ``announced`` is the start key that the last opening
    announced (None: there was none, the log is new or of version 1).
    """

    def __init__(self, folder: Path, identity: bytes, announced: bytes | None) -> None:
        self._folder = folder
        self._key: OnceKey | None = None
        self._new_start: FileKey | None = None
        self.identity = identity
        self.announced = announced
        self.lost_key = False  # the opening could not be signed by the key that was announced

    @property
    def is_open(self) -> bool:
        return self._key is not None

    @property
    def log_name(self) -> str:
        return checkpoint.origin(self.identity)

    def open(self, size: int, time_us: int, root: bytes) -> Seal:
        """The opening of a session. ``opened`` is to be called when it is durable. Raises OSError."""
        by = start_key.load(self._folder, self.announced)
        self.lost_key = by is None and self.announced is not None
        by = by or FileKey()
        new = FileKey()
        start_key.store(self._folder, by, new)
        self._new_start = new
        self.identity = self.identity or by.public
        key = OnceKey()
        bare = Seal(
            Why.OPEN, size, time_us, root, key.public, identity=self.identity, by=by.public, next_start=new.public
        )
        self._key = key
        return bare._replace(signature=by.sign(checkpoint.text(bare, self.log_name)))

    @property
    def promised(self) -> bytes:
        """The start key that the last opening in the log announces."""
        return self._new_start.public if self._new_start else self.announced or b""

    def opened(self) -> None:
        """The opening is on the disk, head.json tells of it, nobody takes it back: the start key that signed
        it is destroyed; later, when that fails now.
        """
        if self._new_start is not None:
            self.announced = self._new_start.public
            with contextlib.suppress(OSError):
                start_key.store(self._folder, self._new_start)
                self._new_start = None

    def seal(self, why: Why, size: int, time_us: int, root: bytes) -> Seal:
        """A seal; the key that signs it is gone afterwards. The session is open."""
        key, following = self._key, OnceKey()
        if key is None:
            raise ValueError("the session is not open")
        bare = Seal(why, size, time_us, root, following.public)
        signed = bare._replace(signature=key.sign(checkpoint.text(bare, self.log_name)))
        self._key = following
        return signed

    def taken_back(self, *, opening: bool) -> None:
        """A seal is not in the log after all: the next one opens the session anew.

        ``opening``: the last opening is not there either, and the start key from before it counts. Else it stands,
        durable or not, and so does what it announced.
        """
        self._key = None
        if self._new_start is not None and opening:
            self._new_start = None
        elif self._new_start is not None:
            self.announced = self._new_start.public


def snapshot(state: State, sealer: Sealer) -> Head:
    """What head.json says once everything up to ``state`` is durable."""
    unfinished = tuple(state.open) if len(state.open) <= MAX_OPEN else None
    return Head(
        state.size, state.head.hex(), state.before.hex(), state.segment, state.offset, unfinished, state.clean,
        2, tuple(each.hex() for each in packed(state.frontier)), sealer.promised.hex(), sealer.identity.hex(),
    )  # fmt: skip
