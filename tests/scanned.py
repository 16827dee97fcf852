"""Pages as scanners, telephones and faxes make them: invented texts drawn by pdfium in its own fonts, then spoilt.

Needs the extra ``ocr`` (Pillow). Nobody in the texts exists.
"""

from __future__ import annotations

import io
import random
import zlib
from collections.abc import Callable
from typing import Any

import pypdfium2
from PIL import Image, ImageChops, ImageDraw, ImageEnhance, ImageFilter, ImageOps

Resampling, Transpose = Image.Resampling, Image.Transpose
A4 = (595, 842)  # points


def pdf_page(text: str, font: str = "Helvetica", size: float = 10.0) -> bytes:
    """A PDF of one A4 page that shows ``text`` (Latin-1), one line a line."""
    lines = b"".join(b"(%b) Tj T*\n" % _escaped(line) for line in text.split("\n"))
    content = b"BT /F1 %g Tf %g TL 60 780 Td\n%bET" % (size, size * 1.45, lines)
    objects = (
        b"<</Type/Catalog/Pages 2 0 R>>",
        b"<</Type/Pages/Kids[3 0 R]/Count 1>>",
        b"<</Type/Page/Parent 2 0 R/MediaBox[0 0 595 842]/Contents 4 0 R/Resources<</Font<</F1 5 0 R>>>>>>",
        b"<</Length %d>>stream\n%b\nendstream" % (len(content), content),
        b"<</Type/Font/Subtype/Type1/BaseFont/%b/Encoding/WinAnsiEncoding>>" % font.encode(),
    )
    return _file(objects)


def page(text: str, dots: int = 200, font: str = "Helvetica", size: float = 10.0) -> Image.Image:
    """The page as a clean gray picture of ``dots`` per inch."""
    pdf = pypdfium2.PdfDocument(pdf_page(text, font, size))
    try:
        return pdf[0].render(scale=dots / 72, grayscale=True).to_pil().convert("L")
    finally:
        pdf.close()


def encoded(picture: Image.Image, kind: str = "png", **options: Any) -> bytes:
    """The picture as a file."""
    out = io.BytesIO()
    picture.save(out, format=kind, **options)
    return out.getvalue()


def scanned_pdf(*pages: Image.Image) -> bytes:
    """A PDF whose pages are pictures."""
    return encoded(pages[0], "pdf", save_all=True, append_images=pages[1:], resolution=150.0)


def stamped_pdf(picture: Image.Image, stamp: str) -> bytes:
    """A page that is a picture, with a line of real text at its foot, as scanning programs put it."""
    pixels = zlib.compress(picture.tobytes())
    content = b"q 595 0 0 842 0 0 cm /I Do Q BT /F1 8 Tf 20 10 Td (%b) Tj ET" % _escaped(stamp)
    return _file((
        b"<</Type/Catalog/Pages 2 0 R>>",
        b"<</Type/Pages/Kids[3 0 R]/Count 1>>",
        b"<</Type/Page/Parent 2 0 R/MediaBox[0 0 595 842]/Contents 4 0 R/Resources<</Font<</F1"
        b"<</Type/Font/Subtype/Type1/BaseFont/Helvetica>>>>/XObject<</I 5 0 R>>>>>>",
        b"<</Length %d>>stream\n%b\nendstream" % (len(content), content),
        b"<</Type/XObject/Subtype/Image/Width %d/Height %d/ColorSpace/DeviceGray/BitsPerComponent 8/Filter/FlateDecode"
        b"/Length %d>>stream\n%b\nendstream" % (picture.width, picture.height, len(pixels), pixels),
    ))  # fmt: skip


def fax(picture: Image.Image) -> bytes:
    """A standard fax: one bit, 204 dots per inch across and 98 down, Group 3."""
    small = picture.resize((1728, round(picture.height * 1728 / picture.width * 98 / 204)), Resampling.BILINEAR)
    return encoded(small.convert("1"), "tiff", compression="group3", dpi=(204, 98))


def noisy(picture: Image.Image, amount: int = 40) -> Image.Image:
    """Grain, blur and specks."""
    grain = Image.effect_noise(picture.size, amount)
    mixed = ImageChops.add(picture.filter(ImageFilter.GaussianBlur(0.8)), grain, scale=1, offset=-128)
    draw, chance = ImageDraw.Draw(mixed), random.Random(7)
    for _ in range(300):
        x, y = chance.randrange(picture.width), chance.randrange(picture.height)
        draw.ellipse((x, y, x + 2, y + 2), fill=60)
    return mixed


