"""``detect`` on invented documents: each kind, each look-alike, what could not be read, containers, hostile input."""

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from agent.detection.detector import MAX_DEPTH, detect
from agent.document import Area, Document, Format, Part, Problem, Spot
from agent.findings import FindingType, Judgement, Kind

LETTER = """Service de cardiologie - Dr Claire FABRE
Objet : Mme MORVAN Yvonne, née le 12/03/1951
Cher confrère,
J'ai vu ce jour en consultation votre patiente âgée de 75 ans, adressée pour dyspnée d'effort.
Antécédents : hypertension artérielle, diabète de type 2.
Examen clinique : TA 14/8, FC 72, pas de souffle. ECG sans particularité.
Traitement : ramipril 5 mg 1 comprimé le matin.
Au total : insuffisance cardiaque débutante, échocardiographie demandée.
Bien confraternellement, Dr FABRE"""

MEDICAL = {
    "letter": (LETTER, Kind.CLINICAL_NOTE),
    "lab": ("""LABORATOIRE DE BIOLOGIE MÉDICALE DES DEUX RIVES
Patient : MORVAN Yvonne   Née le 12/03/1951   Sexe : F   Prescripteur : Dr FABRE
Hémoglobine   11,2  g/dL  12,0 - 16,0
Leucocytes    6,1   G/L   4,0 - 10,0
Créatinine    98    µmol/L  45 - 84
Kaliémie      4,2   mmol/L  3,5 - 5,0
Validé par Dr ROUX, biologiste""", Kind.LAB_REPORT),
    "prescription": ("""Dr Claire FABRE - Médecine générale
Le 03/02/2026
ORDONNANCE
M. Yves LE GOFF
Amoxicilline 1 g : 1 comprimé matin et soir pendant 7 jours
Paracétamol 1 g : 1 comprimé toutes les 6 heures si douleur""", Kind.PRESCRIPTION),
    "imaging": ("""COMPTE RENDU D'IMAGERIE
Patient : LE GOFF Yves, né le 01/02/1960
Indication : lombalgie chronique.
Technique : coupes axiales sans injection.
Résultat : discopathie L4-L5, pas de hernie discale, canal lombaire libre.
Conclusion : discopathie dégénérative.""", Kind.IMAGING_REPORT),
    "certificate": ("""CERTIFICAT MÉDICAL
Je soussignée, Dr Claire FABRE, certifie avoir examiné ce jour M. LE GOFF Yves, né le 01/02/1960,
qui présente une entorse de la cheville nécessitant un arrêt de travail de 8 jours.""", Kind.CERTIFICATE),
    "operation": ("""COMPTE RENDU OPÉRATOIRE
Patient : LE GOFF Yves, né le 01/02/1960, IPP 00871234
Intervention : cholécystectomie sous coelioscopie.
Installation : décubitus dorsal, anesthésie générale.
Suites opératoires : simples. Pertes sanguines minimes.""", Kind.CLINICAL_NOTE),
    "english": ("""DISCHARGE SUMMARY
Patient: Jane Doyle   DOB: 03/12/1951   MRN: 00123456
Chief Complaint: chest pain
History of Present Illness: The patient is a 75-year-old woman who presented with chest pain. She denies fever.
Past Medical History: hypertension, diabetes mellitus.
Physical Exam: BP 130/80, HR 72, lungs clear to auscultation.
Discharge Medications: lisinopril 10 mg daily.""", Kind.CLINICAL_NOTE),
    "german": ("""Arztbrief
Sehr geehrte Frau Kollegin, sehr geehrter Herr Kollege,
wir berichten über Ihren Patienten Herrn Karl Becker, geb. am 12.03.1951, der sich in unserer stationären Behandlung befand.
Diagnosen: Vorhofflimmern, arterielle Hypertonie.
Anamnese: Belastungsdyspnoe seit 3 Wochen.
Befund: RR 140/80, Herztöne rein.
Therapie und Verlauf: Ramipril 5 mg 1-0-0.""", Kind.CLINICAL_NOTE),
    "italian": ("""LETTERA DI DIMISSIONE
Paziente: Rossi Marco, nato il 12/03/1951
Motivo del ricovero: dolore toracico.
Anamnesi: ipertensione arteriosa, diabete mellito.
Esame obiettivo: PA 140/80, murmure vescicolare presente.
Diagnosi di dimissione: infarto miocardico.
Terapia: ramipril 5 mg una compressa al giorno.""", Kind.CLINICAL_NOTE),
    "spanish": ("""INFORME DE ALTA
Paciente: García López Ana. Fecha de nacimiento: 12/03/1951
Motivo de ingreso: disnea.
Antecedentes personales: hipertensión arterial, fibrilación auricular.
Exploración física: TA 140/80, consciente y orientada.
Juicio clínico: insuficiencia cardiaca.
Tratamiento al alta: furosemida, bisoprolol 2,5 mg cada 24 horas.""", Kind.CLINICAL_NOTE),
    "dutch": ("""ONTSLAGBRIEF
Geachte collega,
Bovengenoemde patiënt, dhr. Jan de Vries, geboren 12-03-1951, werd opgenomen met pijn op de borst.
Voorgeschiedenis: hypertensie, diabetes mellitus.
Lichamelijk onderzoek: bloeddruk 140/80.
Conclusie: myocardinfarct.
Medicatie bij ontslag: metoprolol 50 mg 1 dd.""", Kind.CLINICAL_NOTE),
}  # fmt: skip

