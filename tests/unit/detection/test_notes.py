"""Short notes about one unnamed patient, and their look-alikes: papers, courses, leaflets, public health, novels."""

from __future__ import annotations

import pytest

from agent.detection.detector import detect
from agent.document import Document, Format, Part
from agent.findings import Findings, Judgement

NOTES = {
    "en review of systems": "Review: General - no fever, no chills. Respiratory: no cough, no wheezing, no hemoptysis. "
    "Cardiac: no palpitations, no chest pain, denies syncope. GI: no nausea, no vomiting, no diarrhea. "
    "GU: no dysuria, no hematuria. Neuro: no headache, no dizziness, denies numbness.",
    "en history": "He was seen for a two week history of weakness in both legs. He reported numbness of the feet and "
    "denied back pain. He denied incontinence. He has chronic hypertension and is taking lisinopril. "
    "He was evaluated for a possible stroke; MRI showed no acute infarct.",
    "en follow up": "The patient returns for follow up after pneumonia. She is taking the antibiotic and has no fever. "
    "She was treated in hospital for sepsis and required oxygen. She denies dyspnea. I explained the results "
    "to her and to her husband; she continues to take warfarin.",
    "en operation": "Under general anesthesia the patient was placed in the supine position and was prepped and draped. "
    "An incision was made over the hernia, hemostasis was obtained and the wound closed with sutures. "
    "The patient tolerated the procedure well and was taken to the recovery room.",
    "fr interrogatoire": "Motif : toux depuis dix jours. La patiente décrit une dyspnée d'effort, elle signale une asthénie. "
    "Pas de fièvre, pas de douleur thoracique, pas d'hémoptysie, pas de palpitations. Elle ne fume pas. "
    "Auscultation : crépitants des bases. Radiographie demandée.",
    "fr opération": "Intervention sous anesthésie générale. Le patient a été installé en décubitus dorsal. Une incision "
    "médiane a été pratiquée, l'appendice a été réséqué. Hémostase soigneuse, fermeture plan par plan, points séparés. "
    "Pertes sanguines minimes. Suites simples.",
    "fr suivi": "Le patient revient pour contrôle de son diabète. Il signale des hypoglycémies, ne présente pas de plaie. "
    "Le patient prend metformine 1000 mg matin et soir. Pas de dyspnée, pas d'œdème. HbA1c 7,8 %. TA 13/8.",
}

OTHERS = {
    "en paper": "Methods. Patients were enrolled if they denied chest pain and had no fever, no cough and no dyspnea at "
    "baseline. Of 214 participants, 31 reported palpitations. There was no syncope, no stroke, no infarction in the "
    "control group (p = 0.03). Results are given as mean and standard deviation. References: 1. Smith et al. doi:10.1000/x",
    "en course": "Learning objectives. By the end of this lecture students should be able to take a history. Ask whether "
    "patients have fever, cough, dyspnea or chest pain. Record the absence of symptoms: no fever, no cough, no chest "
    "pain, no dyspnea. Quiz: which of the following suggests pneumonia?",
    "en leaflet": "Package leaflet: information for the user. Do not take this medicine if you are allergic to "
    "amoxicillin. Tell your doctor if you have no appetite, fever, nausea or vomiting. Possible side effects: "
    "diarrhea, rash, dizziness, headache. How to store this medicine.",
    "en public health": "Seasonal influenza: advice for the public. Stay at home until you have had no fever for 24 hours "
    "without medicine. People with no symptoms, no cough and no fever may return to work. Vaccination protects "
    "pregnant women, people with asthma and people with diabetes.",
    "en novel": "She denied it, of course. He reported every word to the captain, and the old doctor laughed. There was no "
    "fever in the town that winter, no cough in the church, only the pain of waiting. He was seen for the last time "
    "at the harbour; she returned home, took her coat, and remained silent until spring. He lives alone now.",
    "fr article": "Résumé. Introduction : nous avons inclus 312 patients sans fièvre. Méthodes : étude rétrospective "
    "multicentrique. Résultats : pas de décès, pas de complication, pas d'infection dans le groupe témoin (p < 0,05). "
    "Une incision médiane a été pratiquée dans 41 % des cas. Discussion. Références : 1. Martin et al. doi:10.1000/y",
    "fr cours": "Objectifs pédagogiques. L'étudiant doit savoir conduire un interrogatoire : rechercher une fièvre, une "
    "dyspnée, une douleur thoracique ; noter les signes négatifs (pas de fièvre, pas de toux, pas d'hémoptysie). "
    "Points clés. QCM : parmi les propositions suivantes, lesquelles sont exactes ?",
    "fr notice": "Notice : information de l'utilisateur. Ne prenez pas d'alcool pendant le traitement. Si vous n'avez pas "
    "de fièvre, parlez-en à votre pharmacien. Effets indésirables éventuels : nausées, vomissements, diarrhée, "
    "éruption cutanée, céphalées. Comment conserver ce médicament.",
    "fr santé publique": "Canicule : les bons réflexes. Il n'y a pas de risque si vous buvez régulièrement. Les personnes "
    "âgées ne ressentent pas de soif. En l'absence de fièvre, de vertiges ou de crampes, pas d'urgence : appelez votre "
    "médecin. Numéro vert gratuit. Le ministère rappelle que la vaccination est recommandée.",
    "fr roman": "Elle rapporte tout à sa mère. Il revient pour l'automne, il vit seul depuis la guerre, il signale sa "
    "présence d'un mot. Le médecin du village n'avait pas de voiture, pas de douleur à cacher, pas de fièvre dans le "
    "regard. Il a été vu une dernière fois près du moulin ; elle dort, elle ne fume pas, elle attend.",
    "fr technique opératoire": "Fiche technique : appendicectomie. L'intervention se déroule sous anesthésie générale. Le "
    "patient est installé en décubitus dorsal. On pratique une incision ; l'hémostase est soigneuse et la fermeture se "
    "fait plan par plan. Chez les patients obèses, préférer la voie cœlioscopique.",
}


def judged(text: str) -> Findings:
    return detect(Document(Format.TEXT, parts=[Part(text)]))


@pytest.mark.parametrize("name", NOTES)
def test_a_note_about_an_unnamed_patient_is_medical_and_not_identified(name: str) -> None:
    found = judged(NOTES[name])
    assert found.judgement is Judgement.MEDICAL
    assert not found.identified


@pytest.mark.parametrize("name", OTHERS)
def test_what_speaks_of_nobody_in_particular_is_not_medical(name: str) -> None:
    assert judged(OTHERS[name]).judgement is Judgement.NOT_MEDICAL


def test_complaints_said_to_be_absent_tell_of_one_examined_person() -> None:
    """The same complaints without the « no » are a list of symptoms and of nobody."""
    note = NOTES["en review of systems"]
    listed = note.replace("no ", "").replace("denies ", "")
    assert judged(listed).judgement is Judgement.NOT_MEDICAL
