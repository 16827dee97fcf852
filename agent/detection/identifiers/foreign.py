"""Patient and social-security numbers of other countries.

Checks come from python-stdnum where it has them; where random numbers pass too often (measured rates: US SSN 89 %, NHS
and BSN 9 %, KVNR 10 %, ...) a context word is required. Sources stand beside each row.
"""

from __future__ import annotations

import re
from collections.abc import Callable

from agent.detection.identifiers import national
from agent.detection.identifiers.base import HEAD, TAIL, Scheme
from agent.detection.identifiers.national import standard
from agent.findings import FindingType

_ID = FindingType.FOREIGN_ID


def _row(
    country: str,
    digits: int,
    shape: str,
    valid: Callable[[str], bool],
    words: str,
    alone: float = 0.0,
    pieces: tuple[str, ...] = (),
) -> Scheme:
    pattern = re.compile(f"{HEAD}({shape}){TAIL}")
    return Scheme(_ID, country, digits, pattern, valid, re.compile(words), 0.95, alone, pieces=pieces)


SCHEMES = (
    # NHS Data Dictionary: modulus 11 over ten digits; Scottish CHI and Northern Irish H&C share it
    _row("GB", 10, r"\d{3}[ -]?\d{3}[ -]?\d{4}", standard("gb.nhs"), r"\bnhs\b|\bchi\b|\bh&c\b"),
    # Social Security Administration: areas never issued are refused
    _row("US", 9, r"\d{3}-\d{2}-\d{4}", standard("us.ssn"), r"\bssn\b|social security"),
    # § 290 SGB V
    _row(
        "DE",
        9,
        r"[A-Z]\d{9}",
        national.kvnr,
        r"versicherten-?n|\bkvnr\b|krankenkasse|\begk\b|krankenversich|versichert",
    ),
    # Rijksregister: birth date and modulus 97; the dotted form stands on its own
    _row(
        "BE",
        11,
        r"\d{2}\.\d{2}\.\d{2}-\d{3}\.\d{2}",
        standard("be.ssn"),
        r"niss|insz|rijksregister|national",
        0.9,
        (".", "-"),
    ),
    _row(
        "BE",
        11,
        r"\d{6}[ -]?\d{3}[ .-]?\d{2}",
        standard("be.ssn"),
        r"\bniss\b|\binsz\b|rijksregister|registre national",
    ),
    # Rijksdienst voor Identiteitsgegevens: the eleven test
    _row(
        "NL",
        9,
        r"\d{4}[ .]?\d{2}[ .]?\d{3}|\d{3}[ .]?\d{3}[ .]?\d{3}",
        standard("nl.bsn"),
        r"\bbsn\b|burgerservice|sofi",
    ),
    # Orden INT: letter by modulus 23
    _row("ES", 7, r"\d{8}[ -]?[A-Z]", standard("es.dni"), r"\bdni\b|\bnif\b|paciente|\bd\.n\.i"),
    _row("ES", 7, r"[XYZ][ -]?\d{7}[ -]?[A-Z]", standard("es.nie"), r"\bnie\b|paciente|\bdni\b"),
    # regional health cards: four letters and ten digits (Catalonia, País Vasco, ...); no public check digit
    _row("ES", 10, r"[A-Z]{4} ?\d{10}", national.by_shape, r"\bcip[a]?\b|tarjeta sanitaria|\btsi\b|\btis\b"),
    # AHV-Nummer (RS 831.101 art. 133): prefix 756, EAN-13
    _row(
        "CH",
        13,
        r"756\.?\d{4}\.?\d{4}\.?\d{2}",
        standard("ch.ssn"),
        r"\bahv\b|\bavs\b|versichertennummer|assure",
        0.9,
        ("756",),
    ),
    # Hauptverband: check digit and birth date
    _row("AT", 10, r"\d{4} ?\d{6}", standard("at.vnr"), r"\bsv-?n|\bsvnr\b|sozialversicherung|versicherungsnummer"),
    _row("PT", 9, r"\d{3} ?\d{3} ?\d{3}", national.portuguese, r"utente|\bsns\b"),
    _row(
        "LU",
        13,
        r"\d{4} ?\d{4} ?\d{5}|\d{13}",
        national.luxembourg,
        r"matricule|\bcns\b|luxembourg|identifikationsnummer",
    ),
    _row("SE", 10, r"(?:\d{2})?\d{6}[-+]?\d{4}", national.swedish, r"personn|\bpnr\b|personnr"),
    _row("DK", 10, r"\d{6}-?\d{4}", standard("dk.cpr"), r"\bcpr\b"),
    _row("NO", 11, r"\d{6} ?\d{5}", standard("no.fodselsnummer"), r"f.dselsn|personnummer|\bfnr\b"),
    # the separator and the check character make this one rare enough alone
    _row("FI", 9, r"\d{6}[-+A]\d{3}[0-9A-Y]", national.finnish, r"\bhetu\b|henkil", 0.85),
    _row("PL", 11, r"\d{11}", standard("pl.pesel"), r"\bpesel\b"),
    _row("CZ", 9, r"\d{6}/?\d{3,4}", standard("cz.rc"), r"rodne cislo|\brc\b"),
    _row("RO", 13, r"\d{13}", standard("ro.cnp"), r"\bcnp\b"),
    _row("CA", 10, r"9\d{3}[ -]?\d{3}[ -]?\d{3}", standard("ca.bc_phn"), r"\bphn\b|personal health"),
    _row("IE", 7, r"\d{7}[A-W][A-IW]?", standard("ie.pps"), r"\bpps[n]?\b"),
    _row("IE", 18, r"\d(?:[ -]?\d){17}", national.irish_health, r"\bihi\b|individual health identifier"),
    _row(
        "ES",
        12,
        r"\d{2}[ /-]?\d{8}[ /-]?\d{2}",
        national.spanish_security,
        r"seguridad social|\bnuss?\b|\bnaf\b|\bnss\b",
    ),
    _row("GR", 11, r"\d{11}", standard("gr.amka"), r"\bamka\b"),
    _row("IS", 10, r"\d{6}[ -]?\d{4}", standard("is_.kennitala"), r"kennitala|\bkt\b"),
)

