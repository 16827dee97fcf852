"""One document that somebody looks at: put into memory, saved back sealed, and what was saved beside it too.

Owns no process and no terminal: ``viewing`` runs the application and says what happened. The sealed file is replaced
only while it is the one that was opened; else, or when it cannot be written, a sealed file of its own is made beside it
or in the home folder. Raises rather than losing an edit.
"""

from __future__ import annotations

import hashlib
import os
import time
from pathlib import Path

from agent.crypto.header import Header
from agent.crypto.parcel import Member
from agent.crypto.reseal import reseal
from agent.crypto.sealed import neutral_name, open_sealed_with, read_header, seal
from agent.errors import N_, HostError, SermentError
from agent.fsys.draft import Draft
from agent.fsys.openat import open_regular
from agent.fsys.rename import sync_folder_fd
from agent.fsys.writers import open_for_writing
from agent.ui.key_access import KeyAccess
from agent.ui.memory_folder import MemoryFolder

_REST_NS = 1_000_000_000  # an edit has come to rest when it is this old
_NONCE = 16  # bytes behind the header of an age file, with which its payload begins
_PASSING = (b".~lock.", b"~$", b".goutputstream", b".nfs")


class Sitting:
    """One document under somebody's eyes. ``saved`` counts how often edits went back."""

    def __init__(self, source: bytes, key: bytes, header: Header, folder: MemoryFolder, access: KeyAccess) -> None:
        self._source, self._key, self._header = source, key, header
        self._folder, self._access = folder, access
        self._name = b""
        self._digest = ""
        self._seen = (0, 0, 0)
        self._nonce = b""  # of the payload as it is sealed now: each save draws another, under the same header
        self.saved = 0
        self.elsewhere: list[bytes] = []  # sealed files that were made besides

    def open(self, fd: int) -> Path:
        """Put the document into memory and return where."""
        folder_fd = os.open(self._folder.document, os.O_RDONLY | os.O_DIRECTORY | os.O_CLOEXEC)
        try:
            self._name = open_sealed_with(fd, self._key, folder_fd)
            self._digest, self._seen = _state(folder_fd, self._name)
        finally:
            os.close(folder_fd)
        self._nonce = self._nonce_in(fd)
        self._note()
        return self._folder.document / os.fsdecode(self._name)

    def recall(self) -> None:
        """Take up from what was noted: another process of this person opened the document, and was killed."""
        noted = self._folder.noted()
        self._name, self._digest, self._seen = os.fsencode(noted.get("name", "")), noted.get("digest", ""), (0, 0, 0)
        self._nonce = bytes.fromhex(noted.get("nonce", ""))

    def _note(self) -> None:
        self._folder.note(
            source=os.fsdecode(self._source), name=os.fsdecode(self._name), digest=self._digest, nonce=self._nonce.hex()
        )

    def _nonce_in(self, fd: int) -> bytes:
        return os.pread(fd, _NONCE, self._header.size)

    def save(self, *, last: bool = False) -> None:
        """Seal the document again when it was edited and is at rest, or ``last``. Raises SermentError, OSError."""
        folder_fd = os.open(self._folder.document, os.O_RDONLY | os.O_DIRECTORY | os.O_CLOEXEC)
        try:
            try:
                fd = open_regular(folder_fd, self._name)
            except FileNotFoundError:
                return  # in the middle of being replaced, or removed by its reader: the sealed file stays
            except OSError:
                if last:
                    raise  # what cannot be read may be an edit
                return
            try:
                state = os.fstat(fd)
                seen = (state.st_ino, state.st_size, state.st_mtime_ns)
                resting = time.time_ns() - state.st_mtime_ns > _REST_NS and not open_for_writing(fd)
                if not last and (seen == self._seen or not resting):
                    return  # the last time the bytes are asked: an application may put the time back
                digest = _digest(fd)
                if digest != self._digest:
                    self._put_back(fd, state)
                    self.saved += 1
                    self._digest = digest
                    self._note()
                self._seen = seen
            finally:
                os.close(fd)
        finally:
            os.close(folder_fd)

    def _put_back(self, fd: int, state: os.stat_result) -> None:
        """In the place of the sealed file when it is still the one that was opened, beside it otherwise."""
        parent, _, name = self._source.rpartition(b"/")
        folder_fd = os.open(parent or b"/", os.O_RDONLY | os.O_DIRECTORY | os.O_CLOEXEC)
        try:
            old_fd = open_regular(folder_fd, name)
            try:
                before = os.fstat(old_fd)
                if read_header(old_fd) != self._header or self._nonce_in(old_fd) != self._nonce:
                    raise _changed()
                with Draft(folder_fd) as draft:
                    reseal(old_fd, self._key, fd, Member(self._name, state.st_size, state.st_mtime_ns), draft.fd)
                    draft.own(before.st_uid, before.st_gid, before.st_mode)
                    os.fsync(draft.fd)
                    now = os.stat(name, dir_fd=folder_fd, follow_symlinks=False)
                    if (now.st_dev, now.st_ino, now.st_mtime_ns) != (before.st_dev, before.st_ino, before.st_mtime_ns):
                        raise _changed()
                    fresh = self._nonce_in(draft.fd)
                    draft.replace(name)
                    self._nonce = fresh
            finally:
                os.close(old_fd)
            sync_folder_fd(folder_fd)
        except (OSError, SermentError):
            self.elsewhere.append(_sealed_apart(fd, self._name, self._source, self._access))
        finally:
            os.close(folder_fd)

    def save_others(self) -> None:
        """What the application saved under other names becomes sealed files. Raises SermentError, OSError."""
        self.elsewhere += seal_apart(self._folder, left_over(self._folder)[1], self._source, self._access)


