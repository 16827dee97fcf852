"""What the agent tells a gate: which folders, which programs, how long to wait. Values to bytes and back; pure.

Records of NUL-terminated fields, each record led by how many fields it has: names are bytes and hold no NUL, and the
gate's process needs no parser of another format in its memory.
"""

from __future__ import annotations

from enum import Enum
from typing import NamedTuple

from agent.errors import N_, UntrustedInputError


class FolderKind(Enum):
    SYNC = b"sync"  # a program uploads what is in it
    DOCUMENTS = b"documents"  # a person keeps documents there


class Standing(Enum):
    """What is known of a program, by device, inode and time of change of its executable."""

    FREE = b"free"  # shows, edits or prints documents on this laptop
    EXIT = b"exit"  # carries documents away
    OTHER = b"other"  # known to be neither
    SCRIPTS = b"scripts"  # runs other people's programs: who it is has to be asked each time


class Folder(NamedTuple):
    root: bytes  # absolute path
    kind: FolderKind
    skip_hidden: bool = False  # what lies in it under a first name with a dot is not guarded


class Settings(NamedTuple):
    """Times in milliseconds. ``refuse_*``: what a read gets that nobody could judge in time. ``deadline_ms``: from the
    opening; while the agent says that its readers are being started it does not run, for ``start_ms`` at most.
    """

    folders: tuple[Folder, ...] = ()
    programs: tuple[tuple[int, int, int, Standing, bytes], ...] = ()  # device, inode, ctime (ns), standing, word
    agent: int = 0  # pid: its own reads are never held
    rules: int = 0  # another number: what was decided so far counts no more
    deadline_ms: int = 5000
    writer_wait_ms: int = 2000
    refuse_sync: bool = True
    refuse_documents: bool = True
    start_ms: int = 30_000
    moves: bytes = b""  # name of the program that holds moves (``bpf_moves``); empty: there is none


_NUMBERS = ("agent", "rules", "deadline_ms", "writer_wait_ms", "refuse_sync", "refuse_documents", "start_ms")


def encode(settings: Settings) -> bytes:
    """Raises ValueError for a name with a NUL."""
    records = [[b"numbers", *(b"%d" % getattr(settings, name) for name in _NUMBERS)]]
    records += [[b"moves", settings.moves]] if settings.moves else []
    records += [[b"folder", item.root, item.kind.value, b"%d" % item.skip_hidden] for item in settings.folders]
    records += [
        [b"program", b"%d" % device, b"%d" % inode, b"%d" % changed, standing.value, word]
        for device, inode, changed, standing, word in settings.programs
    ]
    if any(b"\0" in field for record in records for field in record):
        raise ValueError("a name holds a NUL")
    return b"".join(b"\0".join((b"%d" % len(record), *record, b"")) for record in records)


def decode(raw: bytes) -> Settings:
    """Raises UntrustedInputError for anything that ``encode`` does not write."""
    try:
        return _decode(raw.split(b"\0"))
    except (ValueError, IndexError) as error:
        raise UntrustedInputError(N_("the settings of a gate are damaged")) from error


def _decode(fields: list[bytes]) -> Settings:
    numbers: dict[str, int] = {}
    folders: list[Folder] = []
    programs: list[tuple[int, int, int, Standing, bytes]] = []
    moves, at = b"", 0
    while fields[at] or at < len(fields) - 1:
        count = int(fields[at])
        record = fields[at + 1 : at + 1 + count]
        if not 0 < count == len(record):
            raise ValueError
        at += 1 + count
        if record[0] == b"folder":
            _, root, kind, hidden = record
            folders.append(Folder(root, FolderKind(kind), bool(int(hidden))))
        elif record[0] == b"program":
            _, device, inode, changed, standing, word = record
            programs.append((int(device), int(inode), int(changed), Standing(standing), word))
        elif record[0] == b"moves":
            (moves,) = record[1:]
        else:
            numbers = dict(zip(_NUMBERS, map(int, record[1:]), strict=True))
    if not numbers:
        raise ValueError
    return Settings(
        tuple(folders), tuple(programs), numbers["agent"], numbers["rules"], numbers["deadline_ms"],
        numbers["writer_wait_ms"], bool(numbers["refuse_sync"]), bool(numbers["refuse_documents"]),
        numbers["start_ms"], moves,
    )  # fmt: skip
