"""Who is named: family names as they are in France and around it, and the shapes in which notes put them."""

from __future__ import annotations

import pytest

from agent.detection.detector import detect
from agent.detection.lexicon import family, given
from agent.extraction.limits import Budget, Limits
from agent.extraction.reader import read_document
from agent.extraction.worker import memory_file
from agent.findings import Findings, Judgement

FAMILY = (
    "Martin", "De Souza", "de Souza", "Du Bois", "DE BACKER", "de La Tour", "D'Angelo", "Van den Berg", "van der Meer",
    "VAN DER MEER", "Ben Ali", "El Khoury", "O'Connor", "Des Roches", "Da Silva", "Nguyen Thi", "L'Hostis", "LE GOFF",
    "La Fontaine", "N'Guessan", "Dos Santos", "Garcia",
)  # fmt: skip
SAID = "agitée cette nuit, plaie du talon gauche 3x2 cm. Pansement refait (Aquacel). TA 155/85."


def judged(text: str) -> Findings:
    content = text.encode()
    with memory_file(content) as fd:
        return detect(read_document(fd, "txt", len(content), Budget(Limits())))


@pytest.mark.parametrize("name", FAMILY)
@pytest.mark.parametrize(
    "text",
    [
        f"Mme {{}} {SAID}",
        f"{{}} Marie 84 ans {SAID}",
        f"M. {{}}, 84 ans, {SAID}",
        f"Lit 4 {{}} Marie {SAID}",
        f"Patient : {{}} Marie\n{SAID}",
        f"Nom : {{}}   Prénom : Marie\n{SAID}",
        "J'ai vu ce jour Marie {}, adressée pour une plaie du talon gauche. Pansement refait (Aquacel). TA 155/85.",
        "Mrs {} was agitated overnight, left heel ulcer 3x2 cm dressed with Aquacel. BP 155/85.",
        "Mw. {} onrustig, wond hiel li geler, geurt, 3x2 cm. Verband vervangen (Aquacel). RR 155/85.",
    ],
)
def test_a_patient_is_named_whatever_the_family_is_called(name: str, text: str) -> None:
    found = judged(text.format(name))
    assert found.judgement is Judgement.MEDICAL
    assert found.identified


@pytest.mark.parametrize(
    "text",
    [
        f"Nom ESCANDE Ferdinand ch 408P\n{SAID}",
        f"VANHOUTTE Marcelle n°1187, {SAID}",
        f"HAMMADI K. {SAID}",
        f"Kobayashi, R – {SAID}",
        f"Mbatha, Sarah (L6) {SAID}",
        f"mr leroux andre vu ce jour, {SAID}",
        f"Zerbib 58 a {SAID}\nMorandi S. 22 a {SAID}",
        f"Mon père, André Cazeneuve, est sorti. {SAID}",
        f"De : Lucie Jamet (patiente)\n{SAID}",
        f"Isla 5y {SAID}",
        f"S/B team: Liam, 19, {SAID}",
    ],
)
def test_a_note_names_its_patient_without_a_label(text: str) -> None:
    assert judged(text).identified


@pytest.mark.parametrize(
    "text",
    [
        SAID,
        f"Dr Jeanne Rousseau : {SAID}",
        f"{SAID} EVA 6, DDR il y a 5 semaines",
        f"Étudiante : Lilou Marquès\n{SAID}",
        f"{SAID}\nAlbumine 33 g\nHandgrip 19 kg",
        f"{SAID}\n{SAID}\n\nJulie Perrot",
    ],
)
def test_who_cares_or_signs_is_not_the_patient(text: str) -> None:
    found = judged(text)
    assert found.judgement is Judgement.MEDICAL
    assert not found.identified


def test_a_couple_is_two_where_each_is_told_of() -> None:
    told = (
        "Je te remercie de voir M. et Mme Delpech, 74 et 71 ans. Monsieur (Robert) garde une douleur du genou droit malgré "
        "deux infiltrations. Madame (Jacqueline) a fait une fracture du poignet, je n'ai pas débuté de traitement."
    )
    assert judged(told).patients == 2
    assert judged(told.replace("Madame (Jacqueline) a fait", "Il a fait")).patients == 1


