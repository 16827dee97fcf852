"""The collector's certification authority, and the statement by which laptops know its other keys.

Owns ``authority/`` in the collector's folder: the CA's key and certificate, the key that opens sealed requests. They
are made at the first start and never again: whoever loses them has to enrol every laptop anew. A second collector on
the same database gets a copy of the folder.
"""

from __future__ import annotations

import os
import time
from base64 import b64encode
from dataclasses import dataclass
from datetime import UTC, datetime, timedelta
from pathlib import Path
from typing import TYPE_CHECKING

import msgspec

from agent.errors import N_, HostError
from agent.fsys.atomic import private_folder, replace_file
from agent.transport import sealing
from collector.ingest.witness import load_witness

if TYPE_CHECKING:
    from cryptography.hazmat.primitives.asymmetric.ec import EllipticCurvePrivateKey
    from cryptography.x509 import Certificate

FOLDER = "authority"
STATEMENT_CONTEXT = b"serment authority 1\n"
_KEY, _CERTIFICATE, _SEAL, _MADE = "ca.key", "ca.pem", "seal.key", "made"
_YEARS = 20
_MAX_FILE = 16384


@dataclass(frozen=True, slots=True)
class Authority:
    """What signs certificates. ``statement`` is the JSON text that names the other keys, ``signature`` over it."""

    key: EllipticCurvePrivateKey
    certificate: Certificate
    pem: str
    der: bytes
    statement: str
    signature: bytes
    seal_secret: bytes

    def unseal(self, body: bytes, info: bytes) -> bytes:
        """A sealed request. Raises UntrustedInputError."""
        return sealing.unseal(body, self.seal_secret, info)

    def document(self, root: str = "") -> dict[str, str]:
        """What anybody may have: /v1/authority. ``root``: SHA-256 of the first root of the policy's repository."""
        statement, signature = self.statement, self.signature
        if root:
            statement = msgspec.json.encode({**msgspec.json.decode(statement), "root": root}).decode()
            signature = _sign(self.key, STATEMENT_CONTEXT + statement.encode())
        return {"ca": self.pem, "statement": statement, "signature": b64encode(signature).decode("ascii")}


def exists(data: Path) -> bool:
    """Whether this collector has an authority already."""
    return (data / FOLDER / _CERTIFICATE).exists()


def load_authority(data: Path) -> Authority:
    """The authority in ``data``, made when there is none. Raises HostError: unreadable or damaged."""
    from cryptography import x509
    from cryptography.hazmat.primitives.asymmetric.ec import EllipticCurvePrivateKey
    from cryptography.hazmat.primitives.serialization import Encoding, load_pem_private_key

    folder = data / FOLDER
    if not exists(data):
        _make(private_folder(folder))
    try:
        key = load_pem_private_key(_read(folder / _KEY), None)
        certificate = x509.load_pem_x509_certificate(_read(folder / _CERTIFICATE))
        secret, public = _read(folder / _SEAL)[: sealing.SECRET_BYTES], _read(folder / _SEAL)[sealing.SECRET_BYTES :]
        made = int(_read(folder / _MADE))
    except ValueError as error:
        raise _damaged(folder) from error
    if not isinstance(key, EllipticCurvePrivateKey) or key.public_key() != certificate.public_key():
        raise _damaged(folder)
    if len(public) != sealing.PUBLIC_BYTES:
        raise _damaged(folder)
    statement = _statement(public, load_witness(data).public, made)
    pem, der = certificate.public_bytes(Encoding.PEM).decode("ascii"), certificate.public_bytes(Encoding.DER)
    signature = _sign(key, STATEMENT_CONTEXT + statement.encode())
    return Authority(key, certificate, pem, der, statement, signature, secret)


def _statement(seal: bytes, witness: bytes, made: int) -> str:
    return msgspec.json.encode({"seal": seal, "witness": witness.hex(), "made": made}).decode()


def _sign(key: EllipticCurvePrivateKey, message: bytes) -> bytes:
    from cryptography.hazmat.primitives import hashes
    from cryptography.hazmat.primitives.asymmetric.ec import ECDSA

    return key.sign(message, ECDSA(hashes.SHA256()))


def _make(folder: Path) -> None:
    """The certificate last: without it there is no authority, and the next start makes it again."""
    from cryptography.hazmat.primitives.asymmetric.ec import SECP256R1, generate_private_key
    from cryptography.hazmat.primitives.serialization import Encoding, NoEncryption, PrivateFormat

    key = generate_private_key(SECP256R1())
    replace_file(folder / _KEY, key.private_bytes(Encoding.PEM, PrivateFormat.PKCS8, NoEncryption()))
    replace_file(folder / _SEAL, b"".join(sealing.make()))
    replace_file(folder / _MADE, str(int(time.time())).encode())
    replace_file(folder / _CERTIFICATE, _self_signed(key).public_bytes(Encoding.PEM), mode=0o644)


def _self_signed(key: EllipticCurvePrivateKey) -> Certificate:
    from cryptography import x509
    from cryptography.hazmat.primitives import hashes
    from cryptography.x509.oid import NameOID

    name = x509.Name([x509.NameAttribute(NameOID.COMMON_NAME, f"Serment {os.urandom(4).hex()}")])
    now = datetime.now(UTC)
    return (
        x509.CertificateBuilder()
        .subject_name(name)
        .issuer_name(name)
        .public_key(key.public_key())
        .serial_number(x509.random_serial_number())
        .not_valid_before(now - timedelta(days=1))
        .not_valid_after(now + timedelta(days=365 * _YEARS))
        .add_extension(x509.BasicConstraints(ca=True, path_length=0), critical=True)
        .add_extension(
            x509.KeyUsage(
                digital_signature=True, key_cert_sign=True, crl_sign=True, content_commitment=False,
                key_encipherment=False, data_encipherment=False, key_agreement=False, encipher_only=False,
                decipher_only=False,
            ),
            critical=True,
        )
        .add_extension(x509.SubjectKeyIdentifier.from_public_key(key.public_key()), critical=False)
        .sign(key, hashes.SHA256())
    )  # fmt: skip


def _read(path: Path) -> bytes:
    try:
        fd = os.open(path, os.O_RDONLY | os.O_CLOEXEC | os.O_NOFOLLOW)
        with open(fd, "rb") as file:
            return file.read(_MAX_FILE)
    except OSError as error:
        raise HostError(N_("cannot be read: {why}"), where=str(path), why=error.strerror or "") from error


def _damaged(folder: Path) -> HostError:
    return HostError(
        N_("the authority of this collector is damaged"), where=str(folder),
        hint=N_("put it back from a backup; without it every laptop has to be enrolled again"),
    )  # fmt: skip
