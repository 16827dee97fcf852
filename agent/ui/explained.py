"""An explanation in sentences: the two questions with their sums, what was only noted, what would change the judgement.

Takes ``Findings`` and the ``translate`` of a reader's language, returns lines. Masked samples are all that it shows of
a document.
"""

from __future__ import annotations

from collections.abc import Iterable

from agent.detection.explain import Explanation, Question, Turn, explain
from agent.document import Problem
from agent.errors import N_
from agent.findings import Finding, Findings, FindingType, Judgement, Kind, Side
from agent.ui import wording
from agent.ui.printable import printable
from agent.ui.wording import Translate

QUESTIONS = {
    Side.CLINICAL: N_("Is it clinical?"),
    Side.PERSON: N_("Is it about one particular person?"),
}
MISSING = {
    Side.CLINICAL: N_("clinical content (findings, values, treatments)"),
    Side.PERSON: N_("one particular person it is about"),
}
NEXT = {
    Problem.ENCRYPTED: N_("open it with its password, save it without one, and scan it again; or treat it as medical"),
    Problem.CORRUPT: N_("open it in its own program, save it anew, and scan it again; or treat it as medical"),
    Problem.TOO_LARGE: N_("what was read says nothing about a patient; the rest was not read: scan it in pieces"),
    Problem.TOO_DEEP: N_("unpack what is packed in it, and scan the folder"),
    Problem.TOO_MANY_PARTS: N_("unpack it, and scan the folder"),
    Problem.TIMED_OUT: N_("scan it again when the computer is idle, or in pieces"),
    Problem.CRASHED: N_("save it in another format, for example PDF, and scan that"),
    Problem.IMAGE: N_("have the text of its pictures read (without --no-ocr, with the reader of pictures installed)"),
    Problem.UNSUPPORTED: N_("export it in another format, for example PDF, and scan that"),
    Problem.UNREADABLE: N_("check that it is a file and that you may read it"),
}
# where each format names its patient: names of fields, never values
FIELDS = {
    Kind.DICOM: "PatientName (0010,0010), PatientID (0010,0020), PatientBirthDate (0010,0030)",
    Kind.HL7V2: "PID-3, PID-5, PID-7",
    Kind.CDA: "recordTarget/patientRole: id, patient/name, patient/birthTime",
    Kind.XDM: "METADATA.XML: sourcePatientId, sourcePatientInfo",
    Kind.FHIR: "Patient.identifier, Patient.name, Patient.birthDate; subject, patient",
    Kind.HPRIM: "HPRIM Santé: P.2 - P.8; HPRIM Médecin: 1 - 9",
    Kind.XDT: "3101, 3102, 3103, 3105",
    Kind.KMEHR: "folder/patient: id, firstname, familyname, birthdate",
    Kind.EDIFACT: "S01/PNA, PID, DTM+329",
    Kind.ECG: "SCP-ECG section 1: tags 0, 1, 2, 5; aECG: demographicPerson",
    Kind.EEG: "EDF: local patient identification",
    Kind.ITK: "DistributionEnvelope: patient, NHS number",
}
_PROFESSIONAL = N_("a professional or an establishment, not a patient")
_CONTACT = N_("says nothing of a patient by itself")
_COUNTED = N_("counted above, with the person")
_NOTES = {
    FindingType.NIR: _COUNTED,
    FindingType.INS: _COUNTED,
    FindingType.FOREIGN_ID: _COUNTED,
    FindingType.IPP: _COUNTED,
    FindingType.NDA: _COUNTED,
    FindingType.RPPS: _PROFESSIONAL,
    FindingType.ADELI: _PROFESSIONAL,
    FindingType.FINESS: _PROFESSIONAL,
    FindingType.ADDRESS: _CONTACT,
    FindingType.PHONE: _CONTACT,
    FindingType.EMAIL_ADDRESS: _CONTACT,
    FindingType.PATIENT_ROW: N_("tells how many patients there are"),
    FindingType.TEST_MARKER: N_("makes it test data, no less medical"),
    FindingType.DEIDENTIFIED: N_("nobody should be recognised in it, no less medical"),
}


