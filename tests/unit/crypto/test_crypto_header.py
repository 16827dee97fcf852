"""The header of an age file, and keys as text: what the specification writes is read, and nothing else."""

from __future__ import annotations

import os
import tempfile
import time

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from agent.crypto import bech32, header
from agent.crypto.header import MAX_STANZAS, Stanza, build, parse
from agent.crypto.recipients import (
    FILE_KEY,
    KeyKind,
    kind_of,
    kind_of_identity,
    new_identity,
    one_kind,
    recipient_of,
    unwrap,
    wrap,
)
from agent.crypto.sealed import is_sealed, unseal
from agent.errors import SealError

KEY = bytes(range(FILE_KEY))
# Both pairs are examples of the specification (C2SP age.md).
X25519 = "AGE-SECRET-KEY-1GFPYYSJZGFPYYSJZGFPYYSJZGFPYYSJZGFPYYSJZGFPYYSJZGFPQ4EGAEX"
X25519_RECIPIENT = "age1zvkyg2lqzraa2lnjvqej32nkuu0ues2s82hzrye869xeexvn73equnujwj"
HYBRID = "AGE-SECRET-KEY-PQ-1XX76JRALNLXDMEW0CRK45QMCCH4X06SE84UN3VPM33W6HWDX0H3SK3ZQFR"
HYBRID_BEGINS = (
    "age1pq1x34nzsvr0rxjsgdn8zgyhfe8j7ceq5r9rdelkjuh3y235jzxshfg87pzf5zrqtzdxz95paef6caq5aapdmwjjqpjfdyxnzr2"
)


def test_the_keys_of_the_specification() -> None:
    assert recipient_of(X25519) == X25519_RECIPIENT
    assert recipient_of(HYBRID).startswith(HYBRID_BEGINS)
    assert (kind_of_identity(X25519), kind_of_identity(HYBRID)) == (KeyKind.X25519, KeyKind.HYBRID)
    assert len(recipient_of(HYBRID)) == 1959


@given(st.binary(max_size=300), st.sampled_from(["age", "age1pq", "age-secret-key-"]))
def test_bech32_both_ways(data: bytes, prefix: str) -> None:
    assert bech32.decode(bech32.encode(prefix, data)) == (prefix, data)
    assert bech32.decode(bech32.encode(prefix, data).upper()) == (prefix, data)


@pytest.mark.parametrize("text", [X25519_RECIPIENT, X25519, HYBRID])
def test_one_wrong_character_is_no_key(text: str) -> None:
    for place in range(len(text)):
        for other in ("q" if text.islower() else "Q", "1", "b", "é", " "):
            changed = text[:place] + other + text[place + 1 :]
            if changed != text:
                with pytest.raises((SealError, ValueError)):
                    kind_of(changed) if text.islower() else kind_of_identity(changed)


@pytest.mark.parametrize(
    "text", ["", "age1", "age1" * 3000, X25519_RECIPIENT.upper(), X25519_RECIPIENT.title(), X25519, "ssh-ed25519 AAAA"]
)
def test_no_recipient(text: str) -> None:
    with pytest.raises(SealError, match="not an age recipient"):
        kind_of(text)


@pytest.mark.parametrize("kind", KeyKind)
def test_wrapped_for_one_and_not_for_another(kind: KeyKind) -> None:
    mine, other = new_identity(kind), new_identity(kind)
    read = parse(build([wrap(KEY, recipient_of(other)), wrap(KEY, recipient_of(mine))], KEY) + b"payload")
    assert unwrap(read, [mine]) == KEY == unwrap(read, [other])
    with pytest.raises(SealError, match="somebody else"):
        unwrap(read, [new_identity(each) for each in KeyKind])
    with pytest.raises(SealError, match="damaged"):
        read.prove(bytes(FILE_KEY))


def test_kinds_are_never_mixed() -> None:
    both = [recipient_of(new_identity(kind)) for kind in KeyKind]
    with pytest.raises(SealError, match="must not mix"):
        one_kind(both)
    with pytest.raises(SealError):
        one_kind([])
    assert one_kind(both[:1]) is KeyKind.X25519


