"""Answers belong to their person: another local user sees nothing, answers nothing, fakes nothing, opens nothing."""

from __future__ import annotations

import contextlib
import json
import os
import socket
import tempfile
import threading
import time
from collections.abc import Iterator
from pathlib import Path
from typing import Any

import pytest

from agent.daemon.control import RemoteError
from agent.helper.agent_link import AgentLink
from tests import another_person
from tests.helper_policies import policy
from tests.running import wait_for
from tests.stick_bed import Bed, bed, letter

pytestmark = [pytest.mark.system, pytest.mark.timeout(180)]
STRANGER, OWNER = 65533, 65532


def ask(stick: Bed, uid: int, name: str, **arguments: Any) -> dict[str, Any]:
    return another_person.ask(stick.base / "run/agent.sock", uid, name, **arguments)


@pytest.fixture(scope="module")
def everybodys() -> Iterator[Path]:
    """A folder that all users reach: pytest keeps its own from others."""
    with tempfile.TemporaryDirectory(prefix="serment-people-") as name:
        Path(name).chmod(0o755)
        yield Path(name)


@pytest.fixture
def open_to_all(everybodys: Path) -> Iterator[Path]:
    """A folder that all users write to."""
    with tempfile.TemporaryDirectory(dir=everybodys) as name:
        Path(name).chmod(0o777)
        yield Path(name)


@pytest.fixture(scope="module")
def stick(everybodys: Path) -> Iterator[Bed]:
    base = everybodys / "bed"
    base.mkdir()
    with bed(base, policy=policy(base)) as made:
        made.wait_held()
        os.chmod(made.stick.point, 0o777)
        yield made


def _held_by_owner(stick: Bed, name: str, number: int) -> str:
    """A document that the person OWNER copied, and that is held."""
    stick.put(name, letter(number)).chmod(0o644)

    def copy() -> bool:
        try:
            with open(stick.stick.point / name, "wb") as file:
                file.write((stick.base / name).read_bytes())
        except PermissionError:
            return True
        return False

    assert another_person.as_person(OWNER, copy)
    entries = wait_for(lambda: [each for each in stick.agent.client.call("held") if each["uid"] == OWNER])
    return str(entries[-1]["ids"][-1])


def test_nobody_else_sees_it(stick: Bed) -> None:
    held = _held_by_owner(stick, "secret-name.txt", 20)
    for name in ("helper.news", "held", "notices", "quarantine.list"):
        assert "c2VjcmV0LW5hbWU" not in json.dumps(ask(stick, STRANGER, name))
        assert "secret-name" not in json.dumps(ask(stick, STRANGER, name))
    assert ask(stick, STRANGER, "held")["result"] == []
    mine = ask(stick, OWNER, "helper.news")["result"]["notices"]
    assert [notice["held"] for notice in mine][-1] == held or mine[-1]["count"] > 1


def test_nobody_else_answers_it(stick: Bed) -> None:
    held = _held_by_owner(stick, "mine.txt", 21)
    before = set(stick.listed())
    for how in ("seal", "reason", "mail", "emergency"):
        refused = ask(stick, STRANGER, "answer", id=held, how=how, why="soins", to="L3RtcA==")
        assert "refused" in refused, how
    assert "refused" in ask(stick, STRANGER, "answer.again", number=1, why="soins")
    assert "refused" in ask(stick, STRANGER, "release", id=held, reason="x")
    assert set(stick.listed()) == before
    assert ask(stick, OWNER, "answer", id=held, how="reason", why="soins")["result"]["done"] >= 1
    assert "mine.txt" in stick.listed()


def test_a_strangers_emergency_is_the_strangers_alone(stick: Bed) -> None:
    assert "result" in ask(stick, STRANGER, "emergency", channel="removable", why="soins")
    _held_by_owner(stick, "still-held.txt", 22)
    assert "still-held.txt" not in stick.listed()
    assert ask(stick, OWNER, "emergency.list")["result"] == []
    assert ask(stick, OWNER, "emergency.stop")["result"] == []
    assert [each["channel"] for each in stick.agent.client.call("emergency.list")] == ["removable"]  # the administrator
    assert len(ask(stick, STRANGER, "emergency.stop")["result"]) == 1


