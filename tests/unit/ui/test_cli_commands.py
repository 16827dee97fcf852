"""The other commands, without an agent: help, usage, configuration, seal and open; exact exit codes."""

from __future__ import annotations

import json
import os
import subprocess
import sys
from pathlib import Path

import pytest

from agent.ui.cli import commands as command
from collector import main as collector
from tests.invented import LETTER
from tests.unit.ui.speaking import Serment

# ---- help and usage


@pytest.mark.parametrize("words", [["stick"], ["stick", "--why", "urgent-care"], ["--minutes", "0"], ["--text", "x"]])
def test_to_end_an_emergency_never_opens_one(serment: Serment, words: list[str]) -> None:
    said = serment("emergency", "--stop", *words, language="en")
    assert said.code == 64
    assert "--stop ends every emergency of yours, and takes nothing else" in said.err


def test_version(serment: Serment) -> None:
    said = serment("--version")
    assert said.code == 0
    assert said.out.startswith("serment ")
    assert said.out.split()[1][0].isdigit()


@pytest.mark.parametrize("name", list(command.COMMANDS))
@pytest.mark.parametrize("language", ["en", "fr"])
def test_every_command_explains_itself(
    serment: Serment, capfd: pytest.CaptureFixture[str], name: str, language: str
) -> None:
    with pytest.raises(SystemExit) as ended:
        serment(name, "--help", language=language)
    shown = capfd.readouterr().out
    assert ended.value.code == 0
    assert shown.startswith("utilisation\u00a0: serment " if language == "fr" else "usage: serment ")
    english = ("show this help", "positional arguments", "options:")
    assert all((text in shown) == (language == "en") for text in english[:1])
    if language == "fr":
        assert not any(text in shown for text in english)


@pytest.mark.parametrize(
    "words",
    [
        ["frob"], ["scan"], ["audit"], ["audit", "frob"], ["policy", "lint"], ["quarantine", "restore"],
        ["release", "ABCDEFGH"], ["seal"], ["open"], ["--lang", "de", "status"], ["status", "--frob"],
        ["audit", "list", "--last", "0"], ["audit", "list", "--kind", "frob"], ["audit", "show", "first"],
        ["policy", "explain", "enforce", "cda"],
    ],
    ids=" ".join,
)  # fmt: skip
@pytest.mark.parametrize("language", ["en", "fr"])
def test_usage_is_64_with_a_line_that_helps(serment: Serment, config: Path, words: list[str], language: str) -> None:
    said = serment(*words, language=language)
    assert said.code == 64
    assert said.out == ""
    assert said.err.startswith("serment: ")
    if language == "fr":
        assert not any(text in said.err for text in ("hint:", "invalid", "required", "expected", "unrecognized"))


@pytest.mark.parametrize(
    "words", [["--loosen", "r", "--by", "A", "--why", "x", "--hours", hours] for hours in ("nan", "inf", "-1")]
    + [["policy.yaml"], ["policy.yaml", "--ring", "x"]],
    ids=" ".join,
)  # fmt: skip
def test_a_change_that_cannot_be_built_leaves_nothing_behind(
    serment: Serment, tmp_path: Path, monkeypatch: pytest.MonkeyPatch, words: list[str]
) -> None:
    monkeypatch.chdir(tmp_path)
    (tmp_path / "policy.yaml").write_text("rules: [")
    (tmp_path / "new").mkdir()
    said = serment("policy", "build", *words, "--from", ".", "-o", "new")
    assert (said.code in {64, 65}, said.out) == (True, ""), said.err
    assert list((tmp_path / "new").iterdir()) == []


def test_nothing_asked_shows_the_help_and_is_64(serment: Serment) -> None:
    said = serment()
    assert said.code == 64
    assert "scan " in said.err


def test_a_hint_after_each_refused_command_line(serment: Serment) -> None:
    assert "\nhint: see: serment scan --help\n" in serment("scan").err
    assert "\nconseil\u00a0: " in serment("scan", language="fr").err


@pytest.mark.parametrize(
    "words",
    [
        ["status"],
        ["quarantine", "list"],
        ["quarantine", "restore", "ABCDEFGH"],
        ["release", "ABCDEFGH", "--reason", "x"],
    ],
    ids=" ".join,
)
def test_no_agent_is_69_and_names_the_socket_of_the_given_configuration(
    serment: Serment, config: Path, words: list[str]
) -> None:
    said = serment(*words, "--config", config)
    assert said.code == 69
    assert f"no agent answers on {config.parent}/run/agent.sock" in said.err
    assert "\nhint: start it" in said.err
    assert said.out == ""


@pytest.mark.parametrize(
    ("text", "complaint"),
    [
        ("[agent]\nworkers = 'x'\n", "agent.workers should be a whole number, found 'x'"),
        ("[agent\n", "is not valid TOML"), ("# \udcff", "is not text in UTF-8, at byte 2"), ("[agent]\nfrob = 1\n", "unknown key agent.frob"), (None, "No such file"),
    ],
)  # fmt: skip
def test_a_configuration_that_cannot_be_used_is_78(
    serment: Serment, tmp_path: Path, text: str | None, complaint: str
) -> None:
    file = tmp_path / "odd\x1b[31m\n.toml"
    if text is not None:
        file.write_text(text, "utf-8", "surrogateescape")
    said = serment("status", "--config", file)
    assert said.code == 78
    assert complaint in said.err
    assert "odd\\x1b[31m\\x0a.toml" in said.err
    french = serment("status", "--config", file, language="fr").err
    assert "whole number" not in french
    assert "No such file" not in french


