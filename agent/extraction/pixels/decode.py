"""Encoded picture → gray pages, by Pillow, with every size known before a pixel is decoded.

A picture's header says how large it will be: what exceeds the limit is refused, or for JPEG decoded at a fraction of
its size, which that format allows. The formats are named: what Pillow could read besides them is not wanted here.
Hostile bytes; any exception of the library becomes a ``Stop``.
"""

from __future__ import annotations

import io
from collections.abc import Iterator
from contextlib import suppress
from typing import TYPE_CHECKING, Any

from agent.document import Problem
from agent.extraction.limits import Stop
from agent.extraction.pictures import PAGES_FIRST, PAGES_LAST

if TYPE_CHECKING:
    from PIL.Image import Image

FORMATS = ("JPEG", "PNG", "TIFF", "BMP", "DIB", "GIF", "WEBP", "JPEG2000", "AVIF", "PPM")
_BEGINNINGS = (b"\x89PNG", b"\xff\xd8\xff", b"GIF8", b"II*\0", b"MM\0*", b"BM", b"RIFF")  # of those we could decode
MAX_PIXELS = 60_000_000  # of one picture, decoded: at most 240 MB
MAX_JPEG_PIXELS = 250_000_000  # of one that is decoded at a fraction of its size
LONG_SIDE = 3000  # pixels kept: a module of a 2D code on a page has five then
_FRACTION = 8  # the smallest fraction of a JPEG
_MAX_FRAMES = 5000
_ORIENTATION = 274  # Exif tag
_FAX_WIDTHS = frozenset({1728, 2048, 2432})  # pixels a line: ITU-T T.4
_MAX_STRETCH = 4.0
_NO_RESOLUTION = 2.0  # dots per inch: programs that know none write 0 or 1


class Pages:
    """The pages of one picture, decoded one at a time. ``skipped``: some were left out."""

    def __init__(self, data: bytes) -> None:
        self._image = _open(data)
        self.skipped = False
        self.damaged = False  # a page ended early; what there was of it is read

    def __iter__(self) -> Iterator[tuple[int, Image]]:
        """1-based number and gray pixels (at most LONG_SIDE) of each page. Raises ``Stop``."""
        several = self._image.format in {"TIFF", "MPO"}  # of an animation the first picture is enough
        count = self._count() if several else 1
        for index in range(count):
            if PAGES_FIRST <= index < count - PAGES_LAST:
                self.skipped = True
                continue
            if index and not self._seek(index):
                return
            yield index + 1, self._page()

    def _count(self) -> int:
        if self._image.format == "MPO":
            return 1  # the others are previews and depth maps
        index = 0
        while index < _MAX_FRAMES and self._seek(index + 1):
            index += 1
        self._seek(0)
        return index + 1

    def _seek(self, index: int) -> bool:
        try:
            self._image.seek(index)
        except EOFError:
            return False
        except Exception:  # a directory that is no directory: as damaged as a page that is none
            self.damaged = True
            return False
        return True

    def _page(self) -> Image:
        image = self._image
        _check(image)
        stretch = _stretch(image)
        turn = _orientation(image)
        if image.format in {"JPEG", "MPO"}:
            image.draft("L" if image.mode in {"L", "YCbCr", "RGB"} else image.mode, (LONG_SIDE, LONG_SIDE))
        page = _gray(self._load())
        page = _shrink(page, stretch)
        return page.transpose(turn) if turn is not None else page

    def _load(self) -> Image:
        from PIL import ImageFile

        try:
            self._image.load()
        except (MemoryError, RecursionError):
            raise
        except Exception:
            self.damaged = True  # as programs that show it do: the part that is there
            ImageFile.LOAD_TRUNCATED_IMAGES = True
            try:
                self._image.load()
            except (MemoryError, RecursionError):
                raise
            except Exception:
                raise Stop(Problem.CORRUPT) from None
            finally:
                ImageFile.LOAD_TRUNCATED_IMAGES = False
        return self._image