def faint(picture: Image.Image) -> Image.Image:
    """Pale gray on less pale gray."""
    return ImageEnhance.Contrast(picture).enhance(0.25)


def skewed(picture: Image.Image, degrees: float) -> Image.Image:
    """Laid crookedly on the glass."""
    return picture.rotate(degrees, Resampling.BICUBIC, expand=True, fillcolor=255)


def resized(picture: Image.Image, width: int) -> Image.Image:
    """The same picture, so many pixels wide."""
    return picture.resize((width, round(picture.height * width / picture.width)), Resampling.LANCZOS)


def photographed(picture: Image.Image) -> Image.Image:
    """By a telephone, on a desk: perspective, a shadow over one half, yellowish light, soft."""
    wide, high = picture.size
    desk = Image.new("L", (round(wide * 1.15), round(high * 1.15)), 70)
    desk.paste(picture, (round(wide * 0.07), round(high * 0.07)))
    wide, high = desk.size
    seen = desk.transform(
        desk.size, Image.Transform.QUAD,
        (wide * 0.02, high * 0.01, 0, high, wide, high * 0.99, wide * 0.95, 0), Resampling.BICUBIC,
    )  # fmt: skip
    seen = seen.filter(ImageFilter.GaussianBlur(0.9))
    shadow = Image.linear_gradient("L").resize(seen.size).rotate(30, Resampling.BILINEAR, fillcolor=128)
    seen = ImageChops.multiply(seen, shadow.point(lambda value: 90 + value * 165 // 255))
    return ImageOps.colorize(seen, (20, 10, 5), (255, 240, 205))


def colour_paper(picture: Image.Image) -> Image.Image:
    """Dark blue on pink."""
    return ImageOps.colorize(picture, (30, 30, 110), (245, 170, 190))


SPOILT: dict[str, Callable[[Image.Image], bytes]] = {
    "clean png": lambda page: encoded(page),
    "jpeg quality 25": lambda page: encoded(page, "jpeg", quality=25),
    "1 bit tiff g4": lambda page: encoded(page.convert("1"), "tiff", compression="group4"),
    "fax 204x98 g3": fax,
    "on its side": lambda page: encoded(page.transpose(Transpose.ROTATE_90)),
    "upside down": lambda page: encoded(page.transpose(Transpose.ROTATE_180)),
    "on its other side": lambda page: encoded(page.transpose(Transpose.ROTATE_270)),
    "skew 3": lambda page: encoded(skewed(page, 3.0), "jpeg"),
    "skew -8": lambda page: encoded(skewed(page, -8.0), "jpeg"),
    "side and skew": lambda page: encoded(skewed(page.transpose(Transpose.ROTATE_270), 4.0), "jpeg"),
    "noise": lambda page: encoded(noisy(page), "jpeg"),
    "faint": lambda page: encoded(faint(page), "webp"),
    "photo with shadow": lambda page: encoded(photographed(page), "jpeg", quality=60),
    "photo upside down": lambda page: encoded(photographed(page).rotate(180), "jpeg", quality=60),
    "inverted": lambda page: encoded(ImageOps.invert(page), "gif"),
    "coloured paper": lambda page: encoded(colour_paper(page), "jpeg"),
    "screen 96 dpi": lambda page: encoded(resized(page, 793)),
    "phone 12 Mpx": lambda page: encoded(photographed(resized(page, 3000)), "jpeg"),
    "scanned pdf": lambda page: scanned_pdf(noisy(page, 20)),
}


def _escaped(line: str) -> bytes:
    data = line.replace("’", "'").encode("cp1252", "replace")
    return data.replace(b"\\", b"\\\\").replace(b"(", b"\\(").replace(b")", b"\\)")


def _file(objects: tuple[bytes, ...]) -> bytes:
    out, places = bytearray(b"%PDF-1.4\n"), []
    for number, body in enumerate(objects, 1):
        places.append(len(out))
        out += b"%d 0 obj%bendobj\n" % (number, body)
    start = len(out)
    out += b"xref\n0 6\n0000000000 65535 f \n" + b"".join(b"%010d 00000 n \n" % place for place in places)
    return bytes(out + b"trailer<</Size 6/Root 1 0 R>>\nstartxref\n%d\n%%%%EOF\n" % start)