ANONYMOUS = """MOTIF : dyspnée
HISTOIRE DE LA MALADIE : Le patient est un homme de 54 ans qui présente une dyspnée d'effort depuis un mois.
Il a été hospitalisé en mars pour une pneumopathie. Il signale une toux sèche.
EXAMEN CLINIQUE : apyrétique, TA 13/8, crépitants des bases.
CONCLUSION : insuffisance cardiaque, introduction de furosémide."""

ORDINARY = {
    "leaflet": """Veuillez lire attentivement cette notice avant de prendre ce médicament.
Que contient cette notice : 1. Qu'est-ce que RAMIPRIL 5 mg, comprimé et dans quels cas est-il utilisé ?
Ne prenez jamais ce médicament si vous êtes allergique. Posologie : 1 comprimé le matin. Effets indésirables éventuels :
toux, vertiges, hypotension, angio-oedème. Titulaire de l'autorisation de mise sur le marché. Précautions d'emploi.""",
    "paper": """Insuffisance cardiaque du sujet âgé : à propos d'un cas
doi 10.1234/abcd. Mots clés : insuffisance cardiaque. Auteurs : A. Roux, B. Petit. Conflits d'intérêts : aucun.
Introduction
Observation
Patient de 75 ans hospitalisé pour dyspnée. L'examen retrouve des crépitants. Il a été traité par furosémide.
Discussion
La littérature rapporte une prévalence élevée.
Références""",
    "course": """UE 5 - Cours de cardiologie pour les étudiants
Objectifs pédagogiques : connaître les signes de l'insuffisance cardiaque.
Signes cliniques
Le patient présente typiquement une dyspnée, des crépitants, une tachycardie.
Cas clinique : un patient de 65 ans consulte pour dyspnée. Question 1 : quel est votre diagnostic ?
Traitement : en première intention furosémide 40 mg/j, ramipril 5 mg/j.""",
    "blank form": """FICHE PATIENT
Nom : ....................  Prénom : ....................
Né(e) le : ___/___/______   Médecin traitant : ....................
Antécédents : ........................................
Allergies : [ ] oui [ ] non   Traitement en cours : ....................""",
    "payslip": f"""BULLETIN DE PAIE
Employeur : Clinique des Deux Rives   Salariée : Mme Yvonne MORVAN   N° de sécurité sociale 2510399109107{97 - 2510399109107 % 97:02d}
Salaire de base 151,67  Urssaf  CSG  Assurance maladie  Net imposable  Net à payer 1 870,12
Emploi : infirmière en cardiologie""",
    "invoice": """FACTURE n° 2026-118
Client : M. Yves LE GOFF, 3 rue du Port. Stéthoscope, tensiomètre, gants nitrile. Total HT 120,00 TVA 20 % Total TTC 144,00
IBAN FR76 0000 Échéance 30 jours""",
    "curriculum vitae": """Yvonne MORVAN, née le 12/03/1981
Expérience professionnelle : infirmière en cardiologie puis en réanimation, hôpital des Deux Rives
Formation : diplôme d'État. Compétences : soins intensifs, prélèvements, dossier patient. Langues : anglais courant. Permis B""",
    "minutes": """Réunion du service de cardiologie du 03/02/2026
Présents : Dr FABRE, Dr ROUX, Mme MORVAN. Ordre du jour : lits, identitovigilance.
Il faut vérifier le nom et la date de naissance de tout patient. Le taux d'occupation est de 92 %. Achat d'un échographe.""",
    "contract": """CONTRAT DE TRAVAIL
Entre les soussignés : M. Yves LE GOFF, né le 01/02/1960, demeurant 3 rue du Port, et la clinique des Deux Rives
Article 1 : le présent contrat prend effet le 1er mars. Article 2 : visite médicale d'embauche obligatoire.""",
    "advice": """Comment se protéger de la grippe ? Si vous avez de la fièvre, de la toux, des courbatures, consultez votre médecin.
Les symptômes durent une semaine chez la plupart des personnes. La vaccination est conseillée aux plus de 65 ans. En savoir plus""",
    "textbook": """Heart failure
Pathophysiology: reduced ejection fraction. Risk factors include hypertension, diabetes mellitus and coronary artery disease.
Patients with heart failure present with dyspnea, orthopnea, edema. A 65-year-old man presents with dyspnea.
First line treatment: furosemide, lisinopril 10 mg daily. Which of the following is the most likely diagnosis?""",
    "specification": """Spécifications fonctionnelles : le segment PID contient l'identité du patient, OBX les résultats (HL7 v2, FHIR, IHE).
Cardinalité 0..1, jeu de valeurs, guide d'implémentation. Exemple : compte rendu d'examens de biologie, hémoglobine, créatinine.""",
    "source code": """from clinic import Patient
def discharge(patient):
    text = "Le patient présente une dyspnée, traité par furosémide 40 mg par jour"
    assert patient.diagnosis == "insuffisance cardiaque"
    return render(text, section="Antécédents", title="Examen clinique")
class Letter(Document):
    def body(self): return discharge(self.patient)""",
    "veterinary": """Clinique vétérinaire du Port - Docteur vétérinaire Anne ROUX
Propriétaire : M. Yves LE GOFF
Espèce : chien   Race : épagneul   Puce électronique : 250269000000001   mâle castré
Motif : boiterie. Examen clinique : arthrose de la hanche, douleur à la palpation. Traitement : méloxicam 1 fois par jour.""",
    "novel": """Monsieur Dupont, âgé de 54 ans, marchait lentement. Il avait de la fièvre et se souvenait de son père, mort à la guerre.
Le docteur vint le soir, but un verre de vin et repartit sous la pluie.""",
    "lawyers": """Cher confrère,
Je vous remercie de votre courrier dans l'affaire Dupont contre Martin. Le tribunal a fixé l'audience au 4 avril.
Mes conclusions suivront. Bien confraternellement, Maître Bernard""",
}  # fmt: skip


