r"""HPRIM: the three French families that share a name.

« HPRIM Médecin » (12 header lines, then free text and ``****LAB****`` blocks), « HPRIM Santé » 2.x (``H|~^\&|``
records, ASTM-like) and HPRIM XML. Sources: norme HPRIM 2.x and 3.0 as published by the association.
"""

from __future__ import annotations

import html
import re

from agent.detection.structured.base import CERTAIN, LIKELY, STRONG, Person, Recognised, about, nobody, unclear
from agent.detection.structured.xmltree import Node, is_closed, parse
from agent.findings import Kind

NAMESPACE = "http://www.hprim.org/hprimXML"
_MARK = re.compile(r"\*{4}(?:LAB|FIN|FINFICHIER)\*{4}")
_DATE = re.compile(
    r"(?:(?:0?[1-9]|[12]\d|3[01])[/.-](?:0?[1-9]|1[0-2])[/.-](?:(?:18|19|20)\d\d|\d\d)"
    r"|(?:18|19|20)\d\d-?(?:0[1-9]|1[0-2])-?(?:0[1-9]|[12]\d|3[01]))(?:\s.*)?"
)
_LABEL = re.compile(
    r"(?:nom(?: de naissance| usuel)?|pr[ée]noms?|n[ée]e?(?:\(e\))? le|date de naissance|ddn) *: *", re.IGNORECASE
)
_POSTCODE = re.compile(r"(?:\d{5}|2[AB]\d{3})\b\D*")
_NIR = re.compile(r"[12378]\s?\d{2}\s?\d{2}\s?[\dAB]{2}\s?\d{3}\s?\d{3}(?:\s?\d{2})?")
_NAME = re.compile(r"[^\W\d_][^\d|;{}<>=]{0,59}")
_SHIFTS = ((0, 0), (1, 0), (-1, 0), (0, 1), (0, -1))
"""Lines by which senders shift the whole header, and what follows the address: postcode and town on two lines."""
_RESULT = re.compile(r"^(?:RES|TEX)\|", re.MULTILINE)
_SANTE = re.compile(r"H(.)(.)(.)(.)(.)")
_ASTM = re.compile(r"(?:\d?H)([|!])([\\~])(\^)(&)(?=\1|[\r\n])")
_FRAME = re.compile(r"^[\x02\x03\x05]*\d?(?=[HPORCL][|!])")  # frame number, as in the serial protocol
_SANTE_VERSION = re.compile(r"\|H[23]\.\d~?[A-Z]?|\|(?:ORU|ORM|ORA|ADM|FAC|REG|ERR)\|")


def recognise_hprim_medecin(text: str) -> Recognised | None:
    """Judge the line format: end markers with a header, or a header alone when it is complete. None otherwise."""
    if "\n" not in text[:2_000] and "\r" in text[:2_000]:
        text = text.replace("\r", "\n")  # as some senders end their lines
    marked = (
        "*" in text and "****" in text and (_MARK.search(text[-200_000:]) or _MARK.search(text[:200_000])) is not None
    )
    people: list[Person] = []
    blocks = re.split(r"\*{4}FIN\*{4}", text[:8_000_000]) if marked else [text[:20_000]]
    for block in blocks[:10_000]:
        person = _header(block, strict=not marked)
        if person is not None:
            people.append(person)
    if not people and not marked:
        return None
    clinical = len(_RESULT.findall(text[:2_000_000]))
    if people:
        return about(Kind.HPRIM, people, clinical=max(clinical, 1), confidence=CERTAIN if marked else STRONG)
    if clinical:
        return about(Kind.HPRIM, [], clinical=clinical, confidence=LIKELY)
    return None


def _header(block: str, *, strict: bool) -> Person | None:
    """The patient of the twelve lines. Senders shift lines by one at most; birth date and names are the stable ones."""
    lines = [line.strip() for line in block.lstrip("\ufeff\r\n").split("\n", 15)[:15]]
    if strict and (len(lines) < 12 or not any(map(str.isdigit, lines[6][-4:]))):
        return None
    escaped = any("&" in line for line in lines)
    if strict and not escaped and not _DATE.fullmatch(_LABEL.sub("", lines[6]) if ":" in lines[6] else lines[6]):
        return None
    if escaped:  # written by software that thinks in HTML
        lines = [html.unescape(line[:400]) for line in lines]
    lines = [_LABEL.sub("", line) if ":" in line else line for line in lines[:8]] + lines[8:]
    for shift, more in ((0, 0),) if strict else _SHIFTS:
        if len(lines) < 8 + shift + more:
            continue
        family, given, birth = lines[1 + shift], lines[2 + shift], lines[6 + shift + more]
        if not (_DATE.fullmatch(birth) and _NAME.fullmatch(family) and (not given or _NAME.fullmatch(given))):
            continue
        if strict and not _complete(lines):
            continue
        number = lines[7 + shift + more]
        return Person(family, given, birth, (number,) if _NIR.fullmatch(number) else ())
    return None


