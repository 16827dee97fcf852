"""Exports and lists as software and people write them, in seven languages; each with a twin that is about nobody's care."""

import pytest

from agent.detection.aligned import tables_in
from agent.detection.detector import detect
from agent.detection.rounds import beds
from agent.detection.tables import read_table
from agent.document import Document, Format, Part
from agent.findings import Judgement


def rows(text, sign=";"):
    return [tuple(line.split(sign)) for line in text.strip().splitlines()]


PATIENTS = {
    "dBase cuts headings at ten letters": (3, True, """
        NUMPAT;NOM;PRENOM;DATENAISSA;MEDTRAITAN;ALLERGIES
        118;CASTERA;Odile;19410322;LUSSAN;iode
        119;DEVREESE;Luc;19740610;LUSSAN;
        120;OULD AMAR;Sidi;20120101;BOHN;arachide"""),
    "prefix of a table": (3, True, """
        PAT_ID;PAT_NOM;PAT_PRENOM;PAT_DDN;CS_MOTIF;CS_DATE
        7;CASTERA;Odile;22/03/1941;vertiges;03/02/2025
        8;DEVREESE;Luc;10/06/1974;lombalgie;03/02/2025
        9;AMAR;Sidi;01/01/2012;otite;04/02/2025"""),
    "no heading": (3, True, """
        CASTERA;Odile;22/03/1941;I50.9;furosémide
        DEVREESE;Luc;10/06/1974;M54.5;paracétamol
        AMAR;Sidi;01/01/2009;H66.9;amoxicilline"""),
    "German practice": (3, True, """
        Nachname;Vorname;geb.;Kasse;Dauerdiagnosen;Dauermedikation
        Tjarks;Enno;04.11.1947;AOK;KHK, Diabetes;Metformin
        Hufnagel;Ronny;23.02.1990;TK;;
        Gerst;Ludmilla;27.10.1961;BKK;Hypothyreose;L-Thyroxin"""),
    "Italian vaccinations": (3, True, """
        Cognome e nome;Nato il;Cod. fisc.;Vaccino;Lotto;Data
        Zanella Ilario;30/01/1962;;Fluad;K44;02/11/2025
        Marchis Piera;02/02/1951;;Fluad;K44;02/11/2025
        Gjoni Arben;14/05/1983;;Shingrix;A12;03/11/2025"""),
    "Spanish ward": (3, True, """
        Cama;Paciente;Edad;Diagnóstico;Alergias;Observaciones
        301A;Ruiz Calvo, Inés;78;neumonía;penicilina;O2 2 l
        301B;Soto Marín, Julio;66;ictus;no;rehabilitación
        302A;Vega Paz, Ana;81;fractura de cadera;no;"""),
    "Dutch home care": (3, True, """
        cliënt;geb.dat;zorgprofiel;bijzonderheden
        Mw. G. Ferdinandus;11-02-1933;VV4;wondzorg, diabetes
        Dhr. A. Klaassens;20-08-1946;VV5;stoma, epilepsie
        Mw. T. Bos;03-05-1939;VV4;dementie"""),
    "Portuguese clinic": (3, True, """
        Utente;Data nasc.;Médico;Motivo da consulta;Medicação
        Duarte Pinho;12-03-1958;Dra. Sá;hipertensão;ramipril
        Elsa Borges;30-07-1971;Dra. Sá;enxaqueca;topiramato
        Rui Lemos;09-09-2003;Dr. Cruz;asma;salbutamol"""),
    "English clinic": (3, True, """
        Time;Surname;Forename;DOB;NHS No;Reason;Clinician
        0900;Thwaite;Mary;19/05/1947;;ring pessary change;CN
        0915;Okafor;Ngozi;11/11/1993;;PCOS;NK
        0930;Pargeter;Carol;03/02/1986;;menorrhagia;SW"""),
    "nursing home": (3, True, """
        Résident;Chambre;GIR;Texture;Régime
        Mme TROADEC Eugénie;12;2;mixé;diabétique
        M. CABON Louis;27;4;normal;sans sel
        Mme MEVEL Denise;5;3;haché;sans résidu"""),
    "appointments": (3, True, """
        heure;nom;prenom;naissance;motif;statut;commentaire
        08:30;AMSALEM;Nora;1977-06-30;Consultation suivi;confirmé;renouvellement Levothyrox
        08:45;TISSERAND;Gérard;1944-11-11;Consultation suivi;confirmé;douleur genou
        09:00;VIDAL;Eliot;2014-03-29;Vaccin;confirmé;"""),
    "called patients, nothing more": (3, True, """
        Patient;Téléphone;Date rdv
        CASTERA Odile;0600000001;03/02/2025
        DEVREESE Luc;0600000002;03/02/2025
        AMAR Sidi;0600000003;04/02/2025"""),
    "title above": (3, True, """
        File active des patients sous anticoagulant
        Nom;Prénom;Né(e) le;INR cible;Dernier INR
        CASTERA;Odile;22/03/1941;2-3;2,4
        DEVREESE;Luc;10/06/1974;2-3;3,1
        AMAR;Sidi;01/01/1952;2,5-3,5;2,8"""),
    "name and birth date in one cell": (3, True, """
        Personne;Conclusion
        CASTERA Odile (22/03/1941);mammographie ACR2, pas de lésion
        DEVREESE Lucie (10/06/1974);mammographie ACR4, biopsie
        AMAR Sidonie (01/01/1969);kyste simple"""),
    "persons in columns": (3, True, """
        Nom;CASTERA;DEVREESE;AMAR
        Prénom;Odile;Luc;Sidi
        Né(e) le;22/03/1941;10/06/1974;01/01/2002
        Diagnostic;BPCO;asthme;pneumopathie
        Traitement;tiotropium;budésonide;amoxicilline"""),
    "research": (4, False, """
        id;initiales;annee_naissance;groupe;hba1c_m0;hba1c_m6;eva_j0
        001-01;DM;1951;A;8,1;7,2;6
        001-02;LK;1963;B;9,0;7,0;3
        001-03;SP;1947;A;7,7;6,9;5
        002-01;AR;1970;B;8,8;7,1;2"""),
}  # fmt: skip

