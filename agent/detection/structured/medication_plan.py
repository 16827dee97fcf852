"""The German medication plan (Bundesmedikationsplan): small XML, printed as a datamatrix and kept as a file.

Source: KBV, « Spezifikation für einen patientenbezogenen Medikationsplan » 2.3 to 2.8: root ``MP`` with version ``v``,
patient ``P`` (``g`` given name, ``f`` family name, ``b`` birth date, ``egk`` insurance number), author ``A``, sections
``S`` with medicines ``M``.
"""

from __future__ import annotations

from agent.detection.structured.base import STRONG, Person, Recognised, about
from agent.detection.structured.xmltree import parse
from agent.findings import Kind


def recognise_plan(raw: bytes) -> Recognised | None:
    """Judge a medication plan; None when the root is another or holds neither a patient nor medicines."""
    root = parse(raw, limit=5_000)
    if root is None or root.name != "MP" or not root.get("v").isdigit():
        return None
    patient = root.first("P")
    medicines = len(root.all("S", "M"))
    if patient is None and not medicines:
        return None
    people = []
    if patient is not None:
        identifiers = (patient.get("egk"),) if patient.get("egk") else ()
        people.append(Person(patient.get("f"), patient.get("g"), patient.get("b"), identifiers))
    result = about(Kind.PRESCRIPTION, people, clinical=medicines)
    return result if result.identified else about(Kind.PRESCRIPTION, [], clinical=medicines, confidence=STRONG)
