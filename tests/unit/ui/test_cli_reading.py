"""Commands that only read, without an agent: policy, audit, doctor; words in both languages, exact exit codes."""

from __future__ import annotations

import json
import os
import re
from pathlib import Path

import pytest

from agent.audit.log import AuditLog
from agent.audit.segments import segment_path
from agent.ui import records
from tests.unit.ui.speaking import Serment

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
    assert numbers("--last", "9" * 23)[-2:] == [8, 9]
    shown = serment("audit", "show", "1", "--config", config)
    assert "    rule: copy-patient\n" in shown.out
    assert serment("audit", "show", "99", "--config", config).code == 64
    assert json.loads(serment("audit", "show", "1", "--json", "--config", config).out)["kind"] == "cda"


def test_verify_is_0_1_or_2(serment: Serment, config: Path, log: Path) -> None:
    intact = serment("audit", "verify", "--config", config)
    assert (intact.code, intact.out.splitlines()[0]) == (0, "intact: 10 records")
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


def test_the_doctor_knows_the_kernel_whatever_it_is_called(
    serment: Serment, config: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(os, "uname", lambda: os.uname_result(("Linux", "x", "6.13-rc7-amd64", "#1", "x86_64")))
    assert " kernel 6.13" in serment("doctor", "--config", config).out


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
