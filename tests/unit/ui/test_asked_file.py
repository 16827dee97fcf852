"""Files that somebody names: whatever they are, an answer comes, with what to do."""

from __future__ import annotations

import os
import subprocess
import sys
from pathlib import Path

import pytest

from agent.errors import UsageError
from agent.i18n import catalogue
from agent.ui.asked_file import first_bytes, open_file
from tests.unit.ui.speaking import Serment

COMMANDS = [
    ["seal", "{}"], ["open", "{}"], ["open", "{}", "--view"], ["policy", "lint", "{}"], ["policy", "test", "{}"],
    ["policy", "plan", "enforce", "--facts", "{}"], ["policy", "build", "{}", "--from", "/", "-o", "{}.out"],
    ["policy", "sign", "/", "--key", "{}", "--passphrase-file", "{}"],
]  # fmt: skip


@pytest.mark.parametrize("words", COMMANDS, ids=lambda words: " ".join(words[:2]))
def test_a_file_that_is_not_there_is_said_with_what_to_do(serment: Serment, tmp_path: Path, words: list[str]) -> None:
    missing = tmp_path / "none.txt"
    said = serment(*(word.format(missing) for word in words), language="en")
    assert (said.code, said.out) == (64, "")
    assert said.err == f"serment: {missing}: cannot be read: No such file or directory\nhint: check the path\n"


@pytest.mark.parametrize("make", [os.mkdir, os.mkfifo], ids=["folder", "pipe"])
def test_what_is_no_file_is_refused_at_once(tmp_path: Path, make: object) -> None:
    path = tmp_path / "odd"
    make(path)  # type: ignore[operator]
    with pytest.raises(UsageError) as refused:
        open_file(bytes(path))
    assert refused.value.hint
    assert "n'est pas un fichier" in refused.value.render(catalogue("fr").gettext)


def test_a_file_without_end_is_read_as_far_as_asked(tmp_path: Path) -> None:
    assert first_bytes("/dev/zero", 1000) == bytes(1000)
    (tmp_path / "short").write_bytes(b"ab")
    assert first_bytes(tmp_path / "short", 1000) == b"ab"


def test_a_short_answer_that_finds_the_disk_full_is_one_line_and_70() -> None:
    """Short enough to wait in the buffer until the end, where the interpreter would say something of its own and 120."""
    environment = {key: value for key, value in os.environ.items() if key != "PYTHONUNBUFFERED"}
    code = "import sys; sys.argv = ['serment', '--lang', 'en', 'COMMAND']; from agent.ui.cli import commands, main\n"
    code += "commands.main = lambda argv: print('x') or 1\nmain.entry()"
    with open("/dev/full", "wb") as full:
        done = subprocess.run(  # noqa: S603
            [sys.executable, "-c", code], stdout=full, stderr=subprocess.PIPE, env=environment | {"LANGUAGE": "en"},
            timeout=120, check=False, text=True,
        )  # fmt: skip
    assert done.returncode == 70
    assert done.stderr == "serment: the system refused: No space left on device\nhint: run: serment doctor\n"
