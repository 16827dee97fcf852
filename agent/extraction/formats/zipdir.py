"""The ZIP format (PKWARE APPNOTE 6.3): its directory and its members, read with counters before anything is allocated.

The standard library's reader builds one object per entry of a directory of any size, trusts it, and cannot read a
file whose
end is missing. This one bounds the directory, streams members under the budget, checks their CRC, and falls back on
the local
headers when the directory is broken, so that what can be salvaged is (and the caller says « corrupt »).
"""

from __future__ import annotations

import struct
import zlib
from collections.abc import Iterator
from dataclasses import dataclass

from agent.document import Problem
from agent.extraction.formats import inflate
from agent.extraction.limits import MIB, Budget, Stop
from agent.extraction.source import Source

_END = struct.Struct("<4s4H2LH")
_END64 = struct.Struct("<4sQ2H2L4Q")
_ENTRY = struct.Struct("<4s4B4HL2L5H2L")
_LOCAL = struct.Struct("<4s2B4HL2L2H")
_TAIL = _END.size + 65535 + 20
_CHUNK = 64 * 1024
_OUT = 256 * 1024
_STORED, _DEFLATED, _BZIP2, _LZMA = 0, 8, 12, 14
_AES = 99
_ENCRYPTED_FLAGS = 0x1 | 0x40 | 0x2000


@dataclass(frozen=True, slots=True)
class Member:
    """One entry: ``name`` as it will be compared (lower case, slashes), ``title`` as it was written."""

    name: str
    title: str
    method: int
    flags: int
    crc: int
    packed: int  # bytes in the archive; -1: unknown until read
    size: int  # bytes it claims to inflate to
    offset: int  # of its local header

    @property
    def encrypted(self) -> bool:
        return bool(self.flags & _ENCRYPTED_FLAGS) or self.method == _AES

    @property
    def directory(self) -> bool:
        return self.title.endswith(("/", "\\")) and not self.size


@dataclass(frozen=True, slots=True)
class Directory:
    """The members of an archive; ``broken``: the directory could not be trusted and local headers were searched."""

    members: tuple[Member, ...]
    broken: bool
    comment: bytes = b""


def read_directory(source: Source, budget: Budget) -> Directory:
    """List an archive. Raises ``Stop`` when the directory is larger than the limits allow."""
    tail_at = max(0, source.size - _TAIL)
    tail = source.pread(source.size - tail_at, tail_at)
    place = tail.rfind(b"PK\x05\x06")
    if place < 0 or len(tail) - place < _END.size:
        return _salvage(source, budget)
    _, disk, first, _here, count, size, offset, _comment = _END.unpack_from(tail, place)
    end = tail_at + place
    if 0xFFFF in {disk, first, count} or 0xFFFFFFFF in {size, offset}:
        wide = _end64(source, tail, place)
        if wide:
            count, size, offset, end = wide
    if size > budget.limits.directory_bytes or count > budget.limits.parts:
        raise Stop(Problem.TOO_MANY_PARTS)
    shift = end - size - offset  # bytes before the archive, as in self-extracting ones
    if shift < 0 or disk != first:
        return _salvage(source, budget)
    listing = source.pread(size, end - size)
    members = list(_entries(listing, shift))
    if len(members) != count or _spills(listing, count) or not _anchored(source, members):
        return _salvage(source, budget)
    return Directory(tuple(members), broken=False, comment=tail[place + _END.size :][:_comment])


def _end64(source: Source, tail: bytes, place: int) -> tuple[int, int, int, int] | None:
    if place < 20 or tail[place - 20 : place - 16] != b"PK\x06\x07":
        return None
    at = int.from_bytes(tail[place - 12 : place - 4], "little")
    record = source.pread(_END64.size, at)
    if len(record) < _END64.size or not record.startswith(b"PK\x06\x06"):
        return None
    values = _END64.unpack(record)
    return values[7], values[8], values[9], at


def _entries(data: bytes, shift: int) -> Iterator[Member]:
    at = 0
    while at + _ENTRY.size <= len(data) and data[at : at + 4] == b"PK\x01\x02":
        record = _ENTRY.unpack_from(data, at)
        flags, method, crc, packed, size = record[5], record[6], record[9], record[10], record[11]
        names, extras, comments, offset = record[12], record[13], record[14], record[18]
        at += _ENTRY.size
        name, extra = data[at : at + names], data[at + names : at + names + extras]
        at += names + extras + comments
        if 0xFFFFFFFF in {size, packed, offset}:
            size, packed, offset = _wide(extra, size, packed, offset)
        yield _member(name, method, flags, crc, packed, size, offset + shift)


def _spills(data: bytes, count: int) -> bool:
    """Whether the entries end before the directory does, other than at its signature: then one has lost its name."""
    at = 0
    for _ in range(count):
        at += _ENTRY.size + sum(struct.unpack_from("<3H", data, at + 28))
    return at != len(data) and data[at : at + 4] != b"PK\x05\x05"


