"""Parsers of our own for containers and headers that share a format, each on its own: nothing but ``Stop`` comes out."""

from __future__ import annotations

import json
import zlib
from collections.abc import Callable

from agent.extraction.limits import Stop
from tests import invented
from tests.fuzz.target import Check, Target, must
from tests.unit.extraction import made_documents as made

_LETTER = invented.LETTER
_FLAT = (
    b'<office:document xmlns:office="urn:oasis:names:tc:opendocument:xmlns:office:1.0" '
    b'office:mimetype="application/vnd.oasis.opendocument.spreadsheet"><table:table><table:table-row><table:table-cell>'
    b"<text:p>HTA</text:p></table:table-cell></table:table-row></table:table></office:document>"
)
_BOOK = (
    b'<Workbook xmlns="urn:schemas-microsoft-com:office:spreadsheet"><Worksheet><Table><Row><Cell ss:Index="3"><Data>HTA'
    b"</Data></Cell></Row></Table></Worksheet></Workbook>"
)
_WORD = (
    b'<w:wordDocument xmlns:w="http://schemas.microsoft.com/office/word/2003/wordml"><w:p><w:r><w:t>HTA</w:t></w:r></w:p>'
    b"<w:binData>AAAA</w:binData></w:wordDocument>"
)
_PDF = b"%PDF-1.4" + bytes(600)


def _reads(name: str) -> Callable[[], Check]:
    def prepare() -> Check:
        from agent.document import Document, Format
        from agent.extraction import reader
        from agent.extraction.formats import cms, compressed, database, dbase, flatxml, iwork, tnef
        from agent.extraction.formats.base import Job
        from agent.extraction.limits import Budget, Limits
        from agent.extraction.sniff import HEAD
        from agent.extraction.source import BytesSource

        reader.warm_up()

        def table(job: Job) -> None:
            found = dbase.header(job.head)
            if found is not None:
                dbase.read(job, found)

        chosen = {
            "tnef": tnef.read, "cms": cms.read, "dbase": table, "sqlite": database.read, "iwork": iwork.read,
            "flatxml": flatxml.read, "zlib": compressed.read_zlib,
        }[name]  # fmt: skip
        limits = Limits()

        def check(data: bytes) -> None:
            document = Document(Format.UNKNOWN, size=len(data))
            job = Job(
                BytesSource(data), document, Budget(limits), 0, lambda *_: Document(Format.UNKNOWN), head=data[:HEAD]
            )
            chosen(job)
            must(len(document.children) <= limits.parts, "parts are bounded")
            must(all(len(row) <= limits.columns for rows in document.tables for row in rows), "columns are bounded")
            must(sum(len(part.text) for part in document.parts) <= limits.text_chars, "text is bounded")

        return check

    return prepare


def _recognises() -> Check:
    from agent.detection.structured.base import Recognised
    from agent.detection.structured.dicom_written import recognise_dicom_json, recognise_dicom_xml, recognise_dump
    from agent.detection.structured.ecg import recognise_ecg_xml, recognise_signal
    from agent.detection.structured.jsontree import load
    from agent.detection.structured.research import recognise_research
    from agent.extraction.formats.closed import closed, is_even_noise

    def check(data: bytes) -> None:
        text = data.decode("utf-8", "replace")
        answers = (
            recognise_signal(data), recognise_research(data), recognise_ecg_xml(data), recognise_dicom_xml(data),
            recognise_dump(text), recognise_dicom_json(load(data)),
        )  # fmt: skip
        must(all(answer is None or isinstance(answer, Recognised) for answer in answers), "any bytes have an answer")
        closed(data, "gpg")
        is_even_noise(data)

    return check


def _plain_text() -> Check:
    from agent.detection.structured.base import Recognised
    from agent.detection.structured.keyed import recognise_keyed
    from agent.extraction.formats import inside, latex
    from agent.extraction.formats.text import plain

    def check(data: bytes) -> None:
        text = data.decode("utf-8", "replace")
        must(
            len(latex.plain(text)) <= len(text) + 2 and len(plain(text)) <= len(text),
            "what is read is no more than there is",
        )
        answer = recognise_keyed(text)
        must(answer is None or isinstance(answer, Recognised), "any text has an answer")
        inside.holds_data(text)

    return check


