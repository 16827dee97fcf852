"""Ways into volumes: what is open by a copy of the mount does not keep the mount, and a way that is shut stays shut."""

from __future__ import annotations

import os
import subprocess
import threading
from collections.abc import Iterator
from pathlib import Path

import pytest

from agent.fsys.openat import open_folder, open_point
from agent.fsys.ways import Way, open_root, reach_root
from agent.gates.takeover import mounting
from tests.running import wait_for

needs_mounts = pytest.mark.skipif(os.getuid() != 0, reason="mounts need root")


@pytest.fixture
def volume(tmp_path: Path) -> Iterator[Path]:
    point = tmp_path / "volume"
    point.mkdir()
    subprocess.run(["mount", "-t", "tmpfs", "-o", "size=1m", "way-test", str(point)], check=True)
    (point / "there").write_text("x")
    try:
        yield point
    finally:
        subprocess.run(["umount", "-l", str(point)], check=False, capture_output=True)


def offered(point: Path) -> Way:
    fd = open_folder(os.fsencode(point))
    try:
        return Way(os.fsencode(point), mounting.clone(fd))
    finally:
        os.close(fd)


def unmounts(point: Path) -> bool:
    return subprocess.run(["umount", str(point)], capture_output=True, check=False).returncode == 0


@needs_mounts
def test_what_is_open_by_path_keeps_a_volume_mounted(volume: Path) -> None:
    fd = open_root(os.fsencode(volume))
    try:
        assert not unmounts(volume)
    finally:
        os.close(fd)
    assert unmounts(volume)


@needs_mounts
def test_what_is_open_by_the_way_does_not(volume: Path) -> None:
    way = offered(volume)
    fds = [open_root(os.fsencode(volume)), reach_root(os.fsencode(volume))]
    try:
        fds.append(os.open("there", os.O_RDONLY, dir_fd=fds[0]))
        assert os.listdir(fds[0]) == ["there"]
        assert os.fstat(fds[1]).st_ino == os.fstat(fds[0]).st_ino
        assert unmounts(volume)
        assert os.read(fds[2], 9) == b"x"  # the document in hand is read to its end
    finally:
        for fd in fds:
            os.close(fd)
        way.close()


@needs_mounts
def test_the_file_system_ends_with_the_last_document_in_hand(volume: Path) -> None:
    way = offered(volume)
    root = open_root(os.fsencode(volume))
    number = os.fstat(root).st_dev
    assert unmounts(volume)
    way.shut()
    assert os.fstat(root).st_dev == number
    os.close(root)
    wait_for(lambda: not [one for one in threading.enumerate() if one.name == "way"])
    way.close()


@needs_mounts
def test_shut_nobody_goes_in_by_path_either(volume: Path) -> None:
    way = offered(volume)
    way.shut()
    for go_in in (open_root, reach_root):
        with pytest.raises(OSError, match="No such device"):
            go_in(os.fsencode(volume))
    way.close()
    os.close(open_root(os.fsencode(volume)))
    assert unmounts(volume)


def test_the_one_before_has_no_say_any_more(tmp_path: Path) -> None:
    root = os.fsencode(tmp_path)
    before = Way(root)
    after = Way(root, open_point(root))
    before.shut()
    before.close()
    try:
        os.close(open_root(root))
    finally:
        after.shut()
        with pytest.raises(OSError, match="No such device"):
            open_root(root)
        after.close()
    os.close(open_root(root))


def test_other_folders_are_none_of_its_business(tmp_path: Path) -> None:
    (tmp_path / "below").mkdir()
    way = Way(os.fsencode(tmp_path))
    try:
        os.close(open_root(os.fsencode(tmp_path / "below")))
    finally:
        way.close()
