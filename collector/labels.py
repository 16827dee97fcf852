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
        "contest": N_("Decision contested"),
        "emergency": N_("Emergency opening"),
        "keys": N_("Encryption keys"),
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
        "resealed": N_("A seal is not signed by the key that was announced"),
        "spliced": N_("A seal is that of another log"),
        "key-replaced": N_("The laptop's key was replaced without its own word"),
        "root": N_("A seal covers other records than were sent"),
        "unsealed": N_("The laptop's log is no longer sealed"),
    },
    "contest": {
        "no-patient": N_("it is about no patient"),
        "blank-form": N_("it is a blank form or a model letter"),
        "teaching": N_("it is teaching material or an invented case"),
        "published": N_("it is published (article, leaflet, recommendation)"),
        "own-document": N_("it is my own or an administrative document"),
        "anonymous": N_("nobody can be recognised in it"),
        "other": N_("another reason, told on the laptop"),
    },
    "state": {
        "open": N_("to be decided"),
        "normal": N_("normal"),
        "incident": N_("incident"),
        "exception": N_("exception"),
    },
    "change": {
        "added": N_("new rule"),
        "removed": N_("rule removed"),
        "changed": N_("rule changed"),
        "setting": N_("setting"),
    },
    "mode": {
        "observe": N_("observed only"),
        "monitor": N_("observed only"),
        "enforce": N_("applied"),
    },
    "answer": {
        "granted": N_("granted"),
        "refused": N_("not granted"),
        "noted": N_("noted"),
    },
    "treatment": {
        "refused": N_("refused: the activity is given up"),
        "reduced": N_("reduced: measures are taken"),
        "transferred": N_("transferred: somebody else bears it"),
        "accepted": N_("accepted: it is borne as it is"),
    },
    "role": {
        "author": N_("author of policies"),
        "approver": N_("approver"),
        "analyst": N_("analyst"),
        "dpo": N_("data-protection officer"),
        "key-officer": N_("key officer"),
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
