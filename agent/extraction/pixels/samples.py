"""Tiny pictures of every format that is decoded, one with a word on it: what the image worker reads before it gives up
the right to open files, so that nothing is left to load.
"""

from __future__ import annotations

import io
from collections.abc import Iterator
from contextlib import suppress

_TEXTS = "Compte rendu de consultation\nPatient exemple\nle 01/02/1950\n"


def samples() -> Iterator[tuple[str, bytes]]:
    """(extension, bytes) of each sample. What this build of the library cannot write is passed over."""
    from PIL import Image, ImageDraw

    Image.init()  # every format registers itself now: later none could be looked for
    page = Image.new("RGB", (40, 40), "white")
    for extension, mode, options in (
        ("jpeg", "RGB", {}), ("jpeg", "CMYK", {}), ("png", "RGBA", {}), ("png", "P", {}), ("png", "I;16", {}),
        ("tiff", "1", {"compression": "group4"}), ("tiff", "1", {"compression": "group3"}),
        ("tiff", "L", {"compression": "tiff_lzw"}), ("tiff", "RGB", {"compression": "jpeg"}),
        ("tiff", "L", {"compression": "tiff_adobe_deflate"}), ("bmp", "RGB", {}), ("gif", "P", {}), ("webp", "RGB", {}),
        ("jpeg2000", "RGB", {}), ("avif", "RGB", {}), ("ppm", "RGB", {}), ("pdf", "L", {}), ("mpo", "RGB", {}),
    ):  # fmt: skip
        with suppress(OSError, ValueError, KeyError):
            out = io.BytesIO()
            (Image.new("I;16", page.size, 65535) if mode == "I;16" else page.convert(mode)).save(
                out, format=extension, **options
            )
            yield extension, out.getvalue()
    page = Image.new("L", (300, 160), "white")
    ImageDraw.Draw(page).multiline_text((20, 20), _TEXTS, fill="black")
    out = io.BytesIO()
    page.rotate(4, fillcolor=255).save(out, format="png")
    yield "png", out.getvalue()