def text(content, **more):
    return Document(Format.TEXT, parts=[Part(content)], **more)


@pytest.mark.parametrize("name", MEDICAL)
def test_documents_about_an_identified_patient(name):
    content, kind = MEDICAL[name]
    found = detect(text(content))
    assert found.judgement is Judgement.MEDICAL
    assert found.kind is kind
    assert found.identified
    assert found.patients == 1
    assert 0.5 <= found.confidence <= 1


def test_a_note_about_one_unnamed_patient_is_medical_and_not_identified():
    found = detect(text(ANONYMOUS))
    assert found.judgement is Judgement.MEDICAL
    assert not found.identified
    assert found.patients == 1


@pytest.mark.parametrize("name", ORDINARY)
def test_look_alikes_are_not_medical(name):
    found = detect(text(ORDINARY[name]))
    assert found.judgement is Judgement.NOT_MEDICAL
    assert not found.identified


def test_a_social_security_number_without_care_is_a_kind_of_its_own():
    assert detect(text(ORDINARY["payslip"])).kind is Kind.PERSONAL_IDENTIFIER


def test_the_letter_stays_medical_in_every_spelling():
    for spelled in (
        LETTER.upper(),
        LETTER.replace("é", "e\u0301"),
        LETTER.replace(" ", "\u00a0"),
        LETTER.replace("a", "а"),
    ):
        assert detect(text(spelled)).judgement is Judgement.MEDICAL


