"""HPRIM Médecin of senders that write postcode and town on two lines, or leave a line of the address out."""

import pytest

from agent.detection.structured.hprim import recognise_hprim_medecin

CARE = "12/06/2024\n39D001\nlabo\nDr HUBERT\n39C014\nDr HUBERT\nBéta-HCG : 4520 UI/L\n****LAB****\n****FIN****\n****FINFICHIER****\n"
USUAL = ("3 chemin des Vignes", "", "39100 DOLE")


@pytest.mark.parametrize(
    "address", [USUAL, ("3 chemin des Vignes", "", "39100", "DOLE"), ("3 chemin des Vignes", "39100 DOLE")]
)
def test_the_patient_is_read_whatever_lines_the_address_takes(address):
    header = "\n".join(("900412", "MONNERET", "Clarisse", *address, "23/08/1990", "", "24061201"))
    found = recognise_hprim_medecin(f"{header}\n{CARE}")
    assert found is not None
    assert found.identified
    assert len(found.persons) == 1


def test_a_header_without_a_birth_date_names_nobody():
    header = "\n".join(("900412", "MONNERET", "Clarisse", *USUAL, "inconnue", "", "24061201"))
    assert recognise_hprim_medecin(f"{header}\n{CARE}".replace("12/06/2024", "sans date")) is None
