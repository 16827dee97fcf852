"""Which part of a workbook is what (ECMA-376 part 1, 12.3): by its usual name, else by its root element, for a name is
free. Of several lists of strings the one counts that a relationship names.
"""

from __future__ import annotations

import re
from dataclasses import dataclass, field

from agent.extraction.formats.base import Job
from agent.extraction.formats.package import part, picture
from agent.extraction.formats.zipdir import Directory, Member, read_member
from agent.extraction.limits import Stop
from agent.extraction.sniff import HEAD

_USUAL = {"xl/sharedstrings.xml": "sst", "xl/styles.xml": "styleSheet", "xl/workbook.xml": "workbook"}
_SHEET = re.compile(r"^xl/(?:worksheets|dialogsheets|macrosheets)/[^/]*\.xml$")
_SHEETS = frozenset({"worksheet", "dialogsheet", "macrosheet"})
_ASIDE = re.compile(rb"<!--.*?(?:-->|\Z)|<\?.*?(?:\?>|\Z)|<![^<>]*>", re.DOTALL)
_ROOT = re.compile(rb"\A[\s\xef\xbb\xbf]*<(?:[\w.-]{1,40}:)?([A-Za-z]{1,40})[\s/>]")
_STRINGS_AT = re.compile(rb"<Relationship\s[^<>]{0,600}/sharedStrings\"[^<>]{0,600}>")
_TARGET = re.compile(rb"\bTarget=\"(?:\.\.?/|/)*([^\"]{1,300})\"")
_NUMBER = re.compile(r"(\d{1,6})\.[a-z]*$")


@dataclass(slots=True)
class Workbook:
    """The parts that make the tables; ``sheets`` in the order of the numbers in their names."""

    strings: Member | None = None
    styles: Member | None = None
    book: Member | None = None
    sheets: list[tuple[int, Member]] = field(default_factory=list)

    def names(self) -> frozenset[str]:
        """The names of all of them."""
        single = [member.name for member in (self.strings, self.styles, self.book) if member is not None]
        return frozenset(single + [member.name for _number, member in self.sheets])


def find(job: Job, directory: Directory) -> Workbook:
    """The workbook of a package."""
    found = Workbook()
    strings: list[Member] = []
    for member in directory.members:
        root = _kind(job, member)
        if root in _SHEETS:
            match = _NUMBER.search(member.name)
            found.sheets.append((int(match[1]) if match else 0, member))
        elif root == "sst":
            strings.append(member)
        elif root == "styleSheet" and (found.styles is None or member.name in _USUAL):
            found.styles = member
        elif root == "workbook" and (found.book is None or member.name in _USUAL):
            found.book = member
    found.sheets.sort(key=lambda pair: pair[0])
    found.strings = strings[0] if len(strings) == 1 else _named(job, directory, strings)
    return found


def _kind(job: Job, member: Member) -> str:
    """The root element of a part, without its prefix; empty for what is no XML."""
    if _SHEET.match(member.name):
        return "worksheet"
    if member.name in _USUAL:
        return _USUAL[member.name]
    if member.directory or member.name.endswith(".rels") or picture(member):
        return ""
    job.budget.tick()
    try:
        head, _complete = read_member(job.source, member, job.budget, HEAD)
    except Stop:
        return ""  # its reader says why
    match = _ROOT.match(_ASIDE.sub(b"", head))
    return match[1].decode("ascii") if match else ""


def _named(job: Job, directory: Directory, strings: list[Member]) -> Member | None:
    for member in directory.members if len(strings) > 1 else ():
        if member.name.endswith(".rels"):
            for element in _STRINGS_AT.findall(part(job, member)):
                target = _TARGET.search(element)
                path = target[1].decode("utf-8", "replace").lower() if target else ""
                for each in reversed(strings):
                    if path and f"/{each.name}".endswith(f"/{path}"):
                        return each
    return strings[0] if strings else None
