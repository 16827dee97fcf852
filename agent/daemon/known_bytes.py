"""A judge that knows the bytes it has judged a moment ago: the same folder for a second stick, a copy that is repeated.

For documents that wait to leave. What was found is kept in memory alone, by a keyed digest of the bytes whose key is
nowhere else: it tells nobody what was copied. Only small documents: for a large one the digest would cost about what
recognition does. What no look could decide (it took too long, a reader died) is not kept; it may be decided next time.
"""

from __future__ import annotations

import hashlib
import os
import secrets
import threading
from collections import OrderedDict
from collections.abc import Callable

from agent.daemon.pipeline import Judge
from agent.findings import Findings, Judgement
from agent.fsys.atomic import stamp

LARGEST = 256 * 1024  # bytes of a document
KEPT = 2048  # documents


class KnownBytes:
    """``judge`` from any thread. ``engine`` names what judges: what another one found counts no more."""

    def __init__(self, judge: Judge, engine: Callable[[], str]) -> None:
        self._judge = judge
        self._engine = engine
        self._key = secrets.token_bytes(32)
        self._found: OrderedDict[tuple[bytes, str, str], Findings] = OrderedDict()
        self._lock = threading.Lock()

    def judge(self, fd: int, extension: str = "", size: int = 0) -> Findings:
        """As the judge behind it, for a document that nobody changes meanwhile. Raises what that raises."""
        before = stamp(fd)
        digest = self._digest(fd) if before.size <= LARGEST else b""
        if not digest:
            return self._judge.judge(fd, extension, size)
        key = (digest, extension, self._engine())
        with self._lock:
            if (known := self._found.get(key)) is not None:
                self._found.move_to_end(key)
                return known
        findings = self._judge.judge(fd, extension, size)
        if findings.judgement is not Judgement.UNDECIDABLE and stamp(fd) == before:
            with self._lock:
                self._found[key] = findings
                while len(self._found) > KEPT:
                    self._found.popitem(last=False)
        return findings

    def _digest(self, fd: int) -> bytes:
        """Of at most ``LARGEST`` bytes; empty when there are more, or they cannot be read."""
        try:
            content = os.pread(fd, LARGEST + 1, 0)
            if len(content) > LARGEST or len(content) != os.fstat(fd).st_size:
                return b""
        except OSError:
            return b""
        return hashlib.blake2b(content, key=self._key, digest_size=32).digest()
