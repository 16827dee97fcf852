"""What a laptop and its collector say to one another, and the limits of it. Pure: bytes and headers in, values out.

One exchange: ``POST /v1/sync`` with frames from some index on; the collector answers how many records it holds in all.
The index of a record within its log is its identity: what was sent before is ignored, a gap is refused with 409 and
what the collector has. Private parts never leave the laptop, only their hashes. docs/formats/audit-log.md, section 10;
docs/formats/fleet-protocol.md, section 3.
"""

from __future__ import annotations

import re
from collections.abc import Iterable, Mapping
from dataclasses import dataclass, replace
from typing import Any, NamedTuple
from zlib import crc32

import msgspec

from agent.audit import chain, frames
from agent.audit.frames import FrameType
from agent.errors import N_, UntrustedInputError

PATH = "/v1/sync"
MAX_BODY_BYTES = 1 << 20
MAX_SEALING_BYTES = 4096  # what sealing adds to a body
MAX_RECORDS = 2000
MAX_FRAMES = 4000  # records and seals
MAX_REPORT_BYTES = 16 << 10
MAX_REPLY_BYTES = 16 << 10
MAX_NEXT_S = 24 * 3600
MAX_SKEW_MS = (1 << 53) - 1

DEVICE_HEADER = "Serment-Device"
FROM_HEADER = "Serment-From"
SIZE_HEADER = "Serment-Size"
MISSING_HEADER = "Serment-Missing"
SENT_HEADER = "Serment-Sent"
LOG_HEADER = "Serment-Log"
REPORT_HEADER = "Serment-Report"

_DEVICE = re.compile(r"[a-z0-9][a-z0-9_-]{2,63}")
_LOG = re.compile(r"serment-log/[0-9a-f]{32}")
MAX_STATEMENT = 512  # bytes
_NUMBER = re.compile(r"[0-9]{1,16}")
_SENT_TAG, _SEAL_TAG = FrameType.SENT << 24, FrameType.CHECKPOINT << 24
_HASH_BYTES = len(chain.NO_PRIVATE)
MAX_ASKED = 16  # words


@dataclass(frozen=True, slots=True)
class Letterhead:
    """What the headers say: who, the index of the first record in the body, the size of the laptop's log (durable
    records), the first of the records before it that the laptop itself no longer has (None: none is lost), and the
    laptop's wall clock (microseconds since 1970 UTC; 0 unknown). ``log`` is the name of the log (checkpoint.origin; "":
    it has none, or no collector's signature is wanted). ``report``: so many bytes before the frames are a report.
    """

    device: str
    first: int
    size: int
    missing: int | None = None
    sent_us: int = 0
    log: str = ""
    report: int = 0


@dataclass(frozen=True, slots=True)
class Batch:
    """One request: the letterhead and ``count`` records as frames; ``items`` counts the seals too."""

    letterhead: Letterhead
    body: bytes
    count: int
    items: int = 0


class Reply(msgspec.Struct, frozen=True):
    """``size``: the collector holds the records 0 to size-1. ``next_s``: come back after so many seconds.

    ``why`` is empty for an acknowledgement; "gap", "rewritten", "fork" or "truncated" for a refusal.
    ``cosigned``: the collector's statement that it holds these records (checkpoint.pack_cosigned), b"" without.
    ``skew_ms``: the collector's clock minus ours. ``policy``: what there is of the policy, {}: nothing new. ``ask``:
    words.
    """

    size: int
    next_s: int = 0
    why: str = ""
    cosigned: bytes = b""
    skew_ms: int = 0
    policy: dict[str, Any] = {}
    ask: tuple[str, ...] = ()


class Leaf(NamedTuple):
    """One record as it was sent."""

    public: bytes
    private_hash: bytes


class SentSeal(NamedTuple):
    """A seal as it was sent: ``before`` records of the request lie before it."""

    before: int
    body: bytes


class Body(NamedTuple):
    """What a request holds: records, the seals between them, and a report (JSON; b"": none)."""

    leaves: list[Leaf]
    seals: list[SentSeal]
    report: bytes = b""


Item = tuple[bytes, bytes] | bytes
"""A record (public and private part), or the body of a seal, as they lie in the log."""


def valid_device(untrusted: str) -> bool:
    """Whether the text can be the pseudonym of a laptop."""
    return _DEVICE.fullmatch(untrusted) is not None


def valid_log(untrusted: str) -> bool:
    """Whether the text can be the name of a log (checkpoint.origin)."""
    return _LOG.fullmatch(untrusted) is not None


