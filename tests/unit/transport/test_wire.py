import pytest
from hypothesis import given
from hypothesis import strategies as st

from agent.audit import chain, frames
from agent.errors import UntrustedInputError
from agent.transport import wire
from agent.transport.wire import Letterhead, Reply

GOOD = {"Serment-Device": "dev_0123456789abcdef", "Serment-From": "3", "Serment-Size": "9", "Serment-Sent": "17"}


def test_letterhead_round_trip():
    head = Letterhead("dev_1", 3, 9, 1, 17)
    assert wire.parse_headers(wire.headers(head)) == head
    assert wire.parse_headers(GOOD) == Letterhead("dev_0123456789abcdef", 3, 9, None, 17)


@pytest.mark.parametrize(
    ("name", "value"),
    [
        ("Serment-Device", ""),
        ("Serment-Device", "ab"),
        ("Serment-Device", "../../etc"),
        ("Serment-Device", "dev\n1"),
        ("Serment-Device", "d" * 65),
        ("Serment-Device", "Jean Dupont"),
        ("Serment-From", "-1"),
        ("Serment-From", "1e3"),
        ("Serment-From", "٣"),
        ("Serment-From", "9" * 17),
        ("Serment-Size", ""),
        ("Serment-Missing", "3"),
        ("Serment-Missing", "x"),
        ("Serment-Sent", " 1"),
    ],
)
def test_letterhead_refuses(name, value):
    with pytest.raises(UntrustedInputError):
        wire.parse_headers({**GOOD, name: value})


def test_the_private_part_stays_on_the_laptop():
    batch = wire.build(Letterhead("dev_1", 0, 1), [(b'{"a":1}', b"the name of a file")])
    assert b"the name of a file" not in batch.body
    (leaf,) = wire.parse_body(batch.body).leaves
    assert (leaf.public, leaf.private_hash) == (b'{"a":1}', chain.private_hash(b"the name of a file"))


def test_a_batch_keeps_to_the_limits():
    many = wire.build(Letterhead("dev_1", 0, 9), [(b"{}", b"")] * 5000)
    assert many.count == wire.MAX_RECORDS == len(wire.parse_body(many.body).leaves)
    large = wire.build(Letterhead("dev_1", 0, 9), [(b"x" * 4000, b"")] * 500)
    assert 0 < large.count < 500
    assert len(large.body) <= wire.MAX_BODY_BYTES
    assert len(wire.parse_body(large.body).leaves) == large.count


def test_body_refuses_what_is_over_or_is_no_sent_frame():
    one = frames.pack_sent(b"{}", chain.NO_PRIVATE)
    for body in (
        one * 2001,
        one + b"\x00",
        one[:-1],
        frames.pack_leaf(b"{}"),
        one + b"junk" + one,
        frames.pack(frames.FrameType.SENT, b"\x00\x02{}short"),
        bytes(wire.MAX_BODY_BYTES + 1),
    ):
        with pytest.raises(UntrustedInputError):
            wire.parse_body(body)


@given(st.binary(max_size=200))
def test_any_body_is_parsed_or_refused_in_one_way(data):
    try:
        wire.parse_body(data)
    except UntrustedInputError:
        pass


def test_reply_round_trip():
    assert wire.parse_reply(wire.reply_bytes(Reply(7, 300)), refused=False) == Reply(7, 300)
    assert wire.parse_reply(wire.reply_bytes(Reply(7, why="fork")), refused=True) == Reply(7, why="fork")
    assert wire.parse_reply(b'{"have":4}', refused=True) == Reply(4, why="gap")
    assert wire.parse_reply(b'{"size":4,"next_s":999999999,"new":[]}', refused=False).next_s == wire.MAX_NEXT_S


@pytest.mark.parametrize(
    "raw", [b"", b"{}", b'{"size":-1}', b'{"size":"1"}', b'{"size":1.5}', b'{"size":9007199254740993}', b"[" * 15000]
)
def test_reply_refuses(raw):
    with pytest.raises(UntrustedInputError):
        wire.parse_reply(raw, refused=False)
