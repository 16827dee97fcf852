"""What separates care of one person from whatever else names persons and speaks the language of medicine."""

import pytest

from agent.detection import combine, negatives, weights
from agent.detection.detector import detect
from agent.detection.evidence import Evidence
from agent.detection.fold import fold
from agent.detection.jottings import read_jottings
from agent.detection.pages import read_page
from agent.detection.sides import count_sides
from agent.document import Document, Format, Part
from agent.findings import Findings, Judgement


def judged(text: str, form: Format = Format.TEXT) -> Findings:
    return detect(Document(form, parts=[Part(text)]))


# ---- who works there


@pytest.mark.parametrize(
    "text",
    [
        "Mme Lydie FAUVEL, cadre de santé, demande des pansements",
        "Contact : M. Thierry PASQUET pour les pansements",
        "Présents : M. Alain BOUCHET, Mme Karima ZIDANE et M. Loïc THEBAULT",
        "Kiné : M. Romain CHAUVET",
        "L'infirmière, Mme HUE",
        "Leitung: Frau Petra SOMMER",
        "Responsable: D. Luis PEÑALVER",
        "Mrs HOLM, manager",
    ],
)
def test_who_works_there_is_nobodys_patient(text: str) -> None:
    assert read_page(text).names == set()


@pytest.mark.parametrize(
    "text",
    [
        "Appel infirmière Mme DUPONT a chuté",  # whose name follows the profession without a colon
        "Mme DUPONT vue par le directeur hier",
        "M. LEBRUN a vu la kiné",
    ],
)
def test_a_name_near_a_profession_may_still_be_the_patients(text: str) -> None:
    assert len(read_page(text).names) == 1


def test_a_patient_who_is_named_twice_stays_when_once_taken_for_staff() -> None:
    assert read_page("Mme ZOLA tousse.\nReçu Mme ZOLA, secrétaire, ce jour").names == {b"zola"}


# ---- whom the writer speaks of


def test_the_writers_kin_are_somebody_and_their_names_count() -> None:
    page = read_page("Je m'occupe de mon frère Hervé Colin, il a fait trois crises d'épilepsie")
    assert b"*kin of the writer" in page.narrative
    assert page.names == {b"colin herve"}
    assert not read_page("les mots du récit " * 200 + "mon frère Hervé").names  # a long page may be a story


def test_a_mail_about_the_writer_tells_who_by_its_sender() -> None:
    text = (
        "From: Claire Vimont <c@x.example>\nBonjour docteur, depuis que j'ai arrêté l'Effexor j'ai des vertiges, "
        "mes migraines reviennent, je prends du paracétamol 1 g 3 fois par jour et ma tension est à 15/9."
    )
    assert judged(text, Format.EML).identified
    assert not judged(text).identified


# ---- words of anything but care, pooled


def test_words_of_several_other_worlds_count_together() -> None:
    words = "inscription atelier cotisation adhérents trésorier fournisseur"
    page = read_page(words)
    assert negatives.weigh([page])["elsewhere"] > 0.5
    assert "elsewhere" not in negatives.weigh([read_page("inscription")])
    said = read_page(words + " le patient présente une dyspnée, adressé pour bilan, examen clinique sans particularité")
    assert negatives.weigh([said])["elsewhere"] < negatives.weigh([page])["elsewhere"]  # what is said of somebody


def test_the_pool_does_not_say_again_what_a_family_has_said() -> None:
    page = Evidence(against={"elsewhere": {"w": {b"1", b"2", b"3"}}})
    both = Evidence(against={"elsewhere": {"w": {b"1", b"2", b"3"}}, "exam": {"d": {b"4"}, "s": {b"5"}}})
    assert negatives.weigh([page])["elsewhere"] > negatives.weigh([both]).get("elsewhere", 0.0)


def test_a_clinical_title_over_a_whole_identity_weakens_what_is_said_of_nobody() -> None:
    page = Evidence(titles={"clinical-note": 1}, births={"1950-01-01"}, named_births=1)
    against = {"course": 1.0, "exam": 1.0}
    lines = {line.name: line.nats for line in combine.score(page, 0.0, against).lines}
    assert abs(lines["course"]) < negatives.FAMILIES["course"].person
    assert -lines["exam"] == negatives.FAMILIES["exam"].person  # an examinee has an identity too
    page = Evidence(births={"1950-01-01"}, named_births=1)
    lines = {line.name: line.nats for line in combine.score(page, 0.0, against).lines}
    assert -lines["course"] == negatives.FAMILIES["course"].person


def test_one_word_for_an_animal_is_a_profession_or_a_bite() -> None:
    bitten = Evidence(against={"veterinary": {"s": {b"a", b"b"}}})
    animal = Evidence(against={"veterinary": {"s": {b"a", b"b", b"c"}}})
    assert negatives.weigh([bitten])["veterinary"] < 0.2 < negatives.weigh([animal])["veterinary"]


# ---- lists of members, notes


def nats(page: Evidence, name: str) -> float:
    return sum(
        line.nats for line in combine.identity_lines(page, 0.0) + combine.person_lines(page) if line.name == name
    )


