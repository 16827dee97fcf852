"""Lists of patients, and the lists of persons and goods that are none."""

import pytest

from agent.detection.detector import detect
from agent.detection.tables import read_table
from agent.document import Document, Format

PEOPLE = [
    ("MARTIN", "Zoé", "12/03/1951"),
    ("PETIT", "Jean", "01/07/1984"),
    ("BENALI", "Inès", "28/02/2007"),
    ("ROY", "Paul", "05/11/1939"),
]


def nir(sex, born, order):
    """A number with a valid key for an invented person (department 99: abroad)."""
    body = f"{sex}{born[8:]}{born[3:5]}99{order:06d}"
    return f"{body}{97 - int(body) % 97:02d}"


def table(header, *columns):
    return [header, *[tuple(cell) for cell in zip(*columns, strict=True)]]


NAMES, FIRSTS, BIRTHS = zip(*PEOPLE, strict=True)
NIRS = tuple(nir(1 + index % 2, birth, 109100 + index) for index, birth in enumerate(BIRTHS))


@pytest.mark.parametrize(
    "rows",
    [
        table(("IPP", "Nom", "DDN", "Diagnostic"), ("11", "12", "13", "14"), NAMES, BIRTHS, ("I50.0", "E11.9", "J45.0", "C50.9")),
        table(("Nom", "Prénom", "Né(e) le", "Médecin traitant", "Motif"), NAMES, FIRSTS, BIRTHS, ["Dr ROBIN"] * 4, ("suivi", "vaccin", "toux", "avis")),
        table(("Chambre", "Patient", "Âge", "Motif d’entrée", "Allergies"), ("101", "102", "103", "104"),
              ("Mme MARTIN Zoé", "M. PETIT Jean", "Mme BENALI Inès", "M. ROY Paul"), ("75", "42", "19", "87"), ("AVC", "asthme", "chute", "FA"), ["latex"] * 4),
        table(("Last name", "First name", "DOB", "Diagnosis", "Medication"), NAMES, FIRSTS, BIRTHS, ("COPD", "asthma", "flu", "gout"), ["aspirin"] * 4),
        table(("Name", "Geburtsdatum", "Diagnose", "Station"), NAMES, BIRTHS, ("COPD", "Asthma", "Fraktur", "Gicht"), ["3A"] * 4),
    ],
)  # fmt: skip
def test_lists_of_identified_patients(rows):
    found = read_table(rows)
    assert found.probability > 0.5
    assert found.identified
    assert len(found.keys) == 4


@pytest.mark.parametrize(
    ("heading", "cells"),
    [
        ("dernier frottis", ("01/02/2022",) * 4), ("dernière HbA1c", ("7,2", "6,9", "8,1", "7,0")), ("ALD", ("8", "30", "8", "")),
        ("Mammographie", ("ACR2", "ACR1", "à faire", "ACR4")), ("Last smear", ("01/02/2020",) * 4), ("INR", ("2,1", "3,2", "2,5", "2")),
    ],
)  # fmt: skip
def test_one_column_that_only_patients_have_makes_a_list_of_patients(heading, cells):
    found = read_table(table(("Nom", "Prénom", "Date de naissance", heading), NAMES, FIRSTS, BIRTHS, cells))
    assert found.probability > 0.5
    assert len(found.keys) == 4
    assert (
        read_table(
            table(("Nom", "Prénom", "Date de naissance", "Cotisation"), NAMES, FIRSTS, BIRTHS, cells)
        ).probability
        < 0.5
    )


def test_a_list_without_a_header_is_known_by_its_columns():
    rows = [(name, birth, number, text) for name, birth, number, text in zip(
        ("Mme MARTIN Zoé", "M. PETIT Jean", "Mme BENALI Inès", "M. ROY Paul"), BIRTHS, NIRS,
        ("insuffisance cardiaque", "diabète de type 2", "asthme", "fracture du col du fémur"), strict=True)]  # fmt: skip
    assert read_table(rows).probability > 0.5


def test_a_research_table_is_medical_and_names_nobody():
    rows = table(("id_patient", "sexe", "age", "hba1c", "tas", "tad", "imc"), ("P1", "P2", "P3"), "MFF", ("41", "67", "76"),
                 ("8.4", "9.9", "6.0"), ("118", "103", "130"), ("83", "61", "64"), ("35", "23", "39"))  # fmt: skip
    found = read_table(rows)
    assert found.probability > 0.5
    assert not found.identified
    assert len(found.keys) == 3


