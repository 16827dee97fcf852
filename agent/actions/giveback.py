"""Giving a held document back: into a folder of its owner, with the owner's rights, whole or not at all.

The folder is the owner's word, so root does not follow it anywhere: it is opened, written and named as that person.
"""

from __future__ import annotations

import os
from collections.abc import Callable, Sequence
from contextlib import ExitStack
from dataclasses import dataclass

from agent.actions.copying import pieces
from agent.actions.entry import Entry
from agent.actions.problems import word
from agent.errors import N_, ChangedError, HostError, UsageError
from agent.fsys.asuser import as_user
from agent.fsys.atomic import stamp, write_all
from agent.fsys.draft import Draft
from agent.fsys.rename import sync_folder_fd
from agent.model import Stamp


@dataclass(frozen=True, slots=True)
class GivenBack:
    """``folder`` is where it really lies (links resolved), ``name`` what it is called there."""

    folder: bytes
    name: bytes
    stamp: Stamp


def give_back(
    entry: Entry, content_fd: int, folder: bytes, uid: int, guarded: Sequence[bytes] = (),
    recorded: Callable[[], object] = bool,
) -> GivenBack:  # fmt: skip
    """Copy the content into ``folder`` as ``uid``. ``recorded`` writes down that it is given: called when all of it is
    on the disk and only its name is missing, with the agent's own rights; what it raises leaves no name there.

    Raises UsageError for a guarded folder, HostError otherwise.
    """
    opened = ExitStack()
    try:
        try:
            with as_user(uid):
                folder_fd = os.open(folder, os.O_RDONLY | os.O_DIRECTORY | os.O_CLOEXEC)
                opened.callback(os.close, folder_fd)
                real = _where(folder_fd, guarded)
                draft = opened.enter_context(Draft(folder_fd))
                _fill(entry, content_fd, draft)
            recorded()
            with as_user(uid):
                name = draft.publish_free(entry.tail)
                sync_folder_fd(folder_fd)
                return GivenBack(real, name, stamp(draft.fd))
        finally:
            with as_user(uid):
                opened.close()
    except (OSError, ChangedError) as error:
        problem = word(error) if isinstance(error, OSError) else "damaged"
        raise HostError(
            N_("the document {id} could not be given back: {problem}"),
            hint=N_("it is safe in quarantine; choose another folder with --to, or run serment doctor"),
            id=entry.id,
            problem=problem,
        ) from error


def _where(folder_fd: int, guarded: Sequence[bytes]) -> bytes:
    """The folder's path with its links resolved. Raises UsageError for a guarded one."""
    real = os.readlink(f"/proc/self/fd/{folder_fd}".encode("ascii"))
    if any(_within(real, root) for root in guarded):
        raise UsageError(
            N_("this folder is under guard: the document would be held again"),
            hint=N_("choose a folder that does not leave the laptop, or use serment release with a reason"),
        )
    return real


def _fill(entry: Entry, content_fd: int, draft: Draft) -> None:
    _copy_verified(entry, content_fd, draft.fd)
    draft.own(-1, -1, entry.mode | 0o600)
    os.utime(draft.fd, ns=(entry.mtime_ns, entry.mtime_ns))
    os.fsync(draft.fd)


def _copy_verified(entry: Entry, content_fd: int, target_fd: int) -> None:
    import hashlib

    digest = hashlib.sha256()
    for piece in pieces(content_fd, entry.size):
        digest.update(piece)
        write_all(target_fd, piece)
    if digest.hexdigest() != entry.sha256:
        raise ChangedError(N_("the copy in quarantine is damaged"))


def _within(folder: bytes, root: bytes) -> bool:
    return (folder.rstrip(b"/") + b"/").startswith(os.path.realpath(root).rstrip(b"/") + b"/")
