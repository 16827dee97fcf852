"""Every national number with a check: any one digit changed to any other is refused, with its label beside it."""

from importlib import import_module

import pytest

from agent.detection.detector import detect
from agent.detection.identifiers import find_identifiers, national
from agent.document import Document, Format, Part
from agent.findings import FindingType, Judgement


def completed(pattern: str, check) -> str:
    """The pattern with the digits that make it right in place of its signs «?» (invented numbers)."""
    count = pattern.count("?")
    for number in range(10**count):
        text = pattern
        for digit in f"{number:0{count}d}":
            text = text.replace("?", digit, 1)
        if check(text):
            return text
    raise AssertionError(pattern)


def known(module: str):
    return national.standard(module)


CHECKED = [
    ("GB", "NHS number", completed("943 476 591?", known("gb.nhs"))),
    ("GB", "CHI", completed("120361421?", known("gb.nhs"))),
    ("DE", "KVNR", completed("K12034567?", national.kvnr)),
    ("BE", "INSZ", completed("610312 123 ??", known("be.ssn"))),
    ("BE", "NISS", completed("614312 123 ??", known("be.ssn"))),
    ("NL", "BSN", completed("12345678?", known("nl.bsn"))),
    ("ES", "DNI", "54362315K"),
    ("ES", "NIE", "X-2482300W"),
    ("ES", "Número de la Seguridad Social", completed("28 12345678 ??", national.spanish_security)),
    ("ES", "NUSS", completed("0801234567??", national.spanish_security)),
    ("IT", "Codice fiscale", "RCCMNL83S18D969H"),
    ("CH", "AHV-Nr.", completed("756.1234.5678.9?", known("ch.ssn"))),
    ("AT", "SV-Nummer", completed("123? 120361", known("at.vnr"))),
    ("LU", "Matricule", completed("19610312123??", national.luxembourg)),
    ("SE", "personnummer", completed("610312-123?", national.swedish)),
    ("SE", "samordningsnummer / personnr", completed("610372-123?", national.swedish)),
    ("NO", "fødselsnummer", completed("12036112???", known("no.fodselsnummer"))),
    ("NO", "fødselsnummer", completed("52036112???", known("no.fodselsnummer"))),
    ("FI", "HETU", "131052-308T"),
    ("PL", "PESEL", completed("6103121234?", known("pl.pesel"))),
    ("CZ", "rodne cislo", completed("610312/123?", known("cz.rc"))),
    ("RO", "CNP", completed("16103121234??", lambda n: n[-1] != "1" and known("ro.cnp")(n))),
    ("CA", "PHN", completed("912345678?", known("ca.bc_phn"))),
    ("IE", "PPSN", "6433435F"),
    ("IE", "Individual Health Identifier", completed("5391234812345678??", national.irish_health)),
    ("GR", "AMKA", completed("1203611234?", known("gr.amka"))),
    ("IS", "kennitala", completed("120361-12??", lambda n: n[-1] == "9" and known("is_.kennitala")(n))),
]  # fmt: skip
# numbers that have no public check digit, or one that is not kept any more: shape, possible date, and a label
SHAPED = [
    ("DK", "CPR", "120361-1234", "320361-1234"),
    ("PT", "Número de utente", "123 456 789", "023 456 789"),
    ("US", "Medicare beneficiary", "1EG4-TE5-MK73", "0EG4-TE5-MK73"),
    ("ES", "tarjeta sanitaria CIP", "KEOD1610312001", "KE0D1610312001"),
    ("US", "SSN", "536-90-4399", "666-90-4399"),
]


def foreign(text: str) -> list[tuple[str, str]]:
    return [(hit.country, hit.value) for hit in find_identifiers(text) if hit.type is FindingType.FOREIGN_ID]


def plain(number: str) -> str:
    return "".join(c for c in number if c.isalnum())


