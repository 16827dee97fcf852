"""How much of one document, and of everything inside it, is read: fixed limits, and the counters that meet them.

One ``Budget`` goes through the whole tree of a document (an archive in a mail in an archive), so a bomb nested in a
bomb
meets the same counters as a flat one. Readers charge *before* they allocate. A limit that is met raises ``Stop``, which
carries the problem to report; it never passes as « nothing found ».
"""

from __future__ import annotations

import time
from collections.abc import Callable
from dataclasses import dataclass
from typing import TYPE_CHECKING

from agent.document import Problem

if TYPE_CHECKING:
    from agent.extraction.pictures import PictureReader

KIB = 1024
MIB = 1024 * KIB


class Stop(Exception):
    """A reader cannot or must not go on; ``problem`` says why. What was read so far stays in the document."""

    def __init__(self, problem: Problem) -> None:
        super().__init__(problem.value)
        self.problem = problem


@dataclass(frozen=True, slots=True)
class Limits:
    """Every limit of one extraction. Those marked « tree » are shared by a document and everything inside it."""

    read_bytes: int = 192 * MIB  # tree: bytes taken from the descriptor
    whole_bytes: int = 96 * MIB  # a file of a format that is only readable as a whole (7z, RAR, OLE, RTF)
    inflated_bytes: int = 192 * MIB  # tree: bytes that came out of a decompressor or a decoder
    member_bytes: int = 32 * MIB  # one decompressed member, attachment or part
    ratio: int = 1500  # inflated over compressed size of one stream past 1 MiB; deflate cannot pass 1032
    parts: int = 10_000  # tree: members, attachments, XML parts
    directory_bytes: int = 2 * MIB  # the directory of a ZIP or OLE file
    depth: int = 8  # containers within containers
    elements: int = 2_000_000  # tree: elements of markup, cells, tags
    nesting: int = 200  # elements within elements, groups within groups
    pages: int = 150  # of a PDF, all read up to this many; above it a sample
    pages_first: int = 10
    pages_between: int = 5
    pages_last: int = 5
    annotations: int = 200  # of one PDF page
    rows: int = 5_000  # of one sheet or delimited table kept as cells
    columns: int = 256  # of one row kept as cells
    text_chars: int = 6_000_000  # tree: characters of text handed to the detection
    text_head_bytes: int = 3 * MIB  # of a plain text that is longer than head and tail together
    text_tail_bytes: int = 1 * MIB
    raw_bytes: int = 16 * MIB  # of a structured format, kept as it is
    header_bytes: int = 64 * KIB  # of a signal or research file, kept as it is
    run_bytes: int = 4 * MIB  # of a binary of no known format, searched for printable runs
    run_chars: int = 400_000  # printable runs kept of one binary
    field_chars: int = 20_000  # one value of a named field
    fields: int = 5_000  # named fields of one document
    picture_pages: int = 40  # tree: pages of pixels that are read, where there is a reader of pictures
    soft_seconds: float = 1.2  # tree: processor time after which a reader stops and says so; the hard limit is 2


class Budget:
    """What is left of the limits for one document tree. Not thread-safe: one budget, one document, one thread.

    ``clock`` returns seconds from any origin; a clock of processor time keeps a slow stick from looking like a slow
    document. ``pictures`` reads what pictures show; without it every picture is a problem « image ».
    """

    __slots__ = (
        "_chars", "_clock", "_deadline", "_elements", "_inflated", "_parts", "_pixels", "_read", "limits", "pictures",
    )  # fmt: skip

    def __init__(
        self,
        limits: Limits | None = None,
        clock: Callable[[], float] = time.thread_time,
        pictures: PictureReader | None = None,
    ) -> None:
        self.limits = limits or Limits()
        self.pictures = pictures
        self._pixels = self.limits.picture_pages
        self._clock = clock
        self._deadline = clock() + self.limits.soft_seconds
        self._read = self.limits.read_bytes
        self._inflated = self.limits.inflated_bytes
        self._parts = self.limits.parts
        self._elements = self.limits.elements
        self._chars = self.limits.text_chars

    def tick(self) -> None:
        """Raise ``Stop(TIMED_OUT)`` once the soft time is over. Cheap enough for every member, page and chunk."""
        if self._clock() > self._deadline:
            raise Stop(Problem.TIMED_OUT)

    def read(self, count: int) -> None:
        """Charge bytes that are about to be read from the descriptor."""
        self._read -= count
        if self._read < 0:
            raise Stop(Problem.TOO_LARGE)

    def inflate(self, count: int) -> None:
        """Charge bytes that came out of a decompressor or decoder, and look at the clock."""
        self._inflated -= count
        if self._inflated < 0:
            raise Stop(Problem.TOO_LARGE)
        self.tick()

    def part(self) -> None:
        """Charge one member, attachment or part, and look at the clock."""
        self._parts -= 1
        if self._parts < 0:
            raise Stop(Problem.TOO_MANY_PARTS)
        self.tick()

    def picture_page(self) -> None:
        """Charge one page of pixels that is about to be read, and look at the clock."""
        self._pixels -= 1
        if self._pixels < 0:
            raise Stop(Problem.IMAGE)
        self.tick()

    def element(self, count: int = 1) -> None:
        """Charge elements, cells or tags."""
        self._elements -= count
        if self._elements < 0:
            raise Stop(Problem.TOO_MANY_PARTS)

    def take_chars(self, count: int) -> int:
        """How many of ``count`` characters may still be kept; they are charged."""
        granted = min(count, self._chars)
        self._chars -= granted
        return granted

    @property
    def chars_left(self) -> int:
        """Characters of text that may still be kept."""
        return self._chars

    @property
    def inflated_left(self) -> int:
        """Bytes that may still come out of decompressors."""
        return self._inflated
