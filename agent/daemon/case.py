"""One file while it is handled: opened below its guarded folder, with the state that is judged and what is known of it.

``opened`` owns the descriptors and closes them, whatever happens. Nothing here decides, waits or writes.
"""

from __future__ import annotations

import errno
import os
from collections.abc import Iterator
from contextlib import contextmanager
from dataclasses import dataclass

from agent.daemon.ledger import Owed, owed
from agent.daemon.transfer_record import ENGINE
from agent.document import Problem
from agent.fsys.openat import open_regular
from agent.fsys.ways import open_root
from agent.model import FileEvent, Stamp

BUSY = "busy"  # somebody holds a lease on it: later
_NOT_A_DOCUMENT = {errno.ELOOP, errno.EXDEV, errno.EINVAL, errno.ENXIO, errno.EISDIR, errno.ENODEV}
_HELD_BY_ANOTHER = {errno.EAGAIN, errno.EBUSY, errno.ETXTBSY}
_GONE = {errno.ENOENT, errno.ENOTDIR, errno.ESTALE, errno.ENOTCONN}


@dataclass(frozen=True, slots=True)
class Case:
    """One event while it is handled: the open descriptors, the state that is judged, and its digests."""

    event: FileEvent
    root_fd: int
    fd: int  # -1: it could not be opened
    stamp: Stamp
    file: str
    basis: str  # what a judgement now would rest on
    before: str | None  # what the last judgement of this state rested on; None: there was none
    engine: str = ENGINE  # what it is judged with

    @property
    def known(self) -> bool:
        """Judged before in this state, perhaps under another policy or engine."""
        return self.before is not None

    @property
    def owed(self) -> Owed | None:
        """The first look stands, and the second is owed."""
        return owed(self.before, self.basis)

    @property
    def extension(self) -> str:
        return extension_of(self.event.name)


@contextmanager
def opened(event: FileEvent) -> Iterator[tuple[int, int, Problem | str | None]]:
    """(folder, document, problem): the document is -1 when there is nothing to judge; with a problem when there is,
    but the system would not give it.
    """
    root_fd = fd = -1
    problem: Problem | str | None = None
    try:
        try:
            root_fd = open_root(event.place.root)
            fd = open_regular(root_fd, event.name, os.O_RDONLY)
        except OSError as error:
            if error.errno in _HELD_BY_ANOTHER:
                problem = BUSY
            elif error.errno not in _NOT_A_DOCUMENT | _GONE:
                problem = Problem.UNREADABLE
        yield root_fd, fd, problem
    finally:
        for descriptor in (fd, root_fd):
            if descriptor >= 0:
                os.close(descriptor)


def key_of(event: FileEvent) -> tuple[bytes, bytes]:
    return event.place.root, event.name


def extension_of(name: bytes) -> str:
    """The last extension, lower case ASCII, at most 16 characters; a hint, and short enough to say nothing else."""
    tail = name.rpartition(b"/")[2].rpartition(b".")
    if not tail[1] or not 0 < len(tail[2]) <= 16 or not tail[2].isalnum():
        return ""
    return tail[2].decode("ascii", "ignore").lower()


def position_of(error: Exception) -> str:
    """Where it happened, as module:line, without any value."""
    trace = error.__traceback__
    while trace is not None and trace.tb_next is not None:
        trace = trace.tb_next
    return f"{trace.tb_frame.f_globals.get('__name__', '')}:{trace.tb_lineno}" if trace is not None else ""
