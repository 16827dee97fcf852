"""The running text of an office XML part: paragraphs as lines, cells of one row on one line, tabs and breaks as such.

One expat pass with two callbacks; element names are looked up without their prefix, whatever prefix the writer chose.
Broken markup raises ``Broken`` after handing over what was read.
"""

from __future__ import annotations

import html
import re
from collections.abc import Mapping
from xml.parsers import expat

from agent.document import Problem
from agent.extraction.formats.base import Job
from agent.extraction.formats.charset import decode
from agent.extraction.formats.markup import EntityDeclared, parser_for
from agent.extraction.limits import Stop

LINE, TAB, SPACE, CELL, ROW, DROP, HYPHEN, TURNED = range(1, 9)
_CHUNK = 128 * 1024
_WHITE = b" \t\r\n"
_TAGS = re.compile(r"<[^<>]*>")
_SPOKEN = (b' descr="', b' title="', b' author="', b' alt="')
_MAX_SPOKEN = 2000
Actions = Mapping[str, int]


def has_text(data: bytes) -> bool:
    """Whether anything stands between the tags: parts that only hold formatting are not worth parsing."""
    compact = data.translate(None, _WHITE)
    return compact.count(b">") - compact.count(b"><") > 1 or b"<![CDATA[" in data


def flow(job: Job, data: bytes, actions: Actions, fallback: int = 0) -> str:
    """The text of one part. ``actions`` says what the end of an element does, ``fallback`` what all others do."""
    collector = _Collector(actions, fallback)
    parser = parser_for(data)
    if collector.looks_at_beginnings(data):
        parser.StartElementHandler = collector.start
    parser.EndElementHandler = collector.end
    parser.CharacterDataHandler = collector.pieces.append
    try:
        for at in range(0, len(data), _CHUNK):
            job.budget.tick()
            parser.Parse(data[at : at + _CHUNK], at + _CHUNK >= len(data))
    except (expat.ExpatError, EntityDeclared, ValueError, LookupError):
        job.fail(Problem.CORRUPT)
        return html.unescape(_TAGS.sub(" ", decode(data)))
    except Stop as stop:
        job.fail(stop.problem)
    job.budget.element(collector.elements)
    return "".join(collector.pieces)


class _Collector:
    """What the callbacks write to; the hot path is one dictionary look-up an element."""

    def __init__(self, actions: Actions, fallback: int) -> None:
        self.pieces: list[str] = []
        self.elements = 0
        self._actions = actions
        self._fallback = fallback
        self._known: dict[str, int] = {}
        self._since = -1

    def looks_at_beginnings(self, data: bytes) -> bool:
        """Whether elements whose text is left out, or runs from right to left, are in a part: most have none."""
        return any(name.encode() in data for name, action in self._actions.items() if action in {DROP, TURNED})

    def start(self, name: str, attributes: dict[str, str]) -> None:
        """Note where the text of an element begins that is to be left out, and that no other one is within it; mark
        text whose letters are shown backwards.
        """
        action = self._actions.get(name.rpartition(":")[2])
        self._since = len(self.pieces) if action == DROP else -1
        if action == TURNED and "rtl" in attributes.values():
            self.pieces.append("\u202e")

    def end(self, name: str) -> None:
        action = self._known.get(name)
        if action is None:
            self.elements += 1
            action = self._actions.get(name.rpartition(":")[2], self._fallback)
            if len(self._known) < 5000:
                self._known[name] = action
        if action:
            self._act(action)

    def _act(self, action: int) -> None:
        pieces = self.pieces
        if action == LINE:
            pieces.append("\n")
        elif action == TAB:
            pieces.append("\t")
        elif action == SPACE:
            pieces.append(" ")
        elif action == HYPHEN:
            pieces.append("-")
        elif action == TURNED:
            pieces.append("\u202c")
        elif action == DROP:
            if self._since >= 0:
                del pieces[self._since :]
            self._since = -1
        else:
            while pieces and pieces[-1] in {"\n", "\t"}:
                pieces.pop()
            pieces.append("\t" if action == CELL else "\n")


def spoken(data: bytes) -> list[str]:
    """Descriptions that a screen reader would speak, and authors: text in attributes."""
    found: list[str] = []
    for key in _SPOKEN:
        at = data.find(key)
        while at >= 0 and len(found) < _MAX_SPOKEN:
            start = at + len(key)
            end = data.find(b'"', start)
            if end - start > 2:
                found.append(html.unescape(data[start:end].decode("utf-8", "replace")))
            at = data.find(key, start)
    return found
