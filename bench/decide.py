"""Extraction and detection in one process, warm: what a document costs, beside the bare work nobody can avoid."""

from __future__ import annotations

import gc
import io
import os
import tempfile
import zipfile
from collections.abc import Callable
from pathlib import Path

from agent.detection import loops
from agent.detection.detector import detect
from agent.detection.detector import warm_up as warm_up_detection
from agent.extraction.limits import Budget, Limits
from agent.extraction.reader import read_document, warm_up
from bench.measure import Figure, against, median_s
from tests.invented import INVOICE, LETTER, MENU, dicom, docx, pdf


def main() -> list[Figure]:
    warm_up()
    warm_up_detection()
    gc.collect()
    gc.freeze()  # as a worker does
    two_pages = "\n".join([LETTER] * 3)
    ordinary = (MENU * 40)[: 10 * 1024]
    crowded = (LETTER * 12).encode()[: 10 * 1024]
    word, page, image = docx(two_pages), pdf(two_pages), dicom()
    with tempfile.TemporaryDirectory() as folder:
        return [
            against("text 10 KB, decide", *_pair(folder, "a.txt", ordinary.encode(), _read), 0.4),
            against("text 10 KB, all clinical, decide", *_pair(folder, "f.txt", crowded, _read), None),
            against("letter 2 pages of text, decide", *_pair(folder, "b.txt", two_pages.encode(), _read), 0.4),
            against("DOCX 2 pages, decide", *_pair(folder, "c.docx", word, _inflate), 1.5),
            against("PDF 2 pages, decide", *_pair(folder, "d.pdf", page, _pdfium), 4.0),
            against("DICOM header, decide", *_pair(folder, "e.dcm", image, _read), 2.5),
            _bulk(folder, "bulk text, a core", MENU, 30),
            _bulk(folder, "bulk text full of figures, a core", INVOICE, None),
            _bulk(folder, "bulk text about patients, a core", LETTER, None),
            *(_large(folder, name, begun, filled) for name, begun, filled in _LARGE),
            Figure("recognition's inner loops are compiled", float(loops.COMPILED), "(1: yes)"),
        ]


_FILM = b"\0\0\0\x18ftypisom\0\0\2\0isommp42"
_LARGE = (
    ("80 MB of a film, decide", _FILM, os.urandom),
    ("80 MB of unknown bytes, decide", b"", os.urandom),
    ("80 MB of text, decide", b"", lambda size: (MENU.encode() * (1 + size // len(MENU)))[:size]),
)


def _large(folder: str, name: str, begun: bytes, filled: Callable[[int], bytes]) -> Figure:
    """A large file, as films and images of disks are; the hard limit on any file is its budget."""
    path = Path(folder) / "large"
    path.write_bytes(begun + filled(80_000_000))
    return Figure(name, 1000 * median_s(lambda: decide(path), 3, 1), "ms", 2000)


def _pair(
    folder: str, name: str, content: bytes, bare: Callable[[Path], object]
) -> tuple[Callable[[], object], str, Callable[[], object]]:
    path = Path(folder) / name
    path.write_bytes(content)
    words = {_read: "open and read", _inflate: "unzip", _pdfium: "PDFium's text"}
    return lambda: decide(path), words[bare], lambda: bare(path)


def decide(path: Path) -> object:
    fd = os.open(path, os.O_RDONLY)
    try:
        size = os.fstat(fd).st_size
        return detect(read_document(fd, path.suffix[1:], size, Budget(Limits())))
    finally:
        os.close(fd)


def _read(path: Path) -> object:
    return path.read_bytes()


def _inflate(path: Path) -> object:
    with zipfile.ZipFile(io.BytesIO(path.read_bytes())) as archive:
        return [archive.read(name) for name in archive.namelist()]


def _pdfium(path: Path) -> object:
    import pypdfium2

    document = pypdfium2.PdfDocument(path.read_bytes())
    try:
        return [page.get_textpage().get_text_bounded() for page in document]
    finally:
        document.close()


def _bulk(folder: str, name: str, text: str, floor: float | None) -> Figure:
    path = Path(folder) / "bulk.txt"
    path.write_bytes((text * (1 + (4 << 20) // len(text))).encode()[: 4 << 20])
    seconds, bare = median_s(lambda: decide(path), 5, 1), median_s(lambda: path.read_bytes(), 5, 1)
    rate = path.stat().st_size / seconds / 1e6
    return Figure(name, rate, "MB/s", floor, at_least=True, bare="open and read", ratio=seconds / bare)
