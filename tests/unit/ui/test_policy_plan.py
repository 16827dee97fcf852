"""``serment policy plan``: files, this laptop's log, a collector; exact exit codes."""

from __future__ import annotations

import json
import time
from pathlib import Path

import pytest

from agent.audit.log import AuditLog
from tests.unit.ui.speaking import Serment

FIELDS = {"channel": "removable", "service": "usb", "arrival": "new", "judgement": "medical", "kind": "clinical-note",
          "confidence": 930, "identified": True, "patients": 1, "decision": "observe", "wanted": "observe"}  # fmt: skip


def test_only_changes_in_words(serment: Serment) -> None:
    said = serment("policy", "plan", "enforce", "--against", "monitor", "--json")
    made = json.loads(said.out)
    assert said.code == 0 and {each["what"] for each in made["changes"]} == {"changed", "setting"}
    assert not made["weaker"] and "backtest" not in made
    back = serment("policy", "plan", "monitor", "--against", "enforce")
    assert back.code == 0 and "(protects less, or may)" in back.out
    assert "removed" not in back.out and "who signs" in back.out
    assert "unchanged rules: 0" not in serment("policy", "plan", "enforce", "--against", "enforce").out


def test_the_log_of_this_laptop(serment: Serment, config: Path, tmp_path: Path) -> None:
    (tmp_path / "data").mkdir(mode=0o700)
    log = AuditLog.open(tmp_path / "data" / "audit")
    for _ in range(7):
        log.append("transfer", FIELDS)
    log.close()
    said = serment("policy", "plan", "enforce", "--against", "monitor", "--log", "--config", config)
    assert said.code == 0
    assert "last 30 days: 7 transfers, 1 laptop," in said.out
    assert "would change: +7 encrypted (before: only recorded)" in said.out


def test_a_file_of_records(serment: Serment, tmp_path: Path) -> None:
    now = time.time_ns() // 1000
    old = now - 31 * 86_400_000_000
    lines = [{"k": "transfer", "t": now, "laptop": f"dev_{n}", "group": f"g{n % 3}"} | FIELDS for n in range(14)]
    lines += [{"k": "transfer", "t": old} | FIELDS, {"k": "outcome", "t": now}]
    file = tmp_path / "records.jsonl"
    file.write_text("".join(json.dumps(line) + "\n" for line in lines))
    said = serment("policy", "plan", "enforce", "--against", "monitor", "--facts", file)
    assert "+14 encrypted (before: only recorded), laptops: 14, services: g0, g1, g2" in said.out
    assert "dev_" not in said.out
    file.write_text('{"k": "transfer"}\nnonsense\n')
    assert serment("policy", "plan", "enforce", "--facts", file).code == 64


def test_a_policy_whose_tests_fail(serment: Serment, tmp_path: Path) -> None:
    file = tmp_path / "new.yaml"
    file.write_text(
        "serment: 1\npolicy: unit\nrules:\n  - {id: a, when: {action: copy}, then: block, mode: observe}\n"
        "tests:\n  - {given: {action: copy}, expect: block, rule: a}\n"
    )
    said = serment("policy", "plan", file)
    assert said.code == 1 and "the test expects block" in said.out


@pytest.mark.parametrize(
    ("words", "code"),
    [
        (["--days", "0"], 64),
        (["--facts", "/nonexistent"], 64),
        (["--collector", "http://example.org"], 64),
        (["--collector", "https://127.0.0.1:9"], 64),  # without a token
        (["--collector", "https://127.0.0.1:9", "--token-file", "/dev/null"], 69),
        (["--facts", "a", "--log"], 64),
    ],
)
def test_what_is_refused(serment: Serment, words: list[str], code: int) -> None:
    assert serment("policy", "plan", "enforce", *words).code == code
