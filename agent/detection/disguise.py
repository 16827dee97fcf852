r"""What a text may do to look the same to a person and different to a program, undone: before folding and identifiers.

Owns the tricks that change letters themselves: invisible characters between them, look-alikes from other alphabets,
text stored backwards behind a direction mark, letters set apart («C.o.m.p.t.e», one letter a line), escapes that a
program would have resolved (``&eacute;``, ``\u00e9``, ``%C3%A9``). Takes one string, returns one; pure.

One linear search tells whether there is anything to undo, and nearly every text passes through untouched. Offsets in
what is returned are its own.
"""

from __future__ import annotations

import html
import re
import urllib.parse
from typing import Any

import re2

from agent.detection.letters import FOREIGN
from agent.detection.linear import holding

_LETTER = rb"(?:[A-Za-z]|\xc3[\x80-\xbf])"
_APART = (
    rb" ",
    rb"\.",
    rb"-",
    rb"_",
    rb"\|",
    rb"/",
    rb"\*",
    rb"\t",
    rb"\n",
    rb"\xc2[\xa0\xb7]",
    rb"\xe2\x80[\x80-\x8a\xaf]",
)
_INVISIBLE = (
    rb"\xe2\x80[\x8b-\x8f\xaa-\xae]|\xe2\x81[\xa0-\xaf]|\xef\xbb\xbf|\xc2\xad|\xcd\x8f|\xd8\x9c|\xe1\xa0\x8e|"
    rb"\xe1\x85[\x9f\xa0]|\xe3\x85\xa4|\xef\xb8[\x80-\x8f]|\xef\xbe\xa0|\xf3\xa0[\x80-\x87]|\xcc[\x80-\xbf]|\xcd[\x80-\xaf]"
)
_LOOK_ALIKE = (  # where these are, digits may be disguised as well: full width, mathematical, Arabic, enclosed, small
    rb"\xef\xbc[\x81-\xbf]|\xef\xbd[\x80-\x9e]|\xf0\x9d[\x90-\x9f]|\xd9[\xa0-\xa9]|\xdb[\xb0-\xb9]|\xe2\x92[\xb6-\xbf]|"
    rb"\xe2\x93|\xe1\xb4[\x80-\xab]|\xf0\x9f\x85|\xf0\x9f\x87[\xa6-\xbf]"
)
_ESCAPES = rb"&(?:#[0-9xX]|[A-Za-z]{2,8};)|\\u00[0-9A-Fa-f]|%[0-9A-Fa-f]{2}[A-Za-z0-9]{0,20}%[0-9A-Fa-f]{2}"
_CONTROLS = rb"[\x01-\x06\x08\x0e-\x1a\x7f]"
_SET_APART = (
    rb"(?:\A|[^A-Za-z0-9\xc3\x80-\xbf])(?:" + rb"|".join(rb"(?:" + _LETTER + s + rb"){4}" for s in _APART) + rb")"
)


def _compiled() -> Any:
    options = re2.Options()
    options.encoding = re2.Options.Encoding.LATIN1  # bytes, whatever they mean
    return re2.compile(b"|".join((_INVISIBLE, _LOOK_ALIKE, _ESCAPES, _CONTROLS, _SET_APART)), options)


_suspicious = holding(_compiled())
_BACKWARDS = re.compile("\u202e([^\u202c\n]*)\u202c?")
_OVERSTRUCK = re.compile(r"(.)\x08\1")  # bold, as old printers had it
_UNSEEN = re.compile("[\x01-\x06\x08\x0e-\x1a\x7f]")
_CODE_POINT = re.compile(r"\\u([0-9A-Fa-f]{4})")
_OCTET = re.compile(r"%[0-9A-Fa-f]{2}")
_DENSE = 40  # one octet in so many characters makes a text percent-encoded
_RUN = re.compile(r"(?<![^\W_])[^\W\d_]([ \xa0\t.\-_|/*·])(?:[^\W\d_]\1){3,}[^\W\d_](?![^\W_])")
_COLUMN = re.compile(r"(?:^[^\n]\n){8,}", re.MULTILINE)  # one letter a line


def readable(text: str) -> str:
    """``text`` as a person reads it, in time linear in its length; the same object when there is nothing to undo."""
    if not _suspicious(text.encode("utf-8", "replace")):
        return text
    text = _unescaped(text)
    if not text.isascii():
        text = _BACKWARDS.sub(lambda found: found[1][::-1], text)
        text = text.encode("latin-1", FOREIGN).decode("latin-1").replace("\xad", "")
    text = _UNSEEN.sub("", _OVERSTRUCK.sub(r"\1", text) if "\b" in text else text)
    return _closed_up(text)


def _unescaped(text: str) -> str:
    if "\\u00" in text:
        text = _CODE_POINT.sub(lambda found: chr(int(found[1], 16)), text)
    if "%" in text and len(_OCTET.findall(text)) * _DENSE > len(text):
        spaced = text.replace("+", " ") if text.count("+") > text.count(" ") else text
        text = urllib.parse.unquote_to_bytes(spaced).decode("utf-8", "replace")
    return html.unescape(text) if "&" in text else text


def _closed_up(text: str) -> str:
    """Letters that were set apart, together again: in lines where five in a row are, every lone sign follows suit."""
    if _COLUMN.search(text):
        text = _COLUMN.sub(lambda found: found[0].replace("\n", "") + "\n", text)
    found = _RUN.search(text)
    if found is None:
        return text
    return "\n".join(_close_line(line, found[1]) for line in text.split("\n"))


def _close_line(line: str, usual: str) -> str:
    """``usual`` stands between letters elsewhere in the text; here it must stand between nearly all of them."""
    found = _RUN.search(line)
    if found:
        return _LONE[found[1]].sub(r"\1", line)
    closed = _LONE[usual].sub(r"\1", line)
    return closed if 2 * len(line) >= 3 * len(closed) else line


def _lone(between: str) -> re.Pattern[str]:
    """A single sign, what stands between, and the next single sign to come."""
    sign = rf"[^\s{re.escape(between)}]"
    return re.compile(rf"(?<!{sign})({sign}){re.escape(between)}(?={sign}(?!{sign}))")


_LONE = {between: _lone(between) for between in " \xa0\t.-_|/*·"}
