"""The hash chain over audit records. Pure mathematics; the one module that a Merkle tree will replace.

docs/formats/audit-log.md, section 4. Prefix bytes keep the three uses of SHA-256 apart: 0x00 a leaf, 0x02 a head (0x01
is left to the inner nodes of a tree, RFC 6962).
"""

from __future__ import annotations

from hashlib import sha256

EMPTY_HEAD = bytes(32)
"""The head of a log without records."""
NO_PRIVATE = sha256(b"").digest()
"""SHA-256 of an empty private part."""
LINK_DIGITS = 16


def leaf(public: bytes, private_hash: bytes = NO_PRIVATE) -> bytes:
    """The hash of one record: SHA-256(0x00 ‖ SHA-256(public) ‖ private_hash)."""
    return sha256(b"\x00" + sha256(public).digest() + private_hash).digest()


def private_hash(private: bytes) -> bytes:
    """SHA-256 of the private part, which stands for it wherever the private part itself does not go."""
    return sha256(private).digest() if private else NO_PRIVATE


def advance(head: bytes, leaf_hash: bytes) -> bytes:
    """The head after one more record: SHA-256(0x02 ‖ head ‖ leaf)."""
    return sha256(b"\x02" + head + leaf_hash).digest()


def link(head: bytes) -> str:
    """What the next record says of the head before it ("p"): its first sixteen hexadecimal digits."""
    return head.hex()[:LINK_DIGITS]
