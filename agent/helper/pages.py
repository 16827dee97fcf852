"""The windows that ask: for what is held, for what was refused where it lies, for an emergency. Pure.

No button is the default that lets a document go as it is: pressing Return does the safe thing, or nothing.
"""

from __future__ import annotations

from collections.abc import Callable, Mapping
from typing import Any

from agent.errors import N_
from agent.helper.saying import Voice
from agent.i18n import Count
from agent.ui import wording
from agent.ui.asking import Page
from agent.ui.cli.held import reasons

LATER = "later"


def reason_page(
    heading: str, text: str, offers: tuple[str, ...], hello: Mapping[str, Any], voice: Voice
) -> Page:  # fmt: skip
    """What is to become of the documents that ``text`` names? ``offers``: the ways that the policy gives."""
    translate = voice.translate
    safe: list[str] = [word for word in ("seal", "mail") if word in offers]
    buttons = [(word, voice.text(f"button-{word}")) for word in safe]
    needs = ["reason"] if "reason" in offers else []
    if "reason" in offers:
        buttons.append(("reason", translate(N_("Copy, with this reason"))))
    if hello["emergency"]["a_day"]:
        buttons.append(("emergency", translate(N_("Emergency: copy now"))))
        needs.append("emergency")
    buttons.append((LATER, translate(N_("Later"))))
    listed = reasons(dict(hello), voice.language, translate) if needs else ()
    labels = _labels(translate) | ({"reasons": translate(N_("Or as it is: why must it go?"))} if safe else {})
    default = "seal" if "seal" in offers else ""
    public = translate(N_("Which documents: serment held"))
    return Page("Serment", heading, text, buttons, default, listed, needs, safe, labels, public)


def emergency_page(hello: Mapping[str, Any], voice: Voice) -> Page:
    """Which channel is to be opened, and why?"""
    translate = voice.translate
    channels = [
        (channel, translate(N_("Open: {channel}")).format(channel=wording.word(wording.CHANNELS, channel, translate)))
        for channel in hello["emergency"]["channels"]
    ]
    minutes = hello["emergency"]["minutes"]
    heading = translate(N_("Care cannot wait: open for {minutes} {minutes:minute|minutes}")).format(
        minutes=Count(minutes)
    )
    listed = reasons(dict(hello), voice.language, translate)
    note = voice.text("emergency-note")
    return Page(
        "Serment", heading, note, [*channels, (LATER, translate(N_("Cancel")))], "", listed,
        [channel for channel, _label in channels], (), _labels(translate), note,
    )  # fmt: skip


def _labels(translate: Callable[[str], str]) -> dict[str, str]:
    return {
        "reasons": translate(N_("Why must it go?")),
        "text": translate(N_("In your own words (never a patient's name)")),
    }
