"""A document as the extraction hands it to the detection: text, tables, structure, and what could not be read.

Pure values. A document is a tree: an archive, a mail or a CDA with an embedded PDF has children. Nothing here is
trusted: every string comes from the document. Nothing here ever reaches a log.
"""

from __future__ import annotations

from dataclasses import dataclass, field
from enum import StrEnum


class Format(StrEnum):
    """What the bytes are, judged by the bytes; a file's extension is only a hint."""

    EMPTY = "empty"
    TEXT = "text"
    PDF = "pdf"
    DOCX = "docx"
    XLSX = "xlsx"
    PPTX = "pptx"
    ODT = "odt"
    ODS = "ods"
    ODP = "odp"
    DOC = "doc"
    XLS = "xls"
    PPT = "ppt"
    MSG = "msg"
    OLE = "ole"
    RTF = "rtf"
    HTML = "html"
    EML = "eml"
    MBOX = "mbox"
    XML = "xml"
    JSON = "json"
    NDJSON = "ndjson"
    CSV = "csv"
    DICOM = "dicom"
    HL7V2 = "hl7v2"
    ZIP = "zip"
    TAR = "tar"
    GZIP = "gzip"
    SEVENZIP = "7z"
    RAR = "rar"
    BZIP2 = "bzip2"
    XZ = "xz"
    AGE = "age"
    IMAGE = "image"
    AUDIO_VIDEO = "audio-video"
    EXECUTABLE = "executable"
    FONT = "font"
    SQLITE = "sqlite"
    SIGNAL = "signal"  # ECG, EEG: SCP, EDF, ...
    RESEARCH = "research"  # NIfTI, VCF, ...: health data of nobody named
    UNKNOWN = "unknown"


class Problem(StrEnum):
    """Why (a part of) a document could not be looked at. Any of these on a part makes the whole undecidable unless the
    rest is already enough to call it medical.
    """

    ENCRYPTED = "encrypted"
    CORRUPT = "corrupt"
    TOO_LARGE = "too-large"
    TOO_DEEP = "too-deep"
    TOO_MANY_PARTS = "too-many-parts"
    TIMED_OUT = "timed-out"
    CRASHED = "crashed"
    IMAGE = "image"  # only pixels: needs a reader of images
    UNSUPPORTED = "unsupported"  # a container or document format we know and cannot open
    UNREADABLE = "unreadable"  # the operating system would not give the bytes


class Area(StrEnum):
    """The kind of place within a document that a piece of text or a finding comes from."""

    BODY = "body"
    HEADER = "header"
    PAGE = "page"
    SHEET = "sheet"
    SLIDE = "slide"
    PROPERTIES = "properties"  # title, author, comments, hidden parts
    FIELD = "field"  # a named field of a structured format
    ATTACHMENT = "attachment"
    MEMBER = "member"  # of an archive
    SUBJECT = "subject"
    PICTURE = "picture"  # text that was read from pixels


@dataclass(frozen=True, slots=True)
class Spot:
    """A place within a document: an area and a 1-based number (0: the only one)."""

    area: Area = Area.BODY
    number: int = 0


@dataclass(slots=True)
class Part:
    """A piece of text and where it stands."""

    text: str
    spot: Spot = Spot()


@dataclass(frozen=True, slots=True)
class Code:
    """A bar code or 2D code found in a picture. ``symbology``: datamatrix, qr, aztec, pdf417, code128 or other."""

    symbology: str
    data: bytes  # as decoded, before any character set
    text: str = ""
    spot: Spot = Spot()


@dataclass(slots=True)
class Document:
    """One document or one member of a container.

    ``raw`` holds the whole bytes for structured formats only (DICOM header, XML, JSON, HL7 v2 and other text), bounded
    by the extraction's limits. ``fields`` holds named values where a library parsed the format (DICOM: "0010,0010" →
    text; mail: header names in lower case). ``tables`` holds rows of cells, one list a table. ``problem`` says what
    could not be read of this node; children carry their own.
    """

    format: Format
    size: int = 0  # bytes
    extension: str = ""  # lower case, without the dot, a hint only
    raw: bytes = b""
    fields: dict[str, str] = field(default_factory=dict)
    parts: list[Part] = field(default_factory=list)
    tables: list[list[tuple[str, ...]]] = field(default_factory=list)
    children: list[Document] = field(default_factory=list)
    codes: list[Code] = field(default_factory=list)
    spot: Spot = Spot()
    problem: Problem | None = None
    truncated: bool = False  # a limit cut the text: "nothing found" proves nothing
    looked: bool = False  # its pixels were read: when it has no problem, there is nothing more to see
