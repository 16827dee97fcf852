"""The practice's patient list: name, given name and birth date together are a hit, anything less is none."""

from __future__ import annotations

import random

import pytest

from agent.detection.detector import detect
from agent.detection.fold import fold
from agent.detection.roster.dates import dates_of
from agent.detection.roster.digests import Digests, key_id
from agent.detection.roster.index import Index, decode_index, encode_index
from agent.detection.roster.lookup import Roster
from agent.detection.roster.search import MAX_QUESTIONS, Search
from agent.document import Document, Format, Part
from agent.errors import UntrustedInputError
from agent.findings import Findings, FindingType, Judgement, Kind
from agent.patients.columns import Field
from agent.patients.entries import Gathering
from agent.patients.rows import RowReader

KEY = bytes(range(32))
NIR = "161039999999933"  # nobody's: there is no such country; its key is right
PEOPLE = (
    ("GAUTHIEZ", "", "Nicolas Marie", "12/03/1961", NIR, "80012345"),
    ("LE GALL", "MARTIN", "Jeanne", "01/02/1950", "", "10234"),
    ("PETIT", "", "Hugo", "05/06/2016", "", ""),
    ("MOREAU-DUVAL", "", "Marie-Claire", "14/07/1972", "", ""),
    ("ROUX", "", "Émile", "30/11/1948", "", ""),
    ("N'DIAYE", "", "Aminata", "06/05/1999", "", ""),
    ("THOMAS", "", "Thomas", "07/08/1981", "", ""),
)
FIELDS = (Field.FAMILY, Field.BIRTH_NAME, Field.GIVEN, Field.BIRTH_DATE, Field.NIR, Field.RECORD)


def roster() -> Roster:
    gathering, reader = Gathering(KEY), RowReader(dict(enumerate(FIELDS)))
    for row in PEOPLE:
        patient, reason = reader.read(row)
        assert patient is not None
        assert reason is None
        gathering.add(patient)
    return Roster.open(encode_index(gathering.index(7), KEY), KEY)


ROSTER = roster()


def judged(text: str, format_: Format = Format.TEXT) -> Findings:
    return detect(Document(format_, parts=[Part(text)]), ROSTER)


def found(text: str) -> int:
    return len(Search(ROSTER).text(fold(text).cased).persons)


@pytest.mark.parametrize(
    "text",
    [
        "M. Nicolas GAUTHIEZ, né le 12/03/1961", "GAUTHIEZ Nicolas 12.03.61", "gauthiez nicolas né le 12-03-1961",
        "Nicolas Gauthiez, né le 12 mars 1961 à Nantes", "GAUTHIEZ Marie 1961-03-12", "19610312 GAUTHIEZ Nicolas",
        "Nom : GAUTHIEZ\nPrénom : Nicolas\nSexe : M\nDate de naissance : 12/03/1961",
        "Né le 12 / 03 / 1961\n\nPatient : Nicolas GAUTHIEZ", "Date de naissance 1 2 / 0 3 / 1 9 6 1 GAUTHIEZ Nicolas",
        "G A U T H I E Z Nicolas né le 12/03/1961", "GАUTHIEZ Nicolas né le 12/03/1961",
        "Mr Nicolas GAUTHIEZ\nExamen du 03/01/2023\nDDN : 12/03/1961", "GAUTHIEZ Nicolas, born March 12, 1961",
        "GAUTHIEZ Nicolas, date of birth 03/12/1961",
        "Mme LE GALL Jeanne née le 01/02/1950", "Jeanne LEGALL 01/02/1950", "Mme Le Gall Jeanne, née MARTIN, 1er février 1950",
        "MARTIN Jeanne 01/02/1950", "Marie Claire MOREAU DUVAL 14/07/1972", "Mme Claire Moreau née le 14/07/1972",
        "roux emile 30/11/1948", "N\u2019DIAYE Aminata 06/05/1999", "NDIAYE Aminata 06/05/1999",
        "THOMAS Thomas 07/08/1981",
    ],
)  # fmt: skip
def test_a_listed_patient_however_spelled(text: str) -> None:
    assert found(text) == 1


