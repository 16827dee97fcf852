"""The bytes of one audit record. Pure: values in, canonical JSON out, and back.

Owns the serialisation and its limits and nothing else: hashing is ``chain``'s, framing is ``frames``', the disk is
``log``'s. Two programs that are given the same record make the same bytes: keys sorted by code point, no blanks, UTF-8
without needless escapes, whole numbers only. docs/formats/audit-log.md, section 2.

A record never carries a file name or a piece of text from a document; whoever builds one puts in words of closed
vocabularies, numbers and keyed digests. The bounds here keep an accident small, they cannot replace that care.
"""

from __future__ import annotations

from collections.abc import Mapping
from enum import StrEnum
from typing import Annotated, Any

import msgspec

from agent.errors import N_, UntrustedInputError

MAX_RECORD_BYTES = 4096
MAX_KEY = 64  # characters
MAX_STRING = 512  # characters
MAX_INTEGER = (1 << 53) - 1  # beyond it JSON readers of other languages round

RESERVED = frozenset(("i", "t", "m", "b", "k", "p"))

_Key = Annotated[str, msgspec.Meta(min_length=1, max_length=MAX_KEY)]
_Plain = (
    Annotated[str, msgspec.Meta(max_length=MAX_STRING)]
    | Annotated[int, msgspec.Meta(ge=-MAX_INTEGER, le=MAX_INTEGER)]
    | bool
    | None
)
_Inner = _Plain | list[_Plain] | dict[_Key, _Plain]
_Outer = _Plain | list[_Inner] | dict[_Key, _Inner]


class _Box(msgspec.Struct):
    """What the fields may be: plain values, and lists and tables of them at most two deep. Checked in C, once a
    record; a box because the checker of a class is kept and that of a bare type is made anew each time.
    """

    fields: dict[_Key, _Outer]


_ENCODER = msgspec.json.Encoder(order="sorted")


def _no_float(text: str) -> Any:
    raise ValueError(text)


_DECODER = msgspec.json.Decoder(float_hook=_no_float)


class Kind(StrEnum):
    """What a record is about. Append only; readers keep records of kinds they do not know."""

    START = "start"
    STOP = "stop"
    TRANSFER = "transfer"
    OUTCOME = "outcome"
    POLICY = "policy"
    PLACE = "place"
    OVERFLOW = "overflow"
    TROUBLE = "trouble"
    RELEASE = "release"
    RESTORE = "restore"
    PATIENTS = "patients"


def encode(
    index: int, time_us: int, monotonic_ms: int, boot: str, kind: str, link: str, fields: Mapping[str, Any]
) -> bytes:
    """The canonical bytes of a record (section 2).

    ``time_us`` is microseconds since 1970 UTC, ``monotonic_ms`` milliseconds since boot, ``boot`` eight hexadecimal
    digits, ``link`` the first sixteen of the previous head. Raises UntrustedInputError: reserved or odd key, float,
    other type, too deep, too large.
    """
    try:
        table: dict[str, Any] = msgspec.convert({"fields": fields}, _Box).fields
    except msgspec.ValidationError as error:
        raise UntrustedInputError(N_("an audit record holds something that it may not: {what}"), what=error) from error
    if not RESERVED.isdisjoint(table):
        raise UntrustedInputError(N_("an audit record may not set the reserved keys {keys}"), keys="b i k m p t")
    table["i"] = index
    table["t"] = time_us
    table["m"] = monotonic_ms
    table["b"] = boot
    table["k"] = kind
    table["p"] = link
    try:
        data = _ENCODER.encode(table)
    except (UnicodeEncodeError, ValueError) as error:
        raise UntrustedInputError(N_("an audit record holds text that is not valid Unicode")) from error
    if len(data) > MAX_RECORD_BYTES:
        raise UntrustedInputError(N_("an audit record is larger than {limit} bytes"), limit=MAX_RECORD_BYTES)
    return data


def decode(untrusted: bytes) -> dict[str, Any]:
    """The record in canonical bytes ``untrusted``; the six reserved keys are there and of their types.

    Raises UntrustedInputError when it is too large, not JSON, not canonical (a key given twice, blanks, another
    order), or lacks a reserved key.
    """
    if len(untrusted) > MAX_RECORD_BYTES:
        raise UntrustedInputError(N_("an audit record is larger than {limit} bytes"), limit=MAX_RECORD_BYTES)
    try:
        table = _DECODER.decode(untrusted)
        canonical = _ENCODER.encode(table) == untrusted
    except (msgspec.MsgspecError, UnicodeDecodeError, RecursionError, ValueError) as error:
        raise UntrustedInputError(N_("an audit record is not valid JSON")) from error
    if not canonical or type(table) is not dict:
        raise UntrustedInputError(N_("an audit record is not in canonical form"))
    if not _has_reserved(table):
        raise UntrustedInputError(N_("an audit record lacks one of the keys {keys}"), keys="b i k m p t")
    return table


def _has_reserved(table: dict[str, Any]) -> bool:
    try:
        index, wall = table["i"], table["t"]
        return (
            type(index) is int and type(wall) is int and type(table["m"]) is int
            and 0 <= index <= MAX_INTEGER and 0 <= wall <= MAX_INTEGER
            and type(table["k"]) is str and type(table["p"]) is str and type(table["b"]) is str
        )  # fmt: skip
    except KeyError:
        return False
