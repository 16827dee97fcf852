"""Pixels: hostile encoded pictures → pages → codes and letters. Only where the reader of pictures is installed."""

from __future__ import annotations

from agent.extraction.limits import Stop
from agent.extraction.pixels import available
from tests.fuzz.target import Check, Target, must

_WORDS = (
    b"IHDR", b"IDAT", b"IEND", b"acTL", b"PLTE", b"tRNS", b"II*\0", b"MM\0*", b"\xff\xd8\xff\xe0", b"\xff\xc0", b"\xff\xda",
    b"\xff\xd9", b"Exif\0\0", b"GIF89a", b"RIFF", b"WEBPVP8 ", b"VP8L", b"VP8X", b"ANIM", b"jP  ", b"ftypavif", b"BM", b"P6\n",
    b"\x00\x01\x01\x00", b"\x01\x01\x03\0", b"\xff\xff\xff\xff", b"\x7f\xff\xff\xff",
)  # fmt: skip


def _encoded() -> list[bytes]:
    from agent.extraction.pixels.samples import samples

    return [data for _extension, data in samples()]


def _decodes() -> Check:
    import warnings

    from agent.extraction.pixels.decode import LONG_SIDE, Pages

    warnings.simplefilter("ignore")  # as in the worker that reads pictures

    def check(data: bytes) -> None:
        for _number, page in Pages(data):
            must(page.mode == "L", "a page is gray")
            must(0 < max(page.size) <= LONG_SIDE, "a page is bounded")

    return check


def _pages() -> list[bytes]:
    """A byte for the width, then the pixels, a byte each."""
    from PIL import Image, ImageDraw

    page = Image.new("L", (200, 120), 255)
    ImageDraw.Draw(page).multiline_text((9, 9), "Compte rendu\nPatient : A\nHTA", fill=0)
    return [bytes([200]) + page.tobytes(), bytes([40]) + bytes(1600), bytes([30]) + bytes(range(256)) * 8, *_coded()]


def _coded() -> list[bytes]:
    import zxingcpp
    from PIL import Image

    found = []
    for name in ("DataMatrix", "QRCode", "Aztec", "PDF417"):
        code = zxingcpp.create_barcode("DC04FR0000", getattr(zxingcpp.BarcodeFormat, name)).to_image(scale=2)
        page = Image.fromarray(code).convert("L") if not isinstance(code, Image.Image) else code.convert("L")
        page = page.crop((0, 0, min(255, page.width), min(250, page.height)))
        found.append(bytes([page.width]) + page.tobytes())
    return found


def _looks() -> Check:
    from PIL import Image

    from agent.extraction.pixels import straighten
    from agent.extraction.pixels.codes import find_codes

    def check(data: bytes) -> None:
        if not data or len(data) <= data[0] or not data[0]:
            return
        width = data[0]
        height = (len(data) - 1) // width
        page = Image.frombytes("L", (width, height), data[1 : 1 + width * height])
        must(len(find_codes(page)) <= 32, "codes are bounded")
        even = straighten.even_light(page)
        lines = straighten.find_lines(even)
        must(0 <= straighten.brightness(page) <= 255, "brightness is a level")
        for quarters in range(4):
            must(straighten.turn(even, lines, quarters).mode == "L", "a turned page is a page")

    return check


def _reads() -> Check:
    import warnings

    from agent.extraction.pictures import Sight
    from agent.extraction.pixels.reader import Pixels

    warnings.simplefilter("ignore")
    pixels = Pixels(0.5)

    def check(data: bytes) -> None:
        for number, sight in pixels.read(data, lambda: None):
            must(number >= 1 and isinstance(sight, Sight), "a page has a number and something to say")
            sight.text.encode()

    return check


TARGETS = (
    Target(
        "picture-decode", "any bytes are bounded gray pages, or refused with Stop",
        _encoded, _decodes, tolerates=Stop, words=_WORDS, cpu_s=8.0, memory_mib=700,
    ),
    Target(
        "picture-page", "any pixels are searched for codes and lines of writing; nothing is raised",
        _pages, _looks, words=(b"\0\0\0\0", b"\xff\xff\xff\xff"), cpu_s=6.0, memory_mib=400,
    ),
    Target(
        "picture-letters", "any bytes are read as a picture in bounded time, or refused with Stop",
        _encoded, _reads, tolerates=Stop, words=_WORDS, cpu_s=60.0, memory_mib=900,
    ),
) if available() else ()  # fmt: skip
