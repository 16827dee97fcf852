"""``serment`` in this process, with what it said; a configuration of its own; a letter about a patient."""

from __future__ import annotations

import tempfile
from collections.abc import Iterator
from pathlib import Path

import pytest

from agent.ui.cli import main as command
from tests.invented import LETTER
from tests.unit.ui.speaking import Said, Serment


@pytest.fixture
def own_memory(monkeypatch: pytest.MonkeyPatch) -> Iterator[Path]:
    """Where documents are opened for looking: what other tests leave there, killed, is not this test's to recover."""
    with tempfile.TemporaryDirectory(dir="/dev/shm") as folder:  # 0700, as a session's
        monkeypatch.setenv("XDG_RUNTIME_DIR", folder)
        yield Path(folder)


@pytest.fixture
def serment(capfd: pytest.CaptureFixture[str], monkeypatch: pytest.MonkeyPatch, own_memory: Path) -> Serment:
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
