"""One compressed stream: gzip, bzip2, xz. What comes out is read like any other document."""

from __future__ import annotations

from agent.document import Area, Format, Problem, Spot
from agent.extraction.formats import inflate
from agent.extraction.formats.base import Job
from agent.extraction.limits import MIB, Stop

_CHUNK = 64 * 1024
_HEAD = 1 * MIB  # of a stream that is too large: enough to see what it is
_MACHINES = {Format.GZIP: inflate.gzip, Format.BZIP2: inflate.bzip2, Format.XZ: inflate.xz}
_INNER = {"tgz": "tar", "tbz": "tar", "tbz2": "tar", "txz": "tar", "svgz": "svg", "emz": "emf"}


def read(job: Job) -> None:
    """Format.GZIP, BZIP2, XZ."""
    pieces: list[bytes] = []
    try:
        _expand(job, pieces)
    except Stop as stop:
        job.fail(stop.problem)
        if stop.problem is Problem.TIMED_OUT:
            return
    data = b"".join(pieces)
    if not data:
        return
    too_large = job.document.problem is Problem.TOO_LARGE
    child = job.child(
        data[:_HEAD] if too_large else data,
        _INNER.get(job.document.extension, ""),
        Spot(Area.MEMBER),
        _stored_name(job.head),
    )
    if too_large:
        child.problem, child.truncated = Problem.TOO_LARGE, True


def _expand(job: Job, pieces: list[bytes]) -> None:
    """Fill ``pieces``, stream after stream (files may be concatenated, and padded with zeros)."""
    limits, new = job.budget.limits, _MACHINES[job.document.format]
    machine, pending = new(), b""
    at, size = 0, 0
    while True:
        if not pending and machine.hungry:
            pending = job.source.pread(_CHUNK, at)
            at += len(pending)
            if not pending:
                raise Stop(Problem.CORRUPT)
        piece, pending = machine.feed(pending)
        job.budget.inflate(len(piece))
        size += len(piece)
        pieces.append(piece)
        if size > limits.member_bytes or (size > MIB and size > at * limits.ratio):
            raise Stop(Problem.TOO_LARGE)
        if machine.eof:
            if not pending:
                pending = job.source.pread(_CHUNK, at)
                at += len(pending)
            if not pending.strip(b"\0"):
                return
            machine = new()


def _stored_name(head: bytes) -> str:
    """The original name that a gzip header may carry (RFC 1952, FNAME)."""
    if head[:2] != b"\x1f\x8b" or len(head) < 12 or not head[3] & 8:
        return ""
    at = 10
    if head[3] & 4:
        at += 2 + int.from_bytes(head[at : at + 2], "little")
    end = head.find(b"\0", at, at + 300)
    return head[at:end].decode("latin-1") if end > 0 else ""
