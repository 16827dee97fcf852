"""How many patients a text tells about: the entries of a round, a handover, a staff meeting, a list written by hand.

Owns the count of *entries*: lines (or blocks under a bed, a number, an hour) that begin with a person. A name in the
middle of a sentence is no entry: letters name relatives, colleagues and secretaries. Takes folded pages of a text that
was judged medical, returns opaque keys for counting only; they never leave the process. The count is a floor: who
stands twice under one family name counts once, who is only spoken of counts not at all. Tables are tables.py, births
and numbers of patients texts.py.
"""

from __future__ import annotations

import re
from collections.abc import Callable, Iterator, Sequence
from dataclasses import dataclass, field
from typing import NamedTuple

import re2

from agent.detection.firsts import marked_word, placed_word
from agent.detection.head_words import (
    BEGUN,
    EMPTY,
    HEADED,
    INITIALS,
    LABELLED,
    LEADS,
    NEXT_BED,
    NOT_A_NAME,
    NOT_ENTRIES,
    ROLE,
    SENTENCES,
    SEXED,
    SHAPES,
    SHORTENED,
    STAFF,
    TITLED,
    YEARS,
)
from agent.detection.lexicon import given, words
from agent.detection.linear import holding, spans
from agent.detection.person_names import PARTICLES

_LINES, _WIDTH = 3000, 200  # looked at of a page, and of a line
# whether a line may hold anybody, where its lead does not make it one of a list; one look, linear
_places = re2.Options()
_places.never_capture = True  # only where they stand is asked, and what need not be told apart is found faster
_NAMING = re2.compile(
    b"|".join(form.pattern for shape, form in SHAPES.items() if not shape.startswith("name")), _places
)
_may_name = holding(_NAMING)
_TELLING = re2.compile(b"\n" + BEGUN + b"|" + _NAMING.pattern, _places)
"""What every line begins with, or holds, that is an entry: one search of a page leaves the others out."""
_BEGINS = 24  # bytes of a line within which its person stands
_STRONG = frozenset(("civility", "aged", "headed"))
_LOOSE = frozenset(("", "bullet"))  # lines that nothing places in a list
_PLACED = frozenset(("bed", "time", "day", "item", "number", "post"))  # what begins the lines of a list
_NAMING_LEADS = _PLACED | {"long"}  # behind which two words with capitals are a person
_ITEMS = _PLACED | {"chat", "bullet", "headed"}  # two such lines that begin with different persons are two entries
_NOTE = 900  # bytes of a page that may be told in one paragraph
_ALONE, _SHORT = 12, 4  # bytes: less stands alone on its line; less is hardly anything
_STROKES = 2  # that part a line into cells
_MONTH = re.compile(rb"[MSJD]\d")  # «M6 91 33,4»: a visit after so many months
_FEW, _MANY = 3, 4  # entries that make a list of lines with a lead, and of bare ones


class _Entry(NamedTuple):
    """One line: what leads it, the person that it begins with, whether it begins with an age and sex."""

    number: int
    lead: str = ""
    body: bytes = b""
    person: frozenset[bytes] = frozenset()
    shape: str = ""
    sexed: bool = False
    couple: bool = False
    begins: int = 0  # place of the person in the body


@dataclass(slots=True)
class _Counted:
    """The persons of all entries with one lead."""

    sure: list[_Entry] = field(default_factory=list)
    likely: list[_Entry] = field(default_factory=list)
    nameless: list[_Entry] = field(default_factory=list)
    whole: bool = False  # every line of a note but its title begins with a person


def patients(pages: Sequence[bytes], *, sole: bool = False) -> frozenset[str]:
    """One key a patient of all ``pages`` (folded, case kept); empty when they do not list several. ``sole``: one person
    is named by a birth date or a number, as the document of one patient does; its lists are of acts and readings.
    """
    known: list[frozenset[bytes]] = []
    couples = placed = 0
    for page_number, page in enumerate(pages):
        for entry in _entries_of(page, sole=sole):
            who = entry.person or frozenset((b"#%d.%d" % (page_number, entry.number),))
            if not any(_same(who, other) for other in known):
                known.append(who)
                couples += entry.couple
                placed += entry.lead in _ITEMS
    if len(known) + couples < (2 if placed >= 2 else _FEW):
        return frozenset()
    keys = {b" ".join(sorted(who)).decode("ascii", "replace") for who in known}
    return frozenset(keys | {f"+{number}" for number in range(couples)})


