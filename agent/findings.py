"""What was recognised in a document: the detection's answer. Pure values, masked, safe to show to the document's owner.

Only types, counts, places and weights may go to logs and events; ``Finding.sample`` is masked and is for ``--explain``
on the clinician's own screen, never for a log.
"""

from __future__ import annotations

from dataclasses import dataclass
from enum import StrEnum

from agent.document import Format, Problem, Spot


class Judgement(StrEnum):
    """« Could not look » is a judgement of its own; it is never « not medical »."""

    MEDICAL = "medical"
    NOT_MEDICAL = "not_medical"
    UNDECIDABLE = "undecidable"


class Kind(StrEnum):
    """What sort of document it is; the words of ``serment scan --json`` and of policies."""

    CDA = "cda"
    XDM = "xdm"
    FHIR = "fhir"
    HL7V2 = "hl7v2"
    DICOM = "dicom"
    HPRIM = "hprim"
    XDT = "xdt"
    KMEHR = "kmehr"
    EDIFACT = "edifact"
    ITK = "itk"
    ECG = "ecg"
    EEG = "eeg"
    RESEARCH = "research-data"
    PMSI = "pmsi"
    EMERGENCY = "emergency-message"
    CLINICAL_NOTE = "clinical-note"
    LAB_REPORT = "lab-report"
    PRESCRIPTION = "prescription"
    IMAGING_REPORT = "imaging-report"
    CERTIFICATE = "certificate"
    PATIENT_TABLE = "patient-table"
    EMAIL = "email"
    ARCHIVE = "archive"
    PERSONAL_IDENTIFIER = "personal-identifier"  # a social security number without clinical content: not medical
    SEALED = "sealed"  # an age file: unreadable here, and meant to be
    OTHER = "other"


class FindingType(StrEnum):
    """Types of evidence. Append only: audit records and vectors refer to these words."""

    # identifiers of a patient
    NIR = "nir"
    INS = "ins"
    IPP = "ipp"
    NDA = "nda"
    FOREIGN_ID = "foreign-id"
    # identity
    PERSON = "person"
    BIRTH_DATE = "birth-date"
    IDENTITY_BLOCK = "identity-block"
    ADDRESS = "address"
    PHONE = "phone"
    EMAIL_ADDRESS = "email-address"
    # professionals and structures
    RPPS = "rpps"
    ADELI = "adeli"
    FINESS = "finess"
    # structured formats
    STRUCTURED_PATIENT = "structured-patient"
    STRUCTURED_CLINICAL = "structured-clinical"
    DEIDENTIFIED = "deidentified"
    TEST_MARKER = "test-marker"
    DEFINITION = "definition"  # FHIR definitions, schemas, acknowledgements: the format without a patient
    # clinical language
    TITLE = "title"
    SECTION = "section"
    PHRASE = "phrase"
    TERM = "term"
    DRUG = "drug"
    LAB_LINE = "lab-line"
    VITAL_SIGN = "vital-sign"
    CODE = "code"  # CIM-10, CCAM, ATC, LOINC
    # tables
    PATIENT_ROW = "patient-row"
    PATIENT_COLUMN = "patient-column"
    # what speaks against
    LEAFLET = "leaflet"
    PAPER = "paper"
    COURSE = "course"
    BLANK_FORM = "blank-form"
    PAYSLIP = "payslip"
    INVOICE = "invoice"
    RESUME = "resume"
    LEGAL = "legal"
    VETERINARY = "veterinary"
    SPECIFICATION = "specification"
    SOURCE_CODE = "source-code"
    ADMINISTRATIVE = "administrative"
    PROFESSIONAL_MAIL = "professional-mail"
    # the practice's own knowledge
    ROSTER = "patient-list"  # a patient of the practice's list, by name with birth date or by number
    WORDING = "wording"  # how the text sounds: a model learnt from labelled documents


class Side(StrEnum):
    """The two questions that a text must both answer with yes."""

    CLINICAL = "clinical"  # is it clinical?
    PERSON = "person"  # is it about one particular person?


@dataclass(frozen=True, slots=True)
class Scale:
    """The sums of the deciding page in nats of log-odds, starting points included; above 0 means yes."""

    clinical: float
    person: float


@dataclass(frozen=True, slots=True)
class Finding:
    """One kind of evidence at one place. ``weight`` is in nats of log-odds towards « medical » (negative: against).
    ``side``: the sum that it is part of; None when it decided nothing.
    """

    type: FindingType
    count: int = 1
    spot: Spot = Spot()
    weight: float = 0.0
    sample: str = ""  # masked, at most 48 characters
    side: Side | None = None


@dataclass(frozen=True, slots=True)
class Findings:
    """The whole answer about one file.

    ``confidence`` is the probability (0 to 1) that ``judgement`` is right. ``patients`` counts distinct persons.
    ``identified``: a particular person can be recognised. ``problem`` is set when something could not be looked at.
    ``scale`` is set when a text or a table decided, not a structured format.
    ``unread_pictures``: beside readable text there are pictures as large as a page that nobody has read.
    """

    judgement: Judgement
    kind: Kind = Kind.OTHER
    confidence: float = 0.5
    identified: bool = False
    patients: int = 0
    test_data: bool = False
    format: Format = Format.UNKNOWN
    problem: Problem | None = None
    items: tuple[Finding, ...] = ()
    unread_pictures: bool = False
    scale: Scale | None = None

    @property
    def awaits_pictures(self) -> bool:
        """Whether reading its pictures could make it medical."""
        if self.judgement is Judgement.UNDECIDABLE:
            return self.problem is Problem.IMAGE
        return self.judgement is Judgement.NOT_MEDICAL and self.unread_pictures

    @property
    def listed(self) -> bool:
        """Whether it names a patient of the practice's list."""
        return any(item.type is FindingType.ROSTER for item in self.items)


def undecidable(problem: Problem, format_: Format = Format.UNKNOWN) -> Findings:
    """The answer for a file that could not be looked at, whoever noticed it."""
    return Findings(judgement=Judgement.UNDECIDABLE, confidence=1.0, format=format_, problem=problem)
