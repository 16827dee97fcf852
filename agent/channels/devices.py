"""What a block device is: removable or not, which bus, and what it says of itself.

Facts come from sysfs (through partitions, unlocked LUKS and RAID down to the disk); names of volumes from udev's
database when it runs. Everything a device says is hostile: bounded reads, printable ASCII only. Nothing is written and
no device is opened.
"""

from __future__ import annotations

import os
import stat
from collections.abc import Iterator
from dataclasses import dataclass
from typing import Any

from agent.channels.mounts import BlockFacts, Mount
from agent.model import Device

MAX_ATTRIBUTE = 256  # bytes read of a sysfs attribute
MAX_TEXT = 64  # characters kept
MAX_STACK = 8  # devices upon devices
MAX_PARENTS = 32
Number = tuple[int, int]


def clean(text: bytes | str, limit: int = MAX_TEXT) -> str:
    """Printable ASCII of a string that a device chose, spaces folded, at most ``limit`` characters."""
    raw = text if isinstance(text, bytes) else text.encode("utf-8", "replace")
    shown = "".join(chr(byte) if 32 <= byte < 127 else " " for byte in raw[: 4 * limit])
    return " ".join(shown.split())[:limit]


@dataclass(frozen=True, slots=True)
class _Disk:
    """A physical or virtual disk below the mounted device."""

    path: str  # its folder in sysfs
    removable: bool
    bus: str  # usb, mmc, loop, ...


class Devices:
    """Reads sysfs; ``sysfs`` is a parameter so that a recorded tree can be read instead."""

    def __init__(self, sysfs: str = "/sys", *, udev: bool = True) -> None:
        self._sysfs = sysfs
        self._udev = udev
        self._context: Any = None

    def number(self, mount: Mount) -> Number | None:
        """Major and minor of the device behind a mount: of the source, since btrfs has numbers of its own."""
        if mount.is_program:
            return None
        if mount.source.startswith(b"/dev/") and b"/.." not in mount.source:
            try:
                state = os.stat(mount.source)
            except (OSError, ValueError):
                state = None
            if state is not None and stat.S_ISBLK(state.st_mode):
                return os.major(state.st_rdev), os.minor(state.st_rdev)
        return mount.device if mount.device[0] else None

    def facts(self, number: Number | None) -> BlockFacts | None:
        """What the kernel says of the device, or None when there is no such device."""
        disks = self._disks(number)
        if not disks:
            return None
        return BlockFacts(
            removable=any(disk.removable for disk in disks), loop=any(disk.bus == "loop" for disk in disks)
        )

    def describe(self, mount: Mount) -> tuple[Device, str]:
        """The device of a mount for policies and records, and its service word: usb, sd or disk."""
        number = self.number(mount)
        disks = self._disks(number)
        disk = next((disk for disk in disks if disk.removable), disks[0] if disks else None)
        words = self._words(disk)
        device = Device(
            bus="" if disk is None else disk.bus,
            vendor_id=_hex4(words.get("idVendor", "")),
            product_id=_hex4(words.get("idProduct", "")),
            vendor=words.get("manufacturer", "") or words.get("vendor", ""),
            product=words.get("product", "") or words.get("model", "") or words.get("name", ""),
            serial=words.get("serial", ""),
            volume_uuid=self._uuid(number),
            filesystem=clean(mount.filesystem, 32),
            read_only=mount.read_only,
        )
        return device, self._service(disk)

    def _service(self, disk: _Disk | None) -> str:
        if disk is None or disk.bus not in {"usb", "mmc"}:
            return "disk"
        if disk.bus == "mmc":
            return "sd"
        return "usb" if self._read(disk.path, "removable") == "1" else "disk"

    # -- sysfs

    def _disks(self, number: Number | None) -> list[_Disk]:
        if number is None:
            return []
        start = os.path.realpath(f"{self._sysfs}/dev/block/{number[0]}:{number[1]}")
        return [self._disk(path) for path in self._lowest(start, 0)]

    def _lowest(self, path: str, depth: int) -> Iterator[str]:
        if not os.path.isdir(path) or depth > MAX_STACK:
            return
        if os.path.exists(f"{path}/partition"):
            path = os.path.dirname(path)
        try:
            below = sorted(os.listdir(f"{path}/slaves"))[:MAX_STACK]
        except OSError:
            below = []
        if not below:
            yield path
        for name in below:
            yield from self._lowest(os.path.realpath(f"{path}/slaves/{name}"), depth + 1)

    def _disk(self, path: str) -> _Disk:
        if "/virtual/" in path:
            return _Disk(path, removable=False, bus="loop" if os.path.basename(path).startswith("loop") else "virtual")
        bus = ""
        removable = self._read(path, "removable") == "1"
        for parent in self._parents(path):
            kind = os.path.basename(os.path.realpath(f"{parent}/subsystem"))
            if kind == "mmc" and not bus:
                bus = "mmc"
                removable = removable or self._read(parent, "type").upper() == "SD"
            elif kind in {"usb", "firewire", "memstick"}:
                bus, removable = "usb" if kind == "usb" else kind, True
            elif self._read(parent, "removable") == "removable":  # behind Thunderbolt or another plug
                removable = True
            elif kind in {"nvme", "ata_port", "virtio", "scsi"} and not bus:
                bus = {"ata_port": "ata"}.get(kind, kind)
        return _Disk(path, removable, bus)

    def _parents(self, path: str) -> Iterator[str]:
        top = os.path.realpath(f"{self._sysfs}/devices")
        for _ in range(MAX_PARENTS):
            path = os.path.dirname(path)
            if not path.startswith(top + "/"):
                return
            yield path

    def _words(self, disk: _Disk | None) -> dict[str, str]:
        if disk is None:
            return {}
        words = {key: self._read(f"{disk.path}/device", key) for key in ("vendor", "model", "name", "serial")}
        for parent in self._parents(disk.path):
            if os.path.exists(f"{parent}/idVendor"):
                keys = ("idVendor", "idProduct", "manufacturer", "product", "serial")
                words |= {key: self._read(parent, key) for key in keys}
                break
        return {key: value for key, value in words.items() if value}

    def _read(self, folder: str, name: str) -> str:
        try:
            fd = os.open(f"{folder}/{name}", os.O_RDONLY | os.O_CLOEXEC | os.O_NONBLOCK)
        except OSError:
            return ""
        try:
            return clean(os.read(fd, MAX_ATTRIBUTE))
        except OSError:
            return ""
        finally:
            os.close(fd)

    # -- udev

    def context(self) -> Any:
        """The Context of pyudev, made once (making one starts ldconfig), or None where udev's library is missing."""
        if self._context is None and self._udev:
            try:
                import pyudev

                self._context = pyudev.Context()
            except (ImportError, OSError):
                self._udev = False
        return self._context

    def _uuid(self, number: Number | None) -> str:
        context = self.context()
        if number is None or context is None:
            return ""
        import pyudev

        try:
            device = pyudev.Devices.from_device_number(context, "block", os.makedev(*number))
            return clean(str(device.properties.get("ID_FS_UUID", "")))
        except (pyudev.DeviceNotFoundError, OSError, ValueError):
            return ""


def _hex4(text: str) -> str:
    return text.lower() if len(text) == 4 and all(char in "0123456789abcdefABCDEF" for char in text) else ""
