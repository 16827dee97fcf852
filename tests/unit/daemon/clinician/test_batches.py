"""What was copied together is one batch."""

from __future__ import annotations

from agent.actions.entry import HELD, RELEASED, Entry
from agent.daemon.clinician.batches import batch_of, batches
from agent.model import ChannelKind, Decision, Stamp


def _entry(number: int, taken: int, **more: object) -> Entry:
    fields: dict[str, object] = {
        "id": f"AAAAAA{number:02}".replace("0", "A").replace("1", "B").replace("8", "C").replace("9", "D"),
        "root": b"/stick", "name": b"n%d" % number, "uid": 1000, "mode": 0o600, "mtime_ns": 0, "size": 1, "sha256": "",
        "stamp": Stamp(0, 0, 0, 0, 0), "channel": ChannelKind.REMOVABLE, "service": "", "rule": "r",
        "action": Decision.JUSTIFY, "number": number, "taken": taken, "day": "2026-11-22", "state": HELD,
    }  # fmt: skip
    return Entry(**(fields | more))  # type: ignore[arg-type]


def test_close_together_is_one_and_a_gap_makes_two() -> None:
    entries = [_entry(number, taken) for number, taken in enumerate((0, 50, 105, 300, 301))]
    assert [len(batch.entries) for batch in batches(entries)] == [3, 2]


def test_person_place_rule_and_decision_keep_batches_apart() -> None:
    others = ({}, {"uid": 1001}, {"root": b"/x"}, {"rule": "q"}, {"action": Decision.BLOCK})
    entries = [_entry(number, 0, **more) for number, more in enumerate(others)]
    assert [len(batch.entries) for batch in batches(entries)] == [1] * 5


def test_what_is_sealed_waits_for_nobody() -> None:
    assert batches([_entry(1, 0, action=Decision.ENCRYPT)]) == ()


def test_a_batch_is_found_by_any_of_its_ids_and_knows_what_still_waits() -> None:
    entries = [_entry(1, 0, state=RELEASED), _entry(2, 10), _entry(3, 20)]
    for entry in entries:
        batch = batch_of(entries, entry.id)
        assert batch is not None
        assert batch.waiting == tuple(entries[1:])
    assert batch_of(entries, "ZZZZZZZZ") is None
