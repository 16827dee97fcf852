"""The hash of one record, and how each record names the one before it. Pure mathematics.

docs/formats/audit-log.md, section 4. The leaf hash is the same in both versions of the format; what a record carries of
its past is not: in version 1 a chain of heads, from version 2 on the leaf hash of the record before it. What nobody can
rewrite stands in the tree (``tree``) and its seals (``checkpoint``); the link only names the place.
"""

from __future__ import annotations

from hashlib import sha256

EMPTY_HEAD = bytes(32)
"""The head of a log without records."""
NO_PRIVATE = sha256(b"").digest()
"""SHA-256 of an empty private part."""
LINK_DIGITS = 16
LINK_BYTES = LINK_DIGITS // 2
_NOTHING, _LEAF = sha256(), sha256(b"\x00")


def leaf(public: bytes, private_hash: bytes = NO_PRIVATE) -> bytes:
    """The hash of one record: SHA-256(0x00 ‖ SHA-256(public) ‖ private_hash)."""
    public_hash, whole = _NOTHING.copy(), _LEAF.copy()  # quicker than new ones
    public_hash.update(public)
    whole.update(public_hash.digest() + private_hash)
    return whole.digest()


def private_hash(private: bytes) -> bytes:
    """SHA-256 of the private part, which stands for it wherever the private part itself does not go."""
    return sha256(private).digest() if private else NO_PRIVATE


def is_old(public: bytes) -> bool:
    """Whether a record is of version 1: those are JSON objects."""
    return public[:1] == b"{"


def advance(head: bytes, leaf_hash: bytes) -> bytes:
    """Version 1: the head after one more record, SHA-256(0x02 ‖ head ‖ leaf)."""
    return sha256(b"\x02" + head + leaf_hash).digest()


def head_after(head: bytes, public: bytes, leaf_hash: bytes) -> bytes:
    """The head after one more record: its leaf hash; for a record of version 1 the next of the chain."""
    return advance(head, leaf_hash) if public[:1] == b"{" else leaf_hash


def link(head: bytes) -> str:
    """What the next record says of the head before it ("p"): its first sixteen hexadecimal digits."""
    return head.hex()[:LINK_DIGITS]
