"""The practice's patient list: what it costs a document, how long it takes to load, whom it mistakes for a patient.

``python -m bench.patients [PATIENTS]`` invents a list (20,000 patients) with common French names and birth dates,
measures two texts with and without it in turns, loads the same list as a CSV file through the confined child, and,
where the development corpus is there, counts its documents that name somebody of the invented list: by chance, so none
should.
"""

from __future__ import annotations

import json
import os
import random
import statistics
import sys
import tempfile
import time
from collections.abc import Callable
from pathlib import Path

from agent.detection.detector import detect
from agent.detection.roster.digests import KEY_BYTES
from agent.detection.roster.index import encode_index
from agent.detection.roster.lookup import Roster
from agent.document import Document, Format, Part
from agent.patients.columns import Field
from agent.patients.entries import Gathering
from agent.patients.load import load_list
from agent.patients.rows import RowReader
from agent.patients.store import PatientStore

FAMILIES = (  # noqa: SIM905 - read as a list of words
    "MARTIN BERNARD THOMAS PETIT ROBERT RICHARD DURAND DUBOIS MOREAU LAURENT SIMON MICHEL LEFEBVRE LEROY ROUX DAVID "
    "BERTRAND MOREL FOURNIER GIRARD BONNET DUPONT LAMBERT FONTAINE ROUSSEAU VINCENT MULLER LEFEVRE FAURE ANDRE MERCIER "
    "BLANC GUERIN BOYER GARNIER CHEVALIER FRANCOIS LEGRAND GAUTHIER GARCIA PERRIN ROBIN CLEMENT MORIN NICOLAS HENRY"
).split()
GIVENS = (  # noqa: SIM905
    "Marie Jean Pierre Jeanne Louise Paul Jacques Anne Claire Nicolas Luc Hugo Emma Léa Chloé Camille Julien Thomas "
    "Sophie Isabelle Philippe Michel Nathalie Christine Alain Bernard Monique Sylvie Daniel Françoise Catherine"
).split()
LETTER = """Docteur Anne LEROUX
Cabinet médical, 12 rue des Lilas, 44000 Nantes

Nantes, le 14/02/2023

Cher confrère,
Je vous adresse M. Nicolas GAUTHIEZ, né le 12/03/1961, pour une dyspnée d'effort apparue le 03/01/2023.
Antécédents : hypertension artérielle, diabète de type 2, appendicectomie en 1975.
Traitement : ramipril 5 mg 1 cp le matin, metformine 1000 mg matin et soir.
Examen clinique : TA 14/8, FC 82, auscultation pulmonaire libre.
"""
PROSE = (
    "Le patient rapporte une dyspnée d'effort sans douleur thoracique, sans fièvre ni toux. L'échographie cardiaque de "
    "l'été est normale. Consultation avec le Dr Paul Martin, puis avis de la Clinique des Chênes.\n"
)
END = "ECG du 12/01/2023 : rythme sinusal. Contrôle le 14 mars 2023. Bien confraternellement.\n"


def invented(count: int, seed: int = 1) -> list[tuple[str, str, str]]:
    """Rows of family name, given names, birth date; the last one is the patient of the letter."""
    pick = random.Random(seed)
    rows = []
    for _ in range(count - 1):
        family = pick.choice(FAMILIES)
        if pick.random() < 0.1:
            family += "-" + pick.choice(FAMILIES)
        if pick.random() < 0.5:  # as many rare names as a real list has
            family = "".join(pick.choice("BCDFGLMNPRST") + pick.choice("AEIOU") for _ in range(4))
        given = pick.choice(GIVENS) + (f" {pick.choice(GIVENS)}" if pick.random() < 0.4 else "")
        rows.append((family, given, f"{pick.randint(1, 28):02}/{pick.randint(1, 12):02}/{pick.randint(1928, 2025)}"))
    return [*rows, ("GAUTHIEZ", "Nicolas", "12/03/1961")]


def roster_of(rows: list[tuple[str, str, str]]) -> tuple[Roster, int]:
    """The list of these rows, and its size in bytes."""
    reader = RowReader({0: Field.FAMILY, 1: Field.GIVEN, 2: Field.BIRTH_DATE})
    key = os.urandom(KEY_BYTES)
    gathering = Gathering(key)
    for row in rows:
        patient, _ = reader.read(row)
        if patient is not None:
            gathering.add(patient)
    data = encode_index(gathering.index(), key)
    return Roster.open(data, key), len(data)


def cost_ms(text: str, roster: Roster) -> tuple[float, float]:
    """Milliseconds of processor time without and with the list, the least of several turns."""
    document = Document(Format.TEXT, parts=[Part(text)])

    def least(work: Callable[[], object]) -> float:
        times = []
        for _ in range(60):
            begun = time.thread_time()
            work()
            times.append(time.thread_time() - begun)
        return statistics.quantiles(times, n=10)[0] * 1000

    turns = [(least(lambda: detect(document)), least(lambda: detect(document, roster))) for _ in range(5)]
    return min(bare for bare, _ in turns), min(listed for _, listed in turns)


def load_s(rows: list[tuple[str, str, str]]) -> float:
    """Seconds to load the list from a CSV file: start of the child, reading, digests, durable writing."""
    with tempfile.TemporaryDirectory() as folder:
        export = Path(folder) / "export.csv"
        export.write_text("\n".join(["nom;prénom;date de naissance", *map(";".join, rows)]), encoding="cp1252")
        fd = os.open(export, os.O_RDONLY)
        run_as = (65534, 65534) if os.geteuid() == 0 else None
        begun = time.perf_counter()
        load_list(PatientStore(Path(folder)), fd, "csv", [], add=False, run_as=run_as, progress=lambda _d, _t: None)
        os.close(fd)
        return time.perf_counter() - begun


def strangers(roster: Roster, manifest: Path) -> tuple[int, int]:
    """(documents of the corpus that name somebody of the list, documents)."""
    from agent.extraction.limits import Budget
    from agent.extraction.reader import read_document

    found = total = 0
    for line in manifest.read_text().splitlines():
        path = manifest.parent / json.loads(line)["path"]
        with path.open("rb") as file:
            size = path.stat().st_size
            document = read_document(file.fileno(), path.suffix[1:].lower(), size, Budget())
            found += detect(document, roster).listed
            total += 1
    return found, total


def main(count: int = 20_000) -> None:
    rows = invented(count)
    roster, size = roster_of(rows)
    print(f"list of {count} patients: {size / 1000:.0f} kB")
    print(f"loading it from CSV: {load_s(rows):.1f} s")
    letter = LETTER + PROSE * 18 + END
    for name, text in (("letter of two pages", letter), ("text of 10 KB", (letter + PROSE * 40)[:10_000])):
        bare, listed = cost_ms(text, roster)
        print(f"{name}: {bare:.2f} ms, with the list {listed:.2f} ms ({listed - bare:+.2f})")
    from bench.suites import CORPUS

    if CORPUS.exists():
        found, total = strangers(roster, CORPUS)
        print(f"corpus: {found} of {total} documents name somebody of the invented list")


if __name__ == "__main__":
    main(*map(int, sys.argv[1:2]))
