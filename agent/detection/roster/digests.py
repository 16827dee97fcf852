"""Keyed digests of what names a patient: the only form in which the list exists after it was read.

BLAKE2b (RFC 7693) under a random key of 32 bytes, cut to 64 bits, each sort of fact in a domain of its own, so that a
date never meets a name. Whoever holds key and digests can test guesses, and there are few names and dates: the key is
what protects the list, the digests alone protect nobody. Takes folded values, returns numbers; keeps nothing.
"""

from __future__ import annotations

import hashlib

KEY_BYTES = 32
_SIZE = 8  # bytes of a digest: a chance hit is one in 2**64 for each patient and question


class Digests:
    """The digests under one key. Names are folded (``names``), dates ISO, numbers compact; all of them bytes."""

    __slots__ = ("_birth", "_dated", "_family", "_name", "_nir", "_record", "_surname")

    def __init__(self, key: bytes) -> None:
        """``key`` has KEY_BYTES bytes; ValueError otherwise."""
        if len(key) != KEY_BYTES:
            raise ValueError("the key of a patient list has 32 bytes")
        self._birth, self._family, self._name = _base(key, b"birth"), _base(key, b"family"), _base(key, b"name")
        self._surname = _base(key, b"surname")
        self._nir, self._record, self._dated = _base(key, b"nir"), _base(key, b"record"), _base(key, b"dated")

    def birth(self, date: bytes) -> int:
        """A patient of the list was born that day."""
        return _finish(self._birth, date)

    def surname(self, family: bytes) -> int:
        """A patient of the list bears this family name."""
        return _finish(self._surname, family)

    def family(self, family: bytes, date: bytes) -> int:
        """... and was born that day."""
        return _finish(self._family, family + b"|" + date)

    def name(self, family: bytes, given: bytes, date: bytes) -> int:
        """... and has this given name: this is the patient."""
        return _finish(self._name, family + b"|" + given + b"|" + date)

    def nir(self, thirteen: bytes) -> int:
        """The social security or national health number, without its key."""
        return _finish(self._nir, thirteen)

    def record(self, number: bytes) -> int:
        """The practice's own number of a patient, long enough to be nobody else's."""
        return _finish(self._record, number)

    def dated_record(self, number: bytes, date: bytes) -> int:
        """A short number of the practice's together with the birth date."""
        return _finish(self._dated, number + b"|" + date)


def _base(key: bytes, domain: bytes) -> hashlib.blake2b:
    return hashlib.blake2b(key=key, digest_size=_SIZE, person=b"serment:" + domain)


def _finish(base: hashlib.blake2b, value: bytes) -> int:
    digest = base.copy()
    digest.update(value)
    return int.from_bytes(digest.digest(), "big")


def key_id(key: bytes) -> bytes:
    """Eight bytes that tell which key a list was made under, and nothing about the key."""
    return hashlib.blake2b(key=key, digest_size=8, person=b"serment:keyid").digest()


def seal_of(key: bytes, data: bytes) -> bytes:
    """32 bytes that only the holder of the key can make for this list."""
    return hashlib.blake2b(data, key=key, digest_size=32, person=b"serment:list").digest()