@pytest.mark.parametrize(("country", "label", "number"), CHECKED)
def test_found_with_its_label(country, label, number):
    assert (country, plain(number)) in foreign(f"{label} : {number}, page 2")


@pytest.mark.parametrize(("country", "label", "number"), CHECKED)
def test_any_other_digit_is_refused(country, label, number):
    unchecked = len(number) - 1 if country == "IS" else None  # the century of a kennitala is outside its check
    for place, digit in enumerate(number):
        if place == unchecked:
            continue
        for other in "0123456789" if digit.isdigit() else "":
            wrong = number[:place] + other + number[place + 1 :]
            if other != digit:
                assert (country, plain(wrong)) not in foreign(f"{label} : {wrong}, page 2"), wrong


@pytest.mark.parametrize(("country", "label", "number", "wrong"), SHAPED)
def test_numbers_without_a_check_need_shape_and_label(country, label, number, wrong):
    assert foreign(f"{label} : {number}, page 2") == [(country, plain(number))]
    assert foreign(f"référence {number}, page 2") == []
    assert (country, plain(wrong)) not in foreign(f"{label} : {wrong}, page 2")


WEAK = [row for row in CHECKED if row[0] not in {"IT", "CH", "FI"}]


@pytest.mark.parametrize(("country", "label", "number"), WEAK)
def test_without_its_label_a_weakly_checked_number_is_a_number(country, label, number):
    assert foreign(f"facture {number}, page 2") == []


@pytest.mark.parametrize(("country", "label", "number"), CHECKED)
def test_a_number_alone_is_never_medical(country, label, number):
    for text in (f"{label} : {number}", number, f"{label} : {number}\n" * 40):
        assert detect(Document(Format.TEXT, raw=text.encode(), parts=[Part(text)])).judgement is Judgement.NOT_MEDICAL


def test_italian_codes_whose_digits_gave_way_to_letters():
    calc = import_module("stdnum.it.codicefiscale").calc_check_digit
    for body in ("RCCMNL83S18D96V", "RCCMNL83S18D9SV", "RCCMNL83S1UD9SV", "RCCMNL8PS1UDVSV"):
        code = body + calc(body)
        assert foreign(f"paziente {code}") == [("IT", code)], code
        for wrong in "ABCDEFGHIJKLMNOPQRSTUVWXYZ".replace(code[-1], ""):
            assert foreign(f"Codice fiscale {body}{wrong}") == []


def test_capitals_are_no_codes():
    words = "INTERNAZIONALMENTE DEMOCRATICAMENTE PROFESSIONALMENT SPLENDIDISSIMO LPQRSTUVLMNPQRST " * 20
    assert foreign(words + "1") == []


def test_finnish_signs_of_2023():
    for sign in "YXWVUBCDEF":
        year = "94" if sign in "YXWVU" else "16"
        check = "0123456789ABCDEFHJKLMNPRSTUVWXY"[int(f"0105{year}003") % 31]
        assert foreign(f"potilas 0105{year}{sign}003{check}") == [("FI", f"0105{year}{sign}003{check}")]
        assert foreign(f"hetu 0105{year}{sign}004{check}") == []


def test_the_spanish_code_of_the_whole_country():
    assert foreign("Código SNS: BBBBBBBBKE123456") == [("ES", "BBBBBBBBKE123456")]
    assert foreign("AAAAAAAABBBBBBBBKE123456") == []


def test_german_key_follows_the_published_examples():
    assert national.kvnr("A000500015") and national.kvnr("C000500021")
    assert not national.kvnr("A000500016") and not national.kvnr("a00050001")


def test_checks_take_anything():
    for check in (national.kvnr, national.luxembourg, national.portuguese, national.finnish, national.swedish,
                  national.irish_health, national.spanish_security, national.italian):  # fmt: skip
        for value in ("", "A", "٣" * 12, "0" * 18, "9" * 12, "-" * 40, "A" * 16, "１２３４５６７８９０"):
            assert check(value) in {True, False}
