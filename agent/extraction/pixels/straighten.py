"""Light, direction and skew of a page: what a scanner or a telephone did to it is undone before its letters are read.

Lines of text make stripes: summed along the lines, ink comes and goes; summed across them, it does not. The angle at
which the stripes are sharpest is the skew, and the better of the two axes the direction (upside down cannot be seen
this way: ``reader`` finds out by reading). Pure arithmetic on small copies, by Pillow alone.
"""

from __future__ import annotations

import itertools
import math
from dataclasses import dataclass
from typing import TYPE_CHECKING

if TYPE_CHECKING:
    from PIL.Image import Image

_SMALL = 700  # pixels of the long side on which skew is measured
_LIGHT_CELL = 12  # pixels over which the paper's brightness is taken
_LIGHT_SIDE = 160  # pixels of the long side of the map of brightness
_DARK = 110  # median brightness below which a page is light on dark
_COARSE = tuple(range(-12, 13, 2))  # degrees
_FINE = (-1.0, -0.5, 0.5, 1.0)
_FINER = (-0.25, 0.25)
_LEAST_TURN = 0.3  # degrees: below, the reader of letters copes, and turning blurs
_LOG = 45.98  # 255 / ln(256)
_GRAIN = 4  # median difference of a point from its surroundings, of 255, in a grainy picture; 0 or 1 in a clean one
_SAMPLE = 512  # pixels: the side of the square in the middle where grain is measured
_LEAST_RISE = 4  # of 255: with less between rows with and without ink there are no lines
_MARGIN = 0.04  # of each side: the dark edge of a scan is no line


@dataclass(frozen=True, slots=True)
class Lines:
    """The lines of a page: ``across`` when they run from top to bottom, ``skew`` in degrees, ``sharp`` how much plainer
    than along the other axis, ``count`` how many there seem to be.
    """

    across: bool
    skew: float
    sharp: float
    count: int = 0


LEVEL = Lines(across=False, skew=0.0, sharp=1.0)


def even_light(page: Image) -> Image:
    """The page as if evenly lit, dark on white: shadows and coloured paper vanish; light on dark is inverted."""
    from PIL import ImageChops, ImageFilter
    from PIL.Image import Resampling

    if brightness(page) < _DARK:
        page = ImageChops.invert(page)
    if _grain(page) >= _GRAIN:
        page = page.filter(ImageFilter.MedianFilter(3))
    factor = max(1, min(_LIGHT_CELL, max(page.size) // _LIGHT_SIDE))
    paper = page.reduce(factor).filter(ImageFilter.MaxFilter(5)).filter(ImageFilter.GaussianBlur(4))
    paper = paper.resize(page.size, Resampling.BILINEAR)
    loss = ImageChops.subtract(
        paper.point(_LOGARITHM), page.point(_LOGARITHM)
    )  # a ratio, as a difference of logarithms
    return loss.point(_REMAINDER)


def find_lines(page: Image) -> Lines:
    """How the lines of an evenly lit page run. ``sharp`` near 1: nothing on it looks like lines."""
    from PIL import ImageChops
    from PIL.Image import Transpose

    ink = ImageChops.invert(_inside(page))
    factor = max(1, max(ink.size) // _SMALL)
    ink = ink.reduce(factor) if factor > 1 else ink
    turned = ink.transpose(Transpose.ROTATE_90)
    along, across = _skew(ink), _skew(turned)
    better = max(along, across)
    rows = _rows(turned if better is across else ink, better[1])
    return Lines(better is across, better[1], better[0] / max(1e-6, min(along[0], across[0])), _count(rows))


def turn(page: Image, lines: Lines, quarter_turns: int) -> Image:
    """The page with its lines level, after ``quarter_turns`` counter-clockwise."""
    from PIL.Image import Resampling, Transpose

    turns = (None, Transpose.ROTATE_90, Transpose.ROTATE_180, Transpose.ROTATE_270)
    step = turns[quarter_turns % 4]
    page = page if step is None else page.transpose(step)
    if abs(lines.skew) < _LEAST_TURN:
        return page
    return page.rotate(lines.skew, Resampling.BILINEAR, expand=True, fillcolor=255)


def _skew(ink: Image) -> tuple[float, float]:
    """(sharpness of the stripes, the angle that makes them so)."""

    def sharpness(angle: float) -> float:
        return _sharpness(_rows(ink, angle))

    best = max((sharpness(angle), float(angle)) for angle in _COARSE)
    for steps in (_FINE, _FINER):
        best = max(best, *((sharpness(best[1] + step), best[1] + step) for step in steps))
    return best


def _rows(ink: Image, angle: float) -> bytes:
    """The mean ink of each row when the page is turned by ``angle`` degrees."""
    from PIL.Image import Resampling

    turned = ink.rotate(angle, Resampling.BILINEAR) if angle else ink
    return turned.resize((1, turned.height), Resampling.BOX).tobytes()


def _count(rows: bytes) -> int:
    """How often the ink rises from little to much, from row to row."""
    ordered = sorted(rows)
    low, high = ordered[len(rows) // 10], ordered[len(rows) * 97 // 100]  # few rows hold ink on a short letter
    if high - low < _LEAST_RISE:
        return 0
    rise, fall = low + (high - low) * 0.5, low + (high - low) * 0.3
    count, inside = 0, False
    for value in rows:
        if not inside and value >= rise:
            count, inside = count + 1, True
        elif inside and value <= fall:
            inside = False
    return count


def _sharpness(rows: bytes) -> float:
    """How much the ink changes from one row to the next."""
    return float(sum((below - above) ** 2 for above, below in itertools.pairwise(rows)))


def _grain(page: Image) -> int:
    """The median, not the mean: letters differ from their surroundings too, but they do not fill half of a page."""
    from PIL import ImageChops, ImageFilter

    x, y = max(0, page.width - _SAMPLE) // 2, max(0, page.height - _SAMPLE) // 2
    middle = page.crop((x, y, min(page.width, x + _SAMPLE), min(page.height, y + _SAMPLE)))
    return brightness(ImageChops.difference(middle, middle.filter(ImageFilter.MedianFilter(3))))


def _inside(page: Image) -> Image:
    x, y = round(page.width * _MARGIN), round(page.height * _MARGIN)
    inside: Image = page.crop((x, y, page.width - x, page.height - y))
    return inside if min(inside.size) > 1 else page


def brightness(page: Image) -> int:
    """The median brightness of a page, 0 to 255."""
    half, seen = page.width * page.height / 2, 0
    for value, count in enumerate(page.histogram()):
        seen += count
        if seen >= half:
            return value
    return 255


_LOGARITHM = [round(_LOG * math.log(value + 1)) for value in range(256)]
_REMAINDER = [round(255 * math.exp(-value / _LOG)) for value in range(256)]
