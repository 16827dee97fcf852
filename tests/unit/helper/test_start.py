"""Where the helper finds its agent, read by a copy of it that ends."""

from __future__ import annotations

import subprocess
import sys
from pathlib import Path

import pytest

from agent.helper.main import _socket


def test_the_socket_is_the_configuration_s(tmp_path: Path) -> None:
    config = tmp_path / "agent.toml"
    config.write_text(f'[agent]\nruntime_dir = "{tmp_path}/été"\n', encoding="utf-8")
    assert _socket(config) == tmp_path / "été/agent.sock"


@pytest.mark.parametrize("text", [None, "x = 1\n", "[agent\n"])
def test_a_configuration_that_cannot_be_read_is_said_and_ends_it(tmp_path: Path, text: str | None) -> None:
    config = tmp_path / "agent.toml"
    if text is not None:
        config.write_text(text)
    done = subprocess.run(
        [sys.executable, "-m", "agent.helper.main", "--config", str(config)],
        capture_output=True, text=True, check=False, timeout=60,
    )  # fmt: skip
    assert done.returncode == 78
    assert done.stderr.count("serment-helper:") == 1  # by one of the two processes
    assert "agent.toml" in done.stderr


def test_no_child_is_left(tmp_path: Path) -> None:
    text = "import os\nfrom pathlib import Path\nfrom agent.helper.main import _socket\n"
    text += f"_socket(Path({str(tmp_path / 'none')!r}))\n"
    text += "try:\n    os.waitpid(-1, os.WNOHANG)\nexcept ChildProcessError:\n    print('none')\n"
    done = subprocess.run([sys.executable, "-c", text], capture_output=True, text=True, check=True, timeout=60)
    assert done.stdout == "none\n"
