"""Is a name itself telling? A file or folder called after a patient leaks before a byte of any document does. Pure.

The reader process judges the name as a text of one line; this says what to give it and what its findings mean for a
name. A name tells when it holds a patient's identifier, a patient of the practice's list, somebody with a date of
birth, or somebody with a clinical word. A doctor's name, a place with a date, a clinical word alone tell nothing.
"""

from __future__ import annotations

import re
import unicodedata

from agent.findings import Findings, FindingType, Judgement, Kind

MAX_NAME = 4096  # bytes
_IDENTIFIERS = {
    FindingType.NIR, FindingType.INS, FindingType.IPP, FindingType.NDA, FindingType.FOREIGN_ID, FindingType.ROSTER
}  # fmt: skip
_SOMEBODY = {FindingType.PERSON, FindingType.IDENTITY_BLOCK}
_CLINICAL = {
    FindingType.TITLE, FindingType.SECTION, FindingType.PHRASE, FindingType.TERM, FindingType.DRUG,
    FindingType.LAB_LINE, FindingType.VITAL_SIGN, FindingType.CODE,
}  # fmt: skip
_AGAINST = {
    FindingType.LEAFLET, FindingType.PAPER, FindingType.COURSE, FindingType.BLANK_FORM, FindingType.INVOICE,
    FindingType.RESUME, FindingType.LEGAL, FindingType.VETERINARY, FindingType.SPECIFICATION, FindingType.SOURCE_CODE,
    FindingType.ADMINISTRATIVE, FindingType.PROFESSIONAL_MAIL,
}  # fmt: skip
_EXTENSION = re.compile(r"\.(?=[^.\s]*[A-Za-z])[A-Za-z0-9]{1,5}$")
_DAY_FIRST = re.compile(r"(?<!\d)(\d{1,2})[-. /](\d{1,2})[-. /]((?:19|20)\d\d)(?!\d)")
_YEAR_FIRST = re.compile(r"(?<!\d)((?:19|20)\d\d)[-. /](\d{1,2})[-. /](\d{1,2})(?!\d)")
_DATE = re.compile(r"\d\d/\d\d/(?:19|20)\d\d")
_FILED = re.compile(
    r"(?<!\S)(?:cliniques?|clinic(?:al)?|m[ée]dica(?:l|ux)|patiente?s?|imagerie|radio(?:s|logie)?|imaging|biologie|labos?|labs?"
    r"|ordonnances?|prescriptions?|consultations?|hospitalisations?|op[ée]ratoires?|ant[ée]c[ée]dents?|atcd|chirurgie|surgery"
    r"|(?:cardio|neuro|onco|pneumo|n[ée]phro|rhumato|dermato|gyn[ée]co|uro|h[ée]mato|ophtalmo)log(?:ie|y)|p[ée]diatrie"
    r"|psychiatr(?:ie|y)|g[ée]riatrie|maternit[ée]|urgences)(?!\S)",
    re.IGNORECASE,
)
"""What folders of a patient's file are called; alone it says nothing."""
_BORN = re.compile(
    r"\b(n[ée]e?|ddn|dob|born|geb(?:oren)?\.?|nat[oa]|nacid[oa]|nascid[oa]|geboorte\w*|[°*])"
    r"(?:\s+(?:le|on|am|il|el|em|op))?[\s:]*\d{1,2}/\d{1,2}/(?:19|20)\d\d",
    re.IGNORECASE,
)
_WORD = re.compile(r"[^\W\d_]{2,}")
_NAMED = re.compile(
    r"(?<![\w.])(?P<title>(?:Dr|Docteur|Pr|Prof|Professeur|Dre)\.?\s+)?"
    r"(?:[A-ZÀ-ÖØ-Þ][A-ZÀ-ÖØ-Þ'’-]{3,}\s+[A-ZÀ-ÖØ-Þ][a-zß-öø-ÿ'’-]{2,}"
    r"|[A-ZÀ-ÖØ-Þ][a-zß-öø-ÿ'’-]{2,}\s+[A-ZÀ-ÖØ-Þ][A-ZÀ-ÖØ-Þ'’-]{3,})(?!\w)"
)


def line_of(name: bytes) -> str:
    """The name's last part as a person reads it: no extension, separators as blanks, dates as day/month/year."""
    return _line(name[:MAX_NAME].rstrip(b"/").rpartition(b"/")[2])


def path_of(name: bytes) -> str:
    """The whole path below the volume as one line, from the volume to the name; empty when no part of it is a date, or
    when it has one part: then ``line_of`` says all.
    """
    parts = name[-MAX_NAME:].strip(b"/").split(b"/")
    lines = [_line(part) for part in parts] if len(parts) > 1 else []
    return " ".join(lines) if any(_DATE.search(line) for line in lines) else ""


def _line(tail: bytes) -> str:
    text = unicodedata.normalize("NFC", tail.decode("utf-8", "replace"))
    text = _EXTENSION.sub("", text)
    text = re.sub(r"[_+]", " ", text)
    if " " not in text.strip():
        text = re.sub(r"(?<=[^\W\d])[-.]|[-.](?=[^\W\d])", " ", text)
    text = _DAY_FIRST.sub(lambda found: f" {int(found[1]):02}/{int(found[2]):02}/{found[3]} ", text)
    text = _YEAR_FIRST.sub(lambda found: f" {int(found[3]):02}/{int(found[2]):02}/{found[1]} ", text)
    return " ".join(text.split())


def without_person(line: str) -> str | None:
    """What is left of the line when a « SURNAME Given » is taken out; None when it names nobody, or a doctor."""
    found = _NAMED.search(line)
    if found is None or found["title"]:
        return None
    return (line[: found.start()] + " " + line[found.end() :]).strip()


def worth_judging(line: str) -> bool:
    """Whether there is enough in it to name anybody: two letters together, or seven digits."""
    return _WORD.search(line) is not None or sum(char.isdigit() for char in line) >= 7


def tells(line: str, whole: Findings, rest: Findings | None = None) -> bool:
    """Whether the name tells of a patient. ``rest``: the findings on ``without_person(line)``."""
    types = {item.type for item in whole.items}
    if types & _IDENTIFIERS or whole.judgement is Judgement.MEDICAL:
        return True
    born = _BORN.search(line)
    if born and _WORD.search(line[: born.start()] + " " + line[born.end() :]):
        return True
    if FindingType.BIRTH_DATE in types and types & _SOMEBODY:
        return True
    if types & _AGAINST:
        return False
    if types & _SOMEBODY and types & _CLINICAL:
        return True
    if rest is None:
        return False
    return bool({item.type for item in rest.items} & _CLINICAL) or FindingType.TITLE in types


def tells_together(line: str, whole: Findings, rest: Findings | None) -> bool:
    """Whether the parts of a path tell of a patient together: somebody, a date of birth and a clinical word. Less tells
    nothing here: an album has names and dates, a course has words. ``rest``: without the person, as for ``tells``.
    """
    types = {item.type for item in whole.items}
    if types & _AGAINST or FindingType.BIRTH_DATE not in types or not types & _SOMEBODY:
        return False
    words = types | ({item.type for item in rest.items} if rest else set())
    return bool(words & _CLINICAL) or _FILED.search(line) is not None


def findings_of(whole: Findings) -> Findings:
    """What a telling name means for a policy: a medical document's worth about one person."""
    return Findings(
        Judgement.MEDICAL, Kind.CLINICAL_NOTE, confidence=max(0.8, whole.confidence if whole.items else 0.0),
        identified=True, patients=max(1, whole.patients), items=whole.items,
    )  # fmt: skip
