"""Invented 2D codes, made as their specifications say: for the tests and as seeds of the fuzzing. Nobody in them lives."""

from __future__ import annotations

import base64
import json
import struct
import zlib

from agent.detection.identifiers.nir import key_of

GS, US = "\x1d", "\x1f"
_BASE45 = "0123456789ABCDEFGHIJKLMNOPQRSTUVWXYZ $%*+-./:"


def nir(thirteen: str = "2610329019042") -> str:
    """A number with its key; the person is invented."""
    return f"{thirteen}{key_of(thirteen):02d}"


def ins(
    number: str = "", oid: str = "1.2.250.1.213.1.4.8", family: str = "KERVELLA", given: str = "ODETTE MARIE",
    birth: str = "12-03-1961", gs: str = GS,
) -> str:  # fmt: skip
    """The text of an INS datamatrix."""
    number = number or nir()
    close = gs if len(oid) < 20 else ""
    return f"IS01{'0' * 22}S1{number}S2{oid}{close}S3{given}{gs}S4{family}{gs}S5FS6{birth}S729019"


def stamp(sort: str, message: str, version: int = 4, perimeter: str = "01") -> str:
    """A 2D-Doc: header, fields, a signature of the right shape."""
    signature = base64.b32encode(bytes(range(64))).decode().rstrip("=")
    tail = "" if version < 3 else perimeter if version == 3 else f"{perimeter}FR"
    return f"DC{version:02d}FR0000011E581E58{sort}{tail}{message}{US}{signature}"


COVID_TEST = f"F0ODETTE/MARIE{GS}F1KERVELLA{GS}F212031961F3FF4945006{GS}F5NF6070420211010"
VACCINATION = (
    f"L0KERVELLA{GS}L1ODETTE{GS}L212031961L3COVID-19{GS}L4J07BX03{GS}L5COMIRNATY{GS}L6BIONTECH{GS}L71L82L901032021LACO"
)
DEATH = (
    f"71200420170000"
    f"72KERVELLA{GS}73ODETTE/MARIE{GS}77BREST{GS}78292007C07DH7E07G07MDR FABRE{GS}74LE GOFF{GS}751203196176F"
)
TAX = f"43{'2,75'}{GS}44227801234567845202146KERVELLA ODETTE{GS}4A31072022"


def cbor(value: object) -> bytes:
    """The few kinds of CBOR that a certificate needs."""
    match value:
        case bool():
            return b"\xf5" if value else b"\xf4"
        case int():
            return _head(0, value) if value >= 0 else _head(1, -1 - value)
        case bytes():
            return _head(2, len(value)) + value
        case str():
            return _head(3, len(value.encode())) + value.encode()
        case list():
            return _head(4, len(value)) + b"".join(map(cbor, value))
        case dict():
            return _head(5, len(value)) + b"".join(cbor(key) + cbor(item) for key, item in value.items())
    raise TypeError


def _head(major: int, count: int) -> bytes:
    if count < 24:
        return bytes([major << 5 | count])
    for info, shape in ((24, ">B"), (25, ">H"), (26, ">I"), (27, ">Q")):
        if count < 1 << 8 * struct.calcsize(shape):
            return bytes([major << 5 | info]) + struct.pack(shape, count)
    raise ValueError


def base45(data: bytes) -> str:
    """RFC 9285."""
    out = ""
    for place in range(0, len(data), 2):
        pair = data[place : place + 2]
        value = int.from_bytes(pair, "big")
        for _ in range(len(pair) + 1):
            out += _BASE45[value % 45]
            value //= 45
    return out


