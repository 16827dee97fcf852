"""A notice of the agent → what a person reads. Pure: the policy's own wording first, else the catalogue's.

A name comes from a hostile document: it is shown on one line, without control or direction characters, cut, and
without what a desktop would turn into a link.
"""

from __future__ import annotations

import base64
import re
from collections.abc import Callable, Mapping
from dataclasses import dataclass, field
from typing import Any

from agent.errors import N_, SermentError
from agent.helper.desktop import Shown
from agent.policy.answers import TEXTS
from agent.ui.printable import printable

MAX_NAME = 60  # characters
_LINKS = re.compile(r"(www)\.|(mailto|https?|ftps?|file|javascript):", re.IGNORECASE)
_ICONS = {"encrypt": "security-high", "inform": "dialog-information"}


@dataclass(frozen=True, slots=True)
class Voice:
    """The reader's language, the catalogue, and what the policy words otherwise."""

    language: str
    translate: Callable[[str], str]
    own: Mapping[str, Mapping[str, str]] = field(default_factory=dict)
    lessons: Mapping[str, Mapping[str, str]] = field(default_factory=dict)

    def text(self, word: str, **fields: object) -> str:
        """The text of a word of TEXTS."""
        text = self.own.get(word, {}).get(self.language) or self.translate(TEXTS[word])
        return text.format(**fields) if fields else text

    def lesson(self, rule: str) -> str:
        """What is explained the first times about a rule."""
        texts = self.lessons.get(rule) or self.lessons.get("", {})
        return texts.get(self.language) or self.text("lesson")


def word_of(notice: Mapping[str, Any]) -> str:
    """Which text of TEXTS fits: its title is ``word-title``."""
    if notice["result"] not in {"done", "examining"}:
        return "failed"
    if notice["about"] == "name":
        return "name"
    if notice["again"]:
        return "away"
    return {"encrypt": "sealed", "block": "refused", "justify": "held"}.get(notice["decision"], "told")


def shown(notice: Mapping[str, Any], voice: Voice, *, lesson: bool = False) -> Shown:
    """What the notice says; ``lesson``: with two sentences on why."""
    if not notice["rule"] and not notice["name"]:  # about no document: the agent's own words
        return Shown("Serment", _message(notice, voice), icon="security-high")
    word = word_of(notice)
    lines = [documents(notice, voice.translate), _message(notice, voice) or voice.text(word)]
    if word == "name":
        lines[1] = voice.text("name")
    if lesson:
        lines.append(voice.lesson(notice["rule"]))
    buttons = tuple((offer, voice.text(f"button-{offer}")) for offer in notice["offers"])
    if buttons and not lesson:
        lines.append(voice.text("later"))
    icon = _ICONS.get(notice["decision"], "security-medium")
    body = "\n".join(line for line in lines if line)
    return Shown(voice.text(f"{word}-title"), body, buttons, icon, voice.text("button-answer"))


def documents(notice: Mapping[str, Any], translate: Callable[[str], str]) -> str:
    """« lettre.pdf » and how many more."""
    name = safe_name(base64.b64decode(notice["name"]))
    if notice["count"] > 1:
        return translate(N_("« {name} » and {count} more")).format(name=name, count=notice["count"] - 1)
    return translate(N_("« {name} »")).format(name=name) if name else ""


def safe_name(name: bytes, limit: int = MAX_NAME) -> str:
    """The name as it may be shown on a desktop."""
    return _LINKS.sub(lambda found: f"{found[1] or found[2]}{'·' if found[1] else ' :'}", printable(name, limit))


def _message(notice: Mapping[str, Any], voice: Voice) -> str:
    message = notice["message"]
    return str(message.get(voice.language) or next(iter(message.values()), ""))


def why_kept(progress: Mapping[str, Any], how: str, voice: Voice) -> str:
    """What kept an answer's documents from going the way ``how``, and what to do about it."""
    problem = str(progress.get("fields", {}).get("problem", ""))
    if how != "mail" and (problem == "gone" or not progress.get("message")):
        return voice.text("plug-in")
    from agent.ui.wording import OBSTACLES  # much, for what happens seldom

    if problem in OBSTACLES:
        said = voice.translate(OBSTACLES[problem])
    else:
        said = SermentError(progress["message"], **progress["fields"]).said(voice.translate)[0]
    return voice.translate(N_("It is still kept: {problem}. Answer again when that is mended.")).format(problem=said)
