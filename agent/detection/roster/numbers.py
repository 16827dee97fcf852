"""Which numbers of a patient are entered, and in what form: the same on the list's side and on the document's.

A social security number is compared without its key. A record number has no national shape: other practices and
hospitals count from one as well, so a short one proves somebody only together with the birth date. Pure.
"""

from __future__ import annotations

from agent.detection.identifiers import nir
from agent.detection.identifiers.base import compact

_LEAST_DIGITS = 5  # as the detector asks of a labelled number
_SURE = 8  # characters without leading zeros: one in 5,000 that a list of 20,000 holds another house's number
_MOST = 24


def nir_form(number: str) -> bytes:
    """The thirteen characters of a social security or national health number; empty when it is none."""
    plain = compact(number[:40])
    if len(plain) == 15 and nir.valid_permissive(plain):
        return plain[:13].encode()
    if len(plain) == 13 and nir.valid_keyless(plain):
        return plain.encode()
    return b""


def record_form(number: str) -> bytes:
    """A record number in capitals without separators and leading zeros; empty when it is too short to mean anything."""
    plain = compact(number[:60]).lstrip("0")
    fits = plain.isascii() and len(plain) <= _MOST and sum(map(str.isdigit, plain)) >= _LEAST_DIGITS
    return plain.encode("ascii") if fits else b""


def sure(form: bytes) -> bool:
    """Whether the number alone tells the patient."""
    return len(form) >= _SURE
