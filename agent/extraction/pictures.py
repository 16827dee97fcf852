"""What the readers of formats know about reading pictures: a protocol, and what it answers.

Light and pure: the normal worker has no reader of pictures and says « image » at once; the image worker hands one in
with the ``Budget``. The reader itself, with the libraries that decode pixels, is the package ``pixels``.
"""

from __future__ import annotations

from collections.abc import Callable, Iterator
from dataclasses import dataclass
from typing import Protocol

from agent.document import Code, Problem

PAGES_FIRST = 10  # pages of one document whose pixels are read from its beginning
PAGES_LAST = 2  # and from its end


@dataclass(frozen=True, slots=True)
class Sight:
    """What was read of one page of pixels. ``problem``: something is there that could not be read."""

    text: str = ""
    codes: tuple[Code, ...] = ()
    problem: Problem | None = None


class PictureReader(Protocol):
    """Reads what pictures show. Holds no state between pictures; uses no file."""

    def read(self, data: bytes, tick: Callable[[], None]) -> Iterator[tuple[int, Sight]]:
        """1-based page number and content of each page that is read of an encoded picture, in order.

        After the last one ``skipped`` says whether pages were left out. ``tick`` is called before each page and may
        raise ``Stop``. Raises ``Stop``: IMAGE (no decoder for it), TOO_LARGE, CORRUPT.
        """
        ...

    def look(self, gray: bytes, width: int, height: int) -> Sight:
        """One page that is decoded already: ``width`` × ``height`` bytes, a byte a pixel, 255 is white."""
        ...

    @property
    def skipped(self) -> bool:
        """Whether the last picture that ``read`` went through has more pages than were read."""
        ...


def chosen(count: int) -> list[int]:
    """Indices from 0 of the pages to read out of ``count``: the first and the last ones, in order."""
    if count <= PAGES_FIRST + PAGES_LAST:
        return list(range(count))
    return [*range(PAGES_FIRST), *range(count - PAGES_LAST, count)]
