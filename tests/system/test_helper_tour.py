"""The guided tour shows each case for real, and leaves nothing."""

from __future__ import annotations

import os
import subprocess
import sys
import tempfile
from collections.abc import Iterator
from pathlib import Path

import pytest

from agent.ui.tour.slides import Slide, WindowSlides
from tests.desktop_bed import DesktopBed, desktop, settle
from tests.helper_policies import policy
from tests.running import CHECKOUT, wait_for
from tests.stick_bed import bed

pytestmark = [pytest.mark.system, pytest.mark.timeout(300), pytest.mark.xdist_group("desktop")]
PAGES = (
    "Serment keeps the medical secret with you", "1. A recipe", "2. A letter about a patient", "3. A list of patients",
    "4. A question", "5. When care cannot wait", "That is all",
)  # fmt: skip
TOUR = [sys.executable, "-m", "agent.ui.cli.main", "--lang", "en", "tour"]


@pytest.fixture
def desk(tmp_path: Path) -> Iterator[DesktopBed]:
    with desktop(tmp_path) as made:
        yield made


@pytest.fixture
def scratch() -> Iterator[Path]:
    """Where the tour may leave nothing: with a short name, for there is a socket in it."""
    with tempfile.TemporaryDirectory(prefix="tour-") as made:
        yield Path(made)


def test_in_a_terminal(scratch: Path) -> None:
    done = subprocess.run(
        [*TOUR, "--yes"], capture_output=True, text=True,
        timeout=150, cwd=CHECKOUT, env=os.environ | {"TMPDIR": str(scratch)},
    )  # fmt: skip
    assert done.returncode == 0, done.stderr
    lines = done.stdout.splitlines()
    assert [line for line in lines if line in PAGES] == list(PAGES)
    assert ".age: an encrypted copy" in done.stdout
    assert list(scratch.iterdir()) == []  # documents, keys, log: all gone


def test_in_one_window_by_keyboard_with_names_for_a_screen_reader(desk: DesktopBed, scratch: Path) -> None:
    """Return goes on; the frame, the text and what is read of the button that goes on are those of the page."""
    desk.screen_reader()
    tour = desk.start("tour", [*TOUR, "--window"], TMPDIR=str(scratch))
    window = wait_for(lambda: desk.windows("^Serment — "), 60)[0]
    for number, heading in enumerate(PAGES, 1):
        last = number == len(PAGES)
        wanted = {
            ("frame", f"Serment — {heading}"), ("label", heading), ("push button", "Close" if last else "Next"),
        } | ({("push button", "Stop")} if not last else set())  # fmt: skip
        wait_for(lambda wanted=wanted: wanted <= set(desk.accessible()), 90, 0.3)  # type: ignore[misc]
        settle()
        desk.screenshot(f"tour-{number}")
        assert desk.windows("^Serment — ") == [window]  # the same one all along
        desk.run("xdotool", "windowfocus", "--sync", window, "key", "Return")
    assert tour.wait(60) == 0
    assert list(scratch.iterdir()) == []


@pytest.mark.parametrize("page", [1, 2])
def test_escape_ends_it_and_leaves_nothing(desk: DesktopBed, scratch: Path, page: int) -> None:
    tour = desk.start("tour", [*TOUR, "--window"], TMPDIR=str(scratch))
    window = wait_for(lambda: desk.windows("^Serment — "), 60)[0]
    if page == 2:
        desk.run("xdotool", "windowfocus", "--sync", window, "key", "Return")
        wait_for(lambda: desk.windows("^Serment — 1. A recipe"), 60)
    desk.run("xdotool", "windowfocus", "--sync", window, "key", "Escape")
    assert tour.wait(60) == 0
    assert list(scratch.iterdir()) == []


def test_it_is_offered_at_the_very_first_start_and_one_click_begins_it(desk: DesktopBed, tmp_path: Path) -> None:
    with bed(tmp_path, policy=policy(tmp_path)) as stick:
        desk.helper(stick.agent.config, tour=True)
        wait_for(lambda: desk.windows("dunst"))
        settle()
        desk.screenshot("tour-offered")
        desk.press("Show me")
        window = wait_for(lambda: desk.windows("^Serment — "), 60)[0]
        desk.run("xdotool", "windowfocus", "--sync", window, "key", "Escape")
        wait_for(lambda: not desk.windows("^Serment — "))
        desk.end("helper")
        desk.helper(stick.agent.config, tour=True)
        assert [each["summary"] for each in desk.told()].count("Serment now protects your patients' documents") == 1


def test_where_there_is_no_display_it_says_so(tmp_path: Path) -> None:
    bare = {"PATH": "/nonexistent", "HOME": str(tmp_path)}
    done = subprocess.run([*TOUR, "--window"], capture_output=True, text=True, timeout=60, cwd=CHECKOUT, env=bare)
    assert done.returncode == 69
    assert "type: serment tour" in done.stderr


def test_the_windows_text_is_never_markup(desk: DesktopBed, monkeypatch: pytest.MonkeyPatch) -> None:
    for name, value in desk.environment.items():
        monkeypatch.setenv(name, value)
    with WindowSlides(lambda text: text) as slides:
        assert slides._window is not None
        slides._window.stdin.write(slides._line(Slide("<b>x</b>", "a <i>b\n" * 50, 1, 2)))  # type: ignore[union-attr]
        slides._window.stdin.flush()  # type: ignore[union-attr]
        wait_for(lambda: desk.windows("^Serment — <b>x</b>"))