def _changed() -> HostError:
    return HostError(N_("the sealed file was changed by somebody else in the meantime"))


def left_over(folder: MemoryFolder) -> tuple[bool, list[bytes]]:
    """Whether the document differs from what is sealed, and the names of what else an application left, in folders of
    its making too (relative, with slashes).
    """
    noted, edited, others = folder.noted(), False, []
    for path in sorted(folder.document.rglob("*")):
        name = os.fsencode(path.relative_to(folder.document))
        if os.fsdecode(name) == noted.get("name"):
            with path.open("rb") as file:
                edited = hashlib.file_digest(file, "sha256").hexdigest() != noted.get("digest")
        elif not any(map(_passing, name.split(b"/"))) and path.is_file() and path.stat().st_size:
            others.append(name)
    return edited, others


def _passing(name: bytes) -> bool:
    """Locks and copies that applications make for themselves."""
    return name.startswith(_PASSING) or name.endswith((b"~", b".swp", b".tmp"))


def seal_apart(folder: MemoryFolder, names: list[bytes], source: bytes, access: KeyAccess) -> list[bytes]:
    """Documents of the folder, sealed for their person beside ``source`` or in the home folder; returns the paths."""
    made = []
    folder_fd = os.open(folder.document, os.O_RDONLY | os.O_DIRECTORY | os.O_CLOEXEC)
    try:
        for name in names:
            fd = open_regular(folder_fd, name)
            try:
                made.append(_sealed_apart(fd, name.rpartition(b"/")[2], source, access))
            finally:
                os.close(fd)
    finally:
        os.close(folder_fd)
    return made


def _sealed_apart(fd: int, name: bytes, source: bytes, access: KeyAccess) -> bytes:
    problem: OSError = FileNotFoundError()
    state, recipients = os.fstat(fd), access.recipients()
    for place in (source.rpartition(b"/")[0] or b"/", os.fsencode(os.path.expanduser("~"))):
        try:
            folder_fd = os.open(place, os.O_RDONLY | os.O_DIRECTORY | os.O_CLOEXEC)
        except OSError as error:
            problem = error
            continue
        try:
            with Draft(folder_fd) as draft:
                seal(fd, state.st_size, name, state.st_mtime_ns, recipients, draft.fd)
                os.fsync(draft.fd)
                made = draft.publish_free(neutral_name())
            sync_folder_fd(folder_fd)
            return place.rstrip(b"/") + b"/" + made
        except OSError as error:
            problem = error
        finally:
            os.close(folder_fd)
    raise problem


def _state(folder_fd: int, name: bytes) -> tuple[str, tuple[int, int, int]]:
    fd = open_regular(folder_fd, name)
    try:
        state = os.fstat(fd)
        return _digest(fd), (state.st_ino, state.st_size, state.st_mtime_ns)
    finally:
        os.close(fd)


def _digest(fd: int) -> str:
    digest, offset = hashlib.sha256(), 0
    while block := os.pread(fd, 1 << 20, offset):
        digest.update(block)
        offset += len(block)
    return digest.hexdigest()
