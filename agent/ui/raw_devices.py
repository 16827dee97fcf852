"""Who may open block devices, past every file system: facts for ``serment doctor``.

Reads accounts, ``/dev`` and rules. Whoever writes to the device of a stick writes past its airlock. Debian gives disks
to the group ``disk``, which should be empty; devices that exist now say which group it is on this machine, and whether
somebody owns one.
"""

from __future__ import annotations

import contextlib
import grp
import os
import pwd
import re
import stat
from collections.abc import Iterable
from pathlib import Path

_RULES = ("/etc/udev/rules.d", "/run/udev/rules.d", "/usr/local/lib/udev/rules.d")
"""Where an administrator writes them; those of the distribution are its own affair."""
_MOST_RULES = 1 << 20
_BLOCK = re.compile(r"SUBSYSTEMS?==\"[^\"]*block|KERNEL==\"(sd|mmcblk|nvme|loop|vd|dm-)")
_GIVES = re.compile(
    r"\b(OWNER|GROUP)\s*:?=\s*\"(?!root\"|disk\"|0\")|\bMODE\s*:?=\s*\"0?[0-7]{2}[4-7]\"|TAG\+?=\"uaccess\""
)
_DISK = "disk"
_REMOVABLE_MEDIA = "cdrom"  # what it owns can be read, and burnt by a program that asks
_MOST_DEVICES = 4096


def people(folder: str = "/dev") -> tuple[str, ...]:
    """Names of accounts other than root that a block device lets in, and ``everybody`` for a mode that asks nobody."""
    owners, groups, everybody = _of_devices(folder)
    with contextlib.suppress(KeyError):
        groups.add(grp.getgrnam(_DISK).gr_gid)
    found = {_name(uid) for uid in owners - {0}}
    for gid in groups - {0}:
        found |= _members(gid)
    return tuple(sorted(found - {"root"})) + (("*",) if everybody else ())


def _of_devices(folder: str) -> tuple[set[int], set[int], bool]:
    """Owners, groups that may write, and whether everybody may; optical drives aside."""
    owners: set[int] = set()
    groups: set[int] = set()
    everybody = False
    with contextlib.suppress(OSError), os.scandir(folder) as entries:
        for _, entry in zip(range(_MOST_DEVICES), entries, strict=False):
            with contextlib.suppress(OSError):
                state = entry.stat(follow_symlinks=False)
                if not stat.S_ISBLK(state.st_mode) or _is_optical(state.st_gid):
                    continue
                owners |= {state.st_uid} if state.st_mode & stat.S_IWUSR else set()
                groups |= {state.st_gid} if state.st_mode & stat.S_IWGRP else set()
                everybody |= bool(state.st_mode & stat.S_IWOTH)
    return owners, groups, everybody


def _is_optical(gid: int) -> bool:
    with contextlib.suppress(KeyError):
        return grp.getgrgid(gid).gr_name == _REMOVABLE_MEDIA
    return False


def _members(gid: int) -> set[str]:
    """Of a group, by its list and as somebody's first group."""
    found = {entry.pw_name for entry in pwd.getpwall() if entry.pw_gid == gid}
    with contextlib.suppress(KeyError):
        found |= set(grp.getgrgid(gid).gr_mem)
    return found


def _name(uid: int) -> str:
    try:
        return pwd.getpwuid(uid).pw_name
    except KeyError:
        return str(uid)


def rules(folders: Iterable[str] = _RULES) -> tuple[str, ...]:
    """Paths of the administrator's udev rules that give block devices to anybody but root and the group ``disk``."""
    found = []
    for folder in folders:
        with contextlib.suppress(OSError):
            found += [str(path) for path in sorted(Path(folder).glob("*.rules")) if _gives(path)]
    return tuple(found)


def _gives(path: Path) -> bool:
    with contextlib.suppress(OSError), path.open("rb") as file:
        text = file.read(_MOST_RULES).decode("utf-8", "replace").replace("\\\n", " ")
        lines = [line for line in text.splitlines() if not line.lstrip().startswith("#")]
        return any(_BLOCK.search(line) and _GIVES.search(line) for line in lines)
    return False
