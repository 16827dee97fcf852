"""What somebody changed in a dossier is found: by the signature, and without one by the records in it."""

from __future__ import annotations

import hashlib
import json
import shutil
from collections.abc import Callable
from pathlib import Path
from typing import Any

import pytest

from agent.audit import chain
from agent.audit.segments import read
from agent.dossier import checking, making, proof
from agent.dossier.model import Evidence
from agent.errors import AuditError, TamperError
from tests.unit.dossier.invented_log import log
from tests.unit.dossier.reading import dossier, words
from verifier import serment_verify


def put(made: Any, log_folder: Path, out: Path) -> Path:
    """A dossier of ``log_folder`` in ``out``, signed by the log that ``made`` writes."""
    written = making.write(dossier(log_folder), words(), {"fr": words("fr"), "en": words()})
    out.mkdir()
    for name, content in written.files.items():
        (out / name).write_bytes(content)
    number = made.put("dossier", what="device", by="administrator", count=1, **written.digests)
    made.log.flush()
    entry = next(entry for entry in read(log_folder, number) if entry.number == number)
    one = Evidence(number, entry.public, chain.private_hash(entry.private))
    signature = checking.signature(proof.prove(log_folder, [one]), written.digests)
    (out / checking.SIGNATURE).write_text(json.dumps(signature))
    return out


@pytest.fixture
def made(tmp_path: Path) -> Path:
    with log(tmp_path / "audit") as invented:
        invented.document()
        invented.document("inform", patients=12, kind="patient-table")
        invented.document("block", held="N75NM")
        invented.log.flush()  # type: ignore[union-attr]
        return put(invented, tmp_path / "audit", tmp_path / "out")


def test_an_honest_dossier_holds(made: Path) -> None:
    found = checking.check(made / "dossier.json")
    assert found["signed"] and found["proved"] and found["records"] >= 7
    assert checking.check(made / "dossier.pdf")["signed"]
    independent = serment_verify.check_dossier(made / "dossier.json", found["log"].rpartition("/")[2])
    assert independent["signed"] and independent["documents"] == 3
    checking.check(made / "dossier.json", found["log"])
    with pytest.raises(TamperError):
        checking.check(made / "dossier.json", "0" * 32)