@pytest.mark.parametrize(
    "text",
    [
        "M. Nicolas GAUTHIEZ", "né le 12/03/1961", "GAUTHIEZ 12/03/1961", "Nicolas 12/03/1961",
        "M. Nicolas GAUTHIEZ, né le 13/03/1961", "M. Nicolas GAUTHIER, né le 12/03/1961",
        "M. Paul GAUTHIEZ, né le 12/03/1961", "M. N. GAUTHIEZ, né le 12/03/1961",
        "GAUTHIEZ Nicolas 12/03/19611", "GAUTHIEZ Nicolas 112/03/1961", "THOMAS 07/08/1981",
        "PETIT Nicolas 12/03/1961", "GAUTHIEZ Hugo 05/06/2016",
        "GAUTHIEZ Nicolas " + "mot " * 80 + " 12/03/1961",  # too far from a date that nothing calls a birth date
        "DURAND Paul 12/03/1961\nBERNARD Luc 04/05/1970\nPOIRIER Jean 01/01/1980\nGAUTHIEZ Nicolas 03/04/1950",
        "GAUTHIEZ\n12/03/1961\nNicolas",  # in a list of cells: another one's given name
        "GAUTHIEZ Nicolas né le 03/04/1950\nDURAND Paul né le 12/03/1961",
        "né le 12/03/1961 DURAND Paul né le 03/04/1950 GAUTHIEZ Nicolas",
        "GAUTHIEZ est le nom d'une rue. " + "mot " * 30 + " Nicolas est un prénom. Né le 12/03/1961",
    ],
)  # fmt: skip
def test_less_than_all_three_together_is_nobody(text: str) -> None:
    assert found(text) == 0


def test_ordinary_names_with_other_peoples_dates_never_match() -> None:
    pick = random.Random(4)
    families = ["MARTIN", "PETIT", "ROUX", "MOREAU", "THOMAS", "GAUTHIEZ", "BERNARD", "DURAND"]
    givens = ["Nicolas", "Jeanne", "Hugo", "Claire", "Émile", "Aminata", "Paul", "Marie"]
    wrong = {(f, g): d for f, g, d in [("MARTIN", "Jeanne", "01/02/1950"), ("PETIT", "Hugo", "05/06/2016"),
             ("ROUX", "Émile", "30/11/1948"), ("MOREAU", "Claire", "14/07/1972"), ("MOREAU", "Marie", "14/07/1972"),
             ("GAUTHIEZ", "Nicolas", "12/03/1961"), ("GAUTHIEZ", "Marie", "12/03/1961")]}  # fmt: skip
    dates = sorted({row[3] for row in PEOPLE})
    lines = []
    for _ in range(400):
        family, given, date = pick.choice(families), pick.choice(givens), pick.choice(dates)
        if wrong.get((family, given)) != date:
            lines.append((family, given, date))
    assert not Search(ROSTER).rows(lines).persons
    assert found("\n".join(" ".join(line) for line in lines)) == 0


def test_a_number_is_a_hit_by_itself_when_it_is_long() -> None:
    assert judged(f"Patient NIR {NIR}").listed
    assert not judged(f"Patient NIR {NIR[:12]}5{NIR[13:]}").listed
    assert judged("IPP : 80012345").listed
    assert not judged("80012345").listed  # without its label
    assert not judged("IPP : 80012346").listed
    assert not judged("N° dossier : 10234").listed  # short: another practice counts as well
    assert judged("N° dossier : 10234, née le 01/02/1950").listed
    assert not judged("N° dossier : 10234, née le 02/02/1950").listed


