"""Passes: minutes by the machine's own clock, one person, one channel; a restart keeps them, a boot does not."""

from __future__ import annotations

from dataclasses import dataclass
from pathlib import Path

import pytest

from agent.daemon.clinician.passes import BATCH, DOCUMENT, EMERGENCY, Clock, Pass, Passes


@dataclass
class Moved(Clock):
    """A clock that the test moves."""

    now: float = 1000.0
    wall: float = 1_800_000_000.0
    boot_id: str = "boot-1"

    def now_s(self) -> float:
        return self.now

    def wall_s(self) -> float:
        return self.wall

    def boot(self) -> str:
        return self.boot_id


def _emergency(passes: Passes, minutes: float = 5.0, uid: int = 1000) -> Pass:
    return passes.grant(passes.call(Pass("", EMERGENCY, uid, "removable", 0.0, "")), minutes * 60)


def test_it_lets_its_person_through_its_channel_until_its_end(tmp_path: Path) -> None:
    clock = Moved()
    passes = Passes(tmp_path / "p.json", clock)
    given = _emergency(passes)
    assert passes.allows(1000, "removable", b"/s", "r", "f") == given.id
    assert passes.allows(1001, "removable", b"/s", "r", "f") == ""
    assert passes.allows(1000, "cloud_sync", b"/s", "r", "f") == ""
    clock.now += 299.9
    assert passes.allows(1000, "removable", b"/s", "r", "f") == given.id
    clock.now += 0.2
    assert passes.allows(1000, "removable", b"/s", "r", "f") == ""
    assert [each.went for each in passes.ended()] == [2]
    assert passes.ended() == ()


def test_the_clock_set_back_or_forward_changes_nothing(tmp_path: Path) -> None:
    clock = Moved()
    passes = Passes(tmp_path / "p.json", clock)
    _emergency(passes)
    clock.wall -= 30 * 86400
    clock.now += 301
    assert passes.allows(1000, "removable", b"/s", "r", "f") == ""


def test_a_restart_of_the_agent_keeps_it_until_its_end_alone(tmp_path: Path) -> None:
    clock = Moved()
    given = _emergency(Passes(tmp_path / "p.json", clock))
    clock.now += 100
    again = Passes(tmp_path / "p.json", clock)
    assert again.allows(1000, "removable", b"/s", "r", "f") == given.id
    assert again.left_s(given) == pytest.approx(200)
    clock.now += 201
    assert Passes(tmp_path / "p.json", clock).allows(1000, "removable", b"/s", "r", "f") == ""


def test_another_boot_ends_it_and_its_end_is_told(tmp_path: Path) -> None:
    clock = Moved()
    given = _emergency(Passes(tmp_path / "p.json", clock))
    after = Passes(tmp_path / "p.json", Moved(now=1.0, boot_id="boot-2"))
    assert after.allows(1000, "removable", b"/s", "r", "f") == ""
    assert [each.id for each in after.ended()] == [given.id]


def test_calls_are_counted_over_a_restart_and_with_the_clock_set_back(tmp_path: Path) -> None:
    clock = Moved()
    passes = Passes(tmp_path / "p.json", clock)
    _emergency(passes)
    passes.call(Pass("", EMERGENCY, 1000, "removable", 0.0, ""))  # called, and never granted: it counts
    assert passes.called(1000) == 2
    assert passes.called(1001) == 0
    clock.wall -= 10_000
    assert Passes(tmp_path / "p.json", clock).called(1000) == 2
    clock.wall += 10_000 + 86_401
    assert Passes(tmp_path / "p.json", clock).called(1000) == 0


def test_a_batch_pass_is_for_its_place_and_rule_and_a_document_pass_for_that_state(tmp_path: Path) -> None:
    passes = Passes(tmp_path / "p.json", Moved())
    batch = passes.grant(Pass("", BATCH, 1, "removable", 0.0, "", root=b"/a".hex(), rule="r"), 60)
    assert passes.allows(1, "removable", b"/a", "r", "x") == batch.id
    assert passes.allows(1, "removable", b"/b", "r", "x") == ""
    assert passes.allows(1, "removable", b"/a", "other", "x") == ""
    document = passes.grant(Pass("", DOCUMENT, 1, "cloud_sync", 0.0, "", file="abc"), 60)
    assert passes.allows(1, "cloud_sync", b"/c", "r", "abc") == document.id
    assert passes.allows(1, "cloud_sync", b"/c", "r", "abd") == ""


def test_an_emergency_is_counted_before_a_quiet_pass(tmp_path: Path) -> None:
    passes = Passes(tmp_path / "p.json", Moved())
    passes.grant(Pass("", BATCH, 1000, "removable", 0.0, ""), 60)
    given = _emergency(passes)
    assert passes.allows(1000, "removable", b"/a", "r", "x") == given.id


@pytest.mark.parametrize(
    "content", [b"", b"[]", b'{"passes": [{}], "called": []}', b'{"passes": 1, "called": 2}', b"\xff"]
)
def test_what_cannot_be_read_lets_nothing_go(tmp_path: Path, content: bytes) -> None:
    (tmp_path / "p.json").write_bytes(content)
    assert Passes(tmp_path / "p.json", Moved()).allows(1000, "removable", b"/s", "r", "f") == ""


def test_one_that_cannot_be_written_down_does_not_count(tmp_path: Path) -> None:
    passes = Passes(tmp_path / "missing/p.json", Moved())
    with pytest.raises(OSError):
        passes.grant(Pass("", BATCH, 1, "removable", 0.0, ""), 60)
    assert passes.allows(1, "removable", b"/a", "r", "x") == ""


def test_the_file_is_roots_alone(tmp_path: Path) -> None:
    passes = Passes(tmp_path / "p.json")
    _emergency(passes)
    assert (tmp_path / "p.json").stat().st_mode & 0o077 == 0
