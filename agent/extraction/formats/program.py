"""How much of a program its own headers account for: what is longer carries something behind its code.

Pure, over the first bytes (PE/COFF 3 and 4; System V ABI, ELF header). Signed programs end with their signature, which
the headers name as well. Of other kinds of program nothing is said.
"""

from __future__ import annotations

import struct

_LEAST = 512  # bytes: what the code is rounded up to
_LONGEST_SIGNATURE = 64 * 1024
_CERTIFICATES = {0x10B: 128, 0x20B: 144}  # by the kind of optional header: where in it the signature's place stands


def carries_more(head: bytes, size: int) -> bool:
    """Whether a program of ``size`` bytes that begins with ``head`` is longer than its headers say."""
    try:
        end = _end_of_pe(head, size) if head.startswith(b"MZ") else _end_of_elf(head)
    except struct.error:
        return True  # they are elsewhere: nothing is known
    return 0 <= end < size - _LEAST


def _end_of_pe(head: bytes, size: int) -> int:
    start = int.from_bytes(head[60:64], "little")
    if head[start : start + 4] != b"PE\0\0":
        return 0
    sections, options = struct.unpack_from("<2xH12xH", head, start + 4)
    kind = int.from_bytes(head[start + 24 : start + 26], "little")
    end = 0
    for number in range(min(sections, 96)):  # the format allows no more
        length, place = struct.unpack_from("<2L", head, start + 24 + options + 40 * number + 16)
        end = max(end, place + length)
    if kind in _CERTIFICATES and options >= _CERTIFICATES[kind] + 8:
        place, length = struct.unpack_from("<2L", head, start + 24 + _CERTIFICATES[kind])
        if place <= end + _LEAST and place + length >= size - _LEAST and length <= _LONGEST_SIGNATURE:
            return size
    return end


def _end_of_elf(head: bytes) -> int:
    """-1 when it is no ELF."""
    if not head.startswith(b"\x7fELF"):
        return -1
    order = ">" if head[5:6] == b"\2" else "<"
    wide = head[4:5] == b"\2"
    segments, sections = struct.unpack_from(order + ("2Q" if wide else "2L"), head, 32 if wide else 28)
    each, count, section, many = struct.unpack_from(order + "4H", head, 54 if wide else 42)
    end = sections + section * many
    for number in range(min(count, 64)):
        at = segments + each * number
        place, length = struct.unpack_from(order + ("Q16xQ" if wide else "L8xL"), head, at + (8 if wide else 4))
        end = max(end, place + length)
    return int(end)
