import msgspec
import pytest
from hypothesis import given
from hypothesis import strategies as st

from agent.audit import record, shape
from agent.audit.names import NAME_OF, NAMES
from agent.errors import UntrustedInputError
from agent.model import Decision
from tests.unit.audit.independent import verifier


def encode(fields, index=0):
    return record.encode(index, 1, 2, "0badcafe", "transfer", "0" * 16, fields)


plain = st.none() | st.booleans() | st.integers(-record.MAX_INTEGER, record.MAX_INTEGER) | st.text(max_size=40)
keys = st.sampled_from(NAMES) | st.text(max_size=12).map(lambda text: "x" + text)
values = (
    plain
    | st.lists(plain | st.dictionaries(keys, plain, max_size=2), max_size=4)
    | st.dictionaries(keys, plain, max_size=4)
)


@given(st.dictionaries(keys, values, max_size=8))
def test_what_goes_in_comes_out_and_in_the_one_form(fields):
    data = encode(fields)
    whole = {**fields, "i": 0, "t": 1, "m": 2, "b": "0badcafe", "k": "transfer", "p": "0" * 16}
    assert record.decode(data) == whole
    assert encode(dict(reversed(fields.items()))) == data


def test_the_bytes_are_those_of_the_format():
    data = record.encode(
        7, 1, 2, "0badcafe", "stop", "0102030405060708", {"why": "é", "channel": "usb", "file": "0a0b0c0d"}, b"n" * 16
    )
    assert data == bytes.fromhex(
        "99 07 01 02 c404 0badcafe c408 0102030405060708 c410" + "6e" * 16 + "a4 73746f70"
        "82 a1 21 a3 757362 a3 776879 a2 c3a9 81 a1 3d c404 0a0b0c0d"
    )


@pytest.mark.parametrize(
    "value",
    [
        1.5,
        float("nan"),
        b"bytes",
        1 << 53,
        -(1 << 53),
        object(),
        [[[1]]],
        {"a": {"b": {"c": 1}}},
        "x" * 513,
        ["x" * 513],
        {"b": "x" * 513},
        {"b": ["x" * 513]},
        "\ud800",
    ],
)
def test_refuses_what_a_record_may_not_hold(value):
    with pytest.raises(UntrustedInputError):
        encode({"a": value})


@pytest.mark.parametrize("key", ["", "k" * 65, "A", "!", "Long", "_x", 5, *sorted(record.RESERVED)])
def test_refuses_keys(key):
    with pytest.raises(UntrustedInputError):
        encode({key: 1})


def test_refuses_a_record_that_is_too_large():
    encode({f"f{n}": "x" * 500 for n in range(7)})
    with pytest.raises(UntrustedInputError):
        encode({f"f{n}": "x" * 500 for n in range(9)})


def test_words_of_enumerations_are_text():
    assert record.decode(encode({"decision": Decision.BLOCK}))["decision"] == "block"


GOOD = encode({"a": 1, "z": "é", "channel": "usb"})
assert GOOD[-1:] == b"\x80"  # no digests
PLACE = GOOD.index(b"\x83")
FIELDS = b"\x83\xa1!\xa3usb\xa1a\x01\xa1z\xa2\xc3\xa9\x80"


