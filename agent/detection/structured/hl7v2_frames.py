"""Where HL7 v2 messages stand in a text: alone, in batches, in MLLP frames, in the log of an interface.

Takes text, returns messages as lists of segments as lists of fields. A page that quotes a message (a guide, source
code) holds none: in a log most lines are segments or begin as log lines do. Separators are read from each header; a
damaged header is read with the usual ones. Specification: HL7 v2.5 chapter 2.
"""

from __future__ import annotations

import re
from collections.abc import Iterator

MAX_SEGMENTS = 200_000
Message = list[list[str]]
# MSH, then five different separators that are neither letters nor digits (a sixth one from v2.7 on is ignored)
_HEADER = re.compile(r"MSH([^\w\s\"'\\])([^\w\s\"'])([^\w\s\"'])([^\w\s\"'])([^\w\s\"'])")
_DAMAGED = re.compile(r"MSH(\|)(?=[^\r\n]{0,300}\|[A-Z]{3}(?:\^|\|))")
_BATCH = re.compile(r"(?:FHS|BHS)[^\w\s\"'\\][^\w\s]{4}")
_SEGMENT = re.compile(r"[A-Z][A-Z][A-Z0-9]\|?")
_SEPARATORS = frozenset("|\x1e#~")
_LINES = re.compile(r"[\r\n\x0b\x1c\x85\u2028]+")
_LOGGED = re.compile(
    r"\[?(?:(?:19|20)\d\d[-/.]?\d\d[-/.]?\d\d|\d\d[-/.]\d\d[-/.](?:(?:19|20)\d\d|\d\d)|\d\d:\d\d:\d\d"
    r"|[A-Z][a-z]{2} {1,2}\d{1,2} \d\d:)"
    r"|\[?(?:TRACE|DEBUG|INFO|WARN(?:ING)?|ERROR|FATAL)\b|[<>]{2,}"
)
# how a log writes the carriage return between two segments
_ESCAPED = re.compile(
    r"(?:\\r(?:\\n)?|\\n|\\x0d|\\u000d|<CR>|<0x0D>|\[CR\]|\^M|\u240d|&#13;|&#x[dD];){1,4}+(?=[A-Z][A-Z][A-Z0-9]\|)"
)
_BODY = re.compile(r"(?:EVN|PID|PD1|PV1|ORC|OBR|OBX|MSA|NTE|SCH|TXA)\|")
_PATIENT = re.compile(r"(?:^|[\r\n])PID\|(?:[^|\r\n]*\|){4}[^|\r\n]*[^\W\d_]{2}")


def messages_of(text: str) -> list[Message] | None:
    """The messages of a text; None when none stands in it as a message."""
    start = text[:64].lstrip("\ufeff\x0b \t\r\n")
    if _HEADER.match(start) or _BATCH.match(start):
        return list(_cut(_split(text)))
    if start.startswith("MSH|") and _DAMAGED.match(text.lstrip("\ufeff\x0b \t\r\n")[:400]):
        return list(_cut(_split(text), _DAMAGED))
    if _HEADER.search(text, 0, 1_000_000):
        lines = _split(text)
        if not _is_log(lines):
            return None
        return list(_cut(_split(_ESCAPED.sub("\r", text)) if _ESCAPED.search(text) else lines))
    return _headless(text, start)


def _split(text: str) -> list[str]:
    return _LINES.split(text.lstrip("\ufeff"), maxsplit=MAX_SEGMENTS)


def _is_log(lines: list[str]) -> bool:
    """Most lines are segments, or begin as the lines of a log do and messages follow them or stand in them."""
    sample = [line.lstrip() for line in lines[:2_000] if line.strip()]
    segments = sum(bool(_SEGMENT.match(line) and line[3:4] in _SEPARATORS) for line in sample)
    if segments >= 2 and segments * 2 >= len(sample):
        return True
    logged = [line for line in sample if _LOGGED.match(line)]
    carried = any(_HEADER.search(line[:2_000]) and _ESCAPED.search(line[:20_000]) for line in logged)
    return (carried or (segments >= 2 and bool(logged))) and (segments + len(logged)) * 10 >= len(sample) * 8


def _cut(lines: list[str], header: re.Pattern[str] = _HEADER) -> Iterator[Message]:
    """Messages as lists of segments as lists of fields. The first two fields of MSH are its separators."""
    message: Message = []
    separator = "|"
    for line in lines:
        found = header.search(line[:2_000])
        if found:
            if message:
                yield message
            separator = found[1]
            message = [_fields(line[found.start() :], separator, damaged=header is _DAMAGED)]
        elif message and _SEGMENT.match(line.lstrip()):
            message.append(line.lstrip().split(separator))
    if message:
        yield message


def _fields(line: str, separator: str, *, damaged: bool) -> list[str]:
    fields = line.split(separator)
    return ["MSH", "^~\\&", *fields[2:]] if damaged else fields


def _headless(text: str, start: str) -> list[Message] | None:
    """Segments whose header is lost: every line is one, the first is one that follows a header, one is a patient."""
    if not _BODY.match(start) or not _PATIENT.search(text, 0, 100_000):
        return None
    lines = [line for line in _split(text) if line.strip()]
    if len(lines) < 3 or not all(_SEGMENT.match(line) and line[3:4] == "|" for line in lines[:200]):
        return None
    return [[["MSH", "^~\\&"], *(line.split("|") for line in lines)]]