def test_a_changed_pdf_is_found(made: Path) -> None:
    content = bytearray((made / "dossier.pdf").read_bytes())
    for at in range(10, len(content), len(content) // 50):
        changed = bytearray(content)
        changed[at] ^= 1
        (made / "dossier.pdf").write_bytes(changed)
        with pytest.raises(TamperError):
            checking.check(made / "dossier.pdf")
        with pytest.raises(serment_verify.Tampered):
            serment_verify.check_dossier(made / "dossier.json")


CHANGES: dict[str, Callable[[dict[str, Any]], object]] = {
    "a document left out": lambda d: d["facts"]["documents"].pop(1),
    "a document in clear called sealed": lambda d: d["facts"]["documents"][1].update(fate="sealed"),
    "fewer persons": lambda d: d["facts"]["documents"][1].update(patients=1),
    "another kind": lambda d: d["facts"]["documents"][0].update(kind="other"),
    "another time": lambda d: d["facts"]["documents"][0].update(time_us=1),
    "another recipient": lambda d: d["facts"]["documents"][0]["sealed_to"][0].update(key="b" * 16),
    "a smaller estimate": lambda d: d["facts"]["estimate"]["clear"].update(most=1),
    "another policy": lambda d: d["facts"]["policies"][0].update(name="stricter"),
    "another stick": lambda d: d["facts"]["sticks"][0].update(product="Other"),
    "another log": lambda d: d["log"].update(name="serment-log/" + "0" * 32),
    "a record left out": lambda d: d["proof"]["records"].pop(0),
    "another scope": lambda d: d["facts"]["scope"].update(digests=["0" * 16]),
    "a field of another type": lambda d: d["facts"].update(documents=7),
}


@pytest.mark.parametrize("change", CHANGES)
def test_a_changed_fact_is_found_even_without_the_signature(made: Path, change: str) -> None:
    dossier = json.loads((made / "dossier.json").read_bytes())
    CHANGES[change](dossier)
    (made / "dossier.json").write_text(json.dumps(dossier, indent=1))
    with pytest.raises(TamperError):
        checking.check(made / "dossier.json")
    (made / checking.SIGNATURE).unlink()
    with pytest.raises(AuditError) as raised:
        checking.check(made / "dossier.json")
    assert raised.value.exit_code == (2 if change == "a field of another type" else 1)


def test_any_other_change_is_found_by_the_signature(made: Path) -> None:
    dossier = json.loads((made / "dossier.json").read_bytes())
    dossier["judgement"]["answer"] = "unlikely"
    (made / "dossier.json").write_text(json.dumps(dossier))
    with pytest.raises(TamperError):
        checking.check(made / "dossier.json")
    with pytest.raises(serment_verify.Tampered):
        serment_verify.check_dossier(made / "dossier.json")


def test_who_makes_up_a_log_to_sign_a_changed_dossier_is_named(made: Path, tmp_path: Path) -> None:
    """What does not follow from the records can be changed by whoever signs anew: with another log, which shows."""
    changed = json.loads((made / "dossier.json").read_bytes())
    honest = changed["log"]["name"]
    changed["judgement"]["answer"] = "unlikely"
    (made / "dossier.json").write_text(json.dumps(changed))
    digests = {name: hashlib.sha256((made / f"dossier.{name}").read_bytes()).hexdigest() for name in ("json", "pdf")}
    with log(tmp_path / "forged") as forged:
        number = forged.put("dossier", what="device", by="administrator", count=1, **digests)
        forged.log.flush()  # type: ignore[union-attr]
        entry = next(entry for entry in read(tmp_path / "forged", number) if entry.number == number)
        one = Evidence(number, entry.public, chain.private_hash(entry.private))
        signature = checking.signature(proof.prove(tmp_path / "forged", [one]), digests)
    (made / checking.SIGNATURE).write_text(json.dumps(signature))
    found = checking.check(made / "dossier.json")
    assert (
        found["log"] == honest != found["signed_by"] == serment_verify.check_dossier(made / "dossier.json")["signed_by"]
    )
    with pytest.raises(TamperError):
        checking.check(made / "dossier.json", honest)
    with pytest.raises(serment_verify.Tampered):
        serment_verify.check_dossier(made / "dossier.json", honest.rpartition("/")[2])


def test_the_signature_of_another_dossier_does_not_fit(made: Path, tmp_path: Path) -> None:
    with log(tmp_path / "other") as invented:
        invented.document("inform")
        invented.log.flush()  # type: ignore[union-attr]
        other = put(invented, tmp_path / "other", tmp_path / "out2")
    shutil.copy(other / checking.SIGNATURE, made / checking.SIGNATURE)
    for name in ("dossier.json", "dossier.pdf"):
        with pytest.raises(TamperError):
            checking.check(made / name)


def test_without_a_signature_the_facts_hold_and_a_pdf_cannot_be_checked(made: Path) -> None:
    (made / checking.SIGNATURE).unlink()
    found = checking.check(made / "dossier.json")
    assert (found["signed"], found["proved"]) == (False, True)
    with pytest.raises(AuditError) as raised:
        checking.check(made / "dossier.pdf")
    assert raised.value.exit_code == 2


@pytest.mark.parametrize(
    "content", [b"", b"{", b"[]", b"{}", b"[" * 100_000, b'{"format": "serment-dossier/1", "proof": {}}']
)
def test_what_is_no_dossier(tmp_path: Path, content: bytes) -> None:
    file = tmp_path / "dossier.json"
    file.write_bytes(content)
    with pytest.raises(AuditError):
        checking.check(file)
    with pytest.raises((serment_verify.Unreadable, serment_verify.Tampered)):
        serment_verify.check_dossier(file)


def test_a_log_that_does_not_verify_is_said_and_gives_no_proof(tmp_path: Path) -> None:
    with log(tmp_path) as invented:
        for _ in range(5):
            invented.document()
    segment = tmp_path / "00000000.slog"
    content = bytearray(segment.read_bytes())
    content[len(content) // 2] ^= 1
    segment.write_bytes(content)
    found = dossier(tmp_path)
    assert (found["log"]["intact"], found["proof"]) == (False, None)
    assert "not-intact" in found["judgement"]["adverse"] and found["judgement"]["answer"] != "unlikely"
