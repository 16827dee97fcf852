"""Certificates of laptops and of the collector's own address: made here, read here, by the authority's key.

A laptop's certificate says its pseudonym and its group, nothing of a person or a host name.
"""

from __future__ import annotations

import ipaddress
import re
from dataclasses import dataclass
from datetime import UTC, datetime, timedelta
from typing import TYPE_CHECKING

from agent.errors import N_, UntrustedInputError
from agent.transport.wire import valid_device
from collector.enrol.authority import Authority

if TYPE_CHECKING:
    from cryptography.hazmat.primitives.asymmetric.ec import EllipticCurvePublicKey
    from cryptography.x509 import Certificate, CertificateBuilder

LIFE_DAYS = 90
LATE_DAYS = 365
SERVER_DAYS = 90
MAX_PEM = 8192
URI = "urn:serment:device:"
_GROUP = re.compile(r"[^\x00-\x1f\x7f]{0,60}")


@dataclass(frozen=True, slots=True)
class Issued:
    """A certificate that was made; ``until`` in seconds since 1970 UTC."""

    pem: str
    serial: str
    key: bytes
    until: int


def key_of_request(untrusted: str) -> EllipticCurvePublicKey:
    """The key in a certificate request (PEM) that is signed by it. Raises UntrustedInputError: not P-256, not
    signed.
    """
    from cryptography import x509
    from cryptography.exceptions import UnsupportedAlgorithm

    try:
        if len(untrusted) > MAX_PEM:
            raise ValueError
        request = x509.load_pem_x509_csr(untrusted.encode())
        if not request.is_signature_valid:
            raise ValueError
        return _p256(request.public_key())
    except (ValueError, TypeError, UnsupportedAlgorithm, UnicodeEncodeError) as error:
        raise UntrustedInputError(N_("the certificate request cannot be used")) from error


def _p256(key: object) -> EllipticCurvePublicKey:
    from cryptography.hazmat.primitives.asymmetric.ec import SECP256R1, EllipticCurvePublicKey

    if not isinstance(key, EllipticCurvePublicKey) or not isinstance(key.curve, SECP256R1):
        raise TypeError("not a P-256 key")
    return key


def spki(key: EllipticCurvePublicKey) -> bytes:
    """A public key as it is kept (DER)."""
    from cryptography.hazmat.primitives.serialization import Encoding, PublicFormat

    return key.public_bytes(Encoding.DER, PublicFormat.SubjectPublicKeyInfo)


def issue(authority: Authority, device: str, group: str, key: EllipticCurvePublicKey, now: int) -> Issued:
    """A laptop's certificate. Raises UntrustedInputError: the pseudonym or the group cannot stand in one."""
    from cryptography import x509
    from cryptography.x509.oid import ExtendedKeyUsageOID, NameOID

    if not valid_device(device) or not _GROUP.fullmatch(group):
        raise UntrustedInputError(N_("the pseudonym or the group cannot stand in a certificate"))
    names = [x509.NameAttribute(NameOID.COMMON_NAME, device)]
    if group:
        names.append(x509.NameAttribute(NameOID.ORGANIZATIONAL_UNIT_NAME, group))
    builder = _builder(authority, x509.Name(names), key, now, LIFE_DAYS)
    builder = builder.add_extension(
        x509.SubjectAlternativeName([x509.UniformResourceIdentifier(URI + device)]), critical=False
    ).add_extension(x509.ExtendedKeyUsage([ExtendedKeyUsageOID.CLIENT_AUTH]), critical=False)
    return _issued(authority, builder, key)


def issue_server(authority: Authority, names: tuple[str, ...], key: EllipticCurvePublicKey, now: int) -> Issued:
    """The certificate of the collector's own address, for host names and IP addresses."""
    from cryptography import x509
    from cryptography.x509.oid import ExtendedKeyUsageOID, NameOID

    called: list[x509.GeneralName] = []
    for name in names:
        try:
            called.append(x509.IPAddress(ipaddress.ip_address(name)))
        except ValueError:
            called.append(x509.DNSName(name))
    subject = x509.Name([x509.NameAttribute(NameOID.COMMON_NAME, "Serment collector")])
    builder = _builder(authority, subject, key, now, SERVER_DAYS)
    builder = builder.add_extension(x509.SubjectAlternativeName(called), critical=False).add_extension(
        x509.ExtendedKeyUsage([ExtendedKeyUsageOID.SERVER_AUTH]), critical=False
    )
    return _issued(authority, builder, key)


def _builder(
    authority: Authority, subject: object, key: EllipticCurvePublicKey, now: int, days: int
) -> CertificateBuilder:
    from cryptography import x509

    begin = datetime.fromtimestamp(now, UTC)
    return (
        x509.CertificateBuilder()
        .subject_name(subject)  # type: ignore[arg-type]
        .issuer_name(authority.certificate.subject)
        .public_key(key)
        .serial_number(x509.random_serial_number())
        .not_valid_before(begin - timedelta(days=1))  # laptops' clocks are late, sometimes
        .not_valid_after(begin + timedelta(days=days))
        .add_extension(x509.BasicConstraints(ca=False, path_length=None), critical=True)
        .add_extension(x509.AuthorityKeyIdentifier.from_issuer_public_key(authority.key.public_key()), critical=False)
    )


def _issued(authority: Authority, builder: CertificateBuilder, key: EllipticCurvePublicKey) -> Issued:
    from cryptography.hazmat.primitives import hashes
    from cryptography.hazmat.primitives.serialization import Encoding

    made = builder.sign(authority.key, hashes.SHA256())
    pem = made.public_bytes(Encoding.PEM).decode("ascii")
    return Issued(pem, f"{made.serial_number:x}", spki(key), int(made.not_valid_after_utc.timestamp()))


def read_certificate(authority: Authority, untrusted: str) -> tuple[str, EllipticCurvePublicKey, int]:
    """Pseudonym, key and end (seconds) of a laptop's certificate that this authority made, whatever its dates.

    Raises UntrustedInputError.
    """
    from cryptography import x509
    from cryptography.exceptions import InvalidSignature

    try:
        if len(untrusted) > MAX_PEM:
            raise ValueError
        found = x509.load_pem_x509_certificate(untrusted.encode())
        found.verify_directly_issued_by(authority.certificate)
        return pseudonym(found), _p256(found.public_key()), int(found.not_valid_after_utc.timestamp())
    except (ValueError, TypeError, InvalidSignature, x509.ExtensionNotFound, UnicodeEncodeError) as error:
        raise UntrustedInputError(N_("the certificate is not of this authority")) from error


def pseudonym(certificate: Certificate) -> str:
    """The laptop that a certificate is for. Raises ValueError and x509.ExtensionNotFound: for none."""
    from cryptography import x509

    names = certificate.extensions.get_extension_for_class(x509.SubjectAlternativeName).value
    found = names.get_values_for_type(x509.UniformResourceIdentifier)
    if len(found) != 1 or not found[0].startswith(URI) or not valid_device(found[0].removeprefix(URI)):
        raise ValueError("not a laptop's certificate")
    return found[0].removeprefix(URI)
