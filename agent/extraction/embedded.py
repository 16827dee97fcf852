"""Documents that hide in text as base64: a PDF in a CDA, an HL7 v2 message or a FHIR attachment, an image in a web page.

Pure over bytes. ``base64_runs`` finds the runs and decodes them; what becomes of them is the caller's business. A run has
no spaces in it, so looking at one place every ``_STRIDE`` bytes finds every run of twice that length: a page of prose costs
microseconds.
"""

from __future__ import annotations

import binascii
from collections.abc import Iterator
from dataclasses import dataclass

from agent.document import Format
from agent.extraction.sniff import HEAD, sniff

MIN_RUN = 200  # characters; a shorter run holds no document
_STRIDE = 96
_ALPHABET = b"ABCDEFGHIJKLMNOPQRSTUVWXYZabcdefghijklmnopqrstuvwxyz0123456789+/=-_"
_FOLDS = b"\r\n\t"
_RUN = _ALPHABET + _FOLDS
_URL_SAFE = bytes.maketrans(b"-_", b"+/")
# what a run may decode to and be a document; anything else is a digest, a key, a picture's neighbour
_WORTH = frozenset(Format) - {Format.UNKNOWN, Format.EMPTY, Format.AUDIO_VIDEO, Format.EXECUTABLE, Format.FONT}
_PLAIN = frozenset({Format.TEXT, Format.CSV, Format.JSON, Format.NDJSON})


@dataclass(frozen=True, slots=True)
class Run:
    """A decoded run: where it stood in the text, what it decodes to, and whether it was cut by ``limit``."""

    start: int
    end: int
    data: bytes
    format: Format


def base64_runs(text: bytes, limit: int) -> Iterator[Run]:
    """Every run of at least ``MIN_RUN`` characters that decodes to a known kind of document, at most ``limit`` bytes each."""
    at = 0
    size = len(text)
    while at + _STRIDE <= size:
        if text[at : at + 48].translate(None, _RUN):
            at += _STRIDE
            continue
        start, end = _begin(text, at), _end(text, at)
        run = _decode(text, start, end, limit) if end - start >= MIN_RUN else None
        if run:
            yield run
        at = max(end, at + _STRIDE)


def _begin(text: bytes, at: int) -> int:
    while at > 0 and text[at - 1] in _RUN:
        at -= 1
        if at and not text[max(0, at - 64) : at].translate(None, _RUN):
            at = max(0, at - 64)
    return at


def _end(text: bytes, at: int) -> int:
    size, step = len(text), 1 << 16
    while at < size:
        block = text[at : at + step]
        if not block.translate(None, _RUN):
            at += len(block)
        elif step > 1:
            step = max(1, step >> 4)
        else:
            break
    return at


def _decode(text: bytes, start: int, end: int, limit: int) -> Run | None:
    """Runs may begin with a word that only looks like base64 (an attribute's neighbour); try after line ends, too."""
    body = text[start : min(end, start + limit * 4 // 3 + limit // 48)]
    for skipped in (0, body.find(b"\n") + 1):
        data = _plain(body[skipped:])
        if len(data) < MIN_RUN * 3 // 4 - 4:
            continue
        format_ = sniff(data[:HEAD])
        if format_ in _WORTH and (format_ not in _PLAIN or _is_prose(data)):
            return Run(start + skipped, end, data, format_)
    return None


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
