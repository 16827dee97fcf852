"""audit prove, export, follow and names, from the command line."""

from __future__ import annotations

import csv
import json
import os
import subprocess
import sys
import threading
from pathlib import Path

import pytest

from agent.audit.log import AuditLog
from agent.audit.private import Vault
from agent.crypto.keys import KeyStore
from tests.unit.audit.independent import PATH
from tests.unit.ui.speaking import Serment


@pytest.fixture
def log(config: Path) -> Path:
    data = config.parent / "data"
    data.mkdir()
    keys = KeyStore(data / "keys")
    folder = data / "audit"
    log = AuditLog.open(folder, vault=Vault(folder, keys.recipients))
    log.start(version="1")
    fields = {"channel": "removable", "judgement": "medical", "kind": "cda", "decision": "block", "confidence": 930}
    log.append("transfer", fields, durable=True, private={"name": b"Durand.pdf"}, owner=os.getuid())
    log.append("transfer", {**fields, "ext": "=1+1"}, durable=True, private={"name": b"Other.pdf"}, owner=54321)
    log.append("hold", {"state": "held", "case": "2026-17", "by": "x"})
    log.append("coalesced", {"count": 3, "groups": []})
    log.append("erasure", {"days": 1})
    log.append("purge", {"until": 5})
    log.close()
    return folder


def test_a_proof_stands_alone(serment: Serment, config: Path, log: Path, tmp_path: Path) -> None:
    made = serment("audit", "prove", "1", "--config", config)
    assert made.code == 0
    proof = tmp_path / "proof.json"
    proof.write_text(made.out)
    key = json.loads(serment("audit", "verify", "--json", "--config", config).out)["log"]

    def checked(*more: str) -> tuple[int, dict[str, object]]:
        done = subprocess.run([sys.executable, PATH, "--proof", proof, *more], capture_output=True, text=True)
        return done.returncode, json.loads(done.stdout)

    code, said = checked("--key", key)
    assert (code, said["record"]["i"]) == (0, 1)  # type: ignore[index]
    assert checked("--key", "0" * 32)[0] == 1
    table = json.loads(made.out)
    for field in ("private_hash", "path"):
        changed = json.loads(made.out)
        changed[field] = "00" * 32 if field == "private_hash" else ["00" * 32, *table["path"][1:]]
        proof.write_text(json.dumps(changed))
        assert checked()[0] == 1
    proof.write_text("[]")
    assert checked()[0] == 2
    assert serment("audit", "prove", "99", "--config", config).code == 64


def test_verify_against_the_fingerprint(serment: Serment, config: Path, log: Path) -> None:
    key = json.loads(serment("audit", "verify", "--json", log).out)["log"]
    assert serment("audit", "verify", log, "--key", key.upper()).code == 0
    wrong = serment("audit", "verify", log, "--key", "0" * 32)
    assert (wrong.code, "another laptop" in wrong.err) == (1, True)
    assert serment("audit", "verify", log, "--key", f"serment-log/{key}").code == 0  # as programs print it
    for odd in ("", "xyz", key[:-1], key + "0"):  # a comparison that does not happen is not « intact »
        for words in (("verify", log, "--key", odd), ("dossier", "--check", log, "--key", odd)):
            said = serment("audit", *words)
            assert (said.code, "32 hexadecimal" in said.err) == (64, True)
    for odd in ("", "xyz"):
        assert serment("audit", "verify", log, "--witness", odd).code == 64
    for words, code in ((("--key", f"serment-log/{key.upper()}"), 0), (("--key", ""), 2), (("--witness", ""), 2)):
        independent = subprocess.run([sys.executable, PATH, log, *words], capture_output=True)
        assert independent.returncode == code  # the other verifier says the same


