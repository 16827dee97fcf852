"""French: short invented documents of many professions and genres, and what looks like them, each with its verdict."""

from __future__ import annotations

import pytest

from agent.detection.detector import detect
from agent.detection.lexicon import entries
from agent.document import Document, Format, Part
from agent.findings import Judgement

MEDICAL = {
    "lettre au confrère": "Cher confrère,\nMerci de m'avoir adressé Mme Odile Fabreguette, 71 ans, pour une gonarthrose droite. "
    "Périmètre de marche réduit à 300 m, flessum de 5°. Je lui ai proposé une prothèse totale. Elle sera revue en "
    "consultation dans un mois.\nBien confraternellement, Dr Lanneluc",
    "infirmière": "Transmissions du 12/03, chambre 14, M. Bertrand Quillivic. Nuit calme. Pansement sacrum refait : plaie fibrineuse, "
    "exsudat modéré. Pas de selles depuis 3 jours. TA 12/7, pouls 84, T 37,4. Levé au fauteuil avec aide. Fille prévenue.",
    "urgences": "Fiche IAO. Homme 44 ans amené par les pompiers. Chute de scooter, pas de PC. EVA 7, TA 135/80, FC 98, SpO2 99 %. "
    "Déformation du poignet gauche, pouls radial perçu, pas de déficit sensitivo moteur. Rx demandée. VAT à jour.",
    "opération": "COMPTE RENDU OPÉRATOIRE\nPatient : Yvon CASTAGNÈDE, né le 04/11/1961\nIndication : hernie inguinale gauche.\n"
    "Sous rachianesthésie, incision inguinale. Réduction du sac, pose d'une plaque. Hémostase soigneuse. Fermeture plan par plan. "
    "Pertes sanguines minimes.",
    "sage-femme": "Suivi post partum à domicile, J5. Mme Inès Barrouillet, primipare, accouchement voie basse, périnée intact. Lochies "
    "physiologiques, mollets souples, montée laiteuse faite. Nouveau-né : poids 3310 g, ictère en décroissance, bonne succion.",
    "psychiatrie": "Entretien du jour. La patiente décrit une humeur triste depuis l'été, clinophilie, anhédonie. Discours cohérent, pas "
    "d'idée suicidaire exprimée. Sertraline majorée à 100 mg le matin. Elle sera revue dans quinze jours.",
    "kinésithérapeute": "Bilan diagnostic kinésithérapique\nM. Aurélien Sarthou, 29 ans. Entorse de cheville droite à J12. EVA 3/10, œdème "
    "malléolaire, flexion dorsale 5°, appui unipodal 8 s. Objectifs de rééducation : gain articulaire, proprioception.",
    "orthophoniste": "Compte rendu de bilan orthophonique\nEnfant : Timéo LARROUDÉ, né le 02/09/2015, CE2. Plainte : lecture lente. "
    "Conscience phonologique fragile, leximétrie à -2 écarts types. Diagnostic orthophonique : trouble spécifique du langage écrit.",
    "dentiste": "Chère consœur, je vous adresse M. Gaël Trévidic pour avulsion de 38 et 48. Péricoronarite en mars traitée par amoxicilline. "
    "Pas d'antécédent, pas d'allergie. Panoramique jointe. Bien confraternellement.",
    "ophtalmologie": "Mme Rose Etchegoyen, née le 21/06/1948. Acuité visuelle OD 8/10, OG 5/10. Cristallin : cataracte nucléaire OG. "
    "PIO 15/16. Fond d'œil : papilles normales, macula saine. CAT : phacoémulsification OG.",
    "ordonnance": "Dr Maud Peyrehorade, médecin généraliste\nLe 3 mai 2023\nM. Denis Lacassagne\nFaire pratiquer par IDE à domicile, y compris "
    "dimanches et jours fériés : pansement de jambe droite, une fois par jour pendant 15 jours.\nBiseptine, compresses stériles, Mepilex.",
    "certificat": "Je soussignée, Docteur Anne Guilcher, certifie avoir examiné ce jour l'enfant Malo Kervella, né le 14/02/2014, et "
    "n'avoir pas constaté de contre-indication à la pratique du judo en compétition. Remis en main propre à son père.",
    "québec": "Note d'évolution. M. Réjean Thibodeau, 66 ans, MPOC. Dyspnée stable, afébrile. Murmure vésiculaire diminué aux bases, pas de "
    "râles. Prednisone 50 mg po die pendant 5 jours. Congé demain, suivi au CLSC.",
    "belgique": "Cher collègue, votre patiente Mme Godelieve Demoustier (15/08/1953) a été hospitalisée en gériatrie pour chute. Anamnèse : "
    "vertiges orthostatiques. Kaliémie 3,1 mmol/l. Katz B. Retour en maison de repos avec kinésithérapie.",
    "suisse": "Status à l'entrée : BEG, TA 142/78 mmHg, FC 76/min. B1B2 bien frappés, MVS. Diagnostic : pneumonie lobaire inférieure droite. "
    "M. Urs Chappatte, 15.03.1950. Co-Amoxi 1 g 2x/j. Incapacité de travail à 100 % dès le 2.4.",
    "soins palliatifs": "Passage EMSP ce jour. M. Henri Vauquelin, cancer du pancréas métastatique. Douleur EVA 6, majoration Oxynorm, PCA morphine. "
    "Encombrement terminal, Scoburen. Famille informée, sédation discutée, pas de réanimation.",
    "exploration": "EFR. Mme Simone Rouquette, 62 ans, 58 kg. VEMS 1,42 l soit 61 % des valeurs théoriques, Tiffeneau 58 %. Pas de réversibilité "
    "après bronchodilatateurs. DLCO 64 %. Conclusion : trouble ventilatoire obstructif modéré, BPCO.",
}

