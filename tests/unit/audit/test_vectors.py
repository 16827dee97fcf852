"""The two verifiers agree with every vector: what is valid, what was tampered with, what is no log."""

import base64
import json
import subprocess
import sys
from pathlib import Path

import pytest

from agent.audit import checkpoint
from agent.audit.segments import verify_folder
from agent.errors import AuditError, TamperError
from tests.unit.audit.independent import PATH, verifier

VECTORS = sorted((Path(__file__).parents[2] / "vectors" / "audit").glob("*.json"))
STATUS = {"valid": 0, "tampered": 1, "unreadable": 2}


@pytest.fixture(params=VECTORS, ids=lambda path: path.stem)
def vector(request, tmp_path):
    """(what the vector says, the folder with its log)."""
    found = json.loads(request.param.read_text("utf-8"))
    for name, data in found["files"].items():
        (tmp_path / name).write_bytes(base64.b64decode(data))
    return found, tmp_path


def ours(folder, key):
    try:
        found = verify_folder(folder)
    except TamperError:
        return 1
    except AuditError:
        return 2
    return 1 if key and checkpoint.fingerprint(found.identity) != key else 0


def theirs(folder, key):
    try:
        verifier.check_folder(folder, key or None)
    except verifier.Tampered:
        return 1
    except verifier.Unreadable:
        return 2
    return 0


def test_both_say_what_is_expected(vector):
    found, folder = vector
    assert ours(folder, found["key"]) == STATUS[found["expect"]]
    assert theirs(folder, found["key"]) == STATUS[found["expect"]]


def test_there_are_vectors_of_each_kind():
    kinds = [path.stem.partition("-")[0] for path in VECTORS]
    assert {kind: kinds.count(kind) >= least for kind, least in (("valid", 7), ("tampered", 20), ("unreadable", 2))} == {
        "valid": True, "tampered": True, "unreadable": True,
    }  # fmt: skip


def test_the_verifier_stands_alone(tmp_path):
    """It imports nothing of ours, and says by its status what it found."""
    text = PATH.read_text("utf-8")
    assert "import agent" not in text
    assert "from agent" not in text
    copy = tmp_path / "verify.py"
    copy.write_text(text)
    done = subprocess.run([sys.executable, "-I", str(copy), str(tmp_path)], capture_output=True, text=True)
    assert (done.returncode, json.loads(done.stdout)["intact"]) == (2, None)


def test_the_tamper_campaign_in_small():
    from bench.tamper import run

    found = run(138, 3)
    assert found["missed"] == {}
    assert found["verifiers_differ"] == []
