"""French identifiers: every layout people write is found, every wrong digit is refused, and no label means no hit."""

import random

import pytest

from agent.detection.identifiers import Hit, find_identifiers, finess, mask, nir, rpps
from agent.findings import FindingType

MAINLAND = "2790351215189" + f"{nir.key_of('2790351215189'):02d}"
CORSICA = "185052A006084" + f"{nir.key_of('185052A006084'):02d}"
CORSICA_SOUTH = "185052B006084" + f"{nir.key_of('185052B006084'):02d}"


def groups(number: str, separator: str = " ") -> str:
    cuts = (0, 1, 3, 5, 7, 10, 13, 15)
    return separator.join(number[a:b] for a, b in zip(cuts, cuts[1:], strict=False))


def kinds(text: str) -> list[FindingType]:
    return [hit.type for hit in find_identifiers(text)]


def only(text: str) -> Hit:
    (hit,) = find_identifiers(text)
    return hit


def test_the_key_follows_the_published_rule():
    # the agency's fictitious PAT-TROIS; the key is 97 - N mod 97
    assert nir.key_of("2790351215189") == 97 - 2790351215189 % 97
    assert nir.key_of("185052A006084") == 97 - 1850519006084 % 97
    assert nir.key_of("185052B006084") == 97 - 1850518006084 % 97


@pytest.mark.parametrize("number", [MAINLAND, CORSICA, CORSICA_SOUTH])
@pytest.mark.parametrize(
    "write",
    [
        str,
        groups,
        lambda n: groups(n, "."),
        lambda n: groups(n, "\u00a0"),
        lambda n: groups(n, "\u202f"),
        " ".join,
        " | ".join,
        lambda n: f"{n[:13]} clé {n[13:]}",
        lambda n: f"{groups(n[:13])} (clé : {n[13:]})",
        lambda n: f"{n[:13]}/{n[13:]}",
        str.lower,
    ],
)
def test_every_layout_is_found_without_context(number, write):
    text = f"Bonjour {write(number)}, merci"
    hit = only(text)
    assert (hit.type, hit.value, hit.country) == (FindingType.NIR, number, "FR")
    assert hit.strength == pytest.approx(0.95)
    assert text[hit.start : hit.end][0] == number[0]
    assert text[hit.start : hit.end][-1] == number[-1]


@pytest.mark.parametrize("number", [MAINLAND, CORSICA])
@pytest.mark.parametrize("place", range(15))
def test_one_wrong_digit_is_refused_even_with_a_label(number, place):
    for digit in "0123456789":
        if digit == number[place] or not number[place].isdigit():
            continue
        wrong = number[:place] + digit + number[place + 1 :]
        assert FindingType.NIR not in kinds(f"NIR : {wrong}"), wrong
        assert FindingType.NIR not in kinds(groups(wrong)), wrong


@pytest.mark.parametrize(
    "thirteen",
    [
        "0790351215189",
        "5790351215189",
        "2791351215189",
        "2790051215189",
        "2790300215189",
        "2790351000189",
        "2790351215000",
    ],
)
def test_impossible_structure_is_refused_with_a_right_key(thirteen):
    assert kinds(f"{thirteen}{nir.key_of(thirteen):02d}") == []


def test_provisional_numbers_and_odd_months_need_a_label():
    for thirteen in ("3790351215189", "4790351215189", "7790351215189", "2793251215189"):
        number = f"{thirteen}{nir.key_of(thirteen):02d}"
        assert kinds(f"total {number}") == []
        assert kinds(f"NIR provisoire : {number}") == [FindingType.NIR]


def test_thirteen_digits_need_a_label():
    assert kinds(f"Article {MAINLAND[:13]}") == []
    hit = only(f"N° de sécurité sociale {groups(MAINLAND[:13])}")
    assert (hit.type, hit.strength) == (FindingType.NIR, pytest.approx(0.7))


def test_a_longer_run_of_digits_holds_no_number():
    assert kinds(f"{MAINLAND}7") == []
    assert kinds(f"4{MAINLAND}") == []
    assert kinds(f"A{MAINLAND}") == []


def test_a_label_makes_it_an_ins():
    assert only(f"Matricule INS : {groups(CORSICA)}").type is FindingType.INS
    assert only(f"INS {MAINLAND} OID 1.2.250.1.213.1.4.8").type is FindingType.INS
    assert only(f"Numéro de sécurité sociale : {MAINLAND}").type is FindingType.NIR


