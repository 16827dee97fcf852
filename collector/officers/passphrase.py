"""Passphrases as they are kept: scrypt, with a salt of their own. Knows no accounts.

32 MB and about a tenth of a second for each attempt (RFC 7914; N = 2^15, r = 8). Two attempts at a time: guessing must
not take the memory that laptops' records need.
"""

from __future__ import annotations

import hashlib
import hmac
import secrets
import threading
import unicodedata
from base64 import b64decode, b64encode

MIN_CHARACTERS = 12
MAX_CHARACTERS = 256
_COST = {"n": 1 << 15, "r": 8, "p": 1, "maxmem": 64 << 20, "dklen": 32}
_working = threading.BoundedSemaphore(2)


def make(passphrase: str) -> str:
    """What is kept of a passphrase."""
    salt = secrets.token_bytes(16)
    return f"scrypt15${b64encode(salt).decode()}${b64encode(_derive(passphrase, salt)).decode()}"


NOBODY = "scrypt15$" + b64encode(bytes(16)).decode() + "$" + b64encode(bytes(32)).decode()
"""Stands for an account that is not there: it takes as long to refuse as one that is."""


def fits(untrusted: str, kept: str) -> bool:
    """Whether this is the passphrase; False for an account that has none yet."""
    method, _, rest = (kept or NOBODY).partition("$")
    salt, _, digest = rest.partition("$")
    derived = _derive(untrusted[:MAX_CHARACTERS], b64decode(salt))
    return method == "scrypt15" and hmac.compare_digest(derived, b64decode(digest)) and bool(kept)


def _derive(passphrase: str, salt: bytes) -> bytes:
    text = unicodedata.normalize("NFKC", passphrase).encode("utf-8", "surrogatepass")
    with _working:
        return hashlib.scrypt(text, salt=salt, **_COST)
