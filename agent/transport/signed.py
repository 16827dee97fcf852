"""Requests that carry their own proof: HTTP message signatures (RFC 9421) by the laptop's key. Pure but for the key.

For networks where the client certificate does not arrive because a proxy opens TLS, and for the renewal of a
certificate that a handshake would refuse. One fixed profile: label, algorithm and covered components are not
negotiated, and what is sent but not covered does not count. docs/formats/fleet-protocol.md, section 5.
"""

from __future__ import annotations

import re
from base64 import b64decode, b64encode
from collections.abc import Mapping
from hashlib import sha256
from typing import TYPE_CHECKING

from agent.errors import N_, UntrustedInputError
from agent.transport import wire

if TYPE_CHECKING:
    from cryptography.hazmat.primitives.asymmetric.ec import EllipticCurvePrivateKey

INPUT_HEADER = "Signature-Input"
SIGNATURE_HEADER = "Signature"
DIGEST_HEADER = "Content-Digest"
_LABEL = "serment"
_ALGORITHM = "ecdsa-p256-sha256"
_COVERED = (
    wire.DEVICE_HEADER, wire.FROM_HEADER, wire.SIZE_HEADER, wire.LOG_HEADER, wire.SENT_HEADER, wire.MISSING_HEADER,
    wire.REPORT_HEADER, "Content-Encoding",
)  # fmt: skip
_PART_BYTES = 32
_INPUT = re.compile(
    r'serment=(\((?:"[@a-z-]{1,40}" ?){1,12}\);created=([0-9]{1,16});keyid="([a-z0-9_-]{3,64})"'
    r';alg="ecdsa-p256-sha256")'
)
_SIGNATURE = re.compile(r"serment=:([A-Za-z0-9+/]{86}==):")


def digest(body: bytes) -> str:
    """The Content-Digest of a body (RFC 9530)."""
    return f"sha-256=:{b64encode(sha256(body).digest()).decode('ascii')}:"


def sign(
    method: str, path: str, headers: Mapping[str, str], body: bytes, device: str, created_us: int,
    key: EllipticCurvePrivateKey,
) -> dict[str, str]:  # fmt: skip
    """The headers to add to a request. ``created_us``: microseconds since 1970 UTC, the laptop's clock."""
    from cryptography.hazmat.primitives import hashes
    from cryptography.hazmat.primitives.asymmetric.ec import ECDSA
    from cryptography.hazmat.primitives.asymmetric.utils import decode_dss_signature

    given = {**headers, DIGEST_HEADER: digest(body)}
    names = _components(given)
    listed = " ".join(f'"{name}"' for name in names)
    parameters = f'({listed});created={created_us};keyid="{device}";alg="{_ALGORITHM}"'
    r, s = decode_dss_signature(key.sign(_base(method, path, given, names, parameters), ECDSA(hashes.SHA256())))
    value = b64encode(r.to_bytes(_PART_BYTES, "big") + s.to_bytes(_PART_BYTES, "big")).decode("ascii")
    return {
        DIGEST_HEADER: given[DIGEST_HEADER],
        INPUT_HEADER: f"{_LABEL}={parameters}",
        SIGNATURE_HEADER: f"{_LABEL}=:{value}:",
    }


def verify(method: str, path: str, untrusted: Mapping[str, str], body: bytes, device: str, public: bytes) -> int:
    """When the request says that it was made (µs); ``public`` is the device's key (DER). Raises UntrustedInputError."""
    from cryptography.exceptions import InvalidSignature
    from cryptography.hazmat.primitives import hashes
    from cryptography.hazmat.primitives.asymmetric.ec import ECDSA, EllipticCurvePublicKey
    from cryptography.hazmat.primitives.asymmetric.utils import encode_dss_signature
    from cryptography.hazmat.primitives.serialization import load_der_public_key

    found = _INPUT.fullmatch(untrusted.get(INPUT_HEADER, ""))
    value = _SIGNATURE.fullmatch(untrusted.get(SIGNATURE_HEADER, ""))
    if not found or not value or found[3] != device or untrusted.get(DIGEST_HEADER, "") != digest(body):
        raise _wrong()
    names = _components(untrusted)
    if found[1].split(")")[0] + ")" != "(" + " ".join(f'"{name}"' for name in names) + ")":
        raise _wrong()
    raw = b64decode(value[1])
    signature = encode_dss_signature(int.from_bytes(raw[:_PART_BYTES], "big"), int.from_bytes(raw[_PART_BYTES:], "big"))
    try:
        key = load_der_public_key(public)
        if not isinstance(key, EllipticCurvePublicKey):
            raise _wrong()
        key.verify(signature, _base(method, path, untrusted, names, found[1]), ECDSA(hashes.SHA256()))
    except (InvalidSignature, ValueError) as error:
        raise _wrong() from error
    return int(found[2])


def _components(headers: Mapping[str, str]) -> list[str]:
    """What is covered, in its order: each of ours that is there."""
    there = [name.lower() for name in _COVERED if headers.get(name) is not None]
    return ["@method", "@path", DIGEST_HEADER.lower(), *there]


def _base(method: str, path: str, headers: Mapping[str, str], names: list[str], parameters: str) -> bytes:
    """The signature base (RFC 9421, 2.5)."""
    lowered = {name.lower(): value.strip() for name, value in headers.items()}
    values = {"@method": method, "@path": path, **lowered}
    lines = [f'"{name}": {values[name]}' for name in names]
    return "\n".join([*lines, f'"@signature-params": {parameters}']).encode("latin-1", "replace")


def _wrong() -> UntrustedInputError:
    return UntrustedInputError(N_("the request's signature is not right"))