def test_a_hit_makes_identified_and_needs_less_clinical_content() -> None:
    letter = "Chère Consœur,\nJe vous remercie de recevoir en consultation Mme LE GALL Jeanne née le 01/02/1950.\n"
    assert detect(Document(Format.TEXT, parts=[Part(letter)])).judgement is Judgement.NOT_MEDICAL
    answer = judged(letter)
    assert (answer.judgement, answer.identified, answer.patients) == (Judgement.MEDICAL, True, 1)
    samples = {item.sample for item in answer.items if item.type is FindingType.ROSTER}
    assert samples == {"L••• J•••"}
    stranger = judged(letter.replace("01/02/1950", "02/02/1950"))
    assert stranger.judgement is Judgement.NOT_MEDICAL
    assert not stranger.listed


@pytest.mark.parametrize(
    "text",
    [
        "CONTRAT DE LOCATION\nEntre M. Durand, bailleur, et Mme Jeanne LE GALL née le 01/02/1950, locataire : loyer 700 euros.",
        "FICHE D'INSCRIPTION SCOLAIRE\nÉlève : PETIT Hugo, né le 05/06/2016\nCantine : oui\nAssurance : MAIF",
        "FACTURE 2024-031\nM. Nicolas GAUTHIEZ né le 12/03/1961\nChaise de bureau 120,00 EUR TVA 20 % Total TTC 144,00 EUR",
        "Carte d'embarquement\nGAUTHIEZ/NICOLAS MR 12/03/1961 vol AF1234 Nantes Paris siège 12A",
    ],
)  # fmt: skip
def test_a_paper_about_a_patient_that_says_nothing_of_care_stays_what_it_is(text: str) -> None:
    answer = judged(text)
    assert answer.listed
    assert answer.judgement is Judgement.NOT_MEDICAL


DAY = (
    "Planning du 12/05/2024\n09:00 GAUTHIEZ Nicolas 12/03/1961\n09:15 LE GALL Jeanne 01/02/1950\n09:30 PETIT Hugo "
    "05/06/2016\n09:45 MOREAU Claire 14/07/1972\n10:00 ROUX Emile 30/11/1948\n"
)


def test_a_listing_of_several_patients_is_patient_data() -> None:
    answer = judged(DAY)
    assert (answer.judgement, answer.kind, answer.patients) == (Judgement.MEDICAL, Kind.PATIENT_TABLE, 5)
    assert answer.identified
    four = judged("\n".join(DAY.splitlines()[:-1]))
    assert (four.judgement, four.identified) == (Judgement.NOT_MEDICAL, False)
    members = DAY + "\n".join(f"DURAND Membre{chr(65 + n)} {n + 1:02}/04/{1960 + n}" for n in range(14))
    assert judged(members).judgement is Judgement.NOT_MEDICAL


def test_a_table_is_read_row_by_row() -> None:
    rows = [
        ("Heure", "Nom", "Prénom", "Né le"),
        *((f"09:{n:02}", row[0], row[2], row[3]) for n, row in enumerate(PEOPLE)),
    ]
    text = "\n".join(map(";".join, rows))
    answer = detect(Document(Format.CSV, tables=[rows], parts=[Part(text)]), ROSTER)
    assert (answer.judgement, answer.kind, answer.patients) == (Judgement.MEDICAL, Kind.PATIENT_TABLE, len(PEOPLE))
    shifted = [rows[0], *((*row[:3], other[3]) for row, other in zip(rows[1:], rows[2:], strict=False))]
    text = "\n".join("\n".join(row) for row in shifted)  # one cell a line: only the rows tell who was born when
    assert not detect(Document(Format.CSV, tables=[shifted], parts=[Part(text)]), ROSTER).listed


def test_a_structured_format_is_looked_up_by_its_patient() -> None:
    message = "MSH|^~\\&|A|B|C|D|20240101||ADT^A01|1|P|2.5\rPID|1||1||LE GALL^JEANNE||19500201|F\rPV1|1|I\r"
    answer = detect(Document(Format.HL7V2, raw=message.encode(), parts=[Part(message)]), ROSTER)
    assert answer.kind is Kind.HL7V2
    assert answer.listed
    other = message.replace("19500201", "19500202")
    assert not detect(Document(Format.HL7V2, raw=other.encode(), parts=[Part(other)]), ROSTER).listed


