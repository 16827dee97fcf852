"""Documents that hide in text as base64: a PDF in a CDA, an HL7 v2 message or a FHIR attachment, an image in a web
page.

Pure over bytes. ``base64_runs`` finds the runs and decodes them; what becomes of them is the caller's business. A
run has
no spaces in it, so looking at one place every ``_STRIDE`` bytes finds every run of twice that length: a page of
prose costs
microseconds.
"""

from __future__ import annotations

import binascii
import re
import zlib
from collections.abc import Iterator
from dataclasses import dataclass

import re2

from agent.document import Format
from agent.extraction.sniff import HEAD, sniff

MIN_RUN = 200  # characters; a shorter run holds no document
_STRIDE = 96
_WINDOW = 104  # any run of MIN_RUN characters contains such a window that begins at a multiple of _STRIDE
_ALPHABET = b"ABCDEFGHIJKLMNOPQRSTUVWXYZabcdefghijklmnopqrstuvwxyz0123456789+/=-_"
_FOLDS = b"\r\n\t"
_MOST_DRESSED = 200  # of one text
_RUN = _ALPHABET + _FOLDS
_OTHER = bytes(code not in _RUN for code in range(256))  # 1 for what no run holds
_NOTHING_ELSE = bytes(_WINDOW)
_REST = re.compile(rb"[A-Za-z0-9+/=_\r\n\t-]*")
_URL_SAFE = bytes.maketrans(b"-_", b"+/")
# what a run may decode to and be a document; anything else is a digest, a key, a picture's neighbour
_WORTH = frozenset(Format) - {Format.UNKNOWN, Format.EMPTY, Format.AUDIO_VIDEO, Format.EXECUTABLE, Format.FONT}
_PLAIN = frozenset({Format.TEXT, Format.CSV, Format.JSON, Format.NDJSON})
_DRESSED_LINE = 40  # characters of the shortest line but the last
_HEX = b"0123456789abcdefABCDEF"
_DRESS = rb"[ \t>\"'+*#/;|-]{1,8}"  # what stands before each line of a quoted message, a comment, a string put together
_DRESSED_LINES = re2.compile(rb"(?m)(?:^" + _DRESS + rb"[A-Za-z0-9+/]{40,100}={0,2}[\"' +,;.&_\\)]{0,8}\r?\n){4,}")
_DRESSED = re.compile(rb"[A-Za-z0-9+/]{40,100}={0,2}|(?<=[\"'> ])[A-Za-z0-9+/]{2,39}={0,2}(?=[\"' )\r\n;]|\Z)")


@dataclass(frozen=True, slots=True)
class Run:
    """A decoded run: where it stood in the text, what it decodes to, and whether it was cut by ``limit``."""

    start: int
    end: int
    data: bytes
    format: Format


def runs(text: bytes, limit: int) -> Iterator[Run]:
    """What ``base64_runs`` and ``dressed_runs`` find; of nearly every text one look tells that it is nothing."""
    if _NOTHING_ELSE[:_DRESSED_LINE] in text.translate(_OTHER):
        yield from base64_runs(text, limit)
        yield from dressed_runs(text, limit)


def base64_runs(text: bytes, limit: int) -> Iterator[Run]:
    """Every run of at least ``MIN_RUN`` characters that decodes to a known kind of document, at most ``limit`` bytes
    each.
    """
    if _NOTHING_ELSE not in text.translate(_OTHER):  # nearly every text
        return
    at = 0
    size = len(text)
    while at + _WINDOW <= size:
        if text[at : at + 16].translate(None, _RUN) or text[at : at + _WINDOW].translate(None, _RUN):
            at += _STRIDE
            continue
        start, end = _begin(text, at), _end(text, at + _WINDOW)
        run = _decode(text, start, end, limit) if end - start >= MIN_RUN else None
        if run:
            yield run
        at = max(end, at + _STRIDE)


def dressed_runs(text: bytes, limit: int) -> Iterator[Run]:
    """Runs whose lines are quoted, commented out or put together as strings: each line alone is too short to be one."""
    if _NOTHING_ELSE[:_DRESSED_LINE] not in text.translate(_OTHER):  # nearly every text
        return
    for number, match in enumerate(_DRESSED_LINES.finditer(text)):
        if number >= _MOST_DRESSED:
            return
        last = text.find(b"\n", match.end())
        lines = text[match.start() : min(last if last >= 0 else len(text), match.end() + 120)].splitlines()
        body = b"".join(found[0] for line in lines if (found := _DRESSED.search(line)))
        run = _decode(body, 0, len(body), limit)
        if run:
            yield Run(match.start(), match.end(), run.data, run.format)


def _begin(text: bytes, at: int) -> int:
    """Where the run around ``at`` begins: not further back than a stride, or an earlier window would have met it."""
    floor = max(0, at - _STRIDE - _WINDOW)
    while at > floor and text[at - 1] in _RUN:
        at -= 1
    return at


def _end(text: bytes, at: int) -> int:
    size, step = len(text), 256
    while at < size and not (block := text[at : at + step]).translate(None, _RUN):
        at += len(block)
        step = min(2 * step, 1 << 16)
    match = _REST.match(text, at)
    return match.end() if match else at


def _decode(text: bytes, start: int, end: int, limit: int) -> Run | None:
    """Runs may begin with a word that only looks like base64 (an attribute's neighbour); try after line ends, too."""
    body = text[start : min(end, start + limit * 4 // 3 + limit // 48)]
    for skipped in (0, body.find(b"\n") + 1):
        for data in _readings(body[skipped:]):
            format_ = sniff(data[:HEAD])
            if _is_worth(data, format_):
                return Run(start + skipped, end, data, format_)
    return None


def _readings(body: bytes) -> Iterator[bytes]:
    """What a run may decode to: base64, or hexadecimal digits, as in the dump of a database."""
    data = _plain(body)
    if len(data) >= MIN_RUN * 3 // 4 - 4:
        yield data
    body = body.removeprefix(b"0").removeprefix(b"x") if body[:2] == b"0x" or body[:1] == b"x" else body
    digits = body.translate(None, _FOLDS) if not body[:64].translate(None, _HEX + _FOLDS) else b""
    if len(digits) >= MIN_RUN and not digits.translate(None, _HEX):
        yield binascii.unhexlify(digits[: len(digits) // 2 * 2])


def _is_worth(data: bytes, format_: Format) -> bool:
    """A document, a packed one (RFC 1950), or base64 once more; random bytes look like none of them."""
    if format_ in _PLAIN:
        return _is_prose(data) or (not data[:512].translate(None, _RUN) and any(base64_runs(data, len(data))))
    return format_ in _WORTH or (data[:2] in _ZLIB and _unpacks(data))


_ZLIB = frozenset((b"\x78\x01", b"\x78\x5e", b"\x78\x9c", b"\x78\xda"))


def _unpacks(data: bytes) -> bool:
    try:
        return len(zlib.decompressobj().decompress(data, 512)) > 0
    except zlib.error:
        return False


def _plain(body: bytes) -> bytes:
    body = body.translate(_URL_SAFE, _FOLDS)
    body = body[: len(body.rstrip(b"=")) // 4 * 4 + 4] if body.endswith(b"=") else body[: len(body) // 4 * 4]
    try:
        return binascii.a2b_base64(body)
    except binascii.Error:
        return b""


def _is_prose(data: bytes) -> bool:
    """Random bytes never look like this: words with spaces between them, nearly all of it printable."""
    sample = data[:512]
    spaces = sample.count(b" ") + sample.count(b"\n")
    return spaces * 20 >= len(sample)
