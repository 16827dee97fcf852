"""Persons of whom running text says something clinical: «J'ai vu madame Guillot, toujours intubée. M. Perrin …»

Owns who counts within sentences: a person with a civility, or two words one of which is a given name, with something
clinical in the same sentence, who is neither staff, nor addressed, nor a street, nor named for a disease. A relative
counts only when as much is said of them as of a patient. Takes a folded page, its ``Evidence`` and places; adds to it.
Lists are heads.py. Names never leave the process.
"""

from __future__ import annotations

import re
from array import array
from bisect import bisect_left
from collections.abc import Iterator, Sequence
from functools import partial
from itertools import chain, islice
from operator import attrgetter
from typing import NamedTuple

from agent.detection.evidence import Evidence, Told
from agent.detection.fold import Folded, words_of
from agent.detection.full_names import full, has_given, words_in
from agent.detection.head_words import NOT_A_NAME, ROLE
from agent.detection.lexicon import given, medicines, words
from agent.detection.linear import spans
from agent.detection.person_names import NOT_NAMES, VOWELS
from agent.detection.placed import placed_names
from agent.detection.told_words import (
    AGED,
    ALONE,
    END,
    FULL,
    HEADS_ENTRY,
    KIN,
    KIN_MEN,
    KIN_WOMEN,
    MAN,
    NOBODY,
    PATIENT_TOO,
    SHORT,
    TITLED,
    TITLES,
    TWO_WORDS_THERE,
    WITH,
    WITHIN,
    WOMAN,
    is_kin,
    is_kin_behind,
    is_of_kin,
    is_staff,
    stands_aside,
)
from agent.detection.wordings import vocabulary

_MOST = 120  # mentions looked at a page
_LEAST = 3  # letters of a name
_NEAR = 40  # bytes before a name that say in what part somebody is named
_KIN_TOLD = 3  # clinical entries from which a relative is a patient too
_NOTE = 900  # folded bytes of a note
_INITIALS = re.compile(rb"[A-Z]\.-?[A-Z]\.")
_SIGNED = 4  # line ends of a note of which the last line may be a signature


class _Mention(NamedTuple):
    start: int
    end: int
    who: Told
    couple: bool = False
    short: bool = False  # a part of the name is an initial


def read_told(evidence: Evidence, page: Folded, clinical: Sequence[int]) -> None:
    """Leave with ``evidence`` what finds those of whom a sentence of the page says something clinical (``clinical``:
    where that stands), once they are asked for. What is kept for it is small beside the page.
    """
    if clinical or any(_known_words(evidence)):
        evidence.teller = partial(_tell, page.cased, array("i", sorted(clinical)))


def _tell(cased: bytes, entries: Sequence[int], evidence: Evidence) -> list[Told]:
    """Whoever is meant, in order. Sentences are parted only where somebody may be."""
    mentions = _mentions(evidence, cased)
    if not mentions:
        return []
    staff = {mention.who for mention in mentions if ROLE.match(cased, mention.end)}
    staff.update([Told(frozenset(name.split())) for name in evidence.workers[:_MOST]])
    found: list[Told] = []
    ends: list[int] = []
    for number, mention in enumerate(mentions):
        if (staff and any(_same(mention.who, other) for other in staff)) or is_aside(cased, mention.start):
            continue
        ends = ends or [0, *(end - 1 for _, end in islice(spans(END, cased), 10 * _MOST)), len(cased)]
        low, high = _reach(mentions, number, ends)
        low = mention.end if mention.short else low  # else it is a signature
        count = bisect_left(entries, high) - bisect_left(entries, low)
        count = count or _says_known(evidence, cased[low:high])  # what is counted once a page
        if count and _is_meant(cased, mention, count):
            found.append(Told(mention.who.words, mention.who.sex or _sex_of_kin(_before(cased, mention).lower())))
            if mention.couple:
                found.append(Told(mention.who.words, "f" if mention.who.sex == "m" else "m"))
    if not found and (couple := next((mention for mention in mentions if mention.couple), None)):
        return _couple(evidence, cased, entries, couple)
    return found


