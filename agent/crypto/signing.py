"""Ed25519: keys that sign once and are gone, keys that lie in a file, and the check of many signatures at once.

The primitives are ``cryptography``'s, loaded when first needed. A key that is meant to sign once lives inside the
library alone: its secret is never asked for, so no object of ours holds it, and the library clears it when it is let
go. Keys that outlive the process (``FileKey``) have a seed that whoever owns the file writes and destroys.
"""

from __future__ import annotations

import os
import secrets
from collections.abc import Sequence
from typing import NamedTuple

SEED_BYTES = 32
PUBLIC_BYTES = 32
_TOGETHER = 64  # fewer signatures are not worth a thread
_MAX_THREADS = 8


class Signed(NamedTuple):
    """A signature to check: by whom, the signature, over what."""

    public: bytes
    signature: bytes
    message: bytes


class OnceKey:
    """A fresh key that signs one message; its secret never leaves the library."""

    __slots__ = ("_key", "public")

    def __init__(self) -> None:
        from cryptography.hazmat.primitives.asymmetric.ed25519 import Ed25519PrivateKey

        self._key: Ed25519PrivateKey | None = Ed25519PrivateKey.generate()
        self.public = self._key.public_key().public_bytes_raw()

    def sign(self, message: bytes) -> bytes:
        """The signature; the key is gone afterwards. Raises ValueError: it has signed already."""
        key, self._key = self._key, None
        if key is None:
            raise ValueError("this key has signed")
        return key.sign(message)


class FileKey:
    """A key made from ``seed`` (32 bytes; a fresh one without), for keys that must be there at the next start."""

    __slots__ = ("_key", "public", "seed")

    def __init__(self, seed: bytes | None = None) -> None:
        from cryptography.hazmat.primitives.asymmetric.ed25519 import Ed25519PrivateKey

        self.seed = secrets.token_bytes(SEED_BYTES) if seed is None else seed
        self._key = Ed25519PrivateKey.from_private_bytes(self.seed)
        self.public = self._key.public_key().public_bytes_raw()

    def sign(self, message: bytes) -> bytes:
        """The signature over ``message``."""
        return self._key.sign(message)


def is_right(signed: Signed) -> bool:
    """Whether one signature holds; any bytes may be given."""
    from cryptography.exceptions import InvalidSignature
    from cryptography.hazmat.primitives.asymmetric.ed25519 import Ed25519PublicKey

    try:
        Ed25519PublicKey.from_public_bytes(signed.public).verify(signed.signature, signed.message)
    except (InvalidSignature, ValueError):
        return False
    return True


def first_wrong(batch: Sequence[Signed]) -> int | None:
    """The number of the first signature in ``batch`` that does not hold; None when all do.

    On all processors: the library computes without holding the interpreter.
    """
    threads = min(os.cpu_count() or 1, _MAX_THREADS, len(batch) // _TOGETHER)
    if threads < 2:
        return next((number for number, signed in enumerate(batch) if not is_right(signed)), None)
    size = -(-len(batch) // threads)
    parts = [range(begin, min(begin + size, len(batch))) for begin in range(0, len(batch), size)]

    def wrong_in(part: range) -> int | None:
        return next((number for number in part if not is_right(batch[number])), None)

    from concurrent.futures import ThreadPoolExecutor  # the resident agent signs, and has no use for it

    with ThreadPoolExecutor(threads) as pool:
        return next((found for found in pool.map(wrong_in, parts) if found is not None), None)
