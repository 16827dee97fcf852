"""Foreign numbers: the published examples pass with their label, one wrong digit does not, nor do weak ones alone."""

import pytest

from agent.detection.identifiers import find_identifiers
from agent.findings import FindingType

# (country, label, number, found without label too); numbers are the issuers' or python-stdnum's published examples
EXAMPLES = [
    ("GB", "NHS number", "943 476 5919", False),
    ("US", "SSN", "536-90-4399", False),
    ("DE", "KVNR", "A000500015", False),
    ("BE", "INSZ", "85.07.30-033.28", True),
    ("BE", "NISS", "85073003328", False),
    ("NL", "BSN", "111222333", False),
    ("ES", "DNI", "54362315K", False),
    ("ES", "NIE", "X-2482300W", False),
    ("IT", "Codice fiscale", "RCCMNL83S18D969H", True),
    ("CH", "AHV-Nr.", "756.9217.0769.85", True),
    ("AT", "SV-Nummer", "1237 010180", False),
    ("SE", "personnummer", "880320-0016", False),
    ("PL", "PESEL", "44051401359", False),
    ("FI", "HETU", "131052-308T", True),
    ("US", "Medicare beneficiary", "1EG4-TE5-MK73", False),
]
# schemes whose every digit is under a check
CHECKED = [row for row in EXAMPLES if row[1] not in {"SSN", "Medicare beneficiary"}]


def foreign(text: str) -> list[tuple[str, str]]:
    return [(hit.country, hit.value) for hit in find_identifiers(text) if hit.type is FindingType.FOREIGN_ID]


def plain(number: str) -> str:
    return "".join(c for c in number if c.isalnum())


@pytest.mark.parametrize(("country", "label", "number", "alone"), EXAMPLES)
def test_published_examples(country, label, number, alone):
    assert foreign(f"{label}: {number}, page 2") == [(country, plain(number))]
    assert foreign(f"reference {number}, page 2") == ([(country, plain(number))] if alone else [])


@pytest.mark.parametrize(("country", "label", "number", "alone"), CHECKED)
def test_one_wrong_digit(country, label, number, alone):
    del alone
    for place, digit in enumerate(number):
        if digit.isdigit():
            wrong = number[:place] + str((int(digit) + 1) % 10) + number[place + 1 :]
            assert (country, plain(wrong)) not in foreign(f"{label}: {wrong}, page 2"), wrong


def test_luxembourg_checks_both_digits():
    from stdnum import luhn, verhoeff

    eleven = "19750314123"
    number = eleven + luhn.calc_check_digit(eleven) + verhoeff.calc_check_digit(eleven)
    assert foreign(f"Matricule CNS {number}") == [("LU", number)]
    assert foreign(f"référence {number}") == []
    for place in range(13):
        wrong = number[:place] + str((int(number[place]) + 1) % 10) + number[place + 1 :]
        assert foreign(f"Matricule CNS {wrong}") == [], wrong
