"""The udev rule, asked of udev itself: removable volumes are mounted read-only and nobody may ask for more."""

from __future__ import annotations

import os
import shutil
import subprocess
from collections.abc import Iterator
from pathlib import Path

import pytest

from tests.stick_bed import run

pytestmark = [
    pytest.mark.system,
    pytest.mark.skipif(os.getuid() != 0 or shutil.which("udevadm") is None, reason="needs root and udev's tools"),
]
RULES = "60-serment-removable.rules"


@pytest.fixture
def rules(checkout: Path) -> Iterator[None]:
    """The rule where udev looks for rules of this boot only; a running udev is not told."""
    folder = Path("/run/udev/rules.d")
    made = not folder.exists()
    folder.mkdir(parents=True, exist_ok=True)
    target = folder / RULES
    if target.exists():
        pytest.skip("the rule is installed here already")
    try:
        shutil.copy(checkout / "packaging/udev" / RULES, target)
        yield
    finally:
        target.unlink(missing_ok=True)
        if made:
            folder.rmdir()


def properties(device: str) -> dict[str, str]:
    done = subprocess.run(["udevadm", "test", f"/sys/class/block/{device}"], capture_output=True, text=True, timeout=60)
    lines = (done.stdout + done.stderr).splitlines()
    complaints = [line for line in lines if RULES in line and "Reading" not in line]
    assert complaints == []
    return dict(line.split("=", 1) for line in lines if line.partition("=")[0].isupper() or line.startswith("UDISKS"))


def test_an_image_that_somebody_mounts(rules: None, tmp_path: Path) -> None:
    (tmp_path / "image").write_bytes(bytes(1 << 20))
    device = run(f"losetup --find --show {tmp_path}/image").stdout.strip()
    try:
        found = properties(os.path.basename(device))
    finally:
        run(f"losetup -d {device}")
    assert found["UDISKS_MOUNT_OPTIONS_DEFAULTS"].split(",")[0] == "ro"
    allowed = found["UDISKS_MOUNT_OPTIONS_ALLOW"].split(",")
    assert "ro" in allowed
    assert not {"rw", "remount"} & set(allowed)
    assert set(found["UDISKS_MOUNT_OPTIONS_DEFAULTS"].split(",")) <= set(allowed)


def test_a_disk_of_the_system_is_left_alone(rules: None) -> None:
    system = os.stat("/").st_dev
    name = os.path.basename(os.path.realpath(f"/sys/dev/block/{os.major(system)}:{os.minor(system)}"))
    if not os.path.exists(f"/sys/class/block/{name}"):
        pytest.skip("the system lies on no block device here")
    assert not [key for key in properties(name) if key.startswith("UDISKS_MOUNT_OPTIONS")]
