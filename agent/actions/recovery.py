"""After a kill: every document is as it was before its action or as it is after it, and we say which.

Run at start before anything is watched, and again for a volume that comes back. A name that was moved aside is removed
when the copy that replaces it is proved whole, otherwise it gets its name back. What is not in reach waits.
"""

from __future__ import annotations

import os
from collections.abc import Callable, Sequence
from dataclasses import dataclass, replace
from enum import StrEnum
from functools import partial

from agent.actions.copying import digest_of
from agent.actions.entry import Entry
from agent.actions.journal import Intent
from agent.actions.placeholder import Placeholders
from agent.actions.quarantine import NO_INTENT, QuarantineStore
from agent.actions.removal import aside_name, put_back, still_there
from agent.errors import ChangedError
from agent.fsys.draft import temporary_name
from agent.fsys.openat import open_regular, parent_folder
from agent.fsys.rename import sync_folder_fd
from agent.fsys.ways import open_root
from agent.model import Stamp


class Resolution(StrEnum):
    FINISHED = "finished"  # the original is gone, its copy or sealed file is whole
    UNDONE = "undone"  # the original is in its place, as if nothing had begun
    WAITING = "waiting"  # the volume is not here
    ABSENT = "absent"  # the folder is gone, or it is not known where the original is: kept, and nothing is claimed


@dataclass(frozen=True, slots=True)
class Recovered:
    """``number`` is the audit index of the intent; ``held`` the quarantine id or the sealed file's name."""

    number: int
    resolution: Resolution
    held: str = ""


def recover(
    store: QuarantineStore,
    languages: Sequence[str] = (),
    root: bytes | None = None,
    asks: Callable[[bytes], bool] = lambda _root: True,
) -> tuple[Recovered, ...]:
    """Resolve what was interrupted, everywhere or below one guarded ``root``; then bring the notes up to date.

    ``languages`` as for ``build_actions``. A root that ``asks`` says no to is not gone into, as one that is not in
    reach. Raises OSError only for our own disk.
    """
    found = (*_recover_entries(store, root, asks), *_recover_intents(store, root, asks))
    Placeholders(store, languages).refresh_all(root, asks)
    return found


def _recover_entries(store: QuarantineStore, root: bytes | None, asks: Callable[[bytes], bool]) -> list[Recovered]:
    """A document that a thread of ours has in hand just now is left to it: a place may be armed anew at any moment."""
    done = []
    for entry in store.unfinished():
        if root is not None and entry.root != root:
            continue
        try:
            store.claim(entry)
        except ChangedError:
            continue
        try:
            if entry in store.unfinished():  # else its thread ended it meanwhile
                done.append(_recover_entry(store, entry, asks))
            else:
                store.leave(entry)
        except BaseException:
            store.leave(entry)
            raise
    return done


def _recover_entry(store: QuarantineStore, entry: Entry, asks: Callable[[bytes], bool]) -> Recovered:
    """Resolve one entry that is claimed, and leave it."""
    resolution = (
        Resolution.FINISHED if entry.before  # it never reached its place: this is the document
        else Resolution.WAITING if not asks(entry.root)
        else _resolve(entry.root, entry.name, entry.stamp, entry.id, partial(_copy_is_whole, store, entry))
    )  # fmt: skip
    if resolution is Resolution.FINISHED:
        store.finish(entry)
    elif resolution is Resolution.ABSENT:  # kept, but the transfer it was taken for is not finished
        store.finish(replace(entry, number=NO_INTENT))
    elif resolution is Resolution.UNDONE:
        store.discard(entry)
    else:
        store.leave(entry)
    return Recovered(entry.number, resolution, entry.id if resolution is not Resolution.UNDONE else "")


def _recover_intents(store: QuarantineStore, root: bytes | None, asks: Callable[[bytes], bool]) -> list[Recovered]:
    done = []
    for intent in store.journal.open_intents():
        if (root is not None and intent.root != root) or store.journal.in_hand(intent.token):
            continue
        resolution = Resolution.WAITING if not asks(intent.root) else _resolve(
            intent.root, intent.name, intent.stamp, intent.token,
            partial(_sealed_is_whole, intent), intent,
        )  # fmt: skip
        if resolution is not Resolution.WAITING:
            store.journal.close(intent.token)
        held = intent.sealed.decode("ascii") if resolution is Resolution.FINISHED else ""
        done.append(Recovered(intent.number, resolution, held))
    return done


