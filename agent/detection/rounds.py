"""The round of a ward in text: a bed or a room, a name, what is to be known of who lies there.

Owns telling such lines from others and turning them into rows with a heading, so that tables.py can judge them and
count persons. Takes lines, returns rows; judges nothing: a hotel has rooms and names too.
"""

from __future__ import annotations

import re
from collections.abc import Sequence
from itertools import islice

import re2

from agent.detection.linear import spans

_LEAST = 4  # beds
_DISTINCT = 0.8  # share of different beds: a list of measurements names the same one again and again
_LONGEST = 1_000  # characters of what is said
_PLACE = (
    r"(?:[Ll]it|LIT|[Cc]h|CH|[Cc]hambre|[Bb]ed|BED|[Bb]ett|[Zz]i|[Zz]immer|[Ll]etto|[Cc]ama|[Hh]ab|[Kk]amer"
    r"|[Bb]ox|BOX|[Rr]oom|[LBKZC])\.? ?"
)
_BED = rf"(?:{_PLACE}\d{{1,3}}|\d{{3}})[A-Za-z]?"
_CIVILITY = r"(?:M|Mr|Mme|Mlle|Mrs|Ms|Herr|Frau|Hr|Fr|Sig|Sig\.ra|Sr|Sra|Dhr|Mw)\.? "
_UPPER = r"[A-ZÀ-ÖØ-Þ][A-ZÀ-ÖØ-Þ'’-]+"
_LOWER = r"[A-ZÀ-ÖØ-Þ][a-zß-ÿ'’]+(?:-[A-ZÀ-ÖØ-Þ]?[a-zß-ÿ]+)*"
_NAME = (
    rf"(?:{_CIVILITY})?(?:{_LOWER} )?{_UPPER}(?: {_UPPER}){{0,3}}(?: {_LOWER}| [A-Z]\.)?"
    rf"|{_CIVILITY}{_LOWER}(?: {_LOWER})?|{_LOWER} {_LOWER}|{_LOWER} [A-Z]\."
)
_LINE = re.compile(rf"\s*+(?:[-*•]\s*+)?({_BED})\b\s*+(?:[:.)/-]\s*+)?({_NAME})(?!\w)\.?(.*)")
# how such a line begins, in Latin-1: a question mark there is a sign that Latin-1 has not, a blank or a digit perhaps
_options = re2.Options()
_options.encoding = re2.Options.Encoding.LATIN1
_BEGUN = re2.compile(rf"\n[\t\v\f\r\x1c-\x1f \x85\xa0?*-]*(?:{_PLACE}[0-9?]|[0-9?]{{3}})".encode("latin-1"), _options)
_NOBODY = frozenset(
    {"LIBRE", "VIDE", "EMPTY", "FREE", "LEER", "FREI", "LIBERO", "VUOTO", "LEEG", "VRIJ", "VACIA", "FERMEE", "CLOSED"}
)
_HEADING = ("lit", "resident", "observations")  # which such a round has not


def beds(lines: Sequence[str], plain: bytes | None = None) -> list[tuple[str, ...]]:
    """(bed, name, what is said) under a heading; lines set in belong to the bed above. Empty for anything else.
    ``plain`` are the lines in Latin-1, to be searched, when the caller has them.
    """
    plain = plain if plain is not None else "\n".join(lines).encode("latin-1", "replace")
    if sum(1 for _ in islice(spans(_BEGUN, b"\n" + plain), _LEAST)) < _LEAST:
        return []
    rows: list[list[str]] = []
    for line in lines:
        found = _LINE.fullmatch(line[:_LONGEST])
        if found is not None:
            rows.append([found[1], found[2], found[3]])
        elif rows and line[:1].isspace() and len(rows[-1][2]) < _LONGEST:
            rows[-1][2] += " " + line.strip()
    taken = [(bed, name, said.strip()) for bed, name, said in rows if name.split(" ")[0].upper() not in _NOBODY]
    if len({bed for bed, _, _ in taken}) < max(_LEAST, _DISTINCT * len(taken)):
        return []
    return [_HEADING, *taken]