@pytest.mark.parametrize(
    "data",
    [
        b"",
        b"\xff",
        b"\x98",
        b"\x91" * 4000,
        GOOD + b" ",
        GOOD[:-1],
        b"\x9a" + GOOD[1:] + b"\x00",
        GOOD[:1] + b"\xcc\x00" + GOOD[2:],  # the same number, longer
        GOOD[:1] + b"\xff" + GOOD[2:],  # -1
        GOOD.replace(b"\xc4\x04\x0b\xad\xca\xfe", b"\xc4\x03\x0b\xad\xca"),
        GOOD.replace(b"\xa8transfer", b"\xc4\x08transfer"),
        *(
            GOOD[:PLACE] + fields + b"\x80"
            for fields in (
                b"\x80\x00",
                b"\x83\xa1a\x01\xa1!\xa3usb\xa1z\xa2\xc3\xa9",  # another order
                b"\x84\xa1!\xa3usb\xa1a\x01\xa1a\x01\xa1z\xa2\xc3\xa9",  # twice
                b"\x81\xa7channel\xa3usb",  # written out
                b"\x81\xa1a\x81\xa7channel\xa3usb",
                b"\x81\xa1a\x91\x81\xa7channel\xa3usb",
                b"\x81\xa1A\x01" if "A" not in NAME_OF else b"\x81\xa1`\x01",  # a code that is none
                b"\x81\xa1i\x01",  # reserved
                b"\x81\xa1a\xcb\x3f\xf0\x00\x00\x00\x00\x00\x00",  # a fraction
                b"\x81\xa1a\xc4\x01x",  # bytes
                b"\x81\xa1a\xa1\xff",  # not UTF-8
                b"\x81\xa1a\xd9\x01x",  # longer than it need be
                b"\x81\xa1a\xcf\x00\x20\x00\x00\x00\x00\x00\x00",  # 2^53
                b"\x81\xa1a\x91\x91\x91\x01",
                b"\x81\xa1a\xd4\x01\x00",  # an extension
            )
        ),
        *(
            GOOD[:-1] + digests
            for digests in (
                b"\x81\xa1=\xc4\x03abc",  # too short
                b"\x81\xa1=\xa4abcd",  # text
                b"\x81\xa1!\xc4\x04abcd",  # no name of a digest
                b"\x81\xa4file\xc4\x04abcd",
            )
        ),
        encode({"file": "0" * 7 + "g"}).replace(b"g", b"0"),  # a digest as text
        b"{}",
        b'{"a":1}',
    ],
)
def test_decode_refuses_all_but_the_canonical_form(data):
    assert data != GOOD
    assert GOOD[PLACE:] == FIELDS
    with pytest.raises(UntrustedInputError):
        record.decode(data)


OLD = b'{"a":1,"b":"0badcafe","i":0,"k":"transfer","m":2,"p":"0000000000000000","t":1,"z":"\xc3\xa9"}'


@pytest.mark.parametrize(
    "data",
    [
        OLD + b" ",
        OLD.replace(b'"a":1', b'"a": 1'),
        OLD.replace(b'"a":1', b'"a":1,"a":1'),
        OLD.replace(b'{"a":1,', b"{").replace(b"}", b',"a":1}'),
        OLD.replace("é".encode(), b"\\u00e9"),
        OLD.replace(b'"i":0', b'"i":-1'),
        OLD.replace(b'"a":1', b'"a":1.5'),
        OLD.replace(b'"a":1', b'"a":-0'),
        OLD.replace(b'"i":0', b'"i":true'),
        OLD.replace(b'"i":0,', b""),
        OLD.replace(b'"k":"transfer"', b'"k":3'),
        b"{" * 4000,
    ],
)
def test_records_of_version_1_are_read_in_their_one_form(data):
    assert record.decode(OLD)["z"] == "é"
    assert data != OLD
    with pytest.raises(UntrustedInputError):
        record.decode(data)


@pytest.mark.parametrize(
    "value",
    [
        b"9007199254740992", b"9" * 400, b"[[[1]]]", b"[" * 979 + b"]" * 979, b'[{"b":[1]}]', b'"%s"' % (b"x" * 513),
        b'{"":1}',
    ],
)  # fmt: skip
def test_records_of_version_1_have_the_same_limits(value):
    data = OLD.replace(b'"a":1', b'"a":' + value)
    with pytest.raises(UntrustedInputError):
        record.decode(data)
    with pytest.raises(verifier.Malformed):
        verifier.read_record(data)


def test_records_of_version_1_may_hold_what_others_may():
    data = OLD.replace(b'"a":1', b'"a":[-9007199254740991,[1],{"b":null}]')
    assert record.decode(data) == verifier.read_record(data)
    assert record.decode(data)["a"] == [-9007199254740991, [1], {"b": None}]


