"""Two patients in one record: the mother and her newborn, the couple that wants a child.

Owns the signs by which such a text is known whoever is named in it: what is noted of a woman in childbed beside the
weight of a newborn in grams, the couple beside what is done for its fertility. Takes folded pages that were judged
medical; returns how many patients there are at least. Pure.
"""

from __future__ import annotations

from collections.abc import Iterable

import re2

from agent.detection.linear import spans

_PAIR = 2
_CHILDBED = re2.compile(
    rb"\b(?:(?:lochies?|montee de lait|lochia|lochien|wochenfluss|milcheinschuss|montata lattea|loquios)|perinees?|"
    rb"crevasses?|globe uterin|uterus|involution|seins souples|epds|tranchees|suites? de couches?|post-?partum|fundus|"
    rb"perineum|breasts?|nipples?|dammnaht|rectusdiastase|stillen|capezzoli|puerperio|entuertos|"
    rb"tepel(?:s|kloven|hoedje)?|borstvoeding)\b"
)
_AFTER = frozenset(
    [*b"lochies lochie lochia lochien wochenfluss milcheinschuss loquios".split(), b"montee de lait", b"montata lattea"]
)
"""What is noted of nobody but a woman in childbed."""
_NEWBORN = re2.compile(
    rb"\b(?:bb|bebe|nouveau-?nee?|enfant|fille|garcon|fils|baby|newborn|kind|neugeborene[sn]?|saugling|tochter|sohn|"
    rb"neonat[oa]|bimb[oa]|figli[oa]|recien nacid[oa]|hij[oa]|nin[oa]|dochter|zoon|jongen|meisje)\b[^\n]{0,60}?"
    rb"\b[1-5][ .,]?\d{3} ?(?:g\b|gr\b|gram|[/-]|pn\b|j\d)"
)
_COUPLE = re2.compile(rb"\b(?:couple|paar|coppia|pareja|koppel)\b")
_FERTILITY = re2.compile(
    rb"\b(?:fiv|icsi|iac|iiu|ivf|iui|fivet|tec|ponction|ovocytes?|ovo|amh|follikel|"
    rb"follicoli|foliculos)\b"
)


def least(pages: Iterable[bytes]) -> int:
    """Two where a page tells of a mother with her newborn or of a couple under treatment, else one."""
    return _PAIR if any(_mother_and_child(page) or _couple(page) for page in pages) else 1


def _mother_and_child(page: bytes) -> bool:
    told = {page[start:end] for start, end in spans(_CHILDBED, page)}
    return bool(len(told) >= _PAIR or told & _AFTER) and any(True for _ in spans(_NEWBORN, page))


def _couple(page: bytes) -> bool:
    signs = (
        {page[start:end] for start, end in spans(_FERTILITY, page)} if any(True for _ in spans(_COUPLE, page)) else ()
    )
    return len(signs) >= _PAIR
