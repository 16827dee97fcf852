"""What nobody can read: encrypted, cut short, damaged. « Undecidable » is the right answer to each."""

from __future__ import annotations

import gzip
import hashlib
import io
import lzma

from containers import archive, ole, pdf, pdf_objects, rc4, shown, tape, zip_crypto
from office import docx, paragraphs
from people import FR, add, closed
from signals import PIXELS, dicom, study
from tables import sqlite, xlsx

PAD = bytes.fromhex("28bf4e5e4e758a4164004e56fffa01082e2e00b6d0683e802f0ca9fe6453697a")


def noise(size: int, seed: str) -> bytes:
    return b"".join(hashlib.sha256(f"{seed}{n}".encode()).digest() for n in range(size // 32 + 1))[:size]


def protected_pdf(lines: list[str]) -> bytes:
    """The standard security handler, revision 2, 40 bits."""
    secret = (b"secret" + PAD)[:32]
    owner = rc4(hashlib.md5(secret).digest()[:5], secret)
    number = hashlib.md5(b"id").digest()
    key = hashlib.md5(secret + owner + b"\xfc\xff\xff\xff" + number).digest()[:5]
    text = rc4(hashlib.md5(key + b"\4\0\0\0\0").digest()[:10], shown(lines))
    return pdf_objects(
        [
            b"<</Type/Catalog/Pages 2 0 R>>",
            b"<</Type/Pages/Kids[3 0 R]/Count 1>>",
            b"<</Type/Page/Parent 2 0 R/MediaBox[0 0 595 842]/Contents 4 0 R/Resources<</Font<</F1 5 0 R>>>>>>",
            b"<</Length %d>>stream\n" % len(text) + text + b"\nendstream",
            b"<</Type/Font/Subtype/Type1/BaseFont/Helvetica>>",
            b"<</Filter/Standard/V 1/R 2/P -4/O<%s>/U<%s>>>" % (owner.hex().encode(), rc4(key, PAD).hex().encode()),
        ],
        b"/Encrypt 6 0 R/ID[<%s><%s>]" % (number.hex().encode(), number.hex().encode()),
    )


def write() -> None:
    a, b = FR[0], FR[1]
    lines = [f"Compte rendu : {a.given} {a.family}, née le {a.french}", "Diagnostic : insuffisance rénale aiguë. " * 20]
    letter = docx(paragraphs(*lines))
    grid = [["Nom", "DDN", "Diagnostic"], *[[p.family, p.french, "HTA"] for p in FR]]
    book = xlsx({"Patients": grid})
    page = pdf(lines)
    nested = io.BytesIO()
    with gzip.GzipFile("", "wb", 9, nested, 0) as file:
        file.write(tape({"cr/cr1.docx": letter, "cr/cr2.pdf": page}))
    add("closed/k00.tgz", nested.getvalue(), "archive", 1, note="readable: a document in a tar in a gzip")
    add("closed/k01.zip", archive({"a.zip": archive({"b.zip": archive({"lettre.docx": letter})})}), "archive", 1, note="readable: three archives deep")
    add("closed/k02.xz", lzma.compress(page), "archive", 1, note="readable")
    closed("closed/b01.zip", zip_crypto("cr.pdf", page, b"azerty"), "zip", note="the old ZIP cipher")
    closed("closed/b02.pdf", protected_pdf(lines), "pdf", note="a password to open it")
    info = b"\4\0\4\0\x24\0\0\0" + noise(200, "info")
    closed("closed/b03.docx", ole({"EncryptionInfo": info, "EncryptedPackage": (8192).to_bytes(8, "little") + noise(8192, "package")}), "docx", note="protected by Office")
    closed("closed/b04.docx", letter[: len(letter) * 2 // 3], "docx", note="cut short")
    closed("closed/b05.zip", archive({"x.pdf": page})[:-80], "zip", note="no directory at its end")
    damaged = bytearray(book)
    at = damaged.index(b"xl/worksheets/sheet1.xml") + 40
    damaged[at : at + 60] = bytes(60)
    closed("closed/b06.xlsx", bytes(damaged), "xlsx", note="the sheet's data is damaged")
    hurt = bytearray(page)
    at = hurt.index(b"stream\n") + 20
    hurt[at : at + 60] = noise(60, "hurt")
    closed("closed/b07.pdf", bytes(hurt), "pdf", note="the page's stream is damaged")
    closed("closed/b08.7z", b"7z\xbc\xaf\x27\x1c\0\4" + noise(900, "7z"), "7z", note="damaged header")
    closed("closed/b09.asc", "-----BEGIN PGP MESSAGE-----\n\nhQEMA" + "\n".join(noise(48, f"pgp{n}").hex() for n in range(8)) + "\n=aB3d\n-----END PGP MESSAGE-----\n", "pgp")
    closed("closed/b10.eml", "From: a@x.example\r\nTo: b@y.example\r\nSubject: CR\r\nMIME-Version: 1.0\r\nContent-Type: application/pkcs7-mime; smime-type=enveloped-data; name=smime.p7m\r\nContent-Transfer-Encoding: base64\r\n\r\nMIIB" + "A" * 300 + "\r\n", "s/mime")
    whole = dicom([*study(b, "2", "CT"), *PIXELS])
    closed("closed/b11.dcm", whole[:150] + noise(200, "dcm"), "dicom", note="damaged after the prefix")
    closed("closed/b12.gz", nested.getvalue()[: len(nested.getvalue()) // 3], "gzip", note="cut short")
    base = bytearray(sqlite("CREATE TABLE patient(nom, ddn, diagnostic);", "patient", [[p.family, p.french, "HTA"] for p in FR]))
    base[100:] = noise(len(base) - 100, "sqlite")
    closed("closed/b13.db", bytes(base), "sqlite", note="only the header is left")
    closed("closed/b14.doc", ole({"WordDocument": noise(4096, "doc"), "1Table": noise(4096, "table")}), "doc", note="damaged")
    closed("closed/b15.rar", b"Rar!\x1a\7\1\0" + noise(700, "rar"), "rar", note="damaged")
    closed("closed/b16.kdbx", bytes.fromhex("03d9a29a67fb4bb501000400") + noise(900, "kdbx"), "vault")
    closed("closed/b17.gpg", bytes.fromhex("8c0d0409030a") + noise(900, "gpg"), "gpg", note="symmetric, binary")
    closed("closed/b18.accdb", b"\0\1\0\0Standard ACE DB\0" + noise(4076, "accdb"), "database that cannot be opened")
    closed("closed/b19.zip", archive({"dossier/lettre.txt": "Bonjour, voici les documents.", "dossier/cr.zip": zip_crypto("cr.pdf", page, b"azerty")}), "zip", note="an encrypted one inside a readable one")
    closed("closed/b20.pages", archive({"Index/Document.iwa": noise(3000, "iwa"), "Metadata/Properties.plist": "bplist00"}), "a word processor's own format")
