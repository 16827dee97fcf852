"""The page that opens sealed files at home, put beside them on the stick: once, after the first document was sealed.

One thread with a short waiting line, so that whoever waits for a verdict never waits for a stick. The page holds the
clinician's identity under the clinician's phrase; without a phrase there is none, and nothing is put. It goes the way
of every file: through the airlock where there is one. Never overwrites anything but a page of ours.
"""

from __future__ import annotations

import contextlib
import os
import queue
import threading

from agent.crypto.keys import KeyStore
from agent.daemon.operations import Operations
from agent.errors import SermentError
from agent.fsys.ways import open_root
from agent.model import ChannelKind, Decision, Outcome, Place, Result

_WAITING = 64  # places; more sticks than that are not in one laptop


class OpeningPages:
    """``want`` from any thread, never blocks; ``close`` ends the thread."""

    def __init__(self, keys: KeyStore, operations: Operations) -> None:
        self._keys = keys
        self._operations = operations
        self._wanted: queue.Queue[Place | None] = queue.Queue(_WAITING)
        self._there: dict[bytes, tuple[int, int, bytes]] = {}  # root → device, inode and identity of the page put there
        self._thread: threading.Thread | None = None
        self._lock = threading.Lock()

    def want(self, place: Place, outcome: Outcome) -> None:
        """A document was sealed there: see to it that it can be opened at home."""
        sealed = outcome.result is Result.DONE and outcome.action is Decision.ENCRYPT
        if place.channel is not ChannelKind.REMOVABLE or not sealed or not self._keys.has_phrase(place.owner):
            return
        with self._lock:
            if self._thread is None:
                self._thread = threading.Thread(target=self._run, name="opening-pages", daemon=True)
                self._thread.start()
        with contextlib.suppress(queue.Full):  # the next document that is sealed there asks again
            self._wanted.put_nowait(place)

    def close(self) -> None:
        with self._lock:
            thread, self._thread = self._thread, None
        if thread is not None:
            self._wanted.put(None)
            thread.join(10)

    def _run(self) -> None:
        while (place := self._wanted.get()) is not None:
            try:
                self._put(place)
            except (OSError, SermentError) as error:  # full, read-only, gone: the sealed files are there all the same
                self._operations.warn("opening-page.failed", type=type(error).__name__)

    def _put(self, place: Place) -> None:
        identity = self._keys.under_phrase(place.owner)
        if identity is None:
            return
        folder = open_root(place.root)
        try:
            state = os.fstat(folder)
            here = (state.st_dev, state.st_ino, identity)
            if self._there.get(place.root) == here:
                return
            from agent.outside import page  # a tenth of a megabyte that most laptops never need

            if page.place(folder, page.page(identity), place.owner):
                self._operations.note("opening-page.put", service=place.service)
            self._there[place.root] = here
        finally:
            os.close(folder)
