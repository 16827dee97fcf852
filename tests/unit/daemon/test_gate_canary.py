"""The gate's trial of itself, where nothing is guarded."""

from __future__ import annotations

import os
from pathlib import Path

from agent.daemon.canary import Canary


def test_an_open_door_is_seen(tmp_path: Path) -> None:
    canary = Canary()
    canary.prepare()
    assert canary.passes(os.fsencode(tmp_path)) is False
    canary.close()


def test_the_end_of_the_gate_in_the_middle_of_a_trial_is_no_error(tmp_path: Path) -> None:
    canary = Canary()
    canary.prepare()
    read = canary._can_read

    def ended_meanwhile(folder: int, content: bytes) -> bool:
        canary.close()
        return read(folder, content)

    canary._can_read = ended_meanwhile  # type: ignore[method-assign]
    assert canary.passes(os.fsencode(tmp_path)) is None
    assert canary.status()["not_possible"] == 1
