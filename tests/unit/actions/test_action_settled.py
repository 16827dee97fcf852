"""Killed between the act and the record of its outcome: the next start finds that the act was done."""

from __future__ import annotations

import pytest

from agent.actions.quarantine import QuarantineStore
from agent.actions.recovery import Resolution, recover
from agent.model import Decision
from tests.acting import Desk


@pytest.mark.parametrize("decision", [Decision.ENCRYPT])
def test_a_sealed_document_whose_outcome_was_not_written_is_told_as_done(desk: Desk, decision: Decision) -> None:
    desk.put(b"letter.txt")
    outcome = desk.act(b"letter.txt", decision)
    after = QuarantineStore(desk.data / "quarantine")
    (found,) = recover(after)
    assert (found.resolution, found.held) == (Resolution.FINISHED, outcome.held)
    assert recover(after) == ()


def test_a_settled_one_is_not_looked_at_again(desk: Desk) -> None:
    desk.put(b"letter.txt")
    desk.act(b"letter.txt", Decision.ENCRYPT)
    (intent,) = desk.store.journal.open_intents()
    desk.store.journal.settled(intent.number)
    assert recover(QuarantineStore(desk.data / "quarantine")) == ()
