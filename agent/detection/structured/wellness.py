"""What a person's own telephone kept about their health: the export of Apple Health (``export.xml``).

One person without a name: a lower class than a record. Steps, pulse and workouts are sport; measurements and entries
that belong to care (blood pressure, glucose, medicines, cycles, clinical records) make it health data. Its
``export_cda.xml`` is a CDA and is judged as one.
"""

from __future__ import annotations

import re

from agent.detection.structured.base import Recognised, about
from agent.findings import Kind

_CARE = re.compile(
    rb"HK(?:Quantity|Category)TypeIdentifier(BloodPressure|BloodGlucose|InsulinDelivery|BodyTemperature|OxygenSaturation|Menstrual|Sexual"
    rb"|Pregnancy|Contraceptive|PeripheralPerfusion|ForcedVital|ForcedExpiratory|InhalerUsage|AtrialFibrillation|Electrodermal|BloodAlcohol)"
    rb"|HK(ClinicalType|Electrocardiogram|MedicationDose|VisionPrescription)"
)
_OWN = 0.6  # probability: the person is not named, and only an own export can be meant


def recognise_wellness(raw: bytes) -> Recognised | None:
    """Judge a ``HealthData`` document; None when nothing in it belongs to care."""
    care = set(_CARE.findall(raw[:16_000_000]))
    return about(Kind.OTHER, [], clinical=len(care), confidence=_OWN) if care else None
