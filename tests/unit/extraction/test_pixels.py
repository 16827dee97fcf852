"""Reading pictures: what scanners, telephones and faxes make of a page is read; what cannot be read is said."""

from __future__ import annotations

import base64
import io
import struct
import zlib
from email.message import EmailMessage

import pytest

from agent.document import Area, Document, Format, Problem, Spot
from agent.extraction import pixels
from agent.extraction.limits import Budget, Limits, Stop
from agent.extraction.reader import read_bytes
from tests.invented import LETTER, MENU
from tests.unit.extraction.made_documents import docx

if pixels.missing():
    pytest.skip(pixels.missing(), allow_module_level=True)

from PIL import Image, ImageDraw, ImageFilter, ImageOps

from agent.extraction.pixels import decode, straighten
from agent.extraction.pixels.reader import Pixels
from tests.scanned import SPOILT, encoded, noisy, page, pdf_page, scanned_pdf, stamped_pdf

LIMITS = Limits(soft_seconds=60.0)


@pytest.fixture(scope="module")
def reader() -> Pixels:
    return Pixels(seconds=30.0)


@pytest.fixture(scope="module")
def letter() -> Image.Image:
    whole = page(LETTER, 150)
    return whole.crop((0, 60, whole.width, 700))


@pytest.fixture(scope="module")
def head(letter: Image.Image) -> Image.Image:
    """As much of it as names the patient: quicker to read."""
    return letter.crop((0, 0, letter.width, 330))


def short(number: int) -> Image.Image:
    return page(f"Document numero {number}\nBonjour a tous", 72, size=20).crop((0, 20, 500, 170))


def read(data: bytes, reader: Pixels, limits: Limits = LIMITS) -> Document:
    return read_bytes(data, "", Budget(limits, pictures=reader))


def shown(document: Document) -> str:
    """What was read of pixels, in the document and below."""
    own = [part.text for part in document.parts if part.spot.area is Area.PICTURE]
    return "\n".join(own + [shown(child) for child in document.children])


@pytest.mark.parametrize("way", SPOILT)
def test_a_spoilt_page_is_read(way: str, letter: Image.Image, reader: Pixels) -> None:
    document = read(SPOILT[way](letter), reader)
    text = shown(document)
    assert document.problem is None
    assert "VERNICOURT" in text
    assert "14/05/1984" in text
    assert "créatinine" in text or "creatinine" in text


def test_without_a_reader_pixels_are_left_alone(letter: Image.Image) -> None:
    for data in (encoded(letter), scanned_pdf(letter)):
        document = read_bytes(data, "", Budget(LIMITS))
        assert document.problem is Problem.IMAGE
        assert not document.looked
        assert shown(document) == ""


def test_one_picture_leaves_nothing_for_the_next(head: Image.Image, reader: Pixels) -> None:
    first = shown(read(encoded(head), reader))
    assert "VERNICOURT" not in shown(read(encoded(page(MENU, 150)), reader))
    assert shown(read(encoded(head), reader)) == first


@pytest.mark.parametrize("mode", ["1", "L", "P", "RGB", "RGBA", "LA", "CMYK", "I;16", "F"])
def test_every_kind_of_pixels(mode: str, head: Image.Image, reader: Pixels) -> None:
    picture = head.point(lambda value: value * 257, "I").convert("I;16") if mode == "I;16" else head.convert(mode)
    kind = "tiff" if mode in {"CMYK", "I;16", "F"} else "png"
    assert "VERNICOURT" in shown(read(encoded(picture, kind), reader))


def test_transparent_paper(head: Image.Image, reader: Pixels) -> None:
    ink = Image.new("RGBA", head.size, (0, 0, 0, 0))
    ink.paste((0, 0, 0, 255), mask=head.point(lambda value: 255 - value))
    assert "VERNICOURT" in shown(read(encoded(ink), reader))


def test_exif_says_how_it_was_held(letter: Image.Image) -> None:
    exif = Image.Exif()
    exif[274] = 6  # to be shown a quarter turn clockwise
    data = encoded(letter.transpose(Image.Transpose.ROTATE_90), "jpeg", exif=exif.tobytes())
    assert next(iter(decode.Pages(data)))[1].size == letter.size


def test_the_pixels_of_a_fax_become_square() -> None:
    """Those of a standard fax are twice as high as wide, whether it says so or not (ITU-T T.4)."""
    a4 = Image.new("1", (1728, 1145), 1)
    for said in ({"dpi": (204, 98)}, {}):
        data = encoded(a4, "tiff", compression="group3", **said)
        wide, high = next(iter(decode.Pages(data)))[1].size
        assert 1.3 < high / wide < 1.45
    assert next(iter(decode.Pages(encoded(a4, "tiff", dpi=(200, 200)))))[1].size == (1728, 1145)


