"""The folder behind the quarantine: entries as they lie on the disk, found again at start, looked up, kept and removed.

Owns the form of ``quarantine/`` (0700, root)::

    quarantine/AB12CD34/content      the document, 0600
    quarantine/AB12CD34/meta.json    agent.actions.entry
    quarantine/AB12CD34.partial/     not finished: of no worth, removed at start

What happens to a document, and when, is ``quarantine``'s. One process at a time works here; its threads share the lock.
"""

from __future__ import annotations

import base64
import os
import secrets
import threading
from pathlib import Path

from agent.actions.copying import digest_of
from agent.actions.entry import ID_PATTERN, MAX_META_BYTES, RELEASED, RESTORED, TAKEN, Entry, decode
from agent.errors import N_, UntrustedInputError, UsageError
from agent.fsys.atomic import private_folder, replace_file
from agent.fsys.openat import open_regular

PARTIAL = ".partial"


class Shelf:
    """The entries below ``folder``. Raises OSError when the folder cannot be made."""

    def __init__(self, folder: Path) -> None:
        self.folder = private_folder(folder)
        self._lock = threading.RLock()
        self._entries: dict[str, Entry] = {}
        self._damaged: list[str] = []
        self._load()

    def list(self, uid: int | None = None) -> tuple[Entry, ...]:
        """What is here of one person (None: of all), oldest first, restored ones included while they are kept."""
        with self._lock:
            mine = [entry for entry in self._entries.values() if uid is None or entry.uid == uid]
        return tuple(sorted(mine, key=lambda entry: (entry.taken, entry.id)))

    def unfinished(self) -> tuple[Entry, ...]:
        """Entries whose original may still be in its place."""
        return tuple(entry for entry in self.list() if entry.state == TAKEN)

    def damaged(self) -> tuple[str, ...]:
        """Ids of entries whose record cannot be read; their content is left where it is."""
        return tuple(self._damaged)

    def get(self, entry_id: str, uid: int) -> Entry:
        """The entry, if it is the caller's (root: anybody's). Raises UsageError, the same for a stranger's."""
        with self._lock:
            entry = self._entries.get(entry_id.upper())
        if entry is None or uid not in {0, entry.uid}:
            raise UsageError(
                N_("there is no document {id} in quarantine"), hint=N_("serment quarantine list shows them"),
                id=entry_id[:16],
            )  # fmt: skip
        return entry

    def verified(self, entry: Entry) -> bool:
        """Whether the content is here and is what was taken."""
        try:
            fd = self._open_content(entry)
        except OSError:
            return False
        try:
            return digest_of(fd) == entry.sha256
        except OSError:
            return False
        finally:
            os.close(fd)

    def content(self, entry: Entry) -> int:
        """The document, open for reading; the caller closes it. Raises OSError."""
        return self._open_content(entry)

    def prune(self, now: int) -> int:
        """Remove what its owner has had back for 30 days (``now``: seconds since the epoch); how many there were."""
        with self._lock:
            over = [entry for entry in self.list() if entry.state in {RESTORED, RELEASED} and entry.keep_until <= now]
            for entry in over:
                self._remove(entry)
        return len(over)

    def _open_content(self, entry: Entry) -> int:
        folder_fd = os.open(self.folder, os.O_PATH | os.O_DIRECTORY | os.O_CLOEXEC)
        try:
            return open_regular(folder_fd, f"{entry.id}/content".encode("ascii"))
        finally:
            os.close(folder_fd)

    def _save(self, entry: Entry) -> Entry:
        replace_file(self.folder / entry.id / "meta.json", entry.encode())
        self._entries[entry.id] = entry
        return entry

    def _remove(self, entry: Entry) -> None:
        """Renamed first, so that a kill leaves something that is known to be of no worth."""
        partial = self.folder / (entry.id + PARTIAL)
        (self.folder / entry.id).rename(partial)
        del self._entries[entry.id]
        remove_tree(partial)

    def _load(self) -> None:
        for found in sorted(self.folder.iterdir()):
            if found.name.endswith(PARTIAL) and ID_PATTERN.fullmatch(found.name.removesuffix(PARTIAL)):
                remove_tree(found)
            elif ID_PATTERN.fullmatch(found.name):
                try:
                    with (found / "meta.json").open("rb") as file:
                        entry = decode(file.read(MAX_META_BYTES))
                except (OSError, UntrustedInputError):
                    self._damaged.append(found.name)
                    continue
                self._entries[found.name] = entry

    def _new_id(self) -> str:
        while True:
            entry_id = base64.b32encode(secrets.token_bytes(5)).decode("ascii")
            if not (self.folder / entry_id).exists():
                return entry_id


def remove_tree(folder: Path) -> None:
    """An entry's folder is flat: files of ours, nothing else. What somebody else put there stays, and stops nobody."""
    try:
        for found in folder.iterdir():
            found.unlink()
        folder.rmdir()
    except (FileNotFoundError, NotADirectoryError, IsADirectoryError, PermissionError):
        pass