def _couple(evidence: Evidence, cased: bytes, entries: Sequence[int], couple: _Mention) -> list[Told]:
    """«M. et Mme Delpech», of whom behind it the one and the other are told apart; else nobody."""
    told: set[str] = set()
    for found in islice(ALONE.finditer(cased, couple.end), _MOST):
        stop = END.search(cased, found.end())
        high = stop.start() if stop else len(cased)
        if bisect_left(entries, high) > bisect_left(entries, found.start()) or _says_known(
            evidence, cased[found.start() : high]
        ):
            told.add("m" if found["m"] else "f")
    return [Told(couple.who.words, sex) for sex in sorted(told)] if len(told) > 1 else []


def _known_words(evidence: Evidence) -> tuple[set[bytes], ...]:
    return evidence.terms, evidence.drugs, evidence.lab_values, evidence.vitals


def _says_known(evidence: Evidence, sentence: bytes) -> bool:
    """Whether one of its words is clinical, by what else the page says."""
    said = words_of(sentence).split()
    return any(not known.isdisjoint(said) for known in _known_words(evidence))


def _reach(mentions: Sequence[_Mention], number: int, ends: Sequence[int]) -> tuple[int, int]:
    """The part of the sentence that is said of a person: up to the next one, for the first from its beginning."""
    mention = mentions[number]
    place = bisect_left(ends, mention.start + 1)
    low, high = ends[max(0, place - 1)], ends[min(place, len(ends) - 1)]
    if number and mentions[number - 1].start >= low:
        low = mention.start
    behind = (other.start for other in mentions[number + 1 :] if other.start > mention.start)  # two may share a name
    return low, min(high, next(behind, high))


def _mentions(evidence: Evidence, cased: bytes) -> list[_Mention]:
    """The persons that a page names, in order."""
    found = [mention for start in evidence.heads[:_MOST] if (mention := _titled(cased, start))]
    taken = {mention.end for mention in found}
    known: dict[tuple[bytes, bool], list[Told]] = {}  # a page says the same names again and again
    for start, end in islice(spans(FULL, cased), _MOST):
        if end not in taken:
            found += _untitled(cased, start, end, known)
    if len(cased) <= _NOTE:
        found += _shortened(cased, [(mention.start, mention.end) for mention in found])
        found += [
            _Mention(start, end, Told(frozenset((word,))))
            for start, end, word in placed_names(cased)
            if not any(mention.start <= start < mention.end for mention in found)
        ]
    return sorted(found, key=attrgetter("start"))


def full_names(evidence: Evidence, cased: bytes) -> list[tuple[int, int]]:
    """Where full names without a civility stand that are not of those who work there."""
    known: dict[tuple[bytes, bool], list[Told]] = {}
    found = [each for start, end in islice(spans(FULL, cased), _MOST) for each in _untitled(cased, start, end, known)]
    staff = [Told(frozenset(name.split())) for name in evidence.workers[:_MOST]]
    return [
        (each.start, each.end)
        for each in found
        if ROLE.match(cased, each.end) is None and not any(_same(each.who, other) for other in staff)
    ]


def _untitled(cased: bytes, start: int, end: int, known: dict[tuple[bytes, bool], list[Told]]) -> list[_Mention]:
    """Whom two words with capitals name, or the second of them with the next: «Audio de Kévin Besse»."""
    if has_given(cased[start:end]):
        kin = is_kin(cased[max(0, start - _NEAR) : start].lower())  # «son mari, Prigent Louis»: no common words
        if found := _named(cased, start, end, known, kin=kin):
            return [_Mention(start, end, who) for who in found]
    last = cased.rfind(b" ", start, end) + 1
    again = TWO_WORDS_THERE.match(cased, last)
    if again is None or not has_given(again[0]):
        return []
    return [_Mention(last, again.end(), who) for who in _named(cased, last, again.end(), known)]


def _named(
    cased: bytes, start: int, end: int, known: dict[tuple[bytes, bool], list[Told]], *, kin: bool = False
) -> list[Told]:
    """Whom these words name, looked at once a page."""
    said = cased[start:end], kin or AGED.match(cased, end) is not None
    if said not in known:
        known[said] = full(said[0], aged=said[1])
    return known[said]