@pytest.mark.parametrize("words", [["--help"], ["--version"], ["policy", "lint", "enforce"], ["frob"]], ids=" ".join)
def test_full_or_closed_streams_end_in_a_status_and_nothing_else(words: list[str], tmp_path: Path) -> None:
    command = [sys.executable, "-m", "agent.ui.cli.main", *words]
    with open("/dev/full", "w") as full:
        assert subprocess.run(command, stdout=full, stderr=full, timeout=60).returncode in {0, 64, 70}
        said = subprocess.run(command, stdout=full, stderr=subprocess.PIPE, timeout=60, text=True)
        assert "Traceback" not in said.stderr and "ignored" not in said.stderr
    shell = 'exec "$@" 2>&-'
    said = subprocess.run(["sh", "-c", shell, "sh", *command], stdout=subprocess.PIPE, timeout=60, text=True)
    assert "serment: " not in said.stdout  # a complaint is no answer


# ---- seal and open


def test_sealed_and_opened_again(serment: Serment, config: Path, letter: Path) -> None:
    sealed = json.loads(serment("seal", letter, "--config", config, "--json").out)
    name = Path(sealed["sealed"]).name
    assert name.endswith(".age")
    assert "letter" not in name
    assert sealed["recipients"] == 2
    letter.unlink()
    said = serment("open", sealed["sealed"], "--config", config)
    assert said.code == 0
    assert said.out == f"opened: {letter}\n"
    assert letter.read_text("utf-8") == LETTER


def test_a_sealed_name_of_ones_own(serment: Serment, config: Path, letter: Path) -> None:
    out = letter.parent / "mine.age"
    assert serment("seal", letter, "-o", out, "--config", config).out == f"sealed: {out}\n"
    before = out.read_bytes()
    again = serment("seal", letter, "-o", out, "--config", config)
    assert again.code == 64
    assert "exists already; nothing was written" in again.err
    assert out.read_bytes() == before
    into = letter.parent / "folder"
    into.mkdir()
    assert serment("seal", letter, "-o", into, "--config", config).code == 0
    assert [each.suffix for each in into.iterdir()] == [".age"]


def test_an_outsider_opens_what_was_sealed_to_him(serment: Serment, config: Path, letter: Path) -> None:
    from pyrage import decrypt, x25519

    friend = x25519.Identity.generate()
    people = config.parent / "data" / "recipients"
    people.mkdir(parents=True)
    (people / "dr-ortignac.pub").write_text(f"{friend.to_public()}\n", "ascii")
    for given in (str(friend.to_public()), "dr-ortignac"):
        sealed = json.loads(serment("seal", letter, "--to", given, "--config", config, "--json").out)["sealed"]
        assert LETTER.encode() in decrypt(Path(sealed).read_bytes(), [friend])


@pytest.mark.parametrize(
    ("words", "code"),
    [
        (["seal", "gone.txt"], 64), (["seal", "pipe"], 64), (["seal", "."], 64), (["seal", "letter.txt", "--to", "age1x"], 65),
        (["seal", "letter.txt", "--to", "nobody-known"], 64), (["seal", "letter.txt", "--to", "../../x"], 64),
        (["seal", "letter.txt", "-o", "gone/x.age"], 64), (["seal", "mine.age"], 65), (["open", "letter.txt"], 65),
        (["open", "cut.age"], 65), (["open", "changed.age"], 65), (["open", "gone.age"], 64), (["open", "pipe"], 64),
        (["open", "."], 64), (["open", "mine.age", "--to", "gone"], 64), (["open", "foreign.age"], 65),
    ],
    ids=lambda value: " ".join(value) if isinstance(value, list) else str(value),
)  # fmt: skip
def test_a_command_that_fails_leaves_nothing_behind(
    serment: Serment, config: Path, letter: Path, words: list[str], code: int, monkeypatch: pytest.MonkeyPatch
) -> None:
    from pyrage import encrypt, x25519

    monkeypatch.chdir(letter.parent)
    serment("seal", letter, "-o", "mine.age", "--config", config)
    sealed = Path("mine.age").read_bytes()
    Path("cut.age").write_bytes(sealed[:-20])
    Path("changed.age").write_bytes(sealed[:-20] + bytes(20))
    Path("foreign.age").write_bytes(encrypt(b"x" * 100, [x25519.Identity.generate().to_public()]))
    os.mkfifo("pipe")
    before = {name: os.stat(name).st_mtime_ns for name in os.listdir(".")}
    said = serment(*words, "--config", config)
    assert said.code == code, said.err
    assert said.out == ""
    assert said.err.startswith("serment: ")
    assert {name: os.stat(name).st_mtime_ns for name in os.listdir(".")} == before


# ---- the collector's own command


def test_the_collector_speaks_the_readers_language(
    capfd: pytest.CaptureFixture[str], monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setenv("LANGUAGE", "fr")
    assert collector.main([]) == 64
    assert collector.main(["run"]) == 64
    assert collector.main(["run", "--data", "/tmp", "--port", "x"]) == 64
    complaint = capfd.readouterr().err
    assert complaint.count("conseil\u00a0: ") == 3
    assert not any(word in complaint for word in ("usage", "required", "invalid", "error"))
    with pytest.raises(SystemExit):
        collector.main(["--help"])
    shown = capfd.readouterr().out
    assert "utilisation" in shown
    assert not any(word in shown for word in ("positional", "example", "show this"))


def test_both_commands_are_installed() -> None:
    for name in ("serment", "serment-collector"):
        done = subprocess.run(
            [Path(sys.executable).parent / name, "--help"], capture_output=True, text=True, check=False
        )
        assert done.returncode == 0
        assert name in done.stdout
