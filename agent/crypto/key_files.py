"""The key folder as files: bounded reads, durable writes, protection; what a key means is ``keys``' business.

A name is ``practice`` or ``clinicians/UID``; its files are told in ``keys``. Nothing is overwritten but a recipient and
what lies under a phrase; what is removed was overwritten first.
"""

from __future__ import annotations

import os
from collections.abc import Iterator
from pathlib import Path

from agent.crypto import protection
from agent.crypto.recipients import recipient_of
from agent.errors import N_, HostError, SealError
from agent.fsys.atomic import private_folder, replace_file, write_all
from agent.fsys.draft import Draft
from agent.fsys.openat import open_regular
from agent.fsys.rename import sync_folder_fd

MAX_KEY_BYTES = 64 * 1024
MAX_IDENTITIES = 16  # of one person: today's and earlier ones


class KeyFiles:
    """The files below ``folder``; the host's own secret lies beside it. ``wanted`` is for ``protection.choose``."""

    def __init__(self, folder: Path, wanted: str) -> None:
        self.folder = folder
        self._wanted = wanted
        self._opened: dict[str, tuple[tuple[int, int], str]] = {}  # file → (inode, mtime), content
        self._protection: protection.Protection | None = None
        self._old_looked_for = False

    def path(self, file: str) -> Path:
        return self.folder / file

    def has(self, file: str) -> bool:
        return os.path.lexists(self.folder / file)

    def make_folders(self) -> None:
        """Raises PermissionError when the folder belongs to somebody else."""
        for folder in (self.folder, self.folder / "clinicians"):
            private_folder(folder, 0o711)

    def holding(self, name: str) -> Iterator[str]:
        """The files that hold identities without a phrase, today's first."""
        for file in (f"{name}.sealed", f"{name}.key", *(f"{name}.{n}.sealed" for n in range(MAX_IDENTITIES, 0, -1))):
            if self.has(file):
                yield file

    def secrets(self, name: str) -> list[str]:
        """The identities of ``name`` that need no phrase, today's first. Raises SealError, HostError."""
        return [line for file in self.holding(name) for line in self.opened(file)]

    def opened(self, file: str) -> list[str]:
        """The identities in one key file; remembered while the file stays, because a TPM takes a second."""
        state = os.lstat(self.folder / file)
        seen = (state.st_ino, state.st_mtime_ns)
        if self._opened.get(file, ((0, 0), ""))[0] != seen:
            data = self.read(file) or b""
            plain = file.endswith(".key")
            text = data if plain else protection.unpack(data, file.removesuffix(".sealed"), self.folder.parent)
            self._opened[file] = (seen, text.decode("ascii", "replace"))
        found = secret_lines(self._opened[file][1])
        if not found:
            raise SealError(N_("the private key is damaged"), hint=N_("put keys back from a backup"))
        return found

    def publish(self, name: str, recipient: str) -> None:
        """The recipient of ``name``, for everybody to read whatever the umask."""
        replace_file(self.folder / f"{name}.pub", f"{recipient}\n".encode("ascii"), 0o644)
        os.chmod(self.folder / f"{name}.pub", 0o644)

    def store(self, name: str, identities: list[str]) -> None:
        """Protected by this machine, durable, for root. Raises FileExistsError, OSError, HostError."""
        data = protection.pack(self._protector(), identity_text(identities), name)
        folder, _, tail = f"{name}.sealed".rpartition("/")
        folder_fd = os.open(self.folder / folder, os.O_RDONLY | os.O_DIRECTORY | os.O_CLOEXEC)
        try:
            with Draft(folder_fd) as draft:
                write_all(draft.fd, data)
                os.fsync(draft.fd)
                draft.publish(tail.encode("ascii"))
            sync_folder_fd(folder_fd)
        finally:
            os.close(folder_fd)

    def retire(self, name: str) -> None:
        """Today's identity becomes an earlier one. What is under a phrase stays there."""
        if not self.has(f"{name}.sealed"):
            return
        self.add_earlier(name, self.opened(f"{name}.sealed"))
        self.remove(f"{name}.sealed")

    def add_earlier(self, name: str, identities: list[str]) -> None:
        """Keep identities that open and are no longer sealed to. Raises HostError: too many."""
        earlier = [f"{name}.{number}" for number in range(1, MAX_IDENTITIES)]
        free = next((each for each in earlier if not self.has(f"{each}.sealed")), None)
        if free is None:
            raise HostError(N_("this person has had too many keys"), hint=N_("rotate the sealed files first"))
        self.store(free, identities)

    def remove(self, file: str) -> None:
        """Overwrite, then remove: what a disk may keep of the bytes elsewhere is another matter."""
        path = self.folder / file
        with path.open("r+b", buffering=0) as opened:
            write_all(opened.fileno(), bytes(os.fstat(opened.fileno()).st_size))
            os.fsync(opened.fileno())
        path.unlink()
        self._opened.pop(file, None)

    def read(self, file: str) -> bytes | None:
        """A key file, or None when there is none. A clinician's own file is hostile: bounded, no links."""
        try:
            folder_fd = os.open(self.folder, os.O_PATH | os.O_DIRECTORY | os.O_CLOEXEC)
        except FileNotFoundError:
            return None
        try:
            fd = open_regular(folder_fd, file.encode("ascii"))
        except FileNotFoundError:
            return None
        except OSError as error:
            raise SealError(N_("the private key cannot be read: {why}"), why=error.strerror) from error
        finally:
            os.close(folder_fd)
        try:
            return os.read(fd, MAX_KEY_BYTES)
        finally:
            os.close(fd)

    def text(self, file: str) -> str:
        """A file of one line, or empty."""
        return (self.read(file) or b"").decode("ascii", "replace").strip()

    def method(self, name: str) -> str:
        """tpm, credential, host, phrase, clear (of an earlier version), or missing."""
        if self.has(f"{name}.key"):
            return "clear"
        if self.has(f"{name}.sealed"):
            return protection.method(self.read(f"{name}.sealed") or b"") or "missing"
        return "phrase" if self.has(f"{name}.age") else "missing"

    def protect_old(self) -> None:
        """Keys of an earlier version lie in clear: protect them, then overwrite. Only for who owns the folder."""
        if self._old_looked_for or not self.folder.is_dir() or os.stat(self.folder).st_uid != os.geteuid():
            return
        for path in (*self.folder.glob("*.key"), *self.folder.glob("clinicians/*.key")):
            name = str(path.relative_to(self.folder)).removesuffix(".key")
            secret = secret_lines(self.text(f"{name}.key"))[:1]
            public = self.text(f"{name}.pub")
            if not secret or (public and recipient_of(secret[0]) != public):
                continue  # damaged, or changed by the person whose file it was: said when it is used
            if not self.has(f"{name}.sealed"):
                self.store(name, secret)
            self.remove(f"{name}.key")
        self._old_looked_for = True

    def _protector(self) -> protection.Protection:
        if self._protection is None:
            self._protection = protection.choose(self.folder.parent, self._wanted)
        return self._protection


def identity_text(identities: list[str]) -> bytes:
    """As ``age-keygen`` writes them."""
    return "".join(f"# public key: {recipient_of(each)}\n{each}\n" for each in identities).encode("ascii")


def secret_lines(text: str) -> list[str]:
    """The identities in a text, one a line."""
    return [line.strip() for line in text.splitlines() if line.startswith("AGE-SECRET-KEY-")]
