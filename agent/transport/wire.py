"""What a laptop and its collector say to one another, and the limits of it. Pure: bytes and headers in, values out.

One exchange: ``POST /v1/sync`` with frames from some index on; the collector answers how many records it holds in all.
The index of a record within its log is its identity: what was sent before is ignored, a gap is refused with 409 and
what the collector has. Private parts never leave the laptop, only their hashes. docs/formats/audit-log.md, section 7.
"""

from __future__ import annotations

import re
from collections.abc import Iterable, Mapping
from dataclasses import dataclass

import msgspec

from agent.audit import chain, frames
from agent.audit.frames import Frame, FrameType
from agent.errors import N_, UntrustedInputError

PATH = "/v1/sync"
MAX_BODY_BYTES = 1 << 20
MAX_RECORDS = 2000
MAX_REPLY_BYTES = 16 << 10
MAX_NEXT_S = 24 * 3600

DEVICE_HEADER = "Serment-Device"
FROM_HEADER = "Serment-From"
SIZE_HEADER = "Serment-Size"
MISSING_HEADER = "Serment-Missing"
SENT_HEADER = "Serment-Sent"
LOG_HEADER = "Serment-Log"

_DEVICE = re.compile(r"[a-z0-9][a-z0-9_-]{2,63}")
_LOG = re.compile(r"serment-log/[0-9a-f]{32}")
MAX_STATEMENT = 512  # bytes
_NUMBER = re.compile(r"[0-9]{1,16}")


@dataclass(frozen=True, slots=True)
class Letterhead:
    """What the headers say: who, the index of the first record in the body, the size of the laptop's log (durable
    records), the first of the records before it that the laptop itself no longer has (None: none is lost), and the
    laptop's wall clock (microseconds since 1970 UTC; 0 unknown). ``log`` is the name of the log (checkpoint.origin; "":
    it has none, or no collector's signature is wanted).
    """

    device: str
    first: int
    size: int
    missing: int | None = None
    sent_us: int = 0
    log: str = ""


@dataclass(frozen=True, slots=True)
class Batch:
    """One request: the letterhead and ``count`` records as frames."""

    letterhead: Letterhead
    body: bytes
    count: int


class Reply(msgspec.Struct, frozen=True):
    """``size``: the collector holds the records 0 to size-1. ``next_s``: come back after so many seconds.

    ``why`` is empty for an acknowledgement; "gap", "rewritten", "fork" or "truncated" for a refusal.
    ``cosigned``: the collector's statement that it holds these records (checkpoint.pack_cosigned), b"" without.
    """

    size: int
    next_s: int = 0
    why: str = ""
    cosigned: bytes = b""


class Leaf(msgspec.Struct, frozen=True):
    """One record as it was sent."""

    public: bytes
    private_hash: bytes


def valid_device(untrusted: str) -> bool:
    """Whether the text can be the pseudonym of a laptop."""
    return _DEVICE.fullmatch(untrusted) is not None


def build(letterhead: Letterhead, records: Iterable[tuple[bytes, bytes]]) -> Batch:
    """The request for ``records`` (public and private part of each, their indices without a gap); as many of them as
    the limits allow.
    """
    pieces: list[bytes] = []
    total = 0
    for public, private in records:
        frame = frames.pack_sent(public, chain.private_hash(private))
        if len(pieces) == MAX_RECORDS or total + len(frame) > MAX_BODY_BYTES:
            break
        pieces.append(frame)
        total += len(frame)
    return Batch(letterhead, b"".join(pieces), len(pieces))


def headers(letterhead: Letterhead) -> dict[str, str]:
    """The request's headers."""
    made = {
        DEVICE_HEADER: letterhead.device,
        FROM_HEADER: str(letterhead.first),
        SIZE_HEADER: str(letterhead.size),
        SENT_HEADER: str(letterhead.sent_us),
    }
    if letterhead.missing is not None:
        made[MISSING_HEADER] = str(letterhead.missing)
    if letterhead.log:
        made[LOG_HEADER] = letterhead.log
    return made


