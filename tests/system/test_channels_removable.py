"""Removable volumes on real loop devices: what is found, how it is described, and that a mount wakes the channel."""

import os
import select
import shutil
import socket
import subprocess
from contextlib import ExitStack

import pytest

from agent.channels.people import uid_of
from agent.channels.removable import READ_ONLY_REASON, RemovableChannel
from agent.channels.watch import Watcher
from agent.model import Cause, ChannelKind, Strength
from tests.running import wait_for

pytestmark = pytest.mark.system
DEVICE_EVENTS = (socket.AF_NETLINK, socket.SOCK_RAW, 15)  # NETLINK_KOBJECT_UEVENT
UDEVS_GROUP, SO_DETACH_FILTER = 2, 27


def run(*command):
    return subprocess.run(command, check=True, capture_output=True, text=True).stdout.strip()


@pytest.fixture
def stick(tmp_path):
    """``stick(filesystem, ...)`` makes an image, a loop device and a mount; everything is undone at the end."""
    with ExitStack() as undo:
        made = []

        def make(filesystem, name="stick", *options):
            maker = {
                "ext4": ["mkfs.ext4", "-q"],
                "vfat": ["mkfs.vfat"],
                "exfat": ["mkfs.exfat"],
                "ntfs": ["mkfs.ntfs", "-QqF"],
            }
            helper = {"exfat": "mount.exfat-fuse", "ntfs": "ntfs-3g"}.get(filesystem)
            if not shutil.which(maker[filesystem][0]):
                pytest.skip(f"no {maker[filesystem][0]} here")
            image = tmp_path / f"image{len(made)}"
            with image.open("wb") as file:
                file.truncate(24 << 20)
            run(*maker[filesystem], str(image))
            loop = run("losetup", "--find", "--show", str(image))
            undo.callback(subprocess.run, ["losetup", "-d", loop], check=False)
            point = tmp_path / "media" / "alma" / name
            point.mkdir(parents=True)
            command = (
                [helper, *options, loop, point] if helper and shutil.which(helper) else ["mount", *options, loop, point]
            )
            mounted = subprocess.run(command, check=False, capture_output=True, text=True)
            if mounted.returncode:
                pytest.skip(f"{filesystem} cannot be mounted here: {mounted.stderr.strip()}")
            undo.callback(subprocess.run, ["umount", "-l", point], check=False, capture_output=True)
            made.append(point)
            return point

        yield make


@pytest.fixture
def channel():
    with ExitStack() as undo:

        def make(*volumes):
            channel = RemovableChannel(volumes, uid_of)
            undo.callback(channel.close)
            return channel

        yield make


def place_of(channel, point):
    return next((place for place in channel.places() if place.root == os.fsencode(point)), None)


@pytest.mark.parametrize("filesystem", ["ext4", "vfat", "exfat", "ntfs"])
def test_a_mounted_stick_is_found_watched_and_let_go(stick, channel, filesystem):
    point = stick(filesystem)
    found = channel()
    place = place_of(found, point)
    assert place is not None
    assert (place.channel, place.service, place.device.bus) == (ChannelKind.REMOVABLE, "disk", "loop")
    assert place.strength is Strength.AFTER_WRITE
    events = []
    watcher = Watcher(events.append)
    watcher.add(place)
    try:
        assert watcher.wait(10, surveyed=True)
        (point / "compte rendu.txt").write_bytes(b"x" * 100_000)
        (point / "d").mkdir()
        (point / "d/é.txt").write_bytes(b"x")
        wait_for(lambda: {event.name for event in events} >= {b"compte rendu.txt", "d/é.txt".encode()})
        assert {event.cause for event in events} <= {Cause.WRITTEN, Cause.EXISTING}
        run("umount", str(point))
        assert place_of(found, point) is None
    finally:
        watcher.stop()


def test_read_only_is_said(stick, channel):
    point = stick("ext4", "stick", "-o", "ro")
    place = place_of(channel(), point)
    assert place.device.read_only
    assert place.reason == READ_ONLY_REASON


def test_a_label_with_everything_in_it(stick, channel):
    point = stick("ext4", "Clé\n \\040\t#é\x1b[31m")
    assert place_of(channel(), point) is not None


def test_whose_it_is(stick, channel):
    point = stick("ext4")
    assert place_of(channel(), point).owner == 0
    os.chown(point, 12345, 12345)
    assert place_of(channel(), point).owner == 12345


def test_a_mount_and_an_unmount_wake_the_channel(stick, channel):
    found = channel()
    found.places()
    found.drain()
    poll = select.poll()
    for fd in found.descriptors():
        poll.register(fd, select.POLLIN | select.POLLPRI)
    poll.poll(0)
    found.drain()
    assert poll.poll(0) == [], "it would spin"
    point = stick("ext4")
    assert poll.poll(5000), "a mount was not told"
    found.drain()
    found.places()
    run("umount", str(point))
    assert poll.poll(5000), "an unmount was not told"
    found.drain()
    wait_for(lambda: (found.drain(), poll.poll(0) == [])[1])


def test_more_device_events_than_a_socket_holds(channel):
    """A disk of a hundred partitions, a storm of udev's: what is lost is asked for anew."""
    found = channel()
    if found._monitor is None:
        pytest.skip("no netlink here")
    number = found._monitor.fileno()
    with socket.socket(fileno=os.dup(number)) as monitor, socket.socket(*DEVICE_EVENTS) as sender:
        monitor.setsockopt(socket.SOL_SOCKET, socket.SO_RCVBUF, 1)
        monitor.setsockopt(socket.SOL_SOCKET, SO_DETACH_FILTER, 0)
        try:
            for _ in range(200):
                sender.sendto(b"x" * 4096, (0, UDEVS_GROUP))
        except OSError:
            pytest.skip("events cannot be made up here")
        poll = select.poll()
        poll.register(number, select.POLLIN)
        assert poll.poll(0)[0][1] & select.POLLERR
        found.drain()
        assert poll.poll(0) == []
        found.places()


def test_a_listed_volume_that_is_a_tmpfs_or_a_folder(tmp_path, channel):
    mounted, plain = tmp_path / "mounted", tmp_path / "plain"
    mounted.mkdir()
    plain.mkdir()
    run("mount", "-t", "tmpfs", "none", str(mounted))
    try:
        found = channel(*(os.fsencode(path) for path in (mounted, plain, tmp_path / "none", "/", "/home", "/boot/efi")))
        roots = {place.root for place in found.places()}
        assert {os.fsencode(mounted), os.fsencode(plain)} <= roots
        assert roots.isdisjoint({b"/", b"/home", b"/boot/efi", os.fsencode(tmp_path / "none")})
        assert {trouble.word for trouble in found.troubles()} == {"volume-is-system"}
        assert os.fsencode(mounted) not in {place.root for place in channel().places()}
    finally:
        run("umount", str(mounted))


def test_partitions_are_volumes_of_their_own(stick, channel):
    one, two = stick("ext4", "one"), stick("ext4", "two")
    roots = {place.root for place in channel().places()}
    assert {os.fsencode(one), os.fsencode(two)} <= roots


def test_the_mount_table_of_a_machine_that_has_none(tmp_path):
    table = tmp_path / "mountinfo"
    table.write_bytes(b"")
    channel = RemovableChannel([], uid_of, mountinfo=str(table))
    assert channel.places() == ()
    table.unlink()
    assert channel.places() == ()
    assert [trouble.word for trouble in channel.troubles()] == ["mounts-unreadable"]
    channel.close()
