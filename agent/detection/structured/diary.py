"""Diaries and address books of a practice: iCalendar events and vCards that name patients and say why they come.

Specification: RFC 5545, RFC 6350. One's own calendar («dentist at nine») is no patient's; a practice's diary has
several events that name a person, each with a reason for care or a birth date.
"""

from __future__ import annotations

import re

from agent.detection.cell_words import clinical_words, firm_words
from agent.detection.fold import fold
from agent.detection.matcher import matcher
from agent.detection.structured.base import LIKELY, Person, Recognised, about
from agent.findings import Kind

_EVENTS = 3  # at least so many, so that a family's calendar stays one
_MAX = 20_000
_LONGEST = 390  # characters of an event's text in which words of care are looked for
_HEAD = 40  # characters that begin a note
_FOLD = re.compile(r"\r?\n[ \t]")
_FIELD = re.compile(
    r"^(?:[\w-]{1,20}\.)?(SUMMARY|DESCRIPTION|COMMENT|NOTE|FN|BDAY|CATEGORIES|ATTENDEE|TITLE|ORG|ROLE)[;:]([^\r\n]*)",
    re.MULTILINE,
)
_CAPITALS = r"[A-ZÀ-Þ]{2}[A-ZÀ-Þ'-]+"
_WORD = r"[A-ZÀ-Þ][a-zß-ÿ]+(?:-[A-ZÀ-Þ][a-zß-ÿ]+)?"
_CIVILITY = r"(?:M|Mr|Mme|Mlle|Mrs|Ms|Herr|Frau|Hr|Fr|Sig|Sig\.ra|Sra?|D|Dña|Dhr|Mw|Mevr)\.? +"
_NAMED = re.compile(
    rf"\b(?:{_CIVILITY}{_CAPITALS}(?: +{_WORD})?|(?:{_CAPITALS} +)+{_WORD}|{_WORD} +{_CAPITALS}"
    rf"|{_CIVILITY}{_WORD}(?: +{_WORD})?)\b"
)
# a name at the beginning, in any case of letters: counts beside words of care alone, in a diary that is full of them
_FIRST = re.compile(
    rf"[^\w*]*(?:\d[\d:hH. -]{{0,8}}[ :-]+)?({_CIVILITY}(?:{_WORD}|{_CAPITALS})"
    rf"|(?:{_WORD}|{_CAPITALS}),? +(?:(?:{_WORD}|{_CAPITALS})\b|[A-Z]\b\.?))"
)
_STAFF = re.compile(r"\b(?:Dr|Docteur|Pr|Professeur|Prof|Me|Maître)\.? *$")
_BORN = re.compile(
    r"(?:\b(?:n[ée]+(?:\(e\))?e?(?: le)?|ddn|born|dob|geb\.?|nato|nata|nac\.?|geboren)|\*|\()\W{0,3}"
    r"\d{1,4}[-/.]\d{1,2}[-/.]\d{2,4}",
    re.IGNORECASE,
)
_CARE = re.compile(
    r"\b(?:consult|t[ée]l[ée]consult|ordonnance|renouvellement|vaccin|frottis|ecg|eeg|[ée]cho(?:graphie)?\b|grossesse"
    r"|pansement|certificat m[ée]dical|prise de sang|bilan sanguin|infiltration|sutures?|post.?op|st[ée]rilet|diu|ivg"
    r"|d[ée]tartrage|extraction|couronne|implant|kin[ée]|visite [àa] domicile|1re fois|injection|pr[ée]l[èe]vement"
    r"|coloscopie|scanner|irm|radio|mammographie|holter|spirom[ée]trie|follow.?up|check.?up|smear|blood test|dressing"
    r"|repeat prescription|impfung|nachsorge|blutabnahme|visita|controllo|vacuna|revisi[óo]n)",
    re.IGNORECASE,
)


_WORKS = re.compile(  # who is in the address book as a colleague, a laboratory, a firm
    r"\b(?:dr|docteur|pr|prof|kin[ée]|infirmi|idel?|pharmaci|cabinet|clinique|labo|h[ôo]pital|chu?|ehpad|ssiad|\w+ologue"
    r"|p[ée]diatre|g[ée]n[ée]raliste|chirurgien|dentiste|sage.?femme|orthophoniste|ost[ée]opathe|opticien|ambulance"
    r"|secr[ée]tariat|d[ée]l[ée]gu[ée]|\w*arzt|praxis|klinik|apotheke|pflegedienst|physio|nurse|surgery|practice"
    r"|hospital|consultant|medico|studio|farmacia|ospedale|huisarts|apotheek|ziekenhuis)",
    re.IGNORECASE,
)


