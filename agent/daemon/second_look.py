"""The second and final look at pictures and scans: slow, behind everybody's back, never in anybody's way.

The first look says « undecidable (image) » at once; the ledger notes that a second one is owed. One thread, with a
reader of its own, reads the pictures of one file after another and lets the pipeline settle the findings: a new
transfer record, a new verdict, its action. A kill, a full disk, a volume that is pulled out leave the debt in the
ledger; the next look round the folder brings it back.

While pictures are read (seconds a page) nothing is locked: a stick can be unmounted, the file can be written to, its
first look can begin anew. The file is claimed only to settle it, and only if it still is what was read.
Must not: decide, act, hold up the pipeline, read a file whose second look is not owed.
"""

from __future__ import annotations

import hashlib
import os
import threading
import time
from collections.abc import Callable, Iterator
from contextlib import ExitStack, contextmanager
from dataclasses import dataclass
from typing import Any, Protocol

from agent.daemon.case import BUSY, Case, opened, position_of
from agent.daemon.event_queue import EventQueue
from agent.daemon.ledger import Owed
from agent.daemon.operations import Operations
from agent.daemon.owed_looks import OwedLooks
from agent.daemon.pipeline import BUSY_S, Judge, Pipeline
from agent.daemon.troubles import Troubles
from agent.document import Problem
from agent.errors import HostError
from agent.findings import Findings
from agent.fsys.atomic import write_all
from agent.model import ChannelKind, FileEvent, Stamp

COPY_BYTES = 64 << 20
"""Documents on removable volumes up to this size are read from a copy in memory; a larger one keeps its volume busy."""
RESCAN_EVERY_S = 600.0
RETRY_FIRST_S = 5.0
RETRY_MOST_S = 600.0
_TAKE_S = 60.0
_CHUNK = 1 << 20


class Reader(Judge, Protocol):
    """The pool whose workers read pictures."""

    def close(self) -> None: ...


@dataclass(frozen=True, slots=True)
class Surroundings:
    """What the second look is wired to, besides the pipeline."""

    reader: Reader
    queue: EventQueue
    troubles: Troubles
    operations: Operations
    rescan: Callable[[], None]
    seen: Callable[[Stamp, str, str, Findings], None]  # state, extension, engine: the final look was had


