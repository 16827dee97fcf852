"""A clinician at a real desktop: a refused copy shows, one click does the safe thing, a reason lets it go.

Debian's own X server, window manager and notification service; clicks and keys by xdotool; names by AT-SPI.
"""

from __future__ import annotations

import time
from collections.abc import Iterator
from pathlib import Path

import pytest

from tests.desktop_bed import DesktopBed, desktop, needs, settle
from tests.helper_policies import policy
from tests.running import wait_for
from tests.stick_bed import Bed, bed, letter

pytestmark = [pytest.mark.system, pytest.mark.timeout(180), pytest.mark.xdist_group("desktop")]


@pytest.fixture
def desk(tmp_path: Path) -> Iterator[DesktopBed]:
    with desktop(tmp_path) as made:
        yield made


def _ready(desk: DesktopBed, stick: Bed) -> None:
    """The helper listens and the stick is held."""
    stick.wait_held()
    desk.helper(stick.agent.config)


def _copy(stick: Bed, name: str, number: int = 10) -> None:
    stick.put(name, letter(number))
    assert stick.copy(name).returncode != 0


def test_a_refused_copy_shows_and_a_reason_by_keyboard_lets_it_go(desk: DesktopBed, tmp_path: Path) -> None:
    with bed(tmp_path, policy=policy(tmp_path)) as stick:
        _ready(desk, stick)
        _copy(stick, "lettre.txt")
        wait_for(lambda: desk.windows("dunst"))
        settle()
        assert desk.screenshot("notice").stat().st_size > 0
        _copy(stick, "deuxieme.txt", 11)
        window = desk.question()
        desk.screenshot("window")
        desk.run("xdotool", "windowfocus", "--sync", window, "key", "Tab", "Down", "Tab", "Tab", "Return")
        wait_for(lambda: stick.listed() == ["deuxieme.txt", "lettre.txt"])
        released = [each for each in stick.agent.records("release") if each["why"] == "avis"]
        assert len(released) == 2
        assert all(each["batch"] == released[0]["batch"] for each in released)


def test_escape_and_return_let_nothing_go_as_it_is(desk: DesktopBed, tmp_path: Path) -> None:
    """Escape leaves it for later; Return does the safe thing."""
    with bed(tmp_path, policy=policy(tmp_path)) as stick:
        _ready(desk, stick)
        for key, number in (("Escape", 10), ("Return", 200)):
            _copy(stick, f"{key}.txt", number)
            wait_for(lambda: desk.windows("dunst"), 90)
            settle()
            window = desk.question()
            desk.run("xdotool", "windowfocus", "--sync", window, "key", key)
            wait_for(lambda: not desk.windows("^Serment$"))
            if key == "Escape":
                assert [batch["count"] for batch in stick.agent.client.call("held")] == [1]
                assert stick.listed() == []
                stick.agent.command("held", stick.agent.client.call("held")[0]["id"], "--seal", check=True)
                desk.run("dunstctl", "close-all")
                wait_for(lambda: not desk.windows("dunst"))
                desk.end("helper")  # what the first one showed is no matter for the next
                desk.helper(stick.agent.config)
        wait_for(lambda: [name.rpartition(".")[2] for name in stick.listed()] == ["age", "age"])
        assert stick.stick.raw(b"SERMENT-ESSAI") == [0]


def test_the_first_button_is_the_safe_way_and_does_it(desk: DesktopBed, tmp_path: Path) -> None:
    """Refused by a rule that offers encryption: one click, and the sealed copy is on the stick."""
    with bed(tmp_path, policy=policy(tmp_path, "block", offer="encrypt")) as stick:
        _ready(desk, stick)
        _copy(stick, "liste.txt")
        wait_for(lambda: desk.windows("dunst"))
        settle()
        desk.press("Encrypt and copy")
        sealed = wait_for(lambda: [name for name in stick.listed() if name.endswith(".age")])
        assert (stick.stick.point / sealed[0]).read_bytes().startswith(b"age-encryption.org/v1")
        assert stick.stick.raw(b"SERMENT-ESSAI") == [0]
        assert [each["how"] for each in stick.agent.records("release")] == ["seal"]
        assert stick.agent.client.call("held") == []