def build(letterhead: Letterhead, items: Iterable[Item], report: bytes = b"") -> Batch:
    """The request for ``items`` (records whose indices have no gap, and seals); as many of them as the limits allow."""
    pieces = [report]
    total, count, number = len(report), 0, 0
    for item in items:
        if isinstance(item, bytes):
            frame = frames.pack(FrameType.CHECKPOINT, item)
        else:
            frame = frames.pack_sent(item[0], chain.private_hash(item[1]))
            count += 1
        if count > MAX_RECORDS or number == MAX_FRAMES or total + len(frame) > MAX_BODY_BYTES:
            count -= not isinstance(item, bytes)
            break
        pieces.append(frame)
        total += len(frame)
        number += 1
    return Batch(replace(letterhead, report=len(report)), b"".join(pieces), count, number)


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
    if letterhead.report:
        made[REPORT_HEADER] = str(letterhead.report)
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
        _number(untrusted, SENT_HEADER, "0"), log, _number(untrusted, REPORT_HEADER, "0"),
    )  # fmt: skip
    if head.report > MAX_REPORT_BYTES:
        raise UntrustedInputError(N_("the header {header} is missing or wrong"), header=REPORT_HEADER)
    if missing is not None and missing >= head.first:
        raise UntrustedInputError(N_("the header {header} is missing or wrong"), header=MISSING_HEADER)
    return head


def _number(untrusted: Mapping[str, str], name: str, default: str = "") -> int:
    text = untrusted.get(name, default)
    if not _NUMBER.fullmatch(text):
        raise UntrustedInputError(N_("the header {header} is missing or wrong"), header=name)
    return int(text)


def parse_body(untrusted: bytes, report: int = 0) -> Body:
    """What a request's body holds: ``report`` bytes of report, then frames. Every byte is in one of them.

    Raises UntrustedInputError otherwise.
    """
    if len(untrusted) > MAX_BODY_BYTES:
        raise UntrustedInputError(N_("the request is larger than {limit} bytes"), limit=MAX_BODY_BYTES)
    if report > min(len(untrusted), MAX_REPORT_BYTES):
        raise UntrustedInputError(N_("the request is shorter than its report"))
    leaves: list[Leaf] = []
    seals: list[SentSeal] = []
    at, end, unpack = report, len(untrusted), frames.HEADER.unpack_from
    while at < end:  # in one pass: a collector does this for every record of its fleet
        begin = at + frames.HEADER_BYTES
        length, tag, checksum = unpack(untrusted, at) if begin <= end else (0, 0, 0)
        at = begin + length
        body = untrusted[begin:at]
        if at > end or crc32(body) != checksum:
            raise _no_frame()
        if tag == _SENT_TAG:
            split = 2 + int.from_bytes(body[:2], "big")
            if length != split + _HASH_BYTES:
                raise _no_frame()
            leaves.append(Leaf(body[2:split], body[split:]))
        elif tag == _SEAL_TAG:
            seals.append(SentSeal(len(leaves), body))
        else:
            raise _no_frame()
    if len(leaves) > MAX_RECORDS or len(leaves) + len(seals) > MAX_FRAMES:
        raise UntrustedInputError(N_("the request has more than {limit} records"), limit=MAX_RECORDS)
    return Body(leaves, seals, untrusted[:report])


def _no_frame() -> UntrustedInputError:
    return UntrustedInputError(N_("the request holds bytes that are no audit frame"))


def reply_bytes(reply: Reply) -> bytes:
    """An acknowledgement {"size", "next_s"} and what else there is to say, or a refusal {"have", "why"}; JSON."""
    if reply.why:
        return msgspec.json.encode({"have": reply.size, "why": reply.why})
    said: dict[str, Any] = {"size": reply.size, "next_s": reply.next_s}
    for name in ("cosigned", "skew_ms", "policy", "ask"):
        if value := getattr(reply, name):
            said[name] = value
    return msgspec.json.encode(said)


class _Answer(msgspec.Struct):
    size: int | None = None
    have: int | None = None
    next_s: int = 0
    why: str = ""
    cosigned: bytes = b""
    skew_ms: int = 0
    policy: dict[str, Any] = {}
    ask: list[str] = []


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
    if refused:
        return Reply(size, why=answer.why[:32] or "gap")
    cosigned = b"" if len(answer.cosigned) > MAX_STATEMENT else answer.cosigned
    asked = tuple(word[:32] for word in answer.ask[:MAX_ASKED])
    skew = answer.skew_ms if abs(answer.skew_ms) < 1 << 53 else 0
    return Reply(size, min(max(answer.next_s, 0), MAX_NEXT_S), "", cosigned, skew, answer.policy, asked)
