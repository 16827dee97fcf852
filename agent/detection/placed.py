"""Family names where notes put them without civility: behind a bed, in brackets behind a person, before an initial.

Owns those shapes: «ch 402 fen. Tréguer :», «mon patient (Rault, 39a)», «Uguen B. :», «Margaret V, day 4». A word there
is a name when it is none of the language (``firsts.unknown``), or a given name with an initial. Takes the folded page
of a note, returns where it names whom; whether something clinical is said of them told.py decides. Names never leave
the process.
"""

from __future__ import annotations

import re
from collections.abc import Iterator
from itertools import islice

import re2

from agent.detection.firsts import unknown
from agent.detection.lexicon import given
from agent.detection.linear import spans
from agent.detection.person_names import NOT_NAMES

_MOST = 60  # places looked at a page
_CAP = r"[A-Z][a-z][a-z'\-]+"
_BED = (
    r"(?:[Ll]it|[Ll]etto|[Bb]ed|[Bb]ett|[Zz]i(?:mmer)?|[Cc]h(?:br|ambre)?|[Hh]ab|[Kk]amer|[Cc]ama|[Bb]ox|[Rr]oom|"
    r"[Bb]ay|[Ss]tanza|[Rr]es(?:ident)?)"
)
_PERSON = (
    r"(?:monsieur|dame|patiente?|jeune|petite?|gamine?|residente?|garcon|fille|homme|femme|lady|man|chap|"
    r"patient|woman|boy|girl|Patientin|Patient|Herr|Frau|Dame|Junge|Madchen|paziente|signora|signore|paciente|senora|"
    r"senor|mevrouw|meneer|bewoner)"
)
_SHAPES = re2.compile(
    (
        rf"\b{_BED}\.? ?\d{{1,4}}[A-Za-z]? ?(?:[FPHM]\b|fen\.?|porte)? ?[:.-]? ?{_CAP}"
        rf"|\b{_PERSON}(?: [a-z]{{1,4}}){{0,3}}(?: \d{{1,3}})? \({_CAP}(?:,? \d{{1,3}} ?(?:ans|a|y|yo|J|j)?)?\)"
        rf"|\b{_CAP} [A-Z]\.? ?[:,(] "
        rf"|[\n.] ?[A-Z]{{1,2}}\d{{1,2}} ?:? {_CAP} ?[:,]"
    ).encode("ascii")
)
_NAME = re.compile(rb"[A-Z][a-z][a-z'\-]+")
_INITIAL = re.compile(rb" [A-Z]\.? ?[:,(] $")
_BRACKET = rb"("


def placed_names(cased: bytes) -> Iterator[tuple[int, int, bytes]]:
    """Start and end of each name of a note, and its word in lower case."""
    for start, end in islice(spans(_SHAPES, cased), _MOST):
        bracket = cased.find(_BRACKET, start, end)
        initial = _INITIAL.search(cased, start, end)
        inside = bracket >= 0 and initial is None
        found = list(_NAME.finditer(cased, bracket if inside else start, end))
        if not found:
            continue
        last = found[0] if initial or inside else found[-1]
        word = last[0].lower()
        strange = unknown(word) and (initial is None or b"." in initial[0])  # not «Vitamine D,»
        if strange or (initial is not None and word in given() and word not in NOT_NAMES):
            yield last.start(), last.end(), word
