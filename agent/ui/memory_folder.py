"""A private folder in memory for a document that is being looked at: a tmpfs of this person, mode 0700, never a disk.

One folder a document, held by a lock as long as its command lives. A folder whose lock is free was left by a crash:
``abandoned`` gives it to the next command, which saves what was edited and removes it. Log-out and power cuts empty it.
"""

from __future__ import annotations

import ctypes
import fcntl
import json
import os
import secrets
import shutil
from collections.abc import Iterator
from dataclasses import dataclass
from pathlib import Path

from agent.errors import N_, HostError

_IN_MEMORY = frozenset({0x01021994, 0x858458F6})  # tmpfs, ramfs
_libc = ctypes.CDLL(None, use_errno=True)
_MAX_STATE = 64 * 1024  # bytes: a path of 4,096 bytes takes six times as many


@dataclass(slots=True)
class MemoryFolder:
    """``document`` is where the document lies; ``scratch`` is for an application's temporary files."""

    path: Path
    lock_fd: int

    @property
    def document(self) -> Path:
        return self.path / "document"

    @property
    def scratch(self) -> Path:
        return self.path / "scratch"

    def note(self, **facts: str) -> None:
        """Keep what a later command has to know: where the sealed file is, what was in it."""
        fresh = self.path / "state.new"  # a kill leaves the old note or the new one
        fresh.write_text(json.dumps(facts), "ascii")
        fresh.rename(self.path / "state.json")

    def noted(self) -> dict[str, str]:
        """What ``note`` kept; empty when it is not there or not readable."""
        try:
            with (self.path / "state.json").open("rb") as file:
                found = json.loads(file.read(_MAX_STATE))
        except (OSError, ValueError):
            return {}
        return {str(key): str(value) for key, value in found.items()} if isinstance(found, dict) else {}

    def release(self) -> None:
        """Leave it to whoever asks for abandoned ones next."""
        if self.lock_fd >= 0:
            os.close(self.lock_fd)
            self.lock_fd = -1

    def remove(self) -> None:
        """Nothing stays: the memory goes back to the system."""
        shutil.rmtree(self.path, ignore_errors=True)
        self.release()
        if self.path.exists():
            raise HostError(N_("a folder in memory could not be removed"), where=str(self.path), hint=N_("log out"))


def make() -> MemoryFolder:
    """A fresh one. Raises HostError when this person has no place in memory."""
    path = _base() / secrets.token_hex(8)
    path.mkdir(mode=0o700)
    lock_fd = os.open(path / "lock", os.O_RDWR | os.O_CREAT | os.O_EXCL | os.O_CLOEXEC, 0o600)
    fcntl.flock(lock_fd, fcntl.LOCK_EX | fcntl.LOCK_NB)
    folder = MemoryFolder(path, lock_fd)
    folder.document.mkdir(mode=0o700)
    folder.scratch.mkdir(mode=0o700)
    return folder


def abandoned() -> Iterator[MemoryFolder]:
    """Those whose command is dead, each locked for the caller."""
    try:
        paths = sorted(_base().iterdir())
    except HostError:
        return
    for path in paths:
        try:
            lock_fd = os.open(path / "lock", os.O_RDWR | os.O_CLOEXEC | os.O_NOFOLLOW)
        except OSError:
            continue
        try:
            fcntl.flock(lock_fd, fcntl.LOCK_EX | fcntl.LOCK_NB)
        except OSError:
            os.close(lock_fd)
            continue
        yield MemoryFolder(path, lock_fd)


def _base() -> Path:
    uid = os.geteuid()
    for place in (os.environ.get("XDG_RUNTIME_DIR", ""), f"/run/user/{uid}"):
        if place.startswith("/") and _fit(Path(place), uid):
            return _made(Path(place) / "serment-open", uid)
    if in_memory(Path("/dev/shm")):  # noqa: S108 - the system's tmpfs; a folder of the own below it
        return _made(Path(f"/dev/shm/serment-open-{uid}"), uid)  # noqa: S108
    raise HostError(
        N_("there is no place in memory for the document"),
        hint=N_("log in to a desktop session, or take the document out: serment open --to FOLDER"),
    )


def _fit(path: Path, uid: int) -> bool:
    try:
        state = os.lstat(path)
    except OSError:
        return False
    return state.st_uid == uid and state.st_mode & 0o777 == 0o700 and in_memory(path)


def _made(path: Path, uid: int) -> Path:
    path.mkdir(mode=0o700, exist_ok=True)
    if not _fit(path, uid):  # somebody else made it first, or it is a link
        raise HostError(N_("the folder {folder} is not only yours"), hint=N_("remove it"), folder=path)
    return path


def in_memory(path: Path) -> bool:
    """Whether the file system of ``path`` is memory (tmpfs, ramfs)."""
    answer = ctypes.create_string_buffer(256)
    if _libc.statfs(os.fsencode(path), answer) != 0:
        return False
    return int.from_bytes(answer.raw[: ctypes.sizeof(ctypes.c_long)], "little") in _IN_MEMORY
