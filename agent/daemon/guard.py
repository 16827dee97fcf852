"""Which places are under guard: asks the channels, tells the watcher, writes a record when that changes.

Owns the set of armed places. Called from the agent's main thread only; ``status`` reads a snapshot.
"""

from __future__ import annotations

import os
import time
from collections.abc import Callable, Mapping, Sequence
from typing import Protocol

from agent.channels import mounts
from agent.channels.base import Channel, Trouble
from agent.channels.folders import FolderChannel
from agent.channels.people import Person
from agent.daemon.device import DeviceIdentity
from agent.daemon.ledger import Ledger
from agent.daemon.operations import Operations
from agent.daemon.transfer_record import device_fields, volume_digest
from agent.fsys.openat import open_point
from agent.gates.takeover.process import boot_id
from agent.model import ChannelKind, Place

_SLACK_NS = 2_000_000_000
"""Clocks of file systems are coarse (FAT: 2 s): what changed that shortly before arming counts as new."""
_WRITTEN_NS = 1_795_392_000_000_000_000
"""A moment of November 2026: a clock that shows an earlier one stands wrong, whatever was noted before."""
_MOST_TABLE = 4 << 20  # bytes of the mount table


class Watcher(Protocol):
    def add(self, place: Place) -> None: ...

    def remove(self, place: Place) -> None: ...

    def rescan(self, place: Place | None = None) -> None: ...


class Guard:
    def __init__(
        self,
        channels: Sequence[Channel],
        watcher: Watcher,
        ledger: Ledger,
        identity: DeviceIdentity,
        record: Callable[[str, Mapping[str, object]], None],
        operations: Operations,
        before: Callable[[Place], None] = lambda _place: None,
        hold: Callable[[ChannelKind, tuple[Place, ...]], tuple[Place, ...]] = lambda _kind, places: places,
    ) -> None:
        """``before`` is called with a place just before it is watched: time to settle what a kill left there.
        ``hold`` puts the places of one kind behind its gate, and says how each is guarded.
        """
        self._channels = channels
        self._watcher = watcher
        self._ledger = ledger
        self._identity = identity
        self._record = record
        self._operations = operations
        self._before = before
        self._hold = hold
        self._armed: dict[tuple[ChannelKind, bytes], Place] = {}
        self._since: dict[bytes, int] = {}
        self._held_since: dict[bytes, int] = {}
        self._instances: dict[bytes, str] = {}  # of removable volumes: which mounting of them

    def follow(self, people: Sequence[Person]) -> None:
        """These are the persons from now on; the next ``refresh`` asks for their folders."""
        for channel in self._channels:
            if isinstance(channel, FolderChannel):
                channel.follow(people)

    def refresh(self) -> None:
        """Arm what has come, let go of what is gone."""
        wanted: dict[tuple[ChannelKind, bytes], Place] = {}
        taken: set[bytes] = set()
        for channel in self._channels:
            places = channel.places()
            if channel.kind is not ChannelKind.REMOVABLE:
                for place in places:
                    self._note_since(place)  # before its gate asks what is new there
            for place in self._hold(channel.kind, places):
                if place.root not in taken:  # a folder in two channels is guarded by the first, the stricter one
                    taken.add(place.root)
                    wanted[place.channel, place.root] = place
        for key, place in list(self._armed.items()):
            if key not in wanted or not _same_volume(place, wanted[key]):
                self._let_go(self._armed.pop(key))
        for key, place in wanted.items():
            if key not in self._armed:
                self._arm(place)
            elif self._armed[key] != place:
                self._describe(self._armed[key], place)
            self._armed[key] = place

    def _arm(self, place: Place) -> None:
        self._before(place)
        if place.channel is ChannelKind.REMOVABLE:
            self._since.pop(place.root, None)  # another mounting than the one before
        self._note_since(place)
        self._note_held(place)
        self._watcher.add(place)
        self._record("place", {"state": "armed", **self._fields(place)})
        self._operations.note("place.armed", channel=str(place.channel), service=place.service)

    def _note_since(self, place: Place) -> None:
        if place.root in self._since and not _is_to_come(self._since[place.root]):
            return
        instance = self._instance(place)
        since = self._ledger.first_armed(instance, time.time_ns())
        if _is_to_come(since):  # the clock stood ahead on that day: nothing written since would be new, for years
            self._ledger.forget_armed(instance)
            since = self._ledger.first_armed(instance, time.time_ns())
        self._since[place.root] = since - _SLACK_NS
        if place.channel is ChannelKind.REMOVABLE:
            self._instances[place.root] = instance

    def _note_held(self, place: Place) -> None:
        """Not kept over a restart: nobody knows how the volume was mounted in between."""
        if place.mechanism == "airlock":
            self._held_since[place.root] = time.time_ns()
        else:
            self._held_since.pop(place.root, None)

    def _describe(self, before: Place, place: Place) -> None:
        """Described anew: nothing to look at again, unless an airlock came or went: the path leads elsewhere then."""
        if before.mechanism != place.mechanism:
            self._note_held(place)
            self._watcher.remove(before)
            self._record("place", {"state": "armed", **self._fields(place)})
        self._watcher.add(place)

    def _let_go(self, place: Place) -> None:
        self._watcher.remove(place)
        self._since.pop(place.root, None)
        self._held_since.pop(place.root, None)
        if instance := self._instances.pop(place.root, ""):
            self._ledger.forget_armed(instance)
        self._record("place", {"state": "gone", **self._fields(place)})
        self._operations.note("place.gone", channel=str(place.channel), service=place.service)

    def _fields(self, place: Place) -> dict[str, object]:
        fields: dict[str, object] = {
            "channel": str(place.channel),
            "strength": str(place.strength),
            "volume": volume_digest(self._identity, place),
        }
        if place.service:
            fields["service"] = place.service
        if place.device is not None:
            fields["device"] = device_fields(self._identity, place.device)
        return fields

    def _instance(self, place: Place) -> str:
        """A folder is the same place for ever; a removable volume is a new one each time it is mounted."""
        volume = volume_digest(self._identity, place)
        return volume if place.channel is not ChannelKind.REMOVABLE else f"{volume}/{_mount_instance(place.root)}"

    def armed_ns(self, place: Place) -> int:
        """Since when the place is under guard, nanoseconds since the epoch."""
        return self._since.get(place.root, 0)

    def held_ns(self, place: Place) -> int:
        """Since when everything that is written to the place comes through an airlock, as far as this agent knows;
        nanoseconds since the epoch, 0: it does not.
        """
        return self._held_since.get(place.root, 0)

    def places(self) -> tuple[Place, ...]:
        return tuple(self._armed.values())

    def troubles(self) -> tuple[Trouble, ...]:
        return tuple(trouble for channel in self._channels for trouble in channel.troubles())

    def descriptors(self) -> dict[int, Channel]:
        return {fd: channel for channel in self._channels for fd in channel.descriptors()}

    def close(self) -> None:
        for channel in self._channels:
            channel.close()


