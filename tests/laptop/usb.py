"""The machine's USB ports: a raw image becomes a stick, and is pulled out whatever the guest is doing with it."""

from __future__ import annotations

import time
import uuid
from pathlib import Path
from typing import Any, NamedTuple

from tests.laptop.places import LaptopError, Result
from tests.laptop.qemu import Qmp

LOCATE = """
for i in $(seq {tries}); do for d in /sys/block/sd*; do
  case "$(udevadm info -q property -p $d)" in *"ID_SERIAL_SHORT={id}"*|*"ID_SERIAL={id}"*)
    udevadm settle; echo /dev/${{d##*/}}
    for p in $d/${{d##*/}}*; do [ -e $p ] && echo /dev/${{p##*/}}; done; exit 0;;
  esac; done; sleep 0.2; done; exit 1
"""


class Stick(NamedTuple):
    id: str
    image: Path
    dev: str = ""  # /dev/sda; empty until the guest shows it
    parts: tuple[str, ...] = ()  # /dev/sda1, ...

    @property
    def part(self) -> str:
        """The first partition, or the whole stick when it has none."""
        return self.parts[0] if self.parts else self.dev


class Usb:
    """Plugging in and pulling out; the rest of the machine is in machine.py."""

    sticks: dict[str, Stick]

    @property
    def qmp(self) -> Qmp:
        raise NotImplementedError

    def run(self, command: str, user: str = "root", check: bool = False, **options: Any) -> Result:
        raise NotImplementedError

    def plug(
        self, image: Path | str, readonly: bool = False, uas: bool = False, wait: bool = True, ident: str | None = None
    ) -> Stick:
        """Hot-plugs a raw image as a USB stick; waits until udev shows it, unless wait=False.

        uas: as a USB-attached-SCSI disk (an SSD in a box) rather than a mass-storage stick.
        """
        ident = ident or "stick" + uuid.uuid4().hex[:8]
        file = {"driver": "file", "filename": str(Path(image).resolve()), "locking": "off"}
        self.qmp.call("blockdev-add", driver="raw", node_name=ident, read_only=readonly, file=file)
        if uas:
            self.plug_box(ident)
        else:
            self.qmp.call(
                "device_add", driver="usb-storage", id=ident, bus="usb.0", drive=ident, serial=ident, removable=True
            )
        stick = self.sticks[ident] = Stick(ident, Path(image))
        return self.locate(stick) if wait else stick

    def plugged(self, image: Path) -> list[str]:
        """QEMU's words for a stick that is in when the machine is switched on; ``sticks`` knows it, locate() finds it."""
        ident = "stick" + uuid.uuid4().hex[:8]
        self.sticks[ident] = Stick(ident, image)
        file = f"driver=file,filename={image.resolve()},locking=off,node-name={ident}-file"
        drive = f"driver=raw,node-name={ident},file={ident}-file"
        device = f"usb-storage,id={ident},bus=usb.0,drive={ident},serial={ident},removable=on"
        return ["-blockdev", file, "-blockdev", drive, "-device", device]

    def plug_box(self, ident: str) -> None:
        """The guest scans for disks only when the box is attached: the disk goes in before."""
        box = "/machine/peripheral/" + ident
        self.qmp.call("device_add", driver="usb-uas", id=ident, bus="usb.0", serial=ident)
        self.qmp.call("qom-set", path=box, property="attached", value=False)
        self.qmp.call("device_add", driver="scsi-hd", id=ident + "-lun", bus=ident + ".0", drive=ident, serial=ident)
        self.qmp.call("qom-set", path=box, property="attached", value=True)

    def locate(self, stick: Stick, timeout: int = 40) -> Stick:
        """The stick with the device names the guest gave it."""
        found = self.run(LOCATE.format(tries=timeout * 2, id=stick.id), timeout=timeout * 2)
        if found.rc:
            raise LaptopError(f"the laptop does not see {stick.id}")
        dev, *parts = found.stdout.split()
        located = self.sticks[stick.id] = stick._replace(dev=dev, parts=tuple(parts))
        return located

    def unplug(self, stick: Stick | str) -> None:
        """Pulls the stick out, whatever the guest is doing with it."""
        ident = stick if isinstance(stick, str) else stick.id
        self.qmp.call("device_del", id=ident)
        self.qmp.event("DEVICE_DELETED", device=ident)
        for _ in range(50):
            try:
                self.qmp.call("blockdev-del", node_name=ident)
                break
            except LaptopError as error:
                if "in use" not in str(error):
                    raise
                time.sleep(0.1)
        self.sticks.pop(ident, None)
