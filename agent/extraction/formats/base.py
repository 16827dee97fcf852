"""What every reader of a format is handed: one document being read, and the only ways to add to it.

A reader is a function ``read(job)``: it fills ``job.document`` and returns, or raises ``Stop`` with the problem;
either way what it added before stays. It charges ``job.budget`` before it allocates, never opens a path, starts no
thread and no process, and keeps no state between documents. Any other exception means « corrupt » to the caller.
"""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import dataclass

from agent.document import Area, Document, Format, Part, Problem, Spot
from agent.extraction.limits import Budget, Stop
from agent.extraction.source import BytesSource, Source

BODY = Spot()
PROPERTIES = Spot(Area.PROPERTIES)
ATTACHMENT = Spot(Area.ATTACHMENT)
_HOLE = bytes(512)  # a sector
_WEIGHT = {Problem.IMAGE: 0, Problem.ENCRYPTED: 2}


@dataclass(slots=True)
class Job:
    """One document being read; ``depth`` counts the containers around it (0: the file itself)."""

    source: Source
    document: Document
    budget: Budget
    depth: int
    recurse: Callable[[Source, str, Budget, int], Document]
    head: bytes = b""  # the first bytes, as many as sniffing wants

    def fail(self, problem: Problem) -> None:
        """Note what could not be read; « encrypted » explains more than « corrupt », and both more than « image »."""
        now = self.document.problem
        if now is None or _WEIGHT.get(problem, 1) > _WEIGHT.get(now, 1):
            self.document.problem = problem

    def whole(self, limit: int = 0) -> bytes:
        """All bytes of a format that cannot be read in pieces. Raises ``Stop(TOO_LARGE)``."""
        if self.source.size > (limit or self.budget.limits.whole_bytes):
            raise Stop(Problem.TOO_LARGE)
        return self.source.pread(self.source.size, 0)

    def doubt(self, data: bytes) -> None:
        """What stood in a text where there is a block of zeros now is lost: a bad sector, a copy that broke off. After
        the end of the last line they are room that was kept, or the data that the text describes.
        """
        at = data.find(_HOLE)
        if at >= 0 and (data[at - 1 : at] not in {b"\n", b"\r"} or data[at:].strip(b"\0")):
            self.fail(Problem.CORRUPT)

    def text(self, text: str, spot: Spot = BODY) -> None:
        """Add a piece of text; what exceeds the budget is cut, and the document says so."""
        if not text or text.isspace():
            return
        text = sound(text)
        granted = self.budget.take_chars(len(text))
        if granted < len(text):
            self.document.truncated = True
            text = text[:granted]
        if text:
            self.document.parts.append(Part(text, spot))

    def field(self, name: str, value: str) -> None:
        """Set a named field once; the first value wins, later ones of the same name are appended on a new line."""
        fields, limits = self.document.fields, self.budget.limits
        if not value or (len(fields) >= limits.fields and name not in fields):
            return
        old = fields.get(name)
        if old is not None:
            value = old if len(old) >= limits.field_chars else f"{old}\n{value}"
        fields[name] = sound(value[: limits.field_chars])

    def child(self, data: bytes, extension: str = "", spot: Spot = ATTACHMENT, name: str = "") -> Document:
        """Read something that was inside; ``name`` is judged as text because a patient's name may stand in it."""
        return self.child_of(BytesSource(data), extension, spot, name)

    def child_of(self, source: Source, extension: str, spot: Spot, name: str = "") -> Document:
        """The same for bytes that are read on demand."""
        self.budget.part()
        if self.depth >= self.budget.limits.depth:
            child = Document(Format.UNKNOWN, size=source.size, extension=extension, problem=Problem.TOO_DEEP)
        else:
            child = self.recurse(source, extension or extension_of(name), self.budget, self.depth + 1)
        return self.adopt(child, spot, name)

    def adopt(self, child: Document, spot: Spot, name: str = "") -> Document:
        """Hang a node under this document."""
        child.spot = spot
        if name:
            child.parts.insert(0, Part(sound(name[:1024]), Spot(Area.MEMBER)))
        self.document.children.append(child)
        return child


def sound(text: str) -> str:
    """The same text without lone surrogates, so that everything after may encode it."""
    try:
        text.encode("latin-1")  # nearly every text, and nothing is copied letter by letter
        return text
    except UnicodeEncodeError:
        pass
    try:
        text.encode()
    except UnicodeEncodeError:
        return text.encode("utf-16-le", "surrogatepass").decode("utf-16-le", "replace")
    return text


def extension_of(name: str) -> str:
    """The extension of a member's name: lower case, without the dot, at most 16 ASCII letters and digits, or empty."""
    base = name.replace("\\", "/").rsplit("/", 1)[-1]
    _, dot, extension = base.rpartition(".")
    extension = extension.lower()
    return extension if dot and len(extension) <= 16 and extension.isascii() and extension.isalnum() else ""
