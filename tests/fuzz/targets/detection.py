"""Documents as a hostile extraction would hand them over → findings; and the pieces of the detection on their own."""

from __future__ import annotations

import re
from contextlib import suppress
from typing import TYPE_CHECKING

from tests.fuzz import seeds
from tests.fuzz.target import Check, Target, must

if TYPE_CHECKING:
    from agent.document import Document

_NODE, _PIECE = b"\x1d", b"\x1e"
_CLEAR = re.compile(r"(?:\d[ .-]?){7,}")
WORDS = (
    _NODE, _PIECE, b"\x1ep", b"\x1et", b"\x1ef", b"\x1er", "né le 12/03/1961".encode(), b"Mme ", b"IPP ", b"NIR", b"\xc2\xa0",
    b"2 84 05 78 006 084 36", b"284057800608436", "•".encode(), b"Patient :", b"MSH|^~\\&|", b"PID|", b"\r", b"\n",
    b"<ClinicalDocument", b"<recordTarget>", b'{"resourceType":"Patient"', b'"name":[', b"[[[[", b'{"a":{"a":', b"UNB+",
    b"****LAB****", b"8000 ", b"<kmehrmessage", "İ".encode(), "ﬁ".encode(), "ẞ".encode(), b"\xf0\x9f\x98\x80", b"TA 12/7",
    b"IS01", b"H|", b"<", b">", b"&amp;", b"]]>", b"^", b"~", b"|", b";",
)  # fmt: skip


def _seeds() -> list[bytes]:
    plain = [bytes([index % 40]) + _PIECE + b"p" + text for index, text in enumerate(seeds.texts())]
    raw = [bytes([index % 40]) + _PIECE + b"r" + text for index, text in enumerate(seeds.texts())]
    table = b"\x0f" + _PIECE + b"tnom;ddn;motif\nA;01/01/1950;HTA\nB;02/02/1960;asthme\nC;03/03/1970;HTA"
    fields = b"\x1a" + _PIECE + b"f0010,0010=VERNICOURT^ODETTE" + _PIECE + b"f0008,0060=CT"
    tree = b"\x1e" + _PIECE + b"pa.zip" + _NODE + plain[0] + _NODE + b"\x80" + table[1:]
    return [*plain, *raw, table, fields, tree]


def build(data: bytes) -> Document:
    """Any bytes as a tree: nodes, in them pieces of text, tables, fields, raw bytes. The high bit goes a level down."""
    from agent.document import Area, Document, Format, Part, Problem, Spot

    formats, areas, problems = tuple(Format), tuple(Area), tuple(Problem)
    root = last = Document(Format.UNKNOWN)
    for index, content in enumerate(data.split(_NODE)[:400]):
        first = content[0] if content else 0
        node = Document(formats[first % 64 % len(formats)], size=len(content), extension="txt")
        if first & 0x40:
            node.problem = problems[len(content) % len(problems)]
        for number, piece in enumerate(content.split(_PIECE)[1:]):
            text = piece[1:].decode("utf-8", "replace")
            match piece[:1]:
                case b"t":
                    node.tables.append([tuple(line.split(";")) for line in text.split("\n")])
                case b"f":
                    name, _, value = text.partition("=")
                    node.fields[name] = value
                case b"r":
                    node.raw = piece[1:]
                    node.parts.append(Part(text))
                case _:
                    node.parts.append(Part(text, Spot(areas[number % len(areas)], number)))
        if index == 0:
            root = node
        elif first & 0x80:
            last.children.append(node)
        else:
            root.children.append(node)
        last = node
    return root


def _detect() -> Check:
    from agent.detection.detector import detect, warm_up
    from agent.extraction import wire
    from agent.findings import Judgement

    warm_up()

    def check(data: bytes) -> None:
        document = build(data)
        findings = detect(document)
        must(0.0 <= findings.confidence <= 1.0 and findings.patients >= 0, "confidence and patients are in range")
        broken = document.problem is not None or any(child.problem is not None for child in document.children)
        if findings.judgement is Judgement.NOT_MEDICAL:
            must(findings.problem is None, "not medical has no problem")
            must(not (broken and document.problem is not None), "a problem is never clean")
        for item in findings.items:
            must(len(item.sample) <= 48, "samples are short")
            must(not _CLEAR.search(item.sample), "samples are masked")
        read = wire.decode_answer(7, wire.encode_answer(7, findings))
        must(read.judgement is findings.judgement and read.kind is findings.kind, "the answer survives the wire")
        must(detect(document) == findings, "the same document has the same answer")

    return check


def _recognise() -> Check:
    from agent.detection.structured import Recognised, recognise

    def check(data: bytes) -> None:
        waiting = [build(data)]
        while waiting:
            node = waiting.pop()
            found = recognise(node)
            must(found is None or isinstance(found, Recognised), "recognised or not")
            waiting.extend(node.children)

    return check


