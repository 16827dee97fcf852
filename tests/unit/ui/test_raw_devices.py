"""Who can open block devices: what doctor is told of accounts, devices and rules."""

from __future__ import annotations

import os
import stat
from pathlib import Path

import pytest

from agent.ui import raw_devices
from agent.ui.doctor import OK, WEAK, Facts, diagnose

NOBODY = 65534


def facts(**more: object) -> Facts:
    return Facts((6, 1), True, 1 << 40, 1 << 20, None, landlock=3, **more)  # type: ignore[arg-type]


def found(word: str, **more: object) -> list[str]:
    return [each.state for each in diagnose(facts(**more)) if each.word == word]


def test_nobody_is_well_and_somebody_is_weak() -> None:
    assert found("raw-devices") == [OK]
    assert found("raw-devices", device_users=("claire",)) == [WEAK]
    assert found("device-rules", device_rules=("/etc/udev/rules.d/9.rules",)) == [WEAK]
    assert found("raw-devices", device_rules=("/etc/udev/rules.d/9.rules",)) == []


@pytest.mark.parametrize(
    ("rule", "told"),
    [
        ('SUBSYSTEM=="block", ATTRS{idVendor}=="abcd", MODE="0666"', True),
        ('KERNEL=="sd*", \\\n  OWNER="claire"', True),
        ('SUBSYSTEMS=="block", GROUP="users"', True),
        ('SUBSYSTEM=="block", TAG+="uaccess"', True),
        ('SUBSYSTEM=="block", GROUP="disk", MODE="0660"', False),
        ('# SUBSYSTEM=="block", MODE="0666"', False),
        ('SUBSYSTEM=="tty", MODE="0666"', False),
        ('SUBSYSTEM=="block", ENV{UDISKS_IGNORE}="1"', False),
    ],
)
def test_rules_that_give_devices_away(tmp_path: Path, rule: str, told: bool) -> None:
    (tmp_path / "90-own.rules").write_text(rule + "\n")
    (tmp_path / "README").write_text('SUBSYSTEM=="block", MODE="0666"\n')
    assert bool(raw_devices.rules([str(tmp_path), str(tmp_path / "absent")])) is told


@pytest.mark.skipif(os.getuid() != 0, reason="makes device nodes")
@pytest.mark.parametrize(
    ("owner", "mode", "told"), [(0, 0o660, ()), (NOBODY, 0o600, ("nobody",)), (0, 0o666, ("*",)), (NOBODY, 0o440, ())]
)
def test_a_device_that_is_somebodys(tmp_path: Path, owner: int, mode: int, told: tuple[str, ...]) -> None:
    node = tmp_path / "sdz"
    try:
        os.mknod(node, stat.S_IFBLK | mode, os.makedev(240, 99))
    except PermissionError:
        pytest.skip("no device nodes here")
    os.chown(node, owner, 0)
    node.chmod(mode)
    standing = set(raw_devices.people(str(tmp_path / "absent")))  # the group disk of this machine
    assert set(raw_devices.people(str(tmp_path))) - standing == set(told)
