"""Mother and newborn, and couples, are two patients; a birth report, a leaflet's words and a lone analysis are not."""

from __future__ import annotations

import pytest

from agent.detection.pairs import least

CHILDBED = b"mme vautrin j3 : lochies normales, perinee propre, montee de lait. bb axel 3120 g, ictere"


@pytest.mark.parametrize(
    "page",
    [
        CHILDBED,
        b"frau vogt: fundus 2 qf, lochien hell. kind 3.240 g, trinkt gut",
        b"couple vautrin, fiv 2, 9 ovocytes, ponction lundi",
    ],
)
def test_two_patients(page):
    assert least([b"page de garde", page]) == 2


@pytest.mark.parametrize(
    "page",
    [
        b"bb axel 3120 g, apgar 10, mere o+, cesarienne pour siege",  # the child's own record
        b"mme vautrin : lochies normales, perinee propre, montee de lait",  # the mother's alone
        b"mme vautrin : conflit de couple, dort mal",
        b"spermogramme de m. vautrin (couple vautrin), 6 m/ml, orientation icsi",
        b"fiv : 9 ovocytes, ponction lundi",
    ],
)
def test_one_patient(page):
    assert least([page]) == 1