def test_a_dossier_is_of_a_log_and_of_the_past(serment: Serment, config: Path, log: Path, tmp_path: Path) -> None:
    said = serment("audit", "dossier", "--log", tmp_path)
    assert (said.code, "no audit log here" in said.err, said.out) == (2, True, "")
    words = ("audit", "dossier", "--between", "2020-01-01", "2020-01-02", "--log", log, "--out", tmp_path / "made")
    said = serment(*words, "--found", "9999-12-31")
    assert (said.code, "not come yet" in said.err, (tmp_path / "made").exists()) == (64, True, False)
    assert serment("audit", "dossier", "--device", "\udcff", "--config", config).code == 64


def test_what_weakens_the_log_is_said_in_words(serment: Serment, config: Path, log: Path) -> None:
    (log / "head.json").unlink()
    again = AuditLog.open(log)
    again.start(version="1")
    again.close()
    said = serment("audit", "list", "--config", config, language="fr").out
    assert "le fichier qui dit la longueur du journal manquait" in said
    assert "what=" not in said


def test_the_three_forms(serment: Serment, config: Path, log: Path) -> None:
    lines = serment("audit", "export", "--config", config).out.splitlines()
    assert [json.loads(line)["i"] for line in lines] == list(range(8))
    rows = list(csv.DictReader(serment("audit", "export", "--format", "csv", "--config", config).out.splitlines()))
    assert [row["k"] for row in rows][:3] == ["start", "transfer", "transfer"]
    assert rows[2]["ext"] == "'=1+1"
    said = serment("audit", "export", "--format", "ocsf", "--kind", "transfer", "--config", config)
    events = [json.loads(line) for line in said.out.splitlines()]
    assert [(event["class_uid"], event["disposition_id"], event["metadata"]["sequence"]) for event in events] == [
        (2006, 2, 1), (2006, 2, 2),
    ]  # fmt: skip
    for form in ("jsonl", "csv", "ocsf"):
        assert "Durand" not in serment("audit", "export", "--format", form, "--config", config).out


def test_names_are_for_who_has_the_key(serment: Serment, config: Path, log: Path) -> None:
    assert "Durand" not in serment("audit", "list", "--config", config).out
    assert "Durand.pdf" in serment("audit", "list", "--names", "--config", config).out
    assert (
        json.loads(serment("audit", "show", "1", "--names", "--json", "--config", config).out)["name"] == "Durand.pdf"
    )
    for key in (log.parent / "keys").rglob("*.sealed"):
        key.unlink()
    assert "Durand" not in serment("audit", "list", "--names", "--config", config).out


def test_what_the_log_says_of_itself(serment: Serment, config: Path, log: Path) -> None:
    said = serment("audit", "list", "--config", config).out
    assert "case 2026-17: what happened then is kept" in said
    assert "3 documents recorded together" in said
    assert "private parts of 1 day were destroyed" in said
    assert "records before 5 were removed" in said


def test_days(serment: Serment, config: Path, log: Path) -> None:
    assert serment("audit", "list", "--since", "2999-01-01", "--config", config).out == ""
    assert serment("audit", "list", "--until", "1999-01-01", "--config", config).out == ""
    assert serment("audit", "list", "--since", "1999-01-01", "--config", config).out
    assert serment("audit", "list", "--since", "yesterday", "--config", config).code == 64


def test_follow_shows_what_comes(config: Path, log: Path) -> None:
    command = [sys.executable, "-m", "agent.ui.cli.main", "audit", "follow", "--json", "--config", str(config)]
    process = subprocess.Popen(command, stdout=subprocess.PIPE, text=True)
    stop = threading.Timer(60, process.kill)
    stop.start()
    again = AuditLog.open(log)
    try:
        assert process.stdout is not None
        found: list[str] = []
        writing = threading.Event()

        def write() -> None:
            while not writing.wait(0.2):
                again.append("overflow", {"channel": "removable"}, durable=True)

        thread = threading.Thread(target=write)
        thread.start()
        found.append(process.stdout.readline())
        writing.set()
        thread.join()
        assert json.loads(found[0])["k"] == "overflow"
    finally:
        stop.cancel()
        process.kill()
        process.wait()
        if process.stdout is not None:
            process.stdout.close()
        again.close()
