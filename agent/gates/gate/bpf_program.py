"""A program for the kernel that refuses one thing: a folder from outside being moved into a guarded one (EXDEV).

Why: the gate may then tell the kernel not to ask about the files of a folder outside, wherever it lies. Such a mark is
the folder's and goes with it; with the program it cannot come into a guarded folder. Who gets EXDEV copies, as between
two disks, and copies are asked about. Files are moved and linked as they like: a mark is never theirs.

Whether a folder is guarded is told by labels on the guarded roots' inodes, so no number of a device or of an inode can
be mistaken for another's. Pure: numbers in, bytes out; ``bpf_moves`` puts it into the kernel. The text is written here
word by word, in the kernel's own instructions, so that no compiler, no library and no binary file is needed.
"""

from __future__ import annotations

import struct
from typing import NamedTuple

from agent.gates.gate.bpf_types import Types

LICENCE = b"Dual BSD/GPL"
"""The kernel takes no security program without a licence that it knows. This file may be used under BSD-2-Clause or
GPL-2.0 as well as under Apache-2.0."""
MOST_LEVELS = 1024
"""A folder that is to lie deeper cannot be told from a guarded one, and is not moved but beside where it is."""
HOOK = b"bpf_lsm_inode_rename"  # (old folder, old entry, new folder, new entry); an exchange is asked about both ways
MEMBERS = _INODE, _PARENT, _MODE = (b"dentry", b"d_inode"), (b"dentry", b"d_parent"), (b"inode", b"i_mode")
_OLD_ENTRY_AT, _NEW_ENTRY_AT = 8, 24
_STORAGE_GET = 145  # bpf_inode_storage_get(map, inode, value, flags)
_EXDEV = -18
_FORMAT, _FOLDER = 0xF000, 0x4000


class Word(NamedTuple):
    """One instruction. ``offset``: a number, or the name of the place to go to."""

    operation: int
    to: int = 0
    source: int = 0
    offset: int | str = 0
    number: int = 0


_LOAD8, _LOAD2, _SET, _COPY, _AND, _ADD = 0x79, 0x69, 0xB7, 0xBF, 0x57, 0x07
_IF_EQUAL, _IF_NOT, _IF_LESS, _IF_SAME, _GO = 0x15, 0x55, 0xA5, 0x1D, 0x05
_CALL, _EXIT, _MAP, _MAP_FD = 0x85, 0x95, 0x18, 1
_WORD = struct.Struct("<BBhi")


def text(types: Types, labels_fd: int) -> bytes:
    """The program, for this kernel.

    r6 becomes the folder that the moved one lies in, r7 the one that it is to lie in. Renames of one file system that
    change its tree of folders come one after the other, so the way up stands still.
    """
    inode, parent, mode = (types.offsets[pair] for pair in MEMBERS)
    return _assembled([
        Word(_LOAD8, 6, 1, _OLD_ENTRY_AT), Word(_LOAD8, 7, 1, _NEW_ENTRY_AT),
        Word(_LOAD8, 1, 6, inode), Word(_IF_EQUAL, 1, 0, "allow"),
        Word(_LOAD2, 1, 1, mode), Word(_AND, 1, number=_FORMAT), Word(_IF_NOT, 1, 0, "allow", _FOLDER),
        Word(_LOAD8, 6, 6, parent), Word(_LOAD8, 7, 7, parent), Word(_IF_SAME, 6, 7, "allow"),
        *_way_up(7, "new", inode, parent, labels_fd, found="inside", not_found="allow"),
        "inside",
        *_way_up(6, "old", inode, parent, labels_fd, found="allow", not_found="refuse"),
        "refuse", Word(_SET, 0, number=_EXDEV), Word(_EXIT),
        "allow", Word(_SET, 0), Word(_EXIT),
    ])  # fmt: skip


def _way_up(
    folder: int, again: str, inode: int, parent: int, labels_fd: int, *, found: str, not_found: str
) -> list[Word | str]:
    """From the folder in that register up to the root of its file system, looking for a label; r8 counts."""
    return [
        Word(_SET, 8),
        again,
        Word(_MAP, 1, _MAP_FD, 0, labels_fd), Word(0),  # takes two
        Word(_LOAD8, 2, folder, inode), Word(_SET, 3), Word(_SET, 4), Word(_CALL, number=_STORAGE_GET),
        Word(_IF_NOT, 0, 0, found),
        Word(_LOAD8, 1, folder, parent), Word(_IF_SAME, 1, folder, not_found), Word(_COPY, folder, 1),
        Word(_ADD, 8, number=1), Word(_IF_LESS, 8, 0, again, MOST_LEVELS),
        Word(_GO, offset="refuse"),
    ]  # fmt: skip


def _assembled(lines: list[Word | str]) -> bytes:
    """A name in the list stands for the place of what follows it."""
    words: list[Word] = []
    places: dict[str, int] = {}
    for line in lines:
        if isinstance(line, str):
            places[line] = len(words)
        else:
            words.append(line)
    code = b""
    for at, (operation, to, source, offset, number) in enumerate(words):
        distance = places[offset] - at - 1 if isinstance(offset, str) else offset
        code += _WORD.pack(operation, to | source << 4, distance, number)
    return code
