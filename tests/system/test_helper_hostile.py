"""Other programs of the session say what they like to the helper: it goes on, and presses nothing."""

from __future__ import annotations

import random
from pathlib import Path

import pytest

from agent.helper.bus import Bus, BusError
from tests.desktop_bed import desktop
from tests.helper_policies import policy
from tests.running import wait_for
from tests.stick_bed import bed, letter

pytestmark = [pytest.mark.system, pytest.mark.timeout(180), pytest.mark.xdist_group("desktop")]
_VALUES = [
    ("", ()),
    ("s", ("x",)),
    ("i", (-1,)),
    ("u", (2**32 - 1,)),
    ("us", (1, "seal")),
    ("sss", ("a", "b", "")),
    ("v", (("i", 5),)),
    ("isvu", (3, "clicked", ("s", ""), 0)),
    ("iias", (0, -1, [])),
    ("iias", (99, -1, ["x"])),
    ("as", (["x"] * 50,)),
    ("b", (True,)),
    ("ss", ("org.kde.StatusNotifierItem", "Nothing")),
    ("is", (7, "no")),
    ("aias", ([1, 99], [])),
    ("a(isvu)", ([(9, "clicked", ("s", ""), 0)],)),
    ("s", ("org.freedesktop.Notifications",)),
]
_MEMBERS = [
    "Activate",
    "ContextMenu",
    "GetLayout",
    "GetProperty",
    "GetGroupProperties",
    "Event",
    "EventGroup",
    "Get",
    "GetAll",
    "Set",
    "Show",
    "Introspect",
    "AboutToShow",
    "Nonsense",
]
_INTERFACES = [
    "org.kde.StatusNotifierItem",
    "com.canonical.dbusmenu",
    "org.freedesktop.DBus.Properties",
    "org.freedesktop.DBus.Introspectable",
    "org.serment.Helper",
    "x.y",
]
_PATHS = ["/StatusNotifierItem", "/MenuBar", "/org/serment/Helper", "/"]
_SIGNALS = [
    ("org.freedesktop.Notifications", "ActionInvoked"),
    ("org.freedesktop.Notifications", "NotificationClosed"),
    ("org.freedesktop.ScreenSaver", "ActiveChanged"),
    ("org.freedesktop.DBus", "NameOwnerChanged"),
    ("org.freedesktop.DBus.Properties", "PropertiesChanged"),
]


def test_a_program_of_the_session_that_says_anything(tmp_path: Path) -> None:
    chance = random.Random(8)
    with bed(tmp_path, policy=policy(tmp_path, "block", offer="encrypt")) as stick, desktop(tmp_path) as desk:
        stick.wait_held()
        helper = desk.helper(stick.agent.config)
        with desk.session() as liar:
            wait_for(lambda: liar.owner("org.serment.Helper"))
            stick.put("liste.txt", letter(3))
            assert stick.copy("liste.txt").returncode != 0
            wait_for(lambda: desk.windows("dunst"))
            for _ in range(300):
                _say(chance, liar)
            assert helper.poll() is None
            properties = "org.freedesktop.DBus.Properties"
            (shown,) = liar.call(
                "org.serment.Helper", "/StatusNotifierItem", properties, "GetAll", "s", (_INTERFACES[0],)
            )
            assert shown["Id"] == ("s", "serment")
        assert stick.listed() == []
        assert stick.agent.records("release") == []
        assert stick.agent.records("emergency") == []


def _say(chance: random.Random, liar: Bus) -> None:
    signature, body = chance.choice(_VALUES)
    if chance.random() < 0.4:
        interface, member = chance.choice(_SIGNALS)
        path = chance.choice(["/org/freedesktop/Notifications", "/org/freedesktop/DBus", "/"])
        liar.signal(path, interface, member, signature, body)
        return
    member = chance.choice(_MEMBERS)
    if member == "Activate" or (member == "Show" and body == ("open",)):
        return  # it may: it opens the review, as a click would
    try:
        liar.call("org.serment.Helper", chance.choice(_PATHS), chance.choice(_INTERFACES), member, signature, body)
    except BusError:
        return
