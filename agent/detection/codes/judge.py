"""A node's codes and its text together: one answer.

Owns how far a code decides. A certificate, a card, a prescription is a patient's document whatever stands beside it. An
INS datamatrix says whose document it is and makes it a patient's unless the text beside it is a specification, a
course or a paper, which show such codes as examples. An official stamp that is not about health makes a personal
identifier at most. Takes values, returns ``Judged``; persons are counted by the keys that the text of a page uses (the
birth date), so that a code and its own page are one person.
"""

from __future__ import annotations

import math
import re
from dataclasses import replace

from agent.detection import combine
from agent.detection.codes import card, ins
from agent.detection.codes.base import MAX_CODE
from agent.detection.codes.reader import MAX_FOUND, Patience, read_code, read_text
from agent.detection.codes.reader import spoken as spoken_by
from agent.detection.judged import NAMED, Judged
from agent.detection.structured.base import Recognised
from agent.document import Document, Format, Part, Spot
from agent.findings import FindingType, Kind

MAX_CODES = 400  # codes of one node that are read
_SHOWN = 8  # findings of codes that are kept for the explanation
_EXAMPLES = frozenset((FindingType.SPECIFICATION, FindingType.COURSE, FindingType.PAPER, FindingType.SOURCE_CODE))
_DATED = re.compile(r"(\d{4})(\d{2})(\d{2})\Z")
_ISO = re.compile(r"\d{4}-\d{2}-\d{2}")


def with_codes(node: Document, text: Judged) -> Judged:
    """``text``, the answer for the node's language, with what the node's codes say. No codes: the same object."""
    found = _read(node)
    if not found:
        return text
    about = [(spot, said) for spot, said in found if said.patient_data]
    shown = tuple(replace(item, spot=spot) for spot, said in found for item in said.items)[:_SHOWN]
    text = replace(
        text,
        items=shown + text.items,
        number=text.number or any(said.kind is Kind.PERSONAL_IDENTIFIER for _, said in found),
    )
    return _of_a_patient([said for _, said in about], text) if about else text


def spoken(node: Document) -> list[Part]:
    """The texts for people among the node's codes, to be judged with its other text."""
    return [part for code in node.codes[:MAX_CODES] if (part := spoken_by(code)) is not None]


def _read(node: Document) -> list[tuple[Spot, Recognised]]:
    """What the codes in pictures say, then those that stand as text; the same said twice is said once."""
    codes = node.codes[:MAX_CODES]
    found = [(code.spot, said) for code in codes for said in read_code(code)]
    if len(codes) > 1:
        found += [
            (codes[0].spot, said) for text in card.joined(code.text for code in codes) for said in read_text(text)
        ]
    patience = Patience()
    for part in node.parts:
        if len(found) >= MAX_FOUND or patience.left <= 0:
            break
        found += [(part.spot, said) for said in read_text(part.text, patience)]
    if node.format is Format.JSON:  # whose parts are its values; a certificate is in its shape
        found += [(Spot(), said) for said in read_text(node.raw[:MAX_CODE].decode("utf-8", "replace"))]
    distinct = {(said.kind, said.persons, said.patient_data): (spot, said) for spot, said in reversed(found)}
    return list(reversed(distinct.values()))


def _of_a_patient(codes: list[Recognised], text: Judged) -> Judged:
    probability = max(_probability(code, text) for code in codes)
    if probability < combine.MEDICAL:
        return text  # an example of a code
    best = max(codes, key=lambda code: (code.kind is not Kind.OTHER, code.confidence))
    medical = text.probability >= combine.MEDICAL
    persons = frozenset[str]().union(*(map(_key, code.persons) for code in codes))
    return replace(
        text,
        probability=max(text.probability, probability),
        kind=text.kind if medical and text.kind is not Kind.OTHER else best.kind,
        identified=text.identified or any(code.identified for code in codes),
        persons=_together(persons, text.persons if medical else frozenset()),
        anonymous=0 if persons else 1,
        test_data=text.test_data or all(code.test_data for code in codes),
    )


def _probability(code: Recognised, text: Judged) -> float:
    """That the document is about a patient, by this code; examples in print take away from a mere identity."""
    if not any(item.type is FindingType.INS for item in code.items) or code.confidence > ins.BY_LAW:
        return code.confidence
    against = sum(item.weight for item in text.items if item.weight < 0 and item.type in _EXAMPLES)
    return combine.sigmoid(math.log(code.confidence / (1 - code.confidence)) + against)


def _key(key: str) -> str:
    """A person's key as the text of a page would have it: the birth date, else the number."""
    dated = _DATED.search(key)
    if dated is not None and not key.startswith("#"):
        return "-".join(dated.groups())
    return key.removeprefix("#")


def _together(codes: frozenset[str], text: frozenset[str]) -> frozenset[str]:
    """Persons of both sides. Where each side knows one, and the text only by a number, they are the same."""
    known = frozenset(person for person in text if person != "one" and not person.startswith(NAMED))
    if not codes:
        return text
    if len(codes) == len(known) == 1 and not _ISO.fullmatch(next(iter(known))):
        return codes
    return codes | known
