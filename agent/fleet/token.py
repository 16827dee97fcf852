"""The token by which a laptop joins: the authority it pins, a secret for once, and where to go. Pure.

``SRM1-<42 characters>@<host>:<port>``; docs/formats/fleet-protocol.md, section 1. Read aloud and typed by people: case,
blanks and hyphens do not matter.
"""

from __future__ import annotations

import re
from base64 import b32decode, b32encode
from binascii import Error
from hashlib import sha256
from typing import NamedTuple

from agent.errors import N_, UsageError

PREFIX = "SRM1"
PIN_BYTES = 10
SECRET_BYTES = 16
_CHARACTERS = 42
_GROUP = 7
_HOST = re.compile(r"(\[[0-9A-Fa-f:.]{2,45}\]|[A-Za-z0-9](?:[A-Za-z0-9.-]{0,251}[A-Za-z0-9])?):([0-9]{1,5})")


class Token(NamedTuple):
    """``pin``: how the digest of the authority's certificate begins. ``host`` may be an IPv6 address in brackets."""

    pin: bytes
    secret: bytes
    host: str
    port: int

    @property
    def url(self) -> str:
        return f"https://{self.host}:{self.port}"


def pin_of(certificate: bytes) -> bytes:
    """What a token says of an authority's certificate (DER)."""
    return sha256(certificate).digest()[:PIN_BYTES]


def write(token: Token) -> str:
    """The token as people get it, in groups."""
    text = b32encode(token.pin + token.secret).decode("ascii").rstrip("=")
    groups = [text[at : at + _GROUP] for at in range(0, len(text), _GROUP)]
    return f"{PREFIX}-{'-'.join(groups)}@{token.host}:{token.port}"


def read(untrusted: str) -> Token:
    """The token in what somebody typed or pasted. Raises UsageError; its text does not repeat the secret."""
    code, at, address = untrusted.strip().partition("@")
    compact = re.sub(r"[\s-]", "", code).upper()
    found = _HOST.fullmatch(re.sub(r"\s", "", address))
    if not at or not compact.startswith(PREFIX) or len(compact) != len(PREFIX) + _CHARACTERS or found is None:
        raise _wrong()
    try:
        data = b32decode(compact[len(PREFIX) :] + "=" * (-_CHARACTERS % 8))
    except Error as error:
        raise _wrong() from error
    if len(data) != PIN_BYTES + SECRET_BYTES or int(found[2]) not in range(1, 65536):
        raise _wrong()
    return Token(data[:PIN_BYTES], data[PIN_BYTES:], found[1], int(found[2]))


def _wrong() -> UsageError:
    return UsageError(
        N_("this is not an enrolment token"),
        hint=N_("a token looks like SRM1-…@collector.example:8443; copy all of it, or ask for a new one"),
    )
