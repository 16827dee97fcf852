"""Seals: signed statements of how large the log is and which root its tree has. Pure: bytes in, values out.

A seal is a C2SP checkpoint (signed note, Ed25519). In the log it lies packed, in a frame of type 2; the text that is
signed is made from it anew. Each seal is signed by a key that signs nothing else and announces the next one, so whoever
takes the machine over later cannot seal its past again. The first seal of a session, the opening, is signed by the
start key that the opening before it announced; the first opening of all by the key that names the log.
docs/formats/audit-log.md, section 5.
"""

from __future__ import annotations

import struct
from base64 import b64encode
from enum import IntEnum
from hashlib import sha256
from typing import NamedTuple

from agent.errors import N_, UntrustedInputError

_SEAL = struct.Struct(">BQQ32s32s64s")
_OPENING = struct.Struct(">BQQ32s32s32s32s32s64s")
_COSIGNED = struct.Struct(">Q32sQ32s64s")
MAX_WITNESS_NAME = 64


class Why(IntEnum):
    """What a seal was made for."""

    OPEN = 0  # a session begins
    FLUSH = 1  # there are records to seal
    BEAT = 2  # nothing happened for a while: the log says that it is alive
    STOP = 3  # the agent stops in good order


class Seal(NamedTuple):
    """``size`` records have the tree ``root``; ``time_us`` is the laptop's wall clock (microseconds since 1970 UTC).

    ``next_key`` signs the next seal. Openings also hold ``identity`` (the public key that names the log), ``by`` (the
    start key that signs) and ``next_start`` (the one that signs the next opening).
    """

    why: Why
    size: int
    time_us: int
    root: bytes
    next_key: bytes
    signature: bytes = b""
    identity: bytes = b""
    by: bytes = b""
    next_start: bytes = b""


class Cosigned(NamedTuple):
    """A collector's statement that it holds ``size`` records with this ``root``, at ``time_s`` of its own clock."""

    size: int
    root: bytes
    time_s: int
    key: bytes
    signature: bytes
    name: str


def origin(identity: bytes) -> str:
    """The name of a log, in checkpoints: from the public key that its first opening is signed by."""
    return f"serment-log/{fingerprint(identity)}"


def fingerprint(identity: bytes) -> str:
    """Thirty-two hexadecimal digits that name a log, to be compared by a person."""
    return sha256(identity).hexdigest()[:32]


def pack(seal: Seal) -> bytes:
    """The body of a frame of type 2."""
    if seal.why is Why.OPEN:
        return _OPENING.pack(
            seal.why, seal.size, seal.time_us, seal.root, seal.next_key, seal.identity, seal.by, seal.next_start,
            seal.signature,
        )  # fmt: skip
    return _SEAL.pack(seal.why, seal.size, seal.time_us, seal.root, seal.next_key, seal.signature)


def unpack(body: bytes) -> Seal:
    """The seal in a frame's body. Raises UntrustedInputError: not of its form."""
    try:
        if len(body) == _SEAL.size and body[0] != Why.OPEN:
            why, size, time_us, root, next_key, signature = _SEAL.unpack(body)
            return Seal(Why(why), size, time_us, root, next_key, signature)
        why, size, time_us, root, next_key, identity, by, next_start, signature = _OPENING.unpack(body)
        if why == Why.OPEN:
            return Seal(Why.OPEN, size, time_us, root, next_key, signature, identity, by, next_start)
    except (struct.error, ValueError):
        pass
    raise UntrustedInputError(N_("an audit seal is not of its form"))


def _b64(data: bytes) -> str:
    return b64encode(data).decode("ascii")


def text(seal: Seal, log: str) -> bytes:
    """What is signed: the checkpoint of the log named ``log`` (``origin``), without its signature."""
    words = [seal.why.name.lower(), str(seal.time_us), _b64(seal.next_key)]
    if seal.why is Why.OPEN:
        words += [_b64(seal.identity), _b64(seal.by), _b64(seal.next_start)]
    return f"{log}\n{seal.size}\n{_b64(seal.root)}\n{' '.join(words)}\n".encode("ascii")


def _key_id(name: str, kind: int, public: bytes) -> bytes:
    return sha256(name.encode("ascii") + b"\n" + bytes((kind,)) + public).digest()[:4]


def note(seal: Seal, log: str, key: bytes) -> str:
    """The whole signed note, as other programs read it; ``key`` is the public key that signed."""
    line = _b64(_key_id(log, 1, key) + seal.signature)
    return text(seal, log).decode("ascii") + f"\n\N{EM DASH} {log} {line}\n"


def cosigned_text(log: str, size: int, root: bytes, time_s: int) -> bytes:
    """What a collector signs (C2SP tlog-cosignature, Ed25519): when it saw which checkpoint."""
    return f"cosignature/v1\ntime {time_s}\n{log}\n{size}\n{_b64(root)}\n".encode("ascii")


def cosigned_note(cosigned: Cosigned, log: str) -> str:
    """The checkpoint with the collector's signature line."""
    stamped = _key_id(cosigned.name, 4, cosigned.key) + struct.pack(">Q", cosigned.time_s) + cosigned.signature
    head = f"{log}\n{cosigned.size}\n{_b64(cosigned.root)}\n"
    return f"{head}\n\N{EM DASH} {cosigned.name} {_b64(stamped)}\n"


def pack_cosigned(cosigned: Cosigned) -> bytes:
    """The body of a frame of type 4."""
    fixed = _COSIGNED.pack(cosigned.size, cosigned.root, cosigned.time_s, cosigned.key, cosigned.signature)
    return fixed + cosigned.name.encode("ascii")


def unpack_cosigned(body: bytes) -> Cosigned:
    """The cosignature in a frame's body. Raises UntrustedInputError: not of its form."""
    try:
        size, root, time_s, key, signature = _COSIGNED.unpack_from(body)
        name = body[_COSIGNED.size :].decode("ascii")
        if 0 < len(name) <= MAX_WITNESS_NAME and name.isprintable() and not set(name) & {" ", "+"}:
            return Cosigned(size, root, time_s, key, signature, name)
    except (struct.error, UnicodeDecodeError):
        pass
    raise UntrustedInputError(N_("an audit seal is not of its form"))