def test_light_on_dark_becomes_dark_on_light(head: Image.Image) -> None:
    even = straighten.even_light(ImageOps.invert(head))
    assert straighten.brightness(even) > 200
    assert even.getextrema()[0] < 60


def test_pages_of_a_fax(reader: Pixels) -> None:
    """The first ten and the last two; that others were left out is said."""
    pages = [short(number).convert("1") for number in range(1, 16)]
    data = encoded(pages[0], "tiff", save_all=True, append_images=pages[1:], compression="group4")
    document = read(data, reader)
    numbers = [part.spot.number for part in document.parts if part.spot.area is Area.PICTURE]
    assert numbers == [*range(1, 11), 14, 15]
    assert document.truncated
    assert "15" in [part.text for part in document.parts if part.spot.number == 15][0]
    few = encoded(pages[0], "tiff", save_all=True, append_images=pages[1:3], compression="group4")
    assert not read(few, reader).truncated


def test_pages_of_a_scanned_pdf(reader: Pixels) -> None:
    pages = [short(number) for number in range(1, 14)]
    document = read(scanned_pdf(*pages), reader)
    assert [part.spot for part in document.parts] == [Spot(Area.PICTURE, n) for n in (*range(1, 11), 12, 13)]
    assert document.truncated
    assert document.problem is None


def test_the_limit_on_pages_is_shared_by_the_whole_tree(letter: Image.Image, reader: Pixels) -> None:
    document = read(scanned_pdf(letter, letter, letter), reader, Limits(soft_seconds=60.0, picture_pages=2))
    assert len([part for part in document.parts if "VERNICOURT" in part.text]) == 2
    assert [child.problem for child in document.children] == [Problem.IMAGE]


def test_an_animation_is_its_first_picture(head: Image.Image, reader: Pixels) -> None:
    data = encoded(head, "gif", save_all=True, append_images=[page(MENU, 150)])
    text = shown(read(data, reader))
    assert "VERNICOURT" in text
    assert "potiron" not in text


def test_a_scan_under_a_long_stamp_is_read(head: Image.Image, reader: Pixels) -> None:
    stamp = (
        "Document signe electroniquement par le service de signature en ligne, identifiant 8f3a-22b1-9917, page 1/1. "
    )
    data = stamped_pdf(ImageOps.pad(head.convert("L"), (1240, 1754), color=255), stamp * 2)
    assert "VERNICOURT" in shown(read(data, reader))
    (child,) = read_bytes(data, "", Budget(LIMITS)).children
    assert (child.format, child.problem) == (Format.IMAGE, Problem.IMAGE)


def test_a_text_pdf_is_not_drawn(reader: Pixels) -> None:
    assert shown(read(pdf_page(LETTER), reader)) == ""


def test_the_stamp_of_a_scanning_program_does_not_make_a_scan_a_text(reader: Pixels) -> None:
    data = stamped_pdf(page(LETTER, 100), "Scanned with a telephone - 12/01/2026 08:15")
    assert read_bytes(data, "", Budget(LIMITS)).problem is Problem.IMAGE
    document = read(data, reader)
    assert document.problem is None
    assert "VERNICOURT" in shown(document)


def test_pictures_inside_documents(head: Image.Image, reader: Pixels) -> None:
    data = encoded(head)
    mail = EmailMessage()
    mail.set_content("Bonjour")
    mail.add_attachment(data, maintype="image", subtype="png", filename="scan.png")
    web = b"<html><body><p>Bonjour</p><img src='data:image/png;base64," + base64.b64encode(data) + b"'></body></html>"
    for document in (
        read(docx("Bonjour", **{"word/media/image1.png": data}), reader),
        read(docx(MENU * 3, **{"word/media/image1.png": data}), reader),
        read(mail.as_bytes(), reader),
        read(web, reader),
    ):
        assert "VERNICOURT" in shown(document), document.format
        assert all(child.looked and not child.problem for child in document.children if child.format is Format.IMAGE)


@pytest.mark.parametrize("symbology", ["DataMatrix", "QRCode", "Aztec", "PDF417", "Code128"])
def test_codes_are_found_on_a_page(symbology: str, head: Image.Image, reader: Pixels) -> None:
    zxingcpp = pytest.importorskip("zxingcpp")
    words = "IS010000000000" if symbology == "Code128" else "IS01\x1dS1VERNICOURT"
    code = zxingcpp.create_barcode(words, getattr(zxingcpp, symbology))
    with_code = head.copy()
    with_code.paste(Image.fromarray(code.to_image(scale=3)), (620, 60))
    for data in (encoded(with_code), encoded(with_code.rotate(90, expand=True), "jpeg"), scanned_pdf(with_code)):
        document = read(data, reader)
        assert [found.data for found in document.codes] == [words.encode()]
        assert document.codes[0].text == words
        assert document.codes[0].symbology == {"QRCode": "qr"}.get(symbology, symbology.lower())
        assert document.codes[0].spot == Spot(Area.PICTURE, 1)