def hc1(fact: str = "v", family: str = "KERVELLA", given: str = "ODETTE", *, packed: bool = True) -> str:
    """A European certificate: ``fact`` v, t or r."""
    facts = {
        "tg": "840539006",
        "dn": 2,
        "sd": 2,
        "dt": "2021-06-18",
        "co": "FR",
        "is": "CNAM",
        "ci": "URN:UVCI:01:FR:X",
    }
    name = {"fn": family, "gn": given, "fnt": family.upper(), "gnt": given.upper()}
    certificate = {"ver": "1.3.0", "nam": name, "dob": "1961-03-12", fact: [facts]}
    claims = cbor({1: "FR", 4: 1700000000, 6: 1600000000, -260: {1: certificate}})
    message = b"\xd2" + cbor([cbor({1: -7, 4: b"\x00" * 8}), {}, claims, bytes(range(64))])
    return "HC1:" + base45(zlib.compress(message, 9) if packed else message)


def jws(family: str = "Kervella", given: str = "Odette") -> str:
    """A SMART Health Card's credential."""
    patient = {"resourceType": "Patient", "name": [{"family": family, "given": [given]}], "birthDate": "1961-03-12"}
    shot = {"resourceType": "Immunization", "status": "completed", "patient": {"reference": "resource:0"}}
    entries = [{"fullUrl": f"resource:{n}", "resource": r} for n, r in enumerate((patient, shot))]
    bundle = {"resourceType": "Bundle", "type": "collection", "entry": entries}
    subject = {"fhirVersion": "4.0.1", "fhirBundle": bundle}
    payload = {"iss": "https://example.org", "nbf": 1600000000, "vc": {"type": ["x"], "credentialSubject": subject}}
    packer = zlib.compressobj(9, zlib.DEFLATED, -15)
    packed = packer.compress(json.dumps(payload).encode()) + packer.flush()
    header = json.dumps({"zip": "DEF", "alg": "ES256", "kid": "k" * 43}).encode()
    return ".".join(base64.urlsafe_b64encode(part).decode().rstrip("=") for part in (header, packed, bytes(range(64))))


def shc(signed: str = "") -> str:
    """The same as digits."""
    return "shc:/" + "".join(f"{ord(character) - 45:02d}" for character in signed or jws())


def spread(card: str, total: int) -> list[str]:
    """A card over several codes."""
    digits = card.removeprefix("shc:/")
    size = -(-len(digits) // total)
    return [f"shc:/{n + 1}/{total}/{digits[n * size : (n + 1) * size]}" for n in range(total)]


PLAN = (
    '<MP v="028" U="B556E9F99632438786B100B8D96C0122" l="de-DE"><P g="Jürgen" f="Wernsen" egk="A000500015" b="19400324"/>'
    '<A lanr="123456601" n="Praxis Dr. Beispiel" t="2026-01-01T12:00:00"/><S><M p="230272" m="1" du="1" r="Blutdruck"/></S></MP>'
)


def token(number: str = "160000033491280") -> str:
    """A German prescription's access token."""
    digits = f"{number}{98 - int(number + '00') % 97:02d}"
    groups = ".".join(digits[place : place + 3] for place in range(0, 15, 3)) + "." + digits[15:]
    return json.dumps({"urls": [f"Task/{groups}/$accept?ac={'0a' * 32}"]})


def shlink() -> str:
    """A link with its key."""
    content = {"url": "https://example.org/ABCDEF", "key": "r" * 43, "flag": "L", "label": "Summary"}
    return "https://viewer.example.org#shlink:/" + base64.urlsafe_b64encode(
        json.dumps(content).encode()
    ).decode().rstrip("=")


VISIBLE = json.dumps(
    {"data": {"hdr": {"t": "icao.vacc", "v": 1, "is": "UTO"},
              "msg": {"uvci": "U32870", "pid": {"n": "KERVELLA ODETTE", "dob": "1961-03-12", "i": "A1234567Z"}, "ve": []}},
     "sig": {"alg": "ES256"}}, separators=(",", ":"))  # fmt: skip

EVERY = {
    "ins": ins(), "test": stamp("B2", COVID_TEST), "vaccination": stamp("L1", VACCINATION), "death": stamp("AE", DEATH),
    "death v3": stamp("A4", DEATH, version=3), "certificate": hc1(), "card": shc(), "signed": jws(), "plan": PLAN,
    "token": token(), "link": shlink(), "visible": VISIBLE,
}  # fmt: skip
