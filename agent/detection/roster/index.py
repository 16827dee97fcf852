"""The bytes of a patient list: header, sorted digests, seal. docs/formats/patient-list.md is the specification.

Pure: values → bytes → values. Whoever reads a list needs its key; a list of another key, a damaged or a changed one is
refused whole. Who makes the digests is ``digests``, who asks them is ``lookup``, where the file lies is agent.patients.
"""

from __future__ import annotations

import hmac
import struct
import sys
from array import array
from dataclasses import dataclass, field

from agent.detection.roster.digests import KEY_BYTES, key_id, seal_of
from agent.errors import N_, UntrustedInputError

MAGIC = b"SRMTLIST"
VERSION = 1
MAX_PATIENTS = 200_000
MAX_ENTRIES = 40 * MAX_PATIENTS
MAX_BYTES = 256 << 20
_HEADER = struct.Struct("<8sHHI8sQ5I")  # magic, version, 0, 0, key id, loaded, five counts
_SEAL = 32  # bytes
HEADER_BYTES = _HEADER.size


@dataclass(frozen=True, slots=True)
class Index:
    """``births``, ``surnames``, ``families`` (a surname with a birth date) and ``entries`` are sorted digests without
    doubles. ``whose[i]`` is the place in
    ``patients`` of the one that ``entries[i]`` (name with birth date, or number) belongs to; ``patients`` holds one
    digest a patient, sorted. ``loaded``: seconds since 1970 when the list was made.
    """

    births: array[int] = field(repr=False)
    surnames: array[int] = field(repr=False)
    families: array[int] = field(repr=False)
    entries: array[int] = field(repr=False)
    whose: array[int] = field(repr=False)
    patients: array[int] = field(repr=False)
    loaded: int = 0


@dataclass(frozen=True, slots=True)
class Header:
    """What can be told of a list without its key."""

    key_id: bytes
    loaded: int  # seconds since 1970
    births: int
    surnames: int
    families: int
    entries: int
    patients: int

    @property
    def size(self) -> int:
        """Bytes of the whole file."""
        return (
            HEADER_BYTES + 8 * (self.births + self.surnames + self.families + self.patients) + 12 * self.entries + _SEAL
        )


def encode_index(index: Index, key: bytes) -> bytes:
    """The file of a list under ``key``."""
    head = _HEADER.pack(
        MAGIC, VERSION, 0, 0, key_id(key), index.loaded,
        len(index.births), len(index.surnames), len(index.families), len(index.entries), len(index.patients),
    )  # fmt: skip
    sections = (index.births, index.surnames, index.families, index.entries, index.whose, index.patients)
    body = b"".join((head, *map(_to_bytes, sections)))
    return body + seal_of(key, body)


def decode_header(data: bytes) -> Header:
    """The header at the start of ``data``. Raises UntrustedInputError when it is none, or of another version."""
    if len(data) < HEADER_BYTES:
        raise _refusal("length")
    magic, version, zero, none, key, loaded, *counts = _HEADER.unpack_from(data)
    if magic != MAGIC or version != VERSION or zero or none:
        raise _refusal("version")
    header = Header(key, loaded, *counts)
    if header.patients > MAX_PATIENTS or header.entries > MAX_ENTRIES or header.size > MAX_BYTES:
        raise _refusal("size")
    return header


def decode_index(data: bytes, key: bytes) -> Index:
    """The list in ``data``. Raises UntrustedInputError: not of the form, of another key, or changed since then."""
    header = decode_header(data)
    if len(data) != header.size:
        raise _refusal("length")
    if len(key) != KEY_BYTES or not hmac.compare_digest(header.key_id, key_id(key)):
        raise _refusal("key")
    if not hmac.compare_digest(data[-_SEAL:], seal_of(key, data[:-_SEAL])):
        raise _refusal("seal")
    view, place = memoryview(data), HEADER_BYTES

    def section(code: str, count: int) -> array[int]:
        nonlocal place
        start, place = place, place + count * array(code).itemsize
        return _from_bytes(code, view[start:place])

    return Index(
        births=section("Q", header.births), surnames=section("Q", header.surnames),
        families=section("Q", header.families),
        entries=section("Q", header.entries), whose=section("I", header.entries),
        patients=section("Q", header.patients), loaded=header.loaded,
    )  # fmt: skip


def _to_bytes(values: array[int]) -> bytes:
    if sys.byteorder == "big":
        values = array(values.typecode, values)
        values.byteswap()
    return values.tobytes()


def _from_bytes(code: str, data: memoryview) -> array[int]:
    values: array[int] = array(code)
    values.frombytes(data)
    if sys.byteorder == "big":
        values.byteswap()
    return values


def _refusal(what: str) -> UntrustedInputError:
    return UntrustedInputError(
        N_("the patient list on this laptop cannot be used: {what}"),
        hint=N_("load it again: serment patients load FILE"), what=what,
    )  # fmt: skip
