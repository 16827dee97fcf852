"""Names and numbers that mean "nobody" or "a test", and how a name is folded and masked.

The lists hold words reserved for tests by standards bodies and agencies, and stand-ins that de-identification writes.
A stand-in removes the identity; a test name only lowers the severity, it never silences a document.
"""

from __future__ import annotations

import re
import unicodedata

# French INS object identifiers: clinical-documents sheet 1.3, from the agency's list of identity authorities.
INS_REAL = frozenset({"1.2.250.1.213.1.4.8", "1.2.250.1.213.1.4.9", "1.2.250.1.213.1.4.2", "1.2.250.1.213.1.4.13"})
INS_TEST = frozenset({"1.2.250.1.213.1.4.10", "1.2.250.1.213.1.4.11"})

_PLACEHOLDER = re.compile(
    r"(?:anon(?:yme?s?|ymous|ymi[sz]ed?|ymise|ymized)?\d*|de-?identified|removed|redacted|masked|masque|unknown|inconnue?"
    r"|unbekannt|onbekend|no ?name|none|null|nil|n/?a|nan|undefined|not available|x+|-+|\?+|\.+|\*+|0+|name"
    r"|patient ?name"
    r"|pseudo(?:nym)?\d*|[0-9a-f]{32,128}|[0-9a-f]{8}(?:-[0-9a-f]{4}){3}-[0-9a-f]{12})?",
    re.IGNORECASE,
)
_MERGE_FIELD = re.compile(
    r"(?:[$#]\{[^{}\n]{1,80}\}|\{\{[^{}\n]{1,80}\}\}|<%=?[^%\n]{1,80}%>|%%?[A-Za-z_][\w.]{0,60}%%?)"
)
_TEST_FAMILY = re.compile(
    r"(?:pat-?(?:un|deux|trois|quatre|cinq|six|sept|huit|neuf|dix)\w*|(?:zz+)?tests?(?:patient|er|name|family)?\d*"
    r"|patient-?test|test-?patient|fakename|fake|muster(?:mann|frau|patient)?|example|exemple|sample|specimen|demo"
    r"|phantom\w*|acr phantom|qa|qc|dummy|nessuno|zztest\w*)",
    re.IGNORECASE,
)
_DOE = re.compile(r"(?:john|jane|baby|janie|johnny)\b.*", re.IGNORECASE)
_NUMBERED = re.compile(r"[A-Z][^\W\d_]+\d{2,4}")  # the generator Synthea writes Abe123 Smith456


def fold_name(text: str) -> str:
    """Upper-case letters and digits without accents, words separated by one space; for comparing, never for output."""
    if not text.isascii():
        text = "".join(c for c in unicodedata.normalize("NFKD", text[:200]) if not unicodedata.combining(c))
    return " ".join(re.findall(r"\w+", text[:200].upper()))


def is_placeholder(text: str) -> bool:
    """Whether a name or identifier is empty or a stand-in (ANONYMOUS, X, a hash), so that it names nobody."""
    return _PLACEHOLDER.fullmatch(" ".join(text[:200].replace("^", " ").split())) is not None


def is_merge_field(text: str) -> bool:
    """Whether a value is a place that a program is still to fill: ``${NOM}``, ``{{family}}``, ``<%= nom %>``."""
    return _MERGE_FIELD.fullmatch(text[:200].strip()) is not None


def is_test_person(family: str, given: str) -> bool:
    """Whether a name is reserved for tests (PAT-TROIS, Mustermann, John Doe, Abe123 Smith456, PHANTOM)."""
    family, given = family.strip()[:100], given.strip()[:100]
    if _TEST_FAMILY.fullmatch(family) or (not family and _TEST_FAMILY.fullmatch(given)):
        return True
    if family.lower() == "doe" and _DOE.fullmatch(given):
        return True
    return bool(_NUMBERED.fullmatch(family) and _NUMBERED.match(given))


def mask_name(text: str) -> str:
    """The first letter and three dots; nothing for nothing."""
    text = text.strip()
    return f"{text[0]}•••" if text and text[0].isalnum() else ""