def _resolve(
    root: bytes, name: bytes, judged: Stamp, token: str, whole: Callable[[int], bool], intent: Intent | None = None
) -> Resolution:
    try:
        root_fd = open_root(root)
    except OSError:
        return Resolution.WAITING
    try:
        with parent_folder(root_fd, name) as (folder_fd, tail):
            _remove_draft(folder_fd, token)
            resolution = _settle(folder_fd, tail, judged, token, whole)
            if resolution is Resolution.UNDONE and intent is not None:
                _withdraw(folder_fd, intent)
            return resolution
    except (FileNotFoundError, NotADirectoryError):
        return Resolution.ABSENT  # renamed, perhaps, with the original in it: then it is found and judged again
    except OSError:
        return Resolution.WAITING
    finally:
        os.close(root_fd)


def _settle(folder_fd: int, tail: bytes, judged: Stamp, token: str, whole: Callable[[int], bool]) -> Resolution:
    aside = aside_name(token)
    if still_there(folder_fd, tail, judged) and (still_there(folder_fd, aside, judged) or _is_empty(folder_fd, aside)):
        os.unlink(aside, dir_fd=folder_fd)  # a rename by way of a hard link or a claim that came only half way
        return Resolution.UNDONE
    if still_there(folder_fd, aside, judged) and whole(folder_fd):
        os.unlink(aside, dir_fd=folder_fd)
        sync_folder_fd(folder_fd)
        return Resolution.FINISHED
    if put_back(folder_fd, token, tail) is not None or still_there(folder_fd, tail, judged):
        return Resolution.UNDONE
    if whole(folder_fd) and not _is_there(folder_fd, tail) and not _has_another_name(folder_fd, judged):
        return Resolution.FINISHED
    return Resolution.ABSENT  # edited or renamed before we were back: it is found and judged again


def _is_there(folder_fd: int, name: bytes) -> bool:
    """Whether something stands there: the document, written to meanwhile, or another one."""
    try:
        os.stat(name, dir_fd=folder_fd, follow_symlinks=False)
    except FileNotFoundError:
        return False
    return True


def _has_another_name(folder_fd: int, judged: Stamp) -> bool:
    """Whether somebody renamed the document within its folder before it was taken away. Elsewhere nobody looks."""
    with os.scandir(folder_fd) as names:
        numbers = [each.name for each in names if each.inode() == judged.inode]
    return any(still_there(folder_fd, os.fsencode(name), judged) for name in numbers)


def _is_empty(folder_fd: int, name: bytes) -> bool:
    """A name of ours that was claimed (agent.fsys.rename) and not filled."""
    try:
        return os.stat(name, dir_fd=folder_fd, follow_symlinks=False).st_size == 0
    except FileNotFoundError:
        return False


def _remove_draft(folder_fd: int, token: str) -> None:
    """Half a sealed file, on a file system without unnamed files."""
    try:
        os.unlink(temporary_name(token), dir_fd=folder_fd)
    except FileNotFoundError:
        pass


def _copy_is_whole(store: QuarantineStore, entry: Entry, _folder_fd: int) -> bool:
    return store.verified(entry)


def _sealed_is_whole(intent: Intent, folder_fd: int) -> bool:
    if not intent.sealed:
        return False
    try:
        fd = open_regular(folder_fd, intent.sealed)
    except OSError:
        return False
    try:
        return digest_of(fd) == intent.sealed_sha256
    finally:
        os.close(fd)


def _withdraw(folder_fd: int, intent: Intent) -> None:
    """The sealed file beside an original that stays: it will be sealed again after it was judged again."""
    if intent.sealed and (_sealed_is_whole(intent, folder_fd) or _is_empty(folder_fd, intent.sealed)):
        os.unlink(intent.sealed, dir_fd=folder_fd)
