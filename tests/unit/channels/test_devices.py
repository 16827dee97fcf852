"""What a device says of itself, read from a recorded sysfs: a stick, an SD card, an internal disk, LUKS on a stick."""

import pytest

from agent.channels.devices import Devices, clean
from agent.channels.mounts import Mount

USB = "devices/pci0000:00/0000:00:14.0/usb2/2-3"
DISK = f"{USB}/2-3:1.0/host4/target4:0:0/4:0:0:0"


@pytest.fixture
def sysfs(tmp_path):
    """The files that Linux shows for four devices, the links between them included."""

    def write(path, **attributes):
        folder = tmp_path / path
        folder.mkdir(parents=True, exist_ok=True)
        for name, value in attributes.items():
            (folder / name).write_bytes(value)

    def subsystem(path, name):
        (tmp_path / "bus" / name).mkdir(parents=True, exist_ok=True)
        (tmp_path / path / "subsystem").symlink_to(tmp_path / "bus" / name)

    write(USB, idVendor=b"0951\n", idProduct=b"1666\n", manufacturer=b"King\x1b[31mston\n", product=b"Data  Traveler")
    write(USB, serial=b"E0D55\n" + b"9" * 300)
    subsystem(USB, "usb")
    write(f"{DISK}/block/sdb", removable=b"1\n")
    write(f"{DISK}/block/sdb/sdb1", partition=b"1\n")
    (tmp_path / DISK / "block/sdb/device").symlink_to(tmp_path / DISK)
    card = "devices/pci0000:00/0000:00:1a.0/mmc_host/mmc0/mmc0:aaaa"
    write(f"{card}/block/mmcblk0", removable=b"0\n")
    write(card, type=b"SD\n", name=b"SC64G\n", serial=b"0x1\n")
    subsystem(card, "mmc")
    (tmp_path / card / "block/mmcblk0/device").symlink_to(tmp_path / card)
    soldered = "devices/platform/mmc_host/mmc1/mmc1:0001"
    write(f"{soldered}/block/mmcblk1", removable=b"0\n")
    write(soldered, type=b"MMC\n")
    subsystem(soldered, "mmc")
    write("devices/pci0000:00/nvme/nvme0/nvme0n1", removable=b"0\n")
    subsystem("devices/pci0000:00/nvme/nvme0", "nvme")
    plugged = "devices/pci0000:00/0000:05:00.0"
    write(plugged, removable=b"removable\n")
    write(f"{plugged}/nvme/nvme1/nvme1n1", removable=b"0\n")
    write("devices/virtual/block/dm-0/slaves")
    (tmp_path / "devices/virtual/block/dm-0/slaves/sdb1").symlink_to(tmp_path / DISK / "block/sdb/sdb1")
    write("devices/virtual/block/loop7")
    write("devices/virtual/block/dm-1/slaves")
    (tmp_path / "devices/virtual/block/dm-1/slaves/dm-1").symlink_to(tmp_path / "devices/virtual/block/dm-1")
    (tmp_path / "dev/block").mkdir(parents=True)
    for number, path in {
        "8:17": f"{DISK}/block/sdb/sdb1",
        "179:0": f"{card}/block/mmcblk0",
        "179:8": f"{soldered}/block/mmcblk1",
        "259:0": "devices/pci0000:00/nvme/nvme0/nvme0n1",
        "259:5": f"{plugged}/nvme/nvme1/nvme1n1",
        "253:0": "devices/virtual/block/dm-0",
        "253:1": "devices/virtual/block/dm-1",
        "7:7": "devices/virtual/block/loop7",
    }.items():
        (tmp_path / "dev/block" / number).symlink_to(tmp_path / path)
    return Devices(str(tmp_path), udev=False)


def mount(major, minor, options=b"rw"):
    return Mount(1, 1, (major, minor), b"/", b"/m", frozenset([options]), b"vfat", b"none", frozenset())


@pytest.mark.parametrize(
    ("number", "removable", "loop"),
    [
        ((8, 17), True, False),
        ((179, 0), True, False),
        ((179, 8), False, False),
        ((259, 0), False, False),
        ((259, 5), True, False),
        ((253, 0), True, False),
        ((7, 7), False, True),
    ],
)
def test_what_can_be_taken_away(sysfs, number, removable, loop):
    facts = sysfs.facts(number)
    assert facts is not None
    assert (facts.removable, facts.loop) == (removable, loop)


def test_unknown_and_circular_devices_say_nothing(sysfs):
    assert sysfs.facts((99, 1)) is None
    assert sysfs.facts(None) is None
    assert sysfs.facts((253, 1)) is None


@pytest.mark.parametrize("number", [(8, 17), (253, 0)])
def test_the_stick_is_described_also_through_luks(sysfs, number):
    device, service = sysfs.describe(mount(*number))
    assert service == "usb"
    assert (device.bus, device.vendor_id, device.product_id) == ("usb", "0951", "1666")
    assert device.vendor == "King [31mston"
    assert device.product == "Data Traveler"
    assert device.serial.startswith("E0D55 999")
    assert len(device.serial) == 64
    assert not device.read_only


def test_the_card(sysfs):
    device, service = sysfs.describe(mount(179, 0, b"ro"))
    assert (service, device.bus, device.product, device.read_only) == ("sd", "mmc", "SC64G", True)


@pytest.mark.parametrize("raw", [b"", b"\xff" * 5000, b"\x1b]0;x\x07", "é\u202e".encode(), b"a\nb\0c"])
def test_cleaned_text_is_short_printable_ascii(raw):
    text = clean(raw)
    assert len(text) <= 64
    assert text.isascii()
    assert text.isprintable()
