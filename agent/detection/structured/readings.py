"""What a device measured on one person, as rows of numbers: glucose, blood pressure over a day, spirometry, ECG.

No standard governs these files; what they share follows from what they are: a few lines of a label and a value that
say whose they are, words for what was measured, then many rows of numbers. Text in, ``Recognised`` out. A table of
many persons' values is not this: it has no label lines, and ``tables`` judges it.
"""

from __future__ import annotations

import re

import re2

from agent.detection.linear import holding
from agent.detection.structured.base import LIKELY, STRONG, Person, Recognised, about
from agent.detection.structured.markers import fold_name
from agent.findings import Kind

_HEAD = 6_000  # characters: labels and the heading of the columns stand there
_LINES = 40
_NUMBERS = 5  # rows of numbers that make a series
_hinted = holding(
    re2.compile(
        rb"gluco|glyc|gluk|ecg|ekg|lectrocardio|holter|mapa|abpm|spo2|vems|fev1|sinus|samplingrate|systol|pas[;\t,]"
    )
)
_SUGAR = re.compile(r"\b(?:glucose|glyc[ée]mie|glukose|glucosa|glucosio|glucosewaarde)\b", re.IGNORECASE)
_SUGAR_UNIT = re.compile(r"\bmg/dL\b|\bmmol/L\b", re.IGNORECASE)
_DEVICE = re.compile(
    r"num[ée]ro de s[ée]rie|serial number|seriennummer|source device|transmitter|capteur|sensor", re.IGNORECASE
)
_HEART = re.compile(
    r"\b(?:e[ck]g|[ée]lectrocardiogramm?e?|holter|sinus rhythm|rythme sinusal|sinusrhythmus|lead i)\b", re.IGNORECASE
)
_OTHER = re.compile(
    r"\b(?:mapa|abpm|spo2|vems|fev1|fvc|cvf|systol\w*|diastol\w*|pas\W+pad|spirom[ée]tr\w*|dep)\b", re.IGNORECASE
)
_LABEL = re.compile(r"^[ \t\"]*([^\W\d][^:=;,\t\"]{1,40}+)[\"]?[ \t]*[:=;,\t][ \t]*(.+)$")
_LEAD = re.compile(r"^[\d]{1,6}[;,\t][;,\t]?(?=[A-Za-z])")  # a row's number before the label
_FIRST = re.compile(r"[\s;,\t\"]*([^;,\t\"][^;\t\"]{0,60})")
_NEXT = re.compile(r"[;,\t]")
_SIGNS = {code: None for code in range(128) if not (chr(code).isalnum() or code == ord("_"))}
_NUMERIC = re.compile(r"(?:^|[;,\t ])-?\d{1,6}(?:[.,]\d{1,6})?(?:[;,\t ]|$)")
_EEG_FILE = re.compile(r"\A\[FileInfo\]\s.{0,2000}?^\[Patient\]", re.IGNORECASE | re.DOTALL | re.MULTILINE)
_FAMILY = frozenset("LASTNAME LAST SURNAME FAMILYNAME NOM NACHNAME COGNOME APELLIDOS".split())  # noqa: SIM905
_GIVEN = frozenset("FIRSTNAME FIRST GIVENNAME PRENOM VORNAME NOMBRE VOORNAAM".split())  # noqa: SIM905
_WHOLE = frozenset("NAME PATIENT PATIENTNAME NOMDUPATIENT NOMPATIENT GENEREPAR GENERATEDBY ERSTELLTVON".split())  # noqa: SIM905
_BIRTH = frozenset("DATEOFBIRTH BIRTHDATE DOB DATEDENAISSANCE DDN GEBURTSDATUM DATADINASCITA FECHADENACIMIENTO".split())  # noqa: SIM905
_KNOWN = _FAMILY | _GIVEN | _WHOLE | _BIRTH
_OWNER = frozenset({"GENEREPAR", "GENERATEDBY", "ERSTELLTVON", "PATIENT", "PATIENTNAME", "NOMDUPATIENT", "NOMPATIENT"})


def may_be_readings(raw: bytes) -> bool:
    """The quick refusal of nearly all texts."""
    return _hinted(raw[:4096].lower())


def recognise_readings(raw: bytes, text: str) -> Recognised | None:
    """Judge a text by its labels, its words and its numbers."""
    if not may_be_readings(raw):
        return None
    head_text = text[:_HEAD]
    recording = _EEG_FILE.match(head_text.lstrip("\ufeff")) is not None
    if not recording and not _is_series(text[: 4 * _HEAD]):
        return None
    labels = _labels(head_text)
    person = _person(labels)
    if recording:
        return about(Kind.EEG, [person], clinical=1, confidence=STRONG)
    kind = Kind.ECG if _HEART.search(head_text) else Kind.LAB_REPORT
    sugar = _SUGAR.search(head_text) and _SUGAR_UNIT.search(head_text)
    named = person.named and (person.birth or labels.keys() & _OWNER or (person.family and person.given))
    if named and (sugar or kind is Kind.ECG or _OTHER.search(head_text)):
        return about(kind, [person], clinical=1, confidence=STRONG)
    if sugar and _DEVICE.search(head_text):
        return about(kind, [], clinical=1, confidence=LIKELY)
    return None


def _labels(text: str) -> dict[str, str]:
    """Label → value, of the first lines and the labels that say who somebody is; later values do not count."""
    found: dict[str, str] = {}
    for line in text.splitlines()[:_LINES]:
        rest = _LEAD.sub("", line)
        for _ in range(6):  # «a,b,c,d» may be two labels and two values
            match = _LABEL.match(rest)
            name = _name(match[1]) if match else ""
            if match and name in _KNOWN and name not in found and (value := _FIRST.match(match[2])):
                found[name] = value[1].strip()
            following = _NEXT.search(rest)
            if following is None:
                break
            rest = rest[following.end() :]
    return found


def _name(label: str) -> str:
    """The label without signs, blanks and accents, in capitals."""
    return label.upper().translate(_SIGNS) if label.isascii() else fold_name(label).replace(" ", "")


def _person(labels: dict[str, str]) -> Person:
    def said(names: frozenset[str]) -> str:
        value = next((labels[name] for name in labels if name in names), "")
        return value if fold_name(value).replace(" ", "") not in _FAMILY | _GIVEN | _WHOLE | _BIRTH else ""

    family, given = said(_FAMILY), said(_GIVEN)
    whole = "" if family else said(_WHOLE).split(",")[0]
    return Person(family or whole, given, said(_BIRTH))


def _is_series(text: str) -> bool:
    """Whether most of the later lines are rows of numbers. Prose is given up as soon as they cannot be."""
    lines = [line for line in text.splitlines()[3:200] if line and not line.isspace()]
    least = max(_NUMBERS, len(lines) // 2)
    missing = len(lines) - least
    for line in lines:
        if _NUMERIC.search(line) is None:
            missing -= 1
            if missing < 0:
                return False
    return missing >= 0
