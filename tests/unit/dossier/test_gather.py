"""From records to facts: which document, where its bytes are, on which stick."""

from __future__ import annotations

from pathlib import Path

import pytest

from agent.dossier import finding
from agent.dossier.judgement import judge
from agent.dossier.model import Fate, Scope
from agent.dossier.source import FolderSource
from tests.unit.dossier.invented_log import BEGIN_US, IDENTITY, OTHER_STICK, STICK, log
from tests.unit.dossier.reading import ALWAYS, DEVICE, facts


@pytest.mark.parametrize(
    ("decision", "result", "hold", "expected"),
    [
        ("observe", "", "file", Fate.CLEAR),
        ("inform", "", "", Fate.CLEAR),
        ("encrypt", "done", "file", Fate.SEALED),
        ("encrypt", "done", "name", Fate.SEALED),
        ("encrypt", "done", "", Fate.SEALED_AFTER),
        ("encrypt", "failed", "file", Fate.REFUSED),
        ("encrypt", "failed", "", Fate.CLEAR),
        ("encrypt", "interrupted", "file", Fate.UNKNOWN),
        ("encrypt", "gone", "", Fate.UNKNOWN),
        ("encrypt", "", "file", Fate.UNKNOWN),
        ("block", "done", "file", Fate.REFUSED),
        ("block", "done", "", Fate.REMOVED_AFTER),
        ("block", "failed", "", Fate.CLEAR),
        ("justify", "done", "file", Fate.REFUSED),
    ],
)
def test_where_the_bytes_are(tmp_path: Path, decision: str, result: str, hold: str, expected: Fate) -> None:
    with log(tmp_path) as made:
        number = made.document(decision, result, hold=hold)
    (document,) = facts(tmp_path).documents
    assert (document.number, document.fate) == (number, expected)


@pytest.mark.parametrize("field", ["channel", "judgement", "decision", "file", "volume", "device", "released", "size"])
def test_a_field_of_another_type_in_the_log_of_another_laptop(tmp_path: Path, field: str) -> None:
    with log(tmp_path) as made:
        usual = {"channel": "removable", "judgement": "medical", "decision": "observe", "file": "ab" * 8}
        made.put("transfer", **(usual | {field: ["x"]}))
        number = made.document("observe")
    assert number in [document.number for document in facts(tmp_path, ALWAYS).documents]


def test_only_the_stick_that_was_asked_for(tmp_path: Path) -> None:
    """Two sticks of one make, with the same name and numbers: the serial number tells them apart."""
    with log(tmp_path) as made:
        made.place("armed", OTHER_STICK, "e" * 16)
        lost = made.document()
        made.document("observe", device=OTHER_STICK, volume="e" * 16)
        made.place("gone")
    found = facts(tmp_path)
    assert [document.number for document in found.documents] == [lost]
    (stick,) = found.sticks
    assert (stick.serial, stick.taken_out, stick.volumes) == (STICK["serial"], True, {"f" * 16})
    both = finding.media(FolderSource(tmp_path).records())
    assert [each.serial for each in both] == [STICK["serial"], OTHER_STICK["serial"]]
    assert [each.words["product"] for each in both] == ["DataTraveler", "DataTraveler"]


def test_sticks_without_a_serial_number_are_told_apart_by_their_volume(tmp_path: Path) -> None:
    nameless = {key: value for key, value in STICK.items() if key != "serial"}
    with log(tmp_path) as made:
        made.document(device=nameless, volume="1" * 16)
        wanted = made.document(device=nameless, volume="2" * 16)
    assert [d.number for d in facts(tmp_path, Scope("device", "", frozenset(("2" * 16,)))).documents] == [wanted]


def test_a_stick_is_found_by_serial_number_digest_and_place_in_the_list(tmp_path: Path) -> None:
    with log(tmp_path) as made:
        made.document()
        made.document(device=OTHER_STICK, volume="e" * 16)
    sticks = finding.media(FolderSource(tmp_path).records())
    serial = IDENTITY.pseudonym("serial", b"KT-0043")
    assert [s.serial for s in finding.digests_of("KT-0043", serial, sticks)] == [OTHER_STICK["serial"]]
    assert [s.serial for s in finding.digests_of(STICK["serial"][:6], "", sticks)] == [STICK["serial"]]
    assert [s.serial for s in finding.digests_of("2", "", sticks)] == [OTHER_STICK["serial"]]
    assert [s.serial for s in finding.digests_of("EEEE", "", sticks)] == [OTHER_STICK["serial"]]
    for number in ("1", "01", "0" * 11 + "1"):
        assert [s.serial for s in finding.digests_of(number, serial, sticks)] == [OTHER_STICK["serial"]]
    assert finding.digests_of("0" * 11 + "1", "", sticks) == finding.digests_of("9" * 5000, "", sticks) == []
    assert finding.digests_of("3", "", sticks) == finding.digests_of("KT", "", sticks) == []