def test_what_is_written_and_not_legible_is_said(reader: Pixels) -> None:
    blurred = page(LETTER, 120).filter(ImageFilter.GaussianBlur(5))
    assert read(encoded(blurred), reader).problem is Problem.IMAGE
    document = read(scanned_pdf(blurred), reader)
    assert document.problem is Problem.IMAGE


def test_a_picture_of_nothing_was_looked_at(reader: Pixels) -> None:
    meadow = Image.linear_gradient("L").resize((1200, 900)).convert("RGB")
    ImageDraw.Draw(meadow).ellipse((300, 300, 700, 700), fill=(240, 220, 40))
    for picture in (
        Image.new("L", (620, 877), 255),
        Image.new("1", (620, 877)),
        meadow,
        noisy(meadow.convert("L")),
    ):
        document = read(encoded(picture), reader)
        assert document.looked
        assert document.problem is None
        assert shown(document) == ""


def test_a_bomb_is_refused_before_it_goes_off(reader: Pixels) -> None:
    assert read(png_header(60_000, 60_000), reader).problem is Problem.TOO_LARGE
    assert read(png_header(0, 10), reader).problem is Problem.CORRUPT
    small = encoded(Image.new("L", (64, 64)), "jpeg")
    at = small.index(b"\xff\xc0")
    huge = small[: at + 5] + struct.pack(">HH", 65_000, 65_000) + small[at + 9 :]
    assert read(huge, reader).problem is Problem.TOO_LARGE


@pytest.mark.parametrize("kind", ["png", "jpeg", "tiff", "bmp", "gif", "webp"])
def test_a_cut_picture_is_read_as_far_as_it_goes_and_said_to_be_damaged(
    kind: str, letter: Image.Image, reader: Pixels
) -> None:
    data = encoded(letter, kind)
    for share in (0.8, 0.1):
        document = read(data[: int(len(data) * share)], reader)
        assert document.problem in {Problem.CORRUPT, Problem.TOO_LARGE}, share
    if kind in {"png", "jpeg"}:
        assert "Valbrume" in shown(read(data[: int(len(data) * 0.9)], reader))


def test_any_bytes_behind_any_beginning_end_in_a_stop() -> None:
    noise = bytes((index * 7919) % 251 for index in range(4000))
    for kind in ("png", "jpeg", "tiff", "bmp", "gif", "webp", "jpeg2000", "avif", "ppm"):
        whole = encoded(Image.new("RGB", (80, 80), "white"), kind)
        for cut in (3, 12, 30, 60, len(whole) // 2, len(whole) - 5):
            for data in (whole[:cut], whole[:cut] + noise, whole[:cut] + noise[:40] + whole[cut + 40 :]):
                try:
                    for _number, found in decode.Pages(data):
                        assert max(found.size) <= decode.LONG_SIDE
                except Stop as stop:
                    assert stop.problem in {Problem.CORRUPT, Problem.IMAGE, Problem.TOO_LARGE}


def test_the_longest_side_is_bounded() -> None:
    for size in ((9000, 300), (300, 9000), (6000, 6000)):
        data = encoded(Image.new("L", size, 255), "jpeg")
        assert max(next(iter(decode.Pages(data)))[1].size) == decode.LONG_SIDE


@pytest.mark.parametrize(("degrees", "across"), [(0, False), (4, False), (-9, False), (90, True), (84, True)])
def test_lines_are_found(degrees: int, across: bool, letter: Image.Image) -> None:
    turned = letter.rotate(degrees, Image.Resampling.BICUBIC, expand=True, fillcolor=255)
    lines = straighten.find_lines(straighten.even_light(turned))
    assert lines.across is across
    level = (90 if across else 0) - degrees
    assert abs(lines.skew - level) <= 0.5
    assert lines.count >= 7


def test_what_is_missing_is_named(monkeypatch: pytest.MonkeyPatch) -> None:
    assert pixels.available()
    monkeypatch.setattr(pixels, "_DATA", ("/nowhere/*",))
    assert pixels.missing() == pixels.NO_LANGUAGE
    monkeypatch.setattr(pixels, "_LIBRARIES", ("PIL", "no_such_library"))
    assert pixels.missing() == pixels.NO_LIBRARY
    assert not pixels.available()


def png_header(width: int, height: int) -> bytes:
    def chunk(name: bytes, data: bytes) -> bytes:
        return struct.pack(">I", len(data)) + name + data + struct.pack(">I", zlib.crc32(name + data))

    out = io.BytesIO(b"\x89PNG\r\n\x1a\n")
    out.seek(0, io.SEEK_END)
    out.write(chunk(b"IHDR", struct.pack(">IIBBBBB", width, height, 8, 0, 0, 0, 0)))
    out.write(chunk(b"IDAT", zlib.compress(bytes(1000))) + chunk(b"IEND", b""))
    return out.getvalue()