def recognise_diary(text: str) -> Recognised | None:
    """Judge a calendar or an address book; None when it is neither, or nothing in it is about patients."""
    start = text[:40].lstrip("\ufeff \r\n").upper()
    if start.startswith("BEGIN:VCALENDAR"):
        return _calendar(_entries(text, "VEVENT"))
    if start.startswith("BEGIN:VCARD"):
        return _cards(_entries(text, "VCARD"))
    return None


def _entries(text: str, kind: str) -> list[dict[str, str]]:
    entries = []
    for block in _FOLD.sub("", text[:16_000_000]).split(f"BEGIN:{kind}", _MAX)[1:]:
        fields: dict[str, str] = {}
        for found in _FIELD.finditer(block):
            value = (
                found[2].partition(":")[2]
                if ";" in found[0][: found[0].find(found[2])] and ":" in found[2]
                else found[2]
            )
            fields.setdefault(found[1], re.sub(r"\\([,;n])", r" ", value[:2_000]))
        entries.append(fields)
    return entries


def _calendar(events: list[dict[str, str]]) -> Recognised | None:
    people = []
    for event in events:
        summary, more = event.get("SUMMARY", ""), event.get("DESCRIPTION", "") + " " + event.get("COMMENT", "")
        name = _name(summary)
        if name and _of_care(summary.replace(name, " "), f"{summary} {more}", more):
            people.append(Person(family=name))
    if len(people) < _EVENTS or len(people) * 10 < len(events):
        people = _by_first_words(events)
    if len(people) < _EVENTS:
        return None
    return about(Kind.PATIENT_TABLE, people, clinical=len(people), confidence=LIKELY)


def _name(summary: str) -> str:
    return next((found[0] for found in _NAMED.finditer(summary) if not _STAFF.search(summary[: found.start()])), "")


def _of_care(rest: str, whole: str, more: str) -> bool:
    return bool(_BORN.search(whole) or _CARE.search(rest) or _clinical(more) > 1)


def _by_first_words(events: list[dict[str, str]]) -> list[Person]:
    """Names in ordinary letters at the beginning of an event; most events of the diary must be so, each with words of
    care or a birth date.
    """
    people = []
    for event in events:
        summary, more = event.get("SUMMARY", ""), event.get("DESCRIPTION", "")
        found = _FIRST.match(summary)
        if found is None or _STAFF.search(summary[: found.end()].replace(found[1], "")) or firm_words(found[1]):
            continue
        rest = f"{summary[found.end() :]} {more}"
        if _BORN.search(rest) or _CARE.search(rest) or clinical_words(rest[:_LONGEST]):
            people.append(Person(family=found[1].strip()))
    return people if len(people) * 2 > len(events) else []


def _cards(cards: list[dict[str, str]]) -> Recognised | None:
    people, clinical = [], 0
    for card in cards:
        care = _clinical(card.get("NOTE", ""))
        patient = "patient" in card.get("CATEGORIES", "").lower()
        if (patient and care) or (care > 1 and not _is_colleague(card)):
            people.append(Person(family=card.get("FN", "").strip(), birth=card.get("BDAY", "")))
            clinical += care
    return about(Kind.PATIENT_TABLE, people, clinical=clinical, confidence=LIKELY) if people else None


def _is_colleague(card: dict[str, str]) -> bool:
    """Whether a card is of somebody who works there, or its note is no note: what is about patients says so itself."""
    note = card.get("NOTE", "")
    works = card.keys() & {"TITLE", "ORG", "ROLE"} or _WORKS.search(f"{card.get('FN', '')} {note[:_HEAD]}")
    return bool(works) or (len(note) > _LONGEST and "BDAY" not in card)


def _clinical(text: str) -> int:
    """Distinct medical words and medicines in a note."""
    if len(text) < 4:
        return 0
    entries = (match.entry for match in matcher().find(fold(text).words))
    return len({entry.text for entry in entries if entry.has("term") or entry.has("drug")})