@given(
    st.binary(max_size=200)
    | st.integers(0, len(GOOD) * 256 - 1).map(
        lambda change: GOOD[: change // 256] + bytes((change % 256,)) + GOOD[change // 256 + 1 :]
    )
)
def test_any_bytes_are_decoded_or_refused_in_one_way(data):
    try:
        table = record.decode(data)
        assert {"i", "t", "m", "b", "k", "p"} <= table.keys()
    except UntrustedInputError:
        pass


def repacked(data, change):
    """The record with its array changed, in the encoding that is canonical for what it then holds."""
    parts = msgspec.msgpack.decode(data)
    change(parts)
    return msgspec.msgpack.Encoder(order="sorted").encode(parts)


@pytest.mark.parametrize(
    "change",
    [
        lambda parts: parts[7].__setitem__("=", "deadbeefdeadbeef"),  # a digest among the fields
        lambda parts: parts[7].__setitem__("+", 1 << 53),  # a number that others round
        lambda parts: parts[7].__setitem__("+", -(1 << 63)),
        lambda parts: parts[7].__setitem__("+", 1.0),
        lambda parts: parts[7].__setitem__("?", {"@": 1 << 60}),
        lambda parts: parts[7].__setitem__("?", {"_": 1}),  # no name has this code
        lambda parts: parts[7].__setitem__("?", {"product": "x"}),  # a name that has a code
        lambda parts: parts[7].__setitem__("", 1),
        lambda parts: parts[7].__setitem__("a" * 65, 1),
        lambda parts: parts[7].__setitem__("i", 1),
        lambda parts: parts[7].__setitem__("x", {"y": {"z": {"w": 1}}}),
        lambda parts: parts[7].__setitem__("x", [1 << 60]),
        lambda parts: parts[8].__setitem__("!", b"12345678"),
    ],
)
def test_what_was_seen_of_other_records_lets_nothing_through(change):
    """Names and types of a record are remembered: one of the same shape with other values is looked at all the same."""
    fields = {"channel": "usb", "file": "not a digest", "patients": 3, "device": {"bus": "usb"}, "identified": True}
    good = record.encode(1, 2, 3, "0badcafe", "transfer", "0" * 16, fields)
    record.decode(good)
    other = record.encode(1, 2, 3, "0badcafe", "transfer", "0" * 16, {**fields, "file": "ab" * 8})
    record.decode(other)
    for _ in range(2):
        with pytest.raises(UntrustedInputError):
            record.decode(repacked(good, change))
    assert record.decode(good)["file"] == "not a digest"


def test_records_of_ever_new_shapes_do_not_fill_the_memory():
    for number in range(2000):
        data = record.encode(1, 2, 3, "0badcafe", "transfer", "0" * 16, {f"f{number}": {f"g{number}": number}})
        assert record.decode(data)[f"f{number}"] == {f"g{number}": number}
    assert len(shape._SHAPES) <= shape._MAX_SHAPES
    assert len(shape._INNER_SHAPES) <= shape._MAX_SHAPES


@pytest.mark.parametrize(
    "change",
    [
        lambda parts: parts.__setitem__(7, dict(reversed(parts[7].items()))),
        lambda parts: parts.__setitem__(8, dict(reversed(parts[8].items()))),
        lambda parts: parts[7].__setitem__("?", dict(reversed(parts[7]["?"].items()))),
    ],
)
def test_keys_in_another_order_are_refused(change):
    fields = {
        "channel": "usb",
        "patients": 3,
        "device": {"bus": "usb", "vendor": "x"},
        "file": "ab" * 8,
        "user": "cd" * 8,
    }
    good = record.encode(1, 2, 3, "0badcafe", "transfer", "0" * 16, fields)
    parts = msgspec.msgpack.decode(good)
    change(parts)
    other = msgspec.msgpack.Encoder().encode(parts)
    assert len(other) == len(good)
    assert other != good
    for _ in range(2):
        record.decode(good)
        with pytest.raises(UntrustedInputError):
            record.decode(other)
