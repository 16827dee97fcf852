"""Joining a fleet, and staying in it: the first contact, and the renewal of the certificate, also when it is long over.

The first contact trusts nothing but the token: the secret is sent only over a connection, or sealed to a key, that the
pinned authority vouches for. docs/formats/fleet-protocol.md, sections 1, 2, 5, 6.
"""

from __future__ import annotations

import ssl
import time
import warnings
from pathlib import Path
from typing import TYPE_CHECKING, TypeVar

import msgspec

from agent.errors import N_, TransportError
from agent.fleet.identity import (
    CERTIFICATE,
    Authority,
    Identity,
    Membership,
    Statement,
    pinned,
    save_identity,
    trusted_authority,
)
from agent.fleet.key_sealing import sealed
from agent.fleet.token import Token
from agent.fsys.atomic import replace_file
from agent.transport import sealing, signed
from agent.transport.https import Answer, Line, denied, refused, unreachable

if TYPE_CHECKING:
    from cryptography.hazmat.primitives.asymmetric.ec import EllipticCurvePrivateKey

MAX_ANSWER = 32 << 10
SEAL_INFO = b"serment enrol 1"
ENCODING = "serment-hpke"
_Kind = TypeVar("_Kind")
_JSON = {"Content-Type": "application/json"}


class _Entered(msgspec.Struct):
    device: str
    group: str
    certificate: str


class _Renewed(msgspec.Struct):
    certificate: str


def enrol(
    token: Token, folder: Path, device: str, log: str, version: str, *, owner: tuple[int, int] | None = None,
    proxy: str | None = None, seal: bool = False,
) -> Membership:  # fmt: skip
    """Join the collector that ``token`` is for, as ``device``; what this laptop is then known by lies in ``folder``.
    ``seal``: the key is sealed to this laptop, when it can be, for systemd to open (``key_sealing``).

    Raises TransportError (kinds as ``Line.ask``, and "refused": the token is not good) and HostError.
    """
    authority, statement = _met(token, proxy)
    key = new_key()
    body = msgspec.json.encode(
        {"secret": token.secret, "csr": request_for(key, device), "device": device, "version": version, "log": log}
    )
    answer = _first(token.url, pinned(authority.ca), statement, "/v1/enrol", _JSON, body, proxy)
    if answer.status != 201:
        raise _not_entered(answer)
    entered = _decoded(answer, _Entered)
    member = Membership(token.url, entered.device, entered.group, authority)
    if _check_certificate(entered.certificate, authority.ca, key) != (entered.device, entered.group):
        raise _not_understood()  # whoever opens TLS on the way may write an answer, and would choose the policy
    blob = sealed(pem_of(key))[0] if seal else b""
    save_identity(folder, member, entered.certificate, blob or pem_of(key), owner, is_sealed=bool(blob))
    return member


def _met(token: Token, proxy: str | None) -> tuple[Authority, Statement]:
    """Ask for the authority over a connection that proves nothing; the token's pin does."""
    unproven = ssl.SSLContext(ssl.PROTOCOL_TLS_CLIENT)
    unproven.check_hostname = False
    unproven.verify_mode = ssl.CERT_NONE
    line = Line(token.url, context=unproven, proxy=proxy)
    try:
        with warnings.catch_warnings():  # urllib3 warns of what is meant: nothing of this answer is taken on trust
            warnings.simplefilter("ignore")
            answer = line.ask("GET", "/v1/authority", {}, b"", MAX_ANSWER)
    finally:
        line.close()
    if answer.status != 200:
        raise unreachable(f"HTTP {answer.status}", answer.retry_s)
    return trusted_authority(answer.body, token.pin)


def _first(
    url: str, context: ssl.SSLContext, statement: Statement, path: str, headers: dict[str, str], body: bytes,
    proxy: str | None,
) -> Answer:  # fmt: skip
    """Ask over the pinned authority's TLS; where a proxy opens TLS, over the system's, sealed."""
    line = Line(url, context=context, proxy=proxy)
    try:
        return line.ask("POST", path, headers, body, MAX_ANSWER)
    except TransportError as error:
        if error.fields.get("kind") != "untrusted":
            raise
    finally:
        line.close()
    sealed = sealing.seal(body, statement.seal, SEAL_INFO)
    line = Line(url, proxy=proxy)
    try:
        return line.ask("POST", path, {**headers, "Content-Encoding": ENCODING}, sealed, MAX_ANSWER)
    finally:
        line.close()


def is_due(begin: int, end: int, now: int) -> bool:
    """Whether a certificate is to be renewed: two thirds of its life are over."""
    return now >= end - (end - begin) // 3


