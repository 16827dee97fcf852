"""From a code, or a text that may hold some, to what they say: the marker decides which reader looks.

Takes text, returns every ``Recognised`` in it. A code whose whole content is HL7, FHIR, XML or another structured
format goes to the recognisers of those. What no reader knows says nothing: boxes of medicines (GS1), addresses of
pages, business cards, networks.
"""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import dataclass
from functools import lru_cache
from typing import Any

from agent.detection.codes import card, certificate, ins, stamp
from agent.detection.codes.base import MAX_CODE
from agent.detection.structured import recognise
from agent.detection.structured.base import Recognised
from agent.document import Code, Document, Format, Part

MAX_FOUND = 200  # codes in one text
_BEFORE = 28  # characters kept in front of a marker that stands within its code
_JSON_BEFORE = 200
_LEAST = 16  # characters: a shorter content is no message
_STRUCTURED = ("<", "{", "[", "MSH", "H|")
_READERS: tuple[tuple[str, int, Callable[[str], Recognised | None]], ...] = (
    (ins.MARKER, 0, ins.read),
    (stamp.MARKER, 0, stamp.read),
    (certificate.MARKER, 0, certificate.read),
    (card.CARD, 0, card.read_card),
    (card.LINK, 0, card.read_link),
    (card.TOKEN, _BEFORE, card.read_token),
    (card.SIGNED, 0, card.read_signed),
    (certificate.VISIBLE, _JSON_BEFORE, certificate.read_visible),
)
_NOT_SPOKEN = ("http:", "https:", "www.", "begin:v", "mecard:", "wifi:", "mailto:", "tel:", "smsto:", "geo:", "bcd")


_SIGNS = ("0", "1", "/", "J", '"')  # every marker holds one of them, and one sign is looked for at memory's speed


@lru_cache(maxsize=1)
def _markers() -> Any:
    """Whether any marker stands in a text, in one linear pass: nearly every text holds none."""
    import re2

    options = re2.Options()
    options.encoding = re2.Options.Encoding.LATIN1
    return re2.compile("|".join(re2.escape(marker) for marker, _, _ in _READERS).encode("latin-1"), options)


@dataclass(slots=True)
class Patience:
    """How many markers that turn out to begin no code may still be looked at, over all the texts of one node."""

    left: int = 64


def read_text(text: str, patience: Patience | None = None) -> list[Recognised]:
    """Everything that codes standing in a text say. Costs a search for each marker where there is none."""
    if not any(sign in text for sign in _SIGNS) or _markers().search(text.encode("latin-1", "replace")) is None:
        return []
    patience = patience or Patience()
    found: list[Recognised] = []
    for marker, before, read in _READERS:
        place = text.find(marker)
        while place >= 0 and patience.left > 0 and len(found) < MAX_FOUND:
            if not (marker[0].isalnum() and text[max(0, place - 1) : place].isalnum()):
                said = read(text[max(0, place - before) : place + MAX_CODE])
                if said is None:
                    patience.left -= 1
                else:
                    found.append(said)
            place = text.find(marker, place + len(marker))
    return found


def read_code(code: Code) -> list[Recognised]:
    """What one code says: by its text, by its bytes where the text does not tell, or as a message of its own."""
    texts = dict.fromkeys((code.text[:MAX_CODE], code.data[:MAX_CODE].decode("latin-1")))
    for text in texts:
        found = read_text(text) or _message(text)
        if found:
            return found
    return []


def _message(text: str) -> list[Recognised]:
    """A structured format as the whole content of a code, perhaps behind a few signs of its carrier."""
    start = text.find("<MP ") if 0 <= text.find("<MP ") < _LEAST else 0
    text = text[start:].lstrip("\ufeff \r\n\x0b")
    if len(text) < _LEAST or not text.startswith(_STRUCTURED):
        return []
    found = recognise(Document(Format.TEXT, raw=text.encode("utf-8", "replace"), parts=[Part(text)]))
    return [found] if found is not None and found.patient_data else []


def spoken(code: Code) -> Part | None:
    """A code's content as text of the document where it is words for people; None for addresses, cards and numbers."""
    text = code.text[:MAX_CODE].strip()
    letters = sum(map(str.isalpha, text))
    if text.lower().startswith(_NOT_SPOKEN) or " " not in text or letters * 2 < len(text) or letters < _LEAST:
        return None
    return Part(text, code.spot)
