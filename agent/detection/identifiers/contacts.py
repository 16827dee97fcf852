"""Telephone numbers, e-mail addresses and postal addresses: weak evidence, which says « a person » and no more."""

from __future__ import annotations

import re

from agent.detection.identifiers.base import HEAD, Hit, Scheme, compact
from agent.findings import FindingType

_FRENCH = re.compile(rf"{HEAD}((?:\+33|0033|\(0\)|0)[ .\-]?(?:\(0\)[ .\-]?)?[1-9](?:[ .\-\u00a0]?\d{{2}}){{4}})(?!\d)")
_NOTHING = re.compile(r"\b(?:tel|telephone|phone|mobile|portable|fax|tfno|telefon|telefono)\b")
MAIL = re.compile(r"(?<![\w.+-])([A-Za-z0-9][\w.+-]{0,63}@(?:[A-Za-z0-9-]{1,63}\.){1,8}[A-Za-z]{2,24})(?![\w@])")
# a house number and a sort of street; for the linear search
STREET = (
    r"[0-9]{1,4}(?: ?(?:bis|ter))?,? "
    r"(?i:rue|avenue|av\.|boulevard|bd|chemin|all[ée]e|impasse|place|route|quai|cours|square) "
)
_TOWN = re.compile(r"[^\n\d]{2,60}?[\s,–-]{1,4}(?:[A-Z]-)?\d{5}\s[^\W\d_][^\W\d_ '’-]*")
_MOST = 2_000  # hits of one sort
_TRIES = 10_000  # signs looked at: beyond that a text is made of them


def _phone(value: str) -> bool:
    return len(compact(value)) >= 9


SCHEMES = (Scheme(FindingType.PHONE, "FR", 9, _FRENCH, _phone, _NOTHING, 0.8, 0.5, reach=20),)


def mails(text: str) -> list[Hit]:
    """The e-mail addresses in a text; costs nothing where there is no ``@``."""
    hits: list[Hit] = []
    place, tries = text.find("@"), 0
    while place >= 0 and len(hits) < _MOST and tries < _TRIES:
        tries += 1
        found = MAIL.search(text, max(0, place - 64), place + 220)
        if found and found.start() < place < found.end():
            hits.append(Hit(FindingType.EMAIL_ADDRESS, found.start(), found.end(), found[1].lower(), "", 0.6))
        place = text.find("@", max(place + 1, found.end() if found else 0))
    return hits


def address(text: str, start: int, end: int) -> Hit | None:
    """The postal address whose street begins at ``start`` and is named from ``end`` on; None without a town."""
    found = _TOWN.match(text, end, min(len(text), end + 100))
    return Hit(FindingType.ADDRESS, start, found.end(), "", "FR", 0.4) if found else None
