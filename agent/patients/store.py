"""Where the list lies: ``patients.idx`` and its key, apart from one another. Makes, reads and forgets them.

Owns::

    data_dir/patients.idx         0600   the digests, docs/formats/patient-list.md
    data_dir/keys/patients.key    0600   32 random bytes as hexadecimal digits; made with the first list, gone with it

Both belong to whom the agent runs as. The list is replaced whole or not at all; a list without its key is of no use to
anybody. Forgetting removes the key first: what a disk or a backup may still hold of the list then says nothing.
"""

from __future__ import annotations

import contextlib
import fcntl
import os
import secrets
from collections.abc import Iterator
from dataclasses import dataclass
from pathlib import Path

from agent.detection.roster.digests import KEY_BYTES
from agent.detection.roster.index import MAX_BYTES, Index, decode_header, decode_index, encode_index
from agent.errors import N_, HostError, UntrustedInputError
from agent.fsys.atomic import private_folder, replace_file, sync_folder

_MAX_KEY = 256  # bytes of the key's file


@dataclass(frozen=True, slots=True)
class Held:
    """What may be told of the list that is held: how many patients, since when (seconds since 1970)."""

    patients: int
    loaded: int
    edition: str  # eight hexadecimal digits that change with the list


class PatientStore:
    """The list below ``data_dir``. Making this value touches nothing."""

    def __init__(self, data_dir: Path) -> None:
        self._folder = data_dir
        self.index = data_dir / "patients.idx"
        self.key = data_dir / "keys" / "patients.key"

    @property
    def files(self) -> tuple[Path, Path]:
        """Key and list, in the order in which a reader of documents is lent them."""
        return self.key, self.index

    def held(self) -> Held | None:
        """The list that is held, its seal checked; None when there is none.

        Raises UntrustedInputError when it is damaged or its key is gone, OSError when it cannot be read.
        """
        try:
            data = _read(self.index, MAX_BYTES)
        except FileNotFoundError:
            return None
        decode_index(data, self.read_key() or b"")
        header = decode_header(data)
        return Held(header.patients, header.loaded, data[-4:].hex())

    def fingerprint(self) -> tuple[int, ...]:
        """Changes whenever the files do; cheap enough to be asked all the time."""
        found: list[int] = []
        for path in self.files:
            with contextlib.suppress(OSError):
                state = os.stat(path)
                found += [state.st_ino, state.st_size, state.st_mtime_ns]
        return tuple(found)

    def old(self) -> Index | None:
        """The list itself, to be added to; None when there is none. Raises like ``held``."""
        try:
            data = _read(self.index, MAX_BYTES)
        except FileNotFoundError:
            return None
        return decode_index(data, self.read_key() or b"")

    def read_key(self) -> bytes | None:
        """The key, or None when there is none. Raises UntrustedInputError when it is damaged."""
        try:
            text = _read(self.key, _MAX_KEY)
        except FileNotFoundError:
            return None
        with contextlib.suppress(ValueError):
            key = bytes.fromhex(text.decode("ascii"))
            if len(key) == KEY_BYTES:
                return key
        raise UntrustedInputError(
            N_("the key of the patient list is damaged"), where=str(self.key),
            hint=N_("forget the list and load it again: serment patients forget"),
        )  # fmt: skip

    def key_to_load(self) -> bytes:
        """The key, made when there is none yet. Raises OSError, UntrustedInputError."""
        key = self.read_key()
        if key is None:
            key = secrets.token_bytes(KEY_BYTES)
            if not self.key.parent.exists():
                private_folder(self.key.parent, 0o711)
            replace_file(self.key, key.hex().encode("ascii") + b"\n", 0o600)
        return key

    def put(self, index: Index, key: bytes) -> None:
        """Replace the list. Raises OSError; then the old one is still there."""
        replace_file(self.index, encode_index(index, key), 0o600)

    def forget(self) -> bool:
        """Remove the list and its key; False when there was none. Raises OSError."""
        there = False
        for path in self.files:
            with contextlib.suppress(FileNotFoundError):
                path.unlink()
                sync_folder(path.parent)
                there = True
        return there

    @contextlib.contextmanager
    def changing(self) -> Iterator[None]:
        """Only one command at a time changes the list. Raises HostError when the caller may not, or another does."""
        try:
            fd = os.open(self._folder / "patients.lock", os.O_RDWR | os.O_CREAT | os.O_CLOEXEC | os.O_NOFOLLOW, 0o600)
        except FileNotFoundError as error:
            raise HostError(
                N_("there is no agent's folder {folder} on this laptop"),
                hint=N_("start the agent once, or give its --config"), folder=self._folder,
            ) from error  # fmt: skip
        except PermissionError as error:
            raise HostError(N_("only the administrator of this laptop may do this"), hint=N_("use sudo")) from error
        try:
            try:
                fcntl.flock(fd, fcntl.LOCK_EX | fcntl.LOCK_NB)
            except BlockingIOError as error:
                raise HostError(
                    N_("the patient list is being changed by another command"), hint=N_("try again when it has ended")
                ) from error
            yield
        finally:
            os.close(fd)


def _read(path: Path, limit: int) -> bytes:
    """A file of ours: bounded, never through a link. Raises OSError, UntrustedInputError."""
    fd = os.open(path, os.O_RDONLY | os.O_CLOEXEC | os.O_NOFOLLOW | os.O_NONBLOCK)
    with os.fdopen(fd, "rb") as file:
        data = file.read(limit + 1)
    if len(data) > limit:
        raise UntrustedInputError(
            N_("the patient list on this laptop cannot be used: {what}"),
            hint=N_("load it again: serment patients load FILE"), what="size",
        )  # fmt: skip
    return data
