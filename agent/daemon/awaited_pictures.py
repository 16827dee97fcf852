"""Pictures in sync folders: what the final look at them said, and for how long a reader is put off until it is had.

The first look at a picture says nothing but that it is one. Where the policy would refuse the picture of a patient's
document, a sync client does not get it before its text was read (``second_look``), within ``wait_s``: whoever has
five hundred photographs is not to wait an afternoon. After that the policy's word on pictures nobody could read stands.
Decides nothing. Any thread.
"""

from __future__ import annotations

import threading
import time
from collections import OrderedDict

from agent.findings import Findings
from agent.model import Stamp

_KEPT = 4096
_Key = tuple[Stamp, str, str]


class AwaitedPictures:
    """By the state of a file, its extension, and the engine that looks."""

    def __init__(self) -> None:
        self.wait_s = 0.0  # 0: nobody is put off
        self._final: OrderedDict[_Key, Findings] = OrderedDict()
        self._asked: OrderedDict[_Key, float] = OrderedDict()
        self._lock = threading.Lock()

    def learn(self, state: Stamp, extension: str, engine: str, findings: Findings) -> None:
        """The final look was had."""
        with self._lock:
            self._final[state, extension, engine] = findings
            _trim(self._final)

    def final(self, state: Stamp, extension: str, engine: str) -> Findings | None:
        """What the final look said."""
        with self._lock:
            return self._final.get((state, extension, engine))

    def is_awaited(self, state: Stamp, extension: str, engine: str) -> bool:
        """Whether whoever asks now is to come again: since the first question, not for ever."""
        now, key = time.monotonic(), (state, extension, engine)
        with self._lock:
            since = self._asked.setdefault(key, now)
            _trim(self._asked)
        return now - since < self.wait_s


def _trim(kept: OrderedDict[_Key, Findings] | OrderedDict[_Key, float]) -> None:
    while len(kept) > _KEPT:
        kept.popitem(last=False)
