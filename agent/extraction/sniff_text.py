"""Which format a text is: markup, messages, mail, tables, or prose. The part of sniffing that looks at words.

Pure. Judges the first bytes of something that is already known to be text; ``sniff`` calls it.
"""

from __future__ import annotations

import re
from itertools import islice

from agent.document import Format

HEAD = 4096  # bytes that sniffing wants; fewer only when the file is shorter
PDF_LATE = re.compile(rb"%PDF-[12]\.\d")

_HL7 = re.compile(rb"\A[\s\x0b]*(?:FHS|BHS|MSH)([^\w\s])[^\w\s]{2,5}\1")
_HL7_ANY = re.compile(rb"\A[\s\x0b]*(?:FHS|BHS|MSH)\|")
_HTML = re.compile(
    rb"\A<(?:!doctype\s+html|html|head|body|title|meta|table|div|p|h[1-6]|span|br|font|center"
    rb"|style|script|ul|ol|b|i|a)\b",
    re.IGNORECASE,
)
_HTML_TOO = re.compile(
    rb"\A<(?:main|nav|aside|pre|blockquote|strong|em|u|small|hr|img|dl|fieldset)\b", re.IGNORECASE
)  # names that a vocabulary of XML might have as well
_HTML_LATER = re.compile(
    rb"</?(?:p|div|br|span|b|i|a|table|tr|td|ul|li|h[1-6]|font|section|article)\b[^<>]*>", re.IGNORECASE
)
_XHTML = re.compile(rb"<!doctype\s+html|<(?:\w{1,10}:)?html[\s>]", re.IGNORECASE)
_XML = re.compile(
    rb"\A<(?:\?xml[\s?]|!DOCTYPE\s|!--|\?[A-Za-z]|[A-Za-z_][\w.\-]*(?::[A-Za-z_][\w.\-]*)?(?:\s[^<>]*)?/?>)"
)
_XML_MORE = re.compile(rb"</|/>|\?>|<!|<[A-Za-z]")
_XML_SURE = re.compile(rb"</|/>|\?>|<!|<[^<>]*=\s*[\"']")  # lists of <U00A0> are no markup: nothing in them ever ends
_JSON = re.compile(rb"\A(?:\{\s*(?:\"|\}|\Z)|\[\s*(?:[\{\[\"\]\-\d]|true|false|null|\Z))")
_NDJSON = re.compile(rb"\A[\{\[][^\r\n]*[\}\]][ \t]*\r?\n\s*[\{\[]")
_MBOX = re.compile(rb"\AFrom [^\r\n]{0,300}\d{4}[^\r\n]{0,20}\r?\n(?:>From [^\r\n]*\r?\n)?[A-Za-z][\w-]*:")
_FIELD = re.compile(rb"^([A-Za-z][A-Za-z0-9-]{1,60}):(?:[ \t]|\r?$)", re.MULTILINE)
_FIELD_NAME = re.compile(rb"[A-Za-z][A-Za-z0-9-]{1,60}:")
_MAIL_FIELDS = frozenset(
    b"from to cc bcc subject date received mime-version message-id content-type"
    b" return-path delivered-to sender"
    b" reply-to in-reply-to references x-mailer dkim-signature authentication-results x-originating-ip"
    b" content-transfer-encoding"
    b" thread-topic x-priority user-agent arc-seal x-received importance thread-index x-account-key x-mozilla-status"
    b" envelope-to disposition-notification-to resent-from resent-to received-spf x-spam-status".split()
)
_SURE_FIELDS = frozenset(
    b"received mime-version message-id return-path delivered-to dkim-signature x-mozilla-status".split()
)
_DELIMITED = frozenset({"csv", "tsv", "tab"})
_SEPARATORS = (b";", b"\t", b",", b"|")
_FEWEST = 2  # of them on a line
_SIGN, _LINE_END = re.compile(rb"\S"), re.compile(rb"[\r\n]|\Z")
_STATEMENT = re.compile(rb"\s*(?:INSERT|REPLACE|CREATE|UPDATE|SELECT|SET|DROP|BEGIN|MSH|FHS|BHS)\b[ |]", re.IGNORECASE)
_CONTROL = bytes(code for code in range(32) if code not in b"\t\n\r\x0b\x0c\x1b\x1a\x1c\x1d\x1e\x1f\x08") + b"\x7f"
_PAGES = frozenset({"html", "htm"})
_TAGS_OF_A_PAGE = 3  # more than a text that explains one
_FOLLOWS_MARK = {"xml": Format.XML, "html": Format.HTML, "htm": Format.HTML, "xhtml": Format.HTML}


