"""Clinical formats and practice exports, whole: bytes as they lie on a disk → reader → recognisers → findings."""

from __future__ import annotations

from tests.fuzz.target import Check, Target, must

WORDS = (
    b"MSH|^~\\&|", b"PID|1||", b"\x0b", b"\x1c\r", b"H|\\^&|", b"ISA*", b"~HL*1*", b"8000", b"\r\n01380006310",
    b"UNB+UNOA:1+", b'"resourceType":', b'"_type":', b"archetype_node_id", b"person_id,", b"BEGIN:VEVENT", b"BEGIN:VCARD",
    b"<ClinicalDocument", b"<kmehrmessage", b"(0010,0010)", b"<MP v=", b"Glucose", b";J;", b"\xff\xfe", b"\0", b",,,,",
)  # fmt: skip


def _samples() -> list[bytes]:
    """One invented sample or more of each family; the extension in the first line, as the target reads it."""
    from tests import codes, invented
    from tests.unit.detection.structured import test_dicom_written, test_open_formats, test_readings, test_records

    found: list[bytes] = []
    for module in (test_dicom_written, test_open_formats, test_readings, test_records):
        texts = [value for value in vars(module).values() if isinstance(value, str) and len(value) > 60]
        found += [
            text.replace("{}", "Okonkwo^Ada").encode() for text in texts if not text.startswith(module.__doc__ or "-")
        ]
    found += [invented.HL7.encode(), invented.CDA.encode(), invented.HPRIM.encode(), invented.fhir()]
    found += [text.encode() for text in codes.EVERY.values()]
    extensions = {b"<": b"xml", b"{": b"json", b"H": b"hl7", b"M": b"hl7"}
    return [extensions.get(sample[:1], b"csv") + b"\n" + sample for sample in found]


def _judged() -> Check:
    from agent.detection.detector import detect, warm_up
    from agent.extraction.limits import Budget
    from agent.extraction.reader import read_bytes
    from agent.findings import Judgement

    warm_up()

    def check(data: bytes) -> None:
        extension, _, content = data.partition(b"\n")
        found = detect(read_bytes(content, extension[:8].decode("ascii", "ignore"), Budget()))
        must(0.0 <= found.confidence <= 1.0, "a probability is one")
        must(found.patients >= int(found.identified), "an identified document is about somebody")
        must(
            found.judgement is not Judgement.NOT_MEDICAL or not found.identified,
            "nobody is told from what is not medical",
        )
        must(all(len(item.sample) <= 48 for item in found.items), "samples are short")

    return check


TARGETS = (
    Target("clinical", "any damaged clinical message or export has findings that fit together; nothing is raised",
           _samples, _judged, words=WORDS, cpu_s=3.0),
)  # fmt: skip
