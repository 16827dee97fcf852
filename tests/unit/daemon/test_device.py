"""The laptop's identity: made once, ours alone, and a damaged one is never used as if it were whole."""

from __future__ import annotations

import json
import os
from pathlib import Path

import pytest

from agent.daemon.device import load_device
from agent.errors import HostError

GOOD = {"device_id": "dev_0123456789abcdef", "key": "11" * 32}


@pytest.fixture
def folder(tmp_path: Path) -> Path:
    tmp_path.chmod(0o700)
    return tmp_path


def test_it_is_made_once_and_kept(folder: Path) -> None:
    assert load_device(folder) == load_device(folder)
    assert (folder / "device.json").stat().st_mode & 0o777 == 0o600


@pytest.mark.parametrize(
    "stored",
    [b"", b"{", b"[]", b"[" * 4000, json.dumps(GOOD | {"key": ""}).encode(), json.dumps(GOOD | {"key": "11"}).encode(),
     json.dumps(GOOD | {"device_id": "x\n"}).encode(), json.dumps({"key": GOOD["key"]}).encode(),
     json.dumps(GOOD).encode()[:-9]],
)  # fmt: skip
def test_a_damaged_one_is_refused_and_left_as_it_is(folder: Path, stored: bytes) -> None:
    (folder / "device.json").write_bytes(stored)
    with pytest.raises(HostError, match="damaged"):
        load_device(folder)
    assert (folder / "device.json").read_bytes() == stored


def test_rights_that_a_backup_widened_are_narrowed(folder: Path) -> None:
    (folder / "device.json").write_text(json.dumps(GOOD))
    (folder / "device.json").chmod(0o644)
    assert load_device(folder).device_id == GOOD["device_id"]
    assert (folder / "device.json").stat().st_mode & 0o777 == 0o600


def test_a_link_is_not_followed(folder: Path) -> None:
    (folder / "elsewhere").write_text(json.dumps(GOOD))
    (folder / "device.json").symlink_to(folder / "elsewhere")
    with pytest.raises(HostError):
        load_device(folder)


@pytest.mark.parametrize("mode", [0o777, 0o1777, 0o720])
def test_a_folder_that_others_can_write_to_is_refused(folder: Path, mode: int) -> None:
    folder.chmod(mode)
    with pytest.raises(HostError, match="nobody else"):
        load_device(folder)
    assert not (folder / "device.json").exists()


@pytest.mark.skipif(os.getuid() != 0, reason="needs root to give a folder away")
def test_a_folder_of_somebody_else_is_refused(folder: Path) -> None:
    own = folder / "theirs"
    own.mkdir(mode=0o700)
    os.chown(own, 65534, 65534)
    with pytest.raises(HostError, match="nobody else"):
        load_device(own)


@pytest.mark.skipif(os.getuid() != 0, reason="needs root to give a link away")
def test_a_link_of_somebody_else_to_a_folder_of_ours_is_refused(folder: Path) -> None:
    (folder / "real").mkdir(mode=0o700)
    link = folder / "link"
    link.symlink_to(folder / "real")
    assert load_device(link) == load_device(folder / "real")
    os.chown(link, 65534, 65534, follow_symlinks=False)
    with pytest.raises(HostError, match="nobody else"):
        load_device(link)
