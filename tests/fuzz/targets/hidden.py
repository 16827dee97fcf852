"""What stands within something else: rows in SQL, documents in base64, streams in a PDF, tables in aligned text."""

from __future__ import annotations

import base64

from tests import invented
from tests.fuzz import seeds
from tests.fuzz.target import Check, Target, must
from tests.unit.extraction import made_documents as made

_DUMP = (
    "CREATE TABLE `patient` (`id` int NOT NULL, nom varchar(40), PRIMARY KEY (`id`));\n"
    "INSERT INTO `patient` VALUES (1,'O\\'Neil','1984-05-14',NULL),(2,'d''Arc',TO_DATE('1950','YYYY'),3.5);\n"
    "COPY public.visite (id, motif) FROM stdin;\n1\tHTA\n2\t\\N\n\\.\nINSERT INTO x (a, b) SELECT 1;\n"
)
_MOST = 500  # rows
_ENCODED = base64.encodebytes(invented.pdf(invented.LETTER))


def _sql() -> Check:
    from agent.extraction.formats.sql import has_rows, read_tables

    def check(data: bytes) -> None:
        text = data.decode("utf-8", "replace")
        has_rows(text)
        for table in read_tables(text, _MOST):
            must(len(table) <= _MOST, "rows are bounded")
            must(all(len(row) <= 256 for row in table), "columns are bounded")

    return check


def _base64() -> Check:
    from agent.extraction.embedded import base64_runs, dressed_runs

    def check(data: bytes) -> None:
        for run in (*base64_runs(data, 1 << 20), *dressed_runs(data, 1 << 20)):
            must(0 < len(run.data) <= 1 << 20, "what was packed is bounded")

    return check


def _streams() -> Check:
    from agent.extraction.formats.behind import end_of_pdf, end_of_picture
    from agent.extraction.formats.pdf_streams import is_anchored, survey
    from agent.extraction.limits import Budget

    def check(data: bytes) -> None:
        found = survey(data, Budget())
        must(found.readable >= 0 and found.broken >= 0, "streams are counted")
        is_anchored(data)
        must(0 <= end_of_pdf(data) <= len(data), "the end of a PDF lies within the bytes")
        must(end_of_picture(data) >= 0, "the end that a picture states is not before its beginning")

    return check


def _aligned() -> Check:
    from agent.detection.aligned import tables_in

    def check(data: bytes) -> None:
        text = data.decode("utf-8", "replace")
        rows = sum(len(table) for table in tables_in(text))
        must(rows <= 12 * (text.count("\n") + len(text.splitlines()) + 1), "rows are lines of the text")

    return check


def _serial() -> Check:
    from agent.extraction.formats.serial import date_of, is_date_format, number_text

    def check(data: bytes) -> None:
        text = data.decode("utf-8", "replace")
        is_date_format(len(text), text)
        for since_1904 in (False, True):
            date_of(text, since_1904=since_1904)
        number_text(text)

    return check


def _pdfs() -> list[bytes]:
    return [
        invented.pdf(invented.LETTER),
        made.pdf([made.shown("HTA")]),
        *(d for e, d in seeds.corpus() if e in {"pdf", "png"}),
    ]


TARGETS = (
    Target("sql", "any text has bounded tables of its statements; nothing is raised", lambda: [_DUMP.encode()], _sql,
           words=(b"INSERT INTO ", b"VALUES (", b"'", b"''", b"\\'", b"),(", b"COPY a (b) FROM stdin;\n", b"\\.\n", b"CAST(N'"),
           cpu_s=3.0),
    Target("base64", "what is packed in any text is unpacked within the limit; nothing is raised",
           lambda: [_ENCODED, b'"' + _ENCODED.replace(b"\n", b"\\n") + b'"', b"data:;base64," + _ENCODED], _base64, cpu_s=3.0,
           words=(b"JVBERi0", b"\\n", b"\\/", b"=", b"UEsDB", b"H4sI", b"%2B", b"\r\n> ")),
    Target("pdf-streams", "any bytes have a count of streams and an end; nothing is raised", _pdfs, _streams, cpu_s=4.0,
           words=(b"stream\r\n", b"endstream", b"/Filter/FlateDecode", b"startxref\n9\n", b"%%EOF", b"obj", b"IEND", b"\xff\xd9")),
    Target("aligned-text", "any text has tables of its lines; nothing is raised", seeds.texts, _aligned,
           words=(b"  ", b"    ", b"\t", b"|", b"\n", b"01/02/1950", b"M. "), cpu_s=3.0),
    Target("serial", "any number of a cell is shown; nothing is raised", lambda: [b"44197.5", b"2.79E14", b"dd/mm/yyyy", b"-1"],
           _serial, words=(b"e", b"E9", b".", b"inf", b"nan", b"[$-40C]", b"General"), max_bytes=200),
)  # fmt: skip
