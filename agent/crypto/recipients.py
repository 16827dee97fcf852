"""The kinds of age keys that Serment makes and opens with, and how a file key is wrapped for one of them.

========= ========================== ======================= ==========================================
kind      recipient                  identity                stanza
========= ========================== ======================= ==========================================
x25519    ``age1…``                  ``AGE-SECRET-KEY-1…``   ``X25519``: every age program
hybrid    ``age1pq1…`` (1,959 chars) ``AGE-SECRET-KEY-PQ-1…`` ``mlkem768x25519``: age 1.3, also against
                                                             a quantum computer of the future
========= ========================== ======================= ==========================================

A file never mixes the kinds: the weaker one would open it. Values in, values out; opens nothing. The primitives are
``cryptography``'s, loaded when first needed.
"""

from __future__ import annotations

import hashlib
import secrets
from collections.abc import Iterable
from dataclasses import dataclass
from enum import StrEnum
from typing import Any

from agent.crypto import bech32
from agent.crypto.header import Header, Stanza, damaged, decode64, derive, encode64
from agent.errors import N_, SealError

FILE_KEY = 16  # bytes
_SEED = 32  # bytes of an identity of either kind
_ML_KEM = 1184  # bytes of the first half of a hybrid recipient
_ENCAPSULATED = 1120  # bytes
_X25519_INFO = b"age-encryption.org/v1/X25519"
_HYBRID_INFO = b"age-encryption.org/mlkem768x25519"
_NONCE = bytes(12)


class KeyKind(StrEnum):
    X25519 = "x25519"
    HYBRID = "hybrid"

    @property
    def stanza(self) -> bytes:
        return b"X25519" if self is KeyKind.X25519 else b"mlkem768x25519"


@dataclass(frozen=True, slots=True)
class NamedRecipient:
    """Somebody documents may be sealed to: always, or when a person names them."""

    name: str
    key: str
    always: bool = False


@dataclass(frozen=True, slots=True)
class Named:
    """The recipients that the policy names: the practice's recovery key (empty: the laptop's own), and others."""

    recovery: str = ""
    others: tuple[NamedRecipient, ...] = ()

    @property
    def always(self) -> tuple[str, ...]:
        return tuple(each.key for each in self.others if each.always)


_RECIPIENT_PREFIX = {"age": (KeyKind.X25519, 32), "age1pq": (KeyKind.HYBRID, _ML_KEM + 32)}
_IDENTITY_PREFIX = {"age-secret-key-": KeyKind.X25519, "age-secret-key-pq-": KeyKind.HYBRID}
_PREFIX_OF = {KeyKind.X25519: "age-secret-key-", KeyKind.HYBRID: "age-secret-key-pq-"}


def new_identity(kind: KeyKind) -> str:
    """A fresh private key of this kind, in upper case as age writes it."""
    return bech32.encode(_PREFIX_OF[kind], secrets.token_bytes(_SEED)).upper()


def kind_of(recipient: str) -> KeyKind:
    """Of a recipient. Raises SealError: it is none, or of a kind that Serment does not seal to."""
    return _recipient(recipient)[0]


def kind_of_identity(identity: str) -> KeyKind:
    """Of a private key. Raises SealError: damaged."""
    return _identity(identity)[0]


def recipient_of(identity: str) -> str:
    """The recipient that belongs to a private key. Raises SealError: damaged."""
    from cryptography.hazmat.primitives.asymmetric.x25519 import X25519PrivateKey

    kind, seed = _identity(identity)
    if kind is KeyKind.X25519:
        return bech32.encode("age", X25519PrivateKey.from_private_bytes(seed).public_key().public_bytes_raw())
    lattice, curve = _halves(seed)
    return bech32.encode("age1pq", lattice.public_key().public_bytes_raw() + curve.public_key().public_bytes_raw())


def digest_of(recipient: str) -> str:
    """Sixteen hexadecimal digits that name a recipient (a public key) in audit records."""
    return hashlib.sha256(recipient.encode()).hexdigest()[:16]


def one_kind(recipients: Iterable[str]) -> KeyKind:
    """The kind that all of them are of. Raises SealError: none at all, not recipients, or mixed."""
    kinds = {kind_of(text) for text in recipients}
    if not kinds:
        raise SealError(N_("a document is sealed for somebody"), hint=N_("name a recipient"))
    if len(kinds) > 1:
        raise SealError(
            N_("these recipients are of different kinds, and a file must not mix them"),
            hint=N_("use age1… keys alone, or age1pq1… keys alone"),
        )
    return kinds.pop()


def wrap(file_key: bytes, recipient: str) -> Stanza:
    """The stanza that gives ``file_key`` to ``recipient``. Raises SealError: not a recipient."""
    kind, public = _recipient(recipient)
    try:
        return _wrap_x25519(file_key, public) if kind is KeyKind.X25519 else _wrap_hybrid(file_key, public)
    except ValueError as error:  # a key that is no point of the curve's group, a lattice key out of range
        raise _no_recipient(recipient) from error


def unwrap(header: Header, identities: Iterable[str]) -> bytes:
    """The file key, and the header's MAC holds. Raises SealError: sealed for somebody else, or changed.

    Bounded: each identity tries the stanzas of its own kind, of which there are at most 128.
    """
    known = list(identities)
    for stanza in header.stanzas:
        found = opened_by(stanza, known)
        if found is not None:
            header.prove(found)
            return found
    if any(stanza.kind == b"scrypt" for stanza in header.stanzas):
        raise SealError(N_("this file is sealed with a phrase"), hint=N_("open it with its phrase: age -d"))
    raise SealError(
        N_("this file was sealed for somebody else"),
        hint=N_("ask the person it was sealed for, or the practice, to open it"),
    )


