"""Makes the test vectors of the audit log anew: python -m tests.vectors.audit.make

Each vector is one JSON file: what is expected of a verifier, and the files of a log in base64. The keys are fresh each
time, so the files change whenever this runs; it is to be run when the format gets a new case, not otherwise.
"""

from __future__ import annotations

import base64
import json
import random
import shutil
import tempfile
from pathlib import Path

from agent.audit import checkpoint, frames
from agent.audit.frames import FrameType
from agent.audit.limits import Limits
from agent.audit.log import AuditLog
from agent.audit.retention import purge
from agent.crypto.signing import FileKey
from bench import tamper
from tests.unit.audit.old import write_old_log

HERE = Path(__file__).parent
KEPT = ("*.slog", "head.json", "prefix.json")


def keep(name: str, folder: Path, expect: str, why: str, key: str = "") -> None:
    """``expect``: valid, tampered or unreadable."""
    files = {
        path.name: base64.b64encode(path.read_bytes()).decode()
        for pattern in KEPT
        for path in sorted(folder.glob(pattern))
    }
    vector = {"expect": expect, "why": why, "key": key, "files": files}
    (HERE / f"{expect}-{name}.json").write_text(json.dumps(vector, indent=1, ensure_ascii=False) + "\n", "utf-8")


def valid(place: Path) -> None:
    clock = tamper.Clock()
    folder = place / "old"
    write_old_log(folder)
    keep("version-1", folder, "valid", "a log of version 1, without seals")
    log = AuditLog.open(folder, clock=clock, flush_after_s=3600)
    log.start(version="2")
    log.close()
    keep("migrated", folder, "valid", "a log of version 1 that goes on in version 2")
    folder = place / "new"
    log = AuditLog.open(folder, clock=clock, limits=Limits(segment_bytes=1500, flush_after_s=3600))
    keep("empty", folder, "valid", "an opening over no records")
    log.start(version="2", device="dev_1")
    fields = {"channel": "removable", "file": "0011223344556677", "volume": "not hexadecimal", "later": "é\u0000", "n": -33,
              "device": {"bus": "usb", "serial": "aabbccdd"}, "of": 1 << 40, "list": [1, None, {"a": True}]}  # fmt: skip
    for number in range(6):
        log.append("transfer", {**fields, "size": 10**number * 7}, durable=number % 2 == 0, private=b"encrypted")
    keep("torn-end", torn(folder, place), "valid", "the last frame is not whole yet")
    log.append("of-a-later-version", {"x": "y" * 300})
    log.close()
    name = log.fingerprint
    keep("segments", folder, "valid", "every kind of value, in several segments, one stop", name)
    log = AuditLog.open(folder, clock=clock, limits=Limits(segment_bytes=1500, flush_after_s=3600))
    log.start(version="3")
    purge(log, clock.now()[0])
    log.close()
    keep("purged", folder, "valid", "the first segments were purged", name)
    (folder / "prefix.json").unlink()
    keep("purge-without-prefix", folder, "tampered", "prefix.json is gone")


def torn(folder: Path, place: Path) -> Path:
    copy = place / "torn"
    shutil.copytree(folder, copy)
    last = max(copy.glob("*.slog"))
    with last.open("ab") as file:
        file.write(frames.pack(FrameType.LEAF, b"\x00\x05hello")[:-2])
    return copy


def tampered(place: Path) -> None:
    witness = FileKey()
    for number, (name, kind) in enumerate(tamper.KINDS.items()):
        if kind.needs in {"impossible", "cosigned"}:
            continue
        log = tamper.make(number, witness)
        found = list(log.frames)
        kind.does(found, random.Random(number), log)
        folder = place / f"tampered{number}"
        folder.mkdir()
        tamper.lay(folder, found, log.head, kind.head)
        key = checkpoint.fingerprint(bytes.fromhex(log.head.identity)) if kind.needs == "identity" else ""
        short = "".join(letter if letter.isalnum() else "-" for letter in name).replace("--", "-")
        keep(short, folder, "tampered", name, key)
    log = tamper.make(99, witness)
    folder = place / "cosigned"
    folder.mkdir()
    found = [*log.frames, (FrameType.COSIGNED, checkpoint.pack_cosigned(log.whole))]
    tamper.lay(folder, found, log.head, False)
    keep("cosigned", folder, "valid", "the collector's statement stands behind the records that it is about")


def invalid(place: Path) -> None:
    """Logs whose seals are right and whose records are not of the format."""
    witness = FileKey()
    log = tamper.make(5, witness)
    first = next(at for at, (kind, _) in enumerate(log.frames) if kind == FrameType.LEAF)
    public, _ = frames.unpack_leaf(log.frames[first][1])
    fields_at = public.index(b"start") + 5
    bodies = {
        "longer-number": b"\x99\xcc\x00" + public[2:],
        "blank-behind": public + b"\x00",
        "name-written-out": public[:fields_at] + b"\x81\xa7channel\x01\x80",
        "key-twice": public[:fields_at] + b"\x82\xa1!\x01\xa1!\x01\x80",
        "keys-in-another-order": public[:fields_at] + b"\x82\xa1\x22\x01\xa1!\x01\x80",
        "fraction": public[:fields_at] + b"\x81\xa1!\xcb" + bytes(8) + b"\x80",
        "too-deep": public[:fields_at] + b"\x81\xa1!\x91\x91\x91\x01\x80",
        "digest-as-text": public[:fields_at] + b"\x81\xa1=\xa80a0b0c0d\x80",
    }
    for name, body in bodies.items():
        found = list(log.frames)
        found[first] = (FrameType.LEAF, len(body).to_bytes(2, "big") + body)
        folder = place / f"invalid-{name}"
        folder.mkdir()
        tamper.lay(folder, found, log.head, False)
        keep(f"format-{name}", folder, "tampered", f"record 0 is not of the format: {name}")
    folder = place / "unreadable"
    folder.mkdir()
    keep("nothing", folder, "unreadable", "no segment and no head.json")
    tamper.lay(folder, list(log.frames), log.head, False)
    (folder / "head.json").write_bytes(b'{"size":')
    keep("head", folder, "unreadable", "head.json is no JSON")


def main() -> None:
    for old in HERE.glob("*.json"):
        old.unlink()
    place = Path(tempfile.mkdtemp(prefix="serment-vectors-"))
    try:
        valid(place)
        tampered(place)
        invalid(place)
    finally:
        shutil.rmtree(place)


if __name__ == "__main__":
    main()
