"""A laptop as one of a fleet: its key, its certificate, the collector that it belongs to and the authority it pins.

Owns one folder (``data_dir``/fleet), which belongs to the user that syncs. ``collector.json`` is written last and
makes the laptop enrolled. The key lies beside it (0600), or encrypted under the machine's TPM or host key as a
credential of systemd, which hands it to the sync service and to nobody else. docs/formats/fleet-protocol.md, sections
1 and 2.
"""

from __future__ import annotations

import errno
import os
import stat
from dataclasses import dataclass
from hashlib import sha256
from pathlib import Path
from typing import TYPE_CHECKING

import msgspec

from agent.errors import N_, ConfigError, HostError, TransportError
from agent.fleet.key_sealing import NAME
from agent.fleet.token import pin_of
from agent.fsys.atomic import private_folder, replace_file

if TYPE_CHECKING:
    import ssl

    from cryptography.hazmat.primitives.asymmetric.ec import EllipticCurvePrivateKey

COLLECTOR, CERTIFICATE, KEY, CREDENTIAL = "collector.json", "device.pem", "device.key", "device.cred"
STATE = "sync.json"
"""How the visits went (transport.spool)."""
MAX_FILE = 32 << 10
STATEMENT_CONTEXT = b"serment authority 1\n"


class Authority(msgspec.Struct, frozen=True):
    """What /v1/authority says: the CA's certificate and its signed statement about the collector's other keys."""

    ca: str
    statement: str
    signature: bytes


class Statement(msgspec.Struct, frozen=True):
    seal: bytes
    witness: str
    made: int
    root: str = ""  # SHA-256 of the first root of the policy's repository; "": there was none yet


class Membership(msgspec.Struct, frozen=True):
    """``collector.json``: where this laptop belongs."""

    url: str
    device: str
    group: str
    authority: Authority


@dataclass(frozen=True, slots=True)
class Identity:
    """An enrolled laptop."""

    folder: Path
    member: Membership
    statement: Statement

    @property
    def key_file(self) -> Path:
        """Where the key can be read: from systemd's credentials, or in the folder."""
        given = os.environ.get("CREDENTIALS_DIRECTORY")
        if given and _holds_key(Path(given) / NAME):  # where nothing is sealed, the unit's says « none »
            return Path(given) / NAME
        return self.folder / KEY

    def key(self) -> EllipticCurvePrivateKey:
        """The private key. Raises HostError."""
        from cryptography.hazmat.primitives.asymmetric.ec import EllipticCurvePrivateKey
        from cryptography.hazmat.primitives.serialization import load_pem_private_key

        try:
            key = load_pem_private_key(read_file(self.key_file), None)
        except (ValueError, TypeError) as error:
            raise _spoilt(self.key_file) from error
        if not isinstance(key, EllipticCurvePrivateKey):
            raise _spoilt(self.key_file)
        return key

    def certificate(self) -> tuple[str, int, int]:
        """The certificate (PEM), from when and until when it is good (seconds). Raises HostError."""
        from cryptography import x509

        raw = read_file(self.folder / CERTIFICATE)
        try:
            found = x509.load_pem_x509_certificate(raw)
        except ValueError as error:
            raise _spoilt(self.folder / CERTIFICATE) from error
        begin, end = found.not_valid_before_utc.timestamp(), found.not_valid_after_utc.timestamp()
        return raw.decode("ascii"), int(begin), int(end)

    def tls(self) -> ssl.SSLContext:
        """How to speak with our collector: TLS 1.3, our authority and no other, our certificate."""
        import ssl

        context = pinned(self.member.authority.ca)
        try:
            context.load_cert_chain(self.folder / CERTIFICATE, self.key_file)
        except (OSError, ssl.SSLError) as error:
            raise _spoilt(self.folder / CERTIFICATE) from error
        return context


def pinned(ca: str) -> ssl.SSLContext:
    """A context that trusts one authority (PEM) and nobody else."""
    import ssl  # not at the top: the resident agent looks here too, and speaks with nobody

    context = ssl.SSLContext(ssl.PROTOCOL_TLS_CLIENT)
    context.minimum_version = ssl.TLSVersion.TLSv1_3
    context.load_verify_locations(cadata=ca)
    return context


