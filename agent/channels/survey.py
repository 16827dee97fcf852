"""Going through one guarded folder and reporting its files: all, a new part, or what changed since.

Handed a root, the files being written (``settle.Settling``) and what to call with a finished file; used by the guard's
thread. Each method yields, often, how many files it has just reported: the guard decides how long to rest.
"""

from __future__ import annotations

import time
from collections.abc import Callable, Iterator

from agent.channels.settle import QUIET, Settling, State, ignored, quiet_for
from agent.channels.walk import Enter, Problem, Root, walk
from agent.model import Cause, Place

MAX_REMEMBERED = 200_000  # states kept of a folder that has to be polled
MAX_REPORTED = 50_000  # names reported by events while a survey runs
STEP = 64  # files between two yields


class Survey:
    """Walks of one place; ``began_ns`` (wall clock) tells files of before the guarding from later ones."""

    def __init__(
        self,
        place: Place,
        root: Root,
        settling: Settling,
        emit: Callable[[bytes, Cause], None],
        problem: Problem,
        began_ns: int,
        old: Cause = Cause.EXISTING,
    ) -> None:
        """``old``: the cause of a file that was last changed before ``began_ns``, where it is told by that time."""
        self.root = root
        self.reported: set[bytes] = set()  # by events, while a survey runs
        self._place, self._settling, self._emit, self._problem = place, settling, emit, problem
        self._began_ns, self._old = began_ns, old
        self._remembered: set[int] | None = None  # hashes of names and states

    def start(self) -> None:
        """Forget what was reported: everything is to be looked at again."""
        self.reported.clear()
        self._remembered = None

    def note(self, name: bytes) -> None:
        """An event reported this file: the survey that runs need not."""
        if len(self.reported) < MAX_REPORTED:
            self.reported.add(name)

    def whole(self, cause: Cause | None) -> Iterator[int]:
        """Everything. ``cause`` None: by the time of each file's last change."""
        for some in self._files(b"", _nothing):
            for name in some:
                if name not in self.reported:
                    self._report(name, cause)
            yield len(some)

    def entered(self, start: bytes, cause: Cause, enter: Enter) -> Iterator[int]:
        """A folder that was made or moved in: its files, and those below."""
        for some in self._files(start, enter):
            for name in some:
                if cause is Cause.MOVED_IN:
                    self._report(name, cause)
                else:
                    self._settling.touched(name, cause, time.monotonic())
            yield len(some)

    def poll(self, cause: Cause | None) -> Iterator[int]:
        """What differs from the last time, by name and state; the first time, everything, as ``cause`` says."""
        before, there = self._remembered, set[int]()
        for some in self._files(b"", _nothing):
            for name in some:
                state = self.root.state(name)
                key = hash((name, state))
                if before is None:
                    self._report(name, cause, state)
                elif key not in before:
                    self._settling.touched(name, Cause.WRITTEN, time.monotonic())
                if len(there) < MAX_REMEMBERED:
                    there.add(key)
            yield len(some)
        self._remembered = there

    def _files(self, start: bytes, enter: Enter) -> Iterator[tuple[bytes, ...]]:
        for files in walk(self.root, start, enter, self._problem):
            for index in range(0, len(files), STEP):
                yield files[index : index + STEP]

    def _report(self, name: bytes, cause: Cause | None, state: State | None = None) -> None:
        if ignored(self._place.channel, self._place.service, name):
            return
        fresh = False
        if cause is None:
            state = state or self.root.state(name)
            if state is None:
                return
            changed_ns = state[2]
            cause = Cause.WRITTEN if changed_ns >= self._began_ns else self._old
            fresh = time.time_ns() - changed_ns < QUIET * 1e9  # perhaps still being written
        if fresh or quiet_for(self._place.channel, name) != QUIET:
            self._settling.touched(name, cause, time.monotonic())
        else:
            self._emit(name, cause)


def _nothing(_fd: int, _name: bytes) -> None:
    pass
