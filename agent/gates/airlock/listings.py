"""Listings of folders that are being read: kept from one read to the next, never more than so many names in all.

A program may open a folder a thousand times, and a stranger's stick may hold millions of names: memory is not theirs to
fill. A listing that had to go is made again; a folder beyond all bounds is not listed at all, since half a listing
would pass for a whole one.
"""

from __future__ import annotations

import errno
import os
import threading
from collections import OrderedDict
from collections.abc import Callable
from typing import TYPE_CHECKING

if TYPE_CHECKING:
    from agent.gates.airlock.volume import Handle

MOST_NAMES = 1 << 20  # in one listing
MOST_KEPT = 1 << 18  # in all that are kept: about 250 bytes each
Listing = list[tuple[bytes, int, int]]


def refuse_too_many(names: int) -> None:
    """OSError EFBIG when a folder holds more names than anybody lists."""
    if names > MOST_NAMES:
        raise OSError(errno.EFBIG, os.strerror(errno.EFBIG))


class Listings:
    def __init__(self, most: int = MOST_KEPT) -> None:
        self._most = most
        self._lock = threading.Lock()
        self._making = threading.Lock()  # one at a time: many halves would be as much as many
        self._kept: OrderedDict[Handle, int] = OrderedDict()
        self._names = 0

    def make(self, handle: Handle, read: Callable[[], Listing]) -> Listing:
        """A new listing, kept with its handle until there is no room for it. Raises what ``read`` raises."""
        with self._making:
            listing = read()
            with self._lock:
                self._drop(handle)
                self._kept[handle] = len(listing)
                self._names += len(listing)
                handle.listing = listing
                while self._names > self._most and len(self._kept) > 1:
                    self._drop(next(iter(self._kept)))
        return listing

    def forget(self, handle: Handle) -> None:
        """Its folder is closed."""
        with self._lock:
            self._drop(handle)

    def _drop(self, handle: Handle) -> None:
        self._names -= self._kept.pop(handle, 0)
        handle.listing = None
