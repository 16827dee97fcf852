"""How long a reader is put off for a picture, and what is known when the final look was had."""

from __future__ import annotations

import pytest

from agent.daemon import awaited_pictures
from agent.daemon.awaited_pictures import AwaitedPictures
from agent.document import Problem
from agent.findings import Findings, Judgement, undecidable
from agent.model import Stamp

STATE, OTHER = Stamp(1, 2, 3, 4, 5), Stamp(1, 2, 3, 4, 6)
KEY = ("png", "1")


def test_what_the_final_look_said_is_of_that_state_and_engine_alone() -> None:
    known = AwaitedPictures()
    found = Findings(Judgement.NOT_MEDICAL)
    known.learn(STATE, *KEY, found)
    assert known.final(STATE, *KEY) is found
    assert known.final(OTHER, *KEY) is None
    assert known.final(STATE, "png", "2") is None
    known.learn(STATE, *KEY, undecidable(Problem.IMAGE))
    assert known.final(STATE, *KEY) == undecidable(Problem.IMAGE)


def test_nobody_is_put_off_for_ever(monkeypatch: pytest.MonkeyPatch) -> None:
    known = AwaitedPictures()
    now = [100.0]
    monkeypatch.setattr(awaited_pictures.time, "monotonic", lambda: now[0])
    assert not known.is_awaited(STATE, *KEY)  # not switched on
    known = AwaitedPictures()
    known.wait_s = 10.0
    assert known.is_awaited(STATE, *KEY)
    now[0] += 9.9
    assert known.is_awaited(STATE, *KEY)
    assert known.is_awaited(OTHER, *KEY)
    now[0] += 0.2  # since the first question, however often it was asked
    assert not known.is_awaited(STATE, *KEY)


def test_what_it_keeps_is_bounded() -> None:
    known = AwaitedPictures()
    for number in range(5000):
        known.learn(Stamp(1, number, 3, 4, 5), *KEY, Findings(Judgement.NOT_MEDICAL))
        known.is_awaited(Stamp(1, number, 3, 4, 5), *KEY)
    assert known.final(Stamp(1, 0, 3, 4, 5), *KEY) is None
    assert len(known._asked) == len(known._final) == 4096
