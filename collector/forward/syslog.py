"""RFC 5424 messages, counted in octets as RFC 5425 wants them over TLS. Pure."""

from __future__ import annotations

from collector.forward.ecs import instant
from collector.forward.event import Event

FACILITY = 13  # log audit
_SEVERITY = {1: 6, 2: 5, 3: 4, 4: 3}  # informational, notice, warning, error
SEKOIA = "SEKOIA@53288"  # where Sekoia.io looks for an intake's key


def message(event: Event, text: str, intake: str = "") -> bytes:
    """One frame: its length, a blank, the message. ``text`` is one line; ``intake`` is the key of a Sekoia intake."""
    data = f'[{SEKOIA} intake_key="{_quoted(intake)}"]' if intake else "-"
    head = (
        f"<{FACILITY * 8 + _SEVERITY[event.level]}>1 {instant(event.time_us)} {_name(event.laptop, 255)} serment - "
        f"{_name(event.kind, 32)} {data} "
    )
    whole = head.encode("ascii", "replace") + text.encode()
    return str(len(whole)).encode() + b" " + whole


def _name(text: str, limit: int) -> str:
    """What stands in the head: printable ASCII without blanks."""
    return "".join(c for c in text if "!" <= c <= "~")[:limit] or "-"


def _quoted(text: str) -> str:
    return text.replace("\\", "\\\\").replace('"', '\\"').replace("]", "\\]")