NOBODY = {
    "customers": """
        NUMCLI;NOM;PRENOM;DATENAISSA;VILLE;SOLDE
        118;CASTERA;Odile;19410322;Pau;12,00
        119;DEVREESE;Luc;19740610;Dax;0
        120;OULD AMAR;Sidi;20120101;Pau;4,50""",
    "staff vaccinations": """
        Matricule;Nom;Prénom;Né(e) le;Fonction;Service;Vaccin hépatite B;Sérologie
        118;CASTERA;Odile;22/03/1971;IDE;Bloc;OK;>100
        119;DEVREESE;Luc;10/06/1974;AS;Urgences;OK;56
        120;AMAR;Sidi;01/01/1992;brancardier;Urgences;à faire;""",
    "staff dosimetry": """
        Agent;Date de naissance;Poste;N° dosimètre;Dose trimestre mSv
        CASTERA Odile;22/03/1971;MER;1181;0,05
        DEVREESE Luc;10/06/1974;chirurgien;1182;0,12
        AMAR Sidi;01/01/1992;IBODE;1183;0,00""",
    "pupils": """
        Nom;Prénom;Né(e) le;Classe;Allergies;Représentant légal
        CASTERA;Odile;22/03/2014;CM1;;M. CASTERA
        DEVREESE;Luc;10/06/2014;CM1;arachide;Mme DEVREESE
        AMAR;Sidi;01/01/2013;CM2;;M. AMAR""",
    "members": """
        Mitgl-Nr;Name;Vorname;geb.;Eintritt;Beitrag;Mannschaft
        118;Wachter;Thorben;14.11.1959;2015;180;Herren 30
        119;Gerst;Ludmilla;27.10.1961;2001;150;Damen 60
        120;Kobelt;Jannis;04.02.2009;2018;60;U18""",
    "sports licences": """
        Nom;Prénom;Date de naissance;Licence;Catégorie;Certificat médical
        CASTERA;Odile;22/03/1991;81;Senior;03/09/2025
        DEVREESE;Luc;10/06/1974;82;Vétéran;10/09/2025
        AMAR;Sidi;01/01/2012;83;U14;manquant""",
    "family tree": """
        Nom;Prénom;Né(e) le;Lieu;Décès;Cause du décès;Père;Mère
        CASTERA;Odile;22/03/1841;Pau;1899;choléra;Jean;Marie
        CASTERA;Luc;10/06/1874;Pau;1918;grippe;Odilon;Anne
        CASTERA;Sidonie;01/01/1902;Dax;1980;;Luc;Rose""",
    "drug stock": """
        Code;Produit;DCI;Lot;Péremption;Quantité
        3400;Lasilix 40;furosémide;A12;31/12/2026;40
        3401;Doliprane 1 g;paracétamol;B77;30/06/2027;120
        3402;Clamoxyl;amoxicilline;C09;31/03/2026;12""",
    "figures by age": """
        Tranche d'âge;Sexe;Diabète;HTA;BPCO;Total
        18-39;F;12;4;1;17
        40-59;F;44;61;12;117
        60-79;M;90;120;41;251""",
    "nomenclature": """
        Code;Libellé;Tarif
        I50.9;Insuffisance cardiaque;0
        E11.9;Diabète de type 2;0
        J45.0;Asthme allergique;0""",
    "rota": """
        Jour;Matin;Après-midi;Nuit
        lundi;Mme CASTERA;M. DEVREESE;Mme AMAR
        mardi;M. DEVREESE;Mme AMAR;Mme CASTERA
        mercredi;Mme AMAR;Mme CASTERA;M. DEVREESE""",
    "blank form": """
        N°;Nom;Prénom;Né(e) le;Diagnostic;Traitement
        1;;;;;
        2;;;;;
        3;;;;;""",
    "survey": """
        Question;Très satisfait;Satisfait;Insatisfait
        Prise en charge de la douleur;44;30;6
        Information sur le traitement;40;31;9
        Repas;20;41;19""",
    "animals": """
        Propriétaire;Animal;Espèce;Race;Né le;Vaccin;Motif
        CASTERA Odile;Filou;chien;berger;22/03/2011;rage;boiterie
        DEVREESE Luc;Mina;chat;européen;10/06/2014;typhus;otite
        AMAR Sidi;Rex;chien;boxer;01/01/2002;rage;dermatite""",
    "animals under treatment": """
        Nom;Tierart;Halter;Geb.;Diagnose;Medikation
        Filou;Hund;Tjarks Enno;04.11.2007;Diabetes;Insulin
        Mina;Katze;Gerst Ludmilla;23.02.1990;Hypothyreose;Thyroxin
        Rex;Hund;Hufnagel Ronny;27.10.2011;Epilepsie;Phenobarbital""",
    "physicians": """
        Nom;Prénom;RPPS;Spécialité;Adresse;Conventionné
        CASTERA;Odile;10000000001;Cardiologie;Pau;S1
        DEVREESE;Luc;10000000002;Dermatologie;Dax;S2
        AMAR;Sidi;10000000003;Psychiatrie;Pau;S1""",
    "training": """
        Stagiaire;Date de naissance;Employeur;Formation;Résultat
        CASTERA Odile;22/03/1971;Clinique;AFGSU urgence vitale;validé
        DEVREESE Luc;10/06/1974;Clinique;hygiène des mains;validé
        AMAR Sidi;01/01/1992;Ehpad;prise en charge douleur;absent""",
}  # fmt: skip


