"""``serment`` in this process, with what it said; a configuration of its own; a letter about a patient."""

from __future__ import annotations

from pathlib import Path

import pytest

from agent.ui.cli import main as command
from tests.invented import LETTER
from tests.unit.ui.speaking import Said, Serment


@pytest.fixture
def serment(capfd: pytest.CaptureFixture[str], monkeypatch: pytest.MonkeyPatch) -> Serment:
    def run(*words: object, language: str = "en") -> Said:
        monkeypatch.setenv("LANGUAGE", language)
        code = command.main([str(word) for word in words])
        said = capfd.readouterr()
        assert "Traceback" not in said.err
        return Said(code, said.out, said.err)

    return run


@pytest.fixture
def config(tmp_path: Path) -> Path:
    """Another agent's configuration; that agent does not run."""
    file = tmp_path / "agent.toml"
    file.write_text(f'[agent]\ndata_dir = "{tmp_path}/data"\nruntime_dir = "{tmp_path}/run"\n', "utf-8")
    return file


@pytest.fixture
def letter(tmp_path: Path) -> Path:
    folder = tmp_path / "papers"
    folder.mkdir()
    file = folder / "letter.txt"
    file.write_text(LETTER, "utf-8")
    return file
