"""Looks at the laptop for ``serment doctor``: unit, rule, disk, swap, clock. Reads; changes nothing; never fails.

Each function takes the root of the file system it looks at, so that a test gives it one of its own.
"""

from __future__ import annotations

import ctypes
import os
import pwd
import re
from collections.abc import Mapping
from pathlib import Path
from typing import Any

from agent.errors import HostError
from agent.fleet import FOLDER as FLEET
from agent.fleet.identity import COLLECTOR, CREDENTIAL, KEY, read_file
from agent.fleet.key_sealing import opens
from agent.transport.proxies import script_in
from agent.ui.disk_facts import clear_swaps, encrypted
from agent.ui.installation import Laptop

_UNITS = ("usr/lib/systemd/system", "lib/systemd/system", "etc/systemd/system")
_UNIT = "serment-agent.service"
_VISIT_UNITS = ("serment-sync.path", "serment-sync.service")  # what is enabled, and what that starts
_RULE = "60-serment-removable.rules"
_RULES = ("etc/udev/rules.d", "run/udev/rules.d", "usr/local/lib/udev/rules.d", "usr/lib/udev/rules.d")
_TIME_ERROR = 5  # adjtimex(2): the clock is not synchronised


def look(
    data_dir: Path, status: Mapping[str, Any] | None, root: Path = Path("/"), settings: Path | None = None
) -> Laptop:
    """What this user may see of the laptop; ``status`` is the agent's answer, when there is one, ``settings`` the file
    that it is configured by.
    """
    installed = any((root / folder / _UNIT).exists() for folder in _UNITS)
    guards_all = bool(status and status["root"])
    fleet_key = _fleet_key(data_dir / FLEET)
    enrolled = bool(fleet_key or _bell(status) is not None)
    return Laptop(
        unit_enabled=_enabled(root, _UNIT) if installed else None,
        udev_rule=_rule(root) if installed or guards_all else None,
        fuse=(root / "dev/fuse").exists() or not guards_all,
        reader_account=_account("serment-worker") if installed else None,
        replaced=_replaced(root, int(status["pid"])) if status else None,
        settings_changed=_changed(settings, status),
        disk_encrypted=encrypted(root, data_dir) if guards_all else None,
        swap_clear=clear_swaps(root), clock_synchronised=_synchronised(),
        patients=_patients(status), unsent=_unsent(status), fleet_key=fleet_key, bell=_bell(status),
        visits=_visits(root) if installed and enrolled else None, automatic_proxy=script_in(os.environ),
    )  # fmt: skip


def kernel(release: str) -> tuple[int, int]:
    """The first two numbers of what the kernel calls itself, whatever its builder put behind them; 0 for none."""
    found = re.match(r"(\d{1,9})(?:\.(\d{1,9}))?", release, re.ASCII)
    return (int(found[1]), int(found[2] or 0)) if found else (0, 0)


def _fleet_key(folder: Path) -> str:
    """How the key of an enrolled laptop is kept; "" when it is not enrolled, or this user may not look."""
    try:
        if not (folder / COLLECTOR).exists():
            return ""
        if (folder / KEY).exists():
            return "file"
        if not (folder / CREDENTIAL).exists():
            return "missing"
        blob = read_file(folder / CREDENTIAL)
    except OSError:
        return ""
    except HostError:
        return "shut"
    return "sealed" if opens(blob) else "shut"


def _bell(status: Mapping[str, Any] | None) -> bool | None:
    """Whether the collector can call; None without a fleet, and without an agent that says so."""
    collector = status["collector"] if status else {}
    return bool(collector.get("bell")) if collector.get("fleet") else None


def _enabled(root: Path, unit: str) -> bool:
    """Whether something wants the unit, and nobody has put nothing in its place (systemctl mask)."""
    return not _masked(root, unit) and any((root / "etc/systemd/system").glob(f"*.wants/{unit}"))


def _masked(root: Path, unit: str) -> bool:
    return any(_is_nothing(root / folder / unit) for folder in ("etc/systemd/system", "run/systemd/system"))


def _visits(root: Path) -> bool:
    """Whether a visit to the fleet's collector begins when the agent asks for one."""
    path, service = _VISIT_UNITS
    return _enabled(root, path) and not _masked(root, service)


def _rule(root: Path) -> bool:
    """Whether the rule counts: of files with one name udev reads the first alone, and nothing may stand there."""
    found = next((root / folder / _RULE for folder in _RULES if os.path.lexists(root / folder / _RULE)), None)
    return found is not None and not _is_nothing(found)


def _is_nothing(path: Path) -> bool:
    """Whether a file there says that those of its name elsewhere do not count: empty, or a link to /dev/null."""
    try:
        return (path.is_symlink() and os.readlink(path) == os.devnull) or path.stat().st_size == 0
    except OSError:
        return False


def _account(name: str) -> bool:
    try:
        pwd.getpwnam(name)
    except KeyError:
        return False
    return True


def _replaced(root: Path, pid: int) -> bool | None:
    """Whether the running program's file is gone: an update put another in its place."""
    try:
        return os.readlink(root / f"proc/{pid}/exe").endswith(" (deleted)")
    except OSError:
        return None


def _changed(settings: Path | None, status: Mapping[str, Any] | None) -> bool | None:
    """Whether the settings were written after the agent began, which read them then."""
    if settings is None or not status or "since" not in status:
        return None
    try:
        return settings.stat().st_mtime > float(status["since"])
    except OSError:
        return None


def _synchronised() -> bool | None:
    """What the kernel says of its clock; None where it does not say."""
    state = ctypes.CDLL(None, use_errno=True).adjtimex(ctypes.create_string_buffer(512))
    return None if state < 0 else state != _TIME_ERROR


def _patients(status: Mapping[str, Any] | None) -> int | None:
    if not status or "patients" not in status:
        return None
    return int(status["patients"]["patients"]) if status["patients"] else 0


def _unsent(status: Mapping[str, Any] | None) -> int | None:
    if not status or not str(status["collector"]["url"] or "").startswith("https://"):
        return None
    return int(status["audit"]["records"]) - int(status["audit"]["acknowledged"] or 0)
