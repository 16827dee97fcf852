"""Which program opens a file: by the device and inode of its executable, never by its path alone.

Used by the agent; the gate's process gets the result as a table. A program that is to be *free* must be the very file
that stands, owned by root, where the list says. A program is an *exit* when it is such a file, when its sandbox is
named so, or when it merely calls itself so: that makes things stricter, and lying gains nothing. The thread that asks
is asleep in its open, so what /proc says of it does not change meanwhile.
"""

from __future__ import annotations

import glob
import os
import re
import stat
from collections.abc import Callable, Iterable, Iterator, Mapping
from dataclasses import dataclass, field
from fnmatch import filter as fnmatch_filter
from fnmatch import fnmatchcase
from pathlib import Path
from typing import Any

from agent.gates.gate.fanotify import State
from agent.gates.gate.settings import Standing

_MOST = 4096  # programs in the table
_MOST_TEXT = 65536  # bytes of a file of /proc
_SNAP = re.compile(rb"/snap\.([a-z0-9-]+)\.")
_FLATPAK = re.compile(rb"/app-flatpak-((?:[\w-]|\\x2d)+(?:\.(?:[\w-]|\\x2d)+)+)-\d+\.scope")
_SCRIPT_WORDS = 6  # of a command line, among which the script is
EXITS = ("sync", "browser", "mail", "messenger", "transfer")
Identity = tuple[int, int, int]
"""Device, inode, and when the inode last changed: a number is used again for another file, never with its old time."""


@dataclass(frozen=True, slots=True)
class Program:
    """``word``: what the policy calls it; ``kind``: one of EXITS, "local", "scripts", or "" (unknown)."""

    word: str = ""
    kind: str = ""

    @property
    def standing(self) -> Standing:
        if self.kind in EXITS:
            return Standing.EXIT
        return {"local": Standing.FREE, "scripts": Standing.SCRIPTS}.get(self.kind, Standing.OTHER)


UNKNOWN = Program()


@dataclass(frozen=True, slots=True)
class Entry:
    """One program of the list."""

    program: Program
    paths: tuple[str, ...] = ()
    names: tuple[str, ...] = ()
    snaps: tuple[str, ...] = ()
    flatpaks: tuple[str, ...] = ()


def shipped() -> tuple[Entry, ...]:
    """The list that comes with Serment."""
    import tomllib  # once: whoever stays lets go of it (``agent.daemon.main``)

    raw = (Path(__file__).parent / "data/exits.toml").read_bytes()
    return tuple(_entry(table) for table in tomllib.loads(raw.decode())["program"])


def _entry(table: Mapping[str, Any]) -> Entry:
    lists = {key: tuple(table.get(key, ())) for key in ("paths", "names", "snaps", "flatpaks")}
    program = Program(table["word"], table["kind"])
    if program.kind not in {*EXITS, "local", "scripts"} or (program.kind not in EXITS and lists["names"]):
        raise ValueError(f"bad entry for {program.word}")
    return Entry(program, **lists)


@dataclass(slots=True)
class Programs:
    """``refresh`` finds the listed programs, ``identify`` says what a waiting thread runs. One thread at a time."""

    entries: tuple[Entry, ...]
    trusted: Callable[[os.stat_result], bool] = lambda found: found.st_uid == 0 and not found.st_mode & 0o022
    table: dict[Identity, Program] = field(default_factory=dict)
    _state: State = field(default_factory=State)

    def refresh(self) -> bool:
        """Look again where the listed programs are; whether the table is another one now. Forgets who is unknown."""
        found: dict[Identity, Program] = {}
        listed = _Listings()
        for entry in self.entries:
            for path in listed.expanded(entry.paths):
                try:
                    state = os.stat(path)
                except OSError:
                    continue
                if stat.S_ISREG(state.st_mode) and (entry.program.kind in EXITS or self.trusted(state)):
                    identity = (state.st_dev, state.st_ino, state.st_ctime_ns)
                    found.setdefault(identity, entry.program)  # who carries away is listed first
        changed = found != {key: program for key, program in self.table.items() if program.kind}
        if changed:
            self.table = found
        return changed

    def identify(self, thread: int) -> tuple[Program, Identity | None]:
        """(the program of a waiting thread, its executable); None: a thread of the kernel, or one that cannot be seen.

        What a script's name says holds for this thread alone; everything else is kept in ``table``.
        """
        if not self._state.program_of(thread):
            return UNKNOWN, None
        identity = self._state.identity
        known = self.table.get(identity)
        if known is None:
            known = self._by_sandbox(thread) or self._by_name(_executable(thread)) or UNKNOWN
            if len(self.table) < _MOST:
                self.table[identity] = known
        if known.kind == "scripts":
            return self._by_sandbox(thread) or self._script(thread) or known, identity
        return known, identity

    def _by_sandbox(self, thread: int) -> Program | None:
        group = _read(b"/proc/%d/cgroup" % thread)
        if snap := _SNAP.search(group):
            return self._named("snaps", [snap[1].decode("ascii", "replace")])
        if flatpak := _FLATPAK.search(group):
            return self._named("flatpaks", [flatpak[1].replace(rb"\x2d", b"-").decode("utf-8", "replace")])
        return None

    def _by_name(self, name: str) -> Program | None:
        return self._named("names", [name]) if name else None

    def _script(self, thread: int) -> Program | None:
        words = _read(b"/proc/%d/cmdline" % thread).split(b"\0")[:_SCRIPT_WORDS]
        names = [os.fsdecode(word.rpartition(b"/")[2]) for word in words if word]
        return self._named("names", [name.removesuffix(".py") for name in names])

    def _named(self, attribute: str, names: Iterable[str]) -> Program | None:
        for name in names:
            for entry in self.entries:
                if any(fnmatchcase(name, pattern) for pattern in getattr(entry, attribute)):
                    return entry.program
        return None


class _Listings:
    """Patterns to paths; a folder is listed once however many patterns look into it."""

    def __init__(self) -> None:
        self._names: dict[str, list[str]] = {}

    def expanded(self, patterns: Iterable[str]) -> Iterator[str]:
        for pattern in patterns:
            folder, _, last = pattern.rpartition("/")
            if not glob.has_magic(pattern):
                yield pattern
            elif glob.has_magic(folder):
                yield from glob.iglob(pattern)
            else:
                yield from (f"{folder}/{name}" for name in fnmatch_filter(self._list(folder), last))

    def _list(self, folder: str) -> list[str]:
        if folder not in self._names:
            try:
                self._names[folder] = os.listdir(folder)
            except OSError:
                self._names[folder] = []
        return self._names[folder]


def _executable(thread: int) -> str:
    """The last part of the executable's path; what it says of itself."""
    try:
        path = os.readlink(b"/proc/%d/exe" % thread)
    except OSError:
        return ""
    return os.fsdecode(path.removesuffix(b" (deleted)").rpartition(b"/")[2])


def _read(path: bytes) -> bytes:
    try:
        with open(path, "rb", buffering=0) as file:
            return file.read(_MOST_TEXT)
    except OSError:
        return b""
