"""The seals of one laptop's log, as they come: each over the tree that the collector computes itself, each signed by
the key that was announced for it. Pure: packed state and seals in, packed state and alarms out.

A wrong seal does not keep records from being stored: they are evidence. After one, and behind a hole, the chain begins
again with the next opening. docs/formats/audit-log.md, section 5; fleet-protocol.md, section 3.
"""

from __future__ import annotations

from collections.abc import Sequence
from enum import StrEnum
from hashlib import sha256

import msgspec

from agent.audit import checkpoint
from agent.audit.checkpoint import Seal, Why
from agent.crypto.signing import Signed, first_wrong
from agent.errors import UntrustedInputError
from agent.transport.wire import SentSeal

MAX_UNSEALED = 4096
"""More records than this without a seal are not what a writer leaves (1024) or what one request cuts off (2000)."""


class SealAlarm(StrEnum):
    """What is wrong with a seal. Append only: alerts in the database use these words."""

    RESEALED = "resealed"  # not signed by the key that was announced
    SPLICED = "spliced"  # of another log
    KEY_REPLACED = "key-replaced"  # an opening that is not signed by the start key that was announced
    ROOT = "root"  # it covers other records than were sent
    UNSEALED = "unsealed"  # there are no seals any more


class State(msgspec.Struct, array_like=True, frozen=True):
    """``key`` signs the next seal and ``start`` the next opening (b"": not known). ``size`` and ``last`` tell the last
    seal that was taken: over how many records, and SHA-256 of its body. ``doubt``: there is a hole in the tree.
    """

    identity: bytes = b""
    key: bytes = b""
    start: bytes = b""
    size: int = 0
    last: bytes = b""
    doubt: bool = False


_encode = msgspec.msgpack.Encoder().encode
_decode = msgspec.msgpack.Decoder(State).decode


class Chain:
    """The seals of one laptop, from ``packed`` on; ``log`` is the name that the laptop gives its log ("": none)."""

    def __init__(self, packed: bytes, log: str, size: int) -> None:
        self._state = _decode(packed) if packed else State(size=size)  # unsealed so far: of a first version
        self._fresh = not packed and size == 0  # the first opening of all is signed by the log's own name
        self._log = log
        self._signed: list[Signed] = []
        self._sizes: list[int] = []
        self.alarms: list[tuple[str, int]] = []

    @property
    def packed(self) -> bytes:
        return _encode(self._state)

    @property
    def doubt(self) -> bool:
        return self._state.doubt

    def news(self, seals: Sequence[SentSeal], size: int, first: int) -> list[SentSeal]:
        """The seals of a request that were not taken before; its first record has the index ``first``, ``size`` are
        held. Those behind the last record that is held come again with each request after a gap.
        """
        last = self._state.last
        for at in range(len(seals) - 1, -1, -1):
            if last and sha256(seals[at].body).digest() == last:
                return list(seals[at + 1 :])
        return [seal for seal in seals if first + seal.before >= size]

    def hole(self) -> None:
        """Records are missing, and the seals among them."""
        self._state = msgspec.structs.replace(self._state, key=b"", start=b"", doubt=True)

    def take(self, body: bytes, size: int, root: bytes | None) -> bool:
        """The next seal; ``size`` records with this ``root`` (None: not known) lie before it. False: behind a hole its
        tree is not ours, so nothing can be said of roots any more.
        """
        try:
            seal = checkpoint.unpack(body)
        except UntrustedInputError:
            self._alarm(SealAlarm.RESEALED, size)
            return True
        opening = seal.why is Why.OPEN
        right = self._opens(seal) if opening else self._continues(seal)
        if right:
            self._verify_later(seal, seal.by if opening else self._state.key)
        known = root is not None and (right or not self.doubt)
        fits = not known or (seal.size == size and seal.root == root)
        doubt = self.doubt and not (known and fits)
        if not fits and not self.doubt and right:
            self._alarm(SealAlarm.ROOT, size)
        start = seal.next_start if opening else self._state.start
        identity = seal.identity if opening and not self._state.identity else self._state.identity
        key = seal.next_key if right else b""
        self._state = State(identity, key, start, size, sha256(body).digest(), doubt)
        return fits or not right

    def _opens(self, seal: Seal) -> bool:
        """Whether an opening is of this log and by the right key; anything may open behind a hole."""
        state = self._state
        named = not self._log or checkpoint.origin(seal.identity) == self._log
        if not named or (state.identity and seal.identity != state.identity):
            self._alarm(SealAlarm.SPLICED, seal.size)
            return False
        expected = state.start or (seal.identity if self._fresh else b"")
        self._fresh = False
        if expected and seal.by != expected:
            self._alarm(SealAlarm.KEY_REPLACED, seal.size)
            return False
        return True

    def _continues(self, seal: Seal) -> bool:
        """Whether a seal can be checked; one without a session before it is not looked at, but never the first of
        all.
        """
        if self._fresh:
            self._alarm(SealAlarm.UNSEALED, seal.size)
            self._fresh = False
        return bool(self._state.key and self._state.identity)

    def _verify_later(self, seal: Seal, key: bytes) -> None:
        identity = seal.identity or self._state.identity
        self._signed.append(Signed(key, seal.signature, checkpoint.text(seal, checkpoint.origin(identity))))
        self._sizes.append(seal.size)

    def finish(self, size: int) -> None:
        """Check the signatures of all that were taken; ``size`` records are held now."""
        wrong = first_wrong(self._signed)
        if wrong is not None:
            self._alarm(SealAlarm.RESEALED, self._sizes[wrong])
            self._state = msgspec.structs.replace(self._state, key=b"")
        if (self._state.identity or self._log) and size - self._state.size > MAX_UNSEALED:
            self._alarm(SealAlarm.UNSEALED, self._state.size)

    def _alarm(self, kind: SealAlarm, index: int) -> None:
        self.alarms.append((kind.value, min(index, (1 << 53) - 1)))