def test_an_empty_document_is_not_medical():
    assert detect(Document(Format.EMPTY)).judgement is Judgement.NOT_MEDICAL


@pytest.mark.parametrize("problem", Problem)
def test_what_could_not_be_looked_at_is_undecidable_whatever_the_problem(problem):
    found = detect(Document(Format.PDF, problem=problem))
    assert found.judgement is Judgement.UNDECIDABLE
    assert found.problem is problem


def test_a_problem_beside_medical_content_leaves_it_medical_and_is_told():
    found = detect(text(LETTER, problem=Problem.CORRUPT))
    assert found.judgement is Judgement.MEDICAL
    assert found.problem is Problem.CORRUPT


def test_a_cut_text_without_findings_proves_nothing():
    found = detect(text("bonjour " * 50, truncated=True))
    assert found.judgement is Judgement.UNDECIDABLE
    assert found.problem is Problem.TOO_LARGE


def test_a_lone_image_is_undecidable_even_when_the_reader_said_nothing():
    assert detect(Document(Format.IMAGE)).problem is Problem.IMAGE


def test_a_picture_in_a_readable_document_is_an_illustration():
    picture = Document(Format.IMAGE, problem=Problem.IMAGE, size=300_000)
    page = Document(
        Format.DOCX, parts=[Part("Le rapport annuel de la société, avec ses chiffres. " * 8)], children=[picture]
    )
    assert detect(page).judgement is Judgement.NOT_MEDICAL
    assert detect(Document(Format.DOCX, children=[picture])).judgement is Judgement.UNDECIDABLE
    assert detect(Document(Format.ZIP, children=[picture])).judgement is Judgement.UNDECIDABLE


def test_a_picture_sent_by_mail_is_a_scan_unless_as_small_as_a_logo():
    body = [Part("Bonjour, voici le document. " * 10)]
    scan = Document(Format.IMAGE, problem=Problem.IMAGE, size=300_000)
    logo = Document(Format.IMAGE, problem=Problem.IMAGE, size=4_000)
    assert detect(Document(Format.EML, parts=body, children=[scan])).judgement is Judgement.UNDECIDABLE
    assert detect(Document(Format.EML, parts=body, children=[logo])).judgement is Judgement.NOT_MEDICAL


@pytest.mark.parametrize(
    ("container", "kind"),
    [(Format.ZIP, Kind.ARCHIVE), (Format.SEVENZIP, Kind.ARCHIVE), (Format.EML, Kind.EMAIL), (Format.MSG, Kind.EMAIL)],
)
def test_one_medical_member_makes_the_container_medical(container, kind):
    harmless = text("Menu de la semaine")
    nested = Document(Format.ZIP, children=[harmless, text(LETTER)])
    found = detect(Document(container, children=[harmless, nested]))
    assert found.judgement is Judgement.MEDICAL
    assert found.kind is kind
    assert found.identified


def test_an_unreadable_member_makes_a_harmless_container_undecidable():
    sealed = Document(Format.ZIP, problem=Problem.ENCRYPTED)
    found = detect(Document(Format.ZIP, children=[text("Menu"), sealed]))
    assert (found.judgement, found.problem) == (Judgement.UNDECIDABLE, Problem.ENCRYPTED)