@pytest.mark.parametrize(
    "lines",
    [
        (
            "P1 | AUBRY Michel | 72 | UF 2,3 crampes",
            "P2 | BOUKHRIS Ali | 81 | KT jugulaire",
            "P3 | CHAUVIN Denise| Hb 9,1",
        ),
        (
            "2001 ADNOT Lucienne 86 PTH J2",
            "2002 ALLARD Guy 64 fixateur externe",
            "2003 ANGER Sylvain Hb 7,8 2 CGR",
            "2004 BARBOSA Armindo 58 sepsis",
        ),
        ("Lanoë : pansement ok, mange peu", "Mme Riou -> chute, TA/2h", "Cosquer P. sorti 15h, anticoagulants repris"),
    ],
)
def test_posts_long_numbers_and_bare_names_make_a_list(lines: tuple[str, ...]) -> None:
    assert judged("\n".join(lines)).patients == len(lines)


@pytest.mark.parametrize(
    "text",
    [
        "Q3 Patient Safety Dashboard – Surgical Division. Falls 96; pressure ulcers cat 2+ 71; medication 88; insulin 9.",
        "Dog: Marlow, lurcher. Meds: fluoxetine 20 mg, appetite down, sleepy. Upset tum x3, blood speck. Wt 21.4kg. Plan: vet.",
        "SCHEDA OPERATIVA 112 – DOLORE TORACICO\nB. STEMI: hub. Eparina 5000 UI.\nD. EP: Wells >6, dispnea, sincope, ECG",
    ],
)
def test_a_title_an_animal_and_a_letter_of_a_list_name_no_patient(text: str) -> None:
    assert judged(text).judgement is not Judgement.MEDICAL


def test_what_is_to_be_done_is_no_cat_and_romane_no_novel() -> None:
    assert judged(f"Mme LOZACHMEUR Nolwenn\n{SAID}\nCAT : colposcopie recommandée").judgement is Judgement.MEDICAL
    assert judged(f"Romane : {SAID} Bili ok, gavages 12 x 2, caféine arrêtée.").judgement is Judgement.MEDICAL
    assert judged(f"Collège Jules-Ferry, infirmerie\nLAMBERT Zélie : hypo 0,70, {SAID}").judgement is Judgement.MEDICAL


def test_who_stands_around_the_patient_of_a_record_does_not_count() -> None:
    text = (
        "PATIENT: ENTWISTLE, Derek DOB 09/11/1951\nRest pain L foot, seen by Mr Jessop\nBypass: Mr Venkataraman, ABPI 0.85\n"
        "Groin haematoma, Mr Entwistle aware\nUlcer dressed, Miss Tandy\nMetformin 1g bd, hypo on the ward, Mr Levy"
    )
    assert judged(text).patients == 1


def test_on_a_page_in_capitals_a_word_is_no_name() -> None:
    text = (
        "Domande frequenti sulla cefalea: dopo i 50 anni una cefalea nuova va sempre valutata; paracetamolo 1 g, ibuprofene "
        "400 mg, triptani; escludere arterite. Febbre, rigidità nucale, deficit neurologici: pronto soccorso."
    )
    assert judged(text).judgement is not Judgement.MEDICAL
    assert judged(text.upper()).judgement is not Judgement.MEDICAL
    assert judged(f"Mme GARCIA Jeanne, 84 ans, {SAID}".upper()).identified


NAMES = sorted({name.decode().capitalize() for name in given() | family() if len(name) > 1})


@pytest.mark.parametrize("text", [f"Mme {{}} {SAID}", f"Patiente : {{}} DURAND\n{SAID}", f"Marie {{}} 84 ans, {SAID}"])
def test_no_name_that_is_known_hides_a_patient(text: str) -> None:
    found = {name: judged(text.format(name)) for name in NAMES}
    assert [
        name for name, said in found.items() if said.judgement is not Judgement.MEDICAL or not said.identified
    ] == []


@pytest.mark.parametrize(
    "text",
    [
        "Facture n° 2025-114\nMme {} Marie, 12 rue des Lilas\nPose d'un chauffe-eau 200 L : 1 240,00 €\nÀ régler le 30/04.",
        "CV – {} Dupont, née le 12/03/1981. Comptable, 12 ans d'expérience. Anglais courant. Permis B.",
    ],
)
def test_no_name_that_is_known_makes_a_patient(text: str) -> None:
    assert [name for name in NAMES if judged(text.format(name)).judgement is Judgement.MEDICAL] == []
