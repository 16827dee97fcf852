"""An event as one line of ArcSight's Common Event Format (version 0). Pure."""

from __future__ import annotations

from importlib.metadata import version

from collector.forward.event import Event

_SEVERITY = {1: 2, 2: 4, 3: 5, 4: 8}
_ACTS = {"block": "blocked", "encrypt": "encrypted", "justify": "held", "inform": "told", "observe": "observed"}


def cef(event: Event, received_ms: int) -> str:
    """The line, without its end."""
    head = ("CEF:0", "Serment", "Serment", version("serment"), event.code, event.said(), str(_SEVERITY[event.level]))
    decision = event.text("decision")
    extension = {
        "rt": str(event.time_us // 1000), "end": str(received_ms), "externalId": event.uid, "dvchost": event.laptop,
        "cat": event.kind, "act": _ACTS.get(decision, decision), "outcome": event.text("result"),
        "suser": event.text("user"), "fname": event.text("file"), "fileType": event.text("ext"),
        "fsize": str(event.whole("size") or ""),
        "cs1Label": "policy" if event.text("rule") else "", "cs1": _policy(event),
        "cs2Label": "document" if event.text("kind") else "", "cs2": event.text("kind"),
        "cs3Label": "group" if event.group else "", "cs3": event.group,
        "cn1Label": "logIndex", "cn1": str(event.number),
    }  # fmt: skip
    pairs = (f"{name}={_value(value)}" for name, value in extension.items() if value)
    return "|".join([head[0], *(_header(part) for part in head[1:])]) + "|" + " ".join(pairs)


def _policy(event: Event) -> str:
    return f"{event.text('rule')}@{event.text('release')}" if event.text("rule") else ""


def _plain(text: str) -> str:
    return "".join(character if character.isprintable() else " " for character in text)


def _header(text: str) -> str:
    return _plain(text).replace("\\", "\\\\").replace("|", "\\|")


def _value(text: str) -> str:
    return _plain(text).replace("\\", "\\\\").replace("=", "\\=")
