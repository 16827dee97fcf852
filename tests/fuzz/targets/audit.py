"""The audit log: frames, records, the chain, the head and what lies in the folder."""

from __future__ import annotations

import struct

from agent.errors import AuditError, TamperError, UntrustedInputError
from tests.fuzz.target import Broken, Check, Target, must
from tests.unit.audit.logs import opening
from tests.unit.collector.laptops import Laptop

_RECORDS = 6
_OPENING = opening()


def _laptop() -> Laptop:
    laptop = Laptop()
    laptop.add("start", version="0.1.0")
    for number in range(_RECORDS - 2):
        laptop.add(channel="removable", judgement="medical", size=number, private=b"secret" * (number % 2))
    laptop.add("stop")
    return laptop


def _log() -> bytes:
    from agent.audit import frames

    return _OPENING + b"".join(frames.pack_leaf(public, private) for public, private in _laptop().publics)


def _split() -> Check:
    from agent.audit import frames
    from agent.audit.frames import Frame

    def check(data: bytes) -> None:
        items, used = frames.split(data)
        must(used == len(data), "every byte is used at the end")
        at = 0
        for item in items:
            must(item.offset == at, "items follow one another without a gap")
            at += frames.HEADER_BYTES + len(item.body) if isinstance(item, Frame) else item.length
        must(at == len(data), "items cover every byte")
        early, taken = frames.split(data, final=False)
        rest, _ = frames.split(data[taken:], taken)
        whole = [item for item in items if isinstance(item, Frame)]
        must([item for item in [*early, *rest] if isinstance(item, Frame)] == whole, "a pause changes no frame")

    return check


def _record() -> Check:
    from agent.audit import chain, record

    def check(data: bytes) -> None:
        table = record.decode(data)
        if chain.is_old(data):  # nothing writes those any more
            return
        reserved = {key: table.pop(key) for key in "itmbkp"}
        again = record.encode(*(reserved[key] for key in "itmbkp"), table, record.decode_raw(data).nonce)
        must(again == data, "a record has one form")

    return check


def _glance() -> Check:
    from agent.audit.glance import plain, quick

    def check(data: bytes) -> None:
        found = quick(data)
        whole = plain.whole(data)
        must(found is None or found == whole, "the compiled walk declines, or says what the reference says")

    def compared(data: bytes) -> None:
        try:
            check(data)
        except UntrustedInputError:
            must(quick(data) is None, "what the reference refuses the compiled walk does not accept")
            raise

    return compared


def _verify() -> Check:
    from agent.audit import frames
    from agent.audit.head import Head
    from agent.audit.verify import verify

    laptop, log = _laptop(), _log()
    head = Head(_RECORDS, laptop.head.hex(), laptop.heads[-2].hex(), 0, len(log))
    verify(((0, item) for item in frames.split(log)[0]), head)

    def check(data: bytes) -> None:
        items, _ = frames.split(data)
        summary = verify(((0, item) for item in items), head)
        if data[: len(log)] != log:
            raise Broken(f"a log that is not the one that was written is intact ({summary.records} records)")

    return check


def _head() -> Check:
    import tempfile
    from pathlib import Path

    from agent.audit.head import FILE_NAME, read_head

    folder = tempfile.TemporaryDirectory(prefix="serment-fuzz-")
    path = Path(folder.name)

    def check(data: bytes, _keep: object = folder) -> None:
        (path / FILE_NAME).write_bytes(data)
        head = read_head(path)
        must(head is not None and len(head.head_bytes) == 32, "a head is whole")

    return check


def _recover() -> Check:
    import shutil
    import tempfile
    from pathlib import Path

    from agent.audit.log import AuditLog
    from agent.audit.segments import segment_path, verify_folder
    from tests.unit.audit.logs import StillClock

    folder = tempfile.TemporaryDirectory(prefix="serment-fuzz-")
    path = Path(folder.name) / "log"

    def check(data: bytes, _keep: object = folder) -> None:
        shutil.rmtree(path, ignore_errors=True)
        path.mkdir()
        written = data[: 1 << 16]
        segment_path(path, 1).write_bytes(written)
        log = AuditLog.open(path, clock=StillClock())
        log.append("trouble", {"what": "fuzz"}, durable=True)
        log.close()
        kept = segment_path(path, 1).read_bytes()
        must(kept.startswith(written[: len(kept)]) or written.startswith(kept), "nothing that was there is changed")
        try:
            verify_folder(path)
        except TamperError:
            return

    return check


def _spool() -> Check:
    import tempfile
    from pathlib import Path

    from agent.transport import wire
    from agent.transport.spool import load_state

    folder = tempfile.TemporaryDirectory(prefix="serment-fuzz-")
    path = Path(folder.name) / "state.json"

    def check(data: bytes, _keep: object = folder) -> None:
        path.write_bytes(data)
        state = load_state(path)
        must(wire.valid_device(state.device), "a state has a pseudonym")
        must(min(state.acked, state.segment, state.offset) >= 0, "a state's numbers are in range")

    return check


def _heads() -> list[bytes]:
    import msgspec

    from agent.audit.head import Head

    return [msgspec.json.encode(Head(3, "ab" * 32, "cd" * 32, 1, 500, (1, 2), False)), msgspec.json.encode(Head())]


_STATE = b'{"device":"laptop-0123456789ab","acked":4,"segment":1,"offset":120,"failures":2,"retry_at":5,"trouble":""}'
_WORDS = (
    b"[" * 60, b'{"a":' * 30, b"null", b'"i":', b"1e5", b"-1", b"\xff\xff\xff\xff", b"\0\0\0", struct.pack(">III", 4, 1 << 24, 0),
    b'"k":"transfer"', b"\\u0000", b"\xed\xa0\x80", b'"x":',
)  # fmt: skip
TARGETS = (
    Target("audit-frames", "frames and damage cover every byte, and a pause in reading changes no frame",
           lambda: [_log(), _log()[:-3]], _split, words=_WORDS),
    Target("audit-record", "a record is decoded to the same bytes, or refused",
           lambda: [public for public, _ in _laptop().publics], _record, UntrustedInputError, _WORDS),
    Target("audit-glance", "the compiled walk over a record and its reference say the same of any bytes",
           lambda: [public for public, _ in _laptop().publics], _glance, UntrustedInputError, _WORDS),
    Target("audit-verify", "a log that is not the one that was written is never intact", lambda: [_log()], _verify,
           TamperError, _WORDS),
    Target("audit-head", "a head is whole, or refused", _heads, _head, AuditError, _WORDS),
    Target("audit-recover", "a log opens on any bytes and changes none of them, or says that it cannot",
           lambda: [_log(), b""], _recover, AuditError, _WORDS),
    Target("spool-state", "any bytes are a usable state; nothing is raised", lambda: [_STATE], _spool, words=_WORDS),
)  # fmt: skip