def _complete(lines: list[str]) -> bool:
    """Without the markers: an exam date on line 10, and an address line with a postcode or a social security number."""
    if len(lines) < 12 or any(len(line) > 80 for line in lines[:10]):
        return False
    located = any(_POSTCODE.match(line) for line in lines[3:6]) or bool(_NIR.fullmatch(lines[7]))
    return located and bool(_DATE.fullmatch(lines[9]) or not lines[9]) and bool(lines[2])


def recognise_hprim_sante(text: str) -> Recognised | None:
    r"""Judge ``H|~^\&|`` records; persons are read from the P records (field 6 name, field 8 birth date)."""
    text = text[:16_000_000].lstrip("\ufeff\x0b \r\n\t")
    found = _SANTE.match(text)
    if not found or found[1].isalnum() or len({*found.groups()}) < 4:
        return None
    lines = re.split(r"[\r\n]+", text)
    if not _SANTE_VERSION.search(lines[0].replace(found[1], "|").replace(found[2], "~")):
        return None
    people, clinical, patients = [], 0, 0
    for line in lines:
        fields = line.split(found[1])
        if fields[0] == "P":
            patients += 1
            people.append(_sante_person(fields, found[2]))
        elif fields[0] in {"OBR", "OBX", "C", "TXT", "ACT", "AC"}:
            clinical += 1
    if not patients and not clinical:
        ended = any(line.startswith("L" + found[1]) for line in lines)
        return nobody(Kind.HPRIM) if ended or f"{found[1]}ERR{found[1]}" in lines[0] else unclear(Kind.HPRIM)
    mode = (lines[0].split(found[1]) + [""] * 12)[11]
    return about(Kind.HPRIM, people, clinical=clinical, test_data=mode.strip() in {"T", "D"})


def recognise_astm(text: str) -> Recognised | None:
    r"""Judge analyser records (ASTM E1394, CLSI LIS2-A): ``H|\^&``, P, O, R, L; None unless they open so and hold more
    than a header. Calibrations and controls come without a P record.
    """
    text = text[:16_000_000].lstrip("\ufeff\x02\x05\x0b \r\n\t")
    found = _ASTM.match(text)
    if not found:
        return None
    people, results = [], 0
    for line in re.split(r"[\r\n]+", text):
        fields = _FRAME.sub("", line).split(found[1])
        if fields[0] == "P":
            people.append(_sante_person([*fields[:2], "".join(fields[2:4]), "", *fields[4:]], found[3]))
        results += fields[0] in {"O", "R", "C"}
    known = [person for person in people if person.recognisable]
    return about(Kind.LAB_REPORT, known, clinical=results) if known else nobody(Kind.LAB_REPORT, LIKELY)


def _sante_person(fields: list[str], component: str) -> Person:
    def at(index: int) -> str:
        return fields[index] if index < len(fields) else ""

    family, _, rest = at(5).partition(component)
    identifiers = tuple(value.partition(component)[0] for value in (at(2), at(4)) if value.strip())
    return Person(family, rest.partition(component)[0], at(7), identifiers)


def recognise_hprim_xml(raw: bytes) -> Recognised | None:
    """Judge an ``evenements...`` message; acknowledgements carry nobody; ``modeTraitement="test"`` marks a test."""
    root = parse(raw)
    if root is None:
        return None
    nodes = [node for node in root.walk() if node.name == "patient"][:10_000]
    if not nodes:
        return nobody(Kind.HPRIM, LIKELY) if is_closed(raw, root.name) else unclear(Kind.HPRIM)
    modes = {node.get("modeTraitement") for node in [root, *root.all("enteteMessage")]}
    acts = sum(1 for node in root.walk() if node.name.startswith(("acte", "diagnostic", "intervention", "venue")))
    return about(Kind.HPRIM, [_xml_person(node) for node in nodes], clinical=acts, test_data="test" in modes)


def _xml_person(node: Node) -> Person:
    texts: dict[str, str] = {}
    for child in node.walk():
        value = child.text.strip()
        if value:
            texts.setdefault(child.name.lower(), value)
        if child.name.lower() == "datenaissance" and child.say("date"):
            texts["datenaissance"] = child.say("date")
    family = texts.get("nomnaissance") or texts.get("nomusuel") or texts.get("nom", "")
    number = tuple(texts[key] for key in ("valeur", "emetteur", "numerosecuritesociale") if key in texts)
    return Person(family, texts.get("prenom", ""), texts.get("datenaissance", ""), number[:1])
