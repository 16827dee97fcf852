"""The menu of the shield as com.canonical.dbusmenu asks for it. Pure: entries in, D-Bus values out."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass
from typing import Any

_Properties = dict[str, tuple[str, Any]]
Layout = tuple[int, _Properties, list[tuple[str, Any]]]
NODE = "(ia{sv}av)"


@dataclass(frozen=True, slots=True)
class Entry:
    """``word`` is what is done; empty: a line that says something. ``label`` as shown."""

    word: str
    label: str


def layout(entries: Sequence[Entry], parent: int, names: Sequence[str] = ()) -> Layout | None:
    """The node ``parent`` (0: the menu, n: the n-th entry) with its children. None: there is no such node."""
    if parent == 0:
        children: list[tuple[str, Any]] = [
            (NODE, (number, properties(entry, names), [])) for number, entry in enumerate(entries, 1)
        ]
        return 0, {"children-display": ("s", "submenu")}, children
    if 1 <= parent <= len(entries):
        return parent, properties(entries[parent - 1], names), []
    return None


def properties(entry: Entry, names: Sequence[str] = ()) -> _Properties:
    """The properties asked for (none named: all). An underscore in a label would mark an access key."""
    whole: _Properties = {
        "label": ("s", entry.label.replace("_", "__")), "enabled": ("b", bool(entry.word)), "visible": ("b", True),
    }  # fmt: skip
    return {name: value for name, value in whole.items() if not names or name in names}
