"""Has this file finished being written? And is it a document at all, or a sync client's own state? Pure.

The watcher says what it heard (``touched``, ``closed``) and when; it asks ``due`` which names to look at and tells
``look`` what it saw. Time is any monotonic number of seconds. Names are relative to the guarded folder.

A name alone never hides a document for good: on a removable volume no name is special; elsewhere a name is ignored
only when the client of that folder never uploads it, whatever its settings; half-written files are waited for, at most
``LONGEST_WAIT``. In the download folders a browser's partial file is ignored: nothing leaves there, and the finished
file arrives under its own name.
"""

from __future__ import annotations

import heapq
from dataclasses import dataclass
from fnmatch import fnmatchcase

from agent.model import Cause, ChannelKind

CLOSE_GRACE = 0.05  # s after the last close: one event for a burst of writes
MOVE_GRACE = 0.0  # s after a rename: the file is whole
QUIET = 2.0  # s without a change, for a file that nobody closed
PARTIAL_QUIET = 30.0  # s, for a name that says «I am not finished»
OWN_QUIET = 10.0  # s, for our own temporaries: they are gone by then; what stays is judged
LONGEST_BURST = 2.0  # s from the first close to the event, however often it is closed again
LONGEST_WAIT = 300.0  # s until a file that never rests is judged as it is
MAX_PENDING = 100_000  # names; beyond it the place is scanned again instead

OWN_PREFIX = ".serment-"
_PARTIAL = (
    "*.part", "*.partial", "*.filepart", "*.crdownload", "*.opdownload", "*.download", ".org.chromium.Chromium.*",
    ".com.google.Chrome.*", "*.aria2", "~$*", ".~lock.*#", "~*.tmp", "*.tmp",
)  # fmt: skip
_BROWSER_PARTIAL = (
    "*.part", "*.crdownload", "*.opdownload", ".org.chromium.Chromium.*", ".com.google.Chrome.*",
)  # fmt: skip
# What the clients write into the folder for themselves and never upload: names compiled into them, not lists that a
# user can edit. A name with a slash at its end is a folder at the top of the synchronised folder.
_JOURNALS = (".sync_*.db", ".sync_*.db-*", "._sync_*.db", "._sync_*.db-*")
_OWNCLOUD = (*_JOURNALS, ".csync_journal.db*", ".owncloudsync.log*", ".nextcloudsync.log*", ".OpenCloudSync.log*")
_CLIENT_STATE: dict[str, tuple[str, ...]] = {
    "nextcloud": _OWNCLOUD,
    "owncloud": _OWNCLOUD,
    "kdrive": (*_JOURNALS, ".parms.db*"),
    "dropbox": (".dropbox.cache/", ".dropbox"),
    "syncthing": (".stfolder/", ".stversions/", ".syncthing.*.tmp", "~syncthing~*.tmp"),
    "seafile": (".seafile-data/",),
    "mega": (".debris/",),
}

State = tuple[int, int, int, int]
"""Size in bytes, mtime and ctime in nanoseconds, inode."""


def ignored(channel: ChannelKind, service: str, name: bytes) -> bool:
    """Whether the file is a client's own state or a browser's partial file, and not a document."""
    if channel is ChannelKind.REMOVABLE:
        return False
    text = name.decode("utf-8", "surrogateescape")
    top, _, _ = text.partition("/")
    base = text.rpartition("/")[2]
    if channel is ChannelKind.DOWNLOADS:
        return any(fnmatchcase(base, pattern) for pattern in _BROWSER_PARTIAL)
    for pattern in _CLIENT_STATE.get(service, ()):
        if pattern.endswith("/"):
            if top == pattern[:-1] and top != text:
                return True
        elif fnmatchcase(base, pattern):
            return True
    return False


def quiet_for(channel: ChannelKind, name: bytes) -> float:
    """Seconds without a change after which the file counts as finished."""
    base = name.rpartition(b"/")[2].decode("utf-8", "surrogateescape")
    if base.startswith(OWN_PREFIX):
        return OWN_QUIET
    if channel is not ChannelKind.REMOVABLE and any(fnmatchcase(base, pattern) for pattern in _PARTIAL):
        return PARTIAL_QUIET
    return QUIET


