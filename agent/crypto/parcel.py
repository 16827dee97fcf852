"""What lies inside a sealed file: a tar archive with one member, the document. Bytes in, bytes out; opens nothing.

GNU format, so that any age program and any tar open it: name as bytes, time in whole seconds, mode 0600, nobody's
user. ``Packer`` makes it from a source; ``Unpacker`` takes the decrypted stream apart, piece by piece. What it gets was
made by whoever knew the public recipient: anything but one plain file with a plain name is refused.
"""

from __future__ import annotations

import hashlib
from collections.abc import Callable
from dataclasses import dataclass

from agent.errors import N_, SealError

BLOCK = 512  # bytes, the unit of tar
MAX_NAME = 255  # bytes in a file name
_MAX_EXTENDED = 64 * 1024  # bytes of a long-name or pax record
_END = bytes(2 * BLOCK)
_PLAIN = frozenset({b"0", b"\0", b"7"})


@dataclass(frozen=True, slots=True)
class Member:
    """The document in a parcel. ``mtime_ns`` is in nanoseconds since the epoch, ``size`` in bytes."""

    name: bytes
    size: int
    mtime_ns: int


def check_name(name: bytes) -> bytes:
    """``name`` when it is one plain path component of at most 255 bytes; otherwise SealError."""
    if name in {b"", b".", b".."} or len(name) > MAX_NAME or b"/" in name or b"\0" in name:
        raise _refused()
    return name


def cut_short() -> SealError:
    """What is said when less is there than was sealed."""
    return SealError(N_("this sealed file is cut short"), hint=N_("copy it again from where it came from"))


def _refused() -> SealError:
    return SealError(
        N_("this age file does not hold one single document"),
        hint=N_("open it with the age and tar programs, in a folder of its own"),
    )


class Packer:
    """A readable stream: the tar of one document. ``source(offset, length)`` gives its bytes; too few: SealError."""

    def __init__(self, member: Member, source: Callable[[int, int], bytes], chunk: int = 1 << 20) -> None:
        self._member = member
        self._source = source
        self._chunk = chunk
        self._offset = -1  # -1: the header is next
        self._waiting = memoryview(b"")
        self._digest = hashlib.sha256()

    @property
    def sha256(self) -> str:
        """Of the document's bytes read so far, hexadecimal."""
        return self._digest.hexdigest()

    def read(self, length: int = -1) -> bytes:
        if not self._waiting:
            self._waiting = memoryview(self._next())
        piece = bytes(self._waiting[:length] if length >= 0 else self._waiting)
        self._waiting = self._waiting[len(piece) :]
        return piece

    def _next(self) -> bytes:
        size = self._member.size
        if self._offset < 0:
            self._offset = 0
            return _header(self._member)
        if self._offset < size:
            data = self._source(self._offset, min(self._chunk, size - self._offset))
            if not data:
                raise SealError(N_("the document became shorter while it was read"))
            self._digest.update(data)
            self._offset += len(data)
            return data if self._offset < size else data + bytes(-size % BLOCK) + self._end()
        return self._end()

    def _end(self) -> bytes:
        """The end mark, once; then nothing."""
        end = b"" if self._offset > self._member.size else _END
        self._offset = self._member.size + 1
        return end


def _header(member: Member) -> bytes:
    import tarfile

    info = tarfile.TarInfo(check_name(member.name).decode("utf-8", "surrogateescape"))
    info.size, info.mtime, info.mode = member.size, member.mtime_ns // 1_000_000_000, 0o600
    return info.tobuf(tarfile.GNU_FORMAT, "utf-8", "surrogateescape")


