"""One guarded folder: what is being written there, and the walks through it.

Ownership: the inotify thread (watchdog's InotifyFD) only leaves what it read in the inbox; everything else belongs to
the guard's own thread, which alone touches the disk, so that a stalled volume stalls nobody else. The sink is called
from that thread and may block; meanwhile the inbox fills, and a full inbox becomes a rescan. Between two steps of a
walk nothing of the folder is open: a stick can be unmounted.

Every folder is watched before it is read, so what appears during the reading is seen by one of the two.
"""

from __future__ import annotations

import contextlib
import threading
import time
from collections import deque
from collections.abc import Callable, Iterator
from typing import TYPE_CHECKING

from agent.channels import watches
from agent.channels.base import Sink, Trouble
from agent.channels.inbox import Inbox
from agent.channels.settle import Settling
from agent.channels.survey import Survey
from agent.channels.troubles import TROUBLES
from agent.channels.walk import Root, RootGone, walk
from agent.channels.watches import Watches, WatchLimit
from agent.model import Cause, ChannelKind, FileEvent, Place

if TYPE_CHECKING:
    from watchdog.observers.inotify_c import InotifyFD

MAX_WALKS = 50_000  # folders waiting to be gone into; beyond it, a rescan instead
CHECK_EVERY = 60.0  # s between two looks whether the folder is still the one that is watched
POLL_EVERY = 60.0  # s, for a folder that could not be watched whole
RETRY_EVERY = 5.0  # s, for a folder that is gone
_ENDS = watches.IN_IGNORED | watches.IN_UNMOUNT | watches.IN_DELETE_SELF | watches.IN_MOVE_SELF
CLOCK_SLACK = 2_000_000_000  # ns; FAT keeps times in steps of two seconds