OTHER = {
    "rappel de rendez-vous garage": "Bonjour Mme Fabreguette, votre véhicule est prêt. Diagnostic : batterie faible, contrôle des freins, pression des "
    "pneus 2,4. Merci de passer avant 18 h. Prochain contrôle dans un an. Cordialement, l'atelier.",
    "courrier d'école": "Madame, Monsieur, votre fils Timéo Larroudé, né le 02/09/2015, a été absent lundi. Merci de fournir un justificatif. La sortie "
    "au musée est prévue vendredi ; prévoir un pique-nique. La directrice.",
    "vétérinaire": "Clinique vétérinaire des Pins. Filou, chien croisé, 8 ans, puce électronique 250269. Boiterie postérieure droite, radiographie du "
    "genou, rupture du ligament croisé. Métacam une fois par jour pendant 5 jours. Propriétaire : M. Sarthou.",
    "brochure": "Mieux vivre avec une BPCO. La BPCO est une maladie chronique des bronches. Les symptômes sont la toux, l'expectoration et la dyspnée. "
    "Si vous fumez, parlez-en à votre médecin. Le traitement repose sur l'arrêt du tabac et les bronchodilatateurs.",
    "cours": "Objectifs pédagogiques : connaître l'embolie pulmonaire. L'interrogatoire recherche une douleur thoracique et une dyspnée. Le score de "
    "Wells oriente. QCM : quel examen demander en première intention ? Points clés : angioscanner, anticoagulation.",
    "article": "Introduction. Nous avons inclus 84 patients opérés d'une prothèse totale de hanche. Méthodes : étude rétrospective. Résultats : la "
    "douleur diminuait de 3 points (p < 0,01). Discussion. Conflits d'intérêts : aucun. Références. doi:10.1000/z",
    "compte rendu de réunion": "Compte rendu de réunion du service de cardiologie. Présents : Dr Lanneluc, Mme Guilcher (cadre). Ordre du jour : lits de soins "
    "continus, planning des infirmières, commande de pansements. Prochaine réunion le 12 juin.",
    "offre d'emploi": "EHPAD les Tilleuls recrute un(e) infirmier(ère) en CDI. Missions : soins, transmissions ciblées, suivi des plaies, relations avec "
    "les familles. Expérience en gériatrie souhaitée. Envoyer CV et lettre de motivation à Mme Barrouillet.",
    "procédure": "Procédure qualité PQ-14, version 3. Objet : prévention des escarres. Tout patient est évalué par l'échelle de Braden à l'entrée. "
    "Matelas à air si score inférieur à 15. Rédigé par : cadre de santé. Approuvé par : comité qualité. Diffusion : services.",
    "formulaire vierge": "Fiche de renseignements médicaux. Nom : ............ Prénom : ............ Né(e) le : ....../....../...... Antécédents : "
    "........................ Allergies : ........................ Traitement en cours : ........................ Signature :",
    "roman": "Elle était assise près de la fenêtre, la main droite posée sur le genou. Il se présenta sans un mot. Son mari toussait dans la "
    "chambre voisine ; la vieille dame dormait mal depuis l'hiver. Il vivait seul avec sa fille, loin du village.",
    "assurance auto": "Constat amiable. M. Aurélien Sarthou, né le 11/01/1995. Véhicule A : choc avant droit, aile enfoncée. Pas de blessé. Dommages "
    "estimés à 1 840 euros. L'expert passera mardi. Sociétaire n° 4471203.",
    "recette et bien-être": "Semaine 3 : régime équilibré, 1 800 kcal par jour. Lundi : poisson, riz, une pomme. Course lente 40 minutes, étirements des "
    "ischio-jambiers, repos. Objectif : courir 10 km sans douleur.",
    "commande de matériel": "Bon de commande n° 2231. Compresses stériles 10x10 : 40 boîtes. Mepilex : 12. Bandes de contention : 25. Lits médicalisés : 2. "
    "Prix unitaire HT, total TTC 3 212,40. Livraison au magasin central.",
    "attestation d'employeur": "Je soussigné, Alain Castagnède, gérant, certifie que Mme Inès Barrouillet, née le 03/03/1993, est employée en contrat à durée "
    "indéterminée depuis le 1er mai 2019. Fait pour servir et valoir ce que de droit.",
    "informatique": "Note de version 4.2. Correction : l'export des ordonnances échouait quand la posologie était vide. Le module de prescription "
    "vérifie les allergies. Le champ poids accepte les décimales. Tests : 312, échecs : 0.",
    "courriel d'organisation": "Bonjour à tous, je serai absente jeudi, Sophie prend la garde. Pensez à vider le frigo de la salle de pause et à rendre les "
    "badges. La formation incendie est reportée au 9. Bon week-end, Claire",
}


