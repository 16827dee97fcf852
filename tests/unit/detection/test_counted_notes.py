"""How many patients a text tells of that is no table: lists written by hand, chats, books of dates, mails; and what is
one patient's own list of acts, readings and medicines.
"""

import pytest

from agent.detection import heads
from agent.detection.detector import detect
from agent.detection.fold import fold
from agent.detection.judged import distinct
from agent.detection.pages import read_page
from agent.detection.sole import is_of_one
from agent.detection.tables import read_header
from agent.document import Document, Format, Part


def counted(text: str, **more) -> int:
    return len(heads.patients([fold(text).cased], **more))


@pytest.mark.parametrize(
    ("text", "persons"),
    [
        ("PONTHIEU Marcelle - sténose 40 %, stable\nRIGAULT Jules - angioscanner puis staff\nVAYSSE Léo - varices", 3),
        ("R. Chabanel : transit ok, PSE 1,5\nJ. Lazarus : fièvre 39 à 2h, hémocs", 2),
        ("Mr Vandamme Luc (Jette) : ulcère, Aquacel 2x/sem\nMme Hoyois Ginette : toilette, injection de Fraxi", 2),
        ("12/01/24, 08:15 - Seb: Mme Pottiez INR à 6,2\n12/01/24, 08:16 - Seb: le petit Malo (4 ans) otite", 2),
        ("[03/02/2025 07:58] Aude: M. Rambert a arraché son Redon\n[03/02/2025 08:10] Aude: Mme Sintès vomit", 2),
        ("lun 26 8h30 ALVAREZ laser OG\nlun 26 14h PETITJEAN TDM TAP\nmar 27 7h SOWINSKI tendon\njeu 29 mme KOVAC écho", 4),
        ("08/02 07:25 BAUDRAND Odette (201) a crié\n08/02 12:50 COMBEL Marius (204) fausse route\n09/02 TRAPON Lise", 3),
        ("D26-0714 | 19:02 | appel de: épouse | M. Régis CHAMBON 66a | AVC ?\n"
         "D26-0719 | 19:15 | appel de: foyer | Sabrina N., 16 ans | IMV\n"
         "D26-0725 | 19:33 | appel de: la patiente | Mme ILIC Danièle 81a | vertiges", 3),
        ("10h15 chir B 307 VAUQUELIN -> scan\n10h40 urg box 5 SADOUNI -> radio\n11h10 med 112 PENHOUET -> echo", 3),
        ("6h45 Mme Rouxeau hbpm / 7h05 M. Dardel insuline\n7h30 Mme Le Gallic toilette", 3),
        ("21/03 Mme Arrieta INR 3.8\n21/03 Mr Pelletan 2.2\n22/03 Mme Chaput Renée 1.4", 3),
    ],
)  # fmt: skip
def test_entries_of_lists_chats_and_books(text, persons):
    assert counted(text) == persons


@pytest.mark.parametrize(
    "text",
    [
        "CENTRE IRM DU GRAND LARGE\nIRM DU GENOU GAUCHE\nTDM DU CRANE\nIRM DE LA HANCHE DROITE",
        "36 HBGD022 avulsion\n37 HBGD022 avulsion\n36 LBLD015 implant\n37 LBLD015 implant",
        "8h LASILIX 40\n12h KARDEGIC 75\n18h PREVISCAN 1/4\n22h IMOVANE 7,5",
        "A. Antécédents : asthme\nB. Biologie : normale\nC. Clinique : sibilants\nD. Discussion : crise",
        "CRRA - JOURNAL\nSAMU - BILAN\nVSAV - DEPART",
    ],
)
def test_headings_codes_and_medicines_are_nobody(text):
    assert counted(text) == 0


def test_the_list_in_the_document_of_one_patient_is_of_acts():
    acts = "1 COURONNE posée\n2 BRIDGE ajusté\n3 INLAY scellé\n4 FACETTE collée\n"
    assert counted(acts) == 4
    assert counted(acts, sole=True) == 0
    beds = "Lit 1 Mme Roy fièvre\nLit 2 M. Faure chute\nLit 3 Mme Colin toux\n"
    assert counted(beds, sole=True) == 3