def lines(findings: Findings, translate: Translate) -> list[str]:
    """Everything that ``--explain`` says below the judgement."""
    explanation = explain(findings)
    shown: list[str] = []
    if findings.judgement is not Judgement.UNDECIDABLE or any(question.lines for question in explanation.questions):
        for question in explanation.questions:
            shown += _question(question, translate)
    shown += _aside(findings, explanation.aside, translate, weighed=bool(explanation.questions))
    shown.append(_change(findings, explanation, translate))
    if explanation.identity:
        kinds = [translate(wording.FINDINGS[kind]) for kind in explanation.identity]
        words = N_("Nobody could be recognised without: {what}")
        shown.append(translate(words).format(what=_joined(kinds, translate)))
    return shown


def number(value: float, translate: Translate) -> str:
    """« +12.3 », with the decimal sign of the language."""
    whole, tenths = f"{value:+.1f}".split(".")
    return translate(N_("{whole}.{tenths}")).format(whole=whole, tenths=tenths)


def _question(question: Question, translate: Translate) -> list[str]:
    words = (
        N_("{question} {total}: yes (it takes {needed})")
        if question.yes
        else N_("{question} {total}: no (it takes {needed})")
    )
    head = translate(words).format(
        question=translate(QUESTIONS[question.side]),
        total=number(question.total, translate),
        needed=number(question.needed, translate),
    )
    shown = ["  " + _evidence(item, translate) for item in question.lines]
    if question.lines:
        start = translate(N_("where every document starts"))
        shown.append(f"  {number(question.start, translate):>5}  {start}")
    return [head, *shown]


def _aside(findings: Findings, items: Iterable[Finding], translate: Translate, *, weighed: bool) -> list[str]:
    shown = ["  " + _evidence(item, translate, aside=True) for item in items]
    if not shown:
        return []
    head = translate(N_("Noted besides:") if weighed else N_("What decided:"))
    fields = FIELDS.get(findings.kind)
    if not weighed and fields and any(item.type is FindingType.STRUCTURED_PATIENT for item in findings.items):
        shown.append(
            "  " + translate(N_("fields in which this format names a patient: {fields}")).format(fields=fields)
        )
    return [head, *shown]


def _evidence(item: Finding, translate: Translate, *, aside: bool = False) -> str:
    text = (
        f"{number(item.weight, translate):>5}  {translate(wording.FINDINGS[item.type])}"
        if item.weight or not aside
        else (f"    ·  {translate(wording.FINDINGS[item.type])}")
    )
    if item.count > 1:
        text += f" × {item.count}"
    text += f" ({wording.place(item.spot, translate)})"
    if item.weight < 0:
        text += " " + translate(N_("[speaks against]"))
    elif not item.weight:
        text += " " + translate(N_("[{note}]")).format(note=translate(_NOTES.get(item.type, N_("without weight"))))
    return f"{text}  {printable(item.sample)}" if item.sample else text


def _change(findings: Findings, explanation: Explanation, translate: Translate) -> str:
    label = translate(N_("What would change it: {what}"))
    if findings.judgement is Judgement.UNDECIDABLE:
        problem = findings.problem or Problem.UNREADABLE
        return translate(N_("What to do: {what}")).format(what=translate(NEXT[problem]))
    return label.format(what=_turn(findings, explanation, translate))


def _turn(findings: Findings, explanation: Explanation, translate: Translate) -> str:
    kinds = [translate(wording.FINDINGS[kind]) for kind in explanation.types]
    if explanation.turn is Turn.WITHOUT:
        return translate(N_("it would not be judged medical without: {what}")).format(what=_joined(kinds, translate))
    if explanation.turn is Turn.ROBUST:
        return translate(N_("nothing small; it stays medical without any three kinds of evidence"))
    if explanation.turn is Turn.SPARED:
        words = N_("it would be judged medical if it did not read as: {what}")
        return translate(words).format(what=_joined(kinds, translate))
    if explanation.turn is Turn.LACKS:
        missing = [translate(MISSING[side]) for side in explanation.sides]
        return translate(N_("it lacks {what}")).format(what=_joined(missing, translate))
    if findings.judgement is Judgement.MEDICAL:
        return translate(N_("its format or a list of patients decides; another wording would not change it"))
    return translate(N_("it would be medical with the data of a patient in it"))


def _joined(words: list[str], translate: Translate) -> str:
    if len(words) < 2:
        return "".join(words)
    return translate(N_("{first} and {last}")).format(first=", ".join(words[:-1]), last=words[-1])
