"""Where the running kernel keeps what: offsets and numbers out of its own description (BTF, /sys/kernel/btf/vmlinux).

Takes its bytes, returns numbers; pure. They are the kernel's, and yet every step is bounded and what does not fit is a
ValueError.
"""

from __future__ import annotations

import struct
from collections.abc import Iterable

_HEAD, _TYPE, _MEMBER = struct.Struct("<HBBIIIII"), struct.Struct("<III"), struct.Struct("<III")
_MAGIC, _STRUCT, _FUNCTION = 0xEB9F, 4, 12
_MORE = {1: 4, 3: 12, 14: 4, 17: 4}  # bytes after the head of a kind
_EACH = {4: 12, 5: 12, 6: 8, 13: 8, 15: 12, 19: 12}  # bytes of each of its members
_KINDS = 19


class Types:
    """``offsets``: (struct, member) → bytes; ``functions``: name → number."""

    def __init__(self, raw: bytes, members: Iterable[tuple[bytes, bytes]], functions: Iterable[bytes]) -> None:
        """Raises ValueError when it is damaged or one of them is not there."""
        try:
            self._read(raw, tuple(members), tuple(functions))
        except (struct.error, IndexError, KeyError) as error:
            raise ValueError("these are not the types of a kernel") from error

    def _read(self, raw: bytes, members: tuple[tuple[bytes, bytes], ...], functions: tuple[bytes, ...]) -> None:
        magic, _, _, head, types, types_length, strings, strings_length = _HEAD.unpack_from(raw)
        if magic != _MAGIC:
            raise ValueError("these are not the types of a kernel")
        names = raw[head + strings : head + strings + strings_length]
        called = {name: _number(names, name) for pair in members for name in pair}
        called |= {name: _number(names, name) for name in functions}
        wanted = {called[name]: name for name in functions}
        structs = {called[pair[0]] for pair in members}
        found, self.functions = self._walk(raw, head + types, head + types + types_length, structs, wanted)
        self.offsets = {pair: _offset(raw, *found[called[pair[0]]], called[pair[1]]) for pair in members}
        if len(self.functions) != len(functions):
            raise ValueError("a function is missing")

    @staticmethod
    def _walk(
        raw: bytes, at: int, end: int, structs: set[int], wanted: dict[int, bytes]
    ) -> tuple[dict[int, tuple[int, int]], dict[bytes, int]]:
        """(name of a struct → where its members stand, how many; function → number)."""
        found, functions, number = {}, {}, 0
        while at < end:
            name, info, _ = _TYPE.unpack_from(raw, at)
            kind, count, number = info >> 24 & 0x1F, info & 0xFFFF, number + 1
            at += _TYPE.size
            if kind > _KINDS:
                raise ValueError("a kind that nobody knows")
            if kind == _STRUCT and name in structs and count:
                found[name] = at, count
            elif kind == _FUNCTION and name in wanted:
                functions[wanted[name]] = number
            at += _MORE.get(kind, 0) + _EACH.get(kind, 0) * count
        return found, functions


def _number(names: bytes, name: bytes) -> int:
    at = names.find(b"\0" + name + b"\0")
    if at < 0:
        raise ValueError("a name is missing")
    return at + 1


def _offset(raw: bytes, at: int, count: int, name: int) -> int:
    """In bytes."""
    for member in range(count):
        called, _, bits = _MEMBER.unpack_from(raw, at + member * _MEMBER.size)
        if called == name and not bits & 7 and bits < 1 << 24:
            return int(bits // 8)
    raise ValueError("a member is missing")
