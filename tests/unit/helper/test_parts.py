"""The helper's small parts: state of the shield, its menu, memory, windows' pages."""

from __future__ import annotations

import base64
import os
import socket
import stat
import time
from collections import deque
from pathlib import Path
from typing import Any

import pytest
from jeepney import DBusAddress, HeaderFields, MessageType, new_signal
from jeepney.io.blocking import DBusConnection, DBusConnectionBase

from agent.errors import HostError
from agent.helper import outbox
from agent.helper.agent_link import AgentLink
from agent.helper.app import CONNECT_S, Helper
from agent.helper.board import Board
from agent.helper.bus import Bus, BusError
from agent.helper.desktop import Shown
from agent.helper.memory import LESSONS, Memory
from agent.helper.menu import Entry, layout, properties
from agent.helper.months import owed
from agent.helper.pages import emergency_page, reason_page
from agent.helper.replies import Replies
from agent.helper.saying import Voice
from agent.helper.state import OFF, PROTECTED, WEAKER, state_of
from agent.ui import asking

HELLO: dict[str, Any] = {
    "reasons": [{"id": "soins", "text": {"fr": "Soins", "en": "Care"}}],
    "emergency": {"minutes": 15, "a_day": 3, "channels": ["removable", "cloud_sync"]},
}
VOICE = Voice("en", lambda text: text)


def _status(*channels: dict[str, Any], ready: bool = True, troubles: tuple[dict[str, Any], ...] = ()) -> dict[str, Any]:
    return {"ready": ready, "channels": list(channels), "troubles": list(troubles)}


def _channel(strength: str, channel: str = "removable", path: str | None = "/s", reason: str = "") -> dict[str, Any]:
    return {"channel": channel, "path": path, "strength": strength, "reason": reason}


@pytest.mark.parametrize(
    ("status", "word"),
    [
        (None, OFF),
        (_status(ready=False), OFF),
        (_status(_channel("hold")), PROTECTED),
        (_status(_channel("after-write", path=None), _channel("hold")), PROTECTED),  # no stick is plugged in
        (_status(_channel("after-write", "downloads")), PROTECTED),
        (_status(_channel("hold"), _channel("after-write", reason="read-only")), WEAKER),
        (_status(_channel("off", path=None, reason="switched off")), WEAKER),
        (_status(_channel("hold"), troubles=({"word": "collector-away", "severity": "notice"},)), PROTECTED),
        (_status(troubles=({"word": "x", "severity": "weaker", "message": "m {a}", "fields": {"a": 1}},)), WEAKER),
    ],
)
def test_what_the_shield_says(status: dict[str, Any] | None, word: str) -> None:
    found, why = state_of(status, lambda text: text)
    assert found == word
    assert (why == "") == (word == PROTECTED)


def test_the_shield_says_why_a_policy_was_refused_in_words() -> None:
    trouble = {"word": "x", "severity": "weaker", "message": "refused ({why})", "fields": {"why": "rollback"}}
    _found, why = state_of(_status(troubles=(trouble,)), lambda text: text)
    assert "rollback" not in why
    assert len(why) > len("refused ()")


def test_the_menu_as_dbusmenu_wants_it() -> None:
    entries = [Entry("", "Protected"), Entry("open", "A_b")]
    root = layout(entries, 0)
    assert root is not None
    assert [child[1][0] for child in root[2]] == [1, 2]
    assert properties(entries[0])["enabled"] == ("b", False)
    assert properties(entries[1], ["label"]) == {"label": ("s", "A__b")}
    assert layout(entries, 3) is None


def test_lessons_come_the_first_times_only_and_the_tour_once(tmp_path: Path) -> None:
    path = tmp_path / "s/helper.json"
    assert [Memory(path).lesson_due("r") for _ in range(LESSONS + 2)] == [True] * LESSONS + [False] * 2
    assert Memory(path).lesson_due("other")
    assert [Memory(path).tour_due() for _ in range(2)] == [True, False]
    assert Memory(path).month_told() == ""
    Memory(path).tell_month("2026-10")
    assert Memory(path).month_told() == "2026-10"


@pytest.mark.parametrize(
    ("told", "this", "months"),
    [
        ("", "2026-11", None), ("2026-11", "2026-11", None), ("2026-10", "2026-11", ("2026-10", "2026-10")),
        ("2026-12", "2027-01", ("2026-12", "2026-12")), ("2026-08", "2026-11", ("2026-08", "2026-10")),
        ("2020-01", "2026-01", ("2025-01", "2025-12")), ("2030-01", "2026-11", None), ("rien", "2026-11", None),
    ],
)  # fmt: skip
def test_which_months_are_to_be_told(told: str, this: str, months: tuple[str, str] | None) -> None:
    assert owed(told, this) == months


