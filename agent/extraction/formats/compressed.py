"""One compressed stream: gzip, bzip2, xz. What comes out is read like any other document."""

from __future__ import annotations

from agent.document import Area, Format, Problem, Spot
from agent.extraction.formats import inflate
from agent.extraction.formats.base import Job
from agent.extraction.limits import MIB, Stop
from agent.extraction.sniff import HEAD, sniff

_HEAD_IS_ENOUGH = frozenset({Format.AUDIO_VIDEO, Format.RESEARCH, Format.SIGNAL})
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


def is_zlib(head: bytes) -> bool:
    """A bare zlib stream (RFC 1950): method, window, and a check that the two bytes pass together."""
    return head[:1] == b"\x78" and len(head) > 16 and int.from_bytes(head[:2], "big") % 31 == 0 and not head[1] & 0x20


def read_zlib(job: Job) -> None:
    """A bare zlib stream; Format.UNKNOWN, because two bytes are no proof: what does not unpack was none."""
    machine, pending, at = inflate.zlib_or_gzip(), b"", 0
    pieces: list[bytes] = []
    size = 0
    while not machine.eof and size <= job.budget.limits.member_bytes:
        if not pending:
            pending = job.source.pread(_CHUNK, at)
            at += len(pending)
            if not pending:
                raise Stop(Problem.CORRUPT)
        piece, pending = machine.feed(pending)
        job.budget.inflate(len(piece))
        size += len(piece)
        pieces.append(piece)
    if size > job.budget.limits.member_bytes:
        raise Stop(Problem.TOO_LARGE)
    job.child(b"".join(pieces), spot=Spot(Area.MEMBER))


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
        if size > _HEAD and sniff(pieces[0][:HEAD]) in _HEAD_IS_ENOUGH:
            return
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
