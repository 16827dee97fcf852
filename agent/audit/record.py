"""The bytes of one audit record. Pure: values in, canonical bytes out, and back.

Owns the serialisation and its limits and nothing else: hashing is ``chain``'s and ``tree``'s, framing is ``frames``',
the disk is ``log``'s. Two programs that are given the same record make the same bytes. Version 2 is a MessagePack
array, with one character for each field name that is known (``names``); version 1, which is read and no longer
written, was a JSON object. docs/formats/audit-log.md, section 2.

A public part never carries a file name or a piece of text from a document; whoever builds one puts in words of closed
vocabularies, numbers and keyed digests. The bounds here keep an accident small, they cannot replace that care.
"""

from __future__ import annotations

from collections.abc import Iterable, Mapping
from enum import StrEnum
from typing import Annotated, Any

import msgspec

from agent.audit import packing
from agent.audit.names import CODE_OF, NAME_OF
from agent.audit.shape import DIGEST_CODES, MAX_INTEGER, MAX_KEY, RESERVED, are_apart, digest_of
from agent.errors import N_, UntrustedInputError

MAX_RECORD_BYTES = 4096
MAX_STRING = 512  # characters

_Key = Annotated[str, msgspec.Meta(min_length=1, max_length=MAX_KEY)]
_Plain = (
    Annotated[str, msgspec.Meta(max_length=MAX_STRING)]
    | Annotated[int, msgspec.Meta(ge=-MAX_INTEGER, le=MAX_INTEGER)]
    | bool
    | None
)
_Inner = _Plain | list[_Plain] | dict[_Key, _Plain]
_Outer = _Plain | list[_Inner] | dict[_Key, _Inner]


class Raw(msgspec.Struct, array_like=True, forbid_unknown_fields=True, gc=False):
    """A record of version 2 as it lies in the log; ``fields`` and ``digests`` under their codes. Decoding checks every
    limit that stands here.
    """

    number: Annotated[int, msgspec.Meta(ge=0, le=MAX_INTEGER)]
    time_us: Annotated[int, msgspec.Meta(ge=0, le=MAX_INTEGER)]
    monotonic_ms: Annotated[int, msgspec.Meta(ge=0, le=MAX_INTEGER)]
    boot: Annotated[bytes, msgspec.Meta(min_length=4, max_length=4)]
    link: Annotated[bytes, msgspec.Meta(min_length=8, max_length=8)]
    nonce: Annotated[bytes, msgspec.Meta(min_length=16, max_length=16)]
    kind: Annotated[str, msgspec.Meta(min_length=1, max_length=32)]
    fields: dict[_Key, _Outer]
    digests: dict[_Key, Annotated[bytes, msgspec.Meta(min_length=4, max_length=32)]]


_JSON_ENCODER = msgspec.json.Encoder(order="sorted")
_ENCODER = msgspec.msgpack.Encoder(order="sorted")
_AS_IT_STANDS = msgspec.msgpack.Encoder()  # keys in the order in which they were read; ``shape`` looks at that
_DECODER = msgspec.msgpack.Decoder(Raw)


_ShortPlain = str | int | bool | None
_ShortInner = _ShortPlain | list[_ShortPlain] | dict[str, _ShortPlain]


class _Short(Raw, array_like=True, forbid_unknown_fields=True, gc=False):
    """A record of MAX_STRING bytes at most: no text in it is too long, and its numbers are looked at afterwards, which
    is quicker than looking at every value.
    """

    fields: dict[str, _ShortPlain | list[_ShortInner] | dict[str, _ShortInner]]


_SHORT_DECODER = msgspec.msgpack.Decoder(_Short)


def _no_float(text: str) -> Any:
    raise ValueError(text)


_JSON_DECODER = msgspec.json.Decoder(dict[_Key, _Outer], float_hook=_no_float)
NO_NONCE = bytes(16)
_code_of = CODE_OF.get
_ITEM = "item"  # stands for the name that an item of a list has not


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
    KEYS = "keys"
    COALESCED = "coalesced"
    ERASURE = "erasure"
    PURGE = "purge"
    HOLD = "hold"
    DOSSIER = "dossier"
    VIEW = "view"
    REVIEW = "review"
    CONTEST = "contest"
    EMERGENCY = "emergency"


def encode(
    index: int,
    time_us: int,
    monotonic_ms: int,
    boot: str,
    kind: str,
    link: str,
    fields: Mapping[str, Any],
    nonce: bytes = NO_NONCE,
) -> bytes:
    """The canonical bytes of a record (section 2).

    ``time_us`` is microseconds since 1970 UTC, ``monotonic_ms`` milliseconds since boot, ``boot`` eight hexadecimal
    digits, ``link`` the first sixteen of the previous head, ``nonce`` sixteen bytes by which nobody guesses the record
    from its hash. Raises UntrustedInputError: reserved or odd key, float, other type, too deep, too large.
    """
    of_boot, of_link = bytes.fromhex(boot), bytes.fromhex(link)  # our own: hexadecimal digits
    usual = packing.quick(index, time_us, monotonic_ms, of_boot, of_link, nonce, kind, fields)
    return usual or whole(index, time_us, monotonic_ms, of_boot, of_link, nonce, kind, fields)


