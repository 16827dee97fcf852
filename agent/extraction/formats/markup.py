"""XML of any vocabulary → readable text: what stands between the tags, what stands in attributes, and the raw bytes.

Entities are never expanded and nothing external is ever loaded. A file whose markup is broken is read as plain text
with the tags blotted out, so nothing visible is lost; where it says that it is XML it is « corrupt » besides.
Recognising CDA, FHIR and the rest is the detection's work, on ``raw``.
"""

from __future__ import annotations

import re
from xml.parsers import expat

from agent.document import Area, Problem, Spot
from agent.extraction.formats import blotted, inside, outlines, text
from agent.extraction.formats.base import Job
from agent.extraction.formats.charset import bom_of, decode, wide_of
from agent.extraction.limits import Stop

_CHUNK = 256 * 1024
_DECLARED = re.compile(rb"\A(?:\xef\xbb\xbf)?\s*<\?xml[^>]{0,200}?encoding\s*=\s*[\"']([A-Za-z0-9._-]{1,40})[\"']")
_LONG = 20_000  # one run of characters: longer ones are encoded documents, which the base64 search reads
_INLINE_WORDS = "b i u em strong sup sub italic bold span a para p title text content br emph font q td th li tspan"
_INLINE = frozenset(_INLINE_WORDS.split())
_DAMAGE = frozenset(
    {
        "no element found",
        "unclosed token",
        "partial character",
        "mismatched tag",
        "unclosed CDATA section",
        "not well-formed (invalid token)",
        "XML declaration not well-formed",
    }
)  # of expat's errors, those of a file that was whole once
_BY_HAND = re.compile(rb"(?:&[\w#-]{0,40}|[<=])\Z")  # before the place where the parser stops: what people write
_IN_TEMPLATES = b"{%$?&"
_EXPAT_ENCODINGS = frozenset({"utf-8", "us-ascii", "iso-8859-1", "utf-16"})


class EntityDeclared(Exception):
    """The document declares an entity: it may be a bomb, and it is read as plain text instead."""


class Listener:
    """Collects the text of an XML stream: one line per leaf, labelled with its element's name when it stands alone."""

    def __init__(self, job: Job) -> None:
        self._job = job
        self._budget = job.budget
        self._lines: list[str] = []
        self._values: list[str] = []
        self._line: list[str] = []
        self._leaf = False
        self._mixed = False  # text came before the current element: prose, not a record
        self._depth = 0
        self._size = 0
        self.documents: list[str] = []  # texts of elements that are documents themselves

    def start(self, name: str, attributes: list[str]) -> None:
        self._budget.element()
        self._depth += 1
        if self._depth > self._budget.limits.nesting:
            raise Stop(Problem.TOO_DEEP)
        for value in attributes[1::2]:
            if len(value) > 2 and value[:4] not in blotted.DULL:
                self._values.append(value)
        self._mixed = bool(self._line)
        self._leaf = True

    def end(self, name: str) -> None:
        self._depth -= 1
        local = name.rpartition(":")[2]
        if not self._line:
            self._leaf = False
            return
        if self._is_document():
            self.documents.append("".join(self._line))
            self._line.clear()
        elif self._leaf and not self._mixed and len(local) > 2 and local not in _INLINE:
            self._lines.append(f"{local}: {''.join(self._line).strip()}")
            self._line.clear()
        elif local not in _INLINE or local in {"p", "para", "title", "br", "td", "th", "li"}:
            self._lines.append("".join(self._line).strip())
            self._line.clear()
        else:
            self._line.append(" ")
        self._leaf = False

    def characters(self, data: str) -> None:
        if not self._line and data.isspace():
            return
        self._size += len(data)
        if (len(data) < _LONG or self._is_readable(data)) and self._size <= self._budget.limits.text_chars:
            self._line.append(data)

    def carried(self) -> list[str]:
        """The documents that were met, with the one that the cut of this document has cut."""
        unfinished = "".join(self._line) if self._line and self._is_document() else ""
        return [*self.documents, unfinished] if unfinished else self.documents

    def _is_document(self) -> bool:
        return inside.is_document(
            self._line[0] if len(self._line) == 1 else "".join(part[:1_000] for part in self._line[:4])
        )

    def _is_readable(self, data: str) -> bool:
        """A long run that is not base64: a document within the document, or its continuation."""
        return bool(self._line and self._is_document()) or inside.is_document(data) or data.count(" ", 0, 1000) > 20

    def comment(self, data: str) -> None:
        if len(data) > 3:
            self._values.append(data[:_LONG].strip())

    def flush(self) -> None:
        """Hand over what was collected, also after a failure."""
        if self._line:
            self._lines.append("".join(self._line).strip())
        self._job.text("\n".join(self._lines))
        self._job.text("\n".join(self._values), Spot(Area.FIELD))


