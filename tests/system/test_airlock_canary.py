"""The trial file at a held volume: refused, unrecorded, nowhere on the medium; and said aloud when it is not."""

from __future__ import annotations

import os
import signal
from pathlib import Path

import pytest

from agent.daemon.airlocks import UNPROVEN_REASON
from tests.running import wait_for
from tests.stick_bed import Bed, Stick, bed

pytestmark = [pytest.mark.system, pytest.mark.timeout(180)]


def _canary(made: Bed) -> dict[str, object]:
    holds = made.channel().get("holds", {})
    return holds.get("canary", {}) if isinstance(holds, dict) else {}


def _mark(made: Bed) -> bytes:
    return b"serment canary "


def test_it_is_refused_and_leaves_nothing(tmp_path: Path) -> None:
    with bed(tmp_path, main="tests.quick_trials") as made:
        made.wait_held()
        wait_for(lambda: _canary(made).get("passed"), 30)
        first = _canary(made)["time"]
        os.kill(made.pid(), signal.SIGKILL)  # another airlock is tried anew
        wait_for(lambda: _canary(made).get("time", first) != first and _canary(made)["passed"], 60)
        assert made.channel()["holds"]["asked"] == 0  # type: ignore[index]
        assert made.agent.records("transfer") == [] and made.agent.status()["workers"]["served"] == 0
        assert [name for name in os.listdir(made.stick.point) if name != "lost+found"] == []
        assert [each["word"] for each in made.agent.status()["troubles"]] == ["airlock-died"]
        assert "refused their test file" in made.agent.command("doctor").stdout
        made.agent.stop()
        assert made.stick.raw(_mark(made), b".serment-canary") == [0, 0]


def test_one_that_gets_through_is_taken_away_said_and_written_down(tmp_path: Path) -> None:
    with bed(tmp_path, main="tests.open_doors") as made:
        made.wait_held()
        wait_for(lambda: _canary(made).get("passed") is False, 30)
        wait_for(lambda: "airlock-canary" in [each["word"] for each in made.agent.status()["troubles"]])
        assert [name for name in os.listdir(made.stick.point) if name != "lost+found"] == []
        assert {"word": "airlock-canary", "state": "begin"}.items() <= made.agent.records("trouble")[-1].items()
        assert "it is not held" in made.agent.command("status").stdout
        channel = wait_for(lambda: found if (found := made.channel()).get("strength") == "after-write" else {})
        assert (channel["mechanism"], channel["reason"]) == ("watch", UNPROVEN_REASON)


def test_a_full_volume_proves_nothing_and_is_no_alarm(tmp_path: Path) -> None:
    stick = Stick(tmp_path, size_mib=8, options="rw")
    with bed(tmp_path, sticks=[stick], start=False, main="tests.quick_trials") as made:
        for size in (1 << 16, 1 << 10, 1):
            with open(stick.point / f"full-{size}", "wb", buffering=0) as full:
                try:
                    while full.write(b"x" * size):
                        pass
                except OSError:
                    continue
        made.agent.start()
        made.wait_held()
        wait_for(lambda: _canary(made).get("passed") or _canary(made).get("not_possible"), 30)
        assert _canary(made)["passed"] is not False
        assert made.agent.status()["troubles"] == []