def test_ins_datamatrix_text():
    block = "IS01" + "0" * 22 + f"S1{MAINLAND}S21.2.250.1.213.1.4.8S3ODETTE\x1dS4BERGERAC\x1dS5FS612-03-1979S751215"
    assert [(hit.type, hit.value) for hit in find_identifiers(block)][0] == (FindingType.INS, MAINLAND)
    assert FindingType.INS not in kinds(block.replace(MAINLAND, MAINLAND[:14] + str((int(MAINLAND[14]) + 1) % 10)))


def test_rpps_is_luhn_and_labelled():
    number = next(n for n in (f"1000001234{d}" for d in range(10)) if rpps.valid(n))
    assert only(f"Dr Odile RAMBERT - RPPS : {number}").value == number
    assert only(f"RPPS 8{number}").type is FindingType.RPPS
    assert kinds(f"commande {number}") == []
    for place in range(1, 11):
        for step in range(1, 10):
            wrong = number[:place] + str((int(number[place]) + step) % 10) + number[place + 1 :]
            assert kinds(f"RPPS : {wrong}") == [], wrong


def test_finess_is_luhn_and_labelled():
    number = next(n for n in (f"49000012{d}" for d in range(10)) if finess.valid(n))
    assert only(f"N° FINESS {number}").type is FindingType.FINESS
    for corsican in ("2A0000014", "2B0000020"):
        assert only(f"FINESS : {corsican}").type is FindingType.FINESS
        assert kinds(f"FINESS : {corsican[:8]}{(int(corsican[8]) + 1) % 10}") == []
    assert kinds(f"SIREN {number}") == []
    for place in range(9):
        wrong = number[:place] + str((int(number[place]) + 1) % 10) + number[place + 1 :]
        assert FindingType.FINESS not in kinds(f"FINESS {wrong}"), wrong


def test_adeli_needs_its_label_and_a_departement():
    assert only("N° ADELI : 491012345").type is FindingType.ADELI
    assert kinds("ADELI : 001012345") == []
    assert kinds("référence 491012345") == []


def test_hospital_numbers_follow_their_labels():
    found = find_identifiers("IPP : 8001234567 NDA : 123456789  N° de dossier 20231234  MRN: 00123456")
    assert [(hit.type, hit.value) for hit in found] == [
        (FindingType.IPP, "8001234567"),
        (FindingType.NDA, "123456789"),
        (FindingType.NDA, "20231234"),
        (FindingType.IPP, "00123456"),
    ]


@pytest.mark.parametrize(
    "text",
    [
        "IPP 15 %",
        "taux d'IPP : 12",
        "IPP à dose de 20 mg",
        "NDA : 12/03/2024",
        "patient de 54 ans",
        "CLIPP : 123456",
        "IPP",
    ],
)
def test_what_only_looks_like_a_hospital_number(text):
    assert kinds(text) == []


def test_contacts():
    text = "Tél : 06 12 34 56 78, odile@exemple.fr, 12 bis rue des Lilas, 49000 Angers"
    assert kinds(text) == [FindingType.PHONE, FindingType.EMAIL_ADDRESS, FindingType.ADDRESS]
    assert kinds("voir @odile ou a@b, 12 rue") == []


def test_a_grid_of_random_numbers_is_noise_and_a_column_of_numbers_is_not():
    source = random.Random(7)
    noise = [f"2{source.randrange(10**14):014d}" for _ in range(3000)]
    lucky = [n for n in noise if nir.valid_strict(n)]
    noise += lucky or [MAINLAND]
    assert FindingType.NIR not in kinds("\n".join(noise))
    people = [f"1{y:02d}0549{c:03d}123" for y in range(40, 60) for c in (7, 8)]
    column = [n + f"{nir.key_of(n):02d}" for n in people]
    assert len(find_identifiers("\n".join(column))) == 40


def test_mask_shows_three_characters_at_most():
    assert mask(MAINLAND) == "2 •• •• •• ••• ••• ••"
    assert mask("66529378") == "6•• ••• ••"
    assert mask("123") == "1••"
    assert len(mask("9" * 500)) <= 48


def test_a_number_does_not_show_in_a_representation():
    assert MAINLAND not in repr(find_identifiers(f"NIR {MAINLAND}"))


def test_text_without_digits_and_hostile_text():
    assert find_identifiers("Compte rendu sans chiffre") == []
    for text in (
        "1 2 3 " * 20_000,
        "9" * 100_000,
        "né le " * 20_000 + "1",
        "IS01" * 20_000,
        "a@" * 20_000,
        "\x00\ud800 12/03/1965",
    ):
        find_identifiers(text)