def verdict(text: str) -> Judgement:
    return detect(Document(Format.TEXT, parts=[Part(text)])).judgement


@pytest.mark.parametrize("name", MEDICAL)
def test_care_of_one_person_in_french_is_recognised(name: str) -> None:
    assert verdict(MEDICAL[name]) is Judgement.MEDICAL


@pytest.mark.parametrize("name", OTHER)
def test_what_looks_like_it_is_let_go(name: str) -> None:
    assert verdict(OTHER[name]) is Judgement.NOT_MEDICAL


def test_no_short_word_counts_by_itself() -> None:
    """One to three letters are initials, units and words of other languages: only a figure or a heading makes them count."""
    short = {
        entry.text
        for entry in entries()
        if entry.languages == ("fr",) and len(entry.text) < 3 and (entry.has("term") or entry.has("phrase"))
    }
    assert short == set()


def test_everyday_french_is_no_clinical_language() -> None:
    """Words that fill contracts, workshops and novels must not be entries, alone or as an opening of entries."""
    everyday = (
        b"calme",
        b"contact",
        b"examen",
        b"surveillance",
        b"orientation",
        b"consolidation",
        b"chambre",
        b"transfert",
    )
    counted = {entry.text for entry in entries() if "fr" in entry.languages and entry.counted}
    assert counted.isdisjoint(everyday)
