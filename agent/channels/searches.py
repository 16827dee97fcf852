"""When the settings of users are searched again, and what the last search found.

Owns a child process (``discovery.py``) per person, started from a thread: when one of the settings files changed, seen
by a cheap look at their times, or ten minutes later. An eventfd turns readable when a result differs. It opens no file
of a user but by O_PATH, below their home, across no mount and no link: nothing of theirs can stall it.
"""

from __future__ import annotations

import os
import threading
import time
from collections.abc import Callable, Sequence
from dataclasses import dataclass

from agent.channels import mounts
from agent.channels.discover.reading import Found
from agent.channels.discovery import discover_for
from agent.channels.people import Person
from agent.errors import SermentError
from agent.fsys.openat import open_beneath

SEARCH_EVERY = 600.0  # s, whether or not a settings file changed
SEARCH_AT_MOST_EVERY = 20.0  # s, however often one changes
PATIENCE = 2.0  # s that the first question waits for the first search
Print = tuple[tuple[int, int], ...]
Search = Callable[[int, int, bytes, str], list[Found]]


@dataclass(slots=True)
class _Known:
    """What is known of one person's settings."""

    found: tuple[Found, ...] = ()
    trouble: SermentError | None = None
    fingerprint: Print = ()
    searched: float | None = None  # monotonic
    running: bool = False


class Discovered:
    """The searches of one channel. ``places()`` asks ``results``; threads answer through the eventfd."""

    def __init__(
        self,
        people: Sequence[Person],
        what: str,
        search: Search = discover_for,
        clock: Callable[[], float] = time.monotonic,
    ) -> None:
        self._people = tuple(people)
        self._what = what
        self._search = search
        self._clock = clock
        self._lock = threading.Condition()
        self._known = {person.uid: _Known() for person in self._people}
        self._event = os.eventfd(0, os.EFD_CLOEXEC | os.EFD_NONBLOCK)
        self._first = True
        self._closed = False
        for person in self._people:  # at once: by the first question they are nearly done
            self._refresh(person)

    def follow(self, people: Sequence[Person]) -> None:
        """These are the persons from now on; what is known of the others is forgotten."""
        with self._lock:
            self._known = {person.uid: self._known.get(person.uid, _Known()) for person in people}
            self._people = tuple(people)
        for person in people:
            self._refresh(person)

    def fileno(self) -> int:
        return self._event

    def drain(self) -> None:
        try:
            os.eventfd_read(self._event)
        except BlockingIOError:
            pass

    def close(self) -> None:
        with self._lock:
            self._closed = True
            os.close(self._event)

    def results(self) -> list[tuple[Person, tuple[Found, ...], SermentError | None]]:
        """What is known now; starts the searches that are due. Waits once, at most PATIENCE seconds, for the first."""
        for person in self._people:
            self._refresh(person)
        with self._lock:
            if self._first:
                self._first = False
                self._lock.wait_for(lambda: not any(known.running for known in self._known.values()), PATIENCE)
            return [(person, self._known[person.uid].found, self._known[person.uid].trouble) for person in self._people]

    def _refresh(self, person: Person) -> None:
        now, known = self._clock(), self._known[person.uid]
        fingerprint = _fingerprint(person, self._what)
        with self._lock:
            age = SEARCH_EVERY if known.searched is None else now - known.searched
            changed = fingerprint != known.fingerprint and age >= SEARCH_AT_MOST_EVERY
            if known.running or self._closed or not (age >= SEARCH_EVERY or changed):
                return
            known.running, known.searched, known.fingerprint = True, now, fingerprint
        try:
            threading.Thread(target=self._run, args=(person,), name="discovery", daemon=True).start()
        except RuntimeError:  # no thread to be had: again when the next one is due
            with self._lock:
                known.running = False

    def _run(self, person: Person) -> None:
        found: tuple[Found, ...] | None = None
        trouble: SermentError | None = None
        try:
            found = tuple(self._search(person.uid, person.gid, person.home, self._what))
        except SermentError as error:
            trouble = error
        with self._lock:
            known = self._known.get(person.uid)
            if known is None:
                return  # forgotten meanwhile
            before = (known.found, known.trouble is None)
            known.found = known.found if found is None else found  # what was known stays guarded
            known.trouble, known.running = trouble, False
            self._lock.notify_all()
            if not self._closed and before != (known.found, known.trouble is None):
                os.eventfd_write(self._event, 1)


def _fingerprint(person: Person, what: str) -> Print:
    """Inode and time of the settings files that say when to search again."""
    from agent.channels import discover
    from agent.channels.folders import mount_table

    if mounts.leads_to_person(mount_table(), person.home):
        return ()  # it might never answer: then it is asked every ten minutes, by the child
    modules = discover.CLOUD if what == "cloud" else discover.DOWNLOADS
    names = sorted({name for module in modules for _, name in module.FILES})
    try:
        home = os.open(person.home, os.O_PATH | os.O_DIRECTORY | os.O_CLOEXEC)
    except OSError:
        return ()
    try:
        return tuple(_mark(home, os.fsencode(name)) for name in names)
    finally:
        os.close(home)


def _mark(home: int, name: bytes) -> tuple[int, int]:
    try:
        fd = open_beneath(home, name, os.O_PATH)
    except (OSError, SermentError):
        return 0, 0
    try:
        state = os.fstat(fd)
        return state.st_ino, 0 if name.endswith(b".db") else state.st_mtime_ns  # databases change all the time
    finally:
        os.close(fd)