class SecondLook:
    """``want`` from any thread, ``run`` in one; ``close`` ends it."""

    def __init__(self, pipeline: Pipeline, surroundings: Surroundings, capacity: int = 2000) -> None:
        self._pipeline = pipeline
        self._with = surroundings
        self._owed = OwedLooks(capacity)
        self._retry_s = RETRY_FIRST_S
        self._no_rescan_before = 0.0
        self._busy = False
        self._read = 0
        self._thread = threading.Thread(target=self.run, name="pictures", daemon=True)

    def want(self, event: FileEvent, owed: Owed) -> None:
        """A second look is owed to this file. Never blocks, never raises; one that does not fit stays in the ledger."""
        self._owed.put(event, fresh=owed.arrival == "new")

    def start(self) -> None:
        self._thread.start()

    def close(self) -> None:
        """End the reader and the thread; the document in hand stays owed."""
        self._owed.close()
        self._with.reader.close()
        if self._thread.is_alive():
            self._thread.join(30)

    def counts(self) -> dict[str, Any]:
        """For ``status``: documents that wait or are being read, and how many were read since the start."""
        return {"waiting": len(self._owed) + int(self._busy), "read": self._read}

    def run(self) -> None:
        """Look at what is owed until closed."""
        while not self._owed.closed:
            if (event := self._owed.take(_TAKE_S)) is None:
                self._bring_back()
                continue
            self._busy = True
            try:
                self._look(event)
            except HostError as error:
                self._cannot_go_on(event, error)
            except OSError as error:  # the volume was pulled out, or there is no memory for a copy: stays owed
                self._with.operations.note("pictures.unreadable", errno=error.errno)
            except Exception as error:  # stays owed; not tried again before the folder is looked through again
                self._with.operations.warn("pictures.error", type=type(error).__name__, at=position_of(error))
                self._with.troubles.raise_("pictures-error")
            finally:
                self._busy = False

    def _look(self, event: FileEvent) -> None:
        with ExitStack() as kept:
            with ExitStack() as held:
                root_fd, fd, problem = held.enter_context(opened(event))
                if fd < 0:
                    return self._not_there(event, problem)
                case = self._pipeline.case(event, root_fd, fd)
                if case.owed is None:
                    return None
                digest = b""
                if event.place.channel is ChannelKind.REMOVABLE and case.stamp.size <= COPY_BYTES:
                    fd, digest = kept.enter_context(_copied(fd))  # and the volume can be unmounted meanwhile
                else:
                    kept.push(held.pop_all())
            findings = self._with.reader.judge(fd, case.extension, case.stamp.size)
            self._with.troubles.clear("pictures-unavailable")
            return self._conclude(case, digest, findings)

    def _conclude(self, seen: Case, digest: bytes, findings: Findings) -> None:
        """Settle, if the file is still what was read and its second look still owed."""
        queue = self._with.queue
        if not queue.claim(seen.event):
            return  # the agent stops
        try:
            with opened(seen.event) as (root_fd, fd, problem):
                if fd < 0:
                    self._not_there(seen.event, problem)
                else:
                    self._settle(self._pipeline.case(seen.event, root_fd, fd), seen, digest, findings)
        finally:
            queue.release(seen.event)

    def _not_there(self, event: FileEvent, problem: Problem | str | None) -> None:
        """Gone, or not to be had now: the first verdict stands. What somebody has a lease on comes again by itself."""
        if problem == BUSY:
            self._with.queue.put_later(event, BUSY_S)

    def _settle(self, case: Case, seen: Case, digest: bytes, findings: Findings) -> None:
        if case.stamp != seen.stamp or (digest and _digest(case.fd) != digest):
            self._pipeline.judge_again(case.event)
        elif case.owed is not None:  # else another policy came meanwhile, and its own looks
            self._pipeline.settle(case, findings, case.owed)
            self._with.seen(case.stamp, case.extension, case.engine, findings)
            self._read += 1
            self._retry_s = RETRY_FIRST_S
            self._with.troubles.clear("pictures-error")

    def _cannot_go_on(self, event: FileEvent, error: HostError) -> None:
        """The machine does not let us read or record: wait, ever longer. The debt stays, in the ledger too."""
        if self._owed.closed:
            return
        self._owed.put(event, fresh=True)
        self._busy = False
        word = "audit-unwritable" if error.fields.get("what") == "audit" else "pictures-unavailable"
        self._with.troubles.raise_(word)
        self._owed.rest(self._retry_s)
        self._retry_s = min(self._retry_s * 2, RETRY_MOST_S)

    def _bring_back(self) -> None:
        """What did not fit is found again by looking through the folders; seldom, for that is work."""
        if time.monotonic() >= self._no_rescan_before and self._owed.take_overflow():
            self._no_rescan_before = time.monotonic() + RESCAN_EVERY_S
            self._with.rescan()


@contextmanager
def _copied(fd: int) -> Iterator[tuple[int, bytes]]:
    """A copy in memory that nobody else can reach, and its SHA-256; never on a disk. Raises OSError."""
    copy = os.memfd_create("picture", os.MFD_CLOEXEC)
    try:
        digest = hashlib.sha256()
        for chunk in _chunks(fd):
            write_all(copy, chunk)
            digest.update(chunk)
        yield copy, digest.digest()
    finally:
        os.close(copy)


def _digest(fd: int) -> bytes:
    digest = hashlib.sha256()
    for chunk in _chunks(fd):
        digest.update(chunk)
    return digest.digest()


def _chunks(fd: int) -> Iterator[bytes]:
    """The content, at most ``COPY_BYTES`` and a chunk: a file that grows under the hand is not what was read."""
    offset = 0
    while offset <= COPY_BYTES and (chunk := os.pread(fd, _CHUNK, offset)):
        yield chunk
        offset += len(chunk)
