"""Signals: EDF/EDF+/BDF and the binary headers of ``signal_headers``; ECG and other examinations in XML.

Specifications: the EDF+ paper (Kemp 2003), HL7 aECG R1; GE MUSE, GE CardioSoft, GE sapphire, Philips, Schiller, Mortara
and their like as they write themselves. Only headers are read; a signal is data of a patient even when it names nobody.
"""

from __future__ import annotations

import re

from agent.detection.structured.base import CERTAIN, STRONG, Person, Recognised, about
from agent.detection.structured.markers import is_placeholder
from agent.detection.structured.research import research
from agent.detection.structured.signal_headers import named_in
from agent.detection.structured.xmltree import Node, parse
from agent.findings import Kind

ROOTS = frozenset({"AnnotatedECG", "RestingECG", "restingecgdata", "sapphire", "examdescript"})
_ROOT_WORDS = re.compile(
    r"(?<![a-z])(?:resting|stress|holter|mortara|philips|sierra)?_?(ecg|ekg|cardiology|holter|eeg|polysomno|psg|spiro"
    r"|audiogram|audiometr|oximetr|abpm|ergo)",
    re.IGNORECASE,
)
_EDF = re.compile(
    rb"(0 {7}|\xffBIOSEMI)(.{80})(.{80})[\d ]\d[./:-][\d ]\d[./:-][\d ]\d[\d ]\d[.:/-][\d ]\d[.:/-][\d ]\d", re.DOTALL
)
_MONTH = re.compile(r"\d\d-[A-Z]{3}-\d{4}", re.IGNORECASE)
_EEG_LABEL = re.compile(rb"EEG|\b(?:Fp1|C3|C4|O1|O2|Cz)\b", re.IGNORECASE)
_UNKNOWN = frozenset({"X", "x", "-", "?"})

_FAMILY = ("patientlastname", "lastname", "familyname", "surname", "family", "nachname", "patientname", "name", "nom")
_GIVEN = ("patientfirstname", "firstname", "givenname", "given", "vorname", "forename", "prenom")
_BIRTH = ("dateofbirth", "birthdate", "patientbirthdate", "birthdatetime", "birthtime", "dob", "dateofbirthdt")
_NUMBER = ("patientid", "trialsubject", "pid", "patientnumber", "mrn", "id")
_PERSONS = frozenset(
    "patient patientinfo patientdata patientdemographics patdata generalpatientdata subject patientdemographic "  # noqa: SIM905
    "demographics person trialsubject subjectdemographicperson patientname patientdetails".split()
)


def recognise_signal(raw: bytes) -> Recognised | None:
    """Judge the header bytes of a signal file; None when the magic is of none of these."""
    found = _EDF.match(raw)
    if found:
        return _edf(raw, found[2].decode("latin-1"))
    if raw.startswith(b"Brain Vision Data Exchange"):
        return research()
    known = named_in(raw)
    if known is None:
        return None
    kind, person = known
    return _named(kind, person)


def _named(kind: Kind, person: Person, *, deidentified: bool = False) -> Recognised:
    confidence = CERTAIN if person.recognisable else STRONG
    return about(kind, [person], clinical=1, confidence=confidence, deidentified=deidentified)


def _edf(raw: bytes, patient: str) -> Recognised:
    """EDF+: ``code sex dd-MMM-yyyy name``; plain EDF: free text. X X X X is anonymous."""
    words = patient.replace("\0", " ").split()
    labels = raw[256 : 256 + 16 * 128]
    kind = Kind.EEG if _EEG_LABEL.search(labels) or b"ECG" not in labels else Kind.ECG
    if len(words) >= 4 and words[1] in {"M", "F", "X"} and (_MONTH.fullmatch(words[2]) or words[2] == "X"):
        code = () if is_placeholder(words[0]) else (words[0],)
        person = Person(family=words[3].replace("_", " "), birth=words[2], identifiers=code)
        return _named(kind, person, deidentified=not (person.recognisable or _MONTH.fullmatch(words[2])))
    name = " ".join(word for word in words if re.search(r"[^\W\d_]{2}", word))
    number = tuple(word for word in words if any(map(str.isdigit, word)))[:1]
    return _named(kind, Person(family=name, identifiers=number), deidentified=set(words) <= _UNKNOWN)


def is_examination(root: str) -> bool:
    """Whether an XML document's root element is named like an examination's export."""
    return root in ROOTS or (len(root) < 60 and _ROOT_WORDS.search(root) is not None)


def recognise_ecg_xml(raw: bytes) -> Recognised | None:
    """Judge an examination in XML by its root and demographics; a root of a common word needs demographics."""
    root = parse(raw, limit=20_000)
    if root is None or not is_examination(root.name):
        return None
    texts: dict[str, str] = {}
    for node in root.walk():
        _collect(node, texts)
    family, given, birth, number = (
        next((texts[name] for name in names if texts.get(name)), "") for names in (_FAMILY, _GIVEN, _BIRTH, _NUMBER)
    )
    person = Person(family, given, birth, (number,) if number else ())
    if root.name == "AnnotatedECG" and not person.named:  # made for trials: a subject's number leads to nobody here
        return _named(Kind.ECG, Person(birth=birth), deidentified=True)
    if root.name not in ROOTS and not (texts.keys() & _PERSONS and (person.recognisable or birth)):
        return None
    return _named(_kind(root.name), person)


def _kind(root: str) -> Kind:
    lower = root.lower()
    if any(word in lower for word in ("eeg", "psg", "polysomno")):
        return Kind.EEG
    return Kind.LAB_REPORT if any(word in lower for word in ("spiro", "audio", "ergo", "oximetr")) else Kind.ECG


def _collect(node: Node, texts: dict[str, str]) -> None:
    """Note an element's text, and the attributes of an element that is the patient, by their names without signs."""
    name = re.sub(r"[^a-z]", "", node.name.lower())
    if name in _PERSONS:
        texts.setdefault(name, "")
        for attribute, value in node.attributes.items():
            texts.setdefault(re.sub(r"[^a-z]", "", attribute.lower()), value.strip())
    if name == "trialsubject":
        identifier = node.first("id")
        if identifier is not None:
            texts[name] = identifier.get("extension")
    elif name == "birthtime" and node.get("value"):
        texts.setdefault(name, node.get("value"))
    elif name == "id" and not node.text.strip():
        return
    elif node.text.strip() or node.get("V"):
        said = node.text.strip() or node.get("V")
        if not texts.get(name):
            texts[name] = said
