"""One look at a record: the same records are accepted, with the same values, by the compiled walk and by the reference."""

import msgspec
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from agent.audit import glance as module
from agent.audit import record
from agent.audit.glance import COMPILED, glance, plain, quick
from agent.audit.names import NAME_OF, NAMES
from agent.errors import UntrustedInputError

pytestmark = pytest.mark.filterwarnings("error")
compiled = pytest.mark.skipif(not COMPILED, reason="nothing could be compiled here")
FIELDS = {
    "channel": "removable", "decision": "encrypt", "of": 7, "size": 184_213, "listed": True, "problem": None,
    "file": "aa" * 8, "volume": "bb" * 8, "device": {"bus": "usb", "vendor_id": "0951", "what": {"open": 3}},
    "what": ["pdf", 1 << 40, {"kind": "letter"}], "confidence": 250,
}  # fmt: skip
ENCODE = msgspec.msgpack.Encoder(order="sorted").encode
NUMBERS = st.sampled_from(
    [0, 1, 127, 128, 255, 256, 65_535, 65_536, (1 << 32) - 1, 1 << 32, (1 << 53) - 1, 1 << 53, (1 << 64) - 1, -1, -33]
)
TEXTS = st.one_of(
    st.sampled_from(["", "usb", "aabbccdd", "é", "x" * 31, "x" * 32, "x" * 255, "x" * 256]), st.text(max_size=9)
)
PLAIN = st.one_of(NUMBERS, TEXTS, st.booleans(), st.none(), st.floats(allow_nan=False), st.binary(max_size=9))
KEYS = st.one_of(st.sampled_from(sorted(NAME_OF)), st.sampled_from(["", "a", "ab", "k", "zz", "\x7f", "\x80", "é"]))
VALUES = st.recursive(
    PLAIN,
    lambda inner: st.one_of(st.lists(inner, max_size=17), st.dictionaries(KEYS, inner, max_size=17)),
    max_leaves=20,
)


def made(fields=FIELDS, **changes):
    values = {"index": 9, "time_us": 1_795_289_704_000_000, "monotonic_ms": 70_000, "boot": "0badcafe",
              "kind": "transfer", "link": "ab" * 8, "nonce": bytes(range(16))} | changes  # fmt: skip
    return record.encode(values["index"], values["time_us"], values["monotonic_ms"], values["boot"], values["kind"],
                         values["link"], fields, values["nonce"])  # fmt: skip


def by(judge, data):
    try:
        return judge(data)
    except UntrustedInputError as error:
        return str(error)


def agree(data):
    """``quick`` declines, or says what the reference says."""
    found = quick(data)
    assert found is None or found == plain.whole(data)
    assert by(glance, data) == by(plain.whole, data)
    return found


def test_the_values_of_a_record():
    expected = (9, 1_795_289_704_000_000, "transfer", "removable", "encrypt", 7, bytes.fromhex("ab" * 8))
    assert glance(made()) == plain.whole(made()) == expected
    assert glance(made({"channel": 3, "decision": ["a"], "of": True})) == (*expected[:3], "", "", None, expected[6])


@compiled
def test_usual_records_are_judged_by_the_compiled_walk():
    assert quick(made()) == plain.whole(made())
    for number in (0, 127, 128, 255, 256, 65_535, 65_536, (1 << 32) - 1, 1 << 32, (1 << 53) - 1):
        assert quick(made(index=number)) == plain.whole(made(index=number))
    many = {
        name: at for at, name in enumerate(NAMES) if name not in {"file", "volume", "serial", "user", "root", "head"}
    }
    assert quick(made(many)) == plain.whole(made(many))  # more than fifteen fields


@compiled
@pytest.mark.parametrize(
    "fields",
    [{"channel": "é"}, {"size": -1}, {"length": 3}, {"file": "no digest"}, {"problem": "x" * 300, "what": "y" * 300},
     {"device": {"what": {"x": 1}}}],
)  # fmt: skip
def test_what_is_unusual_is_left_to_the_reference(fields):
    assert quick(made(fields)) is None
    assert glance(made(fields)) == plain.whole(made(fields))