def is_text(head: bytes) -> bool:
    """No zero byte, and hardly a control character: a person could have written it."""
    if b"\0" in head:
        # a text cut or padded with zeros is still a text
        head = head.rstrip(b"\0")
        if b"\0" in head or not head:
            return False
    return len(head) - len(head.translate(None, _CONTROL)) <= len(head) // 100


def text_format(head: bytes, extension: str) -> Format:
    """The format of a text whose first bytes, in an encoding that extends ASCII, are ``head``."""
    start = head.lstrip()
    if start.startswith(b"{\\rtf"):
        return Format.RTF
    if _HL7.match(head) or _HL7_ANY.match(head):
        return Format.HL7V2
    if start.startswith(b"<"):
        marked = _marked_up(start, extension)
        if marked:
            return marked
    if extension in _PAGES and _begins_with_words(start):
        return Format.HTML
    if start.startswith((b"{", b"[")) and _JSON.match(start):
        return Format.NDJSON if _NDJSON.match(start) or extension in {"ndjson", "jsonl"} else Format.JSON
    if head.startswith(b"From ") and _MBOX.match(head):
        return Format.MBOX
    if _is_mail(start, extension):
        return Format.EML
    if start.startswith(b"%PDF-") or (PDF_LATE.search(head[:1024]) and b" obj" in head):
        return Format.PDF
    return Format.CSV if _is_delimited(head, extension) else Format.TEXT


def _marked_up(start: bytes, extension: str) -> Format | None:
    if start.startswith(b"<?xml"):
        return Format.HTML if _XHTML.search(start[:1024]) else Format.XML
    first = _after_comments(start)
    if _HTML.match(first) or (extension != "xml" and _HTML_TOO.match(first)):
        return Format.HTML
    if _XML.match(start) and len(_XML_MORE.findall(start)) >= 2 and _XML_SURE.search(start):
        return Format.HTML if _XHTML.search(start[:1024]) else Format.XML
    return _FOLLOWS_MARK.get(extension)


def _begins_with_words(start: bytes) -> bool:
    """A page as a browser sees it by its name: its first words stand before its first element."""
    return not start.startswith((b"<", b"{")) and len(_HTML_LATER.findall(start)) >= _TAGS_OF_A_PAGE


def _after_comments(start: bytes) -> bytes:
    while start.startswith(b"<!--"):
        end = start.find(b"-->")
        if end < 0:
            break
        start = start[end + 3 :].lstrip()
    return start


def _is_mail(start: bytes, extension: str) -> bool:
    if not _FIELD_NAME.match(start):
        return False
    block = re.split(rb"\r?\n\r?\n", start, maxsplit=1)[0]
    if not _FIELD.match(block):
        return False
    names = {name.lower() for name in _FIELD.findall(block)}
    known = len(names & _MAIL_FIELDS)
    if extension in {"eml", "mht", "mhtml", "mime"}:
        return known >= 1
    return (known >= 2 and bool(names & _SURE_FIELDS)) or known >= 3


def _is_delimited(head: bytes, extension: str) -> bool:
    if extension in _DELIMITED:
        return True
    first = _first_line(head)
    if not any(first.count(separator) >= _FEWEST for separator in _SEPARATORS):
        return False  # as nearly every prose
    everything = head.splitlines()
    lines = _first_lines(everything[:-1]) if len(head) >= HEAD else None
    lines = lines or _first_lines(everything)
    if len(lines) < 3 or lines[0].startswith((b"#", b"|", b"-", b"*")) or _STATEMENT.match(lines[0]):
        return False
    return any(_even(lines, separator) for separator in _SEPARATORS)


def _first_line(head: bytes) -> bytes:
    """The first line that is not blank."""
    sign = _SIGN.search(head)
    if sign is None:
        return b""
    begin = 1 + max(head.rfind(b"\n", 0, sign.start()), head.rfind(b"\r", 0, sign.start()))
    end = _LINE_END.search(head, sign.start())
    return head[begin : end.start() if end else len(head)]


def _first_lines(lines: list[bytes]) -> list[bytes]:
    return list(islice((line for line in lines if line.strip()), 20))


def _even(lines: list[bytes], separator: bytes) -> bool:
    """The same number of separators, at least two, on every line; commas must not be followed by a space, as in
    prose.
    """
    count = lines[0].count(separator)
    if count < _FEWEST or (separator == b"," and lines[0].count(b", ") > count // 2):
        return False
    return all(line.count(separator) == count or b'"' in line for line in lines)
