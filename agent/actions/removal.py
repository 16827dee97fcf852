"""The dangerous part: taking a document's name away, and only if it still is the judged file.

Between judging and now the folder belonged to somebody else: the name may be another file, a link, a directory. So the
name is first moved aside within its folder (never overwriting), then what was moved is compared with the judged stamp,
and only then unlinked. Anything else goes back to where it was. Every step is on the descriptor of the folder, found
below the guarded root without following links. The caller has made a durable copy before; nothing here copies.
"""

from __future__ import annotations

import errno
import os
from enum import Enum

from agent.fsys.atomic import stamp
from agent.fsys.draft import temporary_name
from agent.fsys.openat import open_regular, parent_folder
from agent.fsys.rename import rename_noreplace, rename_to_free, sync_folder_fd
from agent.fsys.writers import open_for_writing
from agent.model import Stamp

LEADS_ELSEWHERE = frozenset({errno.ENOENT, errno.ENOTDIR, errno.ELOOP, errno.EXDEV})
"""A folder on the way was removed, renamed, or swapped for a link or a mount: the name is no longer ours to look at."""


class Removal(Enum):
    """How the removal of a name ended. Only REMOVED changed anything."""

    REMOVED = "removed"
    CHANGED = "changed"  # the name is another file now, or the file was written to
    GONE = "gone"
    IN_USE = "in-use"  # a program still has it open for writing: what it writes next would be lost


def aside_name(token: str) -> bytes:
    """Where the document stands for the moment between its name and its end."""
    return temporary_name(f"{token}-old")


def same_file(judged: Stamp, now: Stamp | os.stat_result) -> bool:
    """The same file in the same state. Renaming changes the ctime, so that is left out."""
    there = now if isinstance(now, Stamp) else Stamp(now.st_dev, now.st_ino, now.st_size, now.st_mtime_ns, 0)
    return judged._replace(ctime_ns=0) == there._replace(ctime_ns=0)


def still_there(root_fd: int, name: bytes, judged: Stamp) -> bool:
    """Whether ``name`` below ``root_fd`` is the judged file right now. Raises OSError when the volume is gone."""
    try:
        with parent_folder(root_fd, name) as (folder_fd, tail):
            return same_file(judged, os.stat(tail, dir_fd=folder_fd, follow_symlinks=False))
    except OSError as error:
        if error.errno in LEADS_ELSEWHERE:
            return False
        raise


def remove_judged(root_fd: int, name: bytes, judged: Stamp, token: str) -> Removal:
    """Remove the name of the judged file. ``token`` names the moment's place, for recovery after a kill.

    Raises OSError (EROFS, EACCES, EIO, ...); the file then is back under its name if the volume still answers.
    """
    try:
        with parent_folder(root_fd, name) as (folder_fd, tail):
            refused = _refuse_early(folder_fd, tail, judged)
            if refused is not None:
                return refused
            rename_noreplace(folder_fd, tail, folder_fd, aside_name(token))
            try:
                return _remove_aside(folder_fd, tail, judged, token)
            except OSError:
                put_back(folder_fd, token, tail)
                raise
    except OSError as error:
        if error.errno in LEADS_ELSEWHERE:
            return Removal.GONE
        raise


def _refuse_early(folder_fd: int, tail: bytes, judged: Stamp) -> Removal | None:
    """Before anything is touched: most files that changed are recognised here."""
    if not still_there(folder_fd, tail, judged):
        os.stat(tail, dir_fd=folder_fd, follow_symlinks=False)  # raises when there is nothing at all
        return Removal.CHANGED
    try:
        fd = open_regular(folder_fd, tail)
    except OSError as error:
        if error.errno in {errno.ELOOP, errno.EINVAL, errno.EXDEV}:  # swapped for a link, a folder, a mount just now
            return Removal.CHANGED
        raise
    try:
        return Removal.IN_USE if open_for_writing(fd) else None
    finally:
        os.close(fd)


def _remove_aside(folder_fd: int, tail: bytes, judged: Stamp, token: str) -> Removal:
    aside = aside_name(token)
    if not still_there(folder_fd, aside, judged):
        put_back(folder_fd, token, tail)
        return Removal.CHANGED
    fd = open_regular(folder_fd, aside)
    try:
        if open_for_writing(fd):
            put_back(folder_fd, token, tail)
            return Removal.IN_USE
        if not same_file(judged, stamp(fd)):
            put_back(folder_fd, token, tail)
            return Removal.CHANGED
        os.unlink(aside, dir_fd=folder_fd)
    finally:
        os.close(fd)
    sync_folder_fd(folder_fd)
    return Removal.REMOVED


def put_back(folder_fd: int, token: str, tail: bytes) -> bytes | None:
    """Give what stands aside its name again, or the nearest free one, and return that; None when nothing stands there.

    Raises OSError when the volume does not answer.
    """
    try:
        name = rename_to_free(folder_fd, aside_name(token), folder_fd, tail)
    except FileNotFoundError:
        return None
    sync_folder_fd(folder_fd)
    return name
