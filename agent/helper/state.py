"""What the shield says: protected, less well and why, or not at all. Pure: the agent's status in, words out."""

from __future__ import annotations

from collections.abc import Callable, Mapping
from typing import Any

from agent.errors import N_
from agent.ui import wording
from agent.ui.refusal import refusal_worded

PROTECTED, WEAKER, OFF = "protected", "weaker", "off"


def state_of(status: Mapping[str, Any] | None, translate: Callable[[str], str]) -> tuple[str, str]:
    """The word and one line on why. ``status`` is the agent's; None: there is no agent."""
    if status is None:
        return OFF, translate(N_("Serment does not run"))
    if not status["ready"]:
        return OFF, translate(N_("Serment is starting"))
    channels = status["channels"]
    off = next((each for each in channels if each["strength"] == "off"), None)
    if off is not None:
        return WEAKER, _because(off, translate)
    serious = next((each for each in status["troubles"] if each["severity"] != "notice"), None)
    if serious is not None:
        fields = {key: str(value) for key, value in refusal_worded(serious["fields"], translate).items()}
        return WEAKER, translate(serious["message"]).format_map(fields)
    late = next((each for each in channels if _is_late(each)), None)
    return (WEAKER, _because(late, translate)) if late is not None else (PROTECTED, "")


def _is_late(channel: Mapping[str, Any]) -> bool:
    """A place that leads out and is not held; downloads lead in."""
    return bool(channel["path"]) and channel["channel"] != "downloads" and channel["strength"] == "after-write"


def _because(channel: Mapping[str, Any], translate: Callable[[str], str]) -> str:
    name = wording.word(wording.CHANNELS, channel["channel"], translate)
    why = (
        translate(channel["reason"])
        if channel["reason"]
        else wording.word(wording.STRENGTHS, channel["strength"], translate)
    )
    return wording.labelled(name, why, translate)
