"""Certificates of vaccination, test and recovery: the European one (``HC1:``) and the one of the ICAO for travellers.

Sources: EU eHealth Network, « Electronic Health Certificate Specification » (base45, zlib, COSE_Sign1, CWT claim -260)
and the certificate's JSON schema (``nam``, ``dob``, ``v``, ``t``, ``r``); RFC 9285 (base45); ICAO « VDS-NC » (JSON with
``data.hdr.t`` = ``icao.vacc`` or ``icao.test``). A named person with a birth date and a medical fact: medical.
"""

from __future__ import annotations

import json
import re
import zlib
from typing import Any

from agent.detection.codes import cbor
from agent.detection.codes.base import MAX_CODE
from agent.detection.structured.base import Person, Recognised, about
from agent.detection.structured.jsontree import said
from agent.findings import Kind

MARKER = "HC1:"
VISIBLE = '"icao.'
MAX_LETTERS = 4_300  # of base45: a QR code holds 4,296
MAX_INFLATED = 65_536  # bytes; real certificates hold less than 1,000
_ALPHABET = "0123456789ABCDEFGHIJKLMNOPQRSTUVWXYZ $%*+-./:"
_VALUES = {character: value for value, character in enumerate(_ALPHABET)}
_RUN = re.compile(r"[0-9A-Z $%*+\-./:]*")
_RUN_LINES = re.compile(r"[0-9A-Z $%*+\-./:\r\n]*")
_ZLIB = 0x78
_HCERT = -260
_DECODER = json.JSONDecoder(parse_int=str, parse_float=str)
_TRIES = 8  # opening braces before the certificate that are tried
_FACTS = ("v", "t", "r")


def read(text: str) -> Recognised | None:
    """The certificate after ``HC1:``; the text may go on behind it, and its lines may be broken."""
    start = len(MARKER)
    for shape in (_RUN, _RUN_LINES):
        found = shape.match(text, start, start + MAX_LETTERS)
        run = found[0].replace("\r", "").replace("\n", "") if found else ""
        claims = _claims(base45(run.rstrip(" ")))
        if claims is not None:
            return _certificate(claims)
    return None


def base45(text: str) -> bytes:
    """The bytes of a base45 text (RFC 9285), as far as it is one."""
    out = bytearray()
    for place in range(0, len(text), 3):
        digits = [_VALUES.get(character, 99) for character in text[place : place + 3]]
        value = sum(digit * 45**power for power, digit in enumerate(digits))
        if len(digits) == 3 and value <= 0xFFFF and max(digits) < 45:
            out += value.to_bytes(2, "big")
            continue
        value = sum(digit * 45**power for power, digit in enumerate(digits[:2]))
        if len(digits) > 1 and value <= 0xFF:
            out.append(value)
        break
    return bytes(out)


def inflate(data: bytes, window: int = zlib.MAX_WBITS) -> bytes | None:
    """The whole content of a zlib stream (raw deflate: a negative window), None when it is broken, cut or too long."""
    stream = zlib.decompressobj(window)
    try:
        content = stream.decompress(data, MAX_INFLATED)
    except zlib.error:
        return None
    return content if stream.eof else None


def _claims(data: bytes) -> dict[Any, Any] | None:
    """The claims of a COSE_Sign1 message, its signature unread; None when it is none."""
    content = inflate(data) if data[:1] == bytes((_ZLIB,)) else data
    if not content:
        return None
    try:
        message = cbor.decode(content)
        if not isinstance(message, list) or len(message) != 4 or not isinstance(message[2], bytes):
            return None
        claims = cbor.decode(message[2])
    except cbor.BadCborError:
        return None
    return claims if isinstance(claims, dict) else None


def _certificate(claims: dict[Any, Any]) -> Recognised | None:
    wrapped = claims.get(_HCERT)
    certificate = wrapped.get(1) if isinstance(wrapped, dict) else None
    if not isinstance(certificate, dict) or not isinstance(certificate.get("nam"), dict):
        return None
    name = certificate["nam"]
    facts = [fact for key in _FACTS if isinstance(certificate.get(key), list) for fact in certificate[key]]
    person = Person(
        said(name.get("fn")) or said(name.get("fnt")),
        said(name.get("gn")) or said(name.get("gnt")),
        said(certificate.get("dob")),
    )
    return about(Kind.CERTIFICATE, [person], clinical=max(1, len(facts)))


def read_visible(text: str) -> Recognised | None:
    """The ICAO's certificate, which is JSON with a signature beside it; ``text`` begins shortly before it."""
    place = text.find("{")
    for _ in range(_TRIES):
        if place < 0:
            break
        value = _json(text[place : place + MAX_CODE])
        data = value.get("data") if isinstance(value, dict) else None
        if isinstance(data, dict):
            return _travel(data.get("hdr"), data.get("msg"))
        place = text.find("{", place + 1)
    return None


def _json(text: str) -> Any:
    """The value that the text begins with, None when there is none."""
    try:
        return _DECODER.raw_decode(text)[0]
    except (ValueError, RecursionError):
        return None


def _travel(header: Any, message: Any) -> Recognised | None:
    owner = message.get("pid") if isinstance(message, dict) else None
    if not isinstance(header, dict) or not said(header.get("t")).startswith("icao.") or not isinstance(owner, dict):
        return None
    return about(Kind.CERTIFICATE, [Person(said(owner.get("n")), "", said(owner.get("dob")), (said(owner.get("i")),))])