@given(
    st.lists(
        st.tuples(
            st.lists(st.text("abcXYZ019-+/", min_size=1, max_size=20), min_size=1, max_size=3), st.binary(max_size=200)
        ),
        min_size=1,
        max_size=10,
    ),
    st.binary(max_size=100),
)
def test_a_header_both_ways(stanzas: list[tuple[list[str], bytes]], payload: bytes) -> None:
    made = [Stanza(tuple(word.encode() for word in args), body) for args, body in stanzas]
    head = build(made, KEY)
    read = parse(head + payload)
    assert (read.stanzas, read.size) == (tuple(made), len(head))
    read.prove(KEY)


@settings(max_examples=300)
@given(st.data())
def test_any_changed_byte_of_a_header_is_noticed(data: st.DataObject) -> None:
    head = build([wrap(KEY, X25519_RECIPIENT), Stanza((b"grease", b"x"), bytes(48))], KEY)
    place = data.draw(st.integers(0, len(head) - 1))
    changed = bytearray(head)
    changed[place] ^= data.draw(st.integers(1, 255))
    with pytest.raises(SealError):
        unwrap(parse(bytes(changed)), [X25519])


def test_base64_in_another_form_is_refused() -> None:
    head = build([wrap(KEY, X25519_RECIPIENT)], KEY)
    line = head.split(b"\n")[2]
    for other in (line + b"=", line[:-1] + b"B", line[:20] + b" " + line[20:], line[:20] + b"\n" + line[20:]):
        with pytest.raises(SealError):
            unwrap(parse(head.replace(line, other)), [X25519])


def sealed_file(content: bytes) -> int:
    with tempfile.TemporaryFile() as file:
        file.write(content)
        file.flush()
        return os.dup(file.fileno())


@pytest.mark.parametrize("count", [MAX_STANZAS + 1, 10_000])
def test_thousands_of_recipients_are_refused_at_once(count: int) -> None:
    stanza = wrap(KEY, X25519_RECIPIENT)
    fd = sealed_file(build([stanza] * count, KEY) + bytes(64))
    try:
        begun = time.process_time()
        assert not is_sealed(fd)
        with pytest.raises(SealError, match="more recipients"):
            unseal(fd, [X25519])
        assert time.process_time() - begun < 1.0
    finally:
        os.close(fd)


@pytest.mark.parametrize("kind", KeyKind)
def test_as_many_recipients_as_are_read_take_bounded_work(kind: KeyKind) -> None:
    stanza = wrap(KEY, recipient_of(new_identity(kind)))
    read = parse(build([stanza] * MAX_STANZAS, KEY))
    begun = time.process_time()
    with pytest.raises(SealError, match="somebody else"):
        unwrap(read, [new_identity(kind) for _ in range(3)])
    assert time.process_time() - begun < 5.0


@pytest.mark.parametrize(
    ("args", "body"),
    [
        ((b"X25519",), bytes(32)),
        ((b"X25519", b"AA", b"BB"), bytes(32)),
        ((b"X25519", header.encode64(bytes(31))), bytes(32)),
        ((b"X25519", header.encode64(bytes(32))), bytes(32)),  # a shared secret of zeros
        ((b"X25519", header.encode64(b"\x09" + bytes(31))), bytes(33)),  # a partitioning oracle
        ((b"mlkem768x25519", header.encode64(bytes(1119))), bytes(32)),
        ((b"mlkem768x25519", header.encode64(bytes(1120))), bytes(31)),
    ],
)
def test_a_stanza_that_breaks_the_rules_of_its_kind(args: tuple[bytes, ...], body: bytes) -> None:
    identity = X25519 if args[0] == b"X25519" else HYBRID
    with pytest.raises(SealError, match="damaged"):
        unwrap(parse(build([Stanza(args, body)], KEY)), [identity])


def test_unknown_stanzas_are_passed_over_and_a_phrase_is_said() -> None:
    grease = Stanza((b"example.com/x", b"y"), b"")
    assert unwrap(parse(build([grease, wrap(KEY, X25519_RECIPIENT)], KEY)), [X25519]) == KEY
    with pytest.raises(SealError, match="phrase"):
        unwrap(parse(build([Stanza((b"scrypt", b"AAAAAAAAAAAAAAAAAAAAAA", b"18"), bytes(32))], KEY)), [X25519])
