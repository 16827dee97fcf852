"""What the cloud-sync and the download channel share: configured folders, and folders that users' programs name.

The search for the latter is in ``searches.py``. Owns the check of what comes back: a folder counts when it can be
opened without a symbolic link on the way and belongs to the person, or lies in their home. One behind a mount of a
person's program is not opened, for it might never answer: its mount says whose it is. It opens no document.
"""

from __future__ import annotations

import os
import stat
from collections import Counter
from collections.abc import Iterable, Sequence
from dataclasses import replace

from agent.channels import mounts
from agent.channels.base import Trouble
from agent.channels.discover.reading import Found
from agent.channels.discovery import discover_for
from agent.channels.hosts import SERVICE_HOSTS
from agent.channels.mounts import Mount
from agent.channels.people import Person
from agent.channels.removable import AFTER_WRITE_REASON, MAX_MOUNTINFO
from agent.channels.searches import Discovered, Search
from agent.errors import N_
from agent.fsys.openat import open_folder
from agent.model import ChannelKind, Place, Strength

MAX_LINKS = 16
CONFIGURED = "folder"  # the service of a folder that the configuration names
MAX_PLACES = 128  # of one person in one channel: each takes a thread, and all of them together may be a thousand


def real_path(path: bytes, trusted: Iterable[int]) -> bytes:
    """The absolute path without its symbolic links, each of which must belong to root or a ``trusted`` uid.

    Raises OSError: PermissionError for somebody else's link, as lstat otherwise.
    """
    owners = {0, *trusted}
    done, rest = b"/", [part for part in path.split(b"/") if part not in {b"", b"."}]
    links = 0
    while rest:
        part = rest.pop(0)
        if part == b"..":
            done = os.path.dirname(done)
            continue
        step = os.path.join(done, part)
        state = os.lstat(step)
        if not stat.S_ISLNK(state.st_mode):
            done = step
            continue
        links += 1
        if state.st_uid not in owners or links > MAX_LINKS:
            raise PermissionError(1, "a link of somebody else")
        target = os.readlink(step)
        done = b"/" if target.startswith(b"/") else done
        rest = [part for part in target.split(b"/") if part not in {b"", b"."}] + rest
    return done