def test_mails_about_two_persons_are_two_and_about_one_by_two_names_one():
    def mailbox(*texts: str) -> int:
        mails = [Document(Format.EML, parts=[Part(text)]) for text in texts]
        return detect(Document(Format.MBOX, children=mails)).patients

    gastritis = "L'anapath de M. Trannoy Hugo est arrivée : gastrite à Helicobacter, je fais l'ordonnance de Pylera ?"
    bleeding = (
        "Mme Bellegarde Simone (coloscopie lundi) a rappelé, encore du sang dans les selles, mal au ventre à gauche."
    )
    again = "M. Trannoy a rappelé, douleurs épigastriques et vomissements depuis hier soir, il prend Inexium 40."
    assert mailbox(gastritis, bleeding) == 2
    assert mailbox(gastritis, again) == 1


def test_a_name_that_says_less_is_the_same_person():
    assert distinct(["~tran", "~hai tran van", "~roy"]) == {"~hai tran van", "~roy"}
    assert distinct(["~tran", "~roy"]) == {"~tran", "~roy"}


def sheet(*rows: tuple[str, ...]):
    parts = [Part("\n".join(" ".join(row) for row in rows))]
    return detect(Document(Format.XLSX, parts=parts, tables=[list(rows)]))


def test_medicines_in_the_cells_are_no_headings():
    found = sheet(
        ("Chambre", "Résident", "8h", "12h", "18h"),
        ("B01", "ANDRIEUX Paulette", "Levothyrox 50, Amlor 5", "", "Doliprane 500"),
        ("B02", "BARRAL Fernand", "Modopar 125, Kardegic 75", "Modopar 125", "Modopar 125"),
        ("B05", "DOUSSOT Émile", "Risperdal 0,5", "Diffu-K", "Mirtazapine 15"),
    )
    assert (found.judgement, found.identified, found.patients) == ("medical", True, 3)


def test_a_sheet_about_one_patient_is_of_one():
    found = sheet(
        ("Patient", "LATOURNELLE Ginette", "86 ans", "Gériatrie aiguë", "18/06/2024"),
        ("Médicament", "Ville", "Entrée", "Divergence", "Décision"),
        ("Levothyrox 75", "1 matin", "absent", "oubli", "réintroduit"),
        ("Previscan 20", "1/2", "HNF", "intentionnel", "poursuivi"),
        ("Amlodipine 5", "1 matin", "1 matin", "non", "poursuivi"),
    )
    assert (found.judgement, found.identified, found.patients) == ("medical", True, 1)


@pytest.mark.parametrize(("second", "one"), [("MOREL Jeanne", True), ("MOREL Paul", False)])
def test_a_name_at_the_head_of_each_sheet_is_one_patient(second, one):
    sheet = "Patient : {}\nNée le : 12/03/1951\nCompte rendu, feuillet\nToux, fièvre 38,4, amoxicilline 1 g x3\n"
    pages = [read_page(sheet.format("MOREL Jeanne") + sheet.format(second))]
    assert is_of_one(pages, frozenset(pages[0].births), frozenset()) is one


def test_a_label_with_a_name_behind_it_is_no_row_of_headings():
    rows = [
        ("Patient", "LATOURNELLE Ginette", "Chambre", "Service"),
        ("Jour", "Médicament", "Dose", "Remarque"),
        ("lundi", "Levothyrox", "75", "prise"),
        ("mardi", "Previscan", "20", "refus"),
    ]
    assert read_header(rows)[0] == 2
    assert read_header([("Patient", "Nom du médecin", "Chambre", "Service"), *rows[2:]])[0] == 1


def test_columns_that_name_a_person_each_are_several():
    found = sheet(
        ("Patient", "LATOURNELLE Ginette", "BARRAL Fernand", "DOUSSOT Émile"),
        ("Né le", "02/03/1938", "11/09/1940", "30/01/1951"),
        ("Diagnostic", "insuffisance cardiaque", "maladie de Parkinson", "BPCO"),
        ("Traitement", "Lasilix 40", "Modopar 125", "Spiriva"),
    )
    assert found.patients == 3
