"""RTF → text, with headers, footers, notes, comments and document information; embedded objects as children.

Our own small reader, because the libraries drop headers and footers, and the letterhead with the patient's name is
often there.
One pass over tokens with a stack of bounded depth.
"""

from __future__ import annotations

import binascii
import re

from agent.document import Area, Problem, Spot
from agent.extraction.formats.base import PROPERTIES, Job
from agent.extraction.formats.blips import note_rtf
from agent.extraction.formats.charset import known_codec
from agent.extraction.formats.ole import native
from agent.extraction.limits import Stop

_TOKEN = re.compile(r"\\([a-z]{1,32})(-?\d{1,10})? ?|\\'([0-9a-fA-F]{2})|\\([^a-z])|([{}])|[\r\n]+|([^\\{}\r\n]+)")
_HEX = re.compile(rb"[0-9a-fA-F\r\n\t ]{400,}")
_EMPTY_GROUP = re.compile(rb"\{(?:\\[^{}]{0,60})?\}")  # says nothing within the digits of an object
_BINARY = re.compile(rb"(?<!\\)((?:\\\\)*+)\\bin(\d{1,9}) ?")  # not in a path: C:\\bin64
_SKIPPED_WORDS = (
    "fonttbl colortbl stylesheet listtable listoverridetable rsidtbl generator themedata colorschememapping "
    "datastore latentstyles pict objdata xmlnstbl pgdsctbl mmathPr wgrffmtfilter filetbl revtbl listpicture "
    "blipuid blipuidname fldinst bkmkstart bkmkend levelnumbers leveltext sv sn fchars lchars panose falt "
    "operator objclass objname"
)
_SKIPPED = frozenset(_SKIPPED_WORDS.split())
_PROPERTIES_WORDS = "info title author subject keywords doccomm company manager category hlinkbase"
_PROPERTIES = frozenset(_PROPERTIES_WORDS.split())
_LINES_WORDS = "par line row sect page column header headerl headerr headerf footer footerl footerr footerf footnote"
_LINES = frozenset(_LINES_WORDS.split())
_CHARS = {
    "tab": "\t",
    "cell": "\t",
    "nestcell": "\t",
    "emdash": "—",
    "endash": "–",
    "bullet": "•",
    "lquote": "‘",
    "rquote": "’",
    "ldblquote": "“",
    "rdblquote": "”",
    "emspace": " ",
    "enspace": " ",
}
_OEM = {"mac": "mac_roman", "pc": "cp437", "pca": "cp850"}
_MAX_DEPTH = 2000


def read(job: Job) -> None:
    """Format.RTF."""
    data = job.whole(job.budget.limits.member_bytes)
    objects = _objects(job, data)
    whole = data
    data = _HEX.sub(b" ", _without_binary(data))
    job.doubt(data)
    reader = _Reader()
    try:
        reader.run(job, data.decode("latin-1"))
    finally:
        job.text("".join(reader.body))
        job.text("".join(reader.properties), PROPERTIES)
    for payload, name in objects:
        job.child(payload, spot=Spot(Area.ATTACHMENT), name=name)
    note_rtf(job, whole)


def _without_binary(data: bytes) -> bytes:
    r"""Drop the raw bytes after ``\binN``: braces in them are no groups."""
    if b"\\bin" not in data:
        return data
    kept, at = [], 0
    while match := _BINARY.search(data, at):
        kept.append(data[at : match.end(1)])
        at = match.end() + int(match.group(2))
    return b"".join([*kept, data[at:]])


