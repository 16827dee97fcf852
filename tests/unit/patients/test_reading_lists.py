"""From the cells of an export to what is entered: columns, rows, digests."""

from __future__ import annotations

import pytest

from agent.detection.roster.index import Index
from agent.errors import UntrustedInputError, UsageError
from agent.patients import wire
from agent.patients.building import RefusedError, build, rows_of
from agent.patients.columns import Field, choose, enough, field_of, find_headings, read_wanted
from agent.patients.entries import Gathering, merged
from agent.patients.rows import Patient, Reason, RowReader, birth_dates, writes_month_first
from agent.patients.wire import Received, Refusal

KEY = bytes(32)
NAMED = {0: Field.FAMILY, 1: Field.GIVEN, 2: Field.BIRTH_DATE, 3: Field.NIR, 4: Field.RECORD}


@pytest.mark.parametrize(
    ("heading", "field"),
    [
        ("Nom", Field.FAMILY), ("NOM_D_USAGE", Field.FAMILY), ("NomDeNaissance", Field.BIRTH_NAME), ("Prénom(s)", Field.GIVEN),
        ("date de naissance", Field.BIRTH_DATE), ("DDN", Field.BIRTH_DATE), ("Né(e) le", Field.BIRTH_DATE),
        ("Birth Date", Field.BIRTH_DATE), ("N° Sécu", Field.NIR), ("Matricule INS", Field.NIR), ("IPP", Field.RECORD),
        ("N° de dossier", Field.RECORD), ("Nom et prénom", Field.FULL_NAME), ("Last name", Field.FAMILY),
        ("Adresse", None), ("Nom du médecin", None), ("", None), ("Date", None), ("Sexe", None),
    ],
)  # fmt: skip
def test_headings(heading: str, field: Field | None) -> None:
    assert field_of(heading) is field


def test_headings_may_stand_below_a_title() -> None:
    rows = [("Liste des patients", ""), ("Nom", "Prénom", "DDN"), ("A", "B", "01/01/1950")]
    assert find_headings(rows) == (2, {0: Field.FAMILY, 1: Field.GIVEN, 2: Field.BIRTH_DATE})


def test_columns_may_be_named_by_heading_or_number() -> None:
    rows = [("Usager", "x", "Jour"), ("A", "B", "01/01/1950")]
    wanted = read_wanted("name=usager, birth-date=3")
    assert choose(rows, wanted) == (1, {0: Field.FULL_NAME, 2: Field.BIRTH_DATE})
    assert choose(rows, read_wanted("name=personne")) is None
    assert choose([("Nom", "²")], read_wanted("family=²,given=٣")) is None  # headings, if anything
    assert choose([("²", "Né")], read_wanted("family=²,birth-date=né")) == (1, {0: Field.FAMILY, 1: Field.BIRTH_DATE})
    assert choose(rows[1:], read_wanted("family=1,given=2,birth-date=3")) == (0, dict(list(NAMED.items())[:3]))


@pytest.mark.parametrize("text", ["colour=1", "family", "family=", "family=0", "family=4000", "=1"])
def test_columns_that_are_not_understood(text: str) -> None:
    with pytest.raises(UsageError):
        read_wanted(text)


def test_what_columns_are_enough() -> None:
    assert enough({0: Field.FAMILY, 1: Field.BIRTH_DATE})
    assert enough({0: Field.NIR})
    assert not enough({0: Field.FAMILY, 1: Field.GIVEN})
    assert not enough({0: Field.BIRTH_DATE})


@pytest.mark.parametrize(
    ("cell", "dates"),
    [
        ("12/03/1961", (b"1961-03-12",)), ("1961-03-12 00:00:00", (b"1961-03-12",)), ("12 mars 1961", (b"1961-03-12",)),
        ("12.03.61", (b"1961-03-12", b"2061-03-12")), ("22352", (b"1961-03-12",)), ("22352.0", (b"1961-03-12",)),
        ("19610312", (b"1961-03-12",)), ("31/02/1961", ()), ("00/00/1950", ()), ("inconnue", ()), ("", ()), ("13/13/1961", ()),
    ],
)  # fmt: skip
def test_birth_dates_of_an_export(cell: str, dates: tuple[bytes, ...]) -> None:
    assert birth_dates(cell, month_first=False) == dates


def test_an_american_column_is_told_by_its_own_dates() -> None:
    assert writes_month_first(["03/04/1961", "12/31/1970"])
    assert not writes_month_first(["03/04/1961", "12/31/1970", "31/12/1970"])
    assert not writes_month_first(["03/04/1961"])
    assert birth_dates("03/12/1961", month_first=True) == (b"1961-03-12",)


def read(*cells: str, columns: dict[int, Field] = NAMED) -> tuple[Patient | None, Reason | None]:
    return RowReader(columns).read(cells)


