"""The helper's small parts: state of the shield, its menu, memory, windows' pages."""

from __future__ import annotations

import stat
from pathlib import Path
from typing import Any

import pytest

from agent.helper import outbox
from agent.helper.memory import LESSONS, Memory
from agent.helper.menu import Entry, layout, properties
from agent.helper.months import owed
from agent.helper.pages import emergency_page, reason_page
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