class FolderChannel:
    """The common part of the two channels; see base.Channel for the contract."""

    KIND = ChannelKind.CLOUD_SYNC
    WHAT = "cloud"

    def __init__(
        self,
        people: Sequence[Person] = (),
        folders: Sequence[bytes] = (),
        discover: bool = True,
        *,
        search: Search = discover_for,
    ) -> None:
        self._people = tuple(people)
        self._folders = tuple(dict.fromkeys(os.path.normpath(folder) for folder in folders))
        self._discover = discover
        self._discovered = Discovered(self._people if discover else (), self.WHAT, search)
        self._troubles: list[Trouble] = []

    def follow(self, people: Sequence[Person]) -> None:
        """These are the persons from now on; their folders are searched at once."""
        self._people = tuple(people)
        if self._discover:
            self._discovered.follow(self._people)

    @property
    def kind(self) -> ChannelKind:
        return self.KIND

    def places(self) -> tuple[Place, ...]:
        """The configured folders that are there, and those that the users' programs name. Never raises."""
        self._troubles = []
        found: dict[bytes, Place] = {}
        for folder in self._folders:
            self._configured(found, folder)
        table = mount_table()
        for person, items, trouble in self._discovered.results():
            if trouble is not None:
                self._trouble("discovery-failed", trouble.message, trouble.hint, **_texts(trouble.fields))
            for item in items:
                self._discovered_folder(found, person, item, table)
        self.more(found)
        return tuple(sorted(self._bounded(found.values()), key=lambda place: place.root))

    def _bounded(self, places: Iterable[Place]) -> list[Place]:
        """Without what is too much of one person's own naming; what the administrator names is never too much."""
        counts, kept = Counter[int](), []
        for place in places:
            counts[place.owner] += place.service != CONFIGURED and place.owner != 0
            if place.service == CONFIGURED or counts[place.owner] <= MAX_PLACES:
                kept.append(place)
        if any(count > MAX_PLACES for count in counts.values()):
            self._trouble(
                "too-many-folders",
                N_("programs of one person name more than {limit} folders: the others are not guarded"),
                N_("list the folders in the configuration, under channels"),
                limit=str(MAX_PLACES),
            )
        return kept

    def more(self, found: dict[bytes, Place]) -> None:
        """Further places of a particular channel."""

    def descriptors(self) -> tuple[int, ...]:
        """An eventfd: readable when a search ended with another result."""
        return (self._discovered.fileno(),)

    def drain(self) -> None:
        self._discovered.drain()

    def troubles(self) -> tuple[Trouble, ...]:
        return tuple(self._troubles)

    def close(self) -> None:
        self._discovered.close()

    def _configured(self, found: dict[bytes, Place], folder: bytes) -> None:
        try:
            path = real_path(folder, [os.geteuid()])
            fd = open_folder(path)
        except OSError as error:
            self._trouble(
                "folder-missing",
                N_("a configured folder cannot be guarded: {path} ({why})"),
                N_("make it, or take it out of the configuration"),
                path=os.fsdecode(folder),
                why=error.strerror or "",
            )
            return
        try:
            found[path] = self.place(path, os.fstat(fd).st_uid, CONFIGURED)
        finally:
            os.close(fd)

    def _discovered_folder(
        self, found: dict[bytes, Place], person: Person, item: Found, table: Sequence[Mount]
    ) -> None:
        if item.problem:
            self._trouble(
                "folders-not-stated",
                N_("{service} is set up, but its folder is not stated anywhere that can be read"),
                N_("list the folder in the configuration, under channels.cloud_sync"),
                service=item.service,
            )
            return
        program = mounts.leads_to_person(table, item.path)
        if program is not None:  # only the guard's own thread may wait for it
            if program.option(b"user_id") == b"%d" % person.uid:
                self._take(found, person, item)
            else:
                self._refused(item, "not theirs")
            return
        try:
            fd = open_folder(item.path)
        except FileNotFoundError:
            return  # set up, and not (or no longer) there: nothing can leave
        except OSError as error:
            self._refused(item, error.strerror or "")
            return
        try:
            if os.fstat(fd).st_uid != person.uid and not _is_below(item.path, person.home):
                self._refused(item, "not theirs")
            else:
                self._take(found, person, item)
        finally:
            os.close(fd)

    def _take(self, found: dict[bytes, Place], person: Person, item: Found) -> None:
        place = self.place(item.path, person.uid, item.service, item.host)
        first = found.setdefault(item.path, place)
        if first.host != place.host:  # two programs bring it to two hosts: towards which, nobody can say
            found[item.path] = replace(first, host="")

    def _refused(self, item: Found, why: str) -> None:
        self._trouble(
            "folder-refused",
            N_("a folder that the settings of {service} name is not guarded: {why}"),
            N_("list it in the configuration if it is right"),
            service=item.service,
            why=why,
        )

    def place(self, root: bytes, owner: int, service: str, host: str = "") -> Place:
        """A guarded folder of this channel, whose documents go to ``host`` ("": not known, or the service's own)."""
        reason, host = AFTER_WRITE_REASON, host or SERVICE_HOSTS.get(service, "")
        return Place(self.KIND, root, owner, service, None, Strength.AFTER_WRITE, "watch", reason, host)

    def _trouble(self, word: str, message: str, hint: str = "", **fields: str) -> None:
        self._troubles.append(Trouble(word, message, hint, tuple(fields.items())))


def mount_table() -> tuple[Mount, ...]:
    """The mounts of now; empty when they cannot be read. Nothing in them is opened."""
    try:
        with open("/proc/self/mountinfo", "rb") as file:
            return mounts.parse(file.read(MAX_MOUNTINFO))
    except OSError:
        return ()


def _texts(fields: dict[str, object]) -> dict[str, str]:
    return {key: str(value) for key, value in fields.items()}


def _is_below(path: bytes, home: bytes) -> bool:
    try:
        base = real_path(home, [])
    except OSError:
        return False
    return path == base or path.startswith(base + b"/")