# these hold too few digits in a row for the scan of numbers; ``scan`` finds them by their letters
LETTERED = (
    # Decreto ministeriale 23/12/1976: birth date, place and check letter in it, so it stands on its own; where two
    # persons would share a code, digits give way to letters, from the right
    _row(
        "IT", 0, r"[A-Z]{6}[\dL-V]{2}[A-EHLMPR-T][\dL-V]{2}[A-Z][\dL-V]{3}[A-Z]",
        national.italian, r"codice fiscale|\bc\.?f\.?\b", 0.94,
    ),
    # CMS, « Understanding the MBI »: shape only
    _row(
        "US", 0,
        r"[1-9][AC-HJKMNP-RT-Y][0-9AC-HJKMNP-RT-Y]\d-?[AC-HJKMNP-RT-Y][0-9AC-HJKMNP-RT-Y]\d-?[AC-HJKMNP-RT-Y]{2}\d{2}",
        national.by_shape, r"\bmbi\b|medicare|beneficiary|\bhicn\b",
    ),
    # the signs of the century that were added in 2023
    _row("FI", 0, r"[0-3]\d[01]\d{3}[B-FU-Y]\d{3}[0-9A-Y]", national.finnish, r"\bhetu\b|henkil", 0.85),
    # Real Decreto 702/2013: eight B, two letters, six digits; no public check digit
    _row("ES", 0, r"BBBBBBBB ?[A-Z]{2} ?\d{6}", national.by_shape, r"\bsns\b|\bcip\b|tarjeta sanitaria", 0.9),
)  # fmt: skip
LANDMARKS = (  # the same for the linear search, in the same order
    r"[A-Z]{6}(?:[0-9][0-9L-V]|[L-V][0-9])[A-T][0-9L-V]{2}[A-Z][0-9L-V]{3}[A-Z]",
    r"[1-9][A-Z][0-9A-Z][0-9]-?[A-Z][0-9A-Z][0-9]-?[A-Z]{2}[0-9]{2}",
    r"[0-3][0-9][01][0-9]{3}[B-FU-Y][0-9]{3}[0-9A-Y]",
    r"BBBBBBBB ?[A-Z]{2} ?[0-9]{6}",
)
