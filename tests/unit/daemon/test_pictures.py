"""Whether pictures are read here is said plainly, in status, in the doctor's findings and in the log's lines."""

from __future__ import annotations

import pytest

from agent.daemon import pictures
from agent.daemon.ledger import Owed
from agent.daemon.pictures import Pictures
from agent.model import Cause, ChannelKind, FileEvent, Place
from agent.ui.cli.status import _pictures
from agent.ui.doctor import OK, WEAK, Facts, diagnose
from agent.ui.records import line

EVENT = FileEvent(Place(ChannelKind.DOWNLOADS, b"/d", 1000), b"a.png", Cause.WRITTEN)


def same(text: str) -> str:
    return text


def never(_run_as: object) -> None:
    raise AssertionError("no reader is made")


@pytest.mark.parametrize(
    ("enabled", "why", "state"), [(True, "there is no reader", "not-installed"), (False, "", "off")]
)
def test_without_a_reader_nothing_is_read_and_it_says_why(
    monkeypatch: pytest.MonkeyPatch, enabled: bool, why: str, state: str
) -> None:
    monkeypatch.setattr(pictures, "missing", lambda: why)
    monkeypatch.setattr(pictures, "reader_of_pictures", never)
    none = Pictures(enabled=enabled, run_as=None)
    none.want(EVENT, Owed("new", "observe"))
    said = none.status()
    assert (said["state"], said["waiting"], said["read"]) == (state, 0, 0)
    assert said["reason"] == (why or "switched off in agent.toml")
    assert _pictures(said, same) == f"pictures and scans: not read ({said['reason']})"
    none.close()


def diagnosed(state: str) -> list[tuple[str, str]]:
    status = {
        "pid": 1, "root": True, "channels": [], "troubles": [], "policy": {"source": "file"},
        "pictures": {"state": state, "reason": "apt install it", "waiting": 3, "read": 1},
    }  # fmt: skip
    found = diagnose(Facts((6, 1), True, 1 << 40, 1 << 20, status, landlock=1))
    return [(item.state, item.hint) for item in found if item.word == "pictures"]


def test_the_doctor_says_what_to_install() -> None:
    assert diagnosed("not-installed") == [(WEAK, "apt install it")]
    assert diagnosed("read") == [(OK, "")]
    assert diagnosed("off") == []  # somebody wanted it so


def test_a_line_of_the_log_says_which_look_it_was() -> None:
    record = {"k": "transfer", "channel": "downloads", "judgement": "undecidable", "decision": "observe"}
    assert "pictures not read yet" in line(1, {**record, "pictures": "unread"}, same)
    assert "pictures read" in line(1, {**record, "pictures": "read"}, same)
    for odd in ([], {}, 7, "\n", None):
        assert "pictures" not in line(1, {**record, "pictures": odd}, same)
