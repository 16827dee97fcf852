"""The systemd units: systemd has nothing to say against them, and what the agent needs is not closed to it."""

from __future__ import annotations

import re
import shutil
import subprocess
from pathlib import Path

import pytest

UNITS = ("serment-agent.service", "serment-collector.service", "serment-collector.socket", "serment-sync.service",
         "serment-sync.path", "serment-collector-fleet.service")  # fmt: skip


def settings(path: Path) -> list[tuple[str, str]]:
    lines = path.read_text("utf-8").splitlines()
    return [(key, value) for key, mark, value in (line.partition("=") for line in lines) if mark and key[0] != "#"]


@pytest.mark.skipif(shutil.which("systemd-analyze") is None, reason="systemd is not installed here")
def test_systemd_has_nothing_to_say(checkout: Path, tmp_path: Path) -> None:
    for name in UNITS:
        text = (checkout / "systemd" / name).read_text("utf-8")
        (tmp_path / name).write_text(re.sub(r"/opt/serment/bin/\S+", "/bin/true", text))
    done = subprocess.run(
        ["systemd-analyze", "verify", "--man=no", *(str(tmp_path / name) for name in UNITS)],
        capture_output=True, text=True, check=False,
    )  # fmt: skip
    assert (done.returncode, done.stdout + done.stderr) == (0, "")


def test_what_would_break_the_agent_is_not_set(checkout: Path) -> None:
    """RestrictSUIDSGID refuses openat2; whatever makes a mount namespace hides the airlocks from everybody."""
    lines = settings(checkout / "systemd" / UNITS[0])
    found = dict(lines)
    namespace = {
        "ProtectSystem", "ProtectHome", "PrivateTmp", "PrivateDevices", "PrivateMounts", "MountFlags", "ProtectProc",
        "ProcSubset", "ProtectControlGroups", "ProtectKernelLogs", "ProtectKernelModules", "ProtectKernelTunables",
        "ReadWritePaths", "ReadOnlyPaths", "InaccessiblePaths", "BindPaths", "TemporaryFileSystem", "RootDirectory",
    }  # fmt: skip
    assert not ({"RestrictSUIDSGID", "PrivateNetwork"} | namespace) & set(found)
    assert (found["Type"], found["KillMode"], found["RuntimeDirectoryPreserve"]) == ("notify", "process", "yes")
    assert ("DeviceAllow", "/dev/fuse rw") in lines
    wanted = [
        "DAC_OVERRIDE", "CHOWN", "FOWNER", "SETUID", "SETGID", "SYS_CHROOT", "KILL", "LEASE",
        "SYS_ADMIN", "SYS_PTRACE", "FSETID", "DAC_READ_SEARCH",
    ]  # fmt: skip
    bounding = {name for key, value in lines if key == "CapabilityBoundingSet" for name in value.split()}
    assert bounding == {f"CAP_{name}" for name in wanted}


def test_no_limit_ends_the_visits_to_the_collector(checkout: Path) -> None:
    """A path unit whose service was started too often stops watching; the agent asks for one visit a second at most."""
    service = dict(settings(checkout / "systemd/serment-sync.service"))
    path = dict(settings(checkout / "systemd/serment-sync.path"))
    assert service["StartLimitIntervalSec"] == "0"
    assert int(path["TriggerLimitBurst"]) >= 2 * int(path["TriggerLimitIntervalSec"])


def test_no_boot_waits_for_the_agent_and_no_shutdown_leaves_it(checkout: Path) -> None:
    """Without the default dependencies, which would put the desktop after it, all that they give besides is there."""
    lines = settings(checkout / "systemd" / UNITS[0])
    found = {key: {word for name, value in lines if name == key for word in value.split()} for key, _ in lines}
    assert found["DefaultDependencies"] == {"no"}
    assert found["Before"] == found["Conflicts"] == {"shutdown.target"}
    assert {"sysinit.target", "basic.target", "local-fs.target", "systemd-udevd.service"} <= found["After"]
    assert found["Requires"] == {"sysinit.target"}


def test_the_collector_has_no_capability_and_no_network(checkout: Path) -> None:
    found = dict(settings(checkout / "systemd" / UNITS[1]))
    assert (found["CapabilityBoundingSet"], found["PrivateNetwork"], found["ProtectSystem"]) == ("", "yes", "strict")
