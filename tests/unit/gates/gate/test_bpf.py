"""What is read of the kernel's types, and the program that is made of it; the program at work is in tests/system."""

from __future__ import annotations

import struct
from pathlib import Path

import pytest
from hypothesis import given
from hypothesis import strategies as st

from agent.gates.gate.bpf_program import HOOK, MEMBERS, MOST_LEVELS, text
from agent.gates.gate.bpf_types import Types

KERNEL = Path("/sys/kernel/btf/vmlinux")


def types_of(members: dict[tuple[bytes, bytes], int], functions: list[bytes], *, filling: int = 0) -> bytes:
    """A description of structs with one member each, and of functions, as a kernel has it."""
    names, body = b"\0", b""

    def name(word: bytes) -> int:
        nonlocal names
        if (at := names.find(b"\0" + word + b"\0")) < 0:
            at = len(names) - 1
            names += word + b"\0"
        return at + 1

    for number in range(filling):  # kinds of other lengths before: an int, an array, an enum of two, a prototype
        kind, more = ((1, 4), (3, 12), (6, 16), (13, 16))[number % 4]
        body += struct.pack("<III", 0, kind << 24 | (2 if kind in {6, 13} else 0), 4) + bytes(more)
    by_struct: dict[bytes, list[tuple[bytes, int]]] = {}
    for (struct_name, member), offset in members.items():
        by_struct.setdefault(struct_name, []).append((member, offset))
    for struct_name, found in by_struct.items():
        body += struct.pack("<III", name(struct_name), 4 << 24 | len(found), 8)
        body += b"".join(struct.pack("<III", name(member), 1, offset * 8) for member, offset in found)
    for function in functions:
        body += struct.pack("<III", name(function), 12 << 24 | 1, 1)
    return struct.pack("<HBBIIIII", 0xEB9F, 1, 0, 24, 0, len(body), len(body), len(names)) + body + names


OFFSETS = dict(zip(MEMBERS, (48, 24, 2), strict=True))


@pytest.mark.parametrize("filling", [0, 1, 2, 3, 9])
def test_offsets_and_numbers_are_found(filling: int) -> None:
    types = Types(types_of(OFFSETS, [b"other", HOOK], filling=filling), MEMBERS, (HOOK,))
    assert types.offsets == OFFSETS
    assert types.functions == {HOOK: filling + 2 + 2}


@pytest.mark.skipif(not KERNEL.exists(), reason="this kernel does not describe its types")
def test_this_kernel_has_them() -> None:
    types = Types(KERNEL.read_bytes(), MEMBERS, (HOOK,))
    assert len(set(types.offsets.values())) == 3
    assert types.functions[HOOK] > 1000


def test_what_is_missing_is_said() -> None:
    whole = types_of(OFFSETS, [HOOK])
    for members, functions in (((*MEMBERS, (b"inode", b"i_none")), (HOOK,)), (MEMBERS, (HOOK, b"nobody"))):
        with pytest.raises(ValueError):
            Types(whole, members, functions)
    with pytest.raises(ValueError):
        Types(types_of({MEMBERS[0]: 1}, [HOOK]), MEMBERS, (HOOK,))
    with pytest.raises(ValueError):
        Types(types_of(OFFSETS, [b"other"]), MEMBERS, (HOOK,))


@given(st.integers(0, 300), st.binary(max_size=8), st.integers(0, 300))
def test_damaged_ones_are_refused_or_read(at: int, junk: bytes, end: int) -> None:
    raw = bytearray(types_of(OFFSETS, [HOOK], filling=3))
    raw[at : at + len(junk)] = junk
    try:
        Types(bytes(raw[: max(end, at)]), MEMBERS, (HOOK,))
    except ValueError:
        return


def test_the_program_is_whole_words_and_goes_nowhere_else() -> None:
    code = text(Types(types_of(OFFSETS, [HOOK]), MEMBERS, (HOOK,)), 77)
    words = [struct.unpack_from("<BBhi", code, at) for at in range(0, len(code), 8)]
    assert len(code) % 8 == 0
    for at, (operation, _, offset, number) in enumerate(words):
        if operation & 7 == 5 and operation not in {0x85, 0x95}:
            assert 0 <= at + 1 + offset < len(words)
        if operation == 0x18:
            assert number == 77
    assert [word for word in words if word[0] == 0xA5 and word[3] == MOST_LEVELS]
    assert [number for operation, _, _, number in words if operation == 0xB7 and number] == [-18]