def test_births_of_many_without_care_beside_them_are_a_list_of_members() -> None:
    births = {"1951-02-14", "1948-07-22", "1946-11-03"}
    assert nats(Evidence(births=births, named_births=3), "birth") == 0
    assert nats(Evidence(births=births, named_births=3, rows=3), "birth") > 0
    assert nats(Evidence(births={"1951-02-14"}, named_births=1), "birth") > 0


def test_a_note_is_short_has_somebody_in_it_and_no_sentences() -> None:
    note = Evidence(size=200, terms={b"a", b"b", b"c"}, rows=1, sentences=0.1)
    assert nats(note, "noted-down") > 0
    for changed in (
        {"size": 2000},
        {"rows": 0},
        {"sentences": 0.5},
        {"terms": {b"a"}},
        {"against": {"exam": {"s": {b"x"}}}},
    ):
        other = Evidence(**{"size": 200, "terms": {b"a", b"b", b"c"}, "rows": 1, "sentences": 0.1, **changed})
        assert nats(other, "noted-down") == 0, changed


def test_sentences_are_told_by_the_words_that_hold_them_together() -> None:
    prose, jotted = Evidence(), Evidence()
    read_jottings(prose, fold("Elle a une toux et de la fièvre depuis que le chat est dans la maison"))
    read_jottings(jotted, fold("F 72 chute hanche G, radio, antalgiques, sortie demain"))
    assert prose.sentences > 0.4 > 0.1 > jotted.sentences
    assert weights.PERSON  # read on import


def test_dated_lines_are_a_diary_and_subtitles_are_none() -> None:
    diary = "02/05 fièvre 38,4 toux\n03/05 toux, nausées\nlundi 4/05 vertiges, chute\n"
    assert read_page(diary).dated == 3
    assert read_page("00:01:02,000 fièvre toux\n00:01:05,000 toux nausées\n").dated == 0


def test_three_pairs_of_figures_are_blood_pressures_and_one_is_a_tyre() -> None:
    assert read_page("matin 162/91\nsoir 149/85\nmatin 157/88").signs >= 3
    assert read_page("pneus 195/65 R15").signs == 0


def test_sides_count_only_close_to_something_clinical() -> None:
    page = fold("douleur genou gauche")
    assert count_sides(page, [9]) == 1
    assert count_sides(page, [900]) == 0


# ---- whole texts, of kinds that no rule was written for


@pytest.mark.parametrize(
    "text",
    [
        "BILAN DE SANTÉ DE VOTRE VÉHICULE\nClient : Mme Nadège FOURCADE\nMotif : bruit au freinage, voyant moteur\n"
        "Examen : plaquettes avant usées, tension de batterie 12,1 V, température normale\n"
        "Diagnostic : sonde lambda défectueuse\nTraitement proposé : remplacement. Contrôle dans 3 mois. 612 € TTC",
        "RELEVÉ DES STUPÉFIANTS\nMorphine 10 mg/ml amp inj : théorique 24, réel 24\nOxycodone LP 20 mg cp : théorique "
        "28, réel 28\nMidazolam 5 mg/ml : écart 2 ampoules\nContrôle par Mme S. Delorme IDE et M. Benali pharmacien",
        "Quand Vasseur ouvrit les yeux, une infirmière réglait la perfusion. « La balle est passée près de l'artère "
        "fémorale », dit-elle. Il essaya de bouger la jambe gauche ; la douleur lui remonta jusqu'à la hanche. Le "
        "docteur Malaval entra : quatorze neuf de tension. « Antibiotiques et repos, commissaire. »",
        "Saints 24 Harlequins 19. Tom Ashby left on a stretcher with a suspected broken ankle and was taken for X-rays. "
        "Winger Jake Lowe, 24, back from hamstring surgery, scored twice, said head coach Phil Nunn.",
    ],
)
def test_persons_and_medical_words_are_not_yet_care(text: str) -> None:
    assert judged(text).judgement is Judgement.NOT_MEDICAL


@pytest.mark.parametrize(
    "text",
    [
        "Mme D., 84 a, chute, HTA, att. radio hanche G",
        "Mme Chastaing ce matin : plaie talon propre, fibrine ++, j'ai remis alginate. Elle a encore mal la nuit, EVA 6. "
        "Tu peux voir avec le dr pour le tramadol ?",
        "Bed 7 84F #NOF POD2, pain ok w/ oxy, cath out am, BNO 4/7, confused overnight 4AT 6, needs OT + bloods",
        "Sr. Robledo hab 215: glucemia 312 a las 13 h, 8 UI rápida según pauta, control 15 h 210. Herida quirúrgica "
        "limpia, apósito cambiado. Dolor EVA 3. Familia informada.",
        "Fr. Tilly Zi 8: RR 160/95, Kopfschmerz, Bedarf Nitrendipin gegeben 7:30, n. 30 min 140/80. Tochter informiert.",
        "Sig.ra Zedda letto 4: febbre 38.6 alle 22, emocolture fatte, paracetamolo 1 g ev, avvisato medico di guardia.",
        "Mw. Hofstra: wond li onderbeen 3x2 cm, gespoeld, schuimverband, zwachtel. Pijn NRS 4. HA gebeld.",
        "D. Odete cama 3: TA 170/95, cefaleias, captopril 25 SL às 9h, reavaliada 140/85. Filha informada.",
    ],
)
def test_a_few_hurried_lines_about_one_person_are_care(text: str) -> None:
    assert judged(text).judgement is Judgement.MEDICAL
