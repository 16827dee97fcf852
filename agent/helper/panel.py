"""The shield in the panel: org.kde.StatusNotifierItem, with a menu, both over D-Bus.

Owns the two objects that the panel asks. Panels reach it by keyboard as they do all their items; the menu says in words
what the shield shows. No panel: nothing is lost, the menu's entries are commands of ``serment`` too.
"""

from __future__ import annotations

import contextlib
import struct
from collections.abc import Callable, Sequence
from typing import Any

from agent.helper.bus import Bus, Came
from agent.helper.menu import NODE, Entry, layout, properties

_ITEM, _ITEM_PATH = "org.kde.StatusNotifierItem", "/StatusNotifierItem"
_MENU, _MENU_PATH = "com.canonical.dbusmenu", "/MenuBar"
_WATCHER, _WATCHER_PATH = "org.kde.StatusNotifierWatcher", "/StatusNotifierWatcher"
_PROPERTIES, _INTROSPECT = "org.freedesktop.DBus.Properties", "org.freedesktop.DBus.Introspectable"
ICONS = {"protected": "security-high", "weaker": "security-medium", "off": "security-low"}


class Panel:
    """``chosen`` is called with the word of a menu entry; ``open`` is that of a plain click."""

    def __init__(self, bus: Bus, chosen: Callable[[str], None]) -> None:
        self._bus = bus
        self._chosen = chosen
        self._state, self._title, self._detail = "off", "Serment", ""
        self._entries: Sequence[Entry] = ()
        self._revision = 1
        bus.listen("org.freedesktop.DBus", "org.freedesktop.DBus", "NameOwnerChanged")

    def register(self) -> None:
        """Ask the panel to show it; nothing happens when there is none, ``heard`` does it again when one comes."""
        name = (self._bus.name,)
        self._bus.tell(_WATCHER, _WATCHER_PATH, _WATCHER, "RegisterStatusNotifierItem", "s", name)

    def show(self, state: str, title: str, detail: str, entries: Sequence[Entry]) -> None:
        """``state`` is a word of ICONS."""
        if (state, title, detail, list(entries)) == (self._state, self._title, self._detail, list(self._entries)):
            return
        self._state, self._title, self._detail, self._entries = state, title, detail, list(entries)
        self._revision += 1
        for member in ("NewIcon", "NewTitle", "NewToolTip"):
            self._bus.signal(_ITEM_PATH, _ITEM, member)
        self._bus.signal(_ITEM_PATH, _ITEM, "NewStatus", "s", (self._status(),))
        self._bus.signal(_MENU_PATH, _MENU, "LayoutUpdated", "ui", (self._revision, 0))

    def heard(self, came: Came) -> bool:
        """A call or signal; False when it is none of the panel's."""
        if not came.is_call:
            if came.member == "NameOwnerChanged" and came.body[:1] == (_WATCHER,) and came.body[2]:
                self.register()
            return came.member == "NameOwnerChanged"
        if came.path not in {_ITEM_PATH, _MENU_PATH}:
            return False
        with contextlib.suppress(LookupError, TypeError, ValueError, AttributeError, struct.error):
            if self._served(came):
                return True
        self._bus.refuse(came)
        return True

    def _served(self, came: Came) -> bool:
        if came.interface == _PROPERTIES:
            return self._property(came)
        if came.interface == _INTROSPECT:
            self._bus.answer(came, "s", (_XML[came.path],))
            return True
        serve = self._item if came.path == _ITEM_PATH else self._menu
        return serve(came)

    def _item(self, came: Came) -> bool:
        if came.member in {"Activate", "SecondaryActivate", "ContextMenu", "Scroll"}:
            self._bus.answer(came)
            if came.member == "Activate":
                self._chosen("open")
            return True
        return False

    def _menu(self, came: Came) -> bool:
        body = came.body
        if came.member == "GetLayout":
            found = layout(self._entries, body[0], body[2])
            if found is None:
                return False
            self._bus.answer(came, f"u{NODE}", (self._revision, found))
        elif came.member == "GetGroupProperties":
            asked = body[0] or range(1, len(self._entries) + 1)
            known = [number for number in asked if 1 <= number <= len(self._entries)]
            rows = [(number, properties(self._entries[number - 1], body[1])) for number in known]
            self._bus.answer(came, "a(ia{sv})", (rows,))
        elif came.member == "GetProperty":
            self._bus.answer(came, "v", (properties(self._entries[body[0] - 1])[body[1]],))
        elif came.member in {"Event", "EventGroup"}:
            events = [body] if came.member == "Event" else body[0]
            if came.member == "EventGroup":
                self._bus.answer(came, "ai", ([],))
            else:
                self._bus.answer(came)
            for event in events:
                if event[1] == "clicked" and 1 <= event[0] <= len(self._entries) and self._entries[event[0] - 1].word:
                    self._chosen(self._entries[event[0] - 1].word)
        elif came.member == "AboutToShow":
            self._bus.answer(came, "b", (False,))
        elif came.member == "AboutToShowGroup":
            self._bus.answer(came, "aiai", ([], []))
        else:
            return False
        return True

    def _status(self) -> str:
        return "Active" if self._state == "protected" else "NeedsAttention"

    def _values(self, interface: str) -> dict[str, tuple[str, Any]]:
        if interface == _MENU:
            return {"Version": ("u", 3), "TextDirection": ("s", "ltr"), "Status": ("s", "normal"),
                    "IconThemePath": ("as", [])}  # fmt: skip
        icon = ICONS[self._state]
        return {
            "Category": ("s", "SystemServices"), "Id": ("s", "serment"), "Title": ("s", self._title),
            "Status": ("s", self._status()), "WindowId": ("i", 0), "IconName": ("s", icon), "IconThemePath": ("s", ""),
            "AttentionIconName": ("s", icon), "OverlayIconName": ("s", ""),
            "IconAccessibleDesc": ("s", self._title), "AttentionAccessibleDesc": ("s", self._title),
            "IconPixmap": ("a(iiay)", []), "AttentionIconPixmap": ("a(iiay)", []), "OverlayIconPixmap": ("a(iiay)", []),
            "ToolTip": ("(sa(iiay)ss)", (icon, [], self._title, self._detail)),
            "ItemIsMenu": ("b", False), "Menu": ("o", _MENU_PATH),
        }  # fmt: skip

    def _property(self, came: Came) -> bool:
        interface = _ITEM if came.path == _ITEM_PATH else _MENU
        if not came.body or came.body[0] not in {interface, ""}:
            return False
        values = self._values(interface)
        if came.member == "GetAll":
            self._bus.answer(came, "a{sv}", (values,))
        elif came.member == "Get" and came.body[1] in values:
            self._bus.answer(came, "v", (values[came.body[1]],))
        else:
            return False
        return True