def test_the_forms_of_a_name() -> None:
    patient, reason = read("DUPONT (née MARTIN-LE GOFF)", "Jean-Pierre Michel", "12/03/1961")
    assert reason is None
    assert patient is not None
    assert {b"dupont", b"martinlegoff", b"martin", b"goff"} <= set(patient.families)
    assert set(patient.givens) == {b"jean", b"pierre", b"michel", b"jeanpierre"}


@pytest.mark.parametrize(
    ("full", "family", "given"),
    [
        ("DUPONT Jeanne", b"dupont", b"jeanne"), ("Jeanne DUPONT", b"dupont", b"jeanne"), ("Dupont, Jeanne", b"dupont", b"jeanne"),
        ("Mme LE GALL Jeanne", b"legall", b"jeanne"), ("Dupont Jeanne", b"dupont", b"jeanne"), ("Jeanne Dupont", b"dupont", b"jeanne"),
    ],
)  # fmt: skip
def test_a_full_name_in_one_cell(full: str, family: bytes, given: bytes) -> None:
    patient, _ = read(full, "12/03/1961", columns={0: Field.FULL_NAME, 1: Field.BIRTH_DATE})
    assert patient is not None
    assert family in patient.families
    assert given in patient.givens


@pytest.mark.parametrize(
    ("cells", "used", "reason"),
    [
        (("DUPONT", "Jeanne", "31/02/1961", "", ""), False, Reason.NO_BIRTH),
        (("", "Jeanne", "12/03/1961", "", ""), False, Reason.NO_NAME), (("DUPONT", "", "12/03/1961", "", ""), False, Reason.NO_NAME),
        (("", "", "", "", ""), False, Reason.EMPTY), (("DUPONT", "Jeanne"), False, Reason.NO_BIRTH),
        (("DUPONT", "Jeanne", "12/03/1961", "161039999999900", ""), True, Reason.BAD_NUMBER),
        (("", "", "", "", "80012345"), True, None), (("", "", "", "", "10234"), False, Reason.NO_BIRTH),
        (("张", "伟", "12/03/1961", "", ""), False, Reason.NO_NAME),
    ],
)  # fmt: skip
def test_rows_that_are_not_whole(cells: tuple[str, ...], used: bool, reason: Reason | None) -> None:
    patient, found = read(*cells)
    assert (patient is not None, found) == (used, reason)


def gathered(*rows: tuple[str, ...]) -> Index:
    gathering = Gathering(KEY)
    for row in rows:
        patient, _ = read(*row)
        assert patient is not None
        gathering.add(patient)
    return gathering.index(1)


def test_the_same_patient_twice_is_one_and_twins_are_two() -> None:
    gathering = Gathering(KEY)
    rows = [
        ("DUPONT", "Jeanne", "12/03/1961"),
        ("Dupont", "Jeanne Marie", "12/03/1961"),
        ("DUPONT", "Paul", "12/03/1961"),
    ]
    added = []
    for row in rows:
        patient, _ = read(*row)
        assert patient is not None
        added.append(gathering.add(patient))
    assert added == [True, False, True]
    assert gathering.patients == 2


def test_children_with_their_parents_number_are_patients_of_their_own() -> None:
    number = "161039999999933"  # nobody's: there is no such country
    index = gathered(("DUPONT", "Paul", "12/03/1961", number), ("DUPONT", "Léa", "01/02/2015", number))
    assert len(index.entries) == 3  # two names, one number
    assert len(index.patients) == 2


def test_adding_a_list_to_a_list() -> None:
    first = gathered(("DUPONT", "Jeanne", "12/03/1961"), ("PETIT", "Hugo", "05/06/2016"))
    second = gathered(("PETIT", "Hugo", "05/06/2016"), ("ROUX", "Émile", "30/11/1948"))
    both = merged(first, second)
    every = gathered(
        ("DUPONT", "Jeanne", "12/03/1961"), ("PETIT", "Hugo", "05/06/2016"), ("ROUX", "Émile", "30/11/1948")
    )
    assert both == every
    assert merged(both, first) == both


TEXT = 'nom;prénom;date de naissance\n"DUPONT";Jeanne;12/03/1961\n\nPETIT;"Hugo;Louis";05/06/2016\n'


@pytest.mark.parametrize("encoding", ["utf-8", "utf-8-sig", "cp1252", "cp850", "utf-16", "utf-16-le"])
@pytest.mark.parametrize("separator", [";", "\t", ",", "|"])
def test_every_separator_and_encoding(encoding: str, separator: str) -> None:
    rows = rows_of(TEXT.replace("Hugo;Louis", "Hugo").replace(";", separator).encode(encoding), [])
    assert rows == [
        ("nom", "prénom", "date de naissance"),
        ("DUPONT", "Jeanne", "12/03/1961"),
        ("PETIT", "Hugo", "05/06/2016"),
    ]


