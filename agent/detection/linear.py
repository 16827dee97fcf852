"""Linear searches without the wrapper's price: google-re2 makes an object a match, which costs more than finding it.

Owns the way from a compiled re2 pattern to where it matches in bytes. Pure; nothing here knows what is looked for. The
function that re2's wrapper calls is not part of its public interface: where it is missing, the wrapper is used.
"""

from __future__ import annotations

from collections.abc import Callable, Iterator, Sequence
from typing import Any

import re2


def anywhere(pattern: bytes) -> Callable[..., bool]:
    """A function that says whether ``pattern`` matches somewhere in the bytes given, each byte being a character."""
    options = re2.Options()
    options.encoding = re2.Options.Encoding.LATIN1
    return holding(re2.compile(pattern, options))


def at_start(pattern: bytes) -> Callable[..., bool]:
    """The same for a pattern that must match where the bytes begin."""
    return anywhere(rb"\A(?:" + pattern + b")")


def spans(searcher: Any, data: bytes) -> Iterator[tuple[int, int]]:
    """Start and end of each match of a pattern compiled by re2, from left to right, without overlap."""
    if not _DIRECT:
        yield from (found.span() for found in searcher.finditer(data))
        return
    match, anchor, place, size = searcher._regexp.Match, re2._Anchor.UNANCHORED, 0, len(data)
    while place <= size:
        start, end = match(anchor, data, place, size)[0]
        if start < 0:
            return
        yield start, end
        place = end if end > place else place + 1


def sharing(searcher: Any, data: bytes) -> Iterator[tuple[int, int]]:
    """The same for a pattern whose last byte may be the first of the next match, as the blank between two words."""
    place, size = 0, len(data)
    while place < size and (found := _next(searcher, data, place)) is not None:
        yield found
        place = max(found[1] - 1, place + 1)


def _next(searcher: Any, data: bytes, place: int) -> tuple[int, int] | None:
    if not _DIRECT:
        found = searcher.search(data, place)
        return found.span() if found is not None else None
    start, end = searcher._regexp.Match(re2._Anchor.UNANCHORED, data, place, len(data))[0]
    return (start, end) if start >= 0 else None


def groups(searcher: Any, data: bytes) -> Iterator[Sequence[tuple[int, int]]]:
    """The same with the place of each group behind that of the whole match; (-1, -1) for a group left out."""
    if not _DIRECT:
        yield from ([found.span(group) for group in range(searcher.groups + 1)] for found in searcher.finditer(data))
        return
    match, anchor, place, size = searcher._regexp.Match, re2._Anchor.UNANCHORED, 0, len(data)
    while place <= size:
        found = match(anchor, data, place, size)
        start, end = found[0]
        if start < 0:
            return
        yield found
        place = end if end > place else place + 1


def holding(searcher: Any) -> Callable[..., bool]:
    """A function of bytes, and of a place in them, that says whether the pattern matches from there on."""
    if not _DIRECT:
        return lambda data, place=0: searcher.search(data, place) is not None
    match, anchor = searcher._regexp.Match, re2._Anchor.UNANCHORED

    def holds(data: bytes, place: int = 0) -> bool:
        return bool(match(anchor, data, place, len(data))[0][0] >= 0)

    return holds


def any_of(*searchers: Any) -> Callable[..., bool]:
    """The same for patterns of which one at least must match: one search tells that none does."""
    return holding(re2.compile(b"|".join(b"(?:" + searcher.pattern + b")" for searcher in searchers)))


def which(*searchers: Any) -> Callable[[bytes], Sequence[int]]:
    """A function that says which of these patterns match, by their numbers, in one search. For short texts: where much
    may be under way at once, a long one makes it slower than the searches one by one.
    """
    known = re2.Set.SearchSet()
    for searcher in searchers:
        known.Add(searcher.pattern)
    known.Compile()
    return lambda data: known.Match(data) or ()


def fitting(searcher: Any) -> Callable[[bytes], bool]:
    """A function that says whether the pattern matches all of the bytes given."""
    if not _DIRECT:
        return lambda data: searcher.fullmatch(data) is not None
    match, anchor = searcher._regexp.Match, re2._Anchor.ANCHOR_BOTH
    return lambda data: bool(match(anchor, data, 0, len(data))[0][0] >= 0)


def _works() -> bool:
    """Whether this release of google-re2 has the inner function and it answers as expected."""
    try:
        match = re2.compile(b"[a-z]+(x)?")._regexp.Match
        return [list(match(re2._Anchor.UNANCHORED, b"a bb", place, 4)) for place in (0, 1, 4)] == [
            [(0, 1), (-1, -1)],
            [(2, 4), (-1, -1)],
            [(-1, -1), (-1, -1)],
        ]
    except (AttributeError, TypeError, ValueError):
        return False


_DIRECT = _works()
