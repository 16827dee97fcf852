"""Small texts as age files, in memory: one chunk of payload, a header by whoever wraps the file key. Pure.

For private keys under a phrase or for an officer; documents go through ``sealed``, which streams.
"""

from __future__ import annotations

import secrets
from collections.abc import Callable

from agent.crypto.header import Header, Stanza, build, damaged, derive, parse
from agent.crypto.recipients import FILE_KEY, one_kind, unwrap, wrap

MAX_BYTES = 64 * 1024 - 1  # of a text: one chunk of age's payload
_NONCE = 16  # bytes
_LAST_CHUNK = bytes(11) + b"\x01"


def seal_message(plain: bytes, recipients: list[str]) -> bytes:
    """An age file for these recipients. Raises SealError as ``one_kind``, ValueError for more than 64 KiB."""
    one_kind(recipients)
    return seal_wrapped(plain, lambda file_key: [wrap(file_key, each) for each in recipients])


def open_message(sealed: bytes, identities: list[str]) -> bytes:
    """What ``seal_message`` sealed. Raises SealError: for somebody else, damaged."""
    header = parse(sealed)
    return open_wrapped(sealed, header, unwrap(header, identities))


def seal_wrapped(plain: bytes, wraps: Callable[[bytes], list[Stanza]]) -> bytes:
    """An age file whose fresh file key ``wraps`` turns into stanzas."""
    from cryptography.hazmat.primitives.ciphers.aead import ChaCha20Poly1305

    if len(plain) > MAX_BYTES:
        raise ValueError("only small texts")
    file_key, nonce = secrets.token_bytes(FILE_KEY), secrets.token_bytes(_NONCE)
    payload = ChaCha20Poly1305(derive(file_key, nonce, b"payload")).encrypt(_LAST_CHUNK, plain, None)
    return build(wraps(file_key), file_key) + nonce + payload


def open_wrapped(sealed: bytes, header: Header, file_key: bytes) -> bytes:
    """The text of an age file whose file key is known. Raises SealError when it was changed."""
    from cryptography.exceptions import InvalidTag
    from cryptography.hazmat.primitives.ciphers.aead import ChaCha20Poly1305

    header.prove(file_key)
    nonce, chunk = sealed[header.size : header.size + _NONCE], sealed[header.size + _NONCE :]
    try:
        return ChaCha20Poly1305(derive(file_key, nonce, b"payload")).decrypt(_LAST_CHUNK, chunk, None)
    except InvalidTag as error:
        raise damaged() from error
