"""The other commands, without an agent: help, usage, seal and open, policy, audit, doctor; exact exit codes."""

from __future__ import annotations

import json
import os
import re
import subprocess
import sys
from collections.abc import Callable
from dataclasses import dataclass
from pathlib import Path

import pytest

from agent.audit.log import AuditLog
from agent.audit.segments import segment_path
from agent.ui import records
from agent.ui.cli import main as command
from collector import main as collector
from tests.invented import LETTER


@dataclass
class Said:
    code: int
    out: str
    err: str


Serment = Callable[..., Said]


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


# ---- help and usage


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
        ("[agent\n", "is not valid TOML"), ("[agent]\nfrob = 1\n", "unknown key agent.frob"), (None, "No such file"),
    ],
)  # fmt: skip
def test_a_configuration_that_cannot_be_used_is_78(
    serment: Serment, tmp_path: Path, text: str | None, complaint: str
) -> None:
    file = tmp_path / "odd\x1b[31m\n.toml"
    if text is not None:
        file.write_text(text, "utf-8")
    said = serment("status", "--config", file)
    assert said.code == 78
    assert complaint in said.err
    assert "odd\\x1b[31m\\x0a.toml" in said.err
    french = serment("status", "--config", file, language="fr").err
    assert "whole number" not in french
    assert "No such file" not in french


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


# ---- policy


def test_the_shipped_policies_in_words(serment: Serment) -> None:
    for profile in ("monitor", "enforce"):
        assert serment("policy", "lint", profile).code == 0
        assert serment("policy", "test", profile).code == 0
    assert "copy-patient\u00a0: Quand on copie" in serment("policy", "lint", "enforce", language="fr").out
    assert "0 failed" in serment("policy", "test", "enforce").out


def test_a_bad_policy_names_line_rule_and_word(serment: Serment, tmp_path: Path) -> None:
    file = tmp_path / "p.yaml"
    file.write_text("serment: 1\npolicy: x\nrules:\n  - id: a\n    when: {acton: copy}\n    then: blok\n", "utf-8")
    said = serment("policy", "lint", file)
    assert said.code == 1
    assert f'error: {file}:5 [a]: unknown key "acton"\nhint: did you mean action?' in said.out
    listed = [json.loads(line) for line in serment("policy", "lint", file, "--json").out.splitlines()]
    assert {"level", "text", "line", "rule", "expected", "found"} <= set(listed[0])
    assert serment("policy", "test", file).code == 65
    assert serment("policy", "lint", tmp_path / "gone.yaml").code == 64
    assert serment("policy", "lint", tmp_path).code == 64


def test_why_a_policy_decides_so(serment: Serment) -> None:
    said = serment("policy", "explain", "enforce", "action=copy", "document=cda")
    assert said.code == 0
    assert "copy-patient" in said.out
    explained = json.loads(serment("policy", "explain", "enforce", "action=copy", "document=cda", "--json").out)
    assert explained["verdict"]["decision"] == "encrypt"
    assert serment("policy", "explain", "enforce", "document=frob").code == 65


def test_the_first_of_a_month_in_french(serment: Serment, tmp_path: Path) -> None:
    file = tmp_path / "p.yaml"
    file.write_text(
        "serment: 1\npolicy: x\nrules:\n  - id: a\n    when: {action: copy, judgement: medical}\n    then: block\n"
        "    mode: enforce\n    unless: [{user: clara, until: 2027-01-01, by: RSSI, why: essai}]\n"
        "tests:\n  - {given: {action: copy}, expect: block, rule: a}\n", "utf-8",
    )  # fmt: skip
    assert "until 1 January 2027" in serment("policy", "lint", file).out
    assert "1er janvier 2027" in serment("policy", "lint", file, language="fr").out


# ---- audit


@pytest.fixture
def log(config: Path) -> Path:
    folder = config.parent / "data" / "audit"
    folder.parent.mkdir()
    log = AuditLog.open(folder)
    log.start(version="1")
    transfer = {"channel": "removable", "judgement": "medical", "kind": "cda", "decision": "encrypt", "wanted": "encrypt",
                "rule": "copy-patient", "act": True}  # fmt: skip
    log.append("transfer", transfer)
    log.append("outcome", {"of": 1, "result": "failed", "action": "encrypt", "problem": "disk-full"})
    log.append("transfer", transfer | {"decision": "observe", "wanted": "block", "channel": "cloud_sync", "act": False})
    log.append("policy", {"state": "refused", "policy": "x", "release": "abc", "line": 7})
    log.append("place", {"state": "armed", "channel": "downloads"})
    log.append("release", {"held": "ABCDEFGH", "by": "owner", "reason_length": 5})
    log.append("trouble", {"word": "policy-refused", "state": "begin"})
    log.append("of-a-later-version", {"word": "\x1b[31mred", "more": {"a": 1}})
    log.close()
    return folder


