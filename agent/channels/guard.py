"""One guarded folder: what is being written there, and the walks through it.

Ownership: the inotify thread (watchdog's InotifyFD) only appends what it read to a bounded queue; everything else
belongs to the guard's own thread, which alone touches the disk, so that a stalled volume stalls nobody else. The sink
is called from that thread and may block; meanwhile the queue fills, and a full queue becomes a rescan, like a full
queue of the kernel's. Between two steps of a walk nothing of the folder is open: a stick can be unmounted.

Every folder is watched before it is read, so what appears during the reading is seen by one of the two.
"""

from __future__ import annotations

import os
import threading
import time
from collections import deque
from collections.abc import Callable, Iterator
from typing import TYPE_CHECKING

from agent.channels.base import Sink, Trouble
from agent.channels.settle import QUIET, Settling, State, ignored, quiet_for
from agent.channels.walk import Root, RootGone, walk
from agent.channels.watches import (
    IN_CLOSE_WRITE,
    IN_CREATE,
    IN_DELETE_SELF,
    IN_IGNORED,
    IN_ISDIR,
    IN_MODIFY,
    IN_MOVE_SELF,
    IN_MOVED_FROM,
    IN_MOVED_TO,
    IN_UNMOUNT,
    Watches,
    WatchLimit,
)
from agent.errors import N_
from agent.model import Cause, ChannelKind, FileEvent, Place

if TYPE_CHECKING:
    from watchdog.observers.inotify_c import InotifyEvent, InotifyFD, WatchDescriptor

MAX_EVENTS = 50_000  # waiting for the guard's thread; beyond it the folder is scanned again
MAX_WALKS = 1_000  # folders waiting to be gone into; beyond it, the same
MAX_REMEMBERED = 200_000  # states kept of a folder that has to be polled
POLL_EVERY = 60.0  # s, for a folder that could not be watched whole
RETRY_EVERY = 5.0  # s, for a folder that is gone
SURVEY_STEP = 64  # files reported between two looks at the events

