"""The ledger is a cache of the log: filled from it, interrupted acts are taken up again, a broken file is made anew."""

from __future__ import annotations

import sqlite3
from pathlib import Path

import pytest

from agent.daemon.ledger import Ledger, basis_of

BASIS = {"release": "abc", "engine": "1"}


def transfer(file: str, **more: object) -> dict[str, object]:
    return {"k": "transfer", "file": file, **BASIS, **more}


@pytest.fixture
def ledger(tmp_path: Path) -> Ledger:
    return Ledger(tmp_path / "ledger.db")


def test_observed_transfers_count_as_judged(ledger: Ledger) -> None:
    ledger.replay([(0, transfer("f1"))])
    assert ledger.basis("f1") == basis_of(BASIS)
    assert ledger.basis("f2") is None
    assert ledger.next_index() == 1


def test_an_act_counts_only_with_its_outcome(ledger: Ledger) -> None:
    ledger.replay(
        [(0, transfer("f1", act=True)), (1, transfer("f2", act=True)), (2, {"k": "outcome", "of": 1, "result": "done"})]
    )
    assert ledger.basis("f1") is None
    assert ledger.interrupted("f1")
    assert ledger.basis("f2") == basis_of(BASIS)
    assert not ledger.interrupted("f2")


@pytest.mark.parametrize("result", ["changed", "gone", "interrupted", "failed"])
def test_unfinished_outcomes_are_taken_up_again(ledger: Ledger, result: str) -> None:
    ledger.replay([(0, transfer("f1", act=True)), (1, {"k": "outcome", "of": 0, "result": result})])
    assert ledger.basis("f1") is None
    assert ledger.interrupted("f1")


def test_it_survives_reopening_and_a_damaged_file(tmp_path: Path) -> None:
    path = tmp_path / "ledger.db"
    first = Ledger(path)
    first.mark("f1", basis_of(BASIS), 7)
    first.checkpoint(8)
    first.close()
    again = Ledger(path)
    assert again.basis("f1") == basis_of(BASIS)
    assert again.next_index() == 8
    again.close()
    path.write_bytes(b"not a database" * 100)
    assert Ledger(path).next_index() == 0


def test_a_place_is_armed_once(ledger: Ledger) -> None:
    assert ledger.first_armed("p", 100) == 100
    assert ledger.first_armed("p", 999) == 100


def test_damage_found_while_filling_starts_from_the_beginning(tmp_path: Path) -> None:
    made = Ledger(tmp_path / "ledger.db")
    made.checkpoint(5)
    asked: list[int] = []

    def records(start: int) -> list[tuple[int, dict[str, object]]]:
        asked.append(start)
        if start:
            raise sqlite3.DatabaseError("database disk image is malformed")
        return [(0, transfer("f1"))]

    made.fill(records)
    assert asked == [5, 0]
    assert made.basis("f1") == basis_of(BASIS)