def test_the_same_file_looked_at_again_is_one_document(tmp_path: Path) -> None:
    with log(tmp_path) as made:
        made.document("inform", file="ab" * 8, pictures="unread")
        last = made.document("inform", file="ab" * 8, pictures="read", patients=4)
        seen = made.document("observe", file="cd" * 8)
        made.document("observe", file="cd" * 8, arrival="existing")
    first, second = facts(tmp_path).documents
    assert (first.number, first.patients, len(first.records)) == (last, 4, 2)
    assert (second.number, second.arrival, len(second.records)) == (seen, "new", 2)


def test_a_second_look_may_find_that_it_is_not_about_a_patient(tmp_path: Path) -> None:
    with log(tmp_path) as made:
        made.document("inform", file="ab" * 8, judgement="undecidable")
        made.document("observe", file="ab" * 8, judgement="not_medical")
    found = facts(tmp_path)
    assert (found.documents, found.not_medical) == ((), 1)


def test_released_for_a_reason_it_is_in_clear_and_still_one_document(tmp_path: Path) -> None:
    with log(tmp_path) as made:
        made.document("justify", held="N75NM")
        made.put("release", held="N75NM", by="owner", reason_length=12)
        went = made.document("observe", released="N75NM")
    digests = finding.document("N75NM", FolderSource(tmp_path).records())
    for scope in (DEVICE, Scope("document", "N75NM", digests)):
        (document,) = facts(tmp_path, scope).documents
        assert (document.number, document.fate) == (went, Fate.CLEAR)


def test_given_back_on_the_laptop_it_is_still_refused(tmp_path: Path) -> None:
    with log(tmp_path) as made:
        made.document("block", held="N75NM")
        made.put("restore", held="N75NM", by="owner")
    (document,) = facts(tmp_path).documents
    assert (document.fate, document.given_back) == (Fate.REFUSED, True)


def test_what_was_downloaded_did_not_leave(tmp_path: Path) -> None:
    with log(tmp_path) as made:
        made.document("inform", channel="downloads", hold="", device="")
        went = made.document("block", channel="cloud_sync", hold="", device="")
    found = facts(tmp_path, ALWAYS)
    assert ([document.number for document in found.documents], found.downloads) == ([went], 1)


def test_a_time_has_a_beginning_and_an_end(tmp_path: Path) -> None:
    with log(tmp_path) as made:
        made.document()
        made.clock.set(3600)
        inside = made.document()
        made.clock.set(3600)
        made.document()
    hour = Scope("time", "", since=BEGIN_US + 1_800_000_000, until=BEGIN_US + 5_400_000_000)
    assert [document.number for document in facts(tmp_path, hour).documents] == [inside]


def test_a_document_by_record_by_neutral_name_and_by_digest(tmp_path: Path) -> None:
    with log(tmp_path) as made:
        made.document()
        number = made.document(held="document-ZZZZZ.age", file="5e" * 8)
    source = FolderSource(tmp_path)
    for asked in (str(number), "document-ZZZZZ.age", "5e5e5e"):
        assert finding.document(asked, source.records()) == {"5e" * 8}
    with log(tmp_path / "long") as made:
        for _ in range(1000):
            made.put("policy")
        number = made.document()
        made.document(file=f"{number}{'f' * 12}")
    assert finding.document(str(number), FolderSource(tmp_path / "long").records()) == {f"{1:016x}"}
    assert finding.document("5e5", source.records()) == finding.document("document-Z", source.records()) == set()


def test_which_policy_was_in_force(tmp_path: Path) -> None:
    with log(tmp_path) as made:
        made.policy("b" * 12)
        made.document(release="b" * 12)
        made.policy("b" * 12)  # a restart says it again
        made.place("gone")
        made.policy("c" * 12)
        made.put("policy", state="refused", policy="essai", release="d" * 12)
    policies = facts(tmp_path).policies
    assert [(policy.release, policy.during) for policy in policies] == [
        ("0123456789ab", True), ("b" * 12, True), ("c" * 12, False),
    ]  # fmt: skip


def test_hostile_fields_of_a_newer_or_forged_record_do_not_break_it(tmp_path: Path) -> None:
    with log(tmp_path) as made:
        made.put(
            "transfer", channel="removable", judgement="medical", device=["x"], volume=7, decision=True, patients="9"
        )
        made.put("outcome", of="7", result=[1], to={"a": 1})
        made.put("place", channel="removable", state={"a": 1})
        made.put("coalesced", count="many")
    (document,) = facts(tmp_path, ALWAYS).documents
    assert (document.patients, document.place, document.fate) == (0, "", Fate.UNKNOWN)


def test_what_we_sealed_is_not_counted_again_when_the_stick_comes_back(tmp_path: Path) -> None:
    with log(tmp_path) as made:
        made.document()
        made.document("observe", kind="sealed", judgement="undecidable", problem="encrypted", arrival="existing")
    found = facts(tmp_path)
    assert (len(found.documents), found.sealed_files, found.sealed_before) == (1, 1, False)
    assert judge(found, intact=True, whole_view=True).answer == "unlikely"


def test_a_file_that_somebody_sealed_before_is_no_comfort(tmp_path: Path) -> None:
    with log(tmp_path) as made:
        made.document()
        made.document("observe", kind="sealed", judgement="undecidable", problem="encrypted")
    found = judge(facts(tmp_path), intact=True, whole_view=True)
    assert (found.answer, found.adverse) == ("open", ("sealed-before",))
