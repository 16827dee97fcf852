"""Mail: one message (RFC 5322 with MIME) or a mailbox of many. Headers, bodies, attachments as children.

Bodies are split here, without recursion into the library's parser, so that nesting is bounded and said; header
parameters and
encoded words are left to the standard library. Encrypted mail (S/MIME, PGP) is told and not tried.
"""

from __future__ import annotations

import binascii
import email.parser
import quopri
import re
from email.errors import HeaderParseError
from email.header import decode_header
from email.message import Message

from agent.document import Area, Document, Format, Problem, Spot
from agent.extraction.formats import html, text
from agent.extraction.formats.base import BODY, Job
from agent.extraction.formats.charset import decode
from agent.extraction.limits import KIB
from agent.extraction.source import BytesSource

_BASE64 = b"ABCDEFGHIJKLMNOPQRSTUVWXYZabcdefghijklmnopqrstuvwxyz0123456789+/="
_PADDED = re.compile(rb"\n[A-Za-z0-9+/]{2,58}={1,2}\Z")  # the end of base64
_BLANK = re.compile(rb"\r?\n[ \t]*\r?\n")
_UNFOLD = re.compile(r"\r?\n[ \t]+")
_FIELD = re.compile(r"^([!-9;-~]{1,80}):[ \t]*(.*)$")
_FROM_LINE = re.compile(
    rb"^From [^\r\n]{1,300}\d{4}[^\r\n]{0,20}\r?\n(?:>From [^\r\n]*\r?\n)?(?=[A-Za-z][\w-]*:)", re.MULTILINE
)
_HEADER_BYTES = 256 * KIB
_PEOPLE = frozenset(
    {"from", "to", "cc", "bcc", "reply-to", "sender", "subject", "thread-topic", "date", "organization"}
)
_ARMOUR = b"-----BEGIN PGP MESSAGE-----"
_BACKTICK = bytes.maketrans(b"`", b" ")  # either stands for zero
_UU = re.compile(rb"^begin [0-7]{3} ([^\r\n]{1,200})\r?\n", re.MULTILINE)
_UU_NAMES = frozenset({"x-uuencode", "x-uue", "uuencode", "uue"})  # never registered, and written nonetheless
_MAX_PARTS_DEPTH = 20
_PREAMBLE = 200  # bytes: less is « this message has several parts »


def read(job: Job) -> None:
    """Format.EML."""
    data = job.whole()
    job.doubt(data)
    start = len(data) - len(data.lstrip())
    block, body = _split(data[start:])
    message = _headers(block)
    _fields(job, block)
    if not job.depth and _is_cut(message, data, body):
        job.fail(Problem.CORRUPT)
    _part(job, message, body, 0)
    if not job.document.fields:
        job.text(decode(data))


def read_mailbox(job: Job) -> None:
    """Format.MBOX: each message is a child."""
    data = job.whole()
    starts = list(_FROM_LINE.finditer(data))
    for number, match in enumerate(starts, 1):
        end = starts[number].start() if number < len(starts) else len(data)
        message = data[match.end() : end]
        job.child(message, "eml", Spot(Area.ATTACHMENT, number))


def _split(data: bytes) -> tuple[bytes, bytes]:
    match = _BLANK.search(data)
    if match is None:
        return data[:_HEADER_BYTES], b""
    return data[: min(match.start(), _HEADER_BYTES)], data[match.end() :]


def _headers(block: bytes) -> Message:
    return email.parser.BytesHeaderParser().parsebytes(block + b"\r\n\r\n")


def _fields(job: Job, block: bytes) -> None:
    """Header fields of the message: names in lower case, encoded words decoded."""
    lines: list[str] = []
    for line in _UNFOLD.sub(" ", decode(block)).splitlines():
        match = _FIELD.match(line)
        if match is None:
            lines.append(line)
            continue
        name, value = match.group(1).lower(), words(match.group(2))
        job.field(name, value)
        if name == "subject":
            job.text(value, Spot(Area.SUBJECT))
        elif name in _PEOPLE:
            lines.append(f"{match.group(1)}: {value}")
    job.text("\n".join(lines), Spot(Area.HEADER))


def words(value: str) -> str:
    """A header's text with its encoded words (RFC 2047) decoded; what is broken stays as written."""
    if "=?" not in value:
        return value.strip()
    try:
        pieces = decode_header(value)
    except (ValueError, LookupError, binascii.Error, HeaderParseError):
        return value
    return "".join(
        piece if isinstance(piece, str) else decode(piece, charset or "") for piece, charset in pieces
    ).strip()


def _part(job: Job, message: Message, body: bytes, depth: int) -> None:
    """One MIME part, into the document or as a child of it."""
    job.budget.part()
    kind = message.get_content_type()
    if _is_encrypted(message, kind):
        job.fail(Problem.ENCRYPTED)
        return
    boundary = _boundary(message) if kind.startswith("multipart/") else b""
    if boundary:
        if depth >= _MAX_PARTS_DEPTH:
            job.fail(Problem.TOO_DEEP)
            return
        for piece in _pieces(body, boundary):
            block, inner = _split(piece) if not piece.startswith((b"\r\n", b"\n")) else (b"", piece)
            _part(job, _headers(block), inner, depth + 1)
        return
    data = _content(message, body)
    if _is_encoded(message) and _is_torn(body):
        job.fail(Problem.CORRUPT)
    job.budget.inflate(len(data))
    name = _file_name(message)
    if kind == "message/rfc822" or name or not kind.startswith("text/"):
        _attach(job, kind, data, name)
    else:
        _body(job, message, kind, data)


