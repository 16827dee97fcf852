"""Sealed files: standard age v1 files (https://age-encryption.org/v1) around a parcel with one document.

Streams from descriptor to descriptor, memory stays flat. Sealing tells what was read and what was written, so that the
caller can verify both; it neither names nor removes anything. Opening shows nothing before the last byte is
authenticated. The only importer of pyrage besides ``keys``.
"""

from __future__ import annotations

import hashlib
import os
import re
import secrets
from collections.abc import Sequence
from dataclasses import dataclass
from typing import Any

from agent.crypto.parcel import Member, Packer, Unpacker
from agent.errors import N_, SealError
from agent.fsys.atomic import write_all
from agent.fsys.draft import Draft
from agent.fsys.rename import sync_folder_fd

CHUNK = 1 << 20  # bytes read at once
_MAX_HEADER = 64 * 1024  # bytes
_MAX_HEADER_LINES = 2048
_VERSION = b"age-encryption.org/v1"
_MAC = re.compile(rb"^--- [A-Za-z0-9+/]{43}$")
_NONCE_AND_TAG = 16 + 16  # bytes: the shortest payload there is
_BASE32 = "ABCDEFGHJKMNPQRSTVWXYZ0123456789"  # Crockford's, without the letters that look like digits


@dataclass(frozen=True, slots=True)
class SealedInfo:
    """``sha256`` and ``size`` (bytes) of the plain document as read, ``sealed_sha256`` of what was written."""

    sha256: str
    size: int
    sealed_sha256: str


def neutral_name() -> bytes:
    """A name for a sealed file that says nothing about it: ``document-7F3KQ.age``, new each time."""
    word = "".join(secrets.choice(_BASE32) for _ in range(5))
    return f"document-{word}.age".encode("ascii")


def seal(source_fd: int, size: int, name: bytes, mtime_ns: int, recipients: Sequence[str], write_fd: int) -> SealedInfo:
    """Seal the first ``size`` bytes of ``source_fd`` (read by position) to all ``recipients`` into ``write_fd``.

    Raises SealError: no or bad recipient, bad name, document became shorter; OSError: reading or writing failed.
    """
    import pyrage

    packer = Packer(Member(name, size, mtime_ns), lambda offset, length: os.pread(source_fd, length, offset), CHUNK)
    source, target = _Source(packer), _Target(write_fd)
    try:
        pyrage.encrypt_io(source, target, [_recipient(text) for text in recipients])
    except (pyrage.EncryptError, OSError, SealError) as error:
        raise source.failure or target.failure or _cannot_seal(error) from error
    if target.failure:  # the library drops what its last flush says: a full disk would pass unseen
        raise target.failure
    return SealedInfo(packer.sha256, size, target.digest.hexdigest())


def _cannot_seal(error: Exception) -> SealError:
    if isinstance(error, SealError):
        return error
    return SealError(N_("the document cannot be sealed"), hint=N_("run serment doctor"))


def _recipient(text: str) -> Any:
    import pyrage

    try:
        return pyrage.x25519.Recipient.from_str(text)
    except pyrage.RecipientError as error:
        raise SealError(
            N_("this is not an age recipient: {recipient}"),
            hint=N_("a recipient begins with age1"),
            recipient=text[:80],
        ) from error


def unseal(fd: int, identities: Sequence[str], write_fd: int = -1) -> Member:
    """Decrypt the whole of ``fd`` into ``write_fd`` (nowhere when -1) and say what document it was.

    What is in ``write_fd`` is worth something only when this returns. Raises SealError with a hint (not an age file,
    wrong key, truncated, tampered, not one document), OSError when reading or writing fails.
    """
    import pyrage

    if not is_sealed(fd):
        raise SealError(N_("this is not a sealed file"), hint=N_("sealed files end in .age"))
    size = os.fstat(fd).st_size
    source = _Source(_Positioned(fd))
    unpacker = Unpacker((lambda piece: write_all(write_fd, piece)) if write_fd >= 0 else (lambda _piece: None), size)
    target = _Checked(unpacker)
    try:
        pyrage.decrypt_io(source, target, [_identity(text) for text in identities])
    except (pyrage.DecryptError, OSError, SealError) as error:
        raise source.failure or target.failure or _cannot_open(str(error)) from error
    if source.failure or target.failure:
        raise source.failure or target.failure or _cannot_open("")
    return unpacker.finish()