def test_without_a_list_nothing_changes() -> None:
    document = Document(Format.TEXT, parts=[Part(DAY)])
    assert detect(document) == detect(document, None)
    assert not detect(document).listed


@pytest.mark.parametrize(
    ("written", "iso"),
    [
        ("12/03/1961", ("1961-03-12", "1961-12-03")), ("1961-03-12T00:00:00", ("1961-03-12",)), ("19610312", ("1961-03-12",)),
        ("19610312101500", ("1961-03-12",)), ("31/12/61", ("1961-12-31", "2061-12-31")), ("1er août 1961", ("1961-08-01",)),
        ("29/02/1961", ()), ("31/04/1961", ()), ("00/00/1961", ()), ("", ()), ("12/03", ()), ("99999999", ()),
    ],
)  # fmt: skip
def test_the_dates_that_may_be_meant(written: str, iso: tuple[str, ...]) -> None:
    assert dates_of(written) == iso


def test_work_is_bounded_however_many_dates_there_are() -> None:
    search = Search(ROSTER)
    page = fold("GAUTHIEZ Paul " + "12/03/1961 né le 01/02/1950 LE MARTIN PETIT ROUX\n" * 110).cased
    for _ in range(1_000):
        search.text(page)
        if search._left <= 0:
            break
    assert search._left <= 0
    assert search._left > -MAX_QUESTIONS // 10
    assert not search.text(fold("M. Nicolas GAUTHIEZ né le 12/03/1961").cased).persons


def sealed() -> bytes:
    gathering, reader = Gathering(KEY), RowReader(dict(enumerate(FIELDS)))
    for row in PEOPLE:
        patient, _ = reader.read(row)
        assert patient is not None
        gathering.add(patient)
    return encode_index(gathering.index(7), KEY)


def test_a_list_goes_both_ways_and_says_nothing_in_clear() -> None:
    data = sealed()
    index = decode_index(data, KEY)
    assert encode_index(index, KEY) == data
    assert len(index.patients) == len(PEOPLE)
    assert index.loaded == 7
    for word in (b"gauthiez", b"GAUTHIEZ", b"1961", b"80012345", KEY):
        assert word not in data
    assert "GAUTHIEZ" not in repr(index)
    assert key_id(KEY) != key_id(bytes(32))


def test_any_change_to_a_list_is_refused() -> None:
    data = sealed()
    for place in range(0, len(data), 7):
        changed = bytearray(data)
        changed[place] ^= 0x10
        with pytest.raises(UntrustedInputError):
            decode_index(bytes(changed), KEY)
    for cut in (0, 10, len(data) - 1):
        with pytest.raises(UntrustedInputError):
            decode_index(data[:cut], KEY)
    for key in (bytes(32), KEY[:31], b""):
        with pytest.raises(UntrustedInputError):
            decode_index(data, key)


def test_another_key_gives_other_digests() -> None:
    one, other = Gathering(KEY), Gathering(bytes(32))
    patient, _ = RowReader(dict(enumerate(FIELDS))).read(PEOPLE[0])
    assert patient is not None
    one.add(patient)
    other.add(patient)
    first, second = one.index(), other.index()
    for name in ("births", "surnames", "families", "entries", "patients"):
        assert set(getattr(first, name)).isdisjoint(getattr(second, name))


def test_a_digest_of_one_domain_is_none_of_another() -> None:
    index: Index = decode_index(sealed(), KEY)
    sections = [set(index.births), set(index.surnames), set(index.families), set(index.entries)]
    assert sum(map(len, sections)) == len(set().union(*sections))
    digests = Digests(KEY)
    asked = [digests.birth, digests.surname, digests.nir, digests.record]
    assert len({ask(b"x|y") for ask in asked} | {digests.family(b"x", b"y"), digests.dated_record(b"x", b"y")}) == 6
