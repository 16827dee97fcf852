"""Which events somebody wants to see on a day, as a request says it. Pure."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass
from typing import Any

from agent.daemon.reviewing.timeline import Later, needs_review
from agent.errors import N_, UsageError

SHOWN = ("notable", "open", "contested", "documents", "everything")
"""What something was done about (or was in the way of the guard), what nobody has looked at yet, what somebody
contests, every document, every record.
"""
_WORD = 64  # characters


@dataclass(frozen=True, slots=True)
class Wanted:
    """Empty texts ask for nothing. ``device`` is the keyed digest of a serial number or of a volume."""

    shown: str = "notable"
    channel: str = ""
    device: str = ""
    decision: str = ""

    def matches(self, fields: Mapping[str, Any], later: Later) -> bool:
        """Whether a record is wanted, given what was said later about it."""
        if fields.get("k") != "transfer":
            return self.shown in {"notable", "everything"} and not (self.channel or self.device or self.decision)
        return (
            self._is_shown(fields, later)
            and self.channel in {"", fields.get("channel")}
            and self.decision in {"", fields.get("decision")}
            and self.device in {"", device_of(fields)}
        )

    def _is_shown(self, fields: Mapping[str, Any], later: Later) -> bool:
        if self.shown == "contested":
            return later.contest is not None
        if self.shown == "open":
            return needs_review(fields) and not later.reviews
        return self.shown != "notable" or needs_review(fields) or later.contest is not None


def device_of(fields: Mapping[str, Any]) -> str:
    """By which a record's device is told from others: the digest of its serial number, else of the volume."""
    device = fields.get("device")
    serial = device.get("serial") if isinstance(device, Mapping) else None
    return str(serial or fields.get("volume") or "")


def wanted_from(untrusted: Mapping[str, Any]) -> Wanted:
    """Raises UsageError: not of this form."""
    words = {name: untrusted.get(name) or "" for name in ("shown", "channel", "device", "decision")}
    words["shown"] = words["shown"] or "notable"
    if words["shown"] not in SHOWN or any(type(each) is not str or len(each) > _WORD for each in words.values()):
        raise UsageError(N_("the message on the local socket is not understood"))
    return Wanted(**words)
