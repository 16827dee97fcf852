"""Sealed files: standard age v1 files (https://age-encryption.org/v1) around a parcel with one document.

Streams from descriptor to descriptor, memory stays flat. Sealing tells what was read and what was written, so that the
caller can verify both; it neither names nor removes anything. Opening shows nothing before the last byte is
authenticated. The only importer of pyrage: it does the payload, always, and the header for X25519. For hybrid
recipients, which it has not got, it seals to a key of the moment and the header is replaced on its way out; opening
goes the same way back. The payload hangs on the file key alone, so it is the same bytes under either header.
"""

from __future__ import annotations

import hashlib
import os
import secrets
from collections.abc import Callable, Sequence
from dataclasses import dataclass

from agent.crypto import header
from agent.crypto.header import MAX_HEADER, Header, damaged
from agent.crypto.parcel import Member, Packer, Unpacker, cut_short
from agent.crypto.recipients import KeyKind, new_identity, one_kind, recipient_of, unwrap, wrap
from agent.errors import N_, SealError
from agent.fsys.atomic import write_all
from agent.fsys.draft import Draft
from agent.fsys.rename import sync_folder_fd

CHUNK = 1 << 20  # bytes read at once
MAX_RECIPIENTS = 100  # of one file; the headers that are read may hold a few more
_NONCE_AND_TAG = 16 + 16  # bytes: the shortest payload there is
_SAMPLE = 4096  # bytes looked at in one place
_NOISE = 400.0  # chi-square: one noise in a hundred million is above
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

    Raises SealError: no or bad recipient, recipients of two kinds, bad name, document became shorter; OSError: reading
    or writing failed.
    """
    return seal_from(
        lambda offset, length: os.pread(source_fd, length, offset), size, name, mtime_ns, recipients, write_fd
    )


def seal_from(
    read: Callable[[int, int], bytes], size: int, name: bytes, mtime_ns: int, recipients: Sequence[str], write_fd: int
) -> SealedInfo:
    """Like ``seal`` for what lies in no one file: ``read`` gives up to so many bytes (the second) from an offset on."""
    import pyrage

    if len(recipients) > MAX_RECIPIENTS:
        raise SealError(N_("a document is sealed for at most {limit} recipients"), limit=MAX_RECIPIENTS)
    kind = one_kind(recipients)
    packer = Packer(Member(name, size, mtime_ns), read, CHUNK)
    source = _Source(packer)
    target = _Target(write_fd, recipients) if kind is KeyKind.X25519 else _Reheaded(write_fd, recipients)
    try:
        pyrage.encrypt_io(source, target, [pyrage.x25519.Recipient.from_str(text) for text in target.seals_to])
    except (pyrage.EncryptError, OSError, SealError) as error:
        raise source.failure or target.failure or _cannot_seal(error) from error
    if target.failure:  # the library drops what its last flush says: a full disk would pass unseen
        raise target.failure
    return SealedInfo(packer.sha256, size, target.digest.hexdigest())


def _cannot_seal(error: Exception) -> SealError:
    if isinstance(error, SealError):
        return error
    return SealError(N_("the document cannot be sealed"), hint=N_("run serment doctor"))


def read_header(fd: int) -> Header:
    """The header of a sealed file, its MAC unproven. Raises SealError: not one, or out of bounds; OSError."""
    if os.pread(fd, len(header.VERSION), 0) != header.VERSION:
        raise SealError(N_("this is not a sealed file"), hint=N_("sealed files end in .age"))
    return header.parse(os.pread(fd, MAX_HEADER, 0))


def unseal(fd: int, identities: Sequence[str], write_fd: int = -1) -> Member:
    """Decrypt the whole of ``fd`` into ``write_fd`` (nowhere when -1) and say what document it was.

    What is in ``write_fd`` is worth something only when this returns. Raises SealError with a hint (not an age file,
    wrong key, truncated, tampered, not one document), OSError when reading or writing fails.
    """
    return unseal_with(fd, unwrap(read_header(fd), identities), write_fd)


def unseal_with(fd: int, file_key: bytes, write_fd: int = -1) -> Member:
    """Like ``unseal`` for whoever has the file key instead of an identity."""
    import pyrage

    found = read_header(fd)
    found.prove(file_key)
    moment = new_identity(KeyKind.X25519)
    head = header.build([wrap(file_key, recipient_of(moment))], file_key)
    size = os.fstat(fd).st_size
    source = _Source(_Positioned(fd, head, found.size))
    unpacker = Unpacker((lambda piece: write_all(write_fd, piece)) if write_fd >= 0 else (lambda _piece: None), size)
    target = _Checked(unpacker)
    try:
        pyrage.decrypt_io(source, target, [pyrage.x25519.Identity.from_str(moment)])
    except (pyrage.DecryptError, OSError, SealError) as error:
        raise source.failure or target.failure or _cannot_open(str(error)) from error
    if source.failure or target.failure:
        raise source.failure or target.failure or damaged()
    return unpacker.finish()


def _cannot_open(text: str) -> SealError:
    """By the words of the library: what is wrong, in ours."""
    if "truncated" in text or "fill whole buffer" in text:
        return cut_short()
    return damaged()


def open_sealed(fd: int, identities: Sequence[str], folder_fd: int) -> bytes:
    """Put the document of the sealed file ``fd`` into the folder, mode 0600, and return the name it got there.

    Never overwrites: a taken name gets a number. The document appears whole, verified and durable, or not at all.
    Raises like unseal.
    """
    return open_sealed_with(fd, unwrap(read_header(fd), identities), folder_fd)


def open_sealed_with(fd: int, file_key: bytes, folder_fd: int) -> bytes:
    """Like ``open_sealed`` for whoever has the file key instead of an identity."""
    with Draft(folder_fd) as draft:
        member = unseal_with(fd, file_key, draft.fd)
        os.utime(draft.fd, ns=(member.mtime_ns, member.mtime_ns))
        os.fsync(draft.fd)
        name = draft.publish_free(_shown(member.name))
    sync_folder_fd(folder_fd)
    return name


def _shown(name: bytes) -> bytes:
    """No hidden name, as browsers do with what they download: a shell or a desktop reads such a file by itself, and
    whoever knows a public key can seal one. What is sealed keeps its name.
    """
    return name.lstrip(b".") or b"document"


def is_sealed(fd: int) -> bool:
    """Whether the file has the shape of an age v1 file: a whole header and a payload. Proves nothing about the rest.

    Raises OSError.
    """
    try:
        return os.fstat(fd).st_size >= read_header(fd).size + _NONCE_AND_TAG
    except SealError:
        return False


def is_sealed_for(fd: int, *identities: str) -> bool:
    """Whether the file is, to its last byte, one of ours that one of ``identities`` opens. Raises OSError."""
    try:
        unseal(fd, identities)
    except SealError:
        return False
    return True


def looks_sealed(fd: int) -> bool:
    """What can be said without any key: a header of nothing but known stanzas, and bytes behind it that are noise.

    For a laptop whose keys are all under phrases and with two officers. A document in clear behind a copied header is
    told apart by its bytes; a compressed one may not be. Raises OSError.
    """
    try:
        found = read_header(fd)
    except SealError:
        return False
    known = {kind.stanza for kind in KeyKind}
    if not any(stanza.kind in known for stanza in found.stanzas):
        return False
    size = os.fstat(fd).st_size - found.size
    places = (
        sorted({found.size + (size - _SAMPLE) * part // 7 for part in range(8)}) if size > _SAMPLE else [found.size]
    )
    return size >= _NONCE_AND_TAG and all(_is_noise(os.pread(fd, _SAMPLE, place)) for place in places)


def _is_noise(sample: bytes) -> bool:
    """Chi-square over the 256 byte values: 255 with a spread of 23 for noise, thousands for documents."""
    expected = len(sample) / 256
    return sum((count - expected) ** 2 for count in map(sample.count, range(256))) / expected < _NOISE


class _Positioned:
    """A readable stream: ``head``, then the descriptor from ``offset`` on; the descriptor's own position stays."""

    def __init__(self, fd: int, head: bytes, offset: int) -> None:
        self._fd = fd
        self._offset = offset
        self._waiting = memoryview(head)

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
    """Where a sealed file goes; ``seals_to`` are the recipients that the library is to seal to."""

    def __init__(self, fd: int, seals_to: Sequence[str]) -> None:
        self._fd = fd
        self.seals_to = seals_to
        self.digest = hashlib.sha256()
        self.failure: Exception | None = None

    def write(self, data: bytes) -> int:
        try:
            self._put(data)
        except (OSError, SealError) as error:
            self.failure = error
            raise
        return len(data)

    def _put(self, data: bytes) -> None:
        write_all(self._fd, data)
        self.digest.update(data)

    def flush(self) -> None:
        """The caller fsyncs."""


class _Reheaded(_Target):
    """Lets the library seal to a key of the moment and puts a header for the real recipients in front instead."""

    def __init__(self, fd: int, recipients: Sequence[str]) -> None:
        self._moment = new_identity(KeyKind.X25519)
        self._recipients = recipients
        self._head: bytearray | None = bytearray()
        super().__init__(fd, [recipient_of(self._moment)])

    def _put(self, data: bytes) -> None:
        if self._head is None:
            return super()._put(data)
        self._head += data
        mark = self._head.find(b"\n---")
        if mark < 0 or (end := self._head.find(b"\n", mark + 1)) < 0:
            return None
        file_key = unwrap(header.parse(bytes(self._head)), [self._moment])
        rest = bytes(self._head[end + 1 :])
        self._head = None
        super()._put(header.build([wrap(file_key, text) for text in self._recipients], file_key))
        return super()._put(rest)


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