def _same(who: frozenset[bytes], other: frozenset[bytes]) -> bool:
    """«Mme DUPONT» and «DUPONT Jeanne» are one; «M. D.» and «Mme D.» cannot be told apart."""
    shared = who & other
    return bool(shared) and (who == other or max(map(len, shared)) > 2)


def _entries_of(page: bytes, *, sole: bool = False) -> Iterator[_Entry]:
    entries: list[_Entry] = []
    leads: dict[str, None] = {}
    for number, line in enumerate(_lines_of(page)):
        lead, body = line or ("", b"")
        if line is not None:
            entries.append(_read(number, lead, body))
            lead = entries[-1].lead
        leads[lead] = None
    if not entries:
        return
    note = len(page) <= _NOTE and not sole
    labelled = sole or LABELLED.search(page[:1500]) is not None  # «Nom :», «né le»: the document of one person
    for lead in leads:
        counted = _count(lead, entries, note=note)
        many = len(counted.sure) + len(counted.likely) >= (_FEW if lead in _PLACED or counted.whole else _MANY)
        if labelled and len(counted.sure) < _FEW and not (lead in {"bed", "time"} and many and not sole):
            continue
        yield from counted.sure
        if many:
            yield from counted.likely
        if _counts_nameless(lead, counted, labelled=labelled):
            yield from counted.nameless


def _counts_nameless(lead: str, counted: _Counted, *, labelled: bool) -> bool:
    if counted.nameless and all(_MONTH.match(entry.body) for entry in counted.nameless):
        return False
    if lead == "bed" and len(counted.sure) + len(counted.nameless) >= 2:
        return True
    return not labelled and (len(counted.nameless) >= _FEW or (lead in _PLACED and len(counted.sure) >= 2))


def _lines_of(page: bytes) -> Iterator[tuple[str, bytes] | None]:
    """Each line as its lead and the rest, or None for one that is no entry. A bed or a number on a line of its own
    takes the line below.
    """
    held = ""
    page = page.strip(b"\n")
    if len(page) <= _NOTE:
        page = NEXT_BED.sub(b"\n", SENTENCES.sub(b"\n", page))
    told = None if len(page) <= _NOTE else _told(b"\n" + page)
    for number, line in enumerate(page.split(b"\n", _LINES)[:_LINES]):
        if told is not None and number not in told and not held:
            yield None
            continue
        lead, body = _lead(line[:_WIDTH])
        if held and not lead:
            yield held, body
            held = ""
            continue
        if held:
            yield held, b""
        held = lead if lead in _PLACED and len(body) < _SHORT else ""
        if not held:
            yield ("", b"") if NOT_ENTRIES.match(line) else (lead, body)
    if held:
        yield held, b""


def _told(page: bytes) -> set[int]:
    """The numbers of the lines that may be entries, found in one linear search. ``page`` begins with a line end."""
    found: set[int] = set()
    line, seen = -1, 0
    for start, _ in spans(_TELLING, page):
        line += page.count(b"\n", seen, start + 1)
        seen = start + 1
        found.add(line)
    return found


def _read(number: int, lead: str, body: bytes) -> _Entry:
    sexed = SEXED.match(body.lstrip(b" -(")) is not None
    if lead in _LOOSE and not sexed and (headed := _headed(body)):
        return _Entry(number, "headed", body, headed, "headed")
    if lead in _PLACED and (initials := INITIALS.match(body)):
        return _Entry(number, lead, body, frozenset((initials[1].lower(),)), "initials")
    if sexed or (lead not in _NAMING_LEADS and not _may_name(body)):  # nearly every line
        return _Entry(number, lead, body, sexed=sexed)
    body = _cell_of_a_person(body)
    best = min(_persons(body, lead), key=lambda entry: (entry.shape, entry.begins), default=_Entry(number))
    return best._replace(number=number, lead=lead, body=body, sexed=sexed)


def _cell_of_a_person(body: bytes) -> bytes:
    """«19:02 | Caller: wife | Mr Régis CHAMBOLLE 66 | …»: the line from the cell that begins with a person."""
    if body.count(b" | ") < _STROKES:
        return body
    cells = body.split(b" | ")
    named = (place for place, cell in enumerate(cells) if SHAPES["civility"].match(cell) or SHAPES["aged"].match(cell))
    return b" | ".join(cells[next(named, 0) :])


