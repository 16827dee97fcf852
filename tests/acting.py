"""A place under guard, a quarantine and keys, for the tests of actions."""

from __future__ import annotations

import hashlib
import os
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path

from agent.actions import build_actions
from agent.actions.base import OpenTransfer
from agent.actions.quarantine import QuarantineStore
from agent.crypto.keys import KeyStore
from agent.crypto.sealed import is_sealed, unseal
from agent.fsys.atomic import stamp
from agent.fsys.openat import open_folder, open_regular
from agent.gates.base import Hold
from agent.model import Cause, ChannelKind, Decision, FileEvent, Outcome, Place, Verdict

DOCUMENT = "Compte rendu de Mme Jeanne EXEMPLE, née le 1er mars 1961.\n".encode() * 2000


class Desk:
    """``place`` is the guarded folder; quarantine and keys lie below ``data``."""

    def __init__(self, place: Path, data: Path, owner: int | None = None) -> None:
        self.place = place
        self.owner = os.getuid() if owner is None else owner
        self.data = data
        self.store = QuarantineStore(data / "quarantine")
        self.keys = KeyStore(data / "keys")
        self.actions = build_actions(self.store, self.keys)

    def put(self, name: bytes, content: bytes = DOCUMENT) -> bytes:
        path = os.fsencode(self.place) + b"/" + name
        os.makedirs(os.path.dirname(path), exist_ok=True)
        with open(path, "wb") as file:
            file.write(content)
        return path

    @contextmanager
    def open(
        self, name: bytes, decision: Decision, channel: ChannelKind = ChannelKind.CLOUD_SYNC, hold: Hold | None = None
    ) -> Iterator[OpenTransfer]:
        root_fd = open_folder(os.fsencode(self.place))
        fd = -1
        try:
            fd = open_regular(root_fd, name)
            event = FileEvent(Place(channel, os.fsencode(self.place), self.owner), name, Cause.WRITTEN)
            yield OpenTransfer(event, root_fd, fd, stamp(fd), Verdict(decision, decision, "r1"), 7, hold=hold)
        finally:
            for opened in (fd, root_fd):
                if opened >= 0:
                    os.close(opened)

    def act(self, name: bytes, decision: Decision) -> Outcome:
        """Open, act, close; nothing in between."""
        with self.open(name, decision) as transfer:
            return self.actions[decision].apply(transfer)

    def names(self, folder: bytes = b"") -> set[bytes]:
        return set(os.listdir(os.path.join(os.fsencode(self.place), folder)))

    def contents(self) -> dict[str, list[str]]:
        """SHA-256 of every whole document there is → where: ``place``, ``sealed``, ``quarantine``."""
        found: dict[str, list[str]] = {}
        for folder, _, names in os.walk(os.fsencode(self.place)):
            for name in names:
                path = os.path.join(folder, name)
                if not os.path.islink(path):
                    digest, where = self._read(path)
                    found.setdefault(digest, []).append(where)
        for entry in self.store.list():
            if self.store.verified(entry):
                found.setdefault(entry.sha256, []).append("quarantine")
        return found

    def _read(self, path: bytes) -> tuple[str, str]:
        fd = os.open(path, os.O_RDONLY)
        try:
            if is_sealed(fd):
                return hashlib.sha256(self.opened(fd)).hexdigest(), "sealed"
            with open(fd, "rb", closefd=False) as file:
                return hashlib.file_digest(file, "sha256").hexdigest(), "place"
        finally:
            os.close(fd)

    def opened(self, fd: int) -> bytes:
        """The document in a sealed file."""
        plain = os.memfd_create("plain")
        try:
            unseal(fd, [self.keys.practice_identity()], plain)
            return os.pread(plain, os.fstat(plain).st_size, 0)
        finally:
            os.close(plain)


def digest(content: bytes) -> str:
    return hashlib.sha256(content).hexdigest()
