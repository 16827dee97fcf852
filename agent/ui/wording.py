"""Codes → words a person reads. The only place where findings, decisions and places get their names.

Every text is a catalogue key; callers pass the ``translate`` of their reader's language.
"""

from __future__ import annotations

from collections.abc import Callable, Mapping
from typing import Any

from agent.document import Area, Problem, Spot
from agent.errors import LABELLED, N_
from agent.findings import Findings, FindingType, Judgement, Kind

Translate = Callable[[str], str]

KINDS = {
    Kind.CDA: N_("a clinical document (CDA)"),
    Kind.XDM: N_("a package of clinical documents (IHE XDM)"),
    Kind.FHIR: N_("a health record (FHIR)"),
    Kind.HL7V2: N_("a hospital message (HL7 v2)"),
    Kind.DICOM: N_("a medical image (DICOM)"),
    Kind.HPRIM: N_("laboratory results (HPRIM)"),
    Kind.XDT: N_("a practice data exchange (xDT)"),
    Kind.KMEHR: N_("a Belgian health message (KMEHR)"),
    Kind.EDIFACT: N_("a medical EDIFACT message"),
    Kind.ITK: N_("a British health message (ITK)"),
    Kind.ECG: N_("an electrocardiogram"),
    Kind.EEG: N_("an electroencephalogram"),
    Kind.RESEARCH: N_("research data"),
    Kind.PMSI: N_("hospital activity or billing records (PMSI)"),
    Kind.EMERGENCY: N_("an emergency call message"),
    Kind.CLINICAL_NOTE: N_("a clinical letter or report"),
    Kind.LAB_REPORT: N_("a laboratory report"),
    Kind.PRESCRIPTION: N_("a prescription"),
    Kind.IMAGING_REPORT: N_("an imaging report"),
    Kind.CERTIFICATE: N_("a medical certificate"),
    Kind.PATIENT_TABLE: N_("a list of patients"),
    Kind.EMAIL: N_("a message"),
    Kind.ARCHIVE: N_("an archive"),
    Kind.PERSONAL_IDENTIFIER: N_("a document with a social security number"),
    Kind.SEALED: N_("a sealed document"),
    Kind.OTHER: N_("a document"),
}

PROBLEMS = {
    Problem.ENCRYPTED: N_("it is encrypted"),
    Problem.CORRUPT: N_("it is damaged"),
    Problem.TOO_LARGE: N_("it is too large"),
    Problem.TOO_DEEP: N_("it holds too many documents inside one another"),
    Problem.TOO_MANY_PARTS: N_("it holds too many parts"),
    Problem.TIMED_OUT: N_("reading it took too long"),
    Problem.CRASHED: N_("the reader failed on it"),
    Problem.IMAGE: N_("it is a picture whose text was not read"),
    Problem.UNSUPPORTED: N_("its format cannot be opened"),
    Problem.UNREADABLE: N_("the system would not give its content"),
}

FINDINGS = {
    FindingType.NIR: N_("social security number"),
    FindingType.INS: N_("national health identity (INS)"),
    FindingType.IPP: N_("hospital patient number"),
    FindingType.NDA: N_("stay or file number"),
    FindingType.FOREIGN_ID: N_("foreign health or identity number"),
    FindingType.PERSON: N_("name of a person"),
    FindingType.BIRTH_DATE: N_("birth date"),
    FindingType.IDENTITY_BLOCK: N_("patient identity block"),
    FindingType.ADDRESS: N_("postal address"),
    FindingType.PHONE: N_("telephone number"),
    FindingType.EMAIL_ADDRESS: N_("e-mail address"),
    FindingType.RPPS: N_("professional number (RPPS)"),
    FindingType.ADELI: N_("professional number (ADELI)"),
    FindingType.FINESS: N_("number of a health establishment (FINESS)"),
    FindingType.STRUCTURED_PATIENT: N_("patient field of a health format"),
    FindingType.STRUCTURED_CLINICAL: N_("clinical field of a health format"),
    FindingType.DEIDENTIFIED: N_("marked as de-identified"),
    FindingType.TEST_MARKER: N_("marked as test data"),
    FindingType.DEFINITION: N_("definition or message without a patient"),
    FindingType.TITLE: N_("title of a medical document"),
    FindingType.SECTION: N_("heading of a clinical section"),
    FindingType.PHRASE: N_("phrase of a medical document"),
    FindingType.TERM: N_("clinical term"),
    FindingType.DRUG: N_("drug or dosage"),
    FindingType.LAB_LINE: N_("laboratory result"),
    FindingType.VITAL_SIGN: N_("vital sign"),
    FindingType.CODE: N_("medical code"),
    FindingType.PATIENT_ROW: N_("row about a patient"),
    FindingType.PATIENT_COLUMN: N_("column of patient data"),
    FindingType.LEAFLET: N_("drug leaflet"),
    FindingType.PAPER: N_("scientific article"),
    FindingType.COURSE: N_("course"),
    FindingType.BLANK_FORM: N_("form that is not filled in"),
    FindingType.PAYSLIP: N_("payslip"),
    FindingType.INVOICE: N_("invoice"),
    FindingType.RESUME: N_("curriculum vitae"),
    FindingType.LEGAL: N_("legal text"),
    FindingType.VETERINARY: N_("veterinary document"),
    FindingType.SPECIFICATION: N_("technical specification"),
    FindingType.SOURCE_CODE: N_("source code"),
    FindingType.ADMINISTRATIVE: N_("administrative text"),
    FindingType.PROFESSIONAL_MAIL: N_("mail between professionals of another trade"),
    FindingType.ROSTER: N_("appears in the practice's patient list"),
    FindingType.WORDING: N_("the wording as a whole"),
}

