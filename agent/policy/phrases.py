"""The words of the vocabulary as people say them: catalogue keys for ``sentences``. Data only.

Whole phrases with their articles, so that a language needs no grammar in code; every key of the vocabulary's closed
lists is here (a test compares).
"""

from __future__ import annotations

from agent.errors import N_

DOCUMENT = {
    "any": N_("a document"),
    "compte-rendu": N_("a clinical report"),
    "ordonnance": N_("a prescription"),
    "imagerie": N_("imaging"),
    "biologie": N_("laboratory results"),
    "certificat": N_("a medical certificate"),
    "liste-de-patients": N_("a list of patients"),
    "cda": N_("a CDA document"),
    "xdm": N_("an XDM exchange archive"),
    "fhir": N_("a FHIR record"),
    "hl7v2": N_("an HL7 message"),
    "dicom": N_("DICOM images"),
    "hprim": N_("an HPRIM message"),
    "xdt": N_("an xDT record"),
    "kmehr": N_("a KMEHR record"),
    "edifact": N_("an EDIFACT message"),
    "itk": N_("an ITK message"),
    "ecg": N_("an electrocardiogram"),
    "eeg": N_("an electroencephalogram"),
    "research-data": N_("research data"),
    "pmsi": N_("a PMSI file"),
    "emergency-message": N_("an emergency message"),
    "clinical-note": N_("a clinical note"),
    "lab-report": N_("a laboratory report"),
    "prescription": N_("a prescription"),
    "imaging-report": N_("an imaging report"),
    "certificate": N_("a medical certificate"),
    "patient-table": N_("a table of patients"),
    "email": N_("an e-mail"),
    "archive": N_("an archive"),
    "personal-identifier": N_("a document with a social security number"),
    "sealed": N_("a sealed file"),
    "other": N_("a document of another kind"),
}
JUDGED = {
    "medical": N_("a medical document"),
    "not_medical": N_("a document that is not medical"),
    "undecidable": N_("a document that could not be examined"),
}
JUDGED_SO = {  # beside the kinds that are named
    "medical": N_("judged medical"),
    "not_medical": N_("judged not medical"),
    "undecidable": N_("that could not be examined"),
}
PLACE = {
    "usb": N_("a USB stick"),
    "disk": N_("an external disk"),
    "sd": N_("a memory card"),
    "removable": N_("a removable medium"),
    "cloud": N_("a cloud-sync folder"),
    "laptop": N_("the download folder"),
}
APPROVED = {
    "usb": N_("an approved USB stick"),
    "disk": N_("an approved external disk"),
    "sd": N_("an approved memory card"),
    "removable": N_("an approved removable medium"),
}
UNAPPROVED = {
    "usb": N_("a USB stick that is not approved"),
    "disk": N_("an external disk that is not approved"),
    "sd": N_("a memory card that is not approved"),
    "removable": N_("a removable medium that is not approved"),
}
SERVICE_FOLDER = N_("a {service} folder")
SERVICE_DOWNLOADS = N_("the downloads of {service}")
PROBLEM = {
    "any": N_("something could not be read"),
    "encrypted": N_("encrypted"),
    "corrupt": N_("damaged"),
    "too-large": N_("too large to examine"),
    "too-deep": N_("nested too deep to examine"),
    "too-many-parts": N_("of too many parts to examine"),
    "timed-out": N_("too slow to examine"),
    "crashed": N_("impossible to open safely"),
    "image": N_("an image without text"),
    "unsupported": N_("of a format that is not supported"),
    "unreadable": N_("unreadable"),
}
MOVES = {
    "copy": N_("When {what} is copied to {where}: {then}."),
    "sync": N_("When {what} is put into {where}: {then}."),
    "download": N_("When {what} arrives in {where}: {then}."),
    "several": N_("When {what} leaves for or arrives in {where}: {then}."),
}
THEN = {
    "observe": N_("record it"),
    "inform": N_("inform the clinician"),
    "justify": N_("ask for a reason"),
    "encrypt": N_("encrypt it"),
    "block": N_("block it"),
}
OFFER = {
    "justify": N_("{then}, and offer to go on with a reason"),
    "encrypt": N_("{then}, and offer to encrypt"),
}
TRIAL = N_("On trial: nothing is done, what would be done is recorded.")
EXCEPTION = N_("Except {who}, until {day} ({by}: {why}).")
FIRST_DAY = N_("1")  # the first of a month: « 1er » in French
DAYS = (
    N_("{day} January {year}"), N_("{day} February {year}"), N_("{day} March {year}"), N_("{day} April {year}"),
    N_("{day} May {year}"), N_("{day} June {year}"), N_("{day} July {year}"), N_("{day} August {year}"),
    N_("{day} September {year}"), N_("{day} October {year}"), N_("{day} November {year}"),
    N_("{day} December {year}"),
)  # fmt: skip
LIST_COMMA = N_("{first}, {rest}")
LIST_OR = N_("{first} or {last}")
LIST_AND = N_("{first} and {last}")
WITH_DETAILS = N_("{what} ({details})")
FLAG = {
    ("identified", "yes"): N_("patient recognisable"),
    ("identified", "no"): N_("no patient recognisable"),
    ("test_data", "yes"): N_("test data"),
    ("test_data", "no"): N_("not test data"),
    ("patient_list", "yes"): N_("patient of the practice's list"),
    ("patient_list", "no"): N_("nobody of the practice's patient list"),
    ("device_approved", "yes"): N_("approved device"),
    ("device_approved", "no"): N_("device not approved"),
}
HOST = {
    "approved": N_("towards an approved host"),
    "own": N_("towards the hospital's own host"),
    "hds": N_("towards a certified health-data host"),
    "mssante": N_("towards an MSSanté operator"),
    "other": N_("towards a host that is not approved"),
    "unknown": N_("towards a host that is not known"),
}
HOSTS = N_("Approved destinations: {names}.")
ARRIVAL = {"existing": N_("already there"), "new": N_("newly arrived")}
LEAST = {
    "confidence": N_("certainty ≥ {number} %"),
    "patients": N_("at least {number} {number:patient|patients}"),
    "size": N_("at least {number}"),
}
MOST = {
    "confidence": N_("certainty ≤ {number} %"),
    "patients": N_("at most {number} {number:patient|patients}"),
    "size": N_("at most {number}"),
}
SIZE = ((10**9, N_("{number} GB")), (10**6, N_("{number} MB")), (10**3, N_("{number} kB")), (1, N_("{number} bytes")))
NAMED = {
    "service": N_("service {words}"),
    "device": N_("device {words}"),
    "extension": N_("extension {words}"),
    "user": N_("user {words}"),
    "group": N_("group {words}"),
}
NOT = N_("not {words}")