HEAD = [9, 1_795_289_704_000_000, 70_000, bytes(4), bytes(8), bytes(16), "transfer"]
WRONG = {
    "a digest among the fields": [*HEAD, {"=": "aabbccdd"}, {}],
    "another name among the digests": [*HEAD, {}, {"!": bytes(4)}],
    "a digest that is too short": [*HEAD, {}, {"=": bytes(3)}],
    "a digest that is too long": [*HEAD, {}, {"=": bytes(33)}],
    "a name that is written out": [*HEAD, {"channel": "usb"}, {}],
    "a reserved name": [*HEAD, {"k": 1}, {}],
    "a number beyond 2^53": [*HEAD, {"1": 1 << 53}, {}],
    "a number beyond 2^53 in a map": [*HEAD, {"?": {"1": 1 << 53}}, {}],
    "a number beyond 2^53 in a list": [*HEAD, {"?": [1 << 53]}, {}],
    "a float": [*HEAD, {"1": 1.0}, {}],
    "bytes": [*HEAD, {"1": b"x"}, {}],
    "too deep": [*HEAD, {"?": {"1": {"1": {"1": 1}}}}, {}],
    "lists too deep": [*HEAD, {"?": [[[1]]]}, {}],
    "no kind": [*HEAD[:6], "", {}, {}],
    "a kind that is too long": [*HEAD[:6], "x" * 33, {}, {}],
    "one more": [*HEAD, {}, {}, 1],
    "one less": [*HEAD, {}],
    "a link of seven bytes": [*HEAD[:4], bytes(7), *HEAD[5:], {}, {}],
}


@pytest.mark.parametrize("name", WRONG)
def test_what_breaks_the_format_is_refused(name):
    data = ENCODE(WRONG[name])
    assert quick(data) is None
    with pytest.raises(UntrustedInputError):
        glance(data)


LONGER = {
    "number": (b"\x99\x09", b"\x99\xcc\x09"), "two bytes": (b"\x99\x09", b"\x99\xcd\x00\x09"),
    "four bytes": (b"\x99\x09", b"\x99\xce\x00\x00\x00\x09"), "array": (b"\x99\x09", b"\xdc\x00\x09\x09"),
    "text": (b"\xa8transfer", b"\xd9\x08transfer"), "long text": (b"\xa8transfer", b"\xda\x00\x08transfer"),
    "map": (b"\x81\xa1!\xa3usb", b"\xde\x00\x01\xa1!\xa3usb"), "bytes": (b"\xc4\x04\x0b", b"\xc5\x00\x04\x0b"),
    "key": (b"\xa1!\xa3usb", b"\xd9\x01!\xa3usb"), "twice": (b"\x81\xa1!\xa3usb", b"\x82\xa1!\xa3usb\xa1!\xa3usb"),
    "order": (b"\x81\xa1!\xa3usb", b"\x82\xa1\"\xa3usb\xa1!\xa3usb"), "behind": (b"usb\x80", b"usb\x80\x00"),
}  # fmt: skip


@pytest.mark.parametrize("name", LONGER)
def test_another_form_of_the_same_is_refused(name):
    data = made({"channel": "usb"})
    before, after = LONGER[name]
    assert data.count(before) == 1
    assert glance(data)[3] == "usb"
    data = data.replace(before, after)
    assert quick(data) is None
    with pytest.raises(UntrustedInputError):
        glance(data)


def test_every_beginning_and_every_changed_byte_of_a_record_is_judged_alike():
    data = made()
    for at in range(len(data)):
        assert agree(data[:at]) is None
        for value in {0, 1, data[at] ^ 1, data[at] ^ 0x80, 0xC4, 0xCF, 0xD9, 0xDE, 0xFF}:
            agree(data[:at] + bytes((value,)) + data[at + 1 :])


@settings(max_examples=400, deadline=None)
@given(st.dictionaries(KEYS, VALUES, max_size=18), st.dictionaries(KEYS, PLAIN, max_size=4), NUMBERS)
def test_any_fields_are_judged_alike(fields, digests, number):
    try:
        agree(ENCODE([number, *HEAD[1:], fields, digests]))
    except (OverflowError, UnicodeEncodeError):  # not to be written down at all
        pass


@settings(max_examples=300, deadline=None)
@given(st.data())
def test_damaged_records_are_judged_alike(data):
    base = bytearray(made())
    for _ in range(data.draw(st.integers(1, 4))):
        at = data.draw(st.integers(0, len(base) - 1))
        base[at : at + data.draw(st.integers(0, 3))] = data.draw(st.binary(max_size=4))
        if not base:
            break
    agree(bytes(base))


def test_without_the_compiled_walk_the_reference_judges(monkeypatch):
    monkeypatch.setattr(module, "quick", lambda _: None)
    assert glance(made()) == plain.whole(made())
