"""What of this laptop lies on a disk in clear, for ``serment doctor``: its data, its swap. Reads; never fails.

Each function takes the root of the file system it looks at, so that a test gives it one of its own.
"""

from __future__ import annotations

import contextlib
import glob
import os
import re
from pathlib import Path

_MAX_BYTES = 1 << 20
_LAYERS = 4  # a logical volume on an encrypted partition on a RAID


def encrypted(root: Path, folder: Path) -> bool | None:
    """Whether a layer of dm-crypt lies below the folder. None where there is no block device (a network, memory)."""
    for parent in (folder, *folder.parents):
        with contextlib.suppress(OSError):
            number = os.stat(parent).st_dev
            device = root / "sys/dev/block" / f"{os.major(number)}:{os.minor(number)}"
            return _crypt_below(device, _LAYERS) if device.exists() else _btrfs_encrypted(root, parent)
    return None


def _btrfs_encrypted(root: Path, folder: Path) -> bool | None:
    """The same on btrfs, whose files have numbers of no device: its mount names one, the kernel all. None elsewhere."""
    filesystem, source = _mounted(root, folder)
    if filesystem != "btrfs":  # of another the source may be what somebody liked
        return None
    one = os.path.basename(os.path.realpath(root / source.lstrip("/")))
    parts = (root / "sys/fs/btrfs").glob(f"*/devices/{glob.escape(one)}")
    all_of_them = [device for part in parts for device in part.parent.iterdir()] or [root / "sys/class/block" / one]
    found = [_crypt_below(device, _LAYERS) for device in all_of_them]
    return None if None in found else all(found)


def _mounted(root: Path, folder: Path) -> tuple[str, str]:
    """(type, source) of the mount that the folder lies on, or empty. Raises OSError."""
    fd = os.open(folder, os.O_PATH | os.O_CLOEXEC)
    try:
        number = re.search(r"^mnt_id:\s*(\d+)$", _text(Path(f"/proc/self/fdinfo/{fd}")), re.MULTILINE)
    finally:
        os.close(fd)
    for line in _text(root / "proc/self/mountinfo").splitlines():
        words = line.partition(" - ")[2].split(" ")
        if number and line.startswith(number[1] + " ") and len(words) > 1:
            return words[0], words[1]
    return "", ""


def _crypt_below(device: Path, layers: int) -> bool | None:
    if not device.exists():
        return None
    if _text(device / "dm/uuid").startswith("CRYPT-"):
        return True
    below = sorted((device / "slaves").glob("*")) if layers else []
    return bool(below) and all(_crypt_below(each.resolve(), layers - 1) for each in below)


def clear_swaps(root: Path) -> tuple[str, ...]:
    """Swap that would show what was in memory: neither zram nor on dm-crypt."""
    found = []
    for line in _text(root / "proc/swaps").splitlines()[1:]:
        name = line.split()[0]
        short = os.path.basename(os.path.realpath(name))
        if short.startswith("zram"):
            continue
        device = root / "sys/class/block" / short
        hidden = _crypt_below(device, _LAYERS) if device.exists() else encrypted(root, Path(name).parent)
        if not hidden:
            found.append(name)
    return tuple(found)


def _text(path: Path) -> str:
    try:
        with path.open("rb") as file:
            return file.read(_MAX_BYTES).decode("utf-8", "replace")
    except OSError:
        return ""
