"""Billing and PMSI beyond the common layouts: anonymised stays, B2, NOEMIE, RSF, logs of claims."""

import pytest

from tests.unit.detection.structured.reading import told, verdict

FINESS = "490000031"


def line(size, **fields):
    """A record of ``size`` characters; ``p12="x"`` puts x at position 12, counted from 1 as in the specifications."""
    cells = [" "] * size
    for place, text in fields.items():
        cells[int(place[1:]) - 1 : int(place[1:]) - 1 + len(text)] = text
    return "".join(cells)


def nir(number, *, wrong=0):
    body = f"2790349007{100 + number:03d}"
    return body + f"{(97 - int(body) % 97 + wrong) % 97 or 97:02d}"


def rsa(number, version="227"):
    return line(300, p1=FINESS, p10=version, p13=f"{number:010d}", p53="046", p59="2", p62="012026")


def ano(number, version="A14"):
    return line(120, p1="0" * 16, p17=version, p41=f"55{number:018d}", p78=FINESS)


def test_anonymised_stays_are_medical_and_name_nobody():
    assert told("\r\n".join(map(rsa, range(5)))) == ("medical", "pmsi", False, 5)
    assert verdict("\r\n".join(rsa(n, "117") for n in range(5))) == "not_medical"
    assert verdict("\r\n".join(rsa(n)[:61] + "132026" + rsa(n)[67:] for n in range(5))) == "not_medical"


def test_ano_hosp():
    assert told("\r\n".join(map(ano, range(5))))[:2] == ("medical", "pmsi")
    assert verdict("\r\n".join(ano(n, "B14") for n in range(5))) == "not_medical"


def test_a_last_record_that_was_cut_does_not_matter():
    text = "\r\n".join(map(rsa, range(5)))
    assert told(text[: 300 * 2 + 40])[:2] == ("medical", "pmsi")


def b2(count, *, wrong=0):
    records = [line(128, p1="000CP000490000031", p60="B2"), line(128, p1="1", p12=FINESS)]
    for number in range(count):
        insured = nir(number, wrong=wrong)
        records += [line(128, p1="2CP", p12=insured, p96="790312"), line(128, p1="3", p12=insured, p60="CS")]
    return [*records, line(128, p1="999")]


@pytest.mark.parametrize("end", ["\r\n", "\n", ""])
def test_b2_with_and_without_line_ends(end):
    assert told(end.join(b2(4))) == ("medical", "pmsi", True, 4)
    assert told(end.join(b2(1))) == ("medical", "pmsi", True, 1)


def test_b2_needs_numbers_with_their_key():
    assert verdict("\r\n".join(b2(4, wrong=1))) == "not_medical"


def noemie(rows):
    return "\r\n".join(
        [line(128, p1="000CP00000000490000031TP0   RP0000"), *rows, line(128, p1="990"), line(128, p1="999")]
    )


def test_noemie_returns_and_nomenclatures_with_the_same_header():
    returns = [line(128, p1="010", p10=nir(n), p40="260101") for n in range(4)]
    assert told(noemie(returns)) == ("medical", "pmsi", True, 4)
    table = [line(128, p1="101", p4=f"DEQP{n:03d}", p20="Electrocardiographie sur 12 derivations") for n in range(60)]
    assert verdict(noemie(table)) == "not_medical"


def test_rsf_lines_of_another_version():
    rows = [line(140, p1=kind + FINESS, p33=nir(n)) for n in range(4) for kind in "AB"]
    assert told("\r\n".join(rows)) == ("medical", "pmsi", True, 4)
    assert verdict("\r\n".join(line(140, p1="A" + FINESS, p33="DUPONT") for _ in range(4))) == "not_medical"


def test_a_log_of_claims():
    row = "2026-03-01 10:0{n}:00 FSE {n:09d} NIR={nir} Acte=CS 25.00 Statut=ACCEPTEE\n"
    assert told("".join(row.format(n=n, nir=nir(n)) for n in range(4)), "log") == ("medical", "pmsi", True, 4)
    assert verdict("".join(row.format(n=n, nir=nir(n, wrong=1)) for n in range(4)), "log") == "not_medical"
    payroll = "".join(f"S30.G01.00.001,'{nir(n)[:13]}'\nS30.G01.00.002,'DUPONT'\n" for n in range(4))
    assert verdict(payroll) == "not_medical"
