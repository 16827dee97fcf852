"""The audit log is the spool: this keeps the one thing it lacks, how far the collector has it.

The state file holds the laptop's pseudonym, the acknowledged size, a shortcut into the files, and how the last
attempts went. Losing it loses nothing: the collector says what it has, and ignores what it is sent twice. The agent
reads it to know when to start the next sync process; it never loads an HTTP library for that.
"""

from __future__ import annotations

import os
import secrets
from collections.abc import Callable
from pathlib import Path

import msgspec

from agent.audit import checkpoint, frames, tree
from agent.audit.checkpoint import Cosigned
from agent.audit.head import Head, read_head
from agent.audit.segments import Entry, Position, read_sealed
from agent.crypto.signing import Signed, is_right
from agent.errors import N_, AuditError, HostError, UntrustedInputError
from agent.fsys.atomic import replace_file
from agent.transport import wire
from agent.transport.wire import Batch, Letterhead

MAX_STATE_BYTES = 4096
FIRST_RETRY_S = 30.0  # less brings a fleet back in a wave: bench/reconnect.py
LONGEST_RETRY_S = 1800.0
SPREAD_S = 120.0
_ROOM = wire.MAX_BODY_BYTES - wire.MAX_REPORT_BYTES - 4096  # bytes of frames


class SpoolState(msgspec.Struct, frozen=True):
    """``acked``: the collector holds this many records. ``segment`` and ``offset``: where the next one lies.

    ``failures`` in a row, and ``retry_at`` (seconds since 1970 UTC) before which no attempt should be made. ``trouble``
    is "" or a stable word: unreachable, refused, rewritten, fork, truncated. ``cosigned`` is the collector's last
    statement that was found right, ``witness`` the public key (hexadecimal) of the first: no other one counts.
    ``next_at``: when the next visit is due, as the collector wishes (seconds since 1970 UTC; 0: none has been yet).
    ``skew_ms``: its clock minus ours.
    """

    device: str
    acked: int = 0
    segment: int = 0
    offset: int = 0
    failures: int = 0
    retry_at: int = 0
    trouble: str = ""
    witness: str = ""
    cosigned: bytes = b""
    next_at: int = 0
    skew_ms: int = 0

    def fields_are_odd(self) -> bool:
        """Whether a number or a text is beyond what ever is written."""
        numbers = (self.acked, self.segment, self.offset, self.failures, self.retry_at, self.next_at)
        return min(numbers) < 0 or max(numbers) >= 1 << 53 or len(self.trouble) > 32 or len(self.witness) > 64


def load_state(path: Path, device: str = "") -> SpoolState:
    """The state in ``path``; a fresh one, with a new random pseudonym, when there is none or it is spoilt.

    ``device`` names the laptop instead. Raises HostError when the file is there and cannot be read.
    """
    try:
        # It may belong to the user that syncs, who has fewer rights than whoever reads: no link, no pipe.
        fd = os.open(path, os.O_RDONLY | os.O_CLOEXEC | os.O_NOFOLLOW | os.O_NONBLOCK)
        with open(fd, "rb") as file:
            state = msgspec.json.decode(file.read(MAX_STATE_BYTES), type=SpoolState)
    except (FileNotFoundError, msgspec.MsgspecError, UnicodeDecodeError, RecursionError):
        state = SpoolState("")
    except OSError as error:
        raise HostError(N_("cannot be read: {why}"), where=str(path), why=error.strerror) from error
    if state.fields_are_odd():
        state = SpoolState("")
    name = device or state.device
    if not wire.valid_device(name):
        name = "laptop-" + secrets.token_hex(6)
    if name != state.device:
        return SpoolState(name)
    return state


def save_state(path: Path, state: SpoolState) -> None:
    """Replace the state file. Raises HostError."""
    try:
        replace_file(path, msgspec.json.encode(state) + b"\n")
    except OSError as error:
        raise HostError(N_("cannot be written: {why}"), where=str(path), why=error.strerror) from error