def _introspection(interface: str, methods: str, props: str) -> str:
    return f'<node><interface name="{interface}">{methods}{props}</interface></node>'


def _props(table: str) -> str:
    rows = (row.split(":") for row in table.split())
    return "".join(f'<property name="{name}" type="{kind}" access="read"/>' for name, kind in rows)


def _method(name: str, takes: str, gives: str = "") -> str:
    args = [
        f'<arg type="{kind}" direction="{way}"/>'
        for way, kinds in (("in", takes), ("out", gives))
        for kind in kinds.split()
    ]
    return f'<method name="{name}">{"".join(args)}</method>'


_XML = {
    _ITEM_PATH: _introspection(
        _ITEM,
        "".join(_method(name, "i i") for name in ("Activate", "SecondaryActivate", "ContextMenu"))
        + _method("Scroll", "i s")
        + "".join(f'<signal name="{name}"/>' for name in ("NewIcon", "NewTitle", "NewToolTip"))
        + '<signal name="NewStatus"><arg type="s"/></signal>',
        _props("Category:s Id:s Title:s Status:s WindowId:i IconName:s IconThemePath:s AttentionIconName:s "
               "OverlayIconName:s IconPixmap:a(iiay) ToolTip:(sa(iiay)ss) ItemIsMenu:b Menu:o"),
    ),
    _MENU_PATH: _introspection(
        _MENU,
        _method("GetLayout", "i i as", "u (ia{sv}av)") + _method("GetGroupProperties", "ai as", "a(ia{sv})")
        + _method("GetProperty", "i s", "v") + _method("Event", "i s v u") + _method("AboutToShow", "i", "b")
        + '<signal name="LayoutUpdated"><arg type="u"/><arg type="i"/></signal>',
        _props("Version:u TextDirection:s Status:s IconThemePath:as"),
    ),
}  # fmt: skip