AREAS = {
    Area.BODY: N_("text"),
    Area.HEADER: N_("header"),
    Area.PAGE: N_("page"),
    Area.SHEET: N_("sheet"),
    Area.SLIDE: N_("slide"),
    Area.PROPERTIES: N_("properties"),
    Area.FIELD: N_("field"),
    Area.ATTACHMENT: N_("attachment"),
    Area.MEMBER: N_("member"),
    Area.SUBJECT: N_("subject"),
    Area.PICTURE: N_("picture"),
}

CHANNELS = {
    "removable": N_("removable media"),
    "cloud_sync": N_("cloud-sync folder"),
    "downloads": N_("downloads"),
}

STRENGTHS = {
    "hold": N_("held until judged"),
    "after-write": N_("acted on after the write"),
    "off": N_("not guarded"),
}

DECISIONS = {
    "observe": N_("recorded"),
    "inform": N_("told"),
    "justify": N_("held until a reason is given"),
    "encrypt": N_("sealed"),
    "block": N_("refused and kept in quarantine"),
}

JUDGEMENTS = {
    Judgement.MEDICAL: N_("medical"),
    Judgement.NOT_MEDICAL: N_("not medical"),
    Judgement.UNDECIDABLE: N_("undecidable"),
}


RESULTS = {
    "done": N_("done"),
    "failed": N_("could not be done"),
    "changed": N_("not done: the document changed meanwhile"),
    "gone": N_("not done: the document was gone"),
    "interrupted": N_("interrupted, taken up again"),
    "examining": N_("being examined, its program waits"),
}

OBSTACLES = {
    "disk-full": N_("no space left"),
    "read-only": N_("the volume is read-only"),
    "permission": N_("the system did not allow it"),
    "too-large": N_("too large for the file system"),
    "name-too-long": N_("the name is too long for the file system"),
    "in-use": N_("another program is using it"),
    "gone": N_("it is no longer there"),
    "io-error": N_("the disk or the volume reported an error"),
    "keys": N_("the keys cannot be used"),
    "damaged": N_("the copy in quarantine is damaged"),
}

HELD_STATES = {
    "taken": N_("being taken into quarantine"),
    "held": N_("held"),
    "restored": N_("given back"),
    "released": N_("released"),
}

BY = {
    "owner": N_("by its owner"),
    "administrator": N_("by the administrator"),
}


def labelled(name: str, text: str, translate: Translate) -> str:
    """« name: text », as the language writes it."""
    return translate(LABELLED).format(name=name, text=text)


def word(table: Mapping[Any, str], code: object, translate: Translate) -> str:
    """The words of ``code``; a code that a newer version wrote is shown as it is."""
    text = table.get(str(code))
    return translate(text) if text is not None else str(code)


def certainty(confidence: float, translate: Translate) -> str:
    """« certainty 97% »; never 100, for nothing here is that certain."""
    return translate(N_("certainty {percent}%")).format(percent=min(99, int(confidence * 100)))


def place(spot: Spot, translate: Translate) -> str:
    """« page 2 », « text »."""
    name = translate(AREAS[spot.area])
    return f"{name} {spot.number}" if spot.number else name


def reason(findings: Findings, translate: Translate) -> str:
    """Why a document was judged so, in one sentence."""
    if findings.judgement is Judgement.UNDECIDABLE:
        problem = translate(PROBLEMS[findings.problem]) if findings.problem else translate(N_("it is unclear"))
        return translate(N_("could not be judged: {problem}")).format(problem=problem)
    kind = translate(KINDS[findings.kind])
    if findings.judgement is Judgement.NOT_MEDICAL:
        against = next((item for item in findings.items if item.weight < 0), None)
        if findings.kind is Kind.PERSONAL_IDENTIFIER:
            return translate(N_("{kind}, without clinical content")).format(kind=kind)
        if against is not None:
            return translate(N_("nothing about a particular patient; it reads as: {what}")).format(
                what=translate(FINDINGS[against.type])
            )
        return translate(N_("nothing about a particular patient was found"))
    return _medical(findings, kind, translate)


def _medical(findings: Findings, kind: str, translate: Translate) -> str:
    if findings.patients > 1:
        text = translate(N_("{kind}: {count} patients")).format(kind=kind, count=findings.patients)
    elif findings.identified:
        text = translate(N_("{kind} about a person who can be recognised")).format(kind=kind)
    else:
        text = translate(N_("{kind} about a patient who is not named")).format(kind=kind)
    if findings.test_data:
        text += translate(N_(" (test data)"))
    return text
