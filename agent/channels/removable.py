"""The removable channel: USB sticks, external disks, SD cards, mounted images, and the volumes that are configured.

Owns one epoll descriptor that turns readable when the mount table or the set of block devices changes. It looks at
mounts and devices only; it never opens anything on a volume but its root, to know whose it is.
"""

from __future__ import annotations

import os
import select
import socket
from collections.abc import Callable, Sequence
from typing import TYPE_CHECKING, Any

from agent.channels import mounts
from agent.channels.base import Trouble
from agent.channels.devices import Devices
from agent.channels.mounts import Mount
from agent.errors import N_
from agent.model import ChannelKind, Device, Place, Strength

if TYPE_CHECKING:
    from agent.channels.devices import Number

MAX_MOUNTINFO = 4 << 20  # bytes
AFTER_WRITE_REASON = N_("the action follows the write: no gate is armed on this place")
READ_ONLY_REASON = N_("mounted read-only: nothing can be written there")


class RemovableChannel:
    """Which volumes can leave with somebody. ``owner_of`` gives the uid of a login name, or None.

    Without ``discover`` only the listed ``volumes`` are guarded: for a demonstration beside somebody's real sticks.
    """

    def __init__(
        self,
        volumes: Sequence[bytes] = (),
        owner_of: Callable[[str], int | None] = lambda _name: None,
        *,
        discover: bool = True,
        mountinfo: str = "/proc/self/mountinfo",
        devices: Devices | None = None,
    ) -> None:
        self._volumes = frozenset(os.path.normpath(volume) for volume in volumes)
        self._owner_of = owner_of
        self._discover = discover
        self._mountinfo = mountinfo
        self._devices = devices or Devices()
        self._troubles: list[Trouble] = []
        self._table = os.open(mountinfo, os.O_RDONLY | os.O_CLOEXEC)
        self._epoll = select.epoll()
        self._monitor: Any = None
        self._watch_descriptors()

    @property
    def kind(self) -> ChannelKind:
        return ChannelKind.REMOVABLE

    def places(self) -> tuple[Place, ...]:
        """The volumes that are mounted now, the configured ones that are there. Never raises."""
        self._troubles = []
        table = self._read_table()
        numbers: dict[Mount, Number | None] = {mount: self._devices.number(mount) for mount in mounts.visible(table)}
        found = mounts.removable(
            table, lambda mount: self._devices.facts(numbers[mount]), self._volumes, self._desktop_points()
        )
        places = [self._place(mount) for mount in found if self._discover or mount.point in self._volumes]
        places += self._plain_folders(frozenset(mount.point for mount in mounts.visible(table)))
        return tuple(sorted(places, key=lambda place: place.root))

    def descriptors(self) -> tuple[int, ...]:
        """One epoll descriptor: readable when mounts or block devices changed."""
        return (self._epoll.fileno(),)

    def drain(self) -> None:
        """Take the device events; asking the kernel about the mount table is enough to quieten it.

        Events that its buffer did not hold are lost: nothing is, for all is asked anew after any of them.
        """
        self._epoll.poll(0)
        for _ in range(256):
            try:
                if self._monitor is None or self._monitor.poll(0) is None:
                    return
            except OSError:
                self._take_error(self._monitor.fileno())

    @staticmethod
    def _take_error(fd: int) -> None:
        """A socket that lost something says so until it is asked what happened."""
        with socket.socket(fileno=os.dup(fd)) as monitor:
            monitor.getsockopt(socket.SOL_SOCKET, socket.SO_ERROR)

    def troubles(self) -> tuple[Trouble, ...]:
        return tuple(self._troubles)

    def close(self) -> None:
        self._epoll.close()
        os.close(self._table)
        self._monitor = None

    # -- what the kernel tells

    def _watch_descriptors(self) -> None:
        try:
            self._epoll.register(self._table, select.EPOLLPRI | select.EPOLLERR)
        except OSError:  # a recorded table in a plain file does not change
            return
        context = self._devices.context()
        if context is None:
            return
        try:
            import pyudev

            self._monitor = pyudev.Monitor.from_netlink(context, source="udev")
            self._monitor.filter_by("block")
            self._monitor.start()
            self._epoll.register(self._monitor.fileno(), select.EPOLLIN)
        except OSError:
            self._monitor = None  # no netlink here: the mount table alone tells

    def _read_table(self) -> tuple[Mount, ...]:
        try:
            with open(self._mountinfo, "rb") as file:
                untrusted_text = file.read(MAX_MOUNTINFO + 1)
        except OSError:
            self._trouble("mounts-unreadable", N_("the mount table cannot be read: new volumes are not seen"))
            return ()
        if len(untrusted_text) > MAX_MOUNTINFO:
            self._trouble("mounts-too-many", N_("the mount table is too long: only its beginning is looked at"))
        return mounts.parse(untrusted_text[:MAX_MOUNTINFO])

    def _desktop_points(self) -> frozenset[bytes]:
        try:
            with open("/run/mount/utab", "rb") as file:
                return mounts.udisks_points(file.read(MAX_MOUNTINFO))
        except OSError:
            return frozenset()

    # -- values

    def _place(self, mount: Mount) -> Place:
        device, service = self._devices.describe(mount)
        return _guarded(mount.point, self._owner(mount), service, device)

    def _plain_folders(self, points: frozenset[bytes]) -> list[Place]:
        """Configured volumes that are no mount of their own: guarded just the same."""
        places = []
        for volume in sorted(self._volumes - points):
            if not mounts.may_be_guarded(volume):
                self._trouble(
                    "volume-is-system",
                    N_("a listed volume is part of the system and is not guarded: {path}"),
                    N_("take it out of channels.removable.volumes"),
                    path=os.fsdecode(volume),
                )
            elif os.path.isdir(volume):
                places.append(_guarded(volume, _root_owner(volume), "disk", Device(bus="folder")))
        return places

    def _owner(self, mount: Mount) -> int:
        """uid= (or user_id= of FUSE), else the name in /media/NAME, else whose the volume's root is, else root."""
        for key in (b"uid", b"user_id"):
            value = mount.option(key) or b""
            if value.isdigit() and int(value) > 0 and len(value) < 11:
                return int(value)
        parts = mount.point.split(b"/")
        login = parts[2:3] if parts[1:2] == [b"media"] else parts[3:4] if parts[1:3] == [b"run", b"media"] else []
        named = self._owner_of(os.fsdecode(login[0])) if login else None
        return _root_owner(mount.point) if named is None else named

    def _trouble(self, word: str, message: str, hint: str = "", **fields: str) -> None:
        self._troubles.append(Trouble(word, message, hint, tuple(fields.items())))


def _guarded(root: bytes, owner: int, service: str, device: Device) -> Place:
    reason = READ_ONLY_REASON if device.read_only else AFTER_WRITE_REASON
    return Place(
        ChannelKind.REMOVABLE, root, owner, service, device, Strength.AFTER_WRITE, mechanism="watch", reason=reason
    )


def _root_owner(root: bytes) -> int:
    try:
        return os.stat(root).st_uid
    except OSError:
        return 0
