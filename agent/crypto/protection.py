"""How a private key is kept from whoever copies the disk, without anybody typing anything.

=============== ==================================================================================================
``tpm``         systemd-creds with the laptop's TPM and its host key: useless away from this laptop
``credential``  systemd-creds with its host key alone (no TPM): useless without this disk's other files
``host``        the same with a secret of our own (``data_dir/host.secret``), where systemd-creds cannot be used
=============== ==================================================================================================

The second and third protect copies of the key folder, backups and single files; whoever has the whole disk, not
encrypted, has them too, and docs/keys-threat-model.md says so. A phrase (``phrase``) is the protection for that.
What is protected is bound to its name: one key's file in the place of another's does not open.
"""

from __future__ import annotations

import os
import re
import secrets
import shutil
import subprocess
from base64 import b64decode, b64encode
from pathlib import Path
from typing import Protocol

from agent.crypto.header import derive
from agent.errors import N_, HostError, SealError
from agent.fsys.atomic import replace_file

MAX_BLOB = 16 * 1024  # bytes
_WAIT_S = 20  # a TPM takes a second or two
_FIRST_LINE = re.compile(rb"serment-key 1 (tpm|credential|host)\n")


class Protection(Protocol):
    """Seals bytes under a name so that this machine alone opens them. Raises HostError when it cannot."""

    name: str

    def seal(self, secret: bytes, label: str) -> bytes: ...

    def open(self, blob: bytes, label: str) -> bytes: ...


class Credential:
    """``systemd-creds``; for root. ``tpm`` says whether the TPM takes part, in ``seal``; ``any_state``: whatever its
    state of firmware and secure boot is (bound to a register that nothing of the start writes, PCR 23).
    """

    def __init__(self, *, tpm: bool, any_state: bool = False) -> None:
        self.name = "tpm" if tpm else "credential"
        self._bound = ["--tpm2-pcrs=23"] if tpm and any_state else []

    def seal(self, secret: bytes, label: str) -> bytes:
        keys = "host+tpm2" if self.name == "tpm" else "host"
        return _systemd_creds(["encrypt", f"--with-key={keys}", *self._bound], label, secret)

    def open(self, blob: bytes, label: str) -> bytes:
        return _systemd_creds(["decrypt"], label, blob)


def _systemd_creds(words: list[str], label: str, data: bytes) -> bytes:
    name = "serment-key-" + label.replace("/", ".")
    try:
        done = subprocess.run(
            ["systemd-creds", *words, f"--name={name}", "-", "-"], input=data, capture_output=True, timeout=_WAIT_S,
            env={"PATH": "/usr/bin:/bin", "LC_ALL": "C.UTF-8"},
        )  # fmt: skip
    except (OSError, subprocess.TimeoutExpired) as error:
        raise _unusable() from error
    if done.returncode != 0 or not done.stdout:
        raise _unusable()
    return done.stdout


def _unusable() -> HostError:
    return HostError(
        N_("this laptop does not give the private key back (TPM or systemd-creds)"),
        hint=N_("after a change of firmware or disk: serment keys recovery, see docs/keys-threat-model.md"),
    )


class HostSecret:
    """A secret of our own beside the key folder, and the machine's number: for where systemd-creds cannot serve."""

    name = "host"

    def __init__(self, file: Path) -> None:
        self._file = file

    def seal(self, secret: bytes, label: str) -> bytes:
        from cryptography.hazmat.primitives.ciphers.aead import ChaCha20Poly1305

        if not self._file.exists():
            replace_file(self._file, secrets.token_bytes(32))
        nonce = secrets.token_bytes(12)
        return b64encode(nonce + ChaCha20Poly1305(self._key()).encrypt(nonce, secret, label.encode()))

    def open(self, blob: bytes, label: str) -> bytes:
        from cryptography.exceptions import InvalidTag
        from cryptography.hazmat.primitives.ciphers.aead import ChaCha20Poly1305

        try:
            data = b64decode(blob, validate=False)
            return ChaCha20Poly1305(self._key()).decrypt(data[:12], data[12:], label.encode())
        except (InvalidTag, ValueError) as error:
            raise _lost() from error

    def _key(self) -> bytes:
        try:
            secret = self._file.read_bytes()
        except PermissionError as error:
            raise SealError(N_("the private key cannot be read: {why}"), why=error.strerror) from error
        except OSError as error:
            raise _lost() from error
        return derive(secret, _machine(), b"serment host secret 1")


def _machine() -> bytes:
    try:
        return Path("/etc/machine-id").read_bytes().strip()[:64]
    except OSError:
        return b""


def _lost() -> SealError:
    return SealError(
        N_("the private key does not open on this laptop"),
        hint=N_("it is of another laptop, or host.secret is missing: put both back from a backup"),
    )


def choose(folder: Path, wanted: str = "auto") -> Protection:
    """The strongest that works here: systemd-creds for root, with the TPM when there is one, else our own secret.

    ``folder`` is the data folder; ``wanted`` is ``auto``, ``tpm``, ``credential`` or ``host``. Raises HostError when
    what is wanted does not work.
    """
    own = HostSecret(folder / "host.secret")
    if wanted == "host" or (wanted == "auto" and (os.geteuid() != 0 or shutil.which("systemd-creds") is None)):
        return own
    for tpm in (True, False):
        if wanted in {"auto", "tpm" if tpm else "credential"} and (not tpm or has_tpm()):
            found = Credential(tpm=tpm)
            try:
                if found.open(found.seal(b"serment", "try"), "try") == b"serment":
                    return found
            except HostError:
                continue
    if wanted == "auto":
        return own
    raise HostError(N_("private keys cannot be protected by {what} here"), hint=N_("see: serment doctor"), what=wanted)


def has_tpm() -> bool:
    """Whether this laptop has a TPM."""
    return any(os.path.exists(path) for path in ("/dev/tpmrm0", "/dev/tpm0"))


def pack(protection: Protection, secret: bytes, label: str) -> bytes:
    """The content of a key file: which protection, and what it sealed; read back before it is trusted."""
    blob = protection.seal(secret, label)
    if protection.open(blob, label) != secret:
        raise _unusable()
    return f"serment-key 1 {protection.name}\n".encode() + blob


def unpack(data: bytes, label: str, folder: Path) -> bytes:
    """The secret in a key file. Raises SealError (damaged, another laptop), HostError (the TPM refuses)."""
    found = _FIRST_LINE.match(data)
    if found is None or len(data) > MAX_BLOB:
        raise SealError(N_("the private key is damaged"), hint=N_("put keys back from a backup"))
    blob, word = data[found.end() :], found[1].decode()
    opener: Protection = HostSecret(folder / "host.secret") if word == "host" else Credential(tpm=word == "tpm")
    return opener.open(blob, label)


def method(data: bytes) -> str:
    """``tpm``, ``credential`` or ``host``: how a key file is protected; empty when it is none."""
    found = _FIRST_LINE.match(data)
    return found[1].decode() if found else ""
