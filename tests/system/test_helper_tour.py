"""The guided tour shows each case for real, and leaves nothing."""

from __future__ import annotations

import os
import subprocess
import sys
from pathlib import Path

import pytest

from tests.running import CHECKOUT

pytestmark = [pytest.mark.system, pytest.mark.timeout(180)]


def test_in_a_terminal(tmp_path: Path) -> None:
    done = subprocess.run(
        [sys.executable, "-m", "agent.ui.cli.main", "--lang", "en", "tour", "--yes"], capture_output=True, text=True,
        timeout=150, cwd=CHECKOUT, env=os.environ | {"TMPDIR": str(tmp_path)},
    )  # fmt: skip
    assert done.returncode == 0, done.stderr
    for heading in (
        "1. A recipe",
        "2. A letter about a patient",
        "3. A list of patients",
        "4. A question",
        "That is all",
    ):
        assert heading in done.stdout
    assert ".age: an encrypted copy" in done.stdout
    assert list(tmp_path.iterdir()) == []  # documents, keys, log: all gone