@dataclass(slots=True)
class _Pending:
    cause: Cause
    first: float  # sign of writing
    since: float  # the last sign of writing
    quiet: float  # s it has to rest; 0: closed, no need to look twice
    first_close: float | None = None
    due: float = 0.0
    queued: float = float("inf")  # the heap's earliest entry for it
    state: State | None = None

    @property
    def deadline(self) -> float:
        if self.quiet == 0 and self.first_close is not None:
            return self.first_close + LONGEST_BURST
        return self.first + LONGEST_WAIT


class Settling:
    """The files of one place that are being written. Not thread-safe: one thread owns it."""

    def __init__(self, channel: ChannelKind, service: str = "", limit: int = MAX_PENDING) -> None:
        self._channel = channel
        self._service = service
        self._limit = limit
        self._pending: dict[bytes, _Pending] = {}
        self._heap: list[tuple[float, bytes]] = []
        self.overflowed = False  # names were dropped: scan the place again, then set it to False

    def __len__(self) -> int:
        return len(self._pending)

    def touched(self, name: bytes, cause: Cause, now: float) -> None:
        """The file was made or changed, and may be changed again."""
        self._note(name, cause, now, quiet_for(self._channel, name))

    def closed(self, name: bytes, cause: Cause, now: float) -> None:
        """A writer closed the file, or it came by a rename: it is whole, unless its name says otherwise."""
        quiet = quiet_for(self._channel, name)
        self._note(name, cause, now, quiet if quiet > QUIET else 0.0)

    def forget(self, prefix: bytes) -> None:
        """A folder was renamed: what lay below its old name is reported again below the new one."""
        for name in [name for name in self._pending if name.startswith(prefix)]:
            del self._pending[name]

    def _note(self, name: bytes, cause: Cause, now: float, quiet: float) -> None:
        if ignored(self._channel, self._service, name):
            return
        entry = self._pending.get(name)
        if entry is None:
            if len(self._pending) >= self._limit:
                self.overflowed = True
                return
            entry = self._pending[name] = _Pending(cause, now, now, quiet)
        entry.cause, entry.since, entry.quiet, entry.state = cause, now, quiet, None
        if quiet == 0 and entry.first_close is None:
            entry.first_close = now
        grace = MOVE_GRACE if cause is Cause.MOVED_IN else CLOSE_GRACE
        self._schedule(name, entry, now + (quiet / 2 if quiet else grace))

    def _schedule(self, name: bytes, entry: _Pending, due: float) -> None:
        entry.due = min(due, entry.deadline)
        if entry.due < entry.queued:
            entry.queued = entry.due
            heapq.heappush(self._heap, (entry.due, name))

    def next_due(self) -> float | None:
        """When ``due`` will have something, or None."""
        return self._heap[0][0] if self._heap else None

    def due(self, now: float, limit: int = 256) -> list[bytes]:
        """At most ``limit`` names whose time to be looked at has come."""
        names: list[bytes] = []
        while self._heap and self._heap[0][0] <= now and len(names) < limit:
            when, name = heapq.heappop(self._heap)
            entry = self._pending.get(name)
            if entry is None or entry.queued != when:
                continue  # an entry that a later sign of writing, or an earlier look, made void
            entry.queued = float("inf")
            if entry.due > now:
                self._schedule(name, entry, entry.due)
            else:
                names.append(name)
        return names

    def look(self, name: bytes, state: State | None, now: float) -> Cause | None:
        """What the watcher saw of a due name (None: gone, or no regular file); the cause when it is finished."""
        entry = self._pending.get(name)
        if entry is None:
            return None
        if state is None:
            del self._pending[name]
            return None
        rested = entry.quiet == 0 or (entry.state == state and now - entry.since >= entry.quiet)
        if rested or now >= entry.deadline:
            del self._pending[name]
            return entry.cause
        if entry.state is not None and entry.state != state:
            entry.since = now  # it changed without telling: a mapped file
        entry.state = state
        self._schedule(name, entry, max(now + 0.1, entry.since + entry.quiet))
        return None