def _wide(extra: bytes, *values: int) -> tuple[int, int, int]:
    """Replace what does not fit in 32 bits by the values of the ZIP64 extra field, in their fixed order."""
    found = list(values)
    at = 0
    while at + 4 <= len(extra):
        kind, length = struct.unpack_from("<HH", extra, at)
        if kind == 1:
            place = at + 4
            for index, value in enumerate(values):
                if value == 0xFFFFFFFF and place + 8 <= min(len(extra), at + 4 + length):
                    found[index] = int.from_bytes(extra[place : place + 8], "little")
                    place += 8
            break
        at += 4 + length
    return found[0], found[1], found[2]


def _member(name: bytes, method: int, flags: int, crc: int, packed: int, size: int, offset: int) -> Member:
    title = name.decode("utf-8" if flags & 0x800 else "cp850", "replace")
    plain = title.replace("\\", "/").lower().lstrip("/").removeprefix("./")
    return Member(plain, title, method, flags, crc, packed, size, offset)


def _anchored(source: Source, members: list[Member]) -> bool:
    """The first entry points at a local header: otherwise the directory belongs to another archive. One without
    entries is believed unless the file begins with a member.
    """
    if not members:
        return source.pread(4, 0) != b"PK\x03\x04"
    return source.pread(4, members[0].offset) == b"PK\x03\x04"


def _salvage(source: Source, budget: Budget) -> Directory:
    """Search local headers; sizes may be missing, then a member ends where its stream ends."""
    data = source.pread(min(source.size, budget.limits.member_bytes), 0)
    members: list[Member] = []
    at = data.find(b"PK\x03\x04")
    while at >= 0 and at + _LOCAL.size <= len(data):
        budget.part()
        record = _LOCAL.unpack_from(data, at)
        flags, method, crc, packed, size, names = record[3], record[4], record[7], record[8], record[9], record[10]
        name = data[at + _LOCAL.size : at + _LOCAL.size + names]
        unknown = bool(flags & 8) or packed in {0, 0xFFFFFFFF}
        members.append(_member(name, method, flags, 0 if unknown else crc, -1 if unknown else packed, size, at))
        at = data.find(b"PK\x03\x04", at + _LOCAL.size + names + (0 if unknown else packed))
    return Directory(tuple(members), broken=True)


def read_member(source: Source, member: Member, budget: Budget, limit: int) -> tuple[bytes, bool]:
    """The first ``limit`` bytes of a member, and whether that is all of it.

    Raises ``Stop``: encrypted, unsupported (a method we have no decompressor for), corrupt (also a wrong CRC), or
    over budget.
    """
    pieces: list[bytes] = []
    size, crc = 0, 0
    for piece in _inflate(source, member, budget):
        if size + len(piece) > limit:
            pieces.append(piece[: limit - size])
            return b"".join(pieces), False
        size += len(piece)
        crc = zlib.crc32(piece, crc)
        pieces.append(piece)
    if member.packed >= 0 and (crc != member.crc or size != member.size):
        raise Stop(Problem.CORRUPT)
    return pieces[0] if len(pieces) == 1 else b"".join(pieces), True


def _inflate(source: Source, member: Member, budget: Budget) -> Iterator[bytes]:
    if member.encrypted:
        raise Stop(Problem.ENCRYPTED)
    start, end = _extent(source, member)
    if member.method == _STORED:
        yield from _stored(source, start, end, budget)
        return
    machine = _machine(member.method, source, start)
    if member.method == _LZMA:
        start += 4 + int.from_bytes(source.pread(2, start + 2), "little")
    taken, given, pending = 0, 0, b""
    while not machine.eof:
        if not pending and machine.hungry:
            pending = source.pread(min(_CHUNK, end - start), start)
            start += len(pending)
            taken += len(pending)
            if not pending:
                if given == member.size and member.packed >= 0:
                    return  # LZMA in ZIP may do without an end mark
                raise Stop(Problem.CORRUPT)  # the stream has no end
        piece, pending = machine.feed(pending)
        given += len(piece)
        budget.inflate(len(piece))
        if given > MIB and given > taken * budget.limits.ratio:
            raise Stop(Problem.TOO_LARGE)
        if piece:
            yield piece


def _extent(source: Source, member: Member) -> tuple[int, int]:
    header = source.pread(_LOCAL.size, member.offset)
    if len(header) < _LOCAL.size or not header.startswith(b"PK\x03\x04"):
        raise Stop(Problem.CORRUPT)
    names, extras = struct.unpack_from("<HH", header, 26)
    start = member.offset + _LOCAL.size + names + extras
    end = start + member.packed if member.packed >= 0 else source.size
    lost = member.packed == 0 and int.from_bytes(header[18:22], "little") not in {0, 0xFFFFFFFF}
    if lost or end > source.size:
        raise Stop(Problem.CORRUPT)
    return start, end


def _stored(source: Source, start: int, end: int, budget: Budget) -> Iterator[bytes]:
    while start < end:
        piece = source.pread(min(_OUT, end - start), start)
        if not piece:
            raise Stop(Problem.CORRUPT)
        budget.inflate(len(piece))
        start += len(piece)
        yield piece


def _machine(method: int, source: Source, start: int) -> inflate.Machine:
    if method == _DEFLATED:
        return inflate.deflate()
    if method == _BZIP2:
        return inflate.bzip2()
    if method == _LZMA:
        return inflate.lzma1(source.pread(9, start))
    raise Stop(Problem.UNSUPPORTED)