def parser_for(data: bytes, encoding: str | None = "utf-8") -> expat.XMLParserType:
    """A parser for ``data`` that refuses entity declarations (``EntityDeclared``, while parsing) and never looks
    outside.

    ``encoding`` overrides what the document declares, unless it begins with a byte-order mark of UTF-16.
    """
    parser = expat.ParserCreate(None if data[:2] in {b"\xff\xfe", b"\xfe\xff"} else encoding)
    parser.SetParamEntityParsing(expat.XML_PARAM_ENTITY_PARSING_NEVER)
    parser.EntityDeclHandler = _refuse
    parser.ExternalEntityRefHandler = lambda *_: 1  # skipped, as if it were empty
    parser.buffer_text = True
    parser.buffer_size = 64 * 1024
    return parser


def _refuse(*_declaration: object) -> None:
    raise EntityDeclared


def read(job: Job) -> None:
    """Format.XML."""
    limits = job.budget.limits
    if job.source.size > limits.raw_bytes:
        job.document.truncated = True
    data = job.source.pread(limits.raw_bytes, 0)
    job.document.raw = data
    if not _parse(job, data):
        blotted.read(job, decode(data))
    letters = outlines.drawn_letters(data)
    if letters and letters > sum(map(len, _told(job, data))):
        job.fail(Problem.IMAGE)
    text.children(job, _narrow(data))


def _told(job: Job, data: bytes) -> list[str]:
    """What can be read of a drawing: its texts, and comments by which programs say what they draw."""
    shown = [piece.text for piece in job.document.parts if piece.spot.area is Area.BODY]
    return shown + list(blotted.comments(decode(data)))


def _parse(job: Job, data: bytes) -> bool:
    """Whether the markup could be followed to its end (a document that was cut by a limit need not end)."""
    listener = Listener(job)
    parser = parser_for(data, "utf-8" if _must_reencode(data) else None)
    parser.ordered_attributes = True
    parser.StartElementHandler = listener.start
    parser.EndElementHandler = listener.end
    parser.CharacterDataHandler = listener.characters
    parser.CommentHandler = listener.comment
    try:
        data = _reencoded(data)
        for at in range(0, len(data), _CHUNK):
            job.budget.tick()
            parser.Parse(data[at : at + _CHUNK], False)  # not yet the last: then the text before a cut is told
        if not job.document.truncated:
            parser.Parse(b"", True)
    except (EntityDeclared, expat.ExpatError, ValueError, LookupError) as error:
        inside.adopt(job, listener.carried())
        if isinstance(error, expat.ExpatError) and _is_damaged(data, error, parser.ErrorByteIndex):
            job.fail(Problem.CORRUPT)
        return False
    except Stop:
        listener.flush()
        raise
    listener.flush()
    inside.adopt(job, listener.carried())
    return True


def _is_damaged(data: bytes, error: expat.ExpatError, at: int) -> bool:
    """Whether this was XML once: it says so, and does not just break a rule that people break (a bare « & »)."""
    head = data[:1024]
    if b"<?xml" not in head[:64] and b"xmlns" not in head:
        return False
    said = expat.errors.messages.get(error.code, "")
    return said in _DAMAGE and not ("invalid token" in said and _is_by_hand(data, at))


def _is_by_hand(data: bytes, at: int) -> bool:
    """Whether the token at which the parser stopped is one that people or templates write, not chance."""
    here = data[at : at + 1]
    if here in _IN_TEMPLATES or data[at : at + 2] == b"<%":
        return True
    return b" " <= here < b"\x7f" and _BY_HAND.search(data[max(0, at - 42) : at]) is not None


def _must_reencode(data: bytes) -> bool:
    if bom_of(data):
        return "32" in bom_of(data)
    match = _DECLARED.match(data)
    if match is None:
        return bool(wide_of(data)) or not _is_utf8(data)
    declared = match.group(1).decode("ascii").lower()
    if declared == "utf-8":
        return not _is_utf8(data)
    return declared not in _EXPAT_ENCODINGS or declared == "utf-16"


def _is_utf8(data: bytes) -> bool:
    try:
        data.decode("utf-8")
    except UnicodeDecodeError as error:
        return error.start >= len(data) - 3
    return True


def _reencoded(data: bytes) -> bytes:
    if not _must_reencode(data):
        return data
    match = _DECLARED.match(data)
    return decode(data, match.group(1).decode("ascii") if match else "").encode("utf-8", "replace")


def _narrow(data: bytes) -> bytes:
    wide = bom_of(data) or wide_of(data)
    return data if not wide or wide == "utf-8" else data.decode(wide, "ignore").encode("utf-8", "replace")
