"""What a written dossier is made of: headings, paragraphs, points, tables. Values; ``pdf`` and ``plain`` draw them."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass


@dataclass(frozen=True, slots=True)
class Heading:
    level: int  # 1 to 3
    text: str


@dataclass(frozen=True, slots=True)
class Paragraph:
    text: str
    strong: bool = False


@dataclass(frozen=True, slots=True)
class Points:
    items: tuple[str, ...]


@dataclass(frozen=True, slots=True)
class Table:
    """``widths`` are shares of the line; every row has as many cells as ``head``."""

    head: tuple[str, ...]
    rows: tuple[tuple[str, ...], ...]
    widths: tuple[float, ...]


@dataclass(frozen=True, slots=True)
class NewPage:
    pass


Block = Heading | Paragraph | Points | Table | NewPage


def plain(blocks: Sequence[Block]) -> str:
    """The blocks as text for a screen or an editor; lines are not wrapped."""
    lines: list[str] = []
    for block in blocks:
        if isinstance(block, Heading):
            lines += ["", block.text, "=-~"[block.level - 1] * len(block.text), ""]
        elif isinstance(block, Paragraph):
            lines += [block.text, ""]
        elif isinstance(block, Points):
            lines += [*(f"- {item}" for item in block.items), ""]
        elif isinstance(block, Table):
            lines += [" | ".join(row) for row in (block.head, *block.rows)] + [""]
    return "\n".join(lines).strip("\n") + "\n"
