"""The backup sheet: one printed page with a private key as text and as a QR code. Makes bytes; writes nothing.

A PDF of its own few lines (ISO 32000-1): standard fonts, black squares, no file attached, nothing but this page.
"""

from __future__ import annotations

import textwrap
from collections.abc import Sequence
from typing import Any

_WIDTH, _HEIGHT = 595, 842  # points: A4
_LEFT, _TOP = 60, 770
_LINE = 90  # characters of 10 points


def sheet(title: str, paragraphs: Sequence[str], secret: str, footer: str) -> bytes:
    """The PDF: a title, paragraphs, ``secret`` in groups of eight and as a QR code, a last line.

    Characters that the standard fonts have not got become question marks.
    """
    lines = [_text(_LEFT, _TOP, "F2", 18, title)]
    y = _TOP - 34
    for paragraph in paragraphs:
        for line in textwrap.wrap(paragraph, _LINE):
            lines.append(_text(_LEFT, y, "F1", 10, line))
            y -= 14
        y -= 8
    lines += _squares(_LEFT, y - 190, 180, secret)
    groups = [secret[start : start + 8] for start in range(0, len(secret), 8)]
    for row, start in enumerate(range(0, len(groups), 3)):
        lines.append(_text(_LEFT + 210, y - 24 - 18 * row, "F3", 12, "  ".join(groups[start : start + 3])))
    lines.append(_text(_LEFT, 50, "F1", 8, footer))
    return _document(b"\n".join(lines))


def _text(x: float, y: float, font: str, size: int, words: str) -> bytes:
    shown = words.encode("cp1252", "replace")
    escaped = shown.replace(b"\\", rb"\\").replace(b"(", rb"\(").replace(b")", rb"\)")
    return b"BT /%s %d Tf %.1f %.1f Td (%s) Tj ET" % (font.encode(), size, x, y, escaped)


def _squares(x: float, y: float, side: float, secret: str) -> list[bytes]:
    """The QR code in a square with its lower left corner at (x, y), a margin of four squares around."""
    rows = _modules(secret)
    size = side / (len(rows) + 8)
    found = []
    for number, row in enumerate(rows):
        bottom = y + side - (number + 5) * size
        found += [
            b"%.2f %.2f %.2f %.2f re" % (x + (column + 4) * size, bottom, size + 0.02, size + 0.02)
            for column, dark in enumerate(row)
            if dark
        ]
    return [*found, b"f"]


def _modules(secret: str) -> list[bytes]:
    import segno

    made: Any = segno.make_qr(secret, error="m")
    return [bytes(row) for row in made.matrix]


def _document(content: bytes) -> bytes:
    fonts = b" ".join(
        b"/F%d << /Type /Font /Subtype /Type1 /BaseFont /%s /Encoding /WinAnsiEncoding >>" % (number, name)
        for number, name in ((1, b"Helvetica"), (2, b"Helvetica-Bold"), (3, b"Courier"))
    )
    objects = (
        b"<< /Type /Catalog /Pages 2 0 R >>",
        b"<< /Type /Pages /Kids [3 0 R] /Count 1 >>",
        b"<< /Type /Page /Parent 2 0 R /MediaBox [0 0 %d %d] /Contents 4 0 R /Resources << /Font << %s >> >> >>"
        % (_WIDTH, _HEIGHT, fonts),
        b"<< /Length %d >>\nstream\n%s\nendstream" % (len(content), content),
    )
    out, places = bytearray(b"%PDF-1.4\n"), []
    for number, body in enumerate(objects, 1):
        places.append(len(out))
        out += b"%d 0 obj\n%s\nendobj\n" % (number, body)
    table = b"".join(b"%010d 00000 n \n" % place for place in places)
    trailer = b"trailer\n<< /Size %d /Root 1 0 R >>\nstartxref\n%d\n%%%%EOF\n" % (len(objects) + 1, len(out))
    return bytes(out + b"xref\n0 %d\n0000000000 65535 f \n" % (len(objects) + 1) + table + trailer)
