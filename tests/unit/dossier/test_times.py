"""Clock and gaps: what is said of the times, and of what was not watched."""

from __future__ import annotations

from pathlib import Path

from agent.dossier.judgement import judge
from tests.unit.dossier.invented_log import log
from tests.unit.dossier.reading import dossier, facts


def test_a_step_of_the_clock_is_told_and_the_likely_time_reckoned(tmp_path: Path) -> None:
    with log(tmp_path) as made:
        early = made.document()
        made.clock.set(7200)
        late = made.document()
    found = facts(tmp_path)
    (step,) = found.steps
    assert (step.number, round(step.shift_us / 1e6), step.restart) == (late, 7200, False)
    assert [(document.number, document.shift_us) for document in found.documents] == [(early, 7_200_000_000), (late, 0)]
    assert [document["likely_time"] is not None for document in dossier(tmp_path)["facts"]["documents"]] == [
        True,
        False,
    ]


def test_small_corrections_are_no_step(tmp_path: Path) -> None:
    with log(tmp_path) as made:
        made.document()
        made.clock.us += 500_000
        made.document()
    assert facts(tmp_path).steps == ()


def test_a_clock_that_goes_backwards_over_a_restart(tmp_path: Path) -> None:
    with log(tmp_path) as made:
        first = made.document()
        made.end()
        made.clock.set(-86_400)
        made.clock.restart("00000002")
        made.begin()
        second = made.document()
    found = facts(tmp_path)
    (step,) = found.steps
    assert step.restart and -86_401 <= step.shift_us / 1e6 <= -86_390
    assert [document.number for document in found.documents] == [first, second]  # the order is that of the records
    assert found.documents[1].time_us < found.documents[0].time_us


def test_the_agent_was_off(tmp_path: Path) -> None:
    with log(tmp_path) as made:
        made.document()
        made.end()
        made.clock.set(600)
        made.begin()
        made.document()
        made.kill()
        made.clock.set(60)
        made.begin()
        made.document()
    gaps = facts(tmp_path).gaps
    assert [gap.what for gap in gaps] == ["off", "off-unclean"]
    assert 600 <= (gaps[0].until_us - gaps[0].since_us) / 1e6 <= 603


def test_what_happened_before_and_after_is_no_gap_of_this_time(tmp_path: Path) -> None:
    with log(tmp_path) as made:
        made.end()
        made.begin()
        made.place("armed", volume="1" * 16, device={"bus": "usb"})
        made.document()
        made.end()
        made.begin()
    # the stick was seen before the first stop and after it, and not again
    assert [gap.what for gap in facts(tmp_path).gaps] == ["off"]


def test_troubles_stand_until_they_end(tmp_path: Path) -> None:
    with log(tmp_path) as made:
        made.put("trouble", word="airlock-canary", state="begin")
        made.document()
        made.put("trouble", word="airlock-canary", state="end")
        made.put("trouble", word="keys-unusable", state="begin")
        made.document()
        made.put("overflow", channel="removable")
        made.document()
    gaps = facts(tmp_path).gaps
    assert [(gap.what, gap.word, gap.last >= 0) for gap in gaps] == [
        ("trouble", "airlock-canary", True), ("trouble", "keys-unusable", False), ("overflow", "", True),
    ]  # fmt: skip


def test_documents_that_were_only_counted_are_told(tmp_path: Path) -> None:
    with log(tmp_path) as made:
        made.document()
        made.put("coalesced", count=17, since=1, until=2, groups=[])
        made.document()
    found = facts(tmp_path)
    assert (found.counted_only, [gap.what for gap in found.gaps]) == (17, ["coalesced"])


def test_documents_that_were_counted_are_told_also_when_the_stick_was_gone_by_then(tmp_path: Path) -> None:
    with log(tmp_path) as made:
        made.document("block")
        made.place("gone")
        made.put("coalesced", count=17, since=1, until=2, groups=[])
        made.put("coalesced", count=5, since=2, until=3, groups=[])
    found = facts(tmp_path)
    assert [(gap.what, gap.word) for gap in found.gaps] == [("coalesced", "17")]
    assert judge(found, intact=True, whole_view=True).answer == "open"


def test_what_the_clock_was_worth_when_the_agent_started(tmp_path: Path) -> None:
    with log(tmp_path, synchronised=True, error_ms=12) as made:
        made.document()
        made.end()
        made.begin(synchronised=False)
        made.document()
        made.end()
        made.begin(synchronised=True, error_ms=1)
    assert [start.error_ms for start in facts(tmp_path).starts] == [12, -1]