def table(text):
    return rows("\n".join(line.strip() for line in text.strip().splitlines()))


@pytest.mark.parametrize("habit", PATIENTS)
def test_lists_of_patients_however_they_are_headed(habit):
    count, named, text = PATIENTS[habit]
    found = read_table(table(text))
    assert found.probability >= 0.5
    assert len(found.keys) == count
    assert found.identified is named


@pytest.mark.parametrize("what", NOBODY)
def test_lists_of_others_and_of_goods(what):
    assert read_table(table(NOBODY[what])).probability < 0.5


def judged(text, kind=Format.TEXT, tables=()):
    return detect(Document(kind, parts=[Part(text)], raw=text.encode(), tables=[*tables]))


ALIGNED = """
Service de cardiologie                     édité le 03/02/2025

Ch   Nom           Prénom    Né(e) le     Motif                   Méd.
101  CASTERA       Odile     22/03/1941   décompensation          LUS
102  DEVREESE      Luc       10/06/1974   douleur thoracique      BOH
103                                       (vide)
104  AMAR          Sidi      01/01/1952   fibrillation atriale    LUS
105  ROQUES        Denise    17/09/1938   pose pacemaker          BOH
"""
PASTED = """Bonjour,
voici la liste pour demain, merci
Nom\tPrénom\tDDN\tExamen
CASTERA\tOdile\t22/03/1941\tscanner thoracique
DEVREESE\tLuc\t10/06/1974\tIRM genou
AMAR\tSidi\t01/01/1952\téchographie rénale
Cordialement
"""
NUMBERED = """Programme opératoire du 12 mars
1. CASTERA Odile, 22/03/1941 - prothèse totale de hanche droite, allergie latex
2. DEVREESE Luc, 10/06/1974 - ligamentoplastie
   antécédent de phlébite
3. AMAR Sidi, 01/01/1952 - canal carpien, anticoagulant arrêté
"""
FIXED = (
    "0001CASTERA        ODILE     19410322FI50.9 FUROSEMIDE 40\r\n"
    "0002DEVREESE       LUC       19740610ME11.9 METFORMINE 1000\r\n"
    "0003AMAR           SIDI      19520101MJ45.0 VENTOLINE\r\n\x1a"
)
PIPES = """
| Patient         | Geb.       | Diagnose        |
|-----------------|------------|-----------------|
| Tjarks, Enno    | 04.11.1947 | KHK             |
| Hufnagel, Ronny | 23.02.1990 | Appendektomie   |
| Gerst, Ludmilla | 27.10.1961 | Hypothyreose    |
"""