def test_persons_of_several_members_are_counted_once_each():
    second = LETTER.replace("12/03/1951", "05/06/1948").replace("MORVAN Yvonne", "ROY Odette")
    assert detect(Document(Format.ZIP, children=[text(LETTER), text(second), text(LETTER)])).patients == 2


def test_identity_on_the_first_page_serves_the_next():
    head = "Patient : MORVAN Yvonne   Née le 12/03/1951\n" + "Informations administratives. " * 190
    body = "Examen clinique : TA 14/8, FC 72. Dyspnée, oedèmes des membres inférieurs, crépitants.\nTraitement : furosémide 40 mg le matin.\n"
    pages = [Part(head, Spot(Area.PAGE, 1)), Part(body, Spot(Area.PAGE, 2))]
    found = detect(Document(Format.PDF, parts=pages))
    assert found.judgement is Judgement.MEDICAL
    assert found.identified


def test_a_birth_date_on_the_page_before_says_whom_the_page_is_about():
    body = "Examen clinique : TA 14/8, FC 72.\nDyspnée, oedèmes des membres inférieurs, crépitants.\nTraitement : furosémide.\n"
    pages = [
        Part("Dossier de Yvonne MORVAN, née le 12/03/1951\n" + "Informations pratiques. " * 230),
        Part(body + "Parking. " * 500),
    ]
    together, alone = detect(Document(Format.PDF, parts=pages)), detect(Document(Format.PDF, parts=pages[1:]))
    assert together.scale is not None and alone.scale is not None
    assert together.scale.person > alone.scale.person + 3


def test_a_list_of_patients():
    rows = [("Nom", "Prénom", "DDN", "Diagnostic", "Traitement")] + [
        (f"NOM{i}", "Zoé", f"12/03/{1940 + i}", "asthme", "ventoline") for i in range(30)
    ]
    found = detect(Document(Format.CSV, tables=[rows], parts=[Part("\n".join(map(";".join, rows)))]))
    assert (found.kind, found.patients, found.identified) == (Kind.PATIENT_TABLE, 30, True)


def test_findings_carry_no_text_of_the_document():
    found = detect(text(LETTER))
    shown = " ".join(item.sample for item in found.items).lower()
    assert "morvan" not in shown
    assert "yvonne" not in shown
    assert "12/03" not in shown
    assert all(len(item.sample) <= 48 for item in found.items)
    assert {FindingType.PERSON, FindingType.BIRTH_DATE, FindingType.TERM} <= {item.type for item in found.items}


def test_the_weights_of_a_finding_say_which_way_it_points():
    found = detect(text(ORDINARY["paper"]))
    assert next(item.weight for item in found.items if item.type is FindingType.PAPER) < 0


def test_depth_is_bounded_and_said():
    node = text("fin")
    for _ in range(MAX_DEPTH + 20):
        node = Document(Format.ZIP, children=[node])
    assert detect(node).problem is Problem.TOO_DEEP


@given(st.text(max_size=600), st.sampled_from(list(Format)))
@settings(max_examples=150, deadline=None)
def test_any_text_in_any_format_gets_an_answer(content, form):
    found = detect(
        Document(
            form,
            raw=content.encode("utf-8", "surrogatepass"),
            parts=[Part(content)],
            tables=[[tuple(content.split(",")[:8])] * 3],
        )
    )
    assert found.judgement in set(Judgement)
    assert 0 <= found.confidence <= 1


@pytest.mark.parametrize(
    "unit",
    [
        "né le ",
        "Mme A ",
        "patient : ",
        "54 ans ",
        "amoxicilline ",
        "hémoglobine 1",
        "H E ",
        "[ ]",
        "12/03/1951 ",
        "é",
        "\n",
        "(e)",
    ],
)
def test_endless_repetitions_are_answered(unit):
    assert detect(text(unit * (60_000 // len(unit)))).judgement in set(Judgement)
