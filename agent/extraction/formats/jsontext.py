"""JSON and NDJSON → « name: value » lines, with the raw bytes for the recognisers of FHIR and the like.

JSON that is broken or nested beyond measure is read as plain text: what is left of it is visible there. Broken JSON is
« corrupt »; JSON with comments, a template or a log that begins like JSON is none and not broken.
"""

from __future__ import annotations

import json
import re

from agent.document import Format, Problem
from agent.extraction.formats import inside, text
from agent.extraction.formats.base import Job
from agent.extraction.formats.charset import decode
from agent.extraction.limits import Budget

_ESCAPE = re.compile(r"\\u([0-9a-fA-F]{4})")
_DESCRIBES = re.compile(
    r'"(?:openapi|swagger|nbformat|\$schema)"\s*:|schema\.getpostman\.com'
)  # what is in these are examples
_STRING = re.compile(r'"((?:[^"\\]++|\\.)*+)', re.DOTALL)
_SIMPLE = re.compile(r"\\(.)", re.DOTALL)
_PLAIN = {"n": "\n", "r": "\r", "t": "\t", "b": "", "f": ""}
_LONG = 20_000  # a longer string without a space is an encoded document, which the base64 search reads
_ENCODED = re.compile(r"(?:data:[\w.+/;=-]{0,200},)?[\w+/=\r\n\t-]*+", re.ASCII)
_OBJECT = re.compile(r'\A[\s\ufeff]*(?:\[\s*){0,9}\{\s*"')  # what follows is meant to be JSON
_TEMPLATE = re.compile(r"\{\{|\{%|<%")
_COMMENTED = re.compile(r'("(?:[^"\\]++|\\.)*+"?)|//[^\n]*|/\*.*?(?:\*/|\Z)|,(?=\s*[\]}])', re.DOTALL)
_BRACKETS = re.compile(r'"(?:[^"\\]++|\\.)*+("?)|[\[{\]}]', re.DOTALL)
_DECODER = json.JSONDecoder(parse_int=str, parse_float=str, parse_constant=str, strict=False)


def read(job: Job) -> None:
    """Format.JSON and Format.NDJSON."""
    limits = job.budget.limits
    if job.source.size > limits.raw_bytes:
        job.document.truncated = True
    data = job.source.pread(limits.raw_bytes, 0)
    job.document.raw = data
    source = decode(data)
    lines: list[str] = []
    documents: list[str] = []
    try:
        _collect(_values(source), lines, documents, job.budget)
    except (ValueError, RecursionError) as error:
        lines = [_ESCAPE.sub(_unescape, source)]
        documents = _strings(source)
        if isinstance(error, ValueError) and not job.document.truncated and _is_broken(source, job.document.format):
            job.fail(Problem.CORRUPT)
    job.text("\n".join(lines))
    text.children(job, data)
    if documents and not _DESCRIBES.search(source[:4_000] + source[-1_000:]):
        inside.adopt(job, documents)


def _is_broken(source: str, format_: Format) -> bool:
    """Whether this was JSON once. Of lines, that some are no JSON proves nothing: only an open end does."""
    if not _OBJECT.match(source) or _TEMPLATE.search(source):
        return False
    try:
        if format_ is Format.NDJSON or _DECODER.decode(source.lstrip().partition("\n")[0]):
            return not _is_balanced(source)
    except (ValueError, RecursionError):
        pass  # no lines
    try:
        _values(_COMMENTED.sub(lambda found: found[1] or " ", source))
    except ValueError:
        return True
    except RecursionError:
        return False
    return False


def _is_balanced(source: str) -> bool:
    """Whether every bracket and every string is closed."""
    depth = 0
    for match in _BRACKETS.finditer(source):
        if match[0][0] != '"':
            depth += 1 if match[0] in "[{" else -1
        elif not match[1]:
            return False
    return depth == 0


def _values(source: str) -> list[object]:
    """One JSON value, or one a line. Raises ValueError when it is neither."""
    try:
        return [_DECODER.decode(source)]
    except json.JSONDecodeError as error:
        if error.msg != "Extra data":
            raise
    values: list[object] = []
    at, size = 0, len(source)
    while at < size:
        while at < size and source[at] in " \t\r\n,\x1e":
            at += 1
        if at < size:
            value, at = _DECODER.raw_decode(source, at)
            values.append(value)
    return values


def _collect(values: list[object], lines: list[str], documents: list[str], budget: Budget) -> None:
    """Walk without recursion, in reading order."""
    pending: list[tuple[str, object]] = [("", value) for value in reversed(values)]
    count = 0
    while pending:
        name, value = pending.pop()
        count += 1
        if count % 4096 == 0:
            budget.tick()
            budget.element(4096)
        if isinstance(value, dict):
            pending += [(str(key), inner) for key, inner in reversed(value.items())]
        elif isinstance(value, list):
            pending += [(name, inner) for inner in reversed(value)]
        elif isinstance(value, str) and inside.is_document(value):
            documents.append(value)
        elif isinstance(value, str) and value and not _is_encoded(value):
            documents += [value] if inside.holds_data(value) else []
            lines.append(f"{name}: {value}" if name else value)


def _is_encoded(value: str) -> bool:
    return len(value) >= _LONG and _ENCODED.fullmatch(value) is not None


def _strings(source: str) -> list[str]:
    """The documents among the strings of broken JSON; the last one may be cut."""
    found = []
    for match in _STRING.finditer(source):
        if len(match[1]) >= inside.SHORTEST:
            value = _SIMPLE.sub(lambda one: _PLAIN.get(one[1], one[1]), _ESCAPE.sub(_unescape, match[1]))
            found += [value] if inside.is_document(value) else []
    return found


def _unescape(match: re.Match[str]) -> str:
    return chr(int(match.group(1), 16))
