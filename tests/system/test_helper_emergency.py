"""Break-glass on a real stick: minutes, this person, this channel, with a reason; loud, and over when it is over."""

from __future__ import annotations

import json
import signal
import subprocess
from collections.abc import Iterator
from pathlib import Path

import pytest

from agent.audit.segments import read
from tests.helper_policies import policy
from tests.running import wait_for
from tests.stick_bed import Bed, bed, letter

pytestmark = [pytest.mark.system, pytest.mark.timeout(180)]


@pytest.fixture
def stick(tmp_path: Path) -> Iterator[Bed]:
    with bed(tmp_path, policy=policy(tmp_path, "block")) as made:
        made.wait_held()
        yield made


def _copy(stick: Bed, name: str, number: int) -> int:
    stick.put(name, letter(number))
    return stick.copy(name).returncode


def test_one_command_opens_the_stick_and_nothing_of_it_is_silent(stick: Bed) -> None:
    assert _copy(stick, "avant.txt", 1) != 0
    refused = stick.agent.command("emergency", "stick")
    assert refused.returncode == 64
    assert stick.agent.records("emergency") == []
    done = stick.agent.command("emergency", "stick", "--why", "soins", "--text", "arrêt cardiaque", "--minutes", "3")
    assert done.returncode == 0, done.stderr
    assert _copy(stick, "Jeanne EXEMPLE 01-03-1961.txt", 2) == 0  # a telling name goes too: care comes first
    assert "Jeanne EXEMPLE 01-03-1961.txt" in stick.listed()
    held = stick.agent.client.call("held")[0]["id"]
    assert stick.agent.command("held", held, "--emergency").returncode == 0  # what was refused before
    assert "avant.txt" in stick.listed()
    assert stick.agent.command("emergency", "--stop").returncode == 0
    assert _copy(stick, "apres.txt", 3) != 0
    begun, stopped = stick.agent.records("emergency")
    assert (begun["state"], begun["minutes"], begun["why"], begun["channel"]) == ("begun", 3, "soins", "removable")
    assert begun["reason_length"] == len("arrêt cardiaque")
    assert stopped["state"] == "stopped"
    assert stopped["count"] >= 1
    went = [each for each in stick.agent.records("transfer") if str(each.get("released", "")).startswith("E-")]
    assert went
    assert {each["released"] for each in went} == {begun["pass"]}
    told = [
        notice["message"]["en"] for notice in stick.agent.client.call("helper.news")["notices"] if notice["message"]
    ]
    assert any("Emergency: copying is open" in text for text in told)
    assert any("The emergency is over" in text for text in told)


def test_who_it_was_is_in_the_private_part_for_the_two_who_may_open_it(stick: Bed) -> None:
    stick.agent.command("emergency", "stick", "--why", "other", "--text", "appel du SAMU ZORGLUBE", check=True)
    for path in (stick.agent.data / "audit").glob("*.slog"):
        assert b"ZORGLUBE" not in path.read_bytes()
    stick.agent.stop()
    from agent.audit.private import Opener
    from agent.crypto.keys import KeyStore

    keys = KeyStore(stick.agent.data / "keys")
    opener = Opener(stick.agent.data / "audit", (keys.practice_identity(),))
    entry = next(each for each in read(stick.agent.data / "audit") if each.fields["k"] == "emergency")
    assert opener.open(entry.private, entry.number) == {"person": "root", "reason": "appel du SAMU ZORGLUBE"}


def test_it_cannot_be_longer_nor_oftener_than_the_policy_says(stick: Bed) -> None:
    call = ("emergency", "stick", "--why", "soins")
    assert stick.agent.command(*call, "--minutes", "6").returncode == 64
    assert stick.agent.command(*call, "--minutes", "0").returncode == 64
    assert stick.agent.command(*call).returncode == 0
    assert stick.agent.command(*call).returncode == 69  # no renewal while it is open
    assert stick.agent.command("emergency", "--stop").returncode == 0
    assert stick.agent.command("emergency", "cloud", "--why", "soins").returncode == 0
    assert stick.agent.command("emergency", "--stop").returncode == 0
    refused = stick.agent.command(*call)  # two a day, on whatever channel
    assert refused.returncode == 69
    stick.agent.kill()  # ... over a restart too
    stick.agent.start()
    assert stick.agent.command(*call).returncode == 69
    assert [each["state"] for each in stick.agent.records("emergency")] == ["begun", "stopped"] * 2


def test_a_killed_agent_takes_it_up_until_its_end_and_not_beyond(stick: Bed) -> None:
    stick.agent.command("emergency", "stick", "--why", "soins", check=True)
    stick.agent.kill(signal.SIGKILL)
    stick.agent.start()
    stick.wait_held()
    assert _copy(stick, "pendant.txt", 4) == 0
    stick.agent.kill(signal.SIGKILL)
    file = stick.agent.data / "passes.json"
    table = json.loads(file.read_text())
    table["passes"][0]["ends_s"] = 1.0  # as if its minutes had gone by meanwhile
    file.write_text(json.dumps(table))
    stick.agent.start()
    stick.wait_held()
    assert _copy(stick, "apres.txt", 5) != 0
    wait_for(lambda: [each["state"] for each in stick.agent.records("emergency")] == ["begun", "ended"])


def test_its_end_comes_by_itself_and_is_recorded(stick: Bed) -> None:
    stick.agent.command("emergency", "stick", "--why", "soins", check=True)
    stick.agent.kill(signal.SIGKILL)
    file = stick.agent.data / "passes.json"
    table = json.loads(file.read_text())
    table["passes"][0]["ends_s"] -= 5 * 60 - 8  # eight seconds are left
    file.write_text(json.dumps(table))
    stick.agent.start()
    stick.wait_held()
    wait_for(lambda: len(stick.agent.records("emergency")) == 2, 30)  # nobody asked for it
    assert stick.agent.records("emergency")[1]["state"] == "ended"
    assert _copy(stick, "apres.txt", 6) != 0


def test_without_a_record_there_is_no_emergency(stick: Bed) -> None:
    """The log cannot be written: nothing opens. (A limit on the file size of the agent stands for a full disk.)"""
    assert stick.agent.process is not None
    subprocess.run(["prlimit", f"--pid={stick.agent.process.pid}", "--fsize=1:"], check=True)
    assert stick.agent.command("emergency", "stick", "--why", "soins").returncode != 0
    subprocess.run(["prlimit", f"--pid={stick.agent.process.pid}", "--fsize=unlimited:"], check=True)
    assert stick.agent.client.call("emergency.list") == []
    assert _copy(stick, "apres.txt", 7) != 0
