"""The project keeps its own rules: style, types, import contracts, catalogue. The same as ``make lint``."""

from __future__ import annotations

import os
import subprocess
import sys
from pathlib import Path

import pytest

from tests import catalogue

BIN = Path(sys.executable).parent
CHECKS = {
    "ruff": [BIN / "ruff", "check", "."],
    "format": [BIN / "ruff", "format", "--check", "."],
    "mypy": [BIN / "mypy"],
    "imports": [BIN / "lint-imports", "--no-cache"],
}


@pytest.mark.parametrize("name", CHECKS)
def test_the_tools_have_nothing_to_say(name: str, checkout: Path) -> None:
    done = subprocess.run(
        [str(word) for word in CHECKS[name]], cwd=checkout, capture_output=True, text=True, check=False,
        env=os.environ | {"NO_COLOR": "1", "COLUMNS": "200"},
    )  # fmt: skip
    assert done.returncode == 0, done.stdout[-4000:] + done.stderr[-2000:]


def test_every_text_has_a_french_one() -> None:
    complaints = catalogue.problems()
    assert not complaints, "\n".join(complaints[:40])


def test_importing_the_agent_loads_no_heavy_library() -> None:
    """The resident process stays small: readers, sealing, web and terminal libraries come when they are needed."""
    script = (
        "import sys, agent.daemon.main; "
        "heavy = {'pydicom', 'pypdfium2', 'pyrage', 'uvicorn', 'starlette', 'sqlalchemy', 'rich', 'urllib3', 're2', "
        "'ahocorasick_rs', 'loguru', 'psutil', 'jinja2', 'selectolax', 'libarchive'}; "
        "print(sorted(heavy & set(sys.modules)))"
    )
    done = subprocess.run([sys.executable, "-c", script], capture_output=True, text=True, check=True)
    assert done.stdout.strip() == "[]"


def test_the_readme_names_commands_that_exist(checkout: Path) -> None:
    text = (checkout / "README.md").read_text("utf-8")
    shown = {line.split()[2] for line in text.splitlines() if line.startswith("$ serment ")}
    help_text = subprocess.run([BIN / "serment", "--help"], capture_output=True, text=True, check=True).stdout
    assert shown
    assert all(f"    {command} " in help_text for command in shown)