_WRITTEN = [
    b"\\documentclass{letter}\\begin{document}n\\'ee le 12/03/1961, d\\'{e}sormais \\textbf{HTA} \\% \\c{c}a \\oe uf\\end{document}",
    b"[patient]\nnom=A\nprenom=B\nddn=12/03/1961\n[notes]\nmotif=HTA\n[[notes]]\nmotif = 'toux'\n",
    b"**Odile RAMBERT** (12/03/1961)\nCRP|48,2|mg/L|<5\n",
]
_MODEL = {
    "00080060": {"vr": "CS", "Value": ["CT"]},
    "00100010": {"Value": [{"Alphabetic": "A^B"}]},
    "00100020": {"Value": ["1"]},
}
_HEADERS = [
    b"0       " + b"MCH F 12-MAR-1979 Rambert_Odile".ljust(160) + b"01.02.2610.20.30512     " + bytes(100),
    b"@ MFR Standard".ljust(34) + b"\x81\x07Rambert\x82\x044711\x83\x07\0\0\0\xbb\x07\3\x0c\x1e\x84" + bytes(40),
    bytes(6) + bytes(10) + b"SCPECG" + b"\1\0\x30\0\0\0\x40\0\0\0" + bytes(60) + b"\0\4\0ABC\0\5\4\0\xbb\7\3\x0c\xff",
    b"* MICROMED  Brain-Quick file * ".ljust(64) + b"RAMBERT".ljust(22) + b"ODILE".ljust(20) + b"\3\x0c\x4f",
    b"ISHNE1.0" + bytes(130), b"GDF 2.11" + b"4711 Rambert".ljust(66), b"EEG-1100A V01.00" + bytes(120),
    b"@S1\nGATTTGGGGTTC\n+\nIIIIIIIIIIII\n", b"ObjectType = Image\nNDims = 3\n", b"#a\nrsid\tchromosome\tposition\n",
    b"(0008,0060) CS [CT]\n(0010,0010) PN [A^B]\n(0010, 0020) Patient ID   LO: '1'\n", json.dumps([_MODEL]).encode(),
    b"<NativeDicomModel><DicomAttribute tag='00100010'><PersonName><Alphabetic><FamilyName>A</FamilyName></Alphabetic>"
    b"</PersonName></DicomAttribute></NativeDicomModel>",
    b"<ECG><SUBJECT LAST_NAME='A' ID='1'/></ECG>", b"# === DATA DESCRIPTION FILE ===\n.    Patient name   :   A\n",
]  # fmt: skip

_CASES: tuple[tuple[str, list[bytes], tuple[bytes, ...]], ...] = (
    ("tnef", [made.tnef(_LETTER, _PDF, "<p>HTA</p>"), made.tnef("a")], (b"\x03\x90\6\0", b"\x1f\x10", b"\xff\xff\xff\x7f")),
    (
        "cms",
        [made.cms(b"\x07\x02", b"HTA" * 90), made.cms(b"\x07\x02", b"HTA" * 90, pieces=50),
         made.cms(b"\x09\x10\x01\x09", zlib.compress(b"HTA")), b"-----BEGIN CMS-----\nMIAG\n-----END CMS-----\n"],
        (b"\x30\x80", b"\x24\x80", b"\0\0", b"\x04\x84\xff\xff\xff\xff", b"\xa0\x80"),
    ),
    ("dbase", [made.dbase([("NOM", "C", 20), ("NE", "D", 8), ("N", "I", 4)], [["A", "19500312", "1"]] * 4)], (b"\xff\xff", b"\r")),
    ("sqlite", [made.sqlite([["nom", "b"], ["A", "HTA"]], _PDF)], (b"CREATE VIRTUAL TABLE", b"create view", b"\xff\xff\xff\xff")),
    ("iwork", [made.iwa(_LETTER)], (b"\xfe\xff\xff", b"\xff\xff\xff\xff\x0f", b"\x02\x01\0")),
    ("flatxml", [_FLAT, _BOOK, _WORD], (b"ss:Index='-1'", b"<Row>", b"<Cell>", b"<!DOCTYPE a [<!ENTITY b 'c'>]>", b"&b;", b"<binData>")),
    ("zlib", [zlib.compress(b"HTA" * 100)], ()),
)  # fmt: skip
TARGETS = (
    *(
        Target(
            f"format-{name}", f"the reader of {name} on its own raises nothing but Stop, and stays within the limits",
            lambda inputs=inputs: inputs, _reads(name), tolerates=Stop, words=words, cpu_s=4.0, memory_mib=400,
        )
        for name, inputs, words in _CASES
    ),
    Target(
        "written", "LaTeX, Markdown, cells and keys: any text is read in linear time, and grows by nothing",
        lambda: _WRITTEN, _plain_text, cpu_s=2.0,
        words=(b"\\begin{", b"\\'", b"\\textbf{", b"**", b"|mg/L|", b"[a]\n", b"=", b"{{", b"%", b"\\\\"),
    ),
    Target(
        "headers", "any bytes are a signal, research data, a written DICOM header, a closed format, or none of them",
        lambda: _HEADERS, _recognises, words=(b"SCPECG", b"@ MFR ", b"\x81", b"0010,0010", b"Value"), cpu_s=2.0,
    ),
)  # fmt: skip