def whole(
    index: int,
    time_us: int,
    monotonic_ms: int,
    boot: bytes,
    link: bytes,
    nonce: bytes,
    kind: str,
    fields: Mapping[str, Any],
) -> bytes:
    """``encode`` for any record, its bytes given as bytes: the reference, and what says what is wrong."""
    coded = _coded(fields, 2)
    digests = _digests(coded)
    try:
        data = _ENCODER.encode((index, time_us, monotonic_ms, boot, link, nonce, str(kind), coded, digests))
    except (UnicodeEncodeError, ValueError) as error:
        raise UntrustedInputError(N_("an audit record holds text that is not valid Unicode")) from error
    if len(data) > MAX_RECORD_BYTES:
        raise UntrustedInputError(N_("an audit record is larger than {limit} bytes"), limit=MAX_RECORD_BYTES)
    if len(data) > MAX_STRING:
        _check_texts(coded.values())
    return data


def _check_texts(values: Iterable[Any]) -> None:
    for value in values:
        if isinstance(value, str) and len(value) > MAX_STRING:
            raise _unfit(f"a text of {len(value)} characters")
        if isinstance(value, list | dict):
            _check_texts(value.values() if isinstance(value, dict) else value)


def _coded(table: Mapping[str, Any], below: int) -> dict[str, Any]:
    """The fields under their codes, each within its limits; ``below`` is how many levels there may be under them."""
    coded: dict[str, Any] = {_code_of(name) or _plain(name): value for name, value in table.items()}
    for code, value in coded.items():
        kind = type(value)
        if kind is str:  # its length is looked at when the whole record is that long
            continue
        if kind is int:
            if not -MAX_INTEGER <= value <= MAX_INTEGER:
                raise _unfit("a number beyond 2^53")
        elif kind is not bool and value is not None:
            coded[code] = _inner(value, below)
    return coded


def _digests(coded: dict[str, Any]) -> dict[str, bytes]:
    """Takes the digests out of the coded fields, as bytes."""
    found = {}
    for code in DIGEST_CODES:
        if type(coded.get(code)) is str and type(data := digest_of(coded[code])) is bytes:
            found[code] = data
            del coded[code]
    return found


def _plain(name: Any) -> str:
    """A name that has no code. Raises UntrustedInputError: reserved, or where the codes are."""
    if type(name) is not str or not 0 < len(name) <= MAX_KEY or name < "a":
        raise UntrustedInputError(N_("the name of an audit field begins with a small letter"))
    if name in RESERVED:
        raise UntrustedInputError(N_("an audit record may not set the reserved keys {keys}"), keys="b i k m p t")
    return name


def _inner(value: Any, below: int) -> Any:
    if below and type(value) is dict:
        return _coded(value, below - 1)
    if isinstance(value, str):  # a word of an enumeration
        return next(iter(_coded({_ITEM: str(value)}, 0).values()))
    if below and isinstance(value, Mapping):
        return _coded(value, below - 1)
    if below and isinstance(value, list | tuple):
        return [next(iter(_coded({_ITEM: each}, below - 1).values())) for each in value]
    raise _unfit(type(value).__name__)


def _unfit(what: str) -> UntrustedInputError:
    return UntrustedInputError(N_("an audit record holds something that it may not: {what}"), what=what)


def _named(coded: dict[str, Any]) -> dict[str, Any]:
    named: dict[str, Any] = {}
    for code, value in coded.items():
        name = NAME_OF.get(code, code)
        if type(value) is list:
            value = [_named(each) if type(each) is dict else each for each in value]  # noqa: PLW2901 - in its place
        named[name] = _named(value) if type(value) is dict else value
    return named


def decode(untrusted: bytes) -> dict[str, Any]:
    """The record in canonical bytes ``untrusted``, of either version; the reserved keys are there and of their types.

    Raises UntrustedInputError when it is too large, not of the format, not canonical (a key given twice, another
    order, a longer form), or lacks something.
    """
    if untrusted[:1] == b"{":
        return _decode_old(untrusted)
    raw = decode_raw(untrusted)
    table = _named(raw.fields)
    table.update((NAME_OF[code], value.hex()) for code, value in raw.digests.items())
    table["i"], table["t"], table["m"], table["k"] = raw.number, raw.time_us, raw.monotonic_ms, raw.kind
    table["b"], table["p"] = raw.boot.hex(), raw.link.hex()
    return table


def decode_raw(untrusted: bytes) -> Raw:
    """A record of version 2 in canonical bytes, its fields still under their codes. Raises like ``decode``."""
    if len(untrusted) > MAX_RECORD_BYTES:
        raise UntrustedInputError(N_("an audit record is larger than {limit} bytes"), limit=MAX_RECORD_BYTES)
    try:
        found = (_SHORT_DECODER if len(untrusted) <= MAX_STRING else _DECODER).decode(untrusted)
        canonical = _AS_IT_STANDS.encode(found) == untrusted and are_apart(found.fields, found.digests)
    except (msgspec.MsgspecError, UnicodeError, RecursionError, ValueError) as error:
        raise UntrustedInputError(N_("an audit record is not of its form")) from error
    if not canonical:
        raise UntrustedInputError(N_("an audit record is not in canonical form"))
    return found


def _decode_old(untrusted: bytes) -> dict[str, Any]:
    if len(untrusted) > MAX_RECORD_BYTES:
        raise UntrustedInputError(N_("an audit record is larger than {limit} bytes"), limit=MAX_RECORD_BYTES)
    try:
        table = _JSON_DECODER.decode(untrusted)
        canonical = _JSON_ENCODER.encode(table) == untrusted
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