def _is_encrypted(message: Message, kind: str) -> bool:
    if kind == "multipart/encrypted":
        return True
    if kind not in {"application/pkcs7-mime", "application/x-pkcs7-mime"}:
        return False  # what carries no name for its kind is judged by its bytes
    return _parameter(message, "smime-type").lower() in {"enveloped-data", "authenveloped-data"}


def _parameter(message: Message, name: str, header: str = "content-type") -> str:
    """A header parameter, continued or encoded (RFC 2231) as it may be. The library's own getters would look up any
    codec.
    """
    value = message.get_param(name, "", header)
    if not isinstance(value, tuple):
        return str(value or "")
    charset, _language, text_ = value
    return decode(text_.encode("latin-1", "replace"), charset or "")


def _boundary(message: Message) -> bytes:
    value = _parameter(message, "boundary").rstrip()
    return (
        b"--" + value.encode("ascii", "surrogateescape" if value.isascii() else "replace")
        if 0 < len(value) <= 200
        else b""
    )


def _pieces(body: bytes, boundary: bytes) -> list[bytes]:
    """What stands between the boundary lines, and before and after them, where mail programs do not look; a missing
    last one is forgiven.
    """
    marks = list(re.finditer(rb"^" + re.escape(boundary) + rb"(--)?[ \t]*\r?$\n?", body, re.MULTILINE))
    found: list[bytes] = []
    if marks and marks[0].start() > _PREAMBLE:
        found.append(b"\n" + body[: marks[0].start()])
    for index, mark in enumerate(marks):
        if mark.group(1):
            found += [b"\n" + body[mark.end() :]] if len(body) - mark.end() > _PREAMBLE else []
            break
        end = marks[index + 1].start() if index + 1 < len(marks) else len(body)
        found.append(body[mark.end() : end].removesuffix(b"\n").removesuffix(b"\r"))
    return found if marks else [b"\r\n" + body]


def _is_cut(message: Message, data: bytes, body: bytes) -> bool:
    """Whether a file ends within a line though another boundary must follow (RFC 2046, 5.1.1), or the end of its
    headers. A last part that is complete and a boundary that was forgotten is a habit of some programs.
    """
    boundary = _boundary(message)
    if boundary and boundary not in body and body.strip():
        return True  # its boundaries are not those that it names
    if data.endswith(b"\n") or _PADDED.search(data[-60:]):
        return False
    return (bool(boundary) and boundary + b"--" not in data) or _BLANK.search(data) is None


def _is_encoded(message: Message) -> bool:
    return str(message.get("content-transfer-encoding", "")).strip().lower() == "base64"


def _is_torn(body: bytes) -> bool:
    """Whether base64 holds other characters, or ends within a group. What follows an empty line was added later."""
    block = (_BLANK.split(body.strip(), maxsplit=1) or [b""])[0].translate(None, b"\r\n\t ")
    return bool(block.translate(None, _BASE64)) or len(block.rstrip(b"=")) % 4 == 1


def _content(message: Message, body: bytes) -> bytes:
    encoding = str(message.get("content-transfer-encoding", "")).strip().lower()
    if encoding == "quoted-printable":
        return quopri.decodestring(body)
    if _is_encoded(message):
        compact = body.translate(None, b"\r\n\t -")
        for cut in (len(compact), len(compact) // 4 * 4):
            try:
                return binascii.a2b_base64(compact[:cut])
            except binascii.Error:
                continue
    if encoding in _UU_NAMES and (match := _UU.search(body)):
        end = body.find(b"\nend", match.end())
        return _uudecode(body[match.end() : end if end >= 0 else len(body)])[0]
    return body


def _file_name(message: Message) -> str:
    name = _parameter(message, "filename", "content-disposition") or _parameter(message, "name")
    return words(name)


def _body(job: Job, message: Message, kind: str, data: bytes) -> None:
    charset = _parameter(message, "charset")
    if _ARMOUR in data[:65536]:
        job.fail(Problem.ENCRYPTED)
    if kind == "text/html":
        raw = job.document.raw
        node = Document(Format.HTML)
        source = BytesSource(decode(data, charset).encode("utf-8", "replace"))
        html.read(Job(source, node, job.budget, job.depth, job.recurse))
        job.document.parts += node.parts
        job.document.children += node.children
        job.document.raw = raw
        return
    data = _uuencoded(job, data)
    job.text(decode(data, charset), BODY)
    text.children(job, data)


def _uuencoded(job: Job, data: bytes) -> bytes:
    """Files within the text, as mail had them before MIME, become children; what is left of the text without them."""
    kept, at = [], 0
    match = _UU.search(data)
    while match:
        end = data.find(b"\nend", match.end())
        if end < 0:
            break
        content, whole = _uudecode(data[match.end() : end])
        _attach(job, "", content, match.group(1).decode("latin-1"))
        if whole:
            kept.append(data[at : match.start()])
            at = end + len(b"\nend")
        match = _UU.search(data, end)
    return b"".join(kept) + data[at:]


def _uudecode(lines: bytes) -> tuple[bytes, bool]:
    """The bytes of an encoded file, and whether every line was one that an encoder writes: others may be text."""
    out, whole = bytearray(), True
    for line in lines.splitlines():
        try:
            piece = binascii.a2b_uu(line)
        except binascii.Error:
            whole = False
            continue
        out += piece
        whole &= binascii.b2a_uu(piece).translate(_BACKTICK).rstrip() == line.translate(_BACKTICK).rstrip()
    return bytes(out), whole


def _attach(job: Job, kind: str, data: bytes, name: str) -> None:
    number = len(job.document.children) + 1
    extension = {"message/rfc822": "eml", "text/html": "html", "text/csv": "csv"}.get(kind, "")
    job.child(data, extension if not name or extension == "eml" else "", Spot(Area.ATTACHMENT, number), name)
