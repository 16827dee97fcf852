"""Where the age identities of this laptop live: one for the practice (recovery), one for each clinician.

Owns ``keys/``::

    keys/                     0711 root
      practice.key            0600 root       identity of the practice: opens every sealed file of this laptop
      practice.pub            0644 root       its recipient
      clinicians/             0711 root
        1000.key              0600 uid 1000   so that the clinician opens sealed files without asking anybody
        1000.pub              0644 root       its recipient: what documents are sealed to, never read from the .key

A key is made when it is first needed, written durably, and never overwritten. The clinician may change the own .key
file but not the .pub, so nobody can turn the sealing to another recipient. Private keys lie here in clear, protected
by file rights and disk encryption alone: TPM and pass phrase are an issue of their own, as is the practice's recovery
key that is never stored whole.
"""

from __future__ import annotations

import os
import threading
from pathlib import Path

from agent.errors import N_, HostError, SealError
from agent.fsys.atomic import private_folder, replace_file, write_all
from agent.fsys.draft import Draft
from agent.fsys.openat import open_regular

MAX_KEY_BYTES = 4096
PRACTICE = "practice"


class KeyStore:
    """The keys below ``folder``. Making it reads and writes nothing: ``prepare`` or the first sealing does."""

    def __init__(self, folder: Path) -> None:
        self._folder = folder
        self._lock = threading.Lock()
        self._recipients: dict[str, str] = {}

    def prepare(self) -> str:
        """Make the practice's identity when there is none yet and return its recipient (``age1…``).

        Raises OSError when the folder cannot be written, HostError when the identity is lost or unreadable.
        """
        with self._lock:
            return self._recipient(PRACTICE, None)

    def recipients(self, uid: int) -> tuple[str, ...]:
        """To whom a document of ``uid`` is sealed: the clinician and the practice. Raises like prepare."""
        with self._lock:
            own = self._recipient(f"clinicians/{uid}", uid)
            return own, self._recipient(PRACTICE, None)

    def identity_for(self, uid: int) -> str:
        """The private key of ``uid`` (``AGE-SECRET-KEY-1…``); never makes one.

        Raises SealError: there is none, or the caller may not read it.
        """
        return self._identity(f"clinicians/{uid}")

    def practice_identity(self) -> str:
        """The practice's private key; for root. Raises SealError like identity_for."""
        return self._identity(PRACTICE)

    def _recipient(self, name: str, uid: int | None) -> str:
        if name not in self._recipients:
            public = self._read(f"{name}.pub")
            if public is None:
                public = self._make(name, uid)
            elif not os.path.lexists(self._folder / f"{name}.key"):  # seen by everybody, read by its owner
                raise HostError(
                    N_("the private key that belongs to a recipient of this laptop is missing"),
                    hint=N_(
                        "put keys back from a backup; moving keys/ away makes new ones, old sealed files need the old"
                    ),
                    where=str(self._folder / f"{name}.key"),
                )
            self._recipients[name] = public.strip()
        return self._recipients[name]

    def _make(self, name: str, uid: int | None) -> str:
        try:
            for folder in (self._folder, self._folder / "clinicians"):
                private_folder(folder, 0o711)
            return self._complete(name, uid)
        except PermissionError as error:
            raise HostError(
                N_("there is no key for this person yet, and only the agent may make one"),
                hint=N_("start the agent, then try again"),
            ) from error

    def _complete(self, name: str, uid: int | None) -> str:
        """The key first, then its recipient, then its owner: a kill in between leaves something this can go on from."""
        secret = self._read(f"{name}.key")
        if secret is None:
            secret = _new_identity()
            self._publish(f"{name}.key", secret)
        public = _recipient_of(secret)
        replace_file(self._folder / f"{name}.pub", f"{public}\n".encode("ascii"), 0o644)
        if uid is not None and os.geteuid() == 0:
            os.chown(self._folder / f"{name}.key", uid, -1, follow_symlinks=False)
        return public

    def _publish(self, name: str, text: str) -> None:
        folder, _, tail = name.rpartition("/")
        folder_fd = os.open(self._folder / folder, os.O_RDONLY | os.O_DIRECTORY | os.O_CLOEXEC)
        try:
            with Draft(folder_fd) as draft:
                write_all(draft.fd, text.encode("ascii"))
                os.fsync(draft.fd)
                draft.publish(tail.encode("ascii"))
            os.fsync(folder_fd)
        finally:
            os.close(folder_fd)

    def _identity(self, name: str) -> str:
        try:
            text = self._read(f"{name}.key")
        except OSError as error:
            raise SealError(N_("the private key cannot be read: {why}"), why=error.strerror) from error
        if text is None:
            raise SealError(
                N_("there is no private key for this person on this laptop"),
                hint=N_("sealed files are opened on the laptop that sealed them, or by the practice"),
            )
        return _secret_line(text)

    def _read(self, name: str) -> str | None:
        """The text of a key file, or None when there is none. A clinician's own file is hostile: bounded, no links."""
        try:
            folder_fd = os.open(self._folder, os.O_PATH | os.O_DIRECTORY | os.O_CLOEXEC)
        except FileNotFoundError:
            return None
        try:
            fd = open_regular(folder_fd, name.encode("ascii"))
        except FileNotFoundError:
            return None
        finally:
            os.close(folder_fd)
        try:
            return os.read(fd, MAX_KEY_BYTES).decode("ascii", "replace")
        finally:
            os.close(fd)


def _new_identity() -> str:
    from pyrage import x25519

    identity = x25519.Identity.generate()
    return f"# public key: {identity.to_public()}\n{identity}\n"


def _recipient_of(text: str) -> str:
    from pyrage import IdentityError, x25519

    try:
        return str(x25519.Identity.from_str(_secret_line(text)).to_public())
    except IdentityError as error:
        raise SealError(N_("the private key is damaged"), hint=N_("put keys back from a backup")) from error


def _secret_line(text: str) -> str:
    for line in text.splitlines():
        if line.startswith("AGE-SECRET-KEY-"):
            return line.strip()
    raise SealError(N_("the private key is damaged"), hint=N_("put keys back from a backup"))
