"""A backup is put back: into a folder that is empty, every file against its digest, every laptop's log verified anew.

What comes from the archive is hostile until then: names, sizes and kinds of its members are checked before anything is
written, and when anything is wrong the folder is as empty as it was.
"""

from __future__ import annotations

import hashlib
import json
import os
import re
import shutil
import tarfile
import tempfile
from collections.abc import Sequence
from dataclasses import dataclass, field
from pathlib import Path
from typing import IO, Any

from sqlalchemy import select

from agent.crypto.sealed import unseal
from agent.errors import N_, HostError, UntrustedInputError, UsageError
from agent.fsys.atomic import private_folder, replace_file, sync_folder
from collector.backup import UNFINISHED
from collector.backup.archive import FORMAT, MANIFEST, MAX_FILE_BYTES
from collector.pages.proofs import verify
from collector.store.engine import FILE_NAME, open_store
from collector.store.tables import laptops
from collector.tuf.repository import ServerRepository

MAX_MANIFEST_BYTES = 16 << 20
MAX_MEMBERS = 200_000
MAX_KEY_FILE_BYTES = 64 << 10
_NAME = re.compile(r"(?!\.)[^/\0]{1,255}(/(?!\.)[^/\0]{1,255}){0,31}")  # nothing in it begins with a dot: no way out
_CHUNK = 1 << 20
_LATEST = 1 << 40  # seconds: what a calendar can show


@dataclass(slots=True)
class Restored:
    """``made`` is when the backup was (seconds since 1970 UTC). ``records`` False: they are PostgreSQL's. ``wrong`` are
    laptops whose log, as it lies in the backup, does not verify: it did not before either.
    """

    made: int
    files: int
    records: bool
    laptops: int = 0
    held: int = 0
    wrong: list[str] = field(default_factory=list)


def identities(path: Path) -> list[str]:
    """The keys in an age identity file. Raises HostError and UsageError."""
    try:
        with path.open("rb") as file:
            untrusted = file.read(MAX_KEY_FILE_BYTES)
    except OSError as error:
        raise HostError(N_("cannot be read: {why}"), where=str(path), why=error.strerror or "") from error
    lines = (line.strip() for line in untrusted.decode("ascii", "replace").splitlines())
    found = [line for line in lines if line.startswith("AGE-SECRET-KEY-")]
    if not found:
        raise UsageError(N_("there is no key in this file"), where=str(path), hint=N_("it begins with AGE-SECRET-KEY-"))
    return found


def restore(backup: Path, keys: Sequence[str], data: Path) -> Restored:
    """Put ``backup`` into ``data``, which is empty or not there yet. Raises UsageError, HostError, SealError and
    UntrustedInputError; nothing is left behind then. Where it is killed, no collector starts on what it leaves.
    """
    new = not data.exists()
    if not new and any(data.iterdir()):
        raise UsageError(N_("there is something in this folder already"), where=str(data))
    private_folder(data)
    try:
        replace_file(data / UNFINISHED, b"")
        with tempfile.TemporaryFile(dir=data) as plain:
            _unseal(backup, keys, plain)
            said = _unpack(plain, data)
        done = Restored(said["made"], len(said["files"]), FILE_NAME in said["files"])
        if done.records:
            _verify(data, done)
        ServerRepository(data).leap()
        for folder, _, _ in os.walk(data):
            sync_folder(Path(folder))
        (data / UNFINISHED).unlink()
        sync_folder(data)
        return done
    except BaseException as error:
        _empty(data, remove=new)
        if isinstance(error, OSError):
            raise HostError(N_("cannot be written: {why}"), where=str(data), why=error.strerror or "") from error
        raise


def _empty(data: Path, *, remove: bool) -> None:
    if remove:
        shutil.rmtree(data, ignore_errors=True)
        return
    for path in data.iterdir():
        shutil.rmtree(path) if path.is_dir() and not path.is_symlink() else path.unlink(missing_ok=True)


def _unseal(backup: Path, keys: Sequence[str], plain: IO[bytes]) -> None:
    try:
        fd = os.open(backup, os.O_RDONLY | os.O_CLOEXEC)
    except OSError as error:
        raise HostError(N_("cannot be read: {why}"), where=str(backup), why=error.strerror or "") from error
    try:
        unseal(fd, keys, plain.fileno())
    finally:
        os.close(fd)
    plain.seek(0)


def _damaged() -> UntrustedInputError:
    return UntrustedInputError(N_("this is no backup of a collector, or it is damaged"))


def _unpack(plain: IO[bytes], data: Path) -> dict[str, Any]:
    """The files, each as the manifest says; and the manifest."""
    found: dict[str, tuple[int, str]] = {}
    manifest: dict[str, Any] | None = None
    try:
        with tarfile.open(fileobj=plain, mode="r:") as archive:
            for number, member in enumerate(archive):
                if manifest is not None or number > MAX_MEMBERS or not member.isfile():
                    raise _damaged()
                if member.name == MANIFEST:
                    manifest = _manifest(archive, member)
                    continue
                most = 1 << 62 if member.name == FILE_NAME else MAX_FILE_BYTES
                if not _NAME.fullmatch(member.name) or member.size > most or member.name in found:
                    raise _damaged()
                found[member.name] = _take(archive, member, data / member.name)
    except (tarfile.TarError, ValueError, RecursionError, EOFError) as error:
        raise _damaged() from error
    if manifest is None or {name: list(each) for name, each in found.items()} != manifest.get("files"):
        raise _damaged()
    if manifest.get("format") != FORMAT or type(made := manifest.get("made")) is not int or not 0 <= made < _LATEST:
        raise UntrustedInputError(N_("this backup is of another version"))
    return manifest


def _manifest(archive: tarfile.TarFile, member: tarfile.TarInfo) -> dict[str, Any]:
    file = archive.extractfile(member)
    if file is None or member.size > MAX_MANIFEST_BYTES:
        raise _damaged()
    found = json.loads(file.read(MAX_MANIFEST_BYTES))
    if not isinstance(found, dict):
        raise _damaged()
    return found


def _take(archive: tarfile.TarFile, member: tarfile.TarInfo, target: Path) -> tuple[int, str]:
    source = archive.extractfile(member)
    if source is None:
        raise _damaged()
    target.parent.mkdir(mode=0o700, parents=True, exist_ok=True)
    fd = os.open(target, os.O_WRONLY | os.O_CREAT | os.O_EXCL | os.O_CLOEXEC | os.O_NOFOLLOW, 0o600)
    digest, size = hashlib.sha256(), 0
    with open(fd, "wb") as file:
        while piece := source.read(_CHUNK):
            file.write(piece)
            digest.update(piece)
            size += len(piece)
        file.flush()
        os.fchmod(fd, 0o644 if member.mode & 0o004 else 0o600)
        os.fsync(fd)
    return size, digest.hexdigest()


def _verify(data: Path, done: Restored) -> None:
    """The database is whole, and each laptop's log is what the collector once signed for."""
    store = open_store(data)
    try:
        with store.engine.connect() as connection:
            if connection.exec_driver_sql("PRAGMA integrity_check").scalar_one() != "ok":
                raise _damaged()
            devices = [row.device for row in connection.execute(select(laptops.c.device).order_by(laptops.c.id))]
        for device in devices:
            laptop = store.laptop(device, 0, make=False)
            if laptop is None:
                continue
            proof = verify(store, laptop)
            done.laptops += 1
            done.held += proof.held
            if not proof.good:
                done.wrong.append(device)
    finally:
        store.close()
