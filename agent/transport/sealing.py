"""Bodies that only the collector opens, where TLS ends at somebody else: HPKE, ML-KEM-768 + X25519. Pure but for
chance.

The public key comes from the authority's signed statement. docs/formats/fleet-protocol.md, section 6.
"""

from __future__ import annotations

from typing import TYPE_CHECKING

from agent.errors import N_, UntrustedInputError

if TYPE_CHECKING:
    from cryptography.hazmat.primitives.hpke import MLKEM768X25519PrivateKey, Suite

_MLKEM_SEED, _X25519 = 64, 32
SECRET_BYTES = _MLKEM_SEED + _X25519
_MLKEM_PUBLIC = 1184
PUBLIC_BYTES = _MLKEM_PUBLIC + _X25519


def _suite() -> Suite:
    from cryptography.hazmat.primitives.hpke import AEAD, KDF, KEM, Suite

    return Suite(KEM.MLKEM768_X25519, KDF.HKDF_SHA256, AEAD.AES_128_GCM)


def make() -> tuple[bytes, bytes]:
    """A fresh pair: the secret (seeds, 96 bytes) and the public key (1216 bytes)."""
    from cryptography.hazmat.primitives.asymmetric.mlkem import MLKEM768PrivateKey
    from cryptography.hazmat.primitives.asymmetric.x25519 import X25519PrivateKey

    one, two = MLKEM768PrivateKey.generate(), X25519PrivateKey.generate()
    public = one.public_key().public_bytes_raw() + two.public_key().public_bytes_raw()
    return one.private_bytes_raw() + two.private_bytes_raw(), public


def seal(plain: bytes, public: bytes, info: bytes) -> bytes:
    """``plain`` for the holder of ``public``, in the context ``info``. Raises ValueError: no such key."""
    from cryptography.hazmat.primitives.asymmetric.mlkem import MLKEM768PublicKey
    from cryptography.hazmat.primitives.asymmetric.x25519 import X25519PublicKey
    from cryptography.hazmat.primitives.hpke import MLKEM768X25519PublicKey

    if len(public) != PUBLIC_BYTES:
        raise ValueError("not a key to seal for")
    key = MLKEM768X25519PublicKey(
        MLKEM768PublicKey.from_public_bytes(public[:_MLKEM_PUBLIC]),
        X25519PublicKey.from_public_bytes(public[_MLKEM_PUBLIC:]),
    )
    return _suite().encrypt(plain, key, info)


def unseal(untrusted: bytes, secret: bytes, info: bytes) -> bytes:
    """What was sealed. Raises UntrustedInputError: for another key or context, or changed on its way."""
    from cryptography.exceptions import InvalidTag

    try:
        return _suite().decrypt(untrusted, _private(secret), info)
    except (InvalidTag, ValueError) as error:
        raise UntrustedInputError(N_("the sealed request cannot be opened")) from error


def _private(secret: bytes) -> MLKEM768X25519PrivateKey:
    from cryptography.hazmat.primitives.asymmetric.mlkem import MLKEM768PrivateKey
    from cryptography.hazmat.primitives.asymmetric.x25519 import X25519PrivateKey
    from cryptography.hazmat.primitives.hpke import MLKEM768X25519PrivateKey

    return MLKEM768X25519PrivateKey(
        MLKEM768PrivateKey.from_seed_bytes(secret[:_MLKEM_SEED]),
        X25519PrivateKey.from_private_bytes(secret[_MLKEM_SEED:]),
    )