def _identifiers() -> Check:
    from agent.detection.identifiers import find_identifiers, mask

    def check(data: bytes) -> None:
        text = data.decode("utf-8", "replace")
        end = 0
        for hit in find_identifiers(text):
            must(0 <= hit.start <= hit.end <= len(text), "hits lie within the text")
            must(hit.start >= end, "hits do not overlap")
            end = hit.end
            must(not _CLEAR.search(mask(text[hit.start : hit.end])), "masked")

    return check


def _loops() -> Check:
    from agent.detection import loops
    from agent.detection.fold import fold
    from agent.detection.lexicon import entries
    from agent.detection.loops import plain
    from agent.detection.wordings import model

    lexicon, known = entries(), model()
    terms = [entry.text for entry in lexicon], bytes(e.whole for e in lexicon), bytes(e.counted for e in lexicon)
    tables = bytes(range(256)), b"\xad\0", bytes(code if chr(code).isalnum() else 0x20 for code in range(256))
    features = known.texts, known.weights, [1 + number % 900 for number in range(len(known.texts))]
    twins = [(twin.Terms(*terms), twin.Sound(*features)) for twin in (plain, loops)]

    def check(data: bytes) -> None:
        page = fold(data.decode("utf-8", "replace"))
        for lines in (page.lines, data):
            said = [sound.hear(lines) for _, sound in twins]
            must(said[0][:4] == said[1][:4], "a page sounds the same")
            must(sorted(said[0][4]) == sorted(said[1][4]), "by the same features")
        for text in (page.lines, data):
            must(plain.Views(*tables).of(text) == loops.Views(*tables).of(text), "the same views")
            must(plain.survey(text) == loops.survey(text), "the same lines")
        found = [words.find(page.words) for words, _ in twins]
        must(found[0] == found[1], "the same entries are found")

    return check


def _tables() -> Check:
    from agent.detection.tables import read_table

    def check(data: bytes) -> None:
        rows = [tuple(line.split(";")) for line in data.decode("utf-8", "replace").split("\n")]
        found = read_table(rows)
        must(0.0 <= found.probability <= 1.0, "a probability is one")
        must(len(found.keys) <= len(rows), "no more persons than rows")

    return check


def _charset() -> Check:
    from agent.extraction.formats.charset import decode

    def check(data: bytes) -> None:
        declared, _, content = data.partition(b"\n")
        decode(content, declared.decode("latin-1")).encode("utf-8", "surrogatepass")

    return check


def _codes() -> Check:
    from agent.detection.codes import reader
    from agent.detection.structured import Recognised
    from agent.document import Code

    def check(data: bytes) -> None:
        text = data.decode("latin-1")
        for found in (*reader.read_code(Code("qr", data)), *reader.read_text(text)):
            must(isinstance(found, Recognised), "a code says something or nothing")
            must(all(len(item.sample) <= 48 for item in found.items), "samples are short")

    return check


def _cbor() -> Check:
    from agent.detection.codes.cbor import BadCborError, decode

    def check(data: bytes) -> None:
        with suppress(BadCborError):
            decode(data)

    return check


def _certificates() -> list[bytes]:
    from tests import codes

    return [codes.cbor({1: "FR", -260: {1: {"nam": {"fn": "A"}, "v": [1, b"x", True]}}}), b"\x9f\x01\x61a\xff"]


def _every_code() -> list[bytes]:
    from tests import codes

    return [text.encode() for text in codes.EVERY.values()]


def _plain() -> list[bytes]:
    return seeds.texts()


def _encoded() -> list[bytes]:
    names = ("", "utf-8", "utf-16", "utf-7", "cp1252", "iso-8859-15", "idna", "rot13", "utf-32-be", "unicode_escape")
    return [f"{name}\n{text}".encode() for name in names for text in seeds.TEXTS[:2]]


TARGETS = (
    Target("detect", "any Document has findings: in range, masked, the same twice, fit for the wire; nothing is raised",
           _seeds, _detect, words=WORDS, cpu_s=3.0),
    Target("recognise", "any node is a structured format or none, and nothing is raised",
           _seeds, _recognise, words=WORDS, cpu_s=3.0),
    Target("identifiers", "identifiers lie within the text, do not overlap, are masked; nothing is raised",
           _plain, _identifiers, words=WORDS),
    Target("codes", "any bytes of a 2D code say something or nothing; nothing is raised", _every_code, _codes,
           words=(b"HC1:", b"shc:/", b"DC04", b"IS01", b"eyJ", b"shlink:/", b"\x1d", b"<MP ", b"%1D")),
    Target("cbor", "any bytes are CBOR or refused with one exception", _certificates, _cbor,
           words=(b"\x9f", b"\xbf", b"\x5f", b"\xff", b"\xa1", b"\xd2", b"\xbb")),
    Target("loops", "the compiled loops and their plain twins say the same of any bytes", _plain, _loops, words=WORDS),
    Target("tables", "any rows have a probability; nothing is raised", _plain, _tables, words=WORDS),
    Target("charset", "any bytes with any declared encoding are text; nothing is raised", _encoded, _charset, words=WORDS),
)  # fmt: skip
