"""Exports of devices that measure one person: whose they are, and what is none."""

from __future__ import annotations

import pytest

from agent.detection.detector import detect
from agent.extraction.limits import Budget, Limits
from agent.extraction.reader import read_bytes
from agent.findings import Findings, Judgement, Kind


def judged(text: str, extension: str = "csv", encoding: str = "utf-8") -> Findings:
    return detect(read_bytes(text.encode(encoding), extension, Budget(Limits(soft_seconds=30))))


_ROWS = "".join(f"FreeStyle LibreLink,ABCD-12,01-10-2026 {hour:02d}:05,0,{100 + hour},,\n" for hour in range(24))
LIBRE = (
    "Données du glucose,Généré le,29-10-2026 10:22 UTC,Généré par,Odile Rambert\nAppareil,Numéro de série,Horodatage de "
    "l’appareil,Type d’enregistrement,Historique de la glycémie mg/dL,Numérisation de la glycémie mg/dL\n" + _ROWS
)
_EVENTS = "".join(f"{n},2026-10-01T{n:02d}:00:00,EGV,,,,iPhone G6,{100 + n},\n" for n in range(5, 24))
DEXCOM = (
    "Index,Timestamp (YYYY-MM-DDThh:mm:ss),Event Type,Event Subtype,Patient Info,Device Info,Source Device ID,Glucose Value "
    "(mg/dL),Insulin Value (u)\n1,,FirstName,,Odile,,,,\n2,,LastName,,Rambert,,,,\n3,,DateOfBirth,,1979-03-12,,,,\n"
    + _EVENTS
)
WATCH = (
    'Name,Odile Rambert\nDate of Birth,"Mar 12, 1979"\nRecorded Date,2026-02-01 10:00:00 +0100\nClassification,Sinus Rhythm\n'
    "Sample Rate,512 hertz\n\nLead,Lead I\nUnit,uV\n\n" + "\n".join(f"{n}.3" for n in range(100))
)
MAPA = (
    "Nom;RAMBERT\nPrénom;Odile\nDate de naissance;12/03/1979\nExamen;MAPA 24h\nHeure;PAS;PAD;FC\n"
    + "".join(f"1{n % 10}:00;13{n % 10};8{n % 10};72\n" for n in range(20))
)  # fmt: skip
PERSYST = (
    "[FileInfo]\r\nFile=a.dat\r\nFileType=Interleaved\r\nSamplingRate=256\r\n[Patient]\r\nFirst=Odile\r\nLast=Rambert\r\n"
    "BirthDate=12/03/1979\r\n[ChannelMap]\r\nFp1-Ref=1\r\n"
)


@pytest.mark.parametrize(
    ("text", "extension", "kind"),
    [(LIBRE, "csv", Kind.LAB_REPORT), (DEXCOM, "csv", Kind.LAB_REPORT), (WATCH, "csv", Kind.ECG),
     (MAPA, "csv", Kind.LAB_REPORT), (PERSYST, "lay", Kind.EEG)],
)  # fmt: skip
def test_whose_they_are(text, extension, kind):
    found = judged(text, extension)
    assert (found.judgement, found.kind, found.identified, found.patients) == (Judgement.MEDICAL, kind, True, 1)


def test_a_sensors_series_without_a_name_is_of_somebody():
    found = judged(LIBRE.partition("\n")[2])
    assert (found.judgement, found.identified) == (Judgement.MEDICAL, False)


def test_an_old_encoding():
    assert judged(MAPA, encoding="cp1252").identified


NOT = {
    "a study's numbers": "id,time,gl\n1,2015-06-06 16:50:27,153\n1,2015-06-06 17:05:27,137\n" * 20,
    "food": "Name,Jus d'orange\nGlucose (mg/dL)\n" + "".join(f"{n},{n * 3}\n" for n in range(30)),
    "a manual": "The ECG file begins with these lines.\nName,the patient's name\nDate of Birth,the date\nThen the samples follow.\n",
    "settings": "[FileInfo]\nFile=a.dat\nSamplingRate=256\n[ChannelMap]\nFp1-Ref=1\n",
    "money": "Nom;RAMBERT\nPrénom;Odile\nDate;Débit;Crédit\n"
    + "".join(f"1{n % 10}/01/2026;{n},50;\n" for n in range(20)),
}


@pytest.mark.parametrize("name", NOT)
def test_what_is_none(name):
    assert judged(NOT[name]).judgement is Judgement.NOT_MEDICAL
