"""One record as other programs are told of it: what it is called for ever, and its fields by type. Pure.

What laptops wrote is hostile: whoever reads a field here asks for a text, a number or a table, and gets nothing else.
The command that exports this laptop's log and the collector that forwards a fleet's give the same form (``ocsf``).
"""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass
from typing import Any

_ALERTS = {"inform", "justify", "encrypt", "block"}
_URGENT = {"trouble", "overflow", "emergency"}


@dataclass(frozen=True, slots=True)
class Event:
    """A record of ``laptop`` (its pseudonym, or the name of its log). ``uid`` is the same whenever it is sent: whoever
    receives it twice can tell.
    """

    laptop: str
    group: str
    number: int
    fields: Mapping[str, Any]

    @property
    def uid(self) -> str:
        return f"{self.laptop}:{self.number}"

    @property
    def kind(self) -> str:
        return self.text("k")

    @property
    def time_us(self) -> int:
        return self.whole("t")

    @property
    def code(self) -> str:
        """A stable word for what happened: ``transfer.removable.block``."""
        parts = (self.kind, self.text("channel"), self.text("decision") or self.text("result") or self.text("state"))
        return ".".join(part for part in parts if part)

    @property
    def level(self) -> int:
        """1 informational, 2 low, 3 medium, 4 high: as in OCSF's severity."""
        if self.kind == "transfer":
            return {"block": 3, "encrypt": 3, "justify": 2, "inform": 2}.get(self.text("decision"), 1)
        return 4 if self.kind in _URGENT else 1

    @property
    def is_alert(self) -> bool:
        return self.kind in _URGENT or (self.kind == "transfer" and self.text("decision") in _ALERTS)

    def text(self, name: str) -> str:
        """A field that is a text, or an empty one."""
        value = self.fields.get(name)
        return value if isinstance(value, str) else ""

    def whole(self, name: str) -> int:
        """A field that is a whole number from 0 on, or 0."""
        value = self.fields.get(name)
        return value if isinstance(value, int) and not isinstance(value, bool) and value >= 0 else 0

    def table(self, name: str) -> Mapping[str, Any]:
        """A field that is a map, or an empty one."""
        value = self.fields.get(name)
        return value if isinstance(value, dict) else {}

    def said(self) -> str:
        """The event as one line of words."""
        words = [self.kind, self.text("judgement"), self.text("kind") if self.kind == "transfer" else "",
                 self.text("channel"), self.text("service"), self.text("decision"), self.text("result"),
                 self.text("state"), self.text("what")]  # fmt: skip
        rule = self.text("rule")
        return " ".join([word for word in words if word] + ([f"rule={rule}"] if rule else []))