def _objects(job: Job, data: bytes) -> list[tuple[bytes, str]]:
    r"""Embedded OLE objects: hexadecimal after ``\objdata``."""
    found: list[tuple[bytes, str]] = []
    at = data.find(b"\\objdata")
    if at >= 0:
        data = _EMPTY_GROUP.sub(b"", data[at:])
        at = 0
    while at >= 0:
        job.budget.part()
        match = _HEX.search(data, at + len(b"\\objdata"))  # the word itself ends in hexadecimal digits
        if match is None:
            break
        digits = match.group(0).translate(None, b"\r\n\t ")
        payload, name = _object(binascii.unhexlify(digits[: len(digits) // 2 * 2]))
        job.budget.inflate(len(payload))
        if payload:
            found.append((payload, name))
        at = data.find(b"\\objdata", match.end())
    return found


def _object(data: bytes) -> tuple[bytes, str]:
    """OLE 1.0 (MS-OLEDS 2.2.5): version, format, then class, topic and item names, then the native data."""
    at = 8
    for _ in range(3):
        at += 4 + int.from_bytes(data[at : at + 4], "little")
    size = int.from_bytes(data[at : at + 4], "little")
    body = data[at + 4 : at + 4 + size]
    if body[:2] == b"\x02\x00" and not body.startswith(b"\xd0\xcf"):
        name, content = native(b"\0\0\0\0" + body)
        return content, name
    return body, ""


class _Reader:
    """Group by group: whether text counts, where it goes, and how bytes become characters."""

    def __init__(self) -> None:
        self.body: list[str] = []
        self.properties: list[str] = []
        self._encoding = "cp1252"
        self._skip = False
        self._out = self.body
        self._unicode_skip = 1
        self._pending = 0  # substitute characters to drop after \u
        self._bytes = bytearray()
        self._stack: list[tuple[bool, list[str], int]] = []

    def run(self, job: Job, source: str) -> None:
        """Raises ``Stop`` when the groups are nested too deep or time is over."""
        for count, match in enumerate(_TOKEN.finditer(source)):
            if count % 20_000 == 0:
                job.budget.tick()
                job.budget.element(20_000 if count else 0)
            word, number, code, symbol, brace, plain = match.groups()
            if code:
                self._byte(int(code, 16))
                continue
            self._flush()
            if brace:
                self._brace(brace)
            elif word:
                self._word(word, number)
            elif symbol:
                self._symbol(symbol)
            elif plain:
                self._plain(plain)
        self._flush()
        if self._stack:
            job.fail(Problem.CORRUPT)

    def _byte(self, value: int) -> None:
        if self._pending:
            self._pending -= 1
        elif not self._skip:
            self._bytes.append(value)

    def _flush(self) -> None:
        if self._bytes:
            self._out.append(self._bytes.decode(self._encoding, "replace"))
            self._bytes.clear()

    def _brace(self, brace: str) -> None:
        self._pending = 0
        if brace == "{":
            if len(self._stack) >= _MAX_DEPTH:
                raise Stop(Problem.TOO_DEEP)
            self._stack.append((self._skip, self._out, self._unicode_skip))
        elif self._stack:
            if self._out is self.properties:
                self._out.append("\n")
            self._skip, self._out, self._unicode_skip = self._stack.pop()

    def _word(self, word: str, number: str | None) -> None:
        if word == "u" and number is not None:
            if not self._skip:
                self._out.append(chr(int(number) % 65536))
            self._pending = self._unicode_skip
        elif word == "uc":
            self._unicode_skip = min(int(number or 1), 16)
        elif word in _SKIPPED:
            self._skip = True
        elif word in _PROPERTIES and self._stack:
            self._out = self.properties
        elif word == "ansicpg" and number:
            self._encoding = _code_page(number)
        elif word in _OEM:
            self._encoding = _OEM[word]
        elif not self._skip:
            if word in _LINES:
                self._out.append("\n")
            elif word in _CHARS:
                self._out.append(_CHARS[word])

    def _symbol(self, symbol: str) -> None:
        if not self._skip:
            self._out.append(
                {"~": "\u00a0", "_": "-", "\n": "\n", "\r": "\n", "\\": "\\", "{": "{", "}": "}"}.get(symbol, "")
            )

    def _plain(self, plain: str) -> None:
        if self._pending:
            dropped = min(self._pending, len(plain))
            plain, self._pending = plain[dropped:], self._pending - dropped
        if plain and not self._skip:
            self._out.append(plain if plain.isascii() else plain.encode("latin-1").decode(self._encoding, "replace"))


def _code_page(number: str) -> str:
    name = {"10000": "mac_roman", "65001": "utf_8", "936": "gbk"}.get(number, f"cp{number}")
    return known_codec(name) or "cp1252"
