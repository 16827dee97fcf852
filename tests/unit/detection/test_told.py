"""Who counts as a patient within sentences, and who is only named there: each rule with a twin of which it must keep off."""

from __future__ import annotations

import pytest

from agent.detection.detector import detect
from agent.detection.evidence import Told
from agent.detection.pages import read_page
from agent.detection.told import added, distinct
from agent.document import Document, Format, Part


def told(text: str) -> set[frozenset[bytes]]:
    return {who.words for who in distinct(read_page(text).told)}


def patients(text: str) -> int:
    return detect(Document(Format.TEXT, parts=[Part(text)])).patients


REPORT = (
    "Compte rendu d'astreinte. Samedi j'ai vu madame Oberlin, toujours intubée sous noradrénaline. L'après-midi, "
    "monsieur Castagnet a fait une fibrillation auriculaire, réduite par amiodarone. Dimanche, madame Villard a été "
    "transfusée de deux culots pour une hémorragie digestive."
)
MAIL = (
    "Chère Solange, un mot sur les deux que tu m'as adressés. Mme Irène Cazeneuve a une coronarographie normale, je la "
    "remets sous bisoprolol 2,5 mg. Quant à M. Salif Diarra, la sténose est serrée, il a reçu un stent et prend du "
    "Kardégic 75 mg."
)


@pytest.mark.parametrize(("text", "count"), [(REPORT, 3), (MAIL, 2)])
def test_everybody_of_whom_a_sentence_says_something_clinical_counts(text, count):
    assert patients(text) == count


@pytest.mark.parametrize(
    "text",
    [
        "Le conducteur, Fabrice Ricord, 44 ans, présentait un traumatisme thoracique.",
        "Bilan de DELPORTE Fabrice : surdité de perception et acouphènes.",
        "Audio de Fabrice Delporte : surdité de perception et acouphènes.",
    ],
)
def test_a_given_name_beside_a_family_name_needs_no_civility(text):
    assert len(told(text)) == 1


@pytest.mark.parametrize(
    "text",
    [
        "Madame Oberlin est intubée, revue avec M. Castagnet, kinésithérapeute, pour encombrement bronchique.",
        "Madame Oberlin est intubée. Merci à Mme Villard, cadre de santé, de commander la sonde et la perfusion.",
        "Madame Oberlin est intubée. Mme Villard (orthophoniste) évalue la dysphagie. Mme Villard revoit la déglutition.",
        "Madame Oberlin est intubée et relève du syndrome de Claude Bernard-Horner droit.",
        "Madame Oberlin est intubée. Transfert à l'hôpital Edouard Herriot pour scanner thoracique.",
        "Madame Oberlin est intubée, sa fille, Mme Villard, est prévenue de la trachéotomie.",
        "Madame Oberlin est intubée.\nRendez-vous pris.\nBien à toi\nM. Castagnet",
        "Salut Fabien, madame Oberlin est intubée pour une pneumopathie.",
    ],
)
def test_staff_kin_greetings_places_and_eponyms_do_not_count(text):
    assert told(text) == {frozenset((b"oberlin",))}


def test_what_is_said_of_a_relative_as_of_a_patient_counts():
    text = "Madame Oberlin est intubée. Son frère, M. Oberlin, a une embolie pulmonaire et une phlébite du mollet."
    assert len(distinct(read_page(text).told)) == 2


def test_the_daughter_of_somebody_leaves_somebody_the_patient():
    assert told("Appel de la fille de M. Castagnet : dyspnée et œdèmes des membres inférieurs.") == {
        frozenset((b"castagnet",))
    }


def test_two_given_names_share_the_family_name():
    assert told("Je revois les jumeaux Gabin et Owen Lestrade, souffle cardiaque et rétinopathie.") == {
        frozenset((b"gabin", b"lestrade")),
        frozenset((b"owen", b"lestrade")),
    }


@pytest.mark.parametrize(
    ("text", "count"),
    [
        ("Camille R. : lombalgie et sciatique, massage.", 1),
        ("Seen T. Ashgrove, knee pain after fracture, swelling.", 1),
        (
            "Fracture de jambe, plâtre, anticoagulant.\nScanner fait.\nRadio faite.\nAntalgiques.\nMarche.\nC. Ashgrove PT",
            0,
        ),
    ],
)
def test_initials_count_in_a_note_but_not_where_it_is_signed(text, count):
    assert len(told(text)) == count


@pytest.mark.parametrize(
    ("one", "other", "count"),
    [
        (Told(frozenset((b"irene", b"caron")), "f"), Told(frozenset((b"caron",)), "f"), 1),
        (Told(frozenset((b"irene", b"caron")), "f"), Told(frozenset((b"caron",)), "m"), 2),
        (Told(frozenset((b"irene", b"caron"))), Told(frozenset((b"damien", b"caron"))), 2),
        (Told(frozenset((b"damien", b"caron"))), Told(frozenset((b"damien", b"lestrade"))), 2),
        (Told(frozenset((b"caron", b"lestrade"))), Told(frozenset((b"irene", b"caron"))), 1),
    ],
)
def test_who_is_one_and_who_are_two(one, other, count):
    assert len(distinct([one, other])) == count


def test_an_entry_without_a_name_may_be_who_a_sentence_names():
    entries = frozenset(("#0.2", "galvani", "de luca"))
    assert len(added(entries, [Told(frozenset((b"anna", b"serra")))])) == 3
    assert len(added(entries, [Told(frozenset((b"luca",)), "m")])) == 3
    assert added(frozenset(), [Told(frozenset((b"luca",)), "m")]) == frozenset()


def test_somebody_named_in_a_line_makes_it_a_note_and_nobody_does_not():
    said = "hématurie et fièvre à 39 depuis hier, amoxicilline 1 g x3"
    named = Document(Format.TEXT, parts=[Part(f"Marceline Duhautbois, {said}")])
    assert detect(named).identified
    assert not detect(Document(Format.TEXT, parts=[Part(f"En cas de chaleur, {said}")])).identified
