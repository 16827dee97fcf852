"""Signs that Latin-1 does not have → the Latin letters that a person reads in them.

Owns the tables of look-alikes and the encoder's error handler ``FOREIGN``, which is called for the runs that are left
over only: ``text.encode("latin-1", FOREIGN)`` never fails. Pure; knows nothing of documents.
"""

from __future__ import annotations

import codecs
import unicodedata

FOREIGN = "serment-fold"
# Look-alikes of Latin letters: what a person reads as Latin must match as Latin.
_CYRILLIC = dict(zip("аеорсхуіјѕԁһкмтвнАВЕКМНОРСТХІЈЅУ", "aeopcxyijsdhkmtbhABEKMHOPCTXIJSY", strict=True))
_GREEK = dict(zip("αορνικυχτΑΒΕΖΗΙΚΜΝΟΡΤΥΧ", "aopvikuxtABEZHIKMNOPTYX", strict=True))
_OTHER = {
    "œ": "oe", "Œ": "OE", "’": "'", "‘": "'", "ʼ": "'", "“": '"', "”": '"', "„": '"', "–": "-", "—": "-", "‐": "-",
    "‑": "-", "−": "-", "…": "...", "•": "*", "▪": "*", "●": "*", "☐": "[ ]", "□": "[ ]", "☑": "[x]", "☒": "[x]",
    "€": "EUR", "≥": ">", "≤": "<", "ﬁ": "fi", "ﬂ": "fl", "ﬀ": "ff", "ﬃ": "ffi", "ﬄ": "ffl", "μ": "u",
    "ł": "l", "Ł": "L", "đ": "d", "ı": "i", "№": "no", "→": "->", "➜": "->", "➔": "->", "⇒": "=>", "➡": "->",
    "\u2028": "\n", "\u2029": "\n", "\ufeff": "", "\u200b": "",
    "\u200c": "", "\u200d": "", "\u2060": "", "℃": "°C", "‹": "<<", "›": ">>",
}  # fmt: skip
_SMALL_CAPITALS = dict(zip("ᴀʙᴄᴅᴇꜰɢʜɪᴊᴋʟᴍɴᴏᴘǫʀꜱᴛᴜᴠᴡʏᴢ", "abcdefghijklmnopqrstuvwyz", strict=True))
_BOXED = {chr(first + place): letter for first in (0x1F150, 0x1F170, 0x1F1E6) for place, letter in enumerate(
    "ABCDEFGHIJKLMNOPQRSTUVWXYZ"
)}  # fmt: skip
_FILLERS = dict.fromkeys("\u115f\u1160\u3164\uffa0", "")  # letters to Unicode, nothing to the eye
SPECIAL = {**_CYRILLIC, **_GREEK, **_SMALL_CAPITALS, **_BOXED, **_FILLERS, **_OTHER}
_UNSEEN = frozenset(("Cf", "Mn", "Me"))  # what has no width of its own


def _foreign(error: UnicodeError) -> tuple[str | bytes, int]:
    """Error handler of the encoder: Latin letters for what Latin-1 has not, a space for unknown signs."""
    if not isinstance(error, UnicodeEncodeError):
        raise error
    run = error.object[error.start : error.end]
    return "".join(_latin(char) for char in run).encode("latin-1", "ignore"), error.end


def _latin(char: str) -> str:
    known = SPECIAL.get(char)
    if known is not None:
        return known
    if unicodedata.category(char) in _UNSEEN:
        return ""
    digit = unicodedata.digit(char, -1)
    if digit >= 0:
        return str(digit)
    plain = unicodedata.normalize("NFKD", char).encode("latin-1", "ignore").decode("latin-1")
    return plain or ("?" if char.isalpha() else " ")


codecs.register_error(FOREIGN, _foreign)
