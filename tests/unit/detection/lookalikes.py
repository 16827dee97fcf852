"""Short invented documents that speak of persons or of medicine and are not about a patient, in seven languages.

Every person is invented. One (genre, text) a document; ``test_lookalikes.py`` says what must come out.
"""

from __future__ import annotations

LOOKALIKES: tuple[tuple[str, str], ...] = (
    (
        "payslip fr",
        "BULLETIN DE PAIE mars 2025\nEmployeur : Clinique des Tilleuls\nMme BOISARD Lucie née le "
        "04/02/1988\nEmploi : infirmière, coefficient 312\nSalaire de base 2 310,00\nUrssaf 154,20 CSG "
        "98,10\nNet à payer 1 842,33",
    ),
    (
        "payslip de",
        "Entgeltabrechnung Februar 2025\nSchröter, Anke  geb. 11.07.1979  Steuerklasse 1\nPflegefachkraft "
        "Station 4B\nBruttolohn 3.412,00\nLohnsteuer 412,10 Sozialversicherungsbeitrag 690,00\nNettolohn "
        "2.309,90",
    ),
    (
        "payslip es",
        "NÓMINA enero 2025\nTrabajadora: Lucía Bermejo Olmos DNI 12345678Z\nEnfermera, turno de "
        "noche\nSalario bruto 2.410,00 IRPF 14 % Líquido a percibir 1.830,55",
    ),
    (
        "payslip nl",
        "Loonstrook april 2025\nMw. J. Hofstra geb. 02-03-1984 functie: doktersassistente\nBrutoloon "
        "2.850,00 loonheffing 512,00 nettoloon 2.210,00 vakantiegeld 8%",
    ),
    (
        "rota en",
        "Duty rota week 32 - Ward 7\nMon early: Sarah Pike, Joan Mills; late: Tom Reyes\nTue early: Joan "
        "Mills; late: Sarah Pike; night: agency\nSwap requests to Karen by Thursday. Annual leave: Tom 3-9 "
        "Aug.",
    ),
    (
        "rota de",
        "Dienstplan KW 12 Station 3\nMo Früh: Sr. Petra, Pfl. Jonas  Spät: Fr. Wolf\nDi Früh: Fr. Wolf  "
        "Nacht: Hr. Adler\nÜberstunden bitte bis Freitag melden.",
    ),
    (
        "rota it",
        "TURNI settimana 14 - reparto Medicina\nLun M: Rossi Anna, Bindi Carlo  P: Sala Irene  N: Greco "
        "Ugo\nMar M: Sala Irene P: Rossi Anna\nCambi turno solo con firma della coordinatrice.",
    ),
    (
        "rota fr",
        "Planning des gardes avril\n1 M. Fabre / Mme Colin\n2 Dr Astier / M. Fabre\n3 Mme Colin / Dr "
        "Roux\nÉchange possible avec accord du cadre.",
    ),
    (
        "pupils fr",
        "Liste des élèves 4e C\n1 ADAM Louise 12/03/2011\n2 BEN SAID Karim 04/07/2011\n3 COSTE Jules "
        "30/01/2011\nPAI : voir infirmerie scolaire. Professeur principal : M. Lenoir",
    ),
    (
        "pupils en",
        "Year 5 - pupils\nAva Bright 9 yrs, swimming badge 3\nOscar Finch 9 yrs, reading 7\nLena Marsh 10 "
        "yrs, chess club\nParents evening 12 November, class teacher Mr Dale",
    ),
    (
        "pupils nl",
        "Klassenlijst groep 7 leerlingen\nBakker Sem 12-04-2014\nde Boer Noor 03-09-2014\nYilmaz Deniz "
        "22-01-2014\ngymles woensdag, oudergesprek 12/3",
    ),
    (
        "club de",
        "Mitgliederliste Turnverein\nBauer Karl *12.03.1961 Mitgliedsbeitrag bezahlt\nLenz Ute *04.11.1972 "
        "offen\nMoll Jörg *30.06.1958 bezahlt\nTrainer: Frau Schade",
    ),
    (
        "club fr",
        "AS Foot vétérans : équipe du 12/10\nM. Bruno Leclerc 44 ans, gardien\nM. Paul Henry 39 ans, "
        "arrière, blessé au genou, retour en mars\nM. Samir Naceri 41 ans\nCotisation 80 €, licence à jour.",
    ),
    (
        "club it",
        "Elenco soci bocciofila\nBianchi Piero, 71 anni, quota associativa 40 €\nConti Elda, 68 anni, quota "
        "40 €\nVilla Remo, 75 anni, socio onorario",
    ),
    (
        "sport plan",
        "# Training plan\nMon: 8 km easy, HR 142 max 160\nTue: strength, 3 x 10 squats 60 kg\nThu: intervals "
        "5x1000, weight 71.5\nSat: long run 18 km, knee tape, gel every 40 min",
    ),
    (
        "sport press",
        "Le milieu de terrain Yann Couty, 27 ans, souffre d'une entorse de la cheville et sera absent trois "
        "semaines, a annoncé le club. Il avait déjà manqué six matchs en raison d'une lésion musculaire.",
    ),
    (
        "press de",
        "Der 34-jährige Rennfahrer Timo Krahl erlitt bei dem Unfall eine Gehirnerschütterung. Das Team hofft "
        "auf eine Rückkehr zum Rennen in Monza. Die Ursache wird noch untersucht, teilte der Verband mit.",
    ),
    (
        "press en",
        "Councillor Mary Webb, 61, who survived breast cancer two years ago, opened the new library on "
        "Saturday. She thanked the builders and the volunteers. The mayor said the project had cost 2.1 "
        "million.",
    ),
    (
        "press es",
        "El alcalde, Julián Roca, de 58 años, inauguró ayer el nuevo hospital comarcal, que contará con 120 "
        "camas, urgencias y dos quirófanos. La obra ha costado 34 millones.",
    ),
    (
        "insurance fr",
        "Votre contrat prévoyance\nMme Odile Garnier, née le 14/05/1970, numéro de contrat "
        "448810\nConditions générales : incapacité, invalidité, décès. Prime annuelle 412 €. Exclusions : "
        "affections antérieures, sports à risque.",
    ),
    (
        "insurance de",
        "Allgemeine Versicherungsbedingungen Berufsunfähigkeit\n§ 2 Berufsunfähigkeit liegt vor, wenn die "
        "versicherte Person infolge Krankheit, Körperverletzung oder Kräfteverfalls ihren Beruf nicht "
        "ausüben kann. Leistungsausschluss: Vorerkrankungen. Versicherungsnehmer: siehe Police.",
    ),
    (
        "insurance en",
        "Policy schedule\nThe insured: Mr Alan Frost, DOB 12/03/1966\nThe insurer will not pay for "
        "pre-existing conditions, heart disease or cancer diagnosed before the start date. Premium due 34.20 "
        "monthly. Terms and conditions apply.",
    ),
    (
        "insurance it",
        "CONDIZIONI GENERALI DI ASSICURAZIONE\nContraente: Sig. Livio Sarti nato il 12/03/1961\nSono escluse "
        "le malattie preesistenti, gli infortuni da sport agonistico. Premio annuo 320 €.",
    ),
    (
        "vet fr",
        "Clinique vétérinaire du Port\nMme Salaün - chat européen « Plume » 4 ans stérilisée\nVomissements "
        "depuis 2 j, T 38,9, abdomen souple. Maropitant 1 mg/kg SC, croquettes gastro-intestinales. Contrôle "
        "3 j.",
    ),
    (
        "vet de",
        "Tierklinik Nord\nBesitzer: Herr Lübben, Hündin Bella, kastriert, 9 J.\nLahmheit hinten rechts, "
        "Röntgen: Arthrose Knie. Meloxicam 0,1 mg/kg 1x tgl 10 Tage. Kontrolle in 2 Wochen.",
    ),
    (
        "vet en",
        "Equine practice - referral\nRe: bay mare 'Clover', owner Mrs Hale\nThank you for referring this "
        "mare with colic. HR 52, T 38.1. Ultrasound: distended small intestine. Flunixin 1.1 mg/kg iv bid. "
        "Re-examine in 2 days.",
    ),
    (
        "vet it",
        "Ambulatorio veterinario\nProprietario: sig.ra Lodi. Cane meticcio maschio, 7 anni, 23 kg\nOtite "
        "esterna dx, prurito. Amoxicillina 12 mg/kg x2 per 7 gg. Controllo.",
    ),
    (
        "vet es",
        'Clínica veterinaria Arcos\nPropietario: Sr. Luis Vega. Perra "Luna", esterilizada, 6 años. Cojera, radiografía: displasia de cadera. Carprofeno 2 mg/kg cada 12 horas 7 días.',
    ),
    (
        "vet nl",
        "Dierenkliniek De Wal\nEigenaar: mw. Smit. Teef, gesteriliseerd, labrador 8 jaar. Braken sinds "
        "gisteren, T 39,1. Echo: pancreatitis. Maropitant 1 mg/kg sc 1dd.",
    ),
    (
        "vet pt",
        "Clínica veterinária Sol\nTutora: Ana Reis. Gato castrado, 5 anos. Obstrução urinária, creatinina "
        "4,1 mg/dL. Algaliação, fluidoterapia. Médico veterinário responsável.",
    ),
    (
        "vignette fr",
        "Cas clinique n° 4 (QCM)\nUne femme de 34 ans consulte aux urgences pour une douleur de la fosse "
        "iliaque droite avec fièvre à 38,5 °C. CRP 88 mg/L.\nQuestion 1 : quel est votre diagnostic "
        "?\nQuestion 2 : quels examens demandez-vous ?",
    ),
    (
        "vignette en",
        "Practice question 17\nA 45-year-old man presents with crushing chest pain. BP 150/90, HR 110. ECG "
        "shows ST elevation in II, III, aVF.\nWhich of the following is the most likely diagnosis?\nA. "
        "Inferior MI B. Pericarditis",
    ),
    (
        "vignette de",
        "Übungsfall 3 - Lernziele: Pneumonie\nEin 70-jähriger Mann kommt mit Fieber 39 °C, Husten und "
        "Dyspnoe. SpO2 91 %. Welche Diagnose stellen Sie? Welche Prüfungsfrage ergibt sich? Studierende "
        "diskutieren.",
    ),
    (
        "vignette it",
        "Esercitazione - caso clinico simulato\nUomo di 60 anni, fumatore, dolore toracico da 2 ore. PA "
        "150/90. Domanda d'esame: quale esame chiederesti? Obiettivi didattici: SCA.",
    ),
    (
        "vignette es",
        "Pregunta de examen 12\nMujer de 28 años con cefalea pulsátil unilateral, náuseas y fotofobia. ¿Cuál "
        "es el diagnóstico más probable? Respuesta correcta: migraña.",
    ),
    (
        "vignette nl",
        "Oefencasus werkgroep opdracht\nEen vrouw van 52 jaar komt met vermoeidheid en gewichtstoename. TSH "
        "12. Tentamenvraag: wat is de meest waarschijnlijke diagnose?",
    ),
    (
        "leaflet fr",
        "Notice : information de l'utilisateur\nIbuprofène 400 mg comprimé\nQue contient cette notice ? "
        "Posologie : 1 comprimé 3 fois par jour. Contre-indications : ulcère, insuffisance rénale. Effets "
        "indésirables éventuels : nausées, vertiges. Si vous êtes enceinte, parlez-en à votre médecin.",
    ),
    (
        "leaflet de",
        "Gebrauchsinformation: Amoxicillin 1000 mg Tabletten\nWas ist und wofür wird es angewendet? "
        "Erwachsene nehmen 1-0-1 eine Tablette. Nebenwirkungen: Durchfall, Hautausschlag. Fragen Sie Ihren "
        "Arzt.",
    ),
    (
        "leaflet es",
        "Prospecto: información para el usuario\nParacetamol 1 g comprimidos. Lea todo el prospecto. Cómo "
        "tomar: 1 comprimido cada 8 horas. Posibles efectos adversos: erupción, hipotensión. Conservación de "
        "los comprimidos.",
    ),
    (
        "leaflet nl",
        "Bijsluiter: metformine 500 mg tabletten\nWaarvoor wordt dit middel gebruikt? Diabetes type 2. Hoe "
        "gebruikt u dit middel? 2 dd 1 tablet. Mogelijke bijwerkingen: misselijkheid, diarree. Raadpleeg uw "
        "arts.",
    ),
    (
        "leaflet pt",
        "Folheto informativo\nOmeprazol 20 mg cápsulas. O que é e para que é utilizado: refluxo, úlcera. "
        "Como tomar: 1 cápsula por dia. Efeitos indesejáveis possíveis: cefaleia, diarreia. Consulte o seu "
        "médico.",
    ),
    (
        "hr letter fr",
        "Madame Perrin,\nNous avons pris connaissance de votre arrêt de travail. Vous reprendrez votre poste "
        "le 3 mars. Merci de prendre rendez-vous avec la médecine du travail pour la visite de reprise. Le "
        "service des ressources humaines.",
    ),
    (
        "hr letter en",
        "Dear Mr Lowe,\nYour employment ends on 31 May, your last working day being 23 May. Please return "
        "your laptop and badge. Annual leave of 4.5 days will be paid. National insurance and tax code are "
        "on your final pay slip. HR department",
    ),
    (
        "hr letter de",
        "Sehr geehrte Frau Kunze,\nwir bestätigen Ihnen die Elternzeit vom 01.04.2025 bis 31.03.2026. Ihr "
        "Arbeitsverhältnis ruht. Bitte reichen Sie die Geburtsurkunde nach. Personalabteilung",
    ),
    (
        "legal fr",
        "Entre les soussignés M. Georges Villard, bailleur, né le 01/02/1955 à Nantes, et Mme Claire Petit, "
        "locataire. Article 1 : le bail est consenti pour trois ans. Article 2 : le loyer est de 720 €. "
        "Résiliation par lettre.",
    ),
    (
        "legal en",
        "Witness statement of Mr Peter Hughes, born 12/04/1971, of 4 Mill Lane. On 3 March I saw the blue "
        "van strike the wall. Nobody was hurt. I believe that the facts stated are true. Whereas the parties "
        "agree.",
    ),
    (
        "legal es",
        "Contrato de arrendamiento. De una parte D. Manuel Ríos Prado, nacido el 12/03/1960, con DNI "
        "12345678Z; de otra Dña. Elena Soto Gil. Cláusula primera: la renta será de 650 euros al mes.",
    ),
    (
        "genealogy",
        "Jean Marchand, né le 12/03/1861 à Tulle, cultivateur, marié à Marie Vergne, née le 04/05/1865, "
        "décédée en 1918 de la grippe. Enfants : Pierre (1888), Louise (1891).",
    ),
    (
        "novel fr",
        "Le docteur posa la main sur son front brûlant. « De la fièvre », dit-il, et madame Aubry se mit à "
        "pleurer. Dehors la neige tombait sur les toits de Rouen, et personne ne savait que Jeanne, à vingt "
        "ans, ne verrait pas le printemps.",
    ),
    (
        "novel de",
        "Frau Altmann hustete, und der Arzt schüttelte den Kopf. Sie war siebzig und müde. Draußen fuhr die "
        "Straßenbahn vorbei, wie jeden Tag seit dem Krieg.",
    ),
    (
        "guideline it",
        "Linee guida ipertensione: raccomandazioni. PA > 140/90 mmHg in due misurazioni. Terapia di prima "
        "scelta: ramipril 5 mg, amlodipina 5 mg. Grado di raccomandazione A. Nei pazienti di età superiore a "
        "80 anni target 150 mmHg.",
    ),
    (
        "guideline nl",
        "NHG-Standaard diabetes: aanbevelingen. HbA1c streefwaarde 53 mmol/mol, bij patiënten ouder dan 70 "
        "jaar 58. Start metformine 500 mg 1dd, ophogen. Richtlijn nierfunctie: eGFR < 30 stop.",
    ),
    (
        "stock",
        "Stock pharmacie salle 2\nMorphine 10 mg/ml amp ......... 24\nMidazolam 5 mg/ml ............. "
        "18\nAdrénaline 1 mg ............... 30\nPéremption 06/2026, commande : bisoprolol 2,5 mg x 60",
    ),
    (
        "water",
        "Analyse d'eau potable - réseau communal\nNitrates 18 mg/l (limite 50) chlore libre 0,3 mg/l pH 7,4 "
        "turbidité 0,2\nE. coli 0 /100 ml entérocoques 0 /100 ml\nConclusion : eau conforme",
    ),
    (
        "recipe",
        "Soupe de potiron pour 4 personnes : 800 g de potiron, 2 oignons, 200 ml de crème, 1 c. à soupe "
        "d'huile. Cuire 25 min, mixer, servir chaud. Se garde 3 jours au frais.",
    ),
    (
        "software",
        "# Release 2.4.1\nFixed injection of dependencies, chronic memory leak and acute race in the "
        "scheduler. Diagnosis: stale lock. Treatment: retry with backoff x2. Patient users may upgrade. "
        "Known symptom: E11.9 error code on start.",
    ),
    (
        "meeting",
        "Réunion de service du 12/03. Présents : Mme Colin, M. Fabre, Dr Roux. Ordre du jour : lits, "
        "matériel, formation hygiène. Les patients attendent trop aux urgences : groupe de travail. "
        "Prochaine réunion le 9 avril.",
    ),
    (
        "job ad",
        "Stellenangebot: Pflegefachkraft (m/w/d) für unsere Intensivstation. Aufgaben: Überwachung beatmeter "
        "Patienten, Medikamentengabe, Dokumentation. Wir bieten Tarif, Fortbildung, Jobticket. Bewerbung an "
        "Frau Held.",
    ),
    (
        "invoice",
        "FACTURE n° 2025-118\nClient : Cabinet Dr Astier\n10 boîtes compresses stériles 4,20 42,00\n5 "
        "flacons chlorhexidine 250 ml 6,10 30,50\n2 tensiomètres 38,00 76,00\nTotal HT 148,50 TVA 20 % 29,70 "
        "Total TTC 178,20",
    ),
    (
        "template",
        "Cher confrère,\nJ'ai vu en consultation [NOM DU PATIENT], né(e) le {{ddn}}, {{age}} ans, pour "
        "{{motif}}. TA {{ta}}, poids {{poids}}. Traitement : {{ttt}}. Conclusion : {{conclusion}}.",
    ),
    (
        "family mail",
        "Coucou Marie, maman va bien, elle a 80 ans samedi ! On se retrouve à midi chez Paul, apporte le "
        "gâteau. Les enfants ont fini la varicelle enfin. Bisous, Anne",
    ),
)