@pytest.mark.parametrize(
    "arguments",
    [
        {}, {"id": "../../etc"}, {"id": "A" * 100}, {"id": 7}, {"id": "AAAAAAAA", "how": ["seal"]}, {"how": "seal"},
        {"id": "AAAAAAAA", "how": "mail", "to": "!!!"},
    ],
)  # fmt: skip
def test_nonsense_is_refused(stick: Bed, arguments: dict[str, Any]) -> None:
    with pytest.raises(RemoteError):
        stick.agent.client.call("answer", **arguments)


def test_a_reason_of_ones_own_may_be_anything_and_goes_nowhere_in_clear(stick: Bed) -> None:
    held = _held_by_owner(stick, "motif.txt", 23)
    text = "Parce que Mme ZORGLUBE\x1b[31m le demande {braces} %s"
    assert ask(stick, OWNER, "answer", id=held, how="reason", why="other", text=text)["result"]["done"] >= 1
    for place in ("audit", "log"):
        for path in (stick.agent.data / place).rglob("*"):
            assert not path.is_file() or b"ZORGLUBE" not in path.read_bytes(), path
    assert ask(stick, OWNER, "answer", id=held, how="reason", why="soins").get("refused")  # once is enough


def test_an_unknown_reason_or_none_is_refused(stick: Bed) -> None:
    held = _held_by_owner(stick, "sans.txt", 24)
    for why, text in (("", ""), ("other", "  "), ("whim", "x"), ("soins", "x" * 1001)):
        assert "refused" in ask(stick, OWNER, "answer", id=held, how="reason", why=why, text=text)
    assert "sans.txt" not in stick.listed()


def test_the_helper_believes_no_socket_of_a_stranger(open_to_all: Path) -> None:
    """A socket in the agent's place that another user serves: the helper does not listen to it."""
    place = open_to_all

    def serve() -> None:
        with socket.socket(socket.AF_UNIX) as listener:
            listener.bind(str(place / "agent.sock"))
            os.chmod(place / "agent.sock", 0o777)
            listener.listen()
            connection, _ = listener.accept()
            connection.settimeout(10)
            with contextlib.suppress(OSError):
                connection.recv(1000)
                connection.sendall(b'{"ok": true, "result": {"since": 1}}\n')

    fake = threading.Thread(target=another_person.as_person, args=(STRANGER, serve))
    fake.start()
    wait_for((place / "agent.sock").exists)
    link = AgentLink(place / "agent.sock")
    wait_for(lambda: os.stat(place / "agent.sock").st_mode & 0o777 == 0o777)
    assert not link.open()
    assert link.hello == {}
    fake.join(30)


def test_a_hundred_listeners_of_a_stranger_leave_the_others_theirs(stick: Bed, open_to_all: Path) -> None:
    place = open_to_all
    mine = AgentLink(stick.base / "run/agent.sock")
    assert mine.open()

    def crowd() -> int:
        held = []
        for _ in range(100):
            connection = socket.socket(socket.AF_UNIX)
            connection.settimeout(5)
            connection.connect(str(stick.base / "run/agent.sock"))
            connection.sendall(b'{"call": "helper.listen", "args": {}}\n')
            connection.recv(65536)
            held.append(connection)
        (place / "up").touch()
        wait_for((place / "over").exists)
        return len(held)

    strangers = threading.Thread(target=another_person.as_person, args=(STRANGER, crowd))
    strangers.start()
    try:
        wait_for((place / "up").exists)
        stick.put("own.txt", letter(30))
        assert stick.copy("own.txt").returncode != 0
        wait_for(lambda: "notices" in mine.news())
    finally:
        (place / "over").touch()
        mine.close()
        strangers.join(30)


def test_a_month_is_told_to_its_person_alone(stick: Bed) -> None:
    held = _held_by_owner(stick, "mois.txt", 40)
    before = ask(stick, OWNER, "helper.month", month=time.strftime("%Y-%m"))["result"]
    assert ask(stick, OWNER, "answer", id=held, how="seal")["result"]["done"] >= 1
    after = ask(stick, OWNER, "helper.month", month=time.strftime("%Y-%m"))["result"]
    assert after["refused"] == before["refused"] >= 1
    assert after["released"] > before["released"]
    stranger = ask(stick, 65531, "helper.month", month=time.strftime("%Y-%m"))["result"]
    assert set(stranger.values()) == {0}
    assert "refused" in ask(stick, OWNER, "helper.month", month="../../etc")
