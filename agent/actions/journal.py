"""What is being sealed right now, so that a kill in the middle is found out and resolved at the next start.

One small file an intent, durable before anything shows in the guarded folder, removed when the action has ended. A
document on its way to quarantine needs none: its entry says the same. The record holds a name, so it is root's alone.
"""

from __future__ import annotations

import base64
import json
import os
from collections.abc import Iterator
from contextlib import contextmanager
from dataclasses import dataclass
from pathlib import Path

from agent.errors import N_, UntrustedInputError
from agent.fsys.atomic import private_folder, replace_file
from agent.fsys.draft import Draft
from agent.model import Stamp

_MAX_BYTES = 64 * 1024


@dataclass(frozen=True, slots=True)
class Intent:
    """A document (``name`` below ``root``) being replaced by the sealed file ``sealed`` in the same folder.

    ``sealed`` and ``sealed_sha256`` are empty until the sealed file is complete.
    """

    token: str
    root: bytes
    name: bytes
    stamp: Stamp
    number: int
    sealed: bytes = b""
    sealed_sha256: str = ""


class Journal:
    """The intents below ``folder``. Raises OSError when it cannot be written."""

    def __init__(self, folder: Path) -> None:
        self._folder = private_folder(folder)
        self._in_hand: set[str] = set()  # tokens of what a thread is sealing
        self._tokens: dict[int, str] = {}  # audit index of the intent → token, of those not settled

    @contextmanager
    def draft(self) -> Iterator[Draft]:
        """A file without a name on the laptop's own disk, for a sealed document that a gate carries over."""
        folder_fd = os.open(self._folder, os.O_RDONLY | os.O_DIRECTORY | os.O_CLOEXEC)
        try:
            with Draft(folder_fd) as draft:
                yield draft
        finally:
            os.close(folder_fd)

    def write(self, intent: Intent) -> None:
        """Make the intent durable, in the place of what this token said before."""
        self._tokens[intent.number] = intent.token
        table = {
            "token": intent.token,
            "root": base64.b64encode(intent.root).decode("ascii"),
            "name": base64.b64encode(intent.name).decode("ascii"),
            "stamp": list(intent.stamp),
            "number": intent.number,
            "sealed": intent.sealed.decode("ascii"),
            "sealed_sha256": intent.sealed_sha256,
        }
        replace_file(self._folder / f"{intent.token}.json", json.dumps(table).encode("ascii"))

    @contextmanager
    def at_work(self, token: str) -> Iterator[None]:
        """A thread seals under this token: recovery, which another thread may begin, leaves it alone."""
        self._in_hand.add(token)
        try:
            yield
        finally:
            self._in_hand.discard(token)

    def in_hand(self, token: str) -> bool:
        """Whether a thread is at work under this token."""
        return token in self._in_hand

    def settled(self, number: int) -> None:
        """The outcome of the intent with this audit index is written: nothing is left to find out after a kill."""
        token = self._tokens.pop(number, None)
        if token is not None:
            self.close(token)

    def close(self, token: str) -> None:
        """The action has ended, one way or the other. Not fsynced: at worst a power cut makes recovery look again."""
        (self._folder / f"{token}.json").unlink(missing_ok=True)

    def open_intents(self) -> tuple[Intent, ...]:
        """What was begun and has not ended; a torn or foreign file is passed over."""
        found = []
        for path in sorted(self._folder.glob("[0-9a-f]*.json")):
            try:
                with path.open("rb") as file:
                    found.append(_decode(file.read(_MAX_BYTES)))
            except (OSError, UntrustedInputError):
                continue
        return tuple(found)


def _decode(raw: bytes) -> Intent:
    try:
        table = json.loads(raw)
        return Intent(
            str(table["token"]), base64.b64decode(table["root"], validate=True),
            base64.b64decode(table["name"], validate=True), Stamp(*(int(number) for number in table["stamp"])),
            int(table["number"]), str(table["sealed"]).encode("ascii"), str(table["sealed_sha256"]),
        )  # fmt: skip
    except (ValueError, KeyError, TypeError, AttributeError, RecursionError, OverflowError) as error:
        raise UntrustedInputError(N_("a journal record is damaged")) from error
