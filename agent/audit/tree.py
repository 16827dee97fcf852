"""The Merkle tree over the leaves of a log (RFC 6962, section 2.1). Pure mathematics over hashes.

A tree that only grows needs of its past no more than its frontier: the roots of the perfect subtrees from left to
right, one for each bit that is set in its size. ``extend`` takes many leaves at once, level by level, which is several
times faster than one by one.
"""

from __future__ import annotations

from collections.abc import Iterable, Sequence
from hashlib import sha256

EMPTY_ROOT = sha256(b"").digest()
"""The root of a tree without leaves."""
MAX_LEVELS = 63
LOST = bytes(32)
"""Stands for a leaf that the laptop itself has lost (a damaged record), so that later ones keep their numbers."""

Frontier = list[bytes | None]
"""By level, from the leaves up: the root of the perfect subtree that waits there for its neighbour, or None."""


def node(left: bytes, right: bytes) -> bytes:
    """The hash of an inner node."""
    return sha256(b"\x01" + left + right).digest()


def extend(frontier: Frontier, leaves: Sequence[bytes]) -> None:
    """Add leaf hashes behind those that ``frontier`` stands for; changes it in place."""
    nodes: Sequence[bytes] = leaves
    level = 0
    while nodes:
        if level == len(frontier):
            frontier.append(None)
        waiting = frontier[level]
        if waiting is not None:
            nodes = [waiting, *nodes]
        frontier[level] = nodes[-1] if len(nodes) & 1 else None
        nodes = [sha256(b"\x01" + nodes[at] + nodes[at + 1]).digest() for at in range(0, len(nodes) - 1, 2)]
        level += 1


def extend_lost(frontier: Frontier, count: int) -> None:
    """Add ``count`` times LOST, however many that is; changes ``frontier`` in place."""
    at, whole = size(frontier), [LOST]
    while count:
        level = min(count.bit_length() - 1, (at & -at).bit_length() - 1 if at else MAX_LEVELS)
        while len(whole) <= level:
            whole.append(node(whole[-1], whole[-1]))
        at, count, subtree = at + (1 << level), count - (1 << level), whole[level]
        frontier.extend([None] * (level + 1 - len(frontier)))
        while (waiting := frontier[level]) is not None:
            frontier[level] = None
            subtree = node(waiting, subtree)
            level += 1
            if level == len(frontier):
                frontier.append(None)
        frontier[level] = subtree


def root(frontier: Iterable[bytes | None]) -> bytes:
    """The root of the tree."""
    found: bytes | None = None
    for subtree in frontier:
        if subtree is not None:
            found = subtree if found is None else node(subtree, found)
    return EMPTY_ROOT if found is None else found


def size(frontier: Frontier) -> int:
    """How many leaves it stands for."""
    return sum(1 << level for level, subtree in enumerate(frontier) if subtree is not None)


def packed(frontier: Frontier) -> list[bytes]:
    """The subtrees' roots from the smallest to the largest, as they are written down."""
    return [subtree for subtree in frontier if subtree is not None]


def unpacked(size_: int, subtrees: Sequence[bytes]) -> Frontier:
    """The frontier of a tree of ``size_`` leaves from what ``packed`` gave. Raises ValueError: they do not fit."""
    levels = [level for level in range(MAX_LEVELS) if size_ >> level & 1]
    if size_ >> MAX_LEVELS or len(levels) != len(subtrees) or any(len(each) != 32 for each in subtrees):
        raise ValueError("these subtrees are not those of a tree of this size")
    frontier: Frontier = [None] * size_.bit_length()
    for level, subtree in zip(levels, subtrees, strict=True):
        frontier[level] = subtree
    return frontier


def _of(leaves: Sequence[bytes]) -> bytes:
    frontier: Frontier = []
    extend(frontier, leaves)
    return root(frontier)


def _split(count: int) -> int:
    """The largest power of two below ``count`` (2 or more)."""
    return 1 << (count - 1).bit_length() - 1


def inclusion(leaves: Sequence[bytes], index: int) -> list[bytes]:
    """The audit path of leaf ``index`` in the tree over ``leaves`` (RFC 6962, 2.1.1), from the leaf up."""
    path: list[bytes] = []
    low, high = 0, len(leaves)
    while high - low > 1:
        middle = low + _split(high - low)
        if index < middle:
            path.append(_of(leaves[middle:high]))
            high = middle
        else:
            path.append(_of(leaves[low:middle]))
            low = middle
    return path[::-1]


def root_from(leaf: bytes, index: int, count: int, path: Sequence[bytes]) -> bytes:
    """The root of a tree of ``count`` leaves in which ``leaf`` is at ``index``, by its audit path (RFC 9162, 2.1.3.2).

    Raises ValueError when the path is not of the right length.
    """
    if not 0 <= index < count:
        raise ValueError("the index is outside of the tree")
    number, last, found = index, count - 1, leaf
    for sibling in path:
        if last == 0:
            raise ValueError("the path is too long")
        if number & 1 or number == last:
            found = node(sibling, found)
            while not number & 1 and number:
                number >>= 1
                last >>= 1
        else:
            found = node(found, sibling)
        number >>= 1
        last >>= 1
    if last:
        raise ValueError("the path is too short")
    return found
