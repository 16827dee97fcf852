"""Transfer records hold no name; digests tell states apart; notices are merged and are for their owner only."""

from __future__ import annotations

import dataclasses
import json

from agent.daemon.device import DeviceIdentity
from agent.daemon.notices import Notices
from agent.daemon.transfer_record import file_digest, outcome_fields, transfer_fields, volume_digest
from agent.findings import Findings, Judgement, Kind
from agent.model import (
    Cause,
    ChannelKind,
    Decision,
    Device,
    Facts,
    FileEvent,
    Outcome,
    Place,
    Result,
    Stamp,
    Verdict,
)  # fmt: skip

IDENTITY = DeviceIdentity("dev_1", bytes(32))
STICK = Place(
    ChannelKind.REMOVABLE, b"/media/dupont/CLE", 1000, "usb",
    Device("usb", "0951", "1666", "Kingston", "DataTraveler", "SERIAL0123", "UUID-1", "ext4"),
)  # fmt: skip
STAMP = Stamp(1, 2, 3, 4, 5)
VERDICT = Verdict(Decision.ENCRYPT, Decision.ENCRYPT, "copy-patient", "p", "abc")
FINDINGS = Findings(Judgement.MEDICAL, Kind.CDA, 0.97, identified=True, patients=1)


def record(**changes: object) -> dict[str, object]:
    facts = Facts(ChannelKind.REMOVABLE, "new", FINDINGS, 3, "xml", "usb", STICK.device, "dupont", ("cardio",))
    return transfer_fields(IDENTITY, STICK, facts, VERDICT, Cause.WRITTEN, "digest", act=True) | changes


def test_a_record_names_nobody() -> None:
    text = json.dumps(record())
    for secret in ("dupont", "CLE", "SERIAL0123", "UUID-1"):
        assert secret not in text


def test_a_record_keeps_what_the_verdict_rested_on() -> None:
    fields = record()
    assert (fields["judgement"], fields["kind"], fields["confidence"]) == ("medical", "cda", 970)
    assert (fields["decision"], fields["rule"], fields["release"], fields["act"]) == (
        "encrypt",
        "copy-patient",
        "abc",
        True,
    )
    assert fields["device"]["vendor_id"] == "0951"


def test_every_part_of_the_state_makes_another_file() -> None:
    base = file_digest(IDENTITY, STICK, b"a", STAMP)
    for name in ("inode", "size", "mtime_ns", "ctime_ns"):
        assert file_digest(IDENTITY, STICK, b"a", STAMP._replace(**{name: 99})) != base
    assert file_digest(IDENTITY, STICK, b"renamed", STAMP) == base


def test_fat_files_are_known_by_name_size_and_time() -> None:
    fat = dataclasses.replace(STICK, device=dataclasses.replace(STICK.device, filesystem="vfat"))
    base = file_digest(IDENTITY, fat, b"a", STAMP)
    assert file_digest(IDENTITY, fat, b"a", STAMP._replace(inode=77, ctime_ns=88)) == base
    assert file_digest(IDENTITY, fat, b"b", STAMP) != base


def test_another_laptop_has_other_digests() -> None:
    other = DeviceIdentity("dev_2", bytes([1]) * 32)
    assert volume_digest(other, STICK) != volume_digest(IDENTITY, STICK)


def test_outcome_fields_leave_out_what_is_empty() -> None:
    assert outcome_fields(7, Outcome(Result.DONE, Decision.ENCRYPT)) == {"of": 7, "result": "done", "action": "encrypt"}


def test_fifty_files_are_one_notice_for_their_owner() -> None:
    notices = Notices()
    for number in range(50):
        event = FileEvent(STICK, b"file%d" % number, Cause.WRITTEN)
        notices.tell(event, FINDINGS, VERDICT, Outcome(Result.DONE, Decision.ENCRYPT), 1000.0 + number / 10)
    (notice,) = notices.of(1000)
    assert (notice.count, notice.name) == (50, b"file0")
    assert notices.of(1001) == ()
    assert len(notices.of(None)) == 1


def test_other_decisions_and_later_minutes_are_other_notices() -> None:
    notices = Notices()
    event = FileEvent(STICK, b"a", Cause.WRITTEN)
    notices.tell(event, FINDINGS, VERDICT, Outcome(Result.DONE, Decision.ENCRYPT), 0.0)
    notices.tell(
        event,
        FINDINGS,
        dataclasses.replace(VERDICT, decision=Decision.BLOCK),
        Outcome(Result.DONE, Decision.BLOCK),
        1.0,
    )
    notices.tell(event, FINDINGS, VERDICT, Outcome(Result.DONE, Decision.ENCRYPT), 100.0)
    assert len(notices.of(1000)) == 3