def trusted_authority(untrusted: bytes, pin: bytes) -> tuple[Authority, Statement]:
    """The authority's document, when it is the one that ``pin`` means and signed what it states. Raises
    TransportError.
    """
    from cryptography import x509
    from cryptography.exceptions import InvalidSignature
    from cryptography.hazmat.primitives import hashes
    from cryptography.hazmat.primitives.asymmetric.ec import ECDSA, EllipticCurvePublicKey
    from cryptography.hazmat.primitives.serialization import Encoding

    try:
        if len(untrusted) > MAX_FILE:
            raise ValueError
        document = msgspec.json.decode(untrusted, type=Authority)
        certificate = x509.load_pem_x509_certificate(document.ca.encode())
        key = certificate.public_key()
        if pin_of(certificate.public_bytes(Encoding.DER)) != pin or not isinstance(key, EllipticCurvePublicKey):
            raise _impostor()
        key.verify(document.signature, STATEMENT_CONTEXT + document.statement.encode(), ECDSA(hashes.SHA256()))
        statement = msgspec.json.decode(document.statement, type=Statement)
    except (ValueError, InvalidSignature, msgspec.MsgspecError, RecursionError) as error:
        raise _impostor() from error
    ca = certificate.public_bytes(Encoding.PEM).decode("ascii")  # this one certificate, whatever else stood beside it
    return Authority(ca, document.statement, document.signature), statement


def load_identity(folder: Path) -> Identity | None:
    """The identity in ``folder``; None when this laptop is not enrolled. Raises HostError and ConfigError: spoilt."""
    path = folder / COLLECTOR
    if not path.exists():
        return None
    try:
        member = msgspec.json.decode(read_file(path), type=Membership)
        statement = msgspec.json.decode(member.authority.statement, type=Statement)
    except (msgspec.MsgspecError, UnicodeDecodeError, RecursionError) as error:
        raise ConfigError(
            N_("does not say where this laptop belongs"), where=str(path), hint=N_("enrol this laptop again")
        ) from error
    return Identity(folder, member, statement)


def save_identity(
    folder: Path, member: Membership, certificate: str, key: bytes, owner: tuple[int, int] | None,
    *, is_sealed: bool = False,
) -> None:  # fmt: skip
    """Write everything, ``collector.json`` last. ``owner`` (uid, gid) is who syncs; None: who calls. ``is_sealed``:
    ``key`` is a credential of systemd (key_sealing). Raises HostError.
    """
    mine, other = (CREDENTIAL, KEY) if is_sealed else (KEY, CREDENTIAL)
    try:
        private_folder(folder)
        replace_file(folder / mine, key)
        (folder / other).unlink(missing_ok=True)
        replace_file(folder / CERTIFICATE, certificate.encode("ascii"))
        (folder / STATE).unlink(missing_ok=True)  # who was denied before would come by tomorrow, and not now
        replace_file(folder / COLLECTOR, msgspec.json.encode(member) + b"\n")
        if owner is not None:
            for path in (folder, folder / mine, folder / CERTIFICATE, folder / COLLECTOR):
                os.chown(path, *owner, follow_symlinks=False)
    except OSError as error:
        raise HostError(N_("cannot be written: {why}"), where=str(folder), why=error.strerror) from error


def read_file(path: Path) -> bytes:
    """A small file of ours. Raises HostError: also for a link or a pipe. The folder belongs to the user that syncs, and
    the agent, which has more rights, reads here too.
    """
    try:
        fd = os.open(path, os.O_RDONLY | os.O_CLOEXEC | os.O_NOFOLLOW | os.O_NONBLOCK)
        with open(fd, "rb") as file:
            if not stat.S_ISREG(os.fstat(fd).st_mode):
                raise OSError(errno.EINVAL, N_("is not a file"))
            return file.read(MAX_FILE)
    except OSError as error:
        raise HostError(
            N_("cannot be read: {why}"), where=str(path), hint=N_("enrol this laptop again"), why=error.strerror
        ) from error


def _holds_key(path: Path) -> bool:
    try:
        return path.read_bytes().startswith(b"-----BEGIN")
    except OSError:
        return False


def fingerprint(authority: Authority) -> str:
    """Of an authority, to be compared by people: the first 16 hexadecimal digits, in groups."""
    from cryptography import x509
    from cryptography.hazmat.primitives.serialization import Encoding

    der = x509.load_pem_x509_certificate(authority.ca.encode()).public_bytes(Encoding.DER)
    digits = sha256(der).hexdigest()[:16]
    return " ".join(digits[at : at + 4] for at in range(0, 16, 4))


def _spoilt(path: Path) -> HostError:
    return HostError(N_("cannot be used"), where=str(path), hint=N_("enrol this laptop again"))


def _impostor() -> TransportError:
    return TransportError(
        N_("whoever answers is not the collector that this token is for"),
        hint=N_("check the address in the token, and the network; the secret was not sent"),
        kind="untrusted", detail="", retry_s=0,
    )  # fmt: skip