@pytest.mark.parametrize("stray", [(4,), (4, 30), (4, 30, 31)])
def test_a_stray_quotation_mark_swallows_no_patient(stray: tuple[int, ...]) -> None:
    lines = ["nom;prénom;né le", *(f"DUPONT{chr(65 + at % 26)};Jean;{1 + at % 28:02}/03/1950" for at in range(60))]
    for at in stray:
        lines[at] = lines[at].replace(";Jean", ';"Jean')
    rows = rows_of("\r\n".join(lines).encode(), [])
    assert rows == rows_of("\n".join(lines).replace('"', "").encode(), [])
    assert len(rows) == 61


def test_a_separator_within_quotes_is_none() -> None:
    lines = rows_of('nom;prénom;né le\n"ROUX; A";"Jean\nPaul";01/02/1950\nROUX;Luc;01/02/1950\n'.encode(), [])
    assert lines[1] == ("ROUX; A", "Jean\nPaul", "01/02/1950") and len(lines) == 3
    assert rows_of(TEXT.encode(), [])[2][1] == "Hugo;Louis"
    assert rows_of(b"sep=;\r\n" + TEXT.encode(), [])[0][0] == "nom"


def answers(text: str, wanted: str = "") -> Received:
    received = Received()
    chosen = read_wanted(wanted)
    for message in build(rows_of(text.encode(), chosen), chosen, KEY):
        received.take(message)
    return received


def test_what_the_parent_gets_is_what_was_read() -> None:
    received = answers(TEXT + ";Paul;03/04/1980\nROUX;Émile;hier\n")
    report = received.report
    assert (report.rows, report.used, report.doubles) == (4, 2, 0)
    assert report.bad == [(4, Reason.NO_NAME), (5, Reason.NO_BIRTH)]
    assert report.reasons == {Reason.NO_NAME: 1, Reason.NO_BIRTH: 1}
    assert received.index(1) == gathered(("DUPONT", "Jeanne", "12/03/1961"), ("PETIT", "Hugo;Louis", "05/06/2016"))
    assert (received.done, received.total) == (4, 4)


@pytest.mark.parametrize(
    ("text", "wanted", "why"),
    [
        ("une lettre\nsans table\n", "", Refusal.NO_TABLE), ("a;b\n1;2\n", "", Refusal.NO_COLUMNS),
        ("nom;prénom\nA;B\n", "", Refusal.NO_COLUMNS), (TEXT, "family=usager", Refusal.NO_SUCH_HEADING),
        ("nom;prénom;ddn\nA;B;C\n", "", Refusal.NO_PATIENT), ("", "", Refusal.NO_TABLE),
        ("nom;prénom;ddn\n" + "x" * 200_000 + ";B;C\n", "", Refusal.UNREADABLE),
    ],
)  # fmt: skip
def test_what_is_refused_whole(text: str, wanted: str, why: Refusal) -> None:
    with pytest.raises(RefusedError) as raised:
        answers(text, wanted)
    assert raised.value.why is why


@pytest.mark.parametrize(
    "message",
    [
        b"", b"Z", b"P", b"P" + bytes(7), b"P" + b"\xff" * 8, b"S", b"S\x06" + bytes(8), b"S\x00" + bytes(7), b"B" + bytes(5),
        b"C" + b"\xff" * 3, b"C\x00\x00\x09", b"E" + bytes(3), b"X", b"X\x00", b"X\x63", b"S\x00" + bytes(40_000),
    ],
)  # fmt: skip
def test_a_child_that_says_something_else_is_not_believed(message: bytes) -> None:
    with pytest.raises(UntrustedInputError):
        Received().take(message)


def test_sections_that_do_not_fit_together_are_no_list() -> None:
    good = list(build(rows_of(TEXT.encode(), []), [], KEY))
    for left_out in range(len(good)):
        received = Received()
        for message in good[:left_out] + good[left_out + 1 :]:
            if not received.finished:
                received.take(message)
        if good[left_out][:2] in {b"S\x03", b"S\x04", b"S\x05"}:
            with pytest.raises(UntrustedInputError):
                received.index(1)
    for section in (b"S\x00", b"S\x01", b"S\x02", b"S\x03", b"S\x05"):
        received = Received()
        for message in good:
            turned = message[:2] + message[10:18] + message[2:10] + message[18:]
            received.take(turned if message[:2] == section else message)
        with pytest.raises(UntrustedInputError):
            received.index(1)


def test_nothing_of_a_patient_travels() -> None:
    messages = b"".join(build(rows_of((TEXT + "ROUX;Émile;hier\n").encode(), []), [], KEY))
    for word in (b"DUPONT", b"dupont", b"Jeanne", b"jeanne", b"1961", b"ROUX", b"prenom", b"nom"):
        assert word not in messages
    extension, wanted, size = wire.decode_request(wire.encode_request("csv", [(Field.FAMILY, "Nom=x")], 12))
    assert (extension, wanted, size) == ("csv", [(Field.FAMILY, "Nom=x")], 12)
