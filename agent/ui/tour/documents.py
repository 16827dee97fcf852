"""The documents of the tour. Nobody in them exists. Data."""

RECIPE = (
    "Tarte aux pommes / Apple pie\n\n6 pommes, 250 g de farine, 125 g de beurre, un œuf, du sucre.\n"
    "Éplucher les pommes, étaler la pâte, cuire 40 minutes.\n"
)
LETTER = (
    "Centre hospitalier de Valbrume\nService de cardiologie - Dr Hélène Marchetti\n\nCompte rendu d'hospitalisation\n\n"
    "Patiente : Mme Odette VERNICOURT\nNée le 14/05/1984 - IPP 8004512367\n\nCher confrère,\n\n"
    "Motif d'hospitalisation : douleur thoracique d'effort depuis trois semaines.\n"
    "Antécédents : hypertension artérielle, tabagisme sevré en 2019. Allergies : pénicilline.\n"
    "Examen clinique : TA 152/88 mmHg, fréquence cardiaque 84/min.\n"
    "Traitement de sortie : bisoprolol 2,5 mg 1 comprimé le matin, ramipril 5 mg 1 comprimé le soir.\n"
    "Conclusion : angor stable, coronarographie programmée.\n\nDr Hélène Marchetti, cardiologue\n"
)
URGENT = LETTER.replace("VERNICOURT", "LORBECQUE").replace("Odette", "Armande").replace("8004512367", "8004598214")
"""Another letter: what was decided about the first one is not to be asked again."""
_PEOPLE = (
    ("VERNICOURT", "Odette", "14/05/1984", "Angor stable"), ("LORBECQUE", "Armand", "02/11/1951", "Diabète de type 2"),
    ("TISSERANDE", "Maëlle", "23/07/1990", "Asthme"), ("QUENAVEL", "Ildefonse", "30/01/1947", "Insuffisance cardiaque"),
    ("BRUNEHAUT", "Capucine", "09/09/2001", "Migraine"),
)  # fmt: skip
TABLE = "Nom;Prénom;Date de naissance;Diagnostic\n" + "".join(";".join(row) + "\n" for row in _PEOPLE)

POLICY = """serment: 1
policy: serment/tour
title: {fr: "Visite guidée", en: "Guided tour"}
defaults: {existing: observe, arriving: enforce, nothing_matches: observe}
rules:
  - id: tour-table
    title: {fr: "Liste de patients", en: "List of patients"}
    when: {action: copy, judgement: medical, document: patient-table}
    then: block
    offer: encrypt
    message:
      fr: "Cette liste de patients ne reste pas sur la clé. Vous pouvez la copier chiffrée."
      en: "This list of patients does not stay on the stick. You can copy it encrypted."
    mode: enforce
  - id: tour-letter
    title: {fr: "Lettre", en: "Letter"}
    when: {action: copy, judgement: medical}
    then: encrypt
    message:
      fr: "Cette lettre parle d'une patiente : la copie sur la clé est chiffrée."
      en: "This letter is about a patient: the copy on the stick is encrypted."
    mode: enforce
  - id: tour-cloud
    title: {fr: "Dossier synchronisé", en: "Cloud-sync folder"}
    when: {action: sync, judgement: medical}
    then: justify
    message:
      fr: "Cette lettre irait dans le nuage. Dites pourquoi, ou choisissez la voie sûre."
      en: "This letter would go to the cloud. Say why, or choose the safe way."
    mode: enforce
tests:
  - {given: {action: copy, document: patient-table}, expect: block, rule: tour-table}
  - {given: {action: copy, document: clinical-note}, expect: encrypt, rule: tour-letter}
  - {given: {action: sync, document: clinical-note}, expect: justify, rule: tour-cloud}
"""
