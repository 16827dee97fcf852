"""The decompressors of the standard library behind one call whose output is bounded, whatever the input."""

from __future__ import annotations

import bz2
import lzma
import zlib

from agent.document import Problem
from agent.extraction.limits import MIB, Stop

OUT = 256 * 1024  # most bytes that one call returns
MEMORY = 96 * MIB  # most bytes that one xz or lzma stream may ask for as its dictionary


class Machine:
    """One decompression. ``feed`` takes what is pending and returns (output, input still pending)."""

    __slots__ = ("_engine",)

    def __init__(self, engine: zlib._Decompress | bz2.BZ2Decompressor | lzma.LZMADecompressor) -> None:
        self._engine = engine

    @property
    def eof(self) -> bool:
        """The stream came to its proper end; what ``feed`` returned as pending follows it."""
        return self._engine.eof

    @property
    def hungry(self) -> bool:
        """More input is needed before more output can come."""
        return getattr(self._engine, "needs_input", True)

    def feed(self, data: bytes) -> tuple[bytes, bytes]:
        """Raises ``Stop``: corrupt, or too large (a dictionary beyond ``MEMORY``)."""
        try:
            out = self._engine.decompress(data, OUT)
        except lzma.LZMAError as error:
            raise Stop(Problem.TOO_LARGE if "memory" in str(error).lower() else Problem.CORRUPT) from None
        except (zlib.error, OSError, EOFError, ValueError):
            raise Stop(Problem.CORRUPT) from None
        if self._engine.eof:
            return out, self._engine.unused_data
        return out, getattr(self._engine, "unconsumed_tail", b"")


def deflate() -> Machine:
    """Raw deflate, as in ZIP and DICOM."""
    return Machine(zlib.decompressobj(-zlib.MAX_WBITS))


def gzip() -> Machine:
    """One member of a gzip file."""
    return Machine(zlib.decompressobj(16 + zlib.MAX_WBITS))


def zlib_or_gzip() -> Machine:
    """A zlib or gzip stream, told by its header."""
    return Machine(zlib.decompressobj(32 + zlib.MAX_WBITS))


def bzip2() -> Machine:
    """One stream of a bzip2 file."""
    return Machine(bz2.BZ2Decompressor())


def xz() -> Machine:
    """One stream of an xz file, or an old .lzma one."""
    return Machine(lzma.LZMADecompressor(lzma.FORMAT_AUTO, memlimit=MEMORY))


def lzma1(header: bytes) -> Machine:
    """LZMA as in ZIP (APPNOTE 5.8.8): version (2), size (2), then lc/lp/pb (1) and the size of the dictionary (4)."""
    if len(header) < 9 or header[4] >= 225:
        raise Stop(Problem.CORRUPT)
    packed, dictionary = header[4], int.from_bytes(header[5:9], "little")
    if dictionary > MEMORY:
        raise Stop(Problem.TOO_LARGE)
    filters = {"id": lzma.FILTER_LZMA1, "dict_size": max(dictionary, 4096)}
    filters |= {"lc": packed % 9, "lp": packed // 9 % 5, "pb": packed // 45}
    try:
        return Machine(lzma.LZMADecompressor(lzma.FORMAT_RAW, filters=[filters]))
    except (lzma.LZMAError, ValueError):
        raise Stop(Problem.CORRUPT) from None
