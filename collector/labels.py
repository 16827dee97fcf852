"""The words of records as people read them: catalogue keys for the closed vocabularies. What is not here is shown as
it is: a record of a newer laptop must stay readable.
"""

from __future__ import annotations

from collections.abc import Callable

from agent.errors import N_

LABELS: dict[str, dict[str, str]] = {
    "kind": {
        "start": N_("Agent started"),
        "stop": N_("Agent stopped"),
        "transfer": N_("Document"),
        "outcome": N_("Outcome"),
        "policy": N_("Policy"),
        "place": N_("Guarded place"),
        "overflow": N_("Overflow"),
        "trouble": N_("Trouble"),
        "release": N_("Release"),
        "restore": N_("Restore"),
    },
    "channel": {
        "removable": N_("USB stick or disk"),
        "cloud_sync": N_("Cloud folder"),
        "downloads": N_("Downloads"),
    },
    "decision": {
        "observe": N_("Observed"),
        "inform": N_("Informed"),
        "justify": N_("Reason asked"),
        "encrypt": N_("Encrypted"),
        "block": N_("Blocked"),
    },
    "judgement": {
        "medical": N_("Medical"),
        "not_medical": N_("Not medical"),
        "undecidable": N_("Could not be read"),
    },
    "result": {
        "done": N_("Done"),
        "failed": N_("Failed"),
        "changed": N_("Changed meanwhile"),
        "gone": N_("Gone meanwhile"),
        "interrupted": N_("Interrupted"),
    },
    "strength": {
        "hold": N_("held before it leaves"),
        "after-write": N_("acted on after the write"),
        "off": N_("not guarded"),
    },
    "alert": {
        "rewritten": N_("Records were rewritten on the laptop"),
        "fork": N_("The laptop's log continues another past"),
        "truncated": N_("The laptop's log was cut off"),
        "missing": N_("The laptop has lost records"),
    },
    "document": {
        "cda": N_("clinical document (CDA)"),
        "xdm": N_("clinical exchange (XDM)"),
        "fhir": N_("FHIR record"),
        "hl7v2": N_("HL7 message"),
        "dicom": N_("medical image (DICOM)"),
        "hprim": N_("HPRIM message"),
        "ecg": N_("electrocardiogram"),
        "eeg": N_("electroencephalogram"),
        "pmsi": N_("hospital stay data (PMSI)"),
        "clinical-note": N_("clinical letter or report"),
        "lab-report": N_("laboratory report"),
        "prescription": N_("prescription"),
        "imaging-report": N_("imaging report"),
        "certificate": N_("medical certificate"),
        "patient-table": N_("list of patients"),
        "email": N_("mail"),
        "archive": N_("archive"),
        "emergency-message": N_("emergency message"),
        "personal-identifier": N_("personal identifier"),
        "research-data": N_("research data"),
        "other": N_("other document"),
    },
}


def label(group: str, word: object, translate: Callable[[str], str]) -> str:
    """The text for a word of a vocabulary, or the word itself."""
    text = word if isinstance(word, str) else ""
    known = LABELS[group].get(text)
    return translate(known) if known else text