def renew(identity: Identity, *, proxy: str | None = None) -> bool:
    """Renew the certificate when its time has come; whether it was. The key stays the same.

    Raises TransportError: "denied", "refused" (too late: the laptop must be enrolled again), or as ``Line.ask``.
    """
    pem, begin, end = identity.certificate()
    now = int(time.time())
    if not is_due(begin, end, now):
        return False
    key, device = identity.key(), identity.member.device
    body = msgspec.json.encode({"csr": request_for(key, device), "certificate": pem})
    answer = _ask_signed(identity, body, key, proxy)
    if answer.status != 200:
        raise _not_renewed(answer)
    made = _decoded(answer, _Renewed).certificate
    _check_certificate(made, identity.member.authority.ca, key)
    replace_file(identity.folder / CERTIFICATE, made.encode("ascii"))
    return True


def _ask_signed(identity: Identity, body: bytes, key: EllipticCurvePrivateKey, proxy: str | None) -> Answer:
    """By the key's signature, never by the certificate in a handshake: that one may be over."""
    path, device, member = "/v1/renew", identity.member.device, identity.member
    headers = {**_JSON, "Serment-Device": device}
    proof = signed.sign("POST", path, headers, body, device, time.time_ns() // 1000, key)
    line = Line(member.url, context=pinned(member.authority.ca), proxy=proxy)
    try:
        return line.ask("POST", path, {**headers, **proof}, body, MAX_ANSWER)
    except TransportError as error:
        if error.fields.get("kind") != "untrusted":
            raise
    finally:
        line.close()
    line = Line(member.url, proxy=proxy)  # nothing in it is secret
    try:
        return line.ask("POST", path, {**headers, **proof}, body, MAX_ANSWER)
    finally:
        line.close()


def new_key() -> EllipticCurvePrivateKey:
    """A fresh key of the one kind there is: P-256."""
    from cryptography.hazmat.primitives.asymmetric.ec import SECP256R1, generate_private_key

    return generate_private_key(SECP256R1())


def pem_of(key: EllipticCurvePrivateKey) -> bytes:
    """A private key as it is kept."""
    from cryptography.hazmat.primitives.serialization import Encoding, NoEncryption, PrivateFormat

    return key.private_bytes(Encoding.PEM, PrivateFormat.PKCS8, NoEncryption())


def request_for(key: EllipticCurvePrivateKey, device: str) -> str:
    """A certificate request (PEM)."""
    from cryptography import x509
    from cryptography.hazmat.primitives import hashes
    from cryptography.hazmat.primitives.serialization import Encoding
    from cryptography.x509.oid import NameOID

    name = x509.Name([x509.NameAttribute(NameOID.COMMON_NAME, device)])
    made = x509.CertificateSigningRequestBuilder().subject_name(name).sign(key, hashes.SHA256())
    return made.public_bytes(Encoding.PEM).decode("ascii")


def _check_certificate(untrusted: str, ca: str, key: EllipticCurvePrivateKey) -> tuple[str, str]:
    """It is of our authority and for our key; a proxy that made up an answer is noticed here. Returns whom the
    authority has signed it for: pseudonym and group.
    """
    from cryptography import x509
    from cryptography.exceptions import InvalidSignature
    from cryptography.x509.oid import NameOID

    try:
        found = x509.load_pem_x509_certificate(untrusted.encode())
        found.verify_directly_issued_by(x509.load_pem_x509_certificate(ca.encode()))
        right = found.public_key() == key.public_key()
        parts = {part.oid: str(part.value) for part in found.subject}
    except (ValueError, TypeError, InvalidSignature) as error:
        raise _not_understood() from error
    if not right:
        raise _not_understood()
    return parts.get(NameOID.COMMON_NAME, ""), parts.get(NameOID.ORGANIZATIONAL_UNIT_NAME, "")


def _decoded(answer: Answer, kind: type[_Kind]) -> _Kind:
    try:
        if len(answer.body) > MAX_ANSWER:
            raise ValueError
        return msgspec.json.decode(answer.body, type=kind)
    except (msgspec.MsgspecError, ValueError, RecursionError) as error:
        raise _not_understood() from error


def _not_understood() -> TransportError:
    return refused(N_("the collector's answer is not understood (status {detail})"), "200")


def _not_entered(answer: Answer) -> TransportError:
    if answer.status in {408, 429} or answer.status >= 500:
        return unreachable(f"HTTP {answer.status}", answer.retry_s)
    if answer.status == 403:
        return TransportError(
            N_("the collector does not take this token"),
            hint=N_("it was used already, is too old, or was revoked: ask for a new one"),
            kind="refused", detail=str(answer.status), retry_s=0,
        )  # fmt: skip
    return refused(N_("the collector refuses with status {detail}"), str(answer.status))


def _not_renewed(answer: Answer) -> TransportError:
    if answer.status in {408, 429} or answer.status >= 500:
        return unreachable(f"HTTP {answer.status}", answer.retry_s)
    if answer.status == 403 and b"denied" in answer.body[:64]:
        return denied()
    return TransportError(
        N_("the certificate of this laptop is not renewed (status {detail})"),
        hint=N_("after more than a year away a laptop is enrolled again: ask for a new token"),
        kind="refused", detail=str(answer.status), retry_s=0,
    )  # fmt: skip