class Guard(threading.Thread):
    """Watches one place and calls ``sink`` with its file events, from this thread."""

    def __init__(
        self,
        place: Place,
        sink: Sink,
        inotify: InotifyFD,
        tell: Callable[[Place, Trouble], None],
        on_overflow: Callable[[Place], None],
        rate: float,
    ) -> None:
        super().__init__(name="guard", daemon=True)
        self.place = place
        self.armed = threading.Event()  # every folder is watched
        self.surveyed = threading.Event()  # ... and the files that were there have been reported
        self.troubles: dict[str, Trouble] = {}
        self._sink, self._tell, self._on_overflow, self._rate = sink, tell, on_overflow, rate
        self._inbox = Inbox()
        self._watches = Watches(inotify, self._inbox)
        self._root = Root(place.root)
        self._settling = Settling(place.channel, place.service)
        self._walks: deque[Iterator[float]] = deque()
        self._entering: deque[Iterator[float]] = deque()  # walks through folders that were made or moved in
        self._again = False  # survey once more after the one that runs
        self._pause_until = 0.0
        self._survey: Survey | None = None
        self._poll_at: float | None = None
        self._retry_at: float | None = None
        self._check_at = time.monotonic() + CHECK_EVERY
        self._mounted = False  # a removable volume that has to be mounted
        self._began_ns = time.time_ns() - CLOCK_SLACK
        self._old = Cause.EXISTING  # what a file is that was last changed before that

    def ask(self, what: str) -> None:
        """``stop``, ``rescan`` or ``overflow``; from any thread."""
        self._inbox.ask(what)

    # -- the guard's thread

    def run(self) -> None:
        """Until ``stop`` is asked; whatever fails is told and begun again."""
        self._begin(Cause.EXISTING)
        while True:
            try:
                if not self._turn():
                    break
            except RootGone:
                self._lose("gone")
            except PermissionError:
                self._lose("unreadable")
            except Exception:
                self._lose("failed")
        self._watches.clear()

    def _turn(self) -> bool:
        asked, events = self._inbox.take(self._idle_for())
        if "stop" in asked:
            return False
        if "overflow" in asked or self._settling.overflowed:
            self._settling.overflowed = False
            self._trouble("lost")
            self._on_overflow(self.place)
            self._restart()
        elif "rescan" in asked:
            self._restart()
        for wd, mask, name in events:
            self._handle(wd, mask, name)
        self._finish_due()
        self._step()
        return True

    def _idle_for(self) -> float:
        due = (self._settling.next_due(), self._poll_at, self._retry_at, self._check_at)
        times = [when for when in due if when is not None]
        if self._walks or self._entering:
            times.append(self._pause_until)
        return max(0.0, min(times) - time.monotonic())

    # -- events

    def _handle(self, wd: int, mask: int, name: bytes) -> None:
        folder = self._watches.folder(wd)
        if folder is None:
            return
        if not name:
            if mask & _ENDS and folder == b"":
                raise RootGone
            if mask & watches.IN_IGNORED:
                self._watches.forget(wd)
            return
        path = folder + b"/" + name if folder else name
        if mask & watches.IN_ISDIR:
            self._handle_folder(mask, path)
        else:
            self._handle_file(mask, path)

    def _handle_folder(self, mask: int, path: bytes) -> None:
        if mask & (watches.IN_MOVED_FROM | watches.IN_MOVED_TO):
            self._watches.drop(path)
            self._settling.forget(path + b"/")
        if mask & (watches.IN_MOVED_TO | watches.IN_CREATE):
            if len(self._entering) >= MAX_WALKS:
                self.ask("overflow")
            else:
                cause = Cause.MOVED_IN if mask & watches.IN_MOVED_TO else Cause.WRITTEN
                self._entering.append(self._enter(path, cause))

    def _handle_file(self, mask: int, path: bytes) -> None:
        """Behind an airlock what is written was judged at its close, and nothing has two names: only what is renamed is
        looked at. Each look would be a question to the airlock while the next file is being copied.
        """
        now = time.monotonic()
        if self.place.mechanism == "airlock" and not mask & watches.IN_MOVED_TO:
            return
        if mask & watches.IN_MOVED_TO:
            self._settling.closed(path, Cause.MOVED_IN, now)
        elif mask & watches.IN_CLOSE_WRITE:
            self._settling.closed(path, Cause.WRITTEN, now)
        elif mask & watches.IN_CREATE and self._root.links(path) > 1:
            self._settling.closed(path, Cause.MOVED_IN, now)  # a hard link: nobody will close it
        elif mask & (watches.IN_CREATE | watches.IN_MODIFY):
            self._settling.touched(path, Cause.WRITTEN, now)

    def _finish_due(self) -> None:
        now = time.monotonic()
        for name in self._settling.due(now):
            cause = self._settling.look(name, self._root.state(name), now)
            if cause is not None:
                self._emit(name, cause)

    def _emit(self, name: bytes, cause: Cause) -> None:
        if cause is not Cause.EXISTING and not self.surveyed.is_set() and self._survey is not None:
            self._survey.note(name)
        self._sink(FileEvent(self.place, name, cause))

    # -- walks: each yields the seconds to rest before its next step

    def _step(self) -> None:
        now = time.monotonic()
        if self._retry_at is not None and now >= self._retry_at:
            self._retry_at = None
            self._begin(None)
        if now >= self._check_at:
            self._check_at = now + CHECK_EVERY
            if self._retry_at is None:
                with self._root.open():
                    pass  # RootGone: its name leads to another folder now
        if self._poll_at is not None and now >= self._poll_at and not self._walks:
            self._poll_at = None
            if self._survey is not None:
                self._walks.append(self._poll(self._survey, Cause.WRITTEN))
        self._go_on(now)

    def _go_on(self, now: float) -> None:
        """One step of a walk. Where everything is watched, what came in goes first: a survey that met it before would
        take its files, which are as old as they were elsewhere, for files that were always there.
        """
        walks = self._entering if self._entering and (self.armed.is_set() or not self._walks) else self._walks
        if not walks or now < self._pause_until:
            return
        rest = next(walks[0], None)
        if rest is None:
            walks.popleft()
            self._pause_until = 0.0
        else:
            self._pause_until = time.monotonic() + rest
            if self.armed.is_set():
                walks.rotate(-1)

    def _begin(self, cause: Cause | None) -> None:
        self.armed.clear()
        self.surveyed.clear()
        self._again = False
        self._walks = deque([self._whole(cause)])
        self._pause_until = 0.0

    def _restart(self) -> None:
        if self._retry_at is not None:
            return
        if self.surveyed.is_set():
            self._begin(None)
        else:
            self._again = True  # a survey that is always begun anew would never end

    def _whole(self, cause: Cause | None) -> Iterator[float]:
        """Watch everything, then report what is there. ``cause`` None: by the time of its last change."""
        while True:
            survey = self._find_root()
            survey.start()
            for word in ("limit", "mount", "deep", "unreadable"):
                self.troubles.pop(word, None)
            for _ in walk(self._root, b"", self._watch, self._trouble):
                yield 0.0
            for word in ("gone", "failed"):
                self.troubles.pop(word, None)
            self.armed.set()
            yield 0.0
            if "limit" in self.troubles:
                yield from self._poll(survey, cause)
            else:
                for count in survey.whole(cause):
                    yield count / self._rate
            if not self._again:
                break
            self._again, cause = False, None
        self.surveyed.set()
        if "limit" in self.troubles and self._poll_at is None:  # reached by a folder that came meanwhile
            self._poll_at = time.monotonic()
        survey.reported.clear()
        self.troubles.pop("lost", None)

    def _poll(self, survey: Survey, cause: Cause | None) -> Iterator[float]:
        began = time.monotonic()
        for count in survey.poll(cause):
            yield count / self._rate
        self._poll_at = time.monotonic() + max(POLL_EVERY, 10 * (time.monotonic() - began))

    def _enter(self, start: bytes, cause: Cause) -> Iterator[float]:
        if self._survey is not None:
            for _ in self._survey.entered(start, cause, self._watch):
                yield 0.0

    def _find_root(self) -> Survey:
        root = self._root.found()
        mounted = root.is_mounted()
        if self._mounted and not mounted:
            raise RootGone  # the empty mount point of a volume that is gone
        self._mounted = mounted and self.place.channel is ChannelKind.REMOVABLE
        if self._survey is None or root != self._root:
            self._old = _cause_of_old(self._root.identity, root.identity, self._old)
            self._survey = Survey(
                self.place, root, self._settling, self._emit, self._trouble, self._began_ns, self._old
            )  # fmt: skip
        self._root = root
        return self._survey

    def _watch(self, fd: int, name: bytes) -> None:
        try:
            self._watches.add(fd, name)
        except WatchLimit:
            self._trouble("limit")
            if self._poll_at is None and self.surveyed.is_set():
                self._poll_at = time.monotonic()

    # -- trouble

    def _lose(self, word: str) -> None:
        self._watches.clear()
        self._walks.clear()
        self._entering.clear()
        self._settling = Settling(self.place.channel, self.place.service)
        self._survey = self._poll_at = None
        self.armed.clear()
        self._retry_at = time.monotonic() + RETRY_EVERY
        self._trouble(word)

    def _trouble(self, word: str) -> None:
        if word not in self.troubles:
            self.troubles[word] = TROUBLES[word]
            with contextlib.suppress(Exception):  # whoever listens must not stop the guard; ``troubles`` keeps it
                self._tell(self.place, TROUBLES[word])


def _cause_of_old(before: tuple[int, int] | None, now: tuple[int, int] | None, so_far: Cause) -> Cause:
    """Why old files lie in the folder that is there now: where another one of the same device has taken its name, they
    came with it. Another device was mounted, by a person or a program, with what lies on it.
    """
    if before is None or now is None or before == now:
        return so_far
    return Cause.MOVED_IN if before[0] == now[0] else Cause.EXISTING