def opened_by(stanza: Stanza, identities: Iterable[str]) -> bytes | None:
    """The file key in one stanza when one of ``identities`` opens it, unproven. Raises SealError: breaks the rules."""
    for identity in identities:
        kind, seed = _identity(identity)
        if stanza.kind == kind.stanza and (found := _opened(stanza, kind, seed)) is not None:
            return found
    return None


def _opened(stanza: Stanza, kind: KeyKind, seed: bytes) -> bytes | None:
    """The file key when the stanza is for this identity. Raises SealError when it breaks the rules of its kind."""
    if len(stanza.args) != 2 or len(stanza.body) != FILE_KEY + 16:
        raise damaged()
    share = decode64(stanza.args[1], 32 if kind is KeyKind.X25519 else _ENCAPSULATED)
    return _unwrap_x25519(stanza, share, seed) if kind is KeyKind.X25519 else _unwrap_hybrid(stanza, share, seed)


def _wrap_x25519(file_key: bytes, public: bytes) -> Stanza:
    from cryptography.hazmat.primitives.asymmetric.x25519 import X25519PrivateKey, X25519PublicKey
    from cryptography.hazmat.primitives.ciphers.aead import ChaCha20Poly1305

    ephemeral = X25519PrivateKey.generate()
    share = ephemeral.public_key().public_bytes_raw()
    shared = ephemeral.exchange(X25519PublicKey.from_public_bytes(public))
    key = derive(shared, share + public, _X25519_INFO)
    return Stanza((b"X25519", encode64(share)), ChaCha20Poly1305(key).encrypt(_NONCE, file_key, None))


def _unwrap_x25519(stanza: Stanza, share: bytes, seed: bytes) -> bytes | None:
    from cryptography.exceptions import InvalidTag
    from cryptography.hazmat.primitives.asymmetric.x25519 import X25519PrivateKey, X25519PublicKey
    from cryptography.hazmat.primitives.ciphers.aead import ChaCha20Poly1305

    own = X25519PrivateKey.from_private_bytes(seed)
    try:
        shared = own.exchange(X25519PublicKey.from_public_bytes(share))
    except ValueError as error:  # a shared secret of zeros
        raise damaged() from error
    key = derive(shared, share + own.public_key().public_bytes_raw(), _X25519_INFO)
    try:
        return ChaCha20Poly1305(key).decrypt(_NONCE, stanza.body, None)
    except InvalidTag:
        return None


def _wrap_hybrid(file_key: bytes, public: bytes) -> Stanza:
    from cryptography.hazmat.primitives import hpke
    from cryptography.hazmat.primitives.asymmetric.mlkem import MLKEM768PublicKey
    from cryptography.hazmat.primitives.asymmetric.x25519 import X25519PublicKey

    key = hpke.MLKEM768X25519PublicKey(
        MLKEM768PublicKey.from_public_bytes(public[:_ML_KEM]), X25519PublicKey.from_public_bytes(public[_ML_KEM:])
    )
    sealed = _suite().encrypt(file_key, key, _HYBRID_INFO)
    return Stanza((b"mlkem768x25519", encode64(sealed[:_ENCAPSULATED])), sealed[_ENCAPSULATED:])


def _unwrap_hybrid(stanza: Stanza, share: bytes, seed: bytes) -> bytes | None:
    from cryptography.exceptions import InvalidTag
    from cryptography.hazmat.primitives import hpke

    try:
        found: bytes = _suite().decrypt(
            share + stanza.body, hpke.MLKEM768X25519PrivateKey(*_halves(seed)), _HYBRID_INFO
        )
    except (InvalidTag, ValueError):
        return None
    return found


def _suite() -> Any:
    from cryptography.hazmat.primitives import hpke

    return hpke.Suite(hpke.KEM.MLKEM768_X25519, hpke.KDF.HKDF_SHA256, hpke.AEAD.CHACHA20_POLY1305)


def _halves(seed: bytes) -> tuple[Any, Any]:
    """The lattice key and the curve key that the seed of a hybrid identity stands for (X-Wing)."""
    from cryptography.hazmat.primitives.asymmetric.mlkem import MLKEM768PrivateKey
    from cryptography.hazmat.primitives.asymmetric.x25519 import X25519PrivateKey

    expanded = hashlib.shake_256(seed).digest(96)
    return MLKEM768PrivateKey.from_seed_bytes(expanded[:64]), X25519PrivateKey.from_private_bytes(expanded[64:])


def _recipient(text: str) -> tuple[KeyKind, bytes]:
    try:
        prefix, data = bech32.decode(text.strip())
        kind, size = _RECIPIENT_PREFIX[prefix]
    except (ValueError, KeyError) as error:
        raise _no_recipient(text) from error
    if len(data) != size or text.strip() != text.strip().lower():
        raise _no_recipient(text)
    return kind, data


def _no_recipient(text: str) -> SealError:
    if text.strip().upper().startswith("AGE-SECRET-KEY"):
        text = "AGE-SECRET-KEY-…"  # a private key given by mistake is not repeated
    return SealError(
        N_("this is not an age recipient: {recipient}"), hint=N_("a recipient begins with age1"), recipient=text[:80]
    )


def _identity(text: str) -> tuple[KeyKind, bytes]:
    try:
        prefix, seed = bech32.decode(text.strip())
        kind = _IDENTITY_PREFIX[prefix]
    except (ValueError, KeyError) as error:
        raise _no_identity() from error
    if len(seed) != _SEED:
        raise _no_identity()
    return kind, seed


def _no_identity() -> SealError:
    return SealError(N_("the private key is damaged"), hint=N_("put keys back from a backup"))