def _shortened(cased: bytes, taken: Sequence[tuple[int, int]]) -> Iterator[_Mention]:
    """In a note, a given name with an initial, an initial with a word that is none of the language."""
    for start, end in islice(chain.from_iterable(spans(form, cased) for form in SHORT), _MOST):
        who = frozenset(word for word in words_in(cased[start:end]) if not word.endswith(b"."))
        if len(who) != 1 or VOWELS.isdisjoint(*who) or any(low < end and start < high for low, high in taken):
            continue
        first = cased[end - 1 : end] == b"."
        unknown = who.isdisjoint(vocabulary() | words() | NOT_A_NAME | NOT_NAMES | NOBODY)
        if not _is_signature(cased, start, end) and (who <= given() if first else unknown):
            yield _Mention(start, end, Told(who), short=True)


def _is_signature(cased: bytes, start: int, end: int) -> bool:
    """Whether the last of several lines begins there."""
    last = b"\n" not in cased[end:].strip(b"\n") and cased[start - 1 : start] == b"\n"
    return last and cased.count(b"\n") > _SIGNED


def _titled(cased: bytes, start: int) -> _Mention | None:
    found = TITLED.match(cased, start, start + 100)
    if found is None or cased[start - 1 : start] in WITHIN:
        return None
    who = words_in(found["name"])
    if not who or not who.isdisjoint(NOT_A_NAME) or not who.isdisjoint(medicines()):
        return None
    if _INITIALS.match(cased, start):  # «M.L. BHC ok»: two initials, no «M.»
        return None
    title = found["title"].lower().replace(b".", b"").replace(b" ", b"")
    if title not in TITLES:  # «D.» of a Spaniard is a side of the body in France
        return None
    sex = "f" if title in WOMAN else "m" if title in MAN else ""
    return _Mention(
        start,
        found.end(),
        Told(who, sex),
        couple=found["other"] is not None or WITH.search(cased, max(0, start - 14), start) is not None,
    )


def is_aside(cased: bytes, start: int) -> bool:
    """Whether who is named there works there, is addressed, or gave the name to a street, a house, a disease."""
    before = cased[max(0, start - _NEAR) : start]
    lower = before.lower()
    return stands_aside(lower) or (is_staff(before) and not is_of_kin(lower))


def _is_meant(cased: bytes, mention: _Mention, count: int) -> bool:
    """Whether the sentence is about whom it names; about a relative only where much is said."""
    behind = cased[mention.end : mention.end + _NEAR]
    kin = is_kin(_before(cased, mention).lower())
    if PATIENT_TOO.match(behind.lower()) or (kin and HEADS_ENTRY.match(behind)):
        return True
    return count >= _KIN_TOLD or not (kin or is_kin_behind(behind.lower()))


def _before(cased: bytes, mention: _Mention) -> bytes:
    return cased[max(0, mention.start - _NEAR) : mention.start]


def _sex_of_kin(lower: bytes) -> str:
    """«son mari» is a man, «sa fille» a woman: a couple of one family name are two."""
    found = KIN.search(lower) if is_kin(lower) else None
    word = found[0].rstrip(b" ,").split()[1] if found else b""
    return "m" if word in KIN_MEN else "f" if word in KIN_WOMEN else ""


def distinct(told: Sequence[Told]) -> list[Told]:
    """One entry a person: «Mme Virginie Caron» and «Mme Caron» are one, «M. Caron» is another."""
    known: list[Told] = []
    for who in sorted(set(told), key=lambda each: (-len(each.words), sorted(each.words), each.sex)):
        if not any(_same(who, other) for other in known):
            known.append(who)
    return known


def _same(who: Told, other: Told) -> bool:
    shared = who.words & other.words
    if not shared or (who.sex and other.sex and who.sex != other.sex):
        return False
    left, right = who.words - shared, other.words - shared
    if not left or not right:
        return True
    return not (shared <= given() or (left & given() and right & given()))


def added(entries: frozenset[str], told: Sequence[Told]) -> frozenset[str]:
    """The keys of the entries of a list with those whom sentences tell of besides; empty when that is nobody or one.
    An entry without a name may be one of them.
    """
    listed = [frozenset(entry.encode("ascii", "replace").replace(b"-", b" ").split()) for entry in entries]
    fresh = [who for who in distinct(told) if not any(who.words & other for other in listed)]
    keys = {f"{who.sex} " + b" ".join(sorted(who.words)).decode("ascii", "replace") for who in fresh}
    nameless = sorted(entry for entry in entries if entry.startswith("#"))
    found = entries.difference(nameless[: len(keys)]) | keys
    return found if len(found) > 1 else frozenset()
