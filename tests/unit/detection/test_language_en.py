"""English (United Kingdom, Ireland, United States): short invented documents of many genres, and what they are not.

Every person, practice and number is invented. The documents are written as the profession writes them, not after the
word list; the ordinary ones speak the clinical language about nobody in particular, or of animals, posts and money.
"""

import pytest

from agent.detection.detector import detect
from agent.detection.lexicon import entries
from agent.document import Document, Format, Part
from agent.findings import Judgement

MEDICAL = {
    "gp-note": """Surgery consultation 04/02/2026 Dr N Farrow
Mrs Ida Coldbeck DOB 11/09/1957
PC: 3/7 hx productive cough, green sputum, c/o sob on stairs. No haemoptysis.
PMH COPD, HTN. Ex-smoker 30 pack years. NKDA.
O/E temp 37.9, RR 20, sats 94% on air, BP 138/82. Bibasal creps, no wheeze.
Imp: infective exacerbation of COPD. Rx doxycycline 200mg stat then 100mg od, prednisolone 30mg od 5/7.
Safety netted, r/v 1/52 or sooner if worse.""",
    "discharge": """HOSPITAL DISCHARGE LETTER
Patient: Garvan Tully  DOB 02/05/1949  MRN 448210
Date of admission 12/01/2026  Date of discharge 17/01/2026
Diagnosis: community acquired pneumonia, AKI stage 1 on CKD 3.
Clinical course: treated with IV co-amoxiclav, switched to oral. Mobilising with frame, medically fit for discharge.
Medicines stopped: ramipril. GP to repeat U&E in 1/52.""",
    "casualty": """ED TRIAGE NOTE
Name: Okoro, Blessing   DOB: 3/14/1991   Arrived by EMS
CC: MVC, restrained driver, airbag deployed, no LOC. C/o neck pain 6/10.
VS BP 128/76 HR 98 RR 18 SpO2 99% RA. GCS 15. C-collar in place. ESI 3.""",
    "operation": """OPERATION NOTE
Mr Alun Prys, DOB 21/07/1966, Hospital No 771204
Procedure: laparoscopic cholecystectomy. Surgeon: Miss R Adeyemi. Anaesthetist: Dr Lowe
Findings: chronically inflamed gallbladder, adhesions to omentum.
Pneumoperitoneum with Hasson technique, 3 further ports. Cystic duct and artery clipped and divided.
Haemostasis. Skin closed with Monocryl. EBL minimal. Post-op: eat and drink as able, home today with TTOs.""",
    "radiology": """MRI LEFT KNEE
Patient: Simone Hartigan  DOB 30/10/1988
Clinical details: twisting injury, locking, ?meniscal tear.
Findings: Horizontal tear of the posterior horn of the medial meniscus. Cruciate ligaments intact. Small joint effusion.
Impression: Medial meniscal tear.""",
    "histology": """CELLULAR PATHOLOGY REPORT   Lab No 26H004417
Patient: MOYLAN Deirdre   DOB 17/03/1972
Nature of specimen: cervical LLETZ
Macroscopy: loop biopsy 18 x 12 x 9 mm, serially sectioned.
Microscopy: high grade CIN3 with koilocytosis; endocervical margin clear. No invasive malignancy.""",
    "haematology": """FULL BLOOD COUNT
Patient: Bram Thornley   DOB 08/08/1953   Sex: M
Haemoglobin 92 g/L (130 - 180)
Mean cell volume 71 fL (80 - 100)
Platelet count 488 10*9/L (150 - 400)
Serum ferritin 6 ug/L (30 - 400)
Comment: microcytic anaemia, suggest iron deficiency.""",
    "nursing": """NURSING PROGRESS NOTE  Ward 6
Pt: Mr Eamon Duggan, 81
Settled overnight. Obs stable, NEWS 1. Catheter draining clear urine. Sacrum red but blanching, repositioned 2 hourly,
pressure relieving mattress in place. Assist x2 with transfers. Bowels opened. Paracetamol 1g given for hip pain.""",
    "midwife": """POSTNATAL VISIT day 5
Aoife Brannigan, DOB 19/06/1995, G2P2
Breastfeeding well, lochia normal, perineum healing, legs NAD. BP 118/70. Mood good.
Baby: jaundice fading, wt 3420 g (-4%), NBBS taken, wet and dirty nappies +++.""",
    "psychiatry": """MENTAL HEALTH ASSESSMENT
Re: Miss Tamsin Jewell, born 24/01/2001
She was referred by her GP with low mood and self harm. She reports early morning wakening and anhedonia.
Mental state examination: tearful, flat affect, no psychotic symptoms. Denies suicidal intent. PHQ-9 19.
Plan: start sertraline 50 mg daily, crisis team number given, review in 2 weeks.""",
    "physio": """PHYSIOTHERAPY INITIAL ASSESSMENT
Derek Fanshawe  DOB 13/02/1970
PC: 6/52 R shoulder pain, worse on overhead activity. NRS 7/10.
O/E: active abduction 80 deg, painful arc, Hawkins +ve, empty can +ve. Neuro NAD.
Imp: subacromial impingement. Rx: isometric cuff exercises, HEP given. R/V 2/52.""",
    "dental": """DENTAL RECORD
Patient: Philippa Knott  DOB 05/12/1983
C/O pain lower left, TTP LL6. Periapical: radiolucency at mesial root. Dx irreversible pulpitis LL6.
ID block 2.2ml lidocaine with adrenaline, rubber dam, root canal treatment commenced. POIG. BPE 222/232.""",
    "ophthalmology": """Eye clinic letter
Mr Horace Tindall, DOB 27/11/1940
Visual acuity R 6/18 L 6/9. IOP 24/22 mmHg. C/D ratio 0.8 R. Pseudophakic both eyes, dry AMD.
Started latanoprost nocte both eyes. Humphrey visual field and review in 3 months.""",
    "certificate": """SOCIAL WELFARE MEDICAL CERTIFICATE OF INCAPACITY FOR WORK
I certify that I have examined Fionn Keaveney, date of birth 09/04/1978, today and that in my opinion he is
unfit for work from 02/02/2026 to 16/02/2026 due to lumbar disc prolapse with sciatica. Dr M Geraghty""",
    "mdt": """BREAST MDT OUTCOME 14/01/2026
Patient: Lorna Pettigrew DOB 06/06/1961
Left breast 18mm invasive ductal carcinoma, grade 2, ER positive, HER2 negative. T1cN0. PS 0.
Outcome: wide local excision and SLNB, then radiotherapy and letrozole. Clinical nurse specialist to contact.""",
    "ambulance": """PATIENT CARE REPORT
Pt: Walter Ng, DOB 10/02/1944. On arrival of crew pt found on floor, long lie, GCS 14, pearl 3mm. BM 5.2, BP 96/54,
HR 112 irregular, SpO2 91% on air. 12 lead ECG fast AF. IV access gained, 250ml bolus given. Handover at 14:10.""",
}
ORDINARY = {
    "rota": """Staff rota week 9. Ward 6 nights: Carol Mon Tue, Femi Wed Thu. Please swap shifts through the rota coordinator.
Annual leave requests to Sister Blake by Friday. Mandatory training is outstanding for three staff.""",
    "job": """Job title: Staff Nurse, Acute Medical Unit, Band 5. Person specification: registered nurse, IV cannulation,
venepuncture, care of patients with sepsis, COPD and stroke. Essential criteria and salary scale below. Closing date 3 March.""",
    "leaflet": """Patient information leaflet. What this medicine is for: sertraline treats depression and anxiety.
Do not take this medicine if you are allergic to it. Possible side effects: nausea, headache, insomnia, tremor.
Tell your doctor or pharmacist. Keep out of the sight and reach of children.""",
    "guideline": """NICE guideline summary. Offer patients with suspected sepsis broad spectrum antibiotics within one hour.
Adults with COPD: consider if exacerbation frequency is high. First line is amoxicillin. Clinical practice guideline.""",
    "teaching": """OSCE station 4: abdominal examination. Candidate instructions: examine the abdomen. Mark scheme: washes
hands, inspects for jaundice, spider naevi, palpates for hepatomegaly and splenomegaly, shifting dullness. Learning outcomes.""",
    "veterinary": """Equine hospital referral. Dear colleague, thank you for referring Bramble, an 11 year old bay gelding owned by
Mrs Peel, with left hind lameness. Flexion of the stifle was painful. Radiographs: osteoarthritis. Phenylbutazone 1 g bid.
Kind regards, J Orme BVSc MRCVS""",
    "invoice": """Invoice no 22041. Surgery supplies. 40 boxes nitrile gloves, 12 nebuliser masks, 200 lancets, 6 wound dressing
packs, 2 pulse oximeters. Subtotal 418.20 VAT 83.64 total due 501.84. Payment terms 30 days, sort code 20-11-09.""",
    "novel": """She sat by the window and watched the hospital lights. Her mother had been a nurse, and her pain was quiet. The
doctor said nothing for a while. He took her left hand; outside, the rain fell on the car park, and somebody laughed.""",
    "minutes": """Minutes of the meeting, allotment society. Apologies for absence: Mr Dunn. Matters arising: the left gate is
broken, plan to repair in 2 weeks. Treasurer reports a balance of 212. Any other business: compost. Next meeting 4 May.""",
    "fitness": """Fitness plan: 3 x 10 squats, sets of 10 lunges, hamstring and quads stretch, weight 74, heart rate zone 2,
30 minutes easy run. Rest day Sunday. Protein shake after training, eight hours of sleep.""",
}


def judged(text: str) -> Judgement:
    return detect(Document(Format.TEXT, parts=[Part(text)])).judgement


@pytest.mark.parametrize("genre", MEDICAL)
def test_a_document_about_one_patient_is_medical(genre: str) -> None:
    assert judged(MEDICAL[genre]) is Judgement.MEDICAL


@pytest.mark.parametrize("genre", ORDINARY)
def test_what_is_about_nobody_under_care_is_not(genre: str) -> None:
    assert judged(ORDINARY[genre]) is Judgement.NOT_MEDICAL


def test_no_word_of_three_letters_counts_without_a_figure() -> None:
    known_by_use = {
        b"cc",
        b"hpi",
        b"pmh",
        b"psh",
        b"ros",
        b"prn",
        b"icu",
        b"ekg",
        b"ecg",
        b"cbc",
        b"emg",
        b"mri",
        b"egd",
    }
    known_by_use |= {b"ct", b"a1c", b"tia", b"rsv", b"s p", b"p o"}
    short = {
        entry.text
        for entry in entries()
        if entry.languages == ("en",)
        and len(entry.text) <= 3
        and any(group in {"term", "phrase", "letter", "narrative", "drug"} for group, _ in entry.uses)
    }
    assert short <= known_by_use
