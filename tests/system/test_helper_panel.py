"""The shield in a real panel (Xfce's): it is there, says how protected one is, and its menu is reached by keyboard."""

from __future__ import annotations

import contextlib
import os
import sys
import time
from collections.abc import Iterator
from pathlib import Path

import pytest

from tests.desktop_bed import DesktopBed, desktop, needs, settle
from tests.helper_policies import policy
from tests.running import wait_for
from tests.stick_bed import Bed, bed

pytestmark = [pytest.mark.system, pytest.mark.timeout(180), pytest.mark.xdist_group("desktop")]
_ITEM, _WATCHER = "org.kde.StatusNotifierItem", "org.kde.StatusNotifierWatcher"
_XFCONFD = "/usr/lib/x86_64-linux-gnu/xfce4/xfconf/xfconfd"


@pytest.fixture(scope="module")
def stick(tmp_path_factory: pytest.TempPathFactory) -> Iterator[Bed]:
    base = tmp_path_factory.mktemp("panel")
    with bed(base, policy=policy(base)) as made:
        made.wait_held()
        yield made


def _icon(desk: DesktopBed, address: str) -> str:
    with desk.session() as bus:
        return str(bus.get(address, "/StatusNotifierItem", _ITEM, "IconName"))


def test_in_xfces_panel_the_menu_opens_the_window_of_an_emergency(tmp_path: Path, stick: Bed) -> None:
    needs("xfce4-panel", _XFCONFD)
    with desktop(tmp_path) as desk:
        desk.screen_reader()
        desk.start("xfconfd", [_XFCONFD])
        with desk.session() as bus:
            wait_for(lambda: bus.owner("org.xfce.Xfconf"))
            desk.start("panel", ["xfce4-panel", "--disable-wm-check"])
            wait_for(lambda: bus.owner(_WATCHER), 60)
            desk.helper(stick.agent.config)
            items = wait_for(
                lambda: bus.get(_WATCHER, "/StatusNotifierWatcher", _WATCHER, "RegisteredStatusNotifierItems")
            )
        address = items[0].partition("/")[0]
        wait_for(lambda: _icon(desk, address) == "security-high")
        settle()
        desk.screenshot("panel")
        window = _emergency_by_keyboard(desk)
        wait_for(lambda: "Open: removable media" in {name for _role, name in desk.accessible()}, 60)
        desk.screenshot("emergency")
        desk.run("xdotool", "windowfocus", "--sync", window, "key", "Escape")
        assert stick.agent.records("emergency") == []


def _emergency_by_keyboard(desk: DesktopBed) -> str:
    """The menu of the shield, wherever the panel has put it, then keys: the first line is no entry."""
    for x in range(1155, 1090, -13):
        desk.run("xdotool", "mousemove", str(x), "13", "click", "3")
        time.sleep(1.0)
        desk.screenshot("panel-menu")
        desk.run("xdotool", "key", "--delay", "150", "Down", "Down", "Down", "Return")
        with contextlib.suppress(TimeoutError):
            return wait_for(lambda: desk.windows("^Serment$"), 5)[0]
        desk.run("xdotool", "key", "Escape")
    raise AssertionError("no menu")


def test_a_launcher_or_a_key_opens_the_same(tmp_path: Path, stick: Bed) -> None:
    with desktop(tmp_path) as desk:
        desk.helper(stick.agent.config)
        with desk.session() as bus:
            wait_for(lambda: bus.owner("org.serment.Helper"))
        shown = desk.start("show", [sys.executable, "-m", "agent.helper.main", "--show", "emergency"])
        assert shown.wait(30) == 0
        wait_for(lambda: desk.windows("^Serment$"))
        assert desk.start("nonsense", [sys.executable, "-m", "agent.helper.main", "--show", "x"]).wait(30) == 69


def test_it_says_when_the_protection_is_weaker_and_when_there_is_none(tmp_path: Path, stick: Bed) -> None:
    """Asked over D-Bus as any panel does; a panel that comes later is registered with."""
    with desktop(tmp_path) as desk, desk.session() as bus:
        desk.helper(stick.agent.config)
        assert bus.own(_WATCHER)  # the test is the panel now
        came = wait_for(
            lambda: next((each for each in bus.arrived() if each.member == "RegisterStatusNotifierItem"), None)
        )
        address = came.sender
        wait_for(lambda: _icon(desk, address) == "security-high")
        stick.agent.stop()
        wait_for(lambda: _icon(desk, address) == "security-low")
        stick.agent.airlock = False
        try:
            stick.agent.start()
            wait_for(lambda: _icon(desk, address) == "security-medium", 60)
            title = bus.get(address, "/StatusNotifierItem", _ITEM, "Title")
            assert title == "Serment — Protected less well"
            why = bus.get(address, "/StatusNotifierItem", _ITEM, "ToolTip")[3]
            assert why.startswith("removable media")
        finally:
            stick.agent.airlock = True


def test_it_sleeps_while_nothing_happens_and_is_small(tmp_path: Path, stick: Bed) -> None:
    """No wake-up in 20 seconds (SERMENT_LONG: 60), and under 40 MB with all that it shares."""
    seconds = 60 if os.environ.get("SERMENT_LONG") else 20
    if stick.agent.process is None:
        stick.agent.start()
    with desktop(tmp_path) as desk:
        helper = desk.helper(stick.agent.config)
        with desk.session() as bus:
            wait_for(lambda: bus.owner("org.freedesktop.Notifications"))
        before = _at_rest(helper.pid)
        time.sleep(seconds)
        assert switches(helper.pid) - before == 0
        with open(f"/proc/{helper.pid}/smaps_rollup", encoding="ascii") as table:
            figures = {line.split(":")[0]: int(line.split()[1]) for line in table if line.endswith("kB\n")}
        assert figures["Rss"] < 40_000


def _at_rest(pid: int) -> int:
    """Its switches once it and the agent have told each other all there is: unchanged until memory was given back
    (twenty seconds after), and some more.
    """
    deadline = time.monotonic() + 120
    count, since = switches(pid), time.monotonic()
    while time.monotonic() - since < 26 and time.monotonic() < deadline:
        time.sleep(0.5)
        if (now := switches(pid)) != count:
            count, since = now, time.monotonic()
    return count


def switches(pid: int) -> int:
    """How often the scheduler has switched it, of its own will or not."""
    with open(f"/proc/{pid}/status", encoding="ascii", errors="replace") as table:
        return sum(int(line.split()[1]) for line in table if "ctxt_switches" in line)