def _open(data: bytes) -> Image:
    from PIL import Image, UnidentifiedImageError

    Image.MAX_IMAGE_PIXELS = None  # the limit is ours, and known to ``_check``
    try:
        return Image.open(io.BytesIO(data), formats=FORMATS)
    except UnidentifiedImageError:
        raise Stop(Problem.CORRUPT if data.startswith(_BEGINNINGS) else Problem.IMAGE) from None
    except (MemoryError, RecursionError):
        raise
    except Exception:
        raise Stop(Problem.CORRUPT) from None


def _check(image: Image) -> None:
    pixels = image.width * image.height
    if pixels <= 0:
        raise Stop(Problem.CORRUPT)
    if pixels > (MAX_JPEG_PIXELS if image.format in {"JPEG", "MPO"} else MAX_PIXELS):
        raise Stop(Problem.TOO_LARGE)
    if image.format in {"JPEG", "MPO"} and max(image.size) > LONG_SIDE * 2 * _FRACTION:
        raise Stop(Problem.TOO_LARGE)


def _gray(image: Image) -> Image:
    """Eight bits of gray; what is transparent becomes paper."""
    from PIL import Image as Images

    if image.mode.startswith(("I", "F")):
        return _from_deep(image)
    if image.mode in {"LA", "PA", "RGBA", "La", "RGBa"} or "transparency" in image.info:
        layered = image.convert("RGBA")
        paper = Images.new("RGBA", layered.size, "white")
        return Images.alpha_composite(paper, layered).convert("L")
    if "P" in {image.mode, image.im.mode}:  # a GIF that ends early says one thing, and its pixels are another
        image = image.convert("RGB")
    return image.convert("L")


def _from_deep(image: Image) -> Image:
    """Sixteen and more bits, stretched between the darkest and the lightest."""
    values: Any = image.convert("F")
    low, high = values.getextrema()
    scale = 255.0 / (high - low) if high > low else 0.0
    gray: Image = values.point(lambda value: value * scale - low * scale).convert("L")
    return gray


def _shrink(image: Image, stretch: tuple[float, float]) -> Image:
    """Square pixels, and no side longer than LONG_SIDE."""
    from PIL.Image import Resampling

    wide, high = image.width * stretch[0], image.height * stretch[1]
    factor = min(1.0, LONG_SIDE / max(wide, high))
    size = max(1, round(wide * factor)), max(1, round(high * factor))
    return image if size == image.size else image.resize(size, Resampling.BOX if factor < 1 else Resampling.BILINEAR)


def _stretch(image: Image) -> tuple[float, float]:
    """How much wider or higher than its pixels a picture is: faxes have pixels that are twice as high as wide."""
    x, y = 0.0, 0.0
    with suppress(Exception):
        x, y = (float(value) for value in image.info.get("dpi", (0, 0)))
    if min(x, y) > _NO_RESOLUTION:
        square = 0.9 < x / y < 1.1 or not 1 / _MAX_STRETCH <= x / y <= _MAX_STRETCH
        return (1.0, 1.0) if square else (1.0, x / y) if x > y else (y / x, 1.0)
    coarse = image.mode == "1" and image.width in _FAX_WIDTHS and image.height < image.width
    return (1.0, 2.0) if coarse and image.format == "TIFF" else (1.0, 1.0)  # a standard fax that does not say so


def _orientation(image: Image) -> Any:
    """The turn that Exif asks for, or None. (PIL's Transpose values; Exif 2.32, 4.6.4, tag 274.)"""
    from PIL.Image import Transpose

    turns = (
        None, None, Transpose.FLIP_LEFT_RIGHT, Transpose.ROTATE_180, Transpose.FLIP_TOP_BOTTOM, Transpose.TRANSPOSE,
        Transpose.ROTATE_270, Transpose.TRANSVERSE, Transpose.ROTATE_90,
    )  # fmt: skip
    try:
        value = image.getexif().get(_ORIENTATION, 1)
        return turns[value] if isinstance(value, int) and 0 < value < len(turns) else None
    except Exception:
        return None
