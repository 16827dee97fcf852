"""SMART Health Cards, and the links and tokens that give whoever holds them a patient's data.

Sources: spec.smarthealth.cards (``shc:/`` and pairs of digits, each a character of a JWS; payload in raw deflate; a
FHIR bundle under ``vc.credentialSubject``); HL7 « SMART Health Links » (``shlink:/`` and base64url JSON with an address
and its key); gematik gemSpec_DM_eRp (``Task/ID/$accept?ac=CODE``, ID with check digits by ISO 7064 MOD 97-10: what a
pharmacy needs to fetch one person's prescription).
"""

from __future__ import annotations

import base64
import binascii
import re
import zlib
from collections.abc import Iterable
from typing import Any

from agent.detection.codes.base import MAX_CODE
from agent.detection.codes.certificate import inflate
from agent.detection.structured.base import LIKELY, Recognised, about
from agent.detection.structured.fhir import from_json
from agent.detection.structured.jsontree import load, said
from agent.findings import Kind

CARD, LINK, TOKEN = "shc:/", "shlink:/", "/$accept?ac="
SIGNED = "eyJ"  # base64url of «{"», which every JWS begins with
MAX_PIECES = 16
_DIGITS = re.compile(r"shc:/(?:\d{1,2}/\d{1,2}/)?([\d\s]{20,9000})")
_PIECE = re.compile(r"shc:/(\d{1,2})/(\d{1,2})/(\d{2,})")
_JWS = re.compile(r"(eyJ[\w-]{10,2000})\.([\w-]{20,9000})\.[\w-]{20,1000}")
_LINK = re.compile(r"shlink:/(eyJ[\w-]{20,2000})")
_TOKEN = re.compile(r"Task/(\d{3})\.(\d{3})\.(\d{3})\.(\d{3})\.(\d{3})\.(\d{2})/\$accept\?ac=[0-9a-f]{64}")
_TOKEN_LEAD = 28  # characters of a token before «/$accept»


def read_card(text: str) -> Recognised | None:
    """A card from ``shc:/`` on, in one piece."""
    found = _DIGITS.match(text[:MAX_CODE])
    digits = re.sub(r"\s", "", found[1]) if found else ""
    pairs = (int(digits[place : place + 2]) + 45 for place in range(0, len(digits) - 1, 2))
    return read_signed("".join(map(chr, pairs)))


def joined(texts: Iterable[str]) -> list[str]:
    """Cards that were spread over several codes (``shc:/2/3/…``: the second of three), put together."""
    pieces: dict[int, dict[int, str]] = {}
    for text in texts:
        found = _PIECE.match(text[:MAX_CODE])
        if found and 1 <= int(found[1]) <= int(found[2]) <= MAX_PIECES:
            pieces.setdefault(int(found[2]), {})[int(found[1])] = found[3]
    return [
        CARD + "".join(part[number] for number in sorted(part)) for total, part in pieces.items() if len(part) == total
    ]


def read_signed(text: str) -> Recognised | None:
    """A JWS whose payload, deflated or plain, is a credential with FHIR resources in it."""
    found = _JWS.match(text)
    header = load(_unbased(found[1])) if found else None
    if found is None or not isinstance(header, dict):
        return None
    payload = _unbased(found[2])
    content = inflate(payload, -zlib.MAX_WBITS) if header.get("zip") == "DEF" else payload
    value = load(content) if content else None
    recognised = from_json(_bundle(value))
    return recognised if recognised is not None and recognised.patient_data else None


def _bundle(value: Any) -> Any:
    for key in ("vc", "credentialSubject", "fhirBundle"):
        value = value.get(key) if isinstance(value, dict) else None
    return value


def _unbased(text: str) -> bytes:
    try:
        return base64.urlsafe_b64decode(text + "=" * (-len(text) % 4))
    except (binascii.Error, ValueError):
        return b""


def read_link(text: str) -> Recognised | None:
    """A link with its key to a patient's data elsewhere; it names nobody by itself."""
    found = _LINK.match(text)
    value = load(_unbased(found[1])) if found else None
    if not isinstance(value, dict) or not (said(value.get("url")) and said(value.get("key"))):
        return None
    return about(Kind.FHIR, [], clinical=1, confidence=LIKELY)


def read_token(text: str) -> Recognised | None:
    """An access token to a German electronic prescription; it names nobody by itself."""
    found = _TOKEN.search(text[:MAX_CODE])
    if found is None or int("".join(found.groups())) % 97 != 1:
        return None
    return about(Kind.PRESCRIPTION, [], clinical=1, confidence=LIKELY)
