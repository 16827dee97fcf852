"""Checks of patient and social-security numbers that python-stdnum lacks or is too lax about; and the way to its own.

Each takes a number as it is written or compacted, and says whether its structure and check digits hold. Pure: the rows
that say how a number looks and what must stand beside it are in foreign.py.
"""

from __future__ import annotations

import re
from collections.abc import Callable
from importlib import import_module

from agent.detection.identifiers.base import compact, luhn
from agent.detection.identifiers.birth import date

_OMOCODIA = str.maketrans("LMNPQRSTUV", "0123456789")
_PLACES_OF_DIGITS = (6, 7, 9, 10, 12, 13, 14)  # in an Italian code


def standard(module: str) -> Callable[[str], bool]:
    """python-stdnum's check of that name, imported at its first use."""

    def valid(value: str) -> bool:
        return bool(import_module(f"stdnum.{module}").is_valid(compact(value)))

    return valid


def kvnr(value: str) -> bool:
    """German health insurance number (§ 290 SGB V): the letter as 01 to 26, factors 1 and 2, cross sums, modulo 10."""
    value = compact(value)
    if not re.fullmatch(r"[A-Z]\d{9}", value):
        return False
    digits = f"{ord(value[0]) - 64:02d}{value[1:9]}"
    products = (int(digit) * (1 + index % 2) for index, digit in enumerate(digits))
    return sum(product - 9 if product > 9 else product for product in products) % 10 == int(value[9])


def luxembourg(value: str) -> bool:
    """Luxembourg matricule (law of 19 June 2013): birth date, three digits, then a Luhn and a Verhoeff digit."""
    value = compact(value)
    if len(value) != 13 or not value.isdigit() or not date(int(value[:4]), int(value[4:6]), int(value[6:8])):
        return False
    verhoeff = import_module("stdnum.verhoeff").is_valid(value[:11] + value[12])
    return luhn(value[:12]) and bool(verhoeff)


def portuguese(value: str) -> bool:
    """Portuguese número de utente: nine digits, the first not zero (no public check digit)."""
    value = compact(value)
    return len(value) == 9 and value.isdigit() and value[0] != "0"


def finnish(value: str) -> bool:
    """Finnish henkilötunnus: the hyphen of the twentieth century, lost in normalising, is put back for the check."""
    value = compact(value)
    written = value if len(value) == 11 else f"{value[:6]}-{value[6:]}"
    return bool(import_module("stdnum.fi.hetu").is_valid(written))


def swedish(value: str) -> bool:
    """Swedish personnummer, and samordningsnummer: the same with sixty added to the day (lag 2022:1697)."""
    value = compact(value)
    if import_module("stdnum.se.personnummer").is_valid(value):
        return True
    ten = value[-10:]
    if len(value) not in {10, 12} or not value.isdigit() or not 61 <= int(ten[4:6]) <= 91:
        return False
    born = date(2000 + int(ten[:2]), int(ten[2:4]), int(ten[4:6]) - 60)
    return bool(born or date(1900 + int(ten[:2]), int(ten[2:4]), int(ten[4:6]) - 60)) and luhn(ten)


def irish_health(value: str) -> bool:
    """Irish Individual Health Identifier (HSE, « IHI technical FAQs »): eighteen digits; 8 to 17 are a number with the
    modulus 11 of the NHS, the last is GS1's check digit over all.
    """
    value = compact(value)
    if len(value) != 18 or not value.isdigit() or not import_module("stdnum.gb.nhs").is_valid(value[7:17]):
        return False
    weighed = sum(int(digit) * (3 if place % 2 else 1) for place, digit in enumerate(reversed(value)))
    return weighed % 10 == 0


def spanish_security(value: str) -> bool:
    """Spanish número de afiliación: province, eight digits, then modulo 97 (leading zeros of the eight left out)."""
    value = compact(value)
    if len(value) != 12 or not value.isdigit() or not ("01" <= value[:2] <= "53" or value[:2] == "66"):
        return False
    number = int(value[2:10])
    base = int(value[:2]) * 10_000_000 + number if number < 10_000_000 else int(value[:10])
    return base % 97 == int(value[10:])


def italian(value: str) -> bool:
    """Codice fiscale with its check letter and date, digits replaced by letters (omocodia) allowed in part."""
    value = compact(value)
    if len(value) != 16 or not any(value[place].isdigit() for place in _PLACES_OF_DIGITS):
        return False
    day = value[9:11].translate(_OMOCODIA)
    return day.isdigit() and bool(import_module("stdnum.it.codicefiscale").is_valid(value))


def by_shape(_value: str) -> bool:
    """For numbers without a public check: the pattern says all there is, and a label must stand beside it."""
    return True
