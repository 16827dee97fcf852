"""The windows that ask: for what is held, for what was refused where it lies, for an emergency. Pure.

No button is the default that lets a document go as it is: pressing Return does the safe thing, or nothing.
"""

from __future__ import annotations

from collections.abc import Callable, Mapping
from typing import Any

from agent.errors import N_
from agent.helper.saying import Voice
from agent.ui import wording
from agent.ui.asking import Page
from agent.ui.cli.held import reasons

LATER = "later"


def reason_page(about: str, text: str, offers: tuple[str, ...], hello: Mapping[str, Any], voice: Voice) -> Page:
    """Why must ``about`` (the documents, in words) go? ``offers``: the ways that the policy gives."""
    translate = voice.translate
    buttons = [(LATER, translate(N_("Later")))]
    needs = ["reason"] if "reason" in offers else []
    if hello["emergency"]["a_day"]:
        buttons.append(("emergency", translate(N_("Emergency: copy now"))))
        needs.append("emergency")
    if "reason" in offers:
        buttons.append(("reason", translate(N_("Copy, with this reason"))))
    if "seal" in offers:
        buttons.append(("seal", voice.text("button-seal")))
    default = "seal" if "seal" in offers else ""
    listed = reasons(dict(hello), voice.language, translate)
    return Page("Serment", about, text, buttons, default, listed if needs else (), needs, _labels(translate))


def emergency_page(hello: Mapping[str, Any], voice: Voice) -> Page:
    """Which channel is to be opened, and why?"""
    translate = voice.translate
    channels = [
        (channel, translate(N_("Open: {channel}")).format(channel=wording.word(wording.CHANNELS, channel, translate)))
        for channel in hello["emergency"]["channels"]
    ]
    minutes = hello["emergency"]["minutes"]
    heading = translate(N_("Care cannot wait: open for {minutes} minutes")).format(minutes=minutes)
    listed = reasons(dict(hello), voice.language, translate)
    return Page(
        "Serment", heading, voice.text("emergency-note"), [(LATER, translate(N_("Cancel"))), *channels], "", listed,
        [channel for channel, _label in channels], _labels(translate),
    )  # fmt: skip


def _labels(translate: Callable[[str], str]) -> dict[str, str]:
    return {
        "reasons": translate(N_("Why must it go?")),
        "text": translate(N_("In your own words (never a patient's name)")),
    }
