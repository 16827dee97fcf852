"""Folders kept outside by the laptop's own kernel: the tests of ``tests/system/test_gate_bpf.py``, taken into it.

The build machine's kernel may take no security program; Debian's do, and here none of them may be skipped.
"""

from __future__ import annotations

import tarfile
from pathlib import Path

import pytest

from tests.laptop.clinician import Desk
from tests.laptop.places import CHECKOUT

TESTS = ("tests/__init__.py", "tests/conftest.py", "tests/gate_bed.py", "tests/system/test_gate_bpf.py")
LIBRARIES = ("pytest", "_pytest", "pluggy", "iniconfig", "packaging", "pygments", "py.py")
RUN = (
    "cd /root/trial && PYTHONPATH=/root/trial /opt/serment/bin/python3 -m pytest -q -c /dev/null --rootdir=/root/trial"
    " -p no:cacheprovider --import-mode=importlib tests/system/test_gate_bpf.py"
)


def test_the_kernel_keeps_folders_outside(installed: Desk, tmp_path: Path) -> None:
    packed = tmp_path / "trial.tar"
    with tarfile.open(packed, "w") as tar:
        for name in TESTS:
            tar.add(CHECKOUT / name, name)
        for name in LIBRARIES:
            tar.add(Path(pytest.__file__).parent.parent / name, name)
    installed.pc.put(packed, "/root/trial.tar")
    installed.pc.run("mkdir /root/trial && tar -C /root/trial -xf /root/trial.tar", check=True, timeout=120)
    done = installed.pc.run(RUN, timeout=1800)
    assert done.rc == 0, done.stdout[-4000:]
    assert "passed" in done.stdout
    assert "skipped" not in done.stdout
