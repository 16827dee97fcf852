"""A record as bytes: whatever the compiled walk writes, the reference writes too, to the byte; what it declines is the
reference's."""

from enum import StrEnum

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from agent.audit import packing, record
from agent.audit.names import CODE_OF, DIGESTS, NAMES
from agent.audit.record import Kind
from agent.errors import UntrustedInputError

compiled = pytest.mark.skipif(not packing.COMPILED, reason="nothing could be compiled here")
HEAD = (9, 1_795_289_704_000_000, 70_000, b"\x0b\xad\xca\xfe", b"\xab" * 8, bytes(range(16)))
USUAL = {
    "channel": "removable", "decision": "encrypt", "of": 7, "size": 184_213, "listed": True, "problem": None,
    "file": "aa" * 8, "volume": "bb" * 8, "root": "0f" * 32, "device": {"bus": "usb", "what": {"open": 3}},
    "what": ["pdf", 1 << 40, {"kind": "letter"}], "confidence": 250,
}  # fmt: skip
NUMBERS = (0, 127, 128, 255, 256, 65_535, 65_536, (1 << 32) - 1, 1 << 32, (1 << 53) - 1)
PLAIN = st.one_of(
    st.sampled_from([*NUMBERS, -1, 1 << 53, 1 << 64, "", "x" * 31, "x" * 32, "x" * 256, "é", "\ud800", 0.5, b"x"]),
    st.text(max_size=9), st.booleans(), st.none(), st.text("0123456789abcdefABg", min_size=7, max_size=66),
)  # fmt: skip
KEYS = st.one_of(st.sampled_from(sorted(NAMES)), st.sampled_from(["", "a", "k", "!", "zz", "é", "x" * 65]))
VALUES = st.recursive(
    PLAIN,
    lambda inner: st.one_of(
        st.lists(inner, max_size=17), st.dictionaries(KEYS, inner, max_size=17), st.tuples(inner, inner)
    ),
    max_leaves=20,
)


class Word(StrEnum):
    USB = "usb"


class Old(str):
    """A text that says something else of itself."""

    __slots__ = ()

    def __str__(self) -> str:
        return "of itself"


def written(writer, kind, fields):
    try:
        return writer(*HEAD, kind, fields)
    except UntrustedInputError as error:
        return str(error)


def agree(kind, fields):
    """``quick`` declines, or writes what the reference writes."""
    found = packing.quick(*HEAD, kind, fields)
    assert found is None or found == record.whole(*HEAD, kind, fields)
    return found


@compiled
@pytest.mark.parametrize(
    "fields",
    [USUAL, {}, {name: at for at, name in enumerate(NAMES) if name not in DIGESTS}, {name: "ab" * 4 for name in DIGESTS},
     {"what": list(range(15))}, {"what": list(range(16))}, {"what": []}, {"device": {}}, {"what": ("usb", Word.USB)},
     {"bus": Word.USB}, {"bus": Old("usb")}, {"vendor": "Ünïcode"}, {"vendor": "x" * 31}, {"vendor": "x" * 32},
     {"vendor": "x" * 255}, {"device": {"file": "aa" * 8}}, {"file": "AA" * 8}, {"file": "a" * 9}, {"file": "a" * 66},
     {"file": "aa" * 32}, {"file": "aa" * 3}, {"user": ""}, {"size": True}, {"what": [[1]]}],
)  # fmt: skip
def test_usual_fields_are_written_by_the_compiled_walk(fields):
    data = agree("transfer", fields)
    assert data is not None
    assert record.decode_raw(data).kind == "transfer"


@compiled
def test_numbers_of_every_width():
    for number in NUMBERS:
        assert agree("transfer", {"size": number, "what": [number]}) is not None
        head = (number, number, number, *HEAD[3:])
        assert packing.quick(*head, "start", {}) == record.whole(*head, "start", {})


@compiled
@pytest.mark.parametrize(
    "fields",
    [{"size": -1}, {"size": 1 << 53}, {"size": 1 << 70}, {"size": 0.5}, {"length": 3}, {"vendor": "\ud800"},
     {"vendor": "x" * 256}, {"vendor": "x" * 250, "product": "y" * 250}, {"what": [[[1]]]}, {"what": {"what": {"what": {}}}},
     {"k": 1}, {1: 1}, {"what": b"bytes"}, {"device": {"length": 1}}],
)  # fmt: skip
def test_anything_else_is_left_to_the_reference(fields):
    assert agree("transfer", fields) is None
    assert written(record_of, "transfer", fields) == written(record.whole, "transfer", fields)


def record_of(index, time_us, monotonic_ms, boot, link, nonce, kind, fields):
    return record.encode(index, time_us, monotonic_ms, boot.hex(), kind, link.hex(), fields, nonce)


@compiled
def test_every_size_up_to_the_end_of_the_buffer():
    """One byte more each time: written to the last byte that there is room for, and never beyond."""
    sizes = [agree("transfer", {"vendor": "x" * 200, "product": "y" * length}) for length in range(256)]
    lengths = [len(data) for data in sizes if data is not None]
    assert max(lengths) == 512
    assert [data is None for data in sizes] == sorted(data is None for data in sizes)


@compiled
@pytest.mark.parametrize(
    ("at", "value"), [(3, b"abc"), (4, b"abcdefghi"), (5, b""), (0, -1), (1, 1 << 53), (0, 1 << 64)]
)
def test_a_head_that_is_not_one_is_declined(at, value):
    head = [*HEAD]
    head[at] = value
    assert packing.quick(*head, "transfer", {}) is None


@compiled
def test_kinds():
    assert agree(Kind.TRANSFER, USUAL) == agree("transfer", USUAL)
    for kind in ("", "x" * 33, "x" * 32):
        assert (agree(kind, {}) is None) == (len(kind) != 32)
    assert packing.quick(*HEAD, 7, {}) is None
    assert packing.quick(*HEAD, "transfer", [("size", 1)]) is None


def test_codes_fit_the_walk():
    assert all(0x21 <= ord(code) < 0x80 for code in CODE_OF.values())


@compiled
@settings(max_examples=400, deadline=None)
@given(st.dictionaries(KEYS, VALUES, max_size=20))
def test_both_write_the_same(fields):
    agree("transfer", fields)
    assert written(record_of, "transfer", fields) == written(record.whole, "transfer", fields)
