"""The collector's own log goes on whatever somebody writes, and the work by the clock whatever fails."""

import asyncio
import json

import pytest
from sqlalchemy import insert

from agent.audit.segments import read, verify_folder
from collector.journal import MAX_TEXT, Journal, note
from collector.store.engine import open_store
from collector.store.tables import acts
from collector.store.writing import writing
from collector.tasks import Task, run_all

TOO_LONG = 1000  # characters: twice what the log takes in one text


@pytest.fixture
def store(tmp_path):
    opened = open_store(tmp_path)
    yield opened
    opened.close()


@pytest.fixture
def journal(tmp_path):
    opened = Journal(tmp_path)
    yield opened
    opened.close()


def told(folder):
    return [entry.fields for entry in read(folder / "journal") if entry.fields["k"] == "act"]


def test_a_reason_that_is_too_long_is_cut_and_the_next_act_is_told_too(store, journal, tmp_path):
    with writing(store.engine) as connection:
        note(connection, "command:camille", "rollout.back", {"why": "é" * TOO_LONG, "to": 3})
        note(connection, "camille", "officer.signed_out")
    assert journal.take_over(store) == 2
    first, second = told(tmp_path)
    assert (first["why"], first["to"], second["what"]) == ("é" * MAX_TEXT, 3, "officer.signed_out")
    assert journal.take_over(store) == 0


def test_an_act_that_the_log_does_not_take_keeps_no_later_one_out(store, journal, tmp_path):
    """As an earlier version has left them in the database."""
    row = {"at": 1, "by_whom": "camille", "what": "risk.kept"}
    with writing(store.engine) as connection:
        connection.execute(insert(acts), row | {"fields": json.dumps({"note": "x" * TOO_LONG, "risk": 7})})
        note(connection, "camille", "officer.signed_out")
    assert journal.take_over(store) == 2
    first, second = told(tmp_path)
    assert (first["what"], first["who"], first["left_out"]) == ("risk.kept", "camille", 2)
    assert second["what"] == "officer.signed_out"
    assert verify_folder(tmp_path / "journal").records


async def run_until(tasks, over):
    """Whether the work still goes on when ``over`` is set."""
    running, seen = asyncio.create_task(run_all(tasks)), asyncio.create_task(over.wait())
    await asyncio.wait({running, seen}, timeout=60, return_when=asyncio.FIRST_COMPLETED)
    goes_on = over.is_set() and not running.done()
    for task in (running, seen):
        task.cancel()
    await asyncio.gather(running, seen, return_exceptions=True)
    return goes_on


def test_work_that_fails_in_an_unknown_way_ends_neither_itself_nor_the_others(caplog):
    async def both():
        over, loop, seen = asyncio.Event(), asyncio.get_running_loop(), []

        def ran(name):
            seen.append(name)
            if min(seen.count("broken"), seen.count("fine")) >= 3:
                loop.call_soon_threadsafe(over.set)

        def broken():
            ran("broken")
            raise KeyError("Vernicourt")

        return await run_until([Task("a", 0.0, broken, 0.0), Task("b", 0.0, lambda: ran("fine"), 0.0)], over)

    assert asyncio.run(both())
    assert "task a: KeyError" in caplog.text and "Vernicourt" not in caplog.text