def test_every_part_of_the_window_has_a_name_for_a_screen_reader(desk: DesktopBed, tmp_path: Path) -> None:
    desk.screen_reader()
    with bed(tmp_path, policy=policy(tmp_path)) as stick:
        _ready(desk, stick)
        _copy(stick, "lettre.txt")
        wait_for(lambda: desk.windows("dunst"))
        settle()
        desk.question()
        wanted = {
            ("radio button", "Urgent care"), ("radio button", "A colleague's advice"),
            ("radio button", "This is not a document about a patient"),
            ("text", "In your own words (never a patient's name)"), ("push button", "Later"),
            ("push button", "Copy, with this reason"), ("push button", "Encrypt and copy"),
            ("push button", "Emergency: copy now"), ("label", "« lettre.txt »\nThis document is about a patient."), ("label", "Waiting for your answer"), ("frame", "Serment"),
        }  # fmt: skip
        wait_for(lambda: wanted <= set(desk.accessible()), 20)
        nameless = [
            role for role, name in desk.accessible() if not name and role in {"radio button", "push button", "text"}
        ]
        assert nameless == []


def test_a_document_puts_neither_markup_nor_a_link_into_a_notice(desk: DesktopBed, tmp_path: Path) -> None:
    with bed(tmp_path, policy=policy(tmp_path)) as stick:
        _ready(desk, stick)
        _copy(stick, '<b>gras &amp; <a href="x">www.evil.example.txt')
        wait_for(lambda: desk.windows("dunst"))
        desk.run("dunstctl", "close-all")
        wait_for(lambda: "gras" in desk.run("dunstctl", "history"))
        said = desk.run("dunstctl", "history")
        assert "<b>gras" not in said.replace("&lt;", "‹")
        assert "www.evil" not in said
        assert "&amp;amp;" in said or "&amp; " not in said


def test_another_program_of_the_session_cannot_press_the_buttons(desk: DesktopBed, tmp_path: Path) -> None:
    """Only the notification service's own word counts."""
    with bed(tmp_path, policy=policy(tmp_path, "block", offer="encrypt")) as stick:
        _ready(desk, stick)
        _copy(stick, "liste.txt")
        wait_for(lambda: desk.windows("dunst"))
        path = "/org/freedesktop/Notifications"
        with desk.session() as liar:
            for number in range(1, 30):
                liar.signal(path, "org.freedesktop.Notifications", "ActionInvoked", "us", (number, "seal"))
            liar.call("org.freedesktop.DBus", "/", "org.freedesktop.DBus", "GetId")
        time.sleep(1.0)
        assert stick.listed() == []
        assert stick.agent.records("release") == []


def test_the_notification_service_of_gnome_flashback(tmp_path: Path) -> None:
    """Another real service: the notice shows, and grows in its place."""
    needs("/usr/lib/notification-daemon/notification-daemon")
    with desktop(tmp_path, "notification-daemon") as desk, bed(tmp_path, policy=policy(tmp_path)) as stick:
        _ready(desk, stick)
        _copy(stick, "lettre.txt")
        shown = wait_for(lambda: _popups(desk))
        _copy(stick, "deuxieme.txt", 11)
        time.sleep(1.5)
        settle()
        desk.screenshot("notice-notification-daemon")
        assert len(shown) == len(_popups(desk)) == 1


def _popups(desk: DesktopBed) -> list[str]:
    return desk.run("xdotool", "search", "--onlyvisible", "--class", "otification").split()


def test_the_hospitals_own_words_stand_in_the_notice_and_on_its_buttons(tmp_path: Path) -> None:
    """From the policy, by the agent, to what the person reads: in their language; what it does not word is ours."""
    file = policy(tmp_path, "block", offer="encrypt")
    own = (
        '  texts:\n    refused-title: {fr: "La DIM garde votre copie", en: "Your copy is kept"}\n'
        '    button-seal: {fr: "Chiffrer, puis copier", en: "Seal it, then copy"}\n'
    )
    file.write_text(
        file.read_text(encoding="utf-8").replace("rules:\n  - id", f"{own}rules:\n  - id"), encoding="utf-8"
    )
    with desktop(tmp_path, language="fr") as desk, bed(tmp_path, policy=file) as stick:
        _ready(desk, stick)
        _copy(stick, "liste.txt")
        wait_for(lambda: desk.windows("dunst"), 60)
        settle()
        desk.screenshot("own-words")
        desk.press("Chiffrer, puis copier")
        wait_for(lambda: [name for name in stick.listed() if name.endswith(".age")], 60)
        said = wait_for(lambda: told if len(told := desk.told()) > 1 else None, 60)
    assert said is not None
    assert said[0]["summary"] == "La DIM garde votre copie"
    assert said[0]["body"].splitlines()[:2] == ["« liste.txt »", "Ce document concerne un patient."]
    assert "Notre hôpital a perdu une clé en mai." in said[0]["body"]
    assert said[1]["summary"] == "Chiffré et copié"
