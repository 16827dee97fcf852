"""The wire, as pure bytes."""

from __future__ import annotations

import struct

import pytest
from hypothesis import given
from hypothesis import strategies as st

from agent.gates.airlock import protocol as wire


def _offer(minor: int, flags: int, *, short: bool = False) -> memoryview:
    body = struct.pack("=4I", 7, minor, 128 * 1024, flags & 0xFFFFFFFF)
    return memoryview(body if short else body + struct.pack("=12I", flags >> 32, *[0] * 11))


@pytest.mark.parametrize("minor", [31, 36, 38, 41, 45, 99])
def test_negotiation_takes_the_older_of_both_and_only_what_is_offered(minor: int) -> None:
    offered = wire.INIT_EXT | wire.PASSTHROUGH | wire.ATOMIC_O_TRUNC | 1 << 16 | 1 << 1
    reply, flags = wire.init_reply(wire.parse_init(_offer(minor, offered)), passthrough=True)
    assert len(reply) == 64
    assert struct.unpack_from("=2I", reply) == (7, min(minor, wire.MINOR))
    assert flags == wire.INIT_EXT | wire.PASSTHROUGH | wire.ATOMIC_O_TRUNC  # not WRITEBACK_CACHE, not POSIX_LOCKS
    assert struct.unpack_from("=I", reply, 12)[0] | struct.unpack_from("=I", reply, 32)[0] << 32 == flags


def test_a_kernel_without_the_second_half_of_flags() -> None:
    _, flags = wire.init_reply(wire.parse_init(_offer(31, 0xFFFFFFFF & ~wire.INIT_EXT, short=True)), passthrough=True)
    assert flags < 1 << 32


@pytest.mark.parametrize(("offered", "timeout"), [(wire.REQUEST_TIMEOUT, 7200), (0, 0)])
def test_the_kernels_patience_is_limited_where_it_can_be(offered: int, timeout: int) -> None:
    hello = wire.parse_init(_offer(45, wire.INIT_EXT | offered))
    reply, flags = wire.init_reply(hello, passthrough=False, timeout_s=7200)
    assert flags & wire.REQUEST_TIMEOUT == offered
    assert struct.unpack_from("=H", reply, 40) == (timeout,)


def test_passthrough_is_not_taken_when_it_is_not_wanted() -> None:
    reply, flags = wire.init_reply(wire.parse_init(_offer(45, wire.INIT_EXT | wire.PASSTHROUGH)), passthrough=False)
    assert not flags & wire.PASSTHROUGH
    assert struct.unpack_from("=I", reply, 36) == (0,)  # max_stack_depth


@pytest.mark.parametrize("body", [b"", b"x", b"a\0b", b"a\0b\0c", b"a\0b\0\0"])
def test_names_that_the_kernel_never_sends(body: bytes) -> None:
    with pytest.raises(ValueError):
        wire.two_names(memoryview(body))
    with pytest.raises(ValueError):
        wire.one_name(memoryview(body))


@given(st.binary(min_size=1, max_size=255).filter(lambda name: b"\0" not in name), st.integers(0, 2**63))
def test_a_directory_entry_is_padded_to_eight_bytes(name: bytes, inode: int) -> None:
    entry = wire.directory_entry(inode, 7, name, 8)
    assert len(entry) % 8 == 0
    assert struct.unpack_from("=QQII", entry) == (inode, 7, len(name), 8)
    assert entry[24 : 24 + len(name)] == name
    assert wire.one_name(memoryview(name + b"\0")) == name


@given(st.integers(-(2**40), 2**40))
def test_times_before_1970_keep_their_nanoseconds(time_ns: int) -> None:
    packed = wire.Attributes(1, 0o100644, 1, 2, 3, 4, 5, time_ns, time_ns, time_ns).pack()
    assert len(packed) == 88
    seconds = struct.unpack_from("=q", packed, 24)[0]
    nanoseconds = struct.unpack_from("=I", packed, 48)[0]
    assert seconds * 1_000_000_000 + nanoseconds == time_ns
