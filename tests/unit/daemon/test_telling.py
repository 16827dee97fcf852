"""Names that tell of a patient, and those of a clinician's every day that do not; judged by a real reader."""

from __future__ import annotations

import os
from collections.abc import Callable, Iterator

import pytest

from agent.daemon import telling
from agent.extraction.client import WorkerPool
from agent.findings import Finding, Findings, FindingType, Judgement

TELLING = (
    "DUPONT Jeanne née 12-03-1951", "DUPONT Jeanne 12-03-1951", "DUPONT_Jeanne_1951-03-12.pdf",
    "dupont-jeanne-ne-12.03.1951.docx", "Müller Hans geb. 01.02.1940", "IRM genou MARTIN Paul.pdf",
    "compte-rendu opératoire MARTIN Paul", "CR hospitalisation Mme DURAND", "IPP 123456789", "biopsie DURAND Paule",
    "Vernicourt_Odette_suivi.csv",
)  # fmt: skip
HARMLESS = (
    "Photos vacances", "Dr Martin", "Courrier Dr MARTIN Paul", "cours cardiologie 2024", "facture EDF 12-03-2019",
    "EDF Facture 12-03-2019.pdf", "IMG_20240312_101112.jpg", "réunion du 12-03-2024", "IRM Genou", "COVID Vaccination",
    "Réservation hotel Martin 12-07-2024", "New folder", "Sans titre 1.odt", ".~lock.lettre.odt#", "node_modules",
    "Congrès TOULOUSE 2019", "Jeanne Dupont", "ordonnance type.docx", "protocole chimiothérapie", "a", "2024",
    "backup-2024-03-12.tar.gz", "RPPS 10001234567", "Bilan comptable DUPONT Jean", "document-7F3KQ.age",
    "Serment - LISEZ-MOI.txt", "né", "12-03-1951", "System Volume Information", "$RECYCLE.BIN",
    "Suivi Chantier Florence.xlsx", "Bilan Saint Martin.xlsx", "Ordonnance Type Odette.docx", "Vernicourt_Odette_bilan.pdf",
)  # fmt: skip

TOGETHER = (
    "DUPONT/Jeanne/12-03-1951/clinique", "DUPONT Jeanne/1951-03-12/IRM genou", "Jeanne Dupont/12-03-1951/cardiologie",
    "Patients/MARTIN Paul/né le 12-03-1951/biopsie.txt", "Dupont/Jeanne/12.03.1951/diabète/notes.txt",
    "Patients/DUPONT_Jeanne/12_03_1951/a",
)  # fmt: skip
NOT_TOGETHER = (
    "Photos/DUPONT Jeanne/12-03-1951/mer.jpg", "Photos/Famille DUPONT/2019-03-12/IMG_1.jpg", "IRM genou/2024/DUPONT Jeanne",
    "Cours/Cardiologie/12-03-2019/Dr MARTIN Paul", "Factures/DUPONT Jeanne/12-03-2019/EDF.pdf", "a/b/c", "DUPONT/Jeanne",
    "Dr MARTIN Paul/2024-03-12/cardiologie", "Généalogie/DUPONT Jeanne/12-03-1851/acte.pdf", "Patients/2024-03-12/liste",
    "Photos/MARTIN Paul/12-03-2019/IRM",
)  # fmt: skip


@pytest.fixture(scope="module")
def judge() -> Iterator[Callable[[str], Findings]]:
    pool = WorkerPool(1)

    def judged(line: str) -> Findings:
        data = line.encode()
        fd = os.memfd_create("name")
        try:
            os.write(fd, data)
            return pool.judge(fd, "txt", len(data))
        finally:
            os.close(fd)

    yield judged
    pool.close()


def told(name: str, judge: Callable[[str], Findings]) -> bool:
    line = telling.line_of(os.fsencode("Dossiers/" + name))
    if not telling.worth_judging(line):
        return False
    rest = telling.without_person(line)
    return telling.tells(line, judge(line), judge(rest) if rest else None)


@pytest.mark.parametrize("name", TELLING)
def test_tells(name: str, judge: Callable[[str], Findings]) -> None:
    assert told(name, judge)


@pytest.mark.parametrize("name", HARMLESS)
def test_tells_nothing(name: str, judge: Callable[[str], Findings]) -> None:
    assert not told(name, judge)


def told_together(path: str, judge: Callable[[str], Findings]) -> bool:
    line = telling.path_of(path.encode())
    rest = telling.without_person(line)
    return bool(line) and telling.tells_together(line, judge(line), judge(rest) if rest else None)


@pytest.mark.parametrize("path", TOGETHER)
def test_the_folders_of_a_path_tell_together(path: str, judge: Callable[[str], Findings]) -> None:
    assert told_together(path, judge)


@pytest.mark.parametrize("path", NOT_TOGETHER)
def test_a_path_that_lacks_one_of_the_three_tells_nothing(path: str, judge: Callable[[str], Findings]) -> None:
    assert not told_together(path, judge)


def test_a_path_without_a_date_is_not_looked_at() -> None:
    assert telling.path_of(b"DUPONT/Jeanne/clinique") == ""
    assert telling.path_of(b"DUPONT Jeanne 12-03-1951") == ""  # one part: the name says all
    assert len(telling.path_of(b"12-03-1951/" + b"a/" * 9000)) <= telling.MAX_NAME + 64


def test_a_patient_of_the_list_tells_alone() -> None:
    listed = Findings(Judgement.NOT_MEDICAL, items=(Finding(FindingType.ROSTER),))
    assert telling.tells("Jeanne Dupont", listed)


def test_bytes_that_are_no_text_and_names_without_end_are_bounded() -> None:
    assert telling.line_of(b"\xff\xfe" * 5000)
    assert len(telling.line_of(b"a " * 100_000)) <= telling.MAX_NAME


def test_what_a_policy_sees_of_it() -> None:
    seen = telling.findings_of(Findings(Judgement.NOT_MEDICAL))
    assert (seen.judgement, seen.identified, seen.patients) == (Judgement.MEDICAL, True, 1)