class Unpacker:
    """A writable stream for a decrypted parcel; the document's bytes go to ``sink``. Ask ``finish`` for the member.

    Raises SealError from ``write`` or ``finish``. What ``sink`` got counts only when ``finish`` returned.
    """

    def __init__(self, sink: Callable[[memoryview], object], max_size: int) -> None:
        self._sink = sink
        self._max_size = max_size  # bytes: no document is larger than the file it came in
        self._buffer = bytearray()
        self._need = BLOCK
        self._step: Callable[[bytes], None] = self._on_header
        self._left = 0  # bytes of the document still to come
        self._padding = 0
        self._long: bytes | None = None
        self._pax: dict[bytes, bytes] = {}
        self._member: Member | None = None
        self.size = 0

    def write(self, data: bytes) -> int:
        view = memoryview(data)
        while view:
            view = self._feed_document(view) if self._left else self._feed_block(view)
        return len(data)

    def flush(self) -> None:
        """Nothing waits here."""

    def finish(self) -> Member:
        """The document, whole. Raises SealError when the stream ended early or held nothing."""
        if self._member is None or self._left or self._buffer:
            raise _refused()
        return self._member

    def _feed_document(self, view: memoryview) -> memoryview:
        piece = view[: self._left]
        self._sink(piece)
        self.size += len(piece)
        self._left -= len(piece)
        if not self._left and self._padding:
            self._need, self._step = self._padding, self._on_zeros
        return view[len(piece) :]

    def _feed_block(self, view: memoryview) -> memoryview:
        piece = view[: self._need - len(self._buffer)]
        self._buffer += piece
        if len(self._buffer) == self._need:
            block = bytes(self._buffer)
            self._buffer.clear()
            self._step(block)
        return view[len(piece) :]

    def _on_zeros(self, block: bytes) -> None:
        """After the document there is padding and the end mark, and nothing else: a second member is refused."""
        if block.strip(b"\0"):
            raise _refused()
        self._need = BLOCK

    def _on_header(self, block: bytes) -> None:
        kind = block[156:157]
        if not _checksum_holds(block):
            raise _refused()
        size = _number(block[124:136])
        if kind in {b"L", b"x"}:
            if not 0 < size <= _MAX_EXTENDED:
                raise _refused()
            self._need = size + -size % BLOCK
            self._step = lambda data: self._on_extended(kind, data[:size])
            return
        if kind not in _PLAIN or size < 0 or b"size" in self._pax:
            raise _refused()
        if size > self._max_size:
            raise cut_short()  # a copy that was not finished, most likely: it is said before anything is written
        self._start(block, size)

    def _on_extended(self, kind: bytes, data: bytes) -> None:
        if self._long is not None or self._pax:
            raise _refused()
        if kind == b"L":
            self._long = data.rstrip(b"\0")
        else:
            self._pax = _pax_records(data)
        self._need, self._step = BLOCK, self._on_header

    def _start(self, block: bytes, size: int) -> None:
        name = self._pax.get(b"path") or self._long or _joined_name(block)
        seconds = self._pax.get(b"mtime")
        mtime_ns = _nanoseconds(seconds) if seconds else _number(block[136:148]) * 1_000_000_000
        if not -(1 << 62) < mtime_ns < 1 << 62:
            mtime_ns = 0
        self._member = Member(check_name(name.removeprefix(b"./")), size, mtime_ns)
        self._left, self._padding = size, -size % BLOCK
        self._need, self._step = BLOCK, self._on_zeros


def _checksum_holds(block: bytes) -> bool:
    return _number(block[148:156]) == sum(block) - sum(block[148:156]) + 8 * 0x20


def _joined_name(block: bytes) -> bytes:
    name = block[:100].split(b"\0", 1)[0]
    prefix = block[345:500].split(b"\0", 1)[0] if block[257:263] == b"ustar\0" else b""
    return prefix + b"/" + name if prefix else name


def _number(field: bytes) -> int:
    """A tar number: octal digits, or base 256 when the first byte says so. Raises SealError."""
    if field[0] in {0x80, 0xFF}:
        return int.from_bytes(field[1:], "big", signed=field[0] == 0xFF)
    digits = field.strip(b" \0")
    if digits.strip(b"01234567"):
        raise _refused()
    return int(digits or b"0", 8)


def _pax_records(data: bytes) -> dict[bytes, bytes]:
    """Records of the form ``LENGTH key=value``, each with a line end. Raises SealError."""
    records: dict[bytes, bytes] = {}
    while data:
        length, space, _ = data[:8].partition(b" ")
        if not space or not length.isdigit() or not len(length) + 3 <= int(length) <= len(data):
            raise _refused()
        key, equals, value = data[len(length) + 1 : int(length)].partition(b"=")
        if not equals or not value.endswith(b"\n"):
            raise _refused()
        records[key] = value[:-1]
        data = data[int(length) :]
    return records


def _nanoseconds(text: bytes) -> int:
    whole, _, part = text.partition(b".")
    if not whole.lstrip(b"-").isdigit() or len(whole) > 20 or (part and not part.isdigit()):
        raise _refused()
    return int(whole) * 1_000_000_000 + int(part[:9].ljust(9, b"0") or b"0")
