"""Where inputs begin: small documents made by the other tests, and a few of the development corpus when it is there."""

from __future__ import annotations

import bz2
import gzip
import json
import lzma
from functools import cache

from agent.extraction.samples import samples
from tests import invented
from tests.conftest import CORPUS
from tests.unit.extraction import made_documents as made

_FROM_CORPUS = 40
_LARGEST = 24_000  # bytes; what is larger would spend the time on itself

SHEET = "<row>" + "".join(f'<c r="{c}1" t="inlineStr"><is><t>{c} dyspnée</t></is></c>' for c in "ABC") + "</row>"


@cache
def documents() -> list[tuple[str, bytes]]:
    """(extension, bytes): every format that the extraction knows."""
    found = list(samples())
    found += [(name.rpartition(".")[2], data) for name, data in invented.documents().items()]
    found += [(extension, data) for extension, data, _text in containers()]
    found += [
        ("rar", made.rar(b"a.txt", invented.LETTER.encode())),
        ("7z", made.seven_zip({"a.txt": invented.LETTER.encode(), "b/c.txt": b"b"})),
        ("ppt", made.compound({("PowerPoint Document",): b"\x0f\0" + invented.LETTER.encode("utf-16-le"),
                               ("Current User",): bytes(20)})),
        ("docx", made.compound({("EncryptedPackage",): bytes(5000), ("EncryptionInfo",): bytes(100)})),
        ("mbox", b"From a Mon Jan  1 00:00:00 2026\n" + invented.mail()),
        ("ndjson", b"\n".join(json.dumps({"resourceType": "Patient", "id": str(n)}).encode() for n in range(4))),
        ("rtf", rb"{\rtf1\ansi\ansicpg1252{\object{\*\objdata 0105000002000000}}{\field x}\u233?\bin4 abcd}"),
        ("ecg", b"\0\0" + bytes(4) + bytes(10) + b"SCPECG" + bytes(200)),
        ("edf", b"0       " + b"X X X X".ljust(160) + b"01.01.2601.01.01" + bytes(100)),
        ("vcf", b"##fileformat=VCFv4.2\n#CHROM\tPOS\n"),
        ("db", made.sqlite([["nom", "texte"], ["A", invented.LETTER]], b"%PDF-1.4" + bytes(600))),
        ("dbf", made.dbase([("NOM", "C", 20), ("NE", "D", 8)], [["VASSEUR", "19500312"], ["PRADEL", "19610704"]])),
        ("dat", made.tnef(invented.LETTER, b"%PDF-1.4", "<p>HTA</p>")),
        ("p7m", made.cms(b"\x07\x02", invented.LETTER.encode(), pieces=200)),
        ("iwa", made.iwa(invented.LETTER)),
        ("age", b"age-encryption.org/v1\n-> X25519 abc\n"),
    ]  # fmt: skip
    return found + corpus()


@cache
def corpus() -> list[tuple[str, bytes]]:
    """Small files of the development corpus, one of each folder first; none when it is not beside the checkout."""
    if not (CORPUS / "manifest.jsonl").is_file():
        return []
    taken: dict[str, tuple[str, bytes]] = {}
    for line in (CORPUS / "manifest.jsonl").read_text(encoding="utf-8").splitlines():
        entry = json.loads(line)
        path, kind = CORPUS / entry["path"], f"{entry['kind']} {entry['path'].rpartition('.')[2]}"
        if kind not in taken and entry["bytes"] <= _LARGEST and path.is_file():
            taken[kind] = (path.suffix[1:].lower(), path.read_bytes())
    return list(taken.values())[:_FROM_CORPUS]


@cache
def containers() -> list[tuple[str, bytes, str]]:
    """(extension, bytes, text): medical containers that carry lengths or checksums, and the text that they hold."""
    letter = invented.LETTER
    plain = letter.encode()
    paragraphs = "".join(f"<text:p>{line}</text:p>" for line in letter.splitlines())
    rows = "".join(f'<row><c t="inlineStr"><is><t>{line}</t></is></c></row>' for line in letter.splitlines() if line)
    return [
        ("docx", invented.docx(letter), letter),
        ("pdf", invented.pdf(letter), letter),
        ("odt", made.odf("text", paragraphs), letter),
        ("xlsx", made.xlsx(rows), letter),
        ("zip", made.zipped({"a.txt": letter}), letter),
        ("doc", made.doc(letter), letter),
        ("xls", made.xls([[line] for line in letter.splitlines() if line]), letter),
        ("msg", made.msg("Compte rendu", letter), letter),
        ("gz", gzip.compress(plain, mtime=0), letter),
        ("bz2", bz2.compress(plain), letter),
        ("xz", lzma.compress(plain), letter),
        ("tgz", gzip.compress(made.tar({"a.txt": plain}), mtime=0), letter),
        ("7z", made.seven_zip({"a.txt": plain}), letter),
        ("rar", made.rar(b"a.txt", plain), letter),
    ]


TEXTS = (
    invented.LETTER, invented.PRESCRIPTION, invented.MENU, invented.INVOICE, invented.LEAFLET, invented.HL7,
    invented.CDA, invented.HPRIM, invented.patient_list().decode("cp1252"), invented.fhir().decode(),
)  # fmt: skip


@cache
def texts() -> list[bytes]:
    """Plain and structured texts, UTF-8."""
    more = [data for extension, data in corpus() if extension in {"txt", "xml", "json", "csv", "hl7", "hpr", "edi"}]
    return [text.encode() for text in TEXTS] + more
