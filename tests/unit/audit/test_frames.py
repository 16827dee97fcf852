import time
from zlib import crc32

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from agent.audit import chain, checksums, frames
from agent.audit.checksums import Checksums
from agent.audit.frames import Damage, Frame, FrameType, Torn
from agent.audit.segments import segment_items, segment_path
from agent.errors import UntrustedInputError

BODIES = [b"\x00\x05hello", b"\x00\x01x" + b"\x00" * 40, b"\x00\x00", b"\x01\x00" + b"y" * 256]


def stream(bodies=BODIES):
    return b"".join(frames.pack(FrameType.LEAF, body) for body in bodies)


def whole(items):
    return [item.body for item in items if isinstance(item, Frame) and item.kind == FrameType.LEAF]


def test_the_bytes_are_those_of_the_format():
    assert frames.pack_leaf(b"{}", b"p") == bytes.fromhex("00000005 01000000") + (
        __import__("zlib").crc32(b"\x00\x02{}p").to_bytes(4, "big") + b"\x00\x02{}p"
    )


def test_round_trip():
    items, used = frames.split(stream())
    assert whole(items) == BODIES
    assert used == len(stream())
    assert frames.unpack_leaf(BODIES[1]) == (b"x", b"\x00" * 40)


def test_what_goes_to_the_collector_is_the_hash_of_the_private_part():
    sent = frames.pack_sent(b"{}", chain.private_hash(b"name of a file"))
    (frame,), _ = frames.split(sent)
    assert frame.kind == FrameType.SENT
    assert frames.unpack_sent(frame.body) == (b"{}", chain.private_hash(b"name of a file"))
    assert b"name of a file" not in sent
    with pytest.raises(UntrustedInputError):
        frames.unpack_sent(frame.body[:-1])


@given(st.integers(0, 10_000), st.integers(1, 255))
@settings(max_examples=300)
def test_one_changed_byte_hides_one_frame_and_no_other(position, change):
    data = bytearray(stream())
    position %= len(data)
    data[position] ^= change
    items, used = frames.split(bytes(data))
    assert used == len(data)
    found = whole(items)
    assert len(found) == len(BODIES) - 1
    assert all(body in BODIES for body in found)
    assert len(items) == len(BODIES)


@given(st.integers(0, 10_000))
def test_a_cut_is_torn_at_the_end_and_only_there(cut):
    data = stream()[: cut % len(stream())]
    items, _ = frames.split(data)
    found = whole(items)
    assert found == BODIES[: len(found)]
    assert not any(isinstance(item, Damage) for item in items)
    assert sum(len(frames.pack(FrameType.LEAF, body)) for body in found) + sum(
        item.length for item in items if isinstance(item, Torn)
    ) == len(data)


@given(st.binary(max_size=300))
def test_every_byte_of_anything_is_accounted_for(data):
    items, used = frames.split(data)
    assert used == len(data)
    at = 0
    for item in items:
        assert item.offset == at
        at += frames.HEADER_BYTES + len(item.body) if isinstance(item, Frame) else item.length
    assert at == len(data)


@given(st.integers(1, 40))
def test_pieces_give_the_same_as_the_whole(step):
    data = bytearray(stream() * 2)
    data[30] ^= 1
    expected, _ = frames.split(bytes(data))
    items, rest, base, at = [], b"", 0, 0
    while at < len(data):
        rest += bytes(data[at : at + step])
        at += step
        got, used = frames.split(rest, base, final=at >= len(data))
        items += got
        base += used
        rest = rest[used:]
    assert items == expected


def test_zeros_of_a_crashed_file_system_are_a_torn_end():
    items, _ = frames.split(stream() + bytes(4096))
    assert whole(items) == BODIES
    assert items[-1] == Torn(len(stream()), 4096)


def test_megabytes_of_zeros_hold_nobody_up():
    frame = frames.pack_leaf(b"x")
    begin = time.process_time()
    items, _ = frames.split(bytes(8 << 20) + frame)
    assert items == [frames.Damage(0, 8 << 20), frames.Frame(1, frame[frames.HEADER_BYTES :], 8 << 20)]
    assert time.process_time() - begin < 2.0


@pytest.fixture
def summed(monkeypatch):
    """How many bytes have gone through CRC-32."""
    total = [0]

    def counted(data, begin=0):
        total[0] += len(data)
        return crc32(data, begin)

    for module in (frames, checksums):
        monkeypatch.setattr(module, "crc32", counted, raising=False)
    checksums._table.cache_clear()
    return total


@pytest.mark.parametrize("good", [b"", frames.pack(FrameType.LEAF, b"ok")])
def test_forged_headers_hold_nobody_up(good, summed):
    """Each of them says that 100 KB follow: whoever believed it read gigabytes."""
    times = 20_000
    forged = frames.HEADER.pack(100_000, FrameType.LEAF << 24, 1)
    data = (good + forged) * times + stream()
    items, used = frames.split(data)
    assert used == len(data)
    assert whole(items) == [b"ok"] * times * bool(good) + BODIES
    assert summed[0] < 200 << 20


def test_a_damaged_segment_is_looked_at_twice_at_most(tmp_path, monkeypatch):
    """It is read in pieces; what no whole frame follows yet is looked at again with the next piece."""
    split, looked = frames.split, []
    monkeypatch.setattr(
        frames, "split", lambda data, *more, **final: looked.append(len(data)) or split(data, *more, **final)
    )
    segment_path(tmp_path, 0).write_bytes(stream() + bytes(6 << 20) + stream())
    assert whole(segment_items(tmp_path, 0)) == BODIES * 2
    assert sum(looked) < 3 * (6 << 20)


@given(st.binary(max_size=4000), st.integers(0, 1 << 17), st.integers(0, 4000), st.integers(0, 1 << 17))
def test_the_checksum_of_a_piece_is_that_of_its_bytes(few, many, start, length):
    data = few + bytes(many) + few
    stop = min(start + length, len(data))
    assert Checksums(data).of(min(start, stop), stop) == crc32(data[start:stop])


def test_a_length_beyond_the_limit_is_not_believed():
    items, _ = frames.split(b"\xff\xff\xff\xff\x01\x00\x00\x00\x00\x00\x00\x00" + stream())
    assert items[0] == Damage(0, 12)
    assert whole(items) == BODIES