def test_what_happened_in_words(serment: Serment, config: Path, log: Path) -> None:
    said = serment("audit", "list", "--config", config)
    lines = [re.sub(r"^ +\d+  [-0-9]+ [:0-9]+  ", "", line) for line in said.out.splitlines()]
    assert lines[0] == "the agent starts, version 1"
    assert lines[1:9] == [
        "removable media: a clinical document (CDA) → sealed, rule copy-patient",
        "record 1, sealed: could not be done (no space left)",
        "cloud-sync folder: a clinical document (CDA) → recorded (in enforcement: refused and kept in quarantine), rule copy-patient",
        "the policy file cannot be used (line 7); « x », release abc, stays in force",
        "downloads: now under guard",
        "ABCDEFGH released by its owner",
        "trouble begins: policy-refused",
        "of-a-later-version word=\\x1b[31mred",
    ]
    french = serment("audit", "list", "--config", config, language="fr").out
    assert "supports amovibles\u00a0: un document clinique (CDA) → scellé" in french
    assert "plus de place" in french


def test_chosen_records(serment: Serment, config: Path, log: Path) -> None:
    def numbers(*words: str) -> list[int]:
        return [
            json.loads(line)["i"]
            for line in serment("audit", "list", "--json", "--config", config, *words).out.splitlines()
        ]

    assert numbers("--kind", "transfer") == [1, 3]
    assert numbers("--channel", "cloud_sync") == [3]
    assert numbers("--decision", "encrypt") == [1]
    assert numbers("--last", "2") == [8, 9]
    shown = serment("audit", "show", "1", "--config", config)
    assert "    rule: copy-patient\n" in shown.out
    assert serment("audit", "show", "99", "--config", config).code == 64
    assert json.loads(serment("audit", "show", "1", "--json", "--config", config).out)["kind"] == "cda"


def test_verify_is_0_1_or_2(serment: Serment, config: Path, log: Path) -> None:
    intact = serment("audit", "verify", "--config", config)
    assert (intact.code, intact.out) == (0, "intact: 10 records\n")
    segment = segment_path(log, 0)
    if not segment.exists():
        segment = min(log.glob("*.slog"))
    content = segment.read_bytes()
    segment.write_bytes(content.replace(b"cloud_sync", b"removable_"))
    bad = serment("audit", "verify", log)
    assert bad.code == 1
    assert "record 3 was changed" in bad.err
    assert "hint: " in bad.err
    told = serment("audit", "verify", log, "--json")
    assert told.code == 1
    assert json.loads(told.out) | {"text": ""} == {"intact": False, "index": 3, "kind": "edited", "text": ""}
    segment.write_bytes(content[: len(content) // 2])
    assert serment("audit", "verify", log).code == 1
    assert serment("audit", "verify", config.parent / "gone").code == 2
    assert serment("audit", "verify", config.parent / "run").code == 2
    assert serment("audit", "verify", config).code == 2


@pytest.mark.parametrize("kind", [*records.KINDS, "frob"])
def test_a_record_of_any_shape_is_a_line(kind: str) -> None:
    for fields in ({}, {"state": 5, "decision": None, "wanted": [1]}, {"channel": {}, "t": "x", "by": 3, "held": "\n"}):
        shown = records.line(3, {"k": kind, **fields}, str)
        assert shown.isprintable()


# ---- doctor


def test_the_doctor_without_an_agent(serment: Serment, config: Path) -> None:
    said = serment("doctor", "--config", config)
    assert said.code == 2
    assert "✗ no agent answers on " in said.out
    assert "there is no audit log yet" in said.out
    listed = [json.loads(line) for line in serment("doctor", "--json", "--config", config).out.splitlines()]
    assert all(set(item) == {"word", "state", "message", "hint"} for item in listed)
    assert {item["state"] for item in listed} >= {"ok", "broken"}
    config.write_text("[agent]\nworkers = 99\n", "utf-8")
    said = serment("doctor", "--config", config)
    assert said.code == 2
    assert f"✗ {config}: agent.workers should be between 1 and 16, found 99" in said.out.replace("'", "")
    assert "no agent answers" not in said.out  # where it would listen is not known


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
