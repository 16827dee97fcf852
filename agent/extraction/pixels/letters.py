"""Letters by Tesseract: a level page of gray pixels → lines of words, each with how sure the library is.

Only raw pixels are handed over: the picture libraries that are built into the binding (of 2018) decode nothing. The
engine is made once, before the process is confined; it keeps nothing from one page to the next.
"""

from __future__ import annotations

import os
from dataclasses import dataclass, field
from typing import TYPE_CHECKING, Any

from agent.extraction.pixels import language_folder, languages

if TYPE_CHECKING:
    from PIL.Image import Image

_SURE = 60.0  # percent, from which a word counts as read
_DOUBTFUL = 35.0  # percent, below which a line is noise
_WORD = 5  # the level of words in the library's table
_COLUMNS = 12


@dataclass(slots=True)
class Reading:
    """What was read of a page: its lines, how many pieces were found, how many of them have three letters or more
    (``words``), and how many of these are sure.
    """

    lines: list[str] = field(default_factory=list)
    found: int = 0
    words: int = 0
    sure: int = 0
    complete: bool = True

    @property
    def text(self) -> str:
        return "\n".join(self.lines)


class Letters:
    """The engine. Not thread-safe. Raises RuntimeError when the library cannot load its data."""

    def __init__(self) -> None:
        os.environ["OMP_THREAD_LIMIT"] = "1"  # the sandbox allows one thread, and one core is enough
        import tesserocr

        folder = language_folder()
        self._engine: Any = tesserocr.PyTessBaseAPI(
            path=folder, lang="+".join(languages(folder)), psm=tesserocr.PSM.AUTO, oem=tesserocr.OEM.LSTM_ONLY
        )

    def read(self, page: Image, seconds: float) -> Reading:
        """The words of a level page, lines from top to bottom; ``seconds`` (of the clock) bound it."""
        engine = self._engine
        try:
            engine.SetImageBytes(page.tobytes(), page.width, page.height, 1, page.width)
            engine.SetSourceResolution(_resolution(page))
            complete = bool(engine.Recognize(max(1, int(seconds * 1000))))
            reading = _lines(engine.GetTSVText(0))
        finally:
            engine.Clear()
        reading.complete = complete
        return reading


def _resolution(page: Image) -> int:
    """Dots per inch if the picture is a sheet of A4; the library only bounds its guesses with it."""
    return min(600, max(70, round(max(page.size) / 11.7)))


def _lines(table: str) -> Reading:
    reading = Reading()
    place: tuple[str, ...] = ()
    words: list[tuple[float, str]] = []
    for row in table.split("\n"):
        cells = row.split("\t", _COLUMNS - 1)
        if len(cells) < _COLUMNS or cells[0] != str(_WORD):
            continue
        if tuple(cells[1:5]) != place:
            _close(reading, words)
            place, words = tuple(cells[1:5]), []
        words.append((float(cells[10]), cells[11].strip()))
    _close(reading, words)
    return reading


def _close(reading: Reading, words: list[tuple[float, str]]) -> None:
    """Take over a line, unless it is noise."""
    words = [(sure, word) for sure, word in words if word]
    if not words:
        return
    reading.found += len(words)
    reading.words += sum(_is_word(word) for _, word in words)
    if sum(sure for sure, _ in words) < _DOUBTFUL * len(words):
        return
    reading.lines.append(" ".join(word for _, word in words))
    reading.sure += sum(1 for sure, word in words if sure >= _SURE and _is_word(word))


def _is_word(word: str) -> bool:
    return sum(letter.isalnum() for letter in word) >= 3
