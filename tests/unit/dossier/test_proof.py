"""The shared proof: whatever records are chosen, it holds, and no byte of it can be changed."""

from __future__ import annotations

import copy
import random
from base64 import b64decode, b64encode
from pathlib import Path
from typing import Any

import pytest

from agent.audit import chain
from agent.audit.log import AuditLog
from agent.audit.prefix import read_prefix
from agent.audit.retention import purge
from agent.audit.segments import read, verify_folder
from agent.dossier import proof
from agent.dossier.model import Evidence
from agent.errors import UntrustedInputError, UsageError
from tests.unit.dossier.invented_log import BEGIN_US, Clock, log
from verifier import serment_verify


def evidence(folder: Path) -> list[Evidence]:
    return [Evidence(entry.number, entry.public, chain.private_hash(entry.private)) for entry in read(folder)]


@pytest.mark.parametrize("count", [0, 1, 2, 3, 6, 13, 29, 60, 61, 62])
def test_any_choice_of_records_is_proved(tmp_path: Path, count: int) -> None:
    with log(tmp_path) as made:
        for _ in range(count):
            made.document("observe")
    everything = evidence(tmp_path)
    draw = random.Random(count)
    for size in sorted({1, 2, len(everything) // 2, len(everything)}):
        chosen = draw.sample(everything, size)
        found = proof.check(proof.prove(tmp_path, chosen))
        assert sorted(found.records) == sorted(each.number for each in chosen)
        _, records, _ = serment_verify.check_shared(proof.prove(tmp_path, chosen))
        assert records == found.records


def test_sessions_follow_from_one_another(tmp_path: Path) -> None:
    with log(tmp_path) as made:
        for _ in range(3):
            made.document()
            made.end()
            made.begin()
        made.document()
    chosen = [each for each in evidence(tmp_path) if each.number in {3, 14, 15}]
    assert sorted(proof.check(proof.prove(tmp_path, chosen)).records) == [3, 14, 15]


def test_after_a_purge_the_later_records_are_proved(tmp_path: Path) -> None:
    clock = Clock()
    made = AuditLog.open(tmp_path, clock, segment_bytes=4096)
    for _ in range(60):
        made.append("place", {"state": "armed", "channel": "removable", "volume": "f" * 16})
    made.close()
    made = AuditLog.open(tmp_path, clock, segment_bytes=4096)
    made.append("place", {"state": "gone"}, durable=True)
    assert purge(made, clock.us + 1) > 0
    made.close()
    verify_folder(tmp_path)
    prefix = read_prefix(tmp_path)
    assert prefix is not None
    everything = evidence(tmp_path)
    for chosen in (everything, everything[:1], everything[-1:], everything[3:9]):
        assert len(proof.check(proof.prove(tmp_path, chosen)).records) == len(chosen)
        assert len(serment_verify.check_shared(proof.prove(tmp_path, chosen))[1]) == len(chosen)
    gone = Evidence(prefix.size - 1, b"", b"")
    with pytest.raises(UsageError):
        proof.prove(tmp_path, [gone])


def test_a_record_that_is_not_there(tmp_path: Path) -> None:
    with log(tmp_path):
        pass
    with pytest.raises(UsageError):
        proof.prove(tmp_path, [Evidence(99, b"", b"")])


@pytest.fixture
def proved(tmp_path: Path) -> dict[str, Any]:
    with log(tmp_path) as made:
        for _ in range(9):
            made.document()
        made.end()
        made.begin()
        for _ in range(9):
            made.document()
    return proof.prove(tmp_path, [each for each in evidence(tmp_path) if each.number % 5 == 3])


def flipped(text: str, at: int) -> str:
    data = bytearray(b64decode(text))
    data[at % len(data)] ^= 1
    return b64encode(data).decode()


def test_every_changed_byte_is_found(proved: dict[str, Any]) -> None:
    proof.check(proved)
    draw = random.Random(7)
    for part in ("seals", "nodes", "records"):
        for key in list(proved[part]) if part == "nodes" else range(len(proved[part])):
            changed = copy.deepcopy(proved)
            if part == "records":
                changed[part][key]["public"] = flipped(changed[part][key]["public"], draw.randrange(4096))
            else:
                changed[part][key] = flipped(changed[part][key], draw.randrange(4096))
            with pytest.raises(UntrustedInputError):
                proof.check(changed)
            with pytest.raises((serment_verify.Tampered, serment_verify.Unreadable)):
                serment_verify.check_shared(changed)


def test_what_is_left_out_added_or_swapped_is_found(proved: dict[str, Any]) -> None:
    def changes() -> list[dict[str, Any]]:
        found = [copy.deepcopy(proved) for _ in range(7)]
        del found[0]["records"][0]
        del found[1]["seals"][1]
        del found[2]["nodes"][next(iter(found[2]["nodes"]))]
        found[3]["records"].append(found[3]["records"][0])
        found[4]["seals"].reverse()
        found[5]["records"][0]["private_hash"] = "00" * 32
        found[6]["records"][0]["number"] += 1
        return found

    for changed in changes():
        with pytest.raises(UntrustedInputError):
            proof.check(changed)


@pytest.mark.parametrize("wrong", [{}, {"seals": [], "nodes": {}, "records": []}, {"seals": 1}, {"seals": ["?"]}])
def test_what_is_no_proof(wrong: dict[str, Any]) -> None:
    with pytest.raises(UntrustedInputError):
        proof.check(wrong)
    with pytest.raises((serment_verify.Tampered, serment_verify.Unreadable)):
        serment_verify.check_shared(wrong)


def test_the_time_of_the_log_is_that_of_its_clock(tmp_path: Path) -> None:
    with log(tmp_path):
        pass
    assert BEGIN_US < proof.check(proof.prove(tmp_path, evidence(tmp_path))).sealed_us < BEGIN_US + 60_000_000


def test_a_given_node_never_stands_for_a_record(tmp_path: Path) -> None:
    """Somebody who has the honest nodes above a record cannot put another record below them."""
    with log(tmp_path) as made:
        for _ in range(7):
            made.document("observe")
    everything = evidence(tmp_path)
    honest = proof.prove(tmp_path, everything[:1])
    above = proof.prove(tmp_path, everything[-1:])["nodes"]  # of all that lies left of the last record
    changed = copy.deepcopy(honest)
    changed["records"][0]["public"] = b64encode(everything[1].public).decode()
    changed["records"][0]["number"] = 1
    changed["nodes"] |= above
    assert any(int(name.partition("/")[0]) > 0 and name.endswith("/0") for name in above)
    with pytest.raises(UntrustedInputError):
        proof.check(changed)
    with pytest.raises((serment_verify.Tampered, serment_verify.Unreadable)):
        serment_verify.check_shared(changed)