def _identity(text: str) -> Any:
    import pyrage

    try:
        return pyrage.x25519.Identity.from_str(text.strip())
    except pyrage.IdentityError as error:
        raise SealError(N_("the private key is damaged"), hint=N_("put keys back from a backup")) from error


def _cannot_open(text: str) -> SealError:
    """By the words of the library: what is wrong, in ours."""
    if "No matching keys" in text:
        return SealError(
            N_("this file was sealed for somebody else"),
            hint=N_("ask the person it was sealed for, or the practice, to open it"),
        )
    if "truncated" in text or "fill whole buffer" in text:
        return SealError(N_("this sealed file is cut short"), hint=N_("copy it again from where it came from"))
    return SealError(N_("this sealed file was damaged or changed"), hint=N_("copy it again from where it came from"))


def open_sealed(fd: int, identities: Sequence[str], folder_fd: int) -> bytes:
    """Put the document of the sealed file ``fd`` into the folder, mode 0600, and return the name it got there.

    Never overwrites: a taken name gets a number. The document appears whole, verified and durable, or not at all.
    Raises like unseal.
    """
    with Draft(folder_fd) as draft:
        member = unseal(fd, identities, draft.fd)
        os.utime(draft.fd, ns=(member.mtime_ns, member.mtime_ns))
        os.fsync(draft.fd)
        name = draft.publish_free(member.name)
    sync_folder_fd(folder_fd)
    return name


def is_sealed(fd: int) -> bool:
    """Whether the file has the shape of an age v1 file: a whole header and a payload. Proves nothing about the rest.

    Raises OSError.
    """
    head = os.pread(fd, _MAX_HEADER, 0)
    lines = head.split(b"\n", _MAX_HEADER_LINES)
    if lines[0] != _VERSION:
        return False
    length = len(lines[0]) + 1
    for line in lines[1:-1]:
        length += len(line) + 1
        if line.startswith(b"---"):
            return bool(_MAC.match(line)) and os.fstat(fd).st_size >= length + _NONCE_AND_TAG
    return False


def is_sealed_for(fd: int, identity: str) -> bool:
    """Whether the file is, to its last byte, one of ours that ``identity`` opens. Raises OSError."""
    try:
        unseal(fd, [identity])
    except SealError:
        return False
    return True


class _Positioned:
    """A readable stream over a descriptor that leaves the descriptor's own position alone."""

    def __init__(self, fd: int) -> None:
        self._fd = fd
        self._offset = 0
        self._waiting = memoryview(b"")

    def read(self, length: int = -1) -> bytes:
        if not self._waiting:
            self._waiting = memoryview(os.pread(self._fd, CHUNK, self._offset))
            self._offset += len(self._waiting)
        piece = bytes(self._waiting[:length] if length >= 0 else self._waiting)
        self._waiting = self._waiting[len(piece) :]
        return piece


class _Source:
    """pyrage turns an exception of ours into a text: keep the exception itself."""

    def __init__(self, stream: Packer | _Positioned) -> None:
        self._stream = stream
        self.failure: Exception | None = None

    def read(self, length: int = -1) -> bytes:
        try:
            return self._stream.read(length)
        except (OSError, SealError) as error:
            self.failure = error
            raise


class _Target:
    def __init__(self, fd: int) -> None:
        self._fd = fd
        self.digest = hashlib.sha256()
        self.failure: Exception | None = None

    def write(self, data: bytes) -> int:
        try:
            write_all(self._fd, data)
        except OSError as error:
            self.failure = error
            raise
        self.digest.update(data)
        return len(data)

    def flush(self) -> None:
        """The caller fsyncs."""


class _Checked:
    def __init__(self, unpacker: Unpacker) -> None:
        self._unpacker = unpacker
        self.failure: Exception | None = None

    def write(self, data: bytes) -> int:
        try:
            return self._unpacker.write(data)
        except (OSError, SealError) as error:
            self.failure = error
            raise

    def flush(self) -> None:
        """The caller fsyncs."""