@pytest.mark.parametrize(
    ("text", "count"), [(ALIGNED, 4), (PASTED, 3), (NUMBERED, 3), (FIXED, 3), (PIPES, 3)],
    ids=["aligned", "pasted", "numbered", "fixed", "pipes"],
)  # fmt: skip
def test_lists_in_text(text, count):
    found = judged(text)
    assert found.judgement is Judgement.MEDICAL
    assert found.identified
    assert found.patients == count


@pytest.mark.parametrize(
    "text",
    [
        ALIGNED.replace("Motif ", "Poste ").replace("décompensation", "caissière     ").replace("douleur thoracique", "cariste           ")
        .replace("fibrillation atriale", "comptable           ").replace("pose pacemaker", "vendeur       ").replace("Service de cardiologie", "Magasin de la gare    "),
        PASTED.replace("Examen", "Ville").replace("scanner thoracique", "Pau").replace("IRM genou", "Dax").replace("échographie rénale", "Auch"),
        "Convoqués au tournoi\n1. CASTERA Odile, 22/03/1941 - double\n2. DEVREESE Luc, 10/06/1974 - simple\n3. AMAR Sidi, 01/01/1952 - simple\n",
        FIXED.replace("I50.9 FUROSEMIDE 40", "PAU   12,50").replace("E11.9 METFORMINE 1000", "DAX   4,00").replace("J45.0 VENTOLINE", "AUCH  0,00"),
        "Produit          Dose      Prix    Stock\nFurosémide       40 mg     2,10    120\nMetformine       1 g       3,40    80\nVentoline        100 µg    4,00    12\n",
        "Diagnostic        2023    2024    2025\nAVC               120     118     131\nPneumopathie      210     244     201\nFracture du col   99      87      92\n",
    ],
    ids=["staff", "towns", "tournament", "accounts", "medicines", "figures"],
)  # fmt: skip
def test_lists_in_text_of_others(text):
    assert judged(text).judgement is Judgement.NOT_MEDICAL


PEOPLE = [("id", "nm", "dob", "gp"), ("1", "Mw G. Ferdinandus", "1933-02-11", "N"), ("2", "Dhr A. Klaassens", "1946-08-20", "N"),
          ("3", "Mw T. Bos", "1939-05-03", "N")]  # fmt: skip
