"""Patient and social-security numbers of other countries.

Checks come from python-stdnum where it has them; where random numbers pass too often (measured rates: US SSN 89 %, NHS
and BSN 9 %, KVNR 10 %, ...) a context word is required. Sources stand beside each row.
"""

from __future__ import annotations

import re
from collections.abc import Callable
from importlib import import_module

from agent.detection.identifiers.base import HEAD, TAIL, Scheme, compact, luhn
from agent.detection.identifiers.birth import date
from agent.findings import FindingType

_ID = FindingType.FOREIGN_ID


def _standard(module: str) -> Callable[[str], bool]:
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
    return _standard("fi.hetu")(value) if len(value) == 11 else _hyphenated(value)


def _hyphenated(value: str) -> bool:
    return bool(import_module("stdnum.fi.hetu").is_valid(f"{value[:6]}-{value[6:]}"))


def _plausible(_value: str) -> bool:
    return True  # the pattern says all there is


def _row(country: str, digits: int, shape: str, valid: Callable[[str], bool], words: str, alone: float = 0.0) -> Scheme:
    return Scheme(_ID, country, digits, re.compile(f"{HEAD}({shape}){TAIL}"), valid, re.compile(words), 0.95, alone)


SCHEMES = (
    # NHS Data Dictionary: modulus 11 over ten digits; Scottish CHI and Northern Irish H&C share it
    _row("GB", 10, r"\d{3}[ -]?\d{3}[ -]?\d{4}", _standard("gb.nhs"), r"\bnhs\b|\bchi\b|\bh&c\b"),
    # Social Security Administration: areas never issued are refused
    _row("US", 9, r"\d{3}-\d{2}-\d{4}", _standard("us.ssn"), r"\bssn\b|social security"),
    # § 290 SGB V
    _row("DE", 9, r"[A-Z]\d{9}", kvnr, r"versicherten-?n|\bkvnr\b|krankenkasse|\begk\b|krankenversich|versichert"),
    # Rijksregister: birth date and modulus 97; the dotted form stands on its own
    _row("BE", 11, r"\d{2}\.\d{2}\.\d{2}-\d{3}\.\d{2}", _standard("be.ssn"), r"niss|insz|rijksregister|national", 0.9),
    _row(
        "BE",
        11,
        r"\d{6}[ -]?\d{3}[ .-]?\d{2}",
        _standard("be.ssn"),
        r"\bniss\b|\binsz\b|rijksregister|registre national",
    ),
    # Rijksdienst voor Identiteitsgegevens: the eleven test
    _row(
        "NL",
        9,
        r"\d{4}[ .]?\d{2}[ .]?\d{3}|\d{3}[ .]?\d{3}[ .]?\d{3}",
        _standard("nl.bsn"),
        r"\bbsn\b|burgerservice|sofi",
    ),
    # Orden INT: letter by modulus 23
    _row("ES", 7, r"\d{8}[ -]?[A-Z]", _standard("es.dni"), r"\bdni\b|\bnif\b|paciente|\bd\.n\.i"),
    _row("ES", 7, r"[XYZ][ -]?\d{7}[ -]?[A-Z]", _standard("es.nie"), r"\bnie\b|paciente|\bdni\b"),
    # regional health cards: four letters and ten digits (Catalonia, País Vasco, ...); no public check digit
    _row("ES", 10, r"[A-Z]{4} ?\d{10}", _plausible, r"\bcip[a]?\b|tarjeta sanitaria|\btsi\b|\btis\b"),
    # AHV-Nummer (RS 831.101 art. 133): prefix 756, EAN-13
    _row(
        "CH", 13, r"756\.?\d{4}\.?\d{4}\.?\d{2}", _standard("ch.ssn"), r"\bahv\b|\bavs\b|versichertennummer|assure", 0.9
    ),
    # Hauptverband: check digit and birth date
    _row("AT", 10, r"\d{4} ?\d{6}", _standard("at.vnr"), r"\bsv-?n|\bsvnr\b|sozialversicherung|versicherungsnummer"),
    _row("PT", 9, r"\d{3} ?\d{3} ?\d{3}", portuguese, r"utente|\bsns\b"),
    _row("LU", 13, r"\d{4} ?\d{4} ?\d{5}|\d{13}", luxembourg, r"matricule|\bcns\b|luxembourg|identifikationsnummer"),
    _row("SE", 10, r"(?:\d{2})?\d{6}[-+]?\d{4}", _standard("se.personnummer"), r"personn|\bpnr\b|personnr"),
    _row("DK", 10, r"\d{6}-?\d{4}", _standard("dk.cpr"), r"\bcpr\b"),
    _row("NO", 11, r"\d{6} ?\d{5}", _standard("no.fodselsnummer"), r"f.dselsn|personnummer|\bfnr\b"),
    # the separator and the check character make this one rare enough alone
    _row("FI", 9, r"\d{6}[-+A]\d{3}[0-9A-Y]", finnish, r"\bhetu\b|henkil", 0.85),
    _row("PL", 11, r"\d{11}", _standard("pl.pesel"), r"\bpesel\b"),
    _row("CZ", 9, r"\d{6}/?\d{3,4}", _standard("cz.rc"), r"rodne cislo|\brc\b"),
    _row("RO", 13, r"\d{13}", _standard("ro.cnp"), r"\bcnp\b"),
    _row("CA", 10, r"9\d{3}[ -]?\d{3}[ -]?\d{3}", _standard("ca.bc_phn"), r"\bphn\b|personal health"),
    _row("IE", 7, r"\d{7}[A-W][A-IW]?", _standard("ie.pps"), r"\bpps[n]?\b"),
)

# these hold too few digits in a row for the scan of numbers; ``scan`` finds them by their letters
LETTERED = (
    # Decreto ministeriale 23/12/1976: birth date, place and check letter in it, so it stands on its own
    _row(
        "IT", 0, r"[A-Z]{6}\d{2}[A-EHLMPR-T]\d{2}[A-Z]\d{3}[A-Z]",
        _standard("it.codicefiscale"), r"codice fiscale|\bc\.?f\.?\b", 0.94,
    ),
    # CMS, « Understanding the MBI »: shape only
    _row(
        "US", 0,
        r"[1-9][AC-HJKMNP-RT-Y][0-9AC-HJKMNP-RT-Y]\d-?[AC-HJKMNP-RT-Y][0-9AC-HJKMNP-RT-Y]\d-?[AC-HJKMNP-RT-Y]{2}\d{2}",
        _plausible, r"\bmbi\b|medicare|beneficiary|\bhicn\b",
    ),
)  # fmt: skip