def parse_headers(untrusted: Mapping[str, str]) -> Letterhead:
    """The letterhead in headers (looked up by name, whatever its case is). Raises UntrustedInputError."""
    device = untrusted.get(DEVICE_HEADER, "")
    if not valid_device(device):
        raise UntrustedInputError(N_("the header {header} is missing or wrong"), header=DEVICE_HEADER)
    log = untrusted.get(LOG_HEADER, "")
    if log and not _LOG.fullmatch(log):
        raise UntrustedInputError(N_("the header {header} is missing or wrong"), header=LOG_HEADER)
    missing = None if untrusted.get(MISSING_HEADER) is None else _number(untrusted, MISSING_HEADER)
    head = Letterhead(
        device, _number(untrusted, FROM_HEADER), _number(untrusted, SIZE_HEADER), missing,
        _number(untrusted, SENT_HEADER, "0"), log,
    )  # fmt: skip
    if missing is not None and missing >= head.first:
        raise UntrustedInputError(N_("the header {header} is missing or wrong"), header=MISSING_HEADER)
    return head


def _number(untrusted: Mapping[str, str], name: str, default: str = "") -> int:
    text = untrusted.get(name, default)
    if not _NUMBER.fullmatch(text):
        raise UntrustedInputError(N_("the header {header} is missing or wrong"), header=name)
    return int(text)


def parse_body(untrusted: bytes) -> list[Leaf]:
    """The records in a request's body. Every byte is in one of them; raises UntrustedInputError otherwise."""
    if len(untrusted) > MAX_BODY_BYTES:
        raise UntrustedInputError(N_("the request is larger than {limit} bytes"), limit=MAX_BODY_BYTES)
    items, _ = frames.split(untrusted)
    if len(items) > MAX_RECORDS:
        raise UntrustedInputError(N_("the request has more than {limit} records"), limit=MAX_RECORDS)
    leaves: list[Leaf] = []
    for item in items:
        if not isinstance(item, Frame) or item.kind != FrameType.SENT:
            raise UntrustedInputError(N_("the request holds bytes that are no audit frame"))
        leaves.append(Leaf(*frames.unpack_sent(item.body)))
    return leaves


def reply_bytes(reply: Reply) -> bytes:
    """An acknowledgement {"size", "next_s"}, perhaps with "cosigned" (base64), or a refusal {"have", "why"}; JSON."""
    if reply.why:
        return msgspec.json.encode({"have": reply.size, "why": reply.why})
    said = {"size": reply.size, "next_s": reply.next_s}
    return msgspec.json.encode({**said, "cosigned": reply.cosigned} if reply.cosigned else said)


class _Answer(msgspec.Struct):
    size: int | None = None
    have: int | None = None
    next_s: int = 0
    why: str = ""
    cosigned: bytes = b""


def parse_reply(untrusted: bytes, *, refused: bool) -> Reply:
    """The collector's answer; ``refused`` for one with status 409. Raises UntrustedInputError."""
    try:
        if len(untrusted) > MAX_REPLY_BYTES:
            raise ValueError
        answer = msgspec.json.decode(untrusted, type=_Answer)
    except (msgspec.MsgspecError, ValueError, RecursionError) as error:
        raise UntrustedInputError(N_("the collector's answer is not understood")) from error
    size = answer.have if refused else answer.size
    if size is None or not 0 <= size < 1 << 53:
        raise UntrustedInputError(N_("the collector's answer is not understood"))
    why = (answer.why[:32] or "gap") if refused else ""
    cosigned = b"" if refused or len(answer.cosigned) > MAX_STATEMENT else answer.cosigned
    return Reply(size, min(max(answer.next_s, 0), MAX_NEXT_S), why, cosigned)
