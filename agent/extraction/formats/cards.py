"""Calendars and address books as they are meant to be read: lines in one piece, escapes and quoted letters resolved.

Specification: RFC 5545 3.1 and 3.3.11, RFC 6350 3.2 and 4.1; vCard 2.1 for quoted-printable values, as telephones write
them. Takes text, returns text; who is in them is ``detection.structured.diary``'s to say.
"""

from __future__ import annotations

import quopri
import re

_BEGUN = ("BEGIN:VCALENDAR", "BEGIN:VCARD")
_FOLD = re.compile(r"\r?\n[ \t]")
_ESCAPE = re.compile(r"\\([nN,;\\])")
_QUOTED = re.compile(
    r"^([^:\r\n]{0,200};ENCODING=QUOTED-PRINTABLE[^:\r\n]{0,100}:)((?:[^\r\n]*=\r?\n)*+[^\r\n]*)",
    re.MULTILINE | re.IGNORECASE,
)


def is_one(text: str) -> bool:
    """Whether a text begins as a calendar or an address book."""
    return text[:40].lstrip("\ufeff \r\n").upper().startswith(_BEGUN)


def plain(text: str) -> str:
    """The same with its values as people wrote them."""
    text = _QUOTED.sub(lambda found: found[1] + _decoded(found[2]), text)
    return _ESCAPE.sub(lambda found: "\n" if found[1] in "nN" else found[1], _FOLD.sub("", text))


def _decoded(value: str) -> str:
    return quopri.decodestring(value.encode("utf-8", "replace")).decode("utf-8", "replace")