def _headed(body: bytes) -> frozenset[bytes]:
    """Whom a line names before a mark: after a civility, by a given name, by an initial; else nobody."""
    if found := TITLED.match(body):
        return _words(found)
    found = HEADED.match(body)
    if found is None:
        return frozenset()
    who = _words(found)
    if not who.isdisjoint(NOT_A_NAME) or not who.isdisjoint(words()):
        return frozenset()
    initial = found[2] is not None and found[2][:1] not in b"IVX"  # not the number of a chapter
    return who if initial or not who.isdisjoint(given()) else frozenset()


def _lead(line: bytes) -> tuple[str, bytes]:
    """What leads the line, and the rest."""
    for name, shape in LEADS.items():
        if found := shape.match(line):
            return name, line[found.end() :]
    return "", line


def _persons(body: bytes, lead: str) -> Iterator[_Entry]:
    """Whom the line may begin with: the first of each shape that is a person."""
    for shape, form in SHAPES.items():
        if shape.startswith("name") and lead not in _NAMING_LEADS:
            continue  # two words with capitals: a heading as likely as a person
        for found in form.finditer(body):
            if found.start() > _BEGINS:
                break
            who = _words(found) - (NOT_A_NAME if found.lastindex == 2 and found[1].lower() not in NOT_A_NAME else set())
            if _is_person(found, who, shape, body):
                kind = "agedfirst" if shape == "aged" and len(who) == 1 else shape
                yield _Entry(0, lead, body, who, kind, couple=b" et " in found[0], begins=found.start())
                break


def _words(found: re.Match[bytes]) -> frozenset[bytes]:
    words = b" ".join(group for group in found.groups() if group).lower().replace(b"-", b" ").split()
    return frozenset(word.strip(b".'") for word in words) - PARTICLES - {b""}


def _is_person(found: re.Match[bytes], who: frozenset[bytes], shape: str, body: bytes) -> bool:
    if not who or not who.isdisjoint(NOT_A_NAME) or STAFF.search(body[max(0, found.start() - 14) : found.start()]):
        return False
    if shape != "aged":
        return ROLE.match(body[found.end() : found.end() + 20]) is None
    alone = len(who) == 1 and (found.start() > 2 or not YEARS.search(found[0]))  # «Depuis 1998»
    return not alone and SHORTENED.match(found[1]) is None


def _count(lead: str, entries: Sequence[_Entry], *, note: bool = False) -> _Counted:
    """The entries with this lead, sorted by how sure they are. ``note``: those of a page of a few lines."""
    counted = _Counted()
    leads = {lead, "headed"} if note and lead in _LOOSE else {lead}  # « Riou -> » stands among bare lines
    mine = [entry for entry in entries if entry.lead in leads and entry.body and not (lead and EMPTY.match(entry.body))]
    for entry in mine:
        if not entry.person:
            if entry.sexed or lead == "bed":
                counted.nameless.append(entry)
        elif lead or len(entry.body) - entry.begins > _ALONE:  # a name alone: an address, a signature
            (counted.sure if entry.shape in _STRONG else counted.likely).append(entry)
    if lead in _PLACED and len(mine) >= _FEW:
        _take_words(counted, mine, placed_word, 0 if len(mine) < _MANY else len(mine) * 4 // 10)
    elif note and lead in _LOOSE and counted.sure:
        counted.whole = _take_words(counted, mine, marked_word, 1)
    return counted


def _take_words(counted: _Counted, mine: Sequence[_Entry], word_of: Callable[[bytes], bytes], others: int) -> bool:
    """«7h10 VEYRENC insuline», «Lebreton : agité»: in a list whose lines, but for ``others``, begin with a person or
    with a word that is none of the language, those words are names. False when it is no such list.
    """
    said = counted.sure + counted.likely
    numbers = {entry.number for entry in said}
    had = frozenset[bytes]().union(*(entry.person for entry in said))
    named = [(entry, word) for entry in mine if entry.number not in numbers and (word := word_of(entry.body))]
    if len(named) + len(said) < max(_FEW, len(mine) - others):
        return False
    fresh = [(entry, word) for entry, word in named if word not in had]
    counted.likely += [_Entry(entry.number, entry.lead, entry.body, frozenset((word,))) for entry, word in fresh]
    taken = {entry.number for entry, _ in fresh}
    counted.nameless = [entry for entry in counted.nameless if entry.number not in taken]
    return True
