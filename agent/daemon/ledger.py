"""What has been judged already, so that nothing is judged twice without cause.

A cache of the audit log, nothing more: it is filled from the transfer records, also after a kill, and may be deleted.
It holds keyed digests of (volume, file state) and the policy release they were judged under; no names. A file counts as
judged while its state, the policy and the engine are the same. What a second look is owed is part of what the first one
rested on (``basis_of``): one value, so that no kill comes between the two.
"""

from __future__ import annotations

import os
import sqlite3
import threading
from collections.abc import Callable, Iterable, Mapping
from dataclasses import dataclass
from pathlib import Path
from typing import Any

_SCHEMA = """
CREATE TABLE IF NOT EXISTS judged (file TEXT PRIMARY KEY, basis TEXT NOT NULL, number INTEGER NOT NULL) WITHOUT ROWID;
CREATE TABLE IF NOT EXISTS armed (place TEXT PRIMARY KEY, since INTEGER NOT NULL) WITHOUT ROWID;
CREATE TABLE IF NOT EXISTS progress (one INTEGER PRIMARY KEY CHECK (one = 1), next INTEGER NOT NULL);
"""
_UNFINISHED = {"changed", "gone", "interrupted", "failed"}


class Ledger:
    def __init__(self, path: Path) -> None:
        """Open or make the file; one that cannot be read is a broken cache and is made again."""
        self._path = path
        try:
            self._db = self._open(path)
        except sqlite3.Error:
            self._make_again()
        self._lock = threading.Lock()
        self._resumed: set[str] = set()

    @staticmethod
    def _open(path: Path) -> sqlite3.Connection:
        os.close(os.open(path, os.O_RDWR | os.O_CREAT | os.O_CLOEXEC, 0o600))  # its companions get the same mode
        for companion in (path, Path(f"{path}-wal"), Path(f"{path}-shm")):
            if companion.exists():
                companion.chmod(0o600)  # a reader's lock would stop our writing
        database = sqlite3.connect(path, check_same_thread=False, isolation_level=None)
        database.execute("PRAGMA journal_mode=WAL")
        database.execute("PRAGMA synchronous=NORMAL")
        database.execute("PRAGMA cache_size=-512")
        if database.execute("PRAGMA quick_check(1)").fetchone()[0] != "ok":
            raise sqlite3.DatabaseError("damaged")
        database.executescript(_SCHEMA)
        return database

    def _make_again(self) -> None:
        """A cache that is damaged is worth nothing: an empty one is filled from the log at the next start."""
        if hasattr(self, "_db"):
            self._db.close()
        for name in (self._path, Path(f"{self._path}-wal"), Path(f"{self._path}-shm")):
            name.unlink(missing_ok=True)
        self._db = self._open(self._path)

    def _run(self, statement: str, *values: object) -> tuple[object, ...] | None:
        """One statement, its first row. A damaged file is made again, and the statement tried once more."""
        with self._lock:
            try:
                row = self._db.execute(statement, values).fetchone()
            except sqlite3.DatabaseError as error:
                if isinstance(error, sqlite3.OperationalError):
                    return None  # no space, or busy: a cache may forget
                self._make_again()
                row = self._db.execute(statement, values).fetchone()
        return row if row is None else tuple(row)

    def next_index(self) -> int:
        """The index of the first audit record that this cache has not seen."""
        row = self._run("SELECT next FROM progress")
        return int(str(row[0])) if row else 0

    def fill(self, records_from: Callable[[int], Iterable[tuple[int, Mapping[str, Any]]]]) -> None:
        """Take in what the log says and this cache does not; from the beginning when the cache is damaged."""
        try:
            self.replay(records_from(self.next_index()))
        except sqlite3.Error:
            with self._lock:
                self._make_again()
            self.replay(records_from(0))

    def replay(self, records: Iterable[tuple[int, Mapping[str, Any]]]) -> None:
        """Take in audit records (index, fields) in order, from ``next_index`` on."""
        acts: dict[int, tuple[str, str]] = {}
        with self._lock:
            self._db.execute("BEGIN")
            last = -1
            for index, fields in records:
                last = index
                if fields.get("k") == "transfer":
                    file, basis = str(fields.get("file", "")), basis_of(fields)
                    if fields.get("act"):
                        acts[index] = (file, basis)
                    else:
                        self._put(file, basis, index)
                elif fields.get("k") == "outcome":
                    self._finish(acts.pop(int(fields.get("of", -1)), None), fields, index)
            if last >= 0:
                self._db.execute("INSERT OR REPLACE INTO progress VALUES (1, ?)", (last + 1,))
            self._db.execute("COMMIT")
            self._resumed.update(file for file, _basis in acts.values())

    def _finish(self, act: tuple[str, str] | None, fields: Mapping[str, Any], index: int) -> None:
        if act is None:
            return
        if fields.get("result") in _UNFINISHED:
            self._resumed.add(act[0])
        elif not fields.get("held"):  # what was taken away is not there to be judged: one that comes again is new
            self._put(*act, index)

    def _put(self, file: str, basis: str, number: int) -> None:
        self._db.execute("INSERT OR REPLACE INTO judged VALUES (?, ?, ?)", (file, basis, number))

    def basis(self, file: str) -> str | None:
        """What the file's judgement rested on, or None when it has not been judged in this state."""
        row = self._run("SELECT basis FROM judged WHERE file = ?", file)
        return None if row is None else str(row[0])

    def mark(self, file: str, basis: str, number: int) -> None:
        """The file has been judged, and acted on as far as it will be; ``number`` is the audit index that says so."""
        self._run("INSERT OR REPLACE INTO judged VALUES (?, ?, ?)", file, basis, number)
        with self._lock:
            self._resumed.discard(file)

    def removed(self, file: str) -> None:
        """The file was acted on and is not there any more: one that looks the same later has not been judged."""
        self._run("DELETE FROM judged WHERE file = ?", file)
        with self._lock:
            self._resumed.discard(file)

    def resume(self, file: str) -> None:
        """A transfer of this file was begun and not finished: when it shows up again it is taken up, not new."""
        with self._lock:
            self._resumed.add(file)

    def interrupted(self, file: str) -> bool:
        """Whether a transfer of this file was begun and not finished."""
        return file in self._resumed

    def first_armed(self, place: str, now_ns: int) -> int:
        """When this place came under guard for the first time (nanoseconds since the epoch): ``now_ns`` if just now.

        What changed after that is new, also when it arrived while the agent was not running.
        """
        self._run("INSERT OR IGNORE INTO armed VALUES (?, ?)", place, now_ns)
        row = self._run("SELECT since FROM armed WHERE place = ?", place)
        return int(str(row[0])) if row else now_ns

    def forget_armed(self, place: str) -> None:
        """The volume was taken out: what is on it when it comes back was there before the guard."""
        self._run("DELETE FROM armed WHERE place = ?", place)

    def checkpoint(self, next_index: int) -> None:
        """Everything below ``next_index`` is in: the next start reads from there."""
        self._run("INSERT OR REPLACE INTO progress VALUES (1, ?)", next_index)

    def close(self) -> None:
        with self._lock:
            self._db.close()


UNREAD, READ = "unread", "read"
"""Field ``pictures`` of a transfer record: the final look is owed; this is the final look."""


@dataclass(frozen=True, slots=True)
class Owed:
    """What the second look must know of the first: whether the file was new then, and what was decided."""

    arrival: str
    decision: str


def basis_of(fields: Mapping[str, Any]) -> str:
    """What a judgement rested on besides the file: policy release and engine, and that pictures were not read."""
    basis = f"{fields.get('release', '')}/{fields.get('engine', '')}"
    if fields.get("pictures") != UNREAD:
        return basis
    return f"{basis}/{UNREAD}/{fields.get('arrival', '')}/{fields.get('decision', '')}"


def owed(judged: str | None, basis: str) -> Owed | None:
    """What is owed to a file that was ``judged`` so, when a judgement now would rest on ``basis``; None: nothing."""
    prefix = f"{basis}/{UNREAD}/"
    if judged is None or not judged.startswith(prefix):
        return None
    arrival, _, decision = judged.removeprefix(prefix).partition("/")
    return Owed(arrival, decision)
