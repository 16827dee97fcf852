"""The words by which software names the fields of a patient's record, in the languages of European practice software.

Data for ``records``: keys of JSON, elements and attributes of XML, columns of a dump, folded to lower-case letters and
digits. Whole words for what names a person, stems for what speaks of care. Nothing here looks at values.
"""

from __future__ import annotations

import unicodedata

_FAMILY = """
    nom nomnaissance nomdenaissance nomfamille nomdefamille nomusuel nomusage nomdusage nomutilise nompatient
    patientnom lastname familyname family fam surname lname patientlastname birthname maidenname nachname
    familienname geburtsname name1 achternaam naam cognome apellido apellidos primerapellido personsurnamename
    efternavn etternavn slaegtsnavn sukunimi efternamn nazwisko
    cogn cognom apell apellid nachn familienn achtern lname1 nompat patnom nompatronymique patronyme nomjf
    apelido sobrenome ptlastname ptsurname
"""
FAMILY = frozenset(_FAMILY.split())
_GIVEN = """
    prenom prenoms prenomnaissance premierprenom prenompatient patientprenom firstname firstnames givenname
    givennames given giv forename forenames fname patientfirstname vorname voornaam voornamen nome nombre nombres
    persongivenname fornavn etunimi imie
    vorn voorn pren prenompat patprenom rufname roepnaam nomeproprio ptfirstname
"""
GIVEN = frozenset(_GIVEN.split())
_FULL = """
    fullname nomcomplet nometprenom nomprenom patientname patientfullname name displayname
    nominativo nombrecompleto nomecompleto cognomenome apellidosynombre vollname ptname patname
"""
FULL = frozenset(_FULL.split())
_BIRTH = """
    datenaissance datedenaissance ddn dtnaissance datenais naissance neele birthdate dateofbirth dob birthday
    birthtime birthdttm patientdob patientbirthdate geburtsdatum gebdatum geburtstag geboortedatum datanascita
    datadinascita fechanacimiento fechadenacimiento fechanac fodselsdato foedselsdato syntymaaika fodelsedatum
    dataurodzenia
    dtn datan dtnasc dtnascita datanasc nascita nascimento datanascimento fnac fecnac fecnacimiento nacimiento bday
    brthdt birthdt dateofbirthdt gebdat geboren gbd geboortedat geb nele datnais datnaiss dnaiss dtnais datenaiss
"""
BIRTH = frozenset(_BIRTH.split())
_PATIENT_NUMBER = """
    patientid idpatient patientnumber patientno patientnr patno numpat numpatient numeropatient codepatient ipp
    patientidentifier mrn medicalrecordnumber nhsnumber ins insnir matriculeins numeroins patientennummer
    patientnummer pid nhc kvnr versichertennummer
"""
PATIENT_NUMBER = frozenset(_PATIENT_NUMBER.split())
_NUMBER = """
    bsn civilregistrationnumber codicefiscale cpr cprnummer fodselsnummer ident immatriculation insz nir niss nss
    numerosecu numerosecuritesocial numerosecuritesociale numsecu numsecuritesociale personnummer ssn
"""
NUMBER = PATIENT_NUMBER | frozenset(_NUMBER.split())
PATIENT = ("patient", "pazient", "pacient", "pasient", "malade", "assistit", "bewohner", "ptient")
_STAFF = """
    doctor physician medecin prescripteur prescriber author auteur practitioner praticien arzt doktor staff provider
    user utilisateur sender receiver emetteur destinataire nurse infirmier contact guardian tuteur mother father
    mere pere employee salarie medico artsen huisarts pharmac organi etablissement
"""
STAFF = tuple(_STAFF.split())
_SUBJECT = """
    client clients cliente klient resident residents usager usagers beneficiaire beneficiaires utente subjectdata
"""
SUBJECT = frozenset(_SUBJECT.split())
"""What those call a patient who do not say « patient »: therapists, homes, registries. The whole key, for a program has
clients of its own."""
_ANIMAL = """
    species espece animal breed race puce chip tierart diersoort ownername proprietaire
"""
ANIMAL = frozenset(_ANIMAL.split())
_CARE = """
    diagnos allerg alerg medicament medication medikament medikation medicatie farmac medicin prescri ordonnance
    rezept posolog dosage traitement treatment therap terap antecedent anamnes medicalhistory atcd voorgeschiedenis
    pathologi conditions problemlist problems consultation encounter hospitali symptom motif chiefcomplaint examen
    clinicalnote vitals vitalsign bloodpressure tensionart labresult laborato analyse analyte biolog hemoglob glyc
    bloodgroup bloodtype groupesanguin befund icd10 icd9 icdcode cim10 ccam snomed loinc vaccin immuni impf
    compterendu dischargesummary surgery chirurg radiolog imagerie grossesse pregnan clinicalinformation triage
    acuity referral
    esenzion ricett vacuna vaccina impfstoff antecedentes tratamiento sintom bijzonderhed klacht beschwerd verordnung
    behandlung befunde laborwert esame anamnesi diario clinico
"""
CARE = tuple(_CARE.split())


def fold_key(key: str) -> str:
    """A key as it is compared: ``Date_de-Naissance`` → ``datedenaissance``."""
    key = key[:60]
    if not key.isascii():
        key = "".join(c for c in unicodedata.normalize("NFKD", key) if not unicodedata.combining(c))
    return "".join(c for c in key.lower() if c.isalnum())


def is_patient(key: str) -> bool:
    """Whether a folded key says « patient »; the class, the search or the portal of patients do not."""
    return key in SUBJECT or any(stem in key for stem in PATIENT)


def is_staff(key: str) -> bool:
    """Whether a folded key opens the part about a professional, a relative or an organisation."""
    return not is_patient(key) and any(stem in key for stem in STAFF)


def care(key: str) -> str:
    """The stem of care that a folded key holds, or ""."""
    return next((stem for stem in CARE if stem in key), "")