def pending(log: Path, state: SpoolState) -> int:
    """How many durable records wait to be sent; cheap. Raises AuditError when the head cannot be read."""
    head = read_head(log)
    return (head.size if head else 0) - state.acked


def backoff(failures: int, uniform: Callable[[float, float], float]) -> float:
    """Seconds to wait after so many failures in a row (1 or more): jitter over the whole of a capped doubling.

    The jitter comes after the cap, or every laptop of a fleet ends up at the same moment. The first failure after a
    success gets a spread of its own, because then the whole fleet fails at once.
    """
    longest = min(LONGEST_RETRY_S, FIRST_RETRY_S * 2.0 ** min(failures, 16))
    return max(1.0, uniform(0.0, longest)) + (uniform(0.0, SPREAD_S) if failures == 1 else 0.0)


def next_batch(log: Path, state: SpoolState, sent_us: int, report: bytes = b"") -> tuple[Batch, Position]:
    """The next request for the collector, with ``report`` in it, and the position in the files behind it.

    Only what is durable is sent: a record that a power cut could take back must not be known elsewhere. The batch may
    be empty (everything is there), and then still tells the collector the size of this log. Raises AuditError.
    """
    head = read_head(log)
    if head is None:
        raise AuditError(N_("there is no audit log here"), where=str(log))
    begin = Position(state.segment, state.offset) if state.segment or state.offset else None
    placed = _taken(log, state.acked, begin, head)
    first = next((item[1] for item in placed if not isinstance(item[1], bytes)), None)
    number = min(state.acked, head.size) if first is None else first.number
    missing = state.acked if number > state.acked else None
    letterhead = Letterhead(state.device, number, head.size, missing, sent_us, _name(head))
    items = [item if isinstance(item, bytes) else (item.public, item.private) for _, item in placed]
    batch = wire.build(letterhead, items, report)
    if not batch.items:
        return batch, Position(state.segment, state.offset)
    return batch, placed[batch.items - 1][0]


def _taken(log: Path, acked: int, begin: Position | None, head: Head) -> list[tuple[Position, Entry | bytes]]:
    """Records without a gap from ``acked`` on, and the seals among them, in the log's order: what a request can
    hold.
    """
    taken: list[tuple[Position, Entry | bytes]] = []
    size, expected, records = 0, -1, 0
    for place, item in read_sealed(log, acked, begin, Position(head.segment, head.offset)):
        if isinstance(item, bytes):
            size += len(item) + frames.HEADER_BYTES
        else:
            if item.number >= head.size or (expected >= 0 and item.number != expected):
                break
            expected = item.number + 1
            records += 1
            size += len(item.public) + 64
        if records > wire.MAX_RECORDS or len(taken) == wire.MAX_FRAMES or size > _ROOM:
            break
        taken.append((place, item))
    return taken


def _name(head: Head) -> str:
    return checkpoint.origin(bytes.fromhex(head.identity)) if head.identity else ""


def checked(log: Path, state: SpoolState, statement: bytes) -> SpoolState:
    """The state with a collector's ``statement`` in it, when that is about the log as it is now and rightly signed.

    A right signature over another root than ours is a "fork": the collector holds another log. Raises AuditError.
    """
    head = read_head(log)
    try:
        said = checkpoint.unpack_cosigned(statement)
    except UntrustedInputError:
        return state
    if head is None or head.version == 1 or said.size != head.size or state.witness not in {"", said.key.hex()}:
        return state
    text = checkpoint.cosigned_text(_name(head), said.size, said.root, said.time_s)
    if not is_right(Signed(said.key, said.signature, text)):
        return state
    if said.root != tree.root(head.subtrees()):
        return msgspec.structs.replace(state, trouble="fork")
    return msgspec.structs.replace(state, witness=said.key.hex(), cosigned=statement)


def cosignature(path: Path) -> Cosigned | None:
    """The statement in the state file, for the log to keep; None: there is none. Raises HostError."""
    try:
        return checkpoint.unpack_cosigned(load_state(path).cosigned)
    except UntrustedInputError:
        return None
