"""The reader of pictures: the order in which a page is looked at, and the time that it may take.

Codes first, on the page as it came. Then light, direction and skew; then letters. A page that reads badly is read
upside down, then along its other axis, then enlarged, as long as its time lasts. What looks like writing and gives
hardly a word (handwriting, blur) is « image »: there is something that could not be read. A landscape is not: it was
looked at, and holds no text.

Owned by the image worker, one thread. Must not: keep anything of a picture; use a file.
"""

from __future__ import annotations

import time
from collections.abc import Callable, Iterator
from typing import TYPE_CHECKING

from agent.document import Problem
from agent.extraction.limits import Stop
from agent.extraction.pictures import Sight
from agent.extraction.pixels import straighten
from agent.extraction.pixels.codes import find_codes
from agent.extraction.pixels.decode import Pages
from agent.extraction.pixels.letters import Letters, Reading

if TYPE_CHECKING:
    from PIL.Image import Image

PAGE_SECONDS = 4.0  # of processor time for one page
_SMALLEST = 24  # pixels on the shorter side: below, there is no letter
_ENLARGE_TO = 2200  # pixels of the long side of a picture that is read better when larger
_MOST_ENLARGED = 3.0
_GOOD = 0.5  # of the words found are sure: it was read the right way
_FEW = 4  # words: less than that proves no direction
_WRITING = 12  # pieces found, of which hardly one is a sure word: something is written here
_POOR = 0.1
_PAPER = 130  # median brightness of a page that is written on
_STRIPES = 5  # lines that are seen though nothing of them is read
_SHARP = 2.2  # and how plainly
_SLOWEST = 20.0  # a machine that gives us a twentieth of a core still gets a page read


class Pixels:
    """Implements ``pictures.PictureReader``. ``seconds``: processor time for one page."""

    def __init__(self, seconds: float = PAGE_SECONDS) -> None:
        """Load the engine. Raises RuntimeError or ImportError when a library or its data is missing."""
        self._letters = Letters()
        self._seconds = seconds
        self._skipped = False

    @property
    def skipped(self) -> bool:
        return self._skipped

    def read(self, data: bytes, tick: Callable[[], None]) -> Iterator[tuple[int, Sight]]:
        """See ``PictureReader.read``."""
        self._skipped = False
        pages = Pages(data)
        for number, page in pages:
            tick()
            yield number, self._look(page)
        self._skipped = pages.skipped
        if pages.damaged:
            raise Stop(Problem.CORRUPT)

    def look(self, gray: bytes, width: int, height: int) -> Sight:
        """See ``PictureReader.look``."""
        from PIL import Image

        return self._look(Image.frombytes("L", (width, height), gray))

    def _look(self, page: Image) -> Sight:
        if min(page.size) < _SMALLEST:
            return Sight()
        timer = _Timer(self._seconds)
        codes = find_codes(page)
        even = straighten.even_light(page)
        lines = straighten.find_lines(even)
        reading = self._read(even, lines, timer)
        if not reading.complete:
            return Sight(reading.text, codes, Problem.TIMED_OUT)
        unread = straighten.brightness(page) >= _PAPER and _is_unread(reading, lines)
        return Sight(reading.text, codes, Problem.IMAGE if unread else None)

    def _read(self, page: Image, lines: straighten.Lines, timer: _Timer) -> Reading:
        """The best of the ways in which a page can be read, the likeliest first."""
        best, found = Reading(), 0
        first = int(lines.across)
        for quarters in (first, first + 2, first + 1, first + 3):
            level = straighten.turn(page, lines if quarters % 2 == first else straighten.LEVEL, quarters)
            reading = self._letters.read(level, timer.seconds_left())
            found = max(found, reading.found)
            best = max(best, reading, key=_worth)
            if _is_good(best) or not timer.lasts() or (quarters == first and reading.found < _FEW):
                break
        if not _is_good(best):
            best = self._enlarged(page, lines, best, timer)
        best.found = max(best.found, found)
        return best

    def _enlarged(self, page: Image, lines: straighten.Lines, best: Reading, timer: _Timer) -> Reading:
        """Small letters are read better when enlarged; a picture that is large already is left."""
        factor = min(_MOST_ENLARGED, _ENLARGE_TO / max(page.size))
        if factor < 1.2 or not timer.lasts():
            return best
        from PIL.Image import Resampling

        level = straighten.turn(page, lines, int(lines.across))
        level = level.resize((round(level.width * factor), round(level.height * factor)), Resampling.BICUBIC)
        return max(best, self._letters.read(level, timer.seconds_left()), key=_worth)


class _Timer:
    """Processor time of one page, as seconds of the clock: the library that reads can only be given those.

    How much of the processor we get is seen from what was used so far.
    """

    def __init__(self, seconds: float) -> None:
        self._seconds = seconds
        self._cpu, self._wall = time.process_time(), time.monotonic()

    def seconds_left(self) -> float:
        used = time.process_time() - self._cpu
        slow = (time.monotonic() - self._wall + 0.01) / (used + 0.01)
        return max(0.0, self._seconds - used) * min(max(1.5 * slow, 2.0), _SLOWEST)

    def lasts(self) -> bool:
        return time.process_time() - self._cpu < self._seconds


def _worth(reading: Reading) -> tuple[int, int]:
    return reading.sure, -reading.found


def _is_good(reading: Reading) -> bool:
    return reading.sure >= _FEW and reading.sure >= _GOOD * reading.words


def _is_unread(reading: Reading, lines: straighten.Lines) -> bool:
    """Whether something is written here, as pieces of words or as plain lines, and hardly a word was read."""
    pieces = reading.found >= _WRITING and reading.sure < _POOR * reading.found
    return pieces or (reading.sure < _FEW and lines.count >= _STRIPES and lines.sharp >= _SHARP)
