import json

import pytest
from hypothesis import given
from hypothesis import strategies as st

from agent.audit import record
from agent.errors import UntrustedInputError
from agent.model import Decision


def encode(fields, index=0):
    return record.encode(index, 1, 2, "0badcafe", "transfer", "0" * 16, fields)


plain = st.none() | st.booleans() | st.integers(-record.MAX_INTEGER, record.MAX_INTEGER) | st.text(max_size=40)
keys = st.text(min_size=1, max_size=12).filter(lambda key: key not in record.RESERVED)
values = plain | st.lists(plain, max_size=4) | st.dictionaries(keys, plain, max_size=4)


@given(st.dictionaries(keys, values, max_size=8))
def test_bytes_are_those_of_the_standard_library_with_sorted_keys(fields):
    data = encode(fields)
    whole = {**fields, "i": 0, "t": 1, "m": 2, "b": "0badcafe", "k": "transfer", "p": "0" * 16}
    assert data == json.dumps(whole, sort_keys=True, separators=(",", ":"), ensure_ascii=False).encode()
    assert record.decode(data) == whole


@pytest.mark.parametrize(
    "value",
    [1.5, float("nan"), b"bytes", 1 << 53, -(1 << 53), object(), [[[1]]], {"a": {"b": {"c": 1}}}, "x" * 513, "\ud800"],
)
def test_refuses_what_a_record_may_not_hold(value):
    with pytest.raises(UntrustedInputError):
        encode({"a": value})


@pytest.mark.parametrize("key", ["", "k" * 65, *sorted(record.RESERVED)])
def test_refuses_keys(key):
    with pytest.raises(UntrustedInputError):
        encode({key: 1})


def test_refuses_a_record_that_is_too_large():
    encode({f"f{n}": "x" * 500 for n in range(7)})
    with pytest.raises(UntrustedInputError):
        encode({f"f{n}": "x" * 500 for n in range(9)})


def test_words_of_enumerations_are_text():
    assert record.decode(encode({"decision": Decision.BLOCK}))["decision"] == "block"


GOOD = encode({"a": 1, "z": "é"})


@pytest.mark.parametrize(
    "data",
    [
        b"",
        b"[]",
        b"{}",
        b"null",
        b"\xff",
        b"[" * 4000,
        GOOD + b" ",
        GOOD.replace(b'"a":1', b'"a": 1'),
        GOOD.replace(b'"a":1', b'"a":1,"a":1'),
        GOOD.replace(b'{"a":1,', b"{").replace(b"}", b',"a":1}'),
        GOOD.replace("é".encode(), b"\\u00e9"),
        GOOD.replace(b'"i":0', b'"i":-1'),
        GOOD.replace(b'"a":1', b'"a":1.5'),
        GOOD.replace(b'"a":1', b'"a":-0'),
        GOOD.replace(b'"a":1', b'"a":1e3'),
        GOOD.replace(b'"i":0', b'"i":true'),
        GOOD.replace(b'"i":0,', b""),
        GOOD.replace(b'"k":"transfer"', b'"k":3'),
        GOOD.replace(b'"z":"\xc3\xa9"', b'"z":"' + b"x" * 5000 + b'"'),
    ],
)
def test_decode_refuses_all_but_the_canonical_form(data):
    assert data != GOOD
    with pytest.raises(UntrustedInputError):
        record.decode(data)


@given(st.binary(max_size=200))
def test_any_bytes_are_decoded_or_refused_in_one_way(data):
    try:
        assert record._ENCODER.encode(record.decode(data)) == data
    except UntrustedInputError:
        pass
