"""What is kept or sealed: parcels, the records of the quarantine, the journal of replacements."""

from __future__ import annotations

import io

from agent.errors import SealError, UntrustedInputError
from tests import invented
from tests.fuzz.target import Check, Target, must

_LIMIT = 1 << 16


def _parcels() -> list[bytes]:
    import tarfile

    from agent.crypto.parcel import Member, Packer

    document = invented.LETTER.encode()
    made = Packer(
        Member("lettre é.txt".encode(), len(document), 1_795_289_704_123_456_789), lambda at, n: document[at : at + n]
    )
    found = [b"".join(iter(lambda: made.read(4096), b""))]
    for format_ in (tarfile.USTAR_FORMAT, tarfile.GNU_FORMAT, tarfile.PAX_FORMAT):
        out = io.BytesIO()
        with tarfile.open(fileobj=out, mode="w", format=format_) as archive:
            info = tarfile.TarInfo("é" * (90 if format_ != tarfile.USTAR_FORMAT else 20) + ".txt")
            info.size, info.mtime = 700, 12345.678
            archive.addfile(info, io.BytesIO(b"x" * 700))
        found.append(out.getvalue())
    return [parcel[:4096] for parcel in found]


def _unpack(data: bytes, step: int) -> tuple[object, bytes] | None:
    from agent.crypto.parcel import Unpacker

    out = bytearray()
    try:
        unpacker = Unpacker(out.extend, _LIMIT)
        for at in range(0, len(data), step):
            unpacker.write(data[at : at + step])
        return unpacker.finish(), bytes(out)
    except SealError:
        return None


def _parcel() -> Check:
    from agent.crypto.parcel import Member

    def check(data: bytes) -> None:
        whole = _unpack(data, max(1, len(data)))
        must(_unpack(data, 37) == whole, "how a parcel is cut into writes changes nothing")
        if whole is not None:
            member, out = whole
            must(isinstance(member, Member), "a parcel holds a document")
            assert isinstance(member, Member)
            must(len(out) == member.size <= _LIMIT, "a document has the size that it says")
            must(
                b"/" not in member.name and b"\0" not in member.name and member.name not in {b"", b".", b".."},
                "a name is plain",
            )
            must(abs(member.mtime_ns) < 1 << 63, "a time can be set")

    return check


def _entries() -> list[bytes]:
    from agent.actions.entry import Entry
    from agent.model import ChannelKind, Decision, Stamp

    stamp = Stamp(*range(len(Stamp._fields)))
    entry = Entry(
        "ABCDEFGH", b"/media/x", b"a/\xff.txt", 1000, 0o600, 1, 10, "ab" * 32, stamp, next(iter(ChannelKind)), "usb", "usb-01",
        next(iter(Decision)), 3, 1_795_289_704, "2026-11-22",
    )  # fmt: skip
    return [entry.encode()]


def _entry() -> Check:
    from agent.actions.entry import decode

    def check(data: bytes) -> None:
        entry = decode(data)
        must(decode(entry.encode()) == entry, "a record survives being written again")

    return check


def _intents() -> list[bytes]:
    import json

    from agent.model import Stamp

    stamp = list(range(len(Stamp._fields)))
    table = {
        "token": "ab",
        "root": "L2E=",
        "name": "Yg==",
        "stamp": stamp,
        "number": 3,
        "sealed": "c.age",
        "sealed_sha256": "ab",
    }
    return [json.dumps(table).encode()]


def _intent() -> Check:
    from agent.actions.journal import Intent, _decode

    def check(data: bytes) -> None:
        must(isinstance(_decode(data), Intent), "a record is an intent")

    return check


_JSON = (
    b"Infinity", b"-Infinity", b"NaN", b"1e999", b"null", b"true", b"[]", b"{}", b'""', b"[" * 1200, b'{"a":' * 400, b"9" * 5000, b'"\\ud800"',
    b'"L2E="', b'"state": "held"', b'"v": 1', b'"v": 2',
)  # fmt: skip
_TAR = (
    b"ustar\x0000",
    b"ustar  \0",
    b"L",
    b"x",
    b"g",
    b"5",
    b"0000000",
    b"\x80\0\0\0\0\0\0\0\0\0\0\1",
    b"11 path=a\n",
    b"20 mtime=1.5\n",
    b"12 size=99\n",
)
TARGETS = (
    Target("parcel", "a parcel holds one plain document however it is cut into writes, or is refused", _parcels, _parcel,
           words=_TAR),
    Target("quarantine-entry", "a quarantine record survives being written again, or is refused", _entries, _entry,
           UntrustedInputError, _JSON),
    Target("journal-intent", "a journal record is an intent, or refused", _intents, _intent, UntrustedInputError, _JSON),
)  # fmt: skip