TROUBLES = {
    "mount": Trouble(
        "nested-mount",
        N_("another volume is mounted inside a guarded folder: what lies there is not watched"),
        N_("guard that volume by itself, in the configuration"),
    ),
    "deep": Trouble("too-deep", N_("some folders lie too deep inside a guarded folder and are not watched")),
    "unreadable": Trouble("unreadable-folder", N_("some folders cannot be read, and what lies there is not watched")),
    "limit": Trouble(
        "watch-limit",
        N_("the kernel's limit of watches is reached: part of a folder is only looked at once a minute"),
        N_("raise fs.inotify.max_user_watches with sysctl"),
    ),
    "lost": Trouble("events-lost", N_("file events were lost: the whole folder is being looked at again")),
    "gone": Trouble("folder-gone", N_("a guarded folder is gone: it is watched again as soon as it is back")),
    "failed": Trouble("guard-failed", N_("watching a folder failed and is being started again")),
}


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
        self._watches = Watches(inotify, self)
        self._condition = threading.Condition()
        self._events: deque[tuple[int, int, bytes]] = deque()
        self._asked: set[str] = set()  # stop, rescan, overflow
        self._root = Root(place.root)
        self._settling = Settling(place.channel, place.service)
        self._walks: deque[Iterator[float]] = deque()
        self._again = False  # survey once more after the one that runs
        self._pause_until = 0.0
        self._reported: set[bytes] = set()  # by events, while a survey runs
        self._remembered: set[int] | None = None  # hashes of states, when polling
        self._poll_at: float | None = None
        self._retry_at: float | None = None
        self._began_ns = time.time_ns()

    # -- called from other threads

    def ask(self, what: str) -> None:
        """``stop``, ``rescan`` or ``overflow``."""
        with self._condition:
            self._asked.add(what)
            self._condition.notify()

    def on_event(self, event: InotifyEvent) -> None:
        """From the inotify thread: never blocks, never touches the disk."""
        self._append(event.wd, event.mask, event.name)

    def on_watch_deleted(self, wd: WatchDescriptor) -> None:
        """From the inotify thread: the kernel removed a watch."""
        self._append(wd, IN_IGNORED, b"")

    def on_queue_overflow(self) -> None:
        """From the inotify thread: the kernel dropped events (IN_Q_OVERFLOW)."""
        self.ask("overflow")

    def _append(self, wd: int, mask: int, name: bytes) -> None:
        with self._condition:
            if len(self._events) >= MAX_EVENTS:
                self._asked.add("overflow")
                return
            self._events.append((wd, mask, name))
            self._condition.notify()

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
        with self._condition:
            self._condition.wait_for(lambda: self._events or self._asked, timeout=self._idle_for())
            asked, self._asked = self._asked, set()
            events, self._events = self._events, deque()
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

    def _idle_for(self) -> float | None:
        times = [when for when in (self._settling.next_due(), self._poll_at, self._retry_at) if when is not None]
        if self._walks:
            times.append(self._pause_until)
        return max(0.0, min(times) - time.monotonic()) if times else None

    # -- events

    def _handle(self, wd: int, mask: int, name: bytes) -> None:
        folder = self._watches.folder(wd)
        if folder is None:
            return
        if not name:
            if mask & (IN_IGNORED | IN_UNMOUNT | IN_DELETE_SELF | IN_MOVE_SELF) and folder == b"":
                raise RootGone
            if mask & IN_IGNORED:
                self._watches.forget(wd)
            return
        path = folder + b"/" + name if folder else name
        if mask & IN_ISDIR:
            self._handle_folder(mask, path)
        else:
            self._handle_file(mask, path)

    def _handle_folder(self, mask: int, path: bytes) -> None:
        if mask & (IN_MOVED_FROM | IN_MOVED_TO):
            self._watches.drop(path)
            self._settling.forget(path + b"/")
        if mask & (IN_MOVED_TO | IN_CREATE):
            if len(self._walks) >= MAX_WALKS:
                self.ask("overflow")
            else:
                self._walks.append(self._enter(path, Cause.MOVED_IN if mask & IN_MOVED_TO else Cause.WRITTEN))

    def _handle_file(self, mask: int, path: bytes) -> None:
        now = time.monotonic()
        if mask & IN_MOVED_TO:
            self._settling.closed(path, Cause.MOVED_IN, now)
        elif mask & IN_CLOSE_WRITE:
            self._settling.closed(path, Cause.WRITTEN, now)
        elif mask & IN_CREATE and self._root.links(path) > 1:
            self._settling.closed(path, Cause.MOVED_IN, now)  # a hard link: nobody will close it
        elif mask & (IN_CREATE | IN_MODIFY):
            self._settling.touched(path, Cause.WRITTEN, now)

    def _finish_due(self) -> None:
        now = time.monotonic()
        for name in self._settling.due(now):
            cause = self._settling.look(name, self._root.state(name), now)
            if cause is not None:
                self._emit(name, cause)

    def _emit(self, name: bytes, cause: Cause) -> None:
        if cause is not Cause.EXISTING and not self.surveyed.is_set() and len(self._reported) < MAX_EVENTS:
            self._reported.add(name)
        self._sink(FileEvent(self.place, name, cause))

    # -- walks: each yields the seconds to rest before its next step

    def _step(self) -> None:
        now = time.monotonic()
        if self._retry_at is not None and now >= self._retry_at:
            self._retry_at = None
            self._begin(None)
        if self._poll_at is not None and now >= self._poll_at and not self._walks:
            self._poll_at = None
            self._walks.append(self._poll(Cause.WRITTEN))
        if not self._walks or now < self._pause_until:
            return
        rest = next(self._walks[0], None)
        if rest is None:
            self._walks.popleft()
            self._pause_until = 0.0
        else:
            self._pause_until = time.monotonic() + rest
            if self.armed.is_set():
                self._walks.rotate(-1)

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
            self._find_root()
            self._reported.clear()
            for word in ("limit", "mount", "deep", "unreadable"):
                self.troubles.pop(word, None)
            for _ in walk(self._root, b"", self._watch, self._trouble):
                yield 0.0
            for word in ("gone", "failed"):
                self.troubles.pop(word, None)
            self.armed.set()
            yield from self._poll(cause) if "limit" in self.troubles else self._survey(cause)
            if not self._again:
                break
            self._again, cause = False, None
        self.surveyed.set()
        self._reported.clear()
        self.troubles.pop("lost", None)

    def _find_root(self) -> None:
        with self._root.open() as fd:
            device = os.fstat(fd).st_dev
        if self._root.device is None or self.place.channel is not ChannelKind.REMOVABLE:
            self._root = Root(self.place.root, device)

    def _survey(self, cause: Cause | None) -> Iterator[float]:
        for files in walk(self._root, b"", _nothing, self._trouble):
            for start in range(0, len(files), SURVEY_STEP):
                some = files[start : start + SURVEY_STEP]
                for name in some:
                    if name not in self._reported:
                        self._report(name, cause)
                yield len(some) / self._rate

    def _enter(self, start: bytes, cause: Cause) -> Iterator[float]:
        """A folder that was made or moved in: watch it and what is below, report the files."""
        for files in walk(self._root, start, self._watch, self._trouble):
            for name in files:
                if cause is Cause.MOVED_IN:
                    self._report(name, cause)
                else:
                    self._settling.touched(name, cause, time.monotonic())
            yield 0.0

    def _poll(self, cause: Cause | None) -> Iterator[float]:
        """Report what differs from the last time; the first time, everything."""
        before, there, began = self._remembered, set[int](), time.monotonic()
        for files in walk(self._root, b"", _nothing, self._trouble):
            for name in files:
                state = self._root.state(name)
                key = hash((name, state))
                if before is None:
                    self._report(name, cause, state)
                elif key not in before:
                    self._settling.touched(name, Cause.WRITTEN, time.monotonic())
                if len(there) < MAX_REMEMBERED:
                    there.add(key)
            yield len(files) / self._rate
        self._remembered = there
        self._poll_at = time.monotonic() + max(POLL_EVERY, 10 * (time.monotonic() - began))

    def _report(self, name: bytes, cause: Cause | None, state: State | None = None) -> None:
        if ignored(self.place.channel, self.place.service, name):
            return
        fresh = False
        if cause is None:
            state = state or self._root.state(name)
            if state is None:
                return
            cause = Cause.WRITTEN if state[2] >= self._began_ns else Cause.EXISTING
            fresh = time.time_ns() - state[2] < QUIET * 1e9  # perhaps still being written
        if fresh or quiet_for(self.place.channel, name) != QUIET:
            self._settling.touched(name, cause, time.monotonic())
        else:
            self._emit(name, cause)

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
        self._settling = Settling(self.place.channel, self.place.service)
        self._remembered = self._poll_at = None
        self.armed.clear()
        self._retry_at = time.monotonic() + RETRY_EVERY
        self._trouble(word)

    def _trouble(self, word: str) -> None:
        if word not in self.troubles:
            self.troubles[word] = TROUBLES[word]
            self._tell(self.place, TROUBLES[word])


def _nothing(_fd: int, _name: bytes) -> None:
    pass