def _same_volume(one: Place, other: Place) -> bool:
    """Whether two descriptions of a path are of the same thing mounted there."""
    if (one.device is None) != (other.device is None) or (one.owner, one.service) != (other.owner, other.service):
        return False
    if one.device is None or other.device is None:
        return True
    names = ("volume_uuid", "serial", "filesystem", "vendor_id", "product_id", "bus")
    return all(getattr(one.device, name) == getattr(other.device, name) for name in names)


def _mount_instance(root: bytes) -> str:
    """Boot, mount and device: different after each mount. Asks no file system: a dead one would not answer.

    An airlock before the volume is another one after each start of the agent; the volume's own mount counts.
    """
    with open("/proc/self/mountinfo", "rb") as table:
        volume, _airlock = mounts.stack(mounts.parse(table.read(_MOST_TABLE)), root)
    if volume is not None:
        return f"{boot_id()}:{volume.id}:{volume.device[0]}:{volume.device[1]}"
    try:
        fd = open_point(root)
    except OSError:
        return "unknown"
    try:
        with open(f"/proc/self/fdinfo/{fd}", encoding="ascii") as info:
            mount = next((line.split()[1] for line in info if line.startswith("mnt_id:")), "")
    finally:
        os.close(fd)
    return f"{boot_id()}:{mount}"


def _is_to_come(since_ns: int) -> bool:
    """Whether this moment is still to come, by a clock that may be right."""
    return since_ns > time.time_ns() > _WRITTEN_NS