@pytest.mark.parametrize("content", ["", "[]", '{"lessons": 3, "month": []}', "\x00", "[" * 100_000])
def test_a_memory_that_cannot_be_read_is_an_empty_one(tmp_path: Path, content: str) -> None:
    path = tmp_path / "helper.json"
    path.write_text(content)
    assert Memory(path).lesson_due("r")
    assert Memory(path).month_told() == ""


def test_return_never_lets_a_document_go_as_it_is() -> None:
    assert reason_page("x", "y", ("seal", "reason"), HELLO, VOICE).default == "seal"
    assert reason_page("x", "y", ("reason",), HELLO, VOICE).default == ""
    assert emergency_page(HELLO, VOICE).default == ""


@pytest.fixture(params=["zenity", "kdialog"])
def plain_list(request: pytest.FixtureRequest, tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Any:
    """Asks without GTK; ``chosen`` is what the program prints. Returns the answer and the program's arguments."""
    monkeypatch.setattr(asking, "_PYTHON", "/nonexistent")
    program = tmp_path / request.param
    program.write_text(f'#!/bin/sh\nprintf "%s\\n" "$@" >{tmp_path}/seen\necho "$CHOSEN"\n')
    program.chmod(0o755)

    def ask(page: asking.Page, chosen: str = "") -> tuple[asking.Answer | None, str]:
        answer = asking.Question(page, {"PATH": f"{tmp_path}:/usr/bin:/bin", "CHOSEN": chosen}).answer()
        return answer, (tmp_path / "seen").read_text()

    return ask


def test_a_plain_list_says_what_each_line_does(plain_list: Any) -> None:
    """Encrypting is offered, and emergencies are: no reason alone stands for break-glass, the first line is safe."""
    page = reason_page("Refused", "y", ("seal",), HELLO, VOICE)
    assert plain_list(page, "soins")[0] is None
    answer, shown = plain_list(page, "seal")
    assert answer == asking.Answer("seal")
    lines = shown.splitlines()
    assert lines.index("seal") < lines.index("emergency:soins")
    assert lines[lines.index("emergency:soins") + 1] == "Emergency: copy now · Care"
    assert plain_list(page, "emergency:other")[0] == asking.Answer("emergency", "other", "—")
    as_it_is = reason_page("Refused", "y", ("reason",), HELLO, VOICE)
    answer, shown = plain_list(as_it_is, "later")
    assert answer is None
    assert shown.splitlines().index("later") < shown.splitlines().index("reason:soins")
    answer, shown = plain_list(emergency_page(HELLO, VOICE), "cloud_sync:soins")
    assert answer == asking.Answer("cloud_sync", "soins")


def test_a_program_that_asks_gets_no_name_as_an_argument(plain_list: Any) -> None:
    """Every user of the laptop may read the arguments of a process."""
    without = HELLO | {"emergency": {"minutes": 15, "a_day": 0, "channels": []}}
    for hello in (HELLO, without):
        page = reason_page("Refused", "DUPONT Jeanne.pdf", ("seal",), hello, VOICE)
        answer, shown = plain_list(page, "seal")
        assert answer == asking.Answer("seal")
        assert "DUPONT" not in shown
        assert "serment held" in shown


def test_the_safe_ways_come_first_the_mail_among_them() -> None:
    page = reason_page("x", "y", ("seal", "mail", "reason"), HELLO, VOICE)
    assert [word for word, _label in page.buttons] == ["seal", "mail", "reason", "emergency", "later"]
    assert page.safe == ["seal", "mail"]
    assert page.labels["reasons"] == "Or as it is: why must it go?"
    assert reason_page("x", "y", ("reason",), HELLO, VOICE).labels["reasons"] == "Why must it go?"


def test_the_reasons_end_with_not_a_patient_and_ones_own_words() -> None:
    page = reason_page("x", "y", ("reason",), HELLO, VOICE)
    assert [word for word, _label in page.reasons] == ["soins", "not-patient", "other"]
    assert [word for word, _label in page.buttons] == ["reason", "emergency", "later"]
    without = HELLO | {"emergency": {"minutes": 15, "a_day": 0, "channels": []}}
    assert "emergency" not in dict(reason_page("x", "y", ("reason",), without, VOICE).buttons)


def test_attachments_lie_in_a_folder_of_ones_own_and_go_after_a_day(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    tmp_path.chmod(0o700)
    monkeypatch.setenv("XDG_RUNTIME_DIR", str(tmp_path))
    folder = outbox.folder()
    assert stat.S_IMODE(folder.stat().st_mode) == 0o700
    (folder / "a.pdf").write_bytes(b"x")
    outbox.sweep()
    assert (folder / "a.pdf").exists()
    outbox.sweep((folder / "a.pdf").stat().st_ctime + 24 * 3600 + 1)
    assert not (folder / "a.pdf").exists()
    tmp_path.chmod(0o755)
    with pytest.raises(Exception, match="no place"):
        outbox.folder()


class Agent:
    """What ``AgentLink`` is to the helper: answers from a table; an exception in it is raised."""

    is_open = True

    def __init__(self, **answers: Any) -> None:
        self.answers = answers
        self.hello: dict[str, Any] = {"mail": {"page": "", "program": ""}}

    def open(self) -> bool:
        self.is_open = True
        return True

    def close(self) -> None:
        self.is_open = False

    def call(self, name: str, **_arguments: Any) -> Any:
        answer = self.answers[name.replace(".", "_")]
        if isinstance(answer, Exception):
            raise answer
        return answer


def test_an_answer_that_is_not_taken_does_not_take_the_place_of_the_one_at_work(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    """The mail is still opened with the documents that were on their way into it."""
    monkeypatch.setenv("XDG_RUNTIME_DIR", str(tmp_path))
    tmp_path.chmod(0o700)
    opened: list[list[bytes]] = []
    monkeypatch.setattr(outbox, "compose", lambda paths, *_more: opened.append(paths))
    agent = Agent(answer={})
    replies = Replies(agent, Board(None, None, VOICE), None, Memory(tmp_path / "memory"))  # type: ignore[arg-type]
    replies.give("A" * 16, "mail")
    agent.answers["answer"] = HostError("your last answer is still being carried out")
    with pytest.raises(HostError):
        replies.give("B" * 16, "seal")
    letter = os.fsencode(tmp_path / "letter.pdf")
    (tmp_path / "letter.pdf").touch()
    path = base64.b64encode(letter).decode()
    agent.answers["answer_progress"] = {"id": "A" * 16, "over": True, "done": 1, "failed": 0, "paths": [path]}
    replies.tell_progress()
    assert opened == [[letter]]


@pytest.mark.parametrize("answered", ["A" * 16, "B" * 16, ""])  # ours, another one meanwhile, a new agent
def test_a_helper_that_began_anew_still_opens_the_mail(
    answered: str, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setenv("XDG_RUNTIME_DIR", str(tmp_path))
    tmp_path.chmod(0o700)
    opened: list[list[bytes]] = []
    monkeypatch.setattr(outbox, "compose", lambda paths, *_more: opened.append(paths))
    letter = os.fsencode(tmp_path / "letter.pdf")
    (tmp_path / "letter.pdf").touch()
    path = base64.b64encode(letter).decode()
    at_work = {"id": answered, "over": False, "done": 0, "failed": 0, "paths": []}
    agent = Agent(answer={}, answer_progress=at_work if answered else None)

    def replies() -> Replies:
        return Replies(agent, Board(None, None, VOICE), None, Memory(tmp_path / "memory"))  # type: ignore[arg-type]

    replies().give("A" * 16, "mail")
    replies().tell_progress()
    assert opened == []
    if answered:
        agent.answers["answer_progress"] = {**at_work, "over": True, "done": 1, "paths": [path]}
    for _ in range(2):
        replies().tell_progress()
    assert opened == ([[letter]] if answered == "A" * 16 else [])


@pytest.mark.parametrize(
    ("how", "fields", "says"),
    [
        ("reason", {"problem": "gone"}, "Plug the stick in"),
        ("reason", {"problem": "disk-full"}, "kept: no space left."),
        ("seal", {"problem": "read-only"}, "kept: the volume is read-only."),
        ("mail", {"problem": "gone"}, "kept: it is no longer there."),
        ("seal", {"why": "nobody's fault"}, "kept: nobody's fault."),
    ],
)
def test_what_failed_is_said_and_not_that_a_stick_is_to_be_plugged_in(
    how: str, fields: dict[str, str], says: str, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setenv("XDG_RUNTIME_DIR", str(tmp_path))
    tmp_path.chmod(0o700)
    board = Board(None, None, VOICE)
    told: list[Any] = []
    monkeypatch.setattr(board, "put", lambda _key, shown: told.append(shown))
    message = "".join(f"{{{name}}}" for name in fields)
    agent = Agent(answer={}, answer_progress={
        "id": "A" * 16, "over": True, "done": 0, "failed": 1, "paths": [], "message": message, "fields": fields,
    })  # fmt: skip
    replies = Replies(agent, board, None, Memory(tmp_path / "memory"))  # type: ignore[arg-type]
    replies.give("A" * 16, how)
    replies.tell_progress()
    assert says in told[0].body
    assert ("Plug" in told[0].body) is ("Plug" in says)


def test_attachments_go_after_a_day_also_in_a_session_that_lasts(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    tmp_path.chmod(0o700)
    monkeypatch.setenv("XDG_RUNTIME_DIR", str(tmp_path))
    helper = Helper(AgentLink(tmp_path / "no.sock"), None, None, Memory(tmp_path / "memory"), "en", None)
    helper._act_on_time()
    assert "sweep" not in helper._due, "nothing lies there: nothing is to be looked for"
    (outbox.folder() / "a.pdf").write_bytes(b"x")
    (outbox.folder() / "folder").mkdir()
    monkeypatch.setattr(helper._replies, "tell_progress", lambda: None)
    helper._heard_agent(frozenset({"answers"}))
    assert helper._due["sweep"] > time.monotonic()
    monkeypatch.setattr(outbox, "_KEPT_S", -1)
    helper._due["sweep"] = 0.0
    helper._act_on_time()
    assert [path.name for path in outbox.folder().iterdir()] == ["folder"]


def test_a_button_that_is_pressed_while_a_call_waits_is_heard(tmp_path: Path) -> None:
    """What came with the reply was read with it: the descriptor alone would say nothing, until something else comes."""
    ours, desktop = socket.socketpair()
    bus = Bus.__new__(Bus)
    bus._connection = DBusConnection.__new__(DBusConnection)
    DBusConnectionBase.__init__(bus._connection, ours)
    bus._waiting = deque()
    pressed = new_signal(DBusAddress("/d", interface="org.d"), "ActionInvoked", "us", (1, "seal"))
    reply = new_signal(DBusAddress("/d", interface="org.d"), "Reply")
    reply.header.message_type = MessageType.method_return
    reply.header.fields[HeaderFields.reply_serial] = 1
    desktop.sendall(pressed.serialise(serial=1) + reply.serialise(serial=2) + pressed.serialise(serial=3))
    assert bus.call("org.d", "/d", "org.d", "Notify") == ()
    helper = Helper(AgentLink(tmp_path / "no.sock"), None, None, Memory(tmp_path / "memory"), "en", None)
    helper._bus, helper._due = bus, {"rest": time.monotonic() + 2.0}
    assert helper._wait() == [bus]
    assert [came.body for came in bus.arrived()] == [(1, "seal")] * 2
    helper._due = {"rest": time.monotonic()}
    assert helper._wait() == []
    bus.close()
    desktop.close()


class Crowded:
    """A bus whose notification service refuses what comes too fast, as KDE's does."""

    name, refuses, there = ":1.1", True, True

    def __init__(self) -> None:
        self.notified = 0

    def listen(self, *_rule: str) -> None:
        pass

    def owner(self, name: str) -> str:
        return ":1.2" if self.there and name == "org.freedesktop.Notifications" else ""

    def get(self, *_property: str) -> Any:
        raise BusError("no such property")

    def call(self, _name: str, _path: str, _interface: str, member: str, *_more: Any, **_options: Any) -> Any:
        if member == "GetCapabilities":
            return (["actions"],)
        if self.refuses:
            raise BusError("org.freedesktop.Notifications.Error.ExcessNotificationGeneration")
        self.notified += 1
        return (self.notified,)


def test_a_notice_that_the_desktop_refuses_for_a_moment_is_shown_later(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.delenv("DISPLAY", raising=False)
    bus = Crowded()
    board = Board(bus, None, VOICE)  # type: ignore[arg-type]
    board.put("answer", Shown("t", "b"))
    assert board.look_at is not None
    bus.refuses = False
    board.show()
    assert (bus.notified, board.look_at) == (1, None)
    bus.there, bus.refuses = False, True
    board.put("answer", Shown("t", "b"))
    assert board.look_at is None, "no timer runs where there is no service: its coming is heard"


def test_an_agent_that_does_not_answer_yet_is_asked_again(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    """The shield would say « not protected » for as long as nothing changes."""
    monkeypatch.setenv("XDG_RUNTIME_DIR", str(tmp_path))
    agent = Agent(status=HostError("the agent stopped answering"))
    agent.hello |= {"release": 1, "texts": {}, "lessons": {}}
    helper = Helper(agent, None, None, Memory(tmp_path / "memory"), "en", None)  # type: ignore[arg-type]
    shown: list[Any] = []
    monkeypatch.setattr(helper, "_show_state", shown.append)
    helper._due = {"connect": 0.0}
    helper._act_on_time()
    assert (agent.is_open, shown) == (False, [None])
    assert 0 < helper._due["connect"] - time.monotonic() <= CONNECT_S[0]
    agent.answers |= {"status": _status(), "held": (), "helper_news": HostError("the agent stopped answering")}
    helper._due = {"connect": 0.0}
    helper._act_on_time()
    assert (agent.is_open, shown) == (True, [None, _status()])
    assert "connect" not in helper._due