@pytest.mark.parametrize(
    "rows",
    [
        table(("Matricule", "Nom", "Prénom", "Date de naissance", "N° SS", "Poste", "Salaire brut"), "1234", NAMES, FIRSTS, BIRTHS, NIRS,
              ("cuisinier", "infirmière", "aide", "agent"), ("2216", "3209", "2657", "1990")),
        table(("Nom", "Prénom", "Date de naissance", "Licence", "Catégorie"), NAMES, FIRSTS, BIRTHS, ("81", "82", "83", "84"), ["Senior"] * 4),
        table(("Service", "Mois", "Séjours", "DMS", "Décès"), ("Cardiologie", "Urologie"), ("2025-10", "2025-11"), ("107", "271"), ("2", "8"), ("1", "2")),
        table(("Référence", "Désignation", "Stock", "Prix HT"), ("M1", "M2"), ("Paracétamol 1 g inj", "Amoxicilline 500 mg"), ("3", "4"), ("2,1", "4,2")),
        table(("Code", "Libellé"), ("I50.0", "E11.9", "J45.0"), ("Insuffisance cardiaque", "Diabète de type 2", "Asthme")),
        table(("Nom", "Prénom", "RPPS", "Spécialité", "Ville"), NAMES, FIRSTS, ("10", "11", "12", "13"), ["Cardiologie"] * 4, ["Pau"] * 4),
        table(("Date", "Libellé", "Débit"), ("01/10/2024", "02/10/2024"), ("CB PHARMACIE", "VIR CPAM"), ("52", "12")),
        table(("Jour", "Matin", "Nuit"), ("01/11", "02/11"), ("Dr ROBIN", "Dr FAURE"), ("Dr FAURE", "Dr ROBIN")),
        table(("Nom", "Prénom", "Date de naissance", "Examen", "Résultat", "Note", "Classe"), NAMES, FIRSTS, BIRTHS,
              ["brevet"] * 4, ["admis"] * 4, ("12", "13", "9", "15"), ["3B"] * 4),
        [("a",), ("b",)],
        [],
    ],
)  # fmt: skip
def test_lists_of_staff_members_goods_codes_and_figures(rows):
    assert read_table(rows).probability < 0.5


def test_a_column_of_social_security_numbers_is_noticed_and_its_key_is_checked():
    rows = table(("Nom", "N° SS", "Poste"), NAMES, NIRS, ["aide"] * 4)
    assert read_table(rows).numbered
    wrong = tuple(number[:-1] + str((int(number[-1]) + 1) % 10) for number in NIRS)
    assert not read_table(table(("Nom", "Numéro", "Poste"), NAMES, wrong, ["aide"] * 4)).numbered


def test_the_same_person_twice_counts_once():
    rows = table(
        ("Nom", "Prénom", "DDN", "Diagnostic"), NAMES + NAMES, FIRSTS + FIRSTS, BIRTHS + BIRTHS, ["asthme"] * 8
    )
    assert len(read_table(rows).keys) == 4


COLUMNS = ("IPP", "Nom", "Prénom", "Date de naissance", "Diagnostic")
LISTED = [
    (f"80045{n:03d}", "MARTIN" if n % 2 else "DUPUIS", f"Prénom{n % 7}", f"{n % 28 + 1:02d}/03/{1931 + n}", "Asthme")
    for n in range(20)
]


def test_a_person_in_several_rows_is_one_and_is_found_by_the_number():
    again = [(number.lower() + " ", name, first, "", "Diabète") for number, name, first, _, _ in LISTED[:6]]
    assert len(read_table([COLUMNS, *LISTED, *again]).keys) == 20


def test_a_row_without_number_is_found_by_name_and_birth_date():
    rows = [("", *row[1:]) if place < 5 else row for place, row in enumerate(LISTED)]
    assert len(read_table([COLUMNS, *rows]).keys) == 20


def test_sums_blank_rows_and_repeated_headers_are_nobody():
    rows = [COLUMNS, *LISTED[:10], ("", "", "", "", ""), COLUMNS, *LISTED[10:], ("", "Total", "", "", "20")]
    assert len(read_table(rows).keys) == 20


def test_namesakes_of_different_age_are_two():
    rows = [(f"Mme {name}", f"{age} ans", "Asthme") for name, age in (("ROUX Anne", 30), ("ROUX Anne", 61))]
    rows += [(f"M. ALBIN Paul{'abcdefghij'[n]}", "44 ans", "Diabète") for n in range(8)]
    assert len(read_table([("Patient", "Âge", "Diagnostic"), *rows]).keys) == 10


def test_patients_of_every_sheet_are_counted_once():
    sheets = [[COLUMNS, *LISTED[:12]], [COLUMNS, *LISTED[8:]]]
    assert detect(Document(Format.XLSX, tables=sheets)).patients == 20
