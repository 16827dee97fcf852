"""What of a record goes to a target: its event without what the target must not get. Pure."""

from __future__ import annotations

from collections.abc import Collection, Mapping
from typing import Any

from agent.audit.event import Event

__all__ = ["REDACTABLE", "Event", "make_event"]

REDACTABLE = ("channel", "service", "kind", "confidence", "identified", "patients", "evidence", "listed", "format",
              "size", "ext", "rule", "file", "volume", "device", "user", "engine", "head", "root", "held", "reason",
              "group")  # fmt: skip


def make_event(laptop: str, group: str, fields: Mapping[str, Any], redact: Collection[str] = ()) -> Event:
    """The event of a decoded record, without the fields in ``redact`` (names of REDACTABLE)."""
    kept = {name: value for name, value in fields.items() if name not in redact}
    number = fields.get("i")
    return Event(laptop, "" if "group" in redact else group, number if isinstance(number, int) else 0, kept)