CARE = [("id", "cid", "at", "obs"), ("1", "1", "07:55", "gevallen, wond rechts, RR 176/90"), ("2", "2", "08:40", "stoma lekkage, koorts"),
        ("3", "1", "08:01", "nitrofurantoine gestart, cystitis")]  # fmt: skip
ORDERS = [
    ("id", "cid", "at", "item"),
    ("1", "1", "07:55", "fietsband"),
    ("2", "2", "08:40", "zadel"),
    ("3", "1", "08:01", "bel"),
]


def test_persons_in_one_table_and_their_care_in_another():
    found = judged("", Format.SQLITE, (PEOPLE, CARE))
    assert found.judgement is Judgement.MEDICAL
    assert found.patients == 3  # she of whom nothing is noted is a patient too


def test_tables_that_do_not_refer_to_one_another_stay_apart():
    stranger = [CARE[0], *((row[0], "9" + row[1], *row[2:]) for row in CARE[1:])]
    mostly = [CARE[0], CARE[1], *stranger[2:], *stranger[2:]]  # one number in five is known: by chance
    for other in (ORDERS, stranger, mostly):
        assert judged("", Format.SQLITE, (PEOPLE, other)).judgement is Judgement.NOT_MEDICAL
    unnumbered = [("no", "at", "obs"), *((row[0], *row[2:]) for row in CARE[1:])]
    assert judged("", Format.SQLITE, (PEOPLE, unnumbered)).judgement is Judgement.NOT_MEDICAL


def test_persons_in_lines_are_rows_of_name_birth_and_rest():
    [*_, [rows]] = tables_in(NUMBERED)
    assert [row[:2] for row in rows] == [
        ("CASTERA Odile", "22/03/1941"), ("DEVREESE Luc", "10/06/1974"), ("AMAR Sidi", "01/01/1952"),
    ]  # fmt: skip
    assert "phlébite" in rows[1][3]  # the line below belongs to the person above
    assert tables_in("Réunion du 12/03/2025 avec M. Roy\npuis le 13/03/2025\nfin") == [[]]


ROUND = """GARDE dimanche
L1 HAUTEC 59 SDRA grippe, VM, noradrénaline 0,4
L2 RACHED   71 post op anévrisme, colite ischémique ?
L3 LIBRE
L4 VAN MEERS 44 coma, Seroplex, extubé ce matin
L5 Mme Peixo 63 choc septique, pyélonéphrite
L6 Paul MENUT 27 traumatisme crânien
"""


def test_the_round_of_a_ward_is_counted_by_beds():
    found = judged(ROUND)
    assert (found.judgement, found.identified, found.patients) == (Judgement.MEDICAL, True, 5)
    hotel = "\n".join(line[:12] + " arrivée 14 h, petit déjeuner" for line in ROUND.splitlines())
    assert judged(hotel).judgement is Judgement.NOT_MEDICAL
    assert beds(["L1 HAUTEC 59"] * 9) == []  # one bed again and again is no round


def test_visits_are_not_counted_for_persons():
    text = "NDA;Nom;Prénom;DDN;Diagnostic\n" + "\n".join(
        f"{900 + n};{name};{birth};asthme" for n, (name, birth) in enumerate((("CASTERA;Odile", "22/03/1941"), ("DEVREESE;Luc", "10/06/1974")) * 5)
    )  # fmt: skip
    assert len(read_table(table(text)).keys) == 2


def test_hostile_rows_are_read_in_linear_time():
    cell = "A" * 60_000
    assert beds([" " * 990 + "x", "L1" + " " * 900 + "?", "L1 " + "Aa-" * 300] * 500) == []
    shapes = ("A-" * 200, "Aa'" * 100, "M. " + "De " * 100, "a" * 119, "1" * 119, "Aa Aa Aa (" * 11, cell)
    assert read_table([shapes, *[shapes] * 150]).probability < 0.5
    assert (
        judged("\n".join("  ".join(shape[:150] for shape in shapes) for _ in range(150))).judgement
        is Judgement.NOT_MEDICAL
    )
