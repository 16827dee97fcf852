"""DOCX and PPTX (ECMA-376): the text of every XML part, wherever in the package it stands; XLSX goes on to ``xlsx``.

Part names are compared in lower case with slashes, because real writers use backslashes and odd case. Relationships
decide
nothing: a part that no relationship names is still in the file that leaves.
"""

from __future__ import annotations

import html
import re

from agent.document import Area, Format, Spot
from agent.extraction.formats import workbook, xlsb, xlsx
from agent.extraction.formats.base import PROPERTIES, Job
from agent.extraction.formats.flow import CELL, DROP, HYPHEN, LINE, ROW, TAB, TURNED, flow, has_text, spoken
from agent.extraction.formats.package import embed, note_pictures, part, picture
from agent.extraction.formats.zipdir import Directory, Member

ACTIONS = {
    "p": LINE,
    "br": LINE,
    "cr": LINE,
    "tab": TAB,
    "ptab": TAB,
    "tc": CELL,
    "tr": ROW,
    "noBreakHyphen": HYPHEN,
    "bdo": TURNED,
    "instrText": DROP,
    "posOffset": DROP,
    "align": DROP,
    "pctWidth": DROP,
    "pctHeight": DROP,
    "v": LINE,
}
_NUMBER = re.compile(r"(\d{1,6})\.xml$")
_VARIABLES = re.compile(rb"<(?:w:docVar|w:default|p:tag) [^<>]{1,70000}>")
_VALUE = re.compile(rb"(?:val|\s[\w.:-]{1,60})=\"([^\"<>]{3,66000})\"")
_QUOTED = re.compile(rb"instr(?:=\"|Text[^<>]{0,40}>)\s{0,9}(?:QUOTE|SET|COMMENTS)\s([^<>]{3,66000})")
_MOST_STORED = 2000
_OVERRIDE = re.compile(rb"<Override\s[^>]{0,600}>")
_ASIDE = re.compile(rb"<!--.*?(?:-->|\Z)|<\?.*?(?:\?>|\Z)", re.DOTALL)  # declares nothing
_PART_NAME = re.compile(rb"PartName=\"/?([^\"]{1,300})\"")
# parts of these types hold fonts, colours and styles; their type is looked up because a name proves nothing
_FORMATTING = (
    b"styles+xml",
    b"stylesWithEffects+xml",
    b"theme+xml",
    b"fontTable+xml",
    b"webSettings+xml",
    b"themeManager+xml",
)
# bibliographies, cover pages and the properties of a document store
_OWN_SPACES = (b"schemas.openxmlformats.org", b"schemas.microsoft.com", b"schemas.mendeley.com")
_SKIPPED = re.compile(
    r"(?:^|/)_rels/|^\[content_types\]|^customxml/itemprops|thumbnail\.|\.odttf$|\.rels$|printersettings|vbaproject"
)


def read(job: Job, directory: Directory) -> None:
    """Format.DOCX, XLSX, PPTX."""
    formatting = _formatting(job, directory)
    members = [
        member
        for member in directory.members
        if not member.directory and member.name not in formatting and not _SKIPPED.search(member.name)
    ]
    texts = [member for member in members if member.name.endswith((".xml", ".vml"))]
    texts += [member for member in directory.members if _may_be_body(job, member)]
    if job.document.format is Format.XLSX:
        book = workbook.find(job, directory)
        xlsx.read_sheets(job, book)
        texts, members = ([each for each in some if each.name not in book.names()] for some in (texts, members))
        if any(member.name == "xl/workbook.bin" for member in members):
            members = xlsb.read_sheets(job, members)
    for member in sorted(texts, key=_order):
        _read_part(job, member)
    others = [member for member in members if not member.name.endswith((".xml", ".vml"))]
    pictures = [member for member in others if picture(member)]
    for member in others:
        if not picture(member):
            embed(job, member)
    note_pictures(job, pictures)


def _may_be_body(job: Job, member: Member) -> bool:
    """Whether a part that is skipped by its name has text: a name is free, the relations say what a part is."""
    if not member.name.endswith(".xml") or member.name.startswith("[") or not _SKIPPED.search(member.name):
        return False
    return has_text(part(job, member))


def _formatting(job: Job, directory: Directory) -> frozenset[str]:
    """Names of the parts that hold formatting only, by the types that the package declares."""
    listing = next((member for member in directory.members if member.name == "[content_types].xml"), None)
    if listing is None:
        return frozenset()
    found: set[str] = set()
    for element in _OVERRIDE.findall(_ASIDE.sub(b"", part(job, listing))):
        name = _PART_NAME.search(element)
        if name and any(kind + b'"' in element for kind in _FORMATTING):
            found.add(name.group(1).decode("utf-8", "replace").lower())
    return frozenset(found - {"xl/styles.xml"})


def _order(member: Member) -> tuple[int, int]:
    """The body first, then headers and the like: what is cut by a limit should be what matters least."""
    name = member.name
    rank = 0 if name.startswith(("word/document", "ppt/slides/")) else 1 if name.startswith(("word/", "ppt/")) else 2
    match = _NUMBER.search(name)
    return rank, int(match.group(1)) if match else 0


def _read_part(job: Job, member: Member) -> None:
    data = part(job, member)
    if not data:
        return
    spot = _spot(member.name)
    if has_text(data):
        plain = spot.area is Area.PROPERTIES
        job.text(flow(job, data, {} if plain else ACTIONS, LINE if plain else 0), spot)
    if member.name.startswith("customxml/") and not any(space in data[:2048] for space in _OWN_SPACES):
        job.child(data, "xml", spot)  # data that another program put there: its own tags say what it is
    extra = spoken(data) + _stored(data, member.name)
    if "pivotcache" in member.name:
        extra += xlsx.cached_values(data)
    job.text("\n".join(extra), PROPERTIES)


def _stored(data: bytes, name: str) -> list[str]:
    """Text in attributes: variables of the document, presets of form fields, tags, data that fields are bound to; and
    the text that a field only quotes.
    """
    found = [match for element in _VARIABLES.findall(data)[:_MOST_STORED] for match in _VALUE.findall(element)]
    if name.startswith("customxml/"):
        found += _VALUE.findall(data)[:_MOST_STORED]
    found += _QUOTED.findall(data)[:_MOST_STORED] if b"instr" in data else []
    return [html.unescape(value.decode("utf-8", "replace")) for value in found if not value.startswith(b"http")]


def _spot(name: str) -> Spot:
    if name.startswith(("word/header", "word/footer")):
        return Spot(Area.HEADER)
    if name.startswith(("ppt/slides/", "ppt/notesslides/")):
        match = _NUMBER.search(name)
        return Spot(Area.SLIDE, int(match.group(1)) if match else 0)
    if name.startswith(("word/", "ppt/", "xl/comments", "xl/drawings", "xl/threadedcomments", "xl/charts")):
        return Spot(Area.BODY)
    return Spot(Area.PROPERTIES)
