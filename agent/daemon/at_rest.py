"""Memory that a quiet agent does not need goes back to the kernel: what programs are made of, and what was freed.

Of the pages of libraries that have been read, idling touches few; the kernel is asked to take the others back
(madvise(2), MADV_PAGEOUT), as it would by itself when memory runs short. What is needed again comes from the page
cache or the disk. Only what is mapped from files and cannot be written is named: no memory of ours goes to a swap, and
nothing changes what a page holds, whatever another thread maps meanwhile. Pages that another process of ours has too
are refused by that call: of code that nobody has written into, we let go of our part (MADV_DONTNEED). Owns nothing.
Called by the main loops of agent and session helper.
"""

from __future__ import annotations

import contextlib
import ctypes
import gc
import os
import time
from collections.abc import Iterator
from itertools import islice

QUIET_S = 30.0  # so long nothing was to be done
GROWN = 2 << 20  # bytes more than after the last time: else it is not worth the work
_PAGEOUT = 21  # MADV_PAGEOUT, Linux 5.4; an older kernel refuses it, and all is as it was
_DONTNEED = 4  # MADV_DONTNEED: of a file's page that is as in the file, another look at the file brings it back
_MOST_LINES = 100_000


class AtRest:
    """``look`` now and then, with whether anything is being done."""

    def __init__(self) -> None:
        self._quiet_since = time.monotonic()
        self._left = 0  # bytes that were resident after the last time

    def look(self, *, busy: bool) -> bool:
        """Give back what is not needed, when it has been quiet for long enough. Whether it was done."""
        now = time.monotonic()
        if busy:
            self._quiet_since = now
        if now - self._quiet_since < QUIET_S or resident() - self._left < GROWN:
            return False
        give_back()
        self._left = resident()
        return True


def give_back() -> None:
    """Everything that can be had again. Takes some ten milliseconds."""
    gc.collect()
    libc = ctypes.CDLL(None)
    with contextlib.suppress(AttributeError):  # a C library that has none
        libc.malloc_trim(ctypes.c_size_t(0))
    for start, length in _read_only():
        libc.madvise(ctypes.c_void_p(start), ctypes.c_size_t(length), _PAGEOUT)
    for start, length in _code():
        libc.madvise(ctypes.c_void_p(start), ctypes.c_size_t(length), _DONTNEED)


def resident() -> int:
    """Bytes of memory that are mapped and there; 0 without /proc."""
    try:
        with open("/proc/self/statm", "rb", buffering=0) as file:
            return int(file.read(256).split()[1]) * os.sysconf("SC_PAGE_SIZE")
    except (OSError, IndexError, ValueError):
        return 0


def _read_only() -> Iterator[tuple[int, int]]:
    """Start and length of what is mapped from files and cannot be written."""
    for line in _lines("maps"):
        fields = line.split(None, 5)
        if len(fields) == 6 and fields[5].startswith(b"/") and b"w" not in fields[1]:
            start, end = (int(word, 16) for word in fields[0].split(b"-"))
            yield start, end - start


def _lines(name: str) -> Iterator[bytes]:
    """Of what the kernel says of our memory, one after the other: all at once would take half a megabyte of it."""
    try:
        with open(f"/proc/self/{name}", "rb") as file:
            yield from islice(file, _MOST_LINES)
    except OSError:
        return


def _code() -> Iterator[tuple[int, int]]:
    """Start and length of code that is as it is in its file: a page that the loader has written into would be lost."""
    start = end = 0
    for line in _lines("smaps"):
        fields = line.split(None, 5)
        if fields[0].endswith(b":"):
            if fields[0] == b"Anonymous:" and end and int(fields[1]) == 0:
                yield start, end - start
            continue
        named = len(fields) == 6 and fields[5].startswith(b"/") and not fields[5].endswith(b"(deleted)")
        start, end = (int(word, 16) for word in fields[0].split(b"-")) if named and fields[1] == b"r-xp" else (0, 0)
