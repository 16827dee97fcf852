"""How records lie one behind another in a file or a request: frames. Pure; the bytes come from outside and are hostile.

``u32be length of body ‖ u8 type ‖ 3 zero bytes ‖ u32be CRC-32 of body ‖ body``; docs/formats/audit-log.md, section 3.
The checksum finds accidents (a torn write, a flipped bit); against people there are the tree and its seals.

``split`` finds its way again behind a damaged frame, so that one flipped bit hides one record and not the rest of the
file. It never calls damaged bytes good, and every byte it was given is in exactly one of the things that it returns.
What it costs grows with the bytes alone, whatever lengths they claim.
"""

from __future__ import annotations

import re
import struct
from enum import IntEnum
from typing import NamedTuple
from zlib import crc32

import msgspec

from agent.audit import chain
from agent.audit.checksums import Checksums
from agent.errors import N_, UntrustedInputError

HEADER = struct.Struct(">III")
HEADER_BYTES = HEADER.size
MAX_BODY_BYTES = 1 << 17
_PUBLIC = struct.Struct(">H")


class FrameType(IntEnum):
    LEAF = 1  # u16be len(pub) ‖ pub ‖ priv
    CHECKPOINT = 2  # a seal
    ERASED = 3  # reserved: the 32 bytes of a leaf hash
    COSIGNED = 4  # a collector's statement that it holds the log up to a size
    SENT = 5  # a leaf on its way to a collector: u16be len(pub) ‖ pub ‖ SHA-256(priv)


_TAGS = {kind << 24: int(kind) for kind in FrameType}
_TYPE = re.compile(b"[%s]\0\0\0" % bytes(FrameType))  # megabytes of zeros hold none


class Frame(msgspec.Struct, frozen=True, gc=False):
    """A whole frame. ``offset`` is where it begins, in bytes."""

    kind: int
    body: bytes
    offset: int


class Damage(NamedTuple):
    """Bytes that are no frame although whole frames follow: the disk, or somebody, changed them."""

    offset: int
    length: int
    segment: int = 0


class Torn(NamedTuple):
    """Bytes at the very end that are no whole frame: what a crash leaves of the last write."""

    offset: int
    length: int


Item = Frame | Damage | Torn


def pack(kind: FrameType, body: bytes) -> bytes:
    """The bytes of one frame; ``body`` has at most MAX_BODY_BYTES."""
    return HEADER.pack(len(body), kind << 24, crc32(body)) + body


_LEAF_TAG = FrameType.LEAF << 24


def pack_leaf(public: bytes, private: bytes = b"") -> bytes:
    """The frame of a record as it lies in the log."""
    body = _PUBLIC.pack(len(public)) + public + private
    return HEADER.pack(len(body), _LEAF_TAG, crc32(body)) + body


def pack_sent(public: bytes, private_hash: bytes) -> bytes:
    """The frame of a record as it goes to a collector: the private part stays here, only its hash goes."""
    return pack(FrameType.SENT, _PUBLIC.pack(len(public)) + public + private_hash)


def unpack_leaf(body: bytes) -> tuple[bytes, bytes]:
    """The public part and what follows it (the private part, or its hash). Raises UntrustedInputError: too short."""
    length = int.from_bytes(body[:2], "big")
    if len(body) < 2 + length:
        raise UntrustedInputError(N_("an audit frame is shorter than it says"))
    return body[2 : 2 + length], body[2 + length :]


def unpack_sent(body: bytes) -> tuple[bytes, bytes]:
    """The public part and the hash of the private one. Raises UntrustedInputError: not of that shape."""
    public, hashed = unpack_leaf(body)
    if len(hashed) != len(chain.NO_PRIVATE):
        raise UntrustedInputError(N_("an audit frame is shorter than it says"))
    return public, hashed


def split(data: bytes, base: int = 0, *, final: bool = True) -> tuple[list[Item], int]:
    """The frames in ``data``, and how many of its bytes they take up.

    ``base`` is added to every offset. With ``final`` the data end here and what is left over is Torn; without, more
    will come and the rest is to be given again in front of it.
    """
    items: list[Item] = []
    at, end = 0, len(data)
    sums: Checksums | None = None  # from the first damage on
    unpack = HEADER.unpack_from
    while at + HEADER_BYTES <= end:
        length, tag, checksum = unpack(data, at)
        stop = at + HEADER_BYTES + length
        kind = _TAGS.get(tag)
        if kind is not None and length <= MAX_BODY_BYTES:
            if stop > end and not final:
                break
            begin = at + HEADER_BYTES
            if stop <= end and checksum == (crc32(data[begin:stop]) if sums is None else sums.of(begin, stop)):
                items.append(Frame(kind, data[begin:stop], base + at))
                at = stop
                continue
        sums = sums or Checksums(data)
        following = _next_frame(data, at + 1, sums)
        if following < 0:
            break
        items.append(Damage(base + at, following - at))
        at = following
    if final and at < end:
        items.append(Torn(base + at, end - at))
        at = end
    return items, at


def _next_frame(data: bytes, start: int, sums: Checksums) -> int:
    """Where the next whole frame with a right checksum begins at or after ``start``; -1 when there is none."""
    for found in _TYPE.finditer(data, start + 4):
        at = found.start() - 4
        if at + HEADER_BYTES > len(data):
            break
        length, _, checksum = HEADER.unpack_from(data, at)
        stop = at + HEADER_BYTES + length
        if 0 < length <= MAX_BODY_BYTES and stop <= len(data) and sums.of(at + HEADER_BYTES, stop) == checksum:
            return at
    return -1
