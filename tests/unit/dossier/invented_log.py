"""A log written by the real writer, with a clock that obeys: what the dossier's tests read."""

from __future__ import annotations

import contextlib
from collections.abc import Iterator
from pathlib import Path
from typing import Any

from agent.audit.log import AuditLog
from agent.daemon.device import DeviceIdentity

BEGIN_US = 1_795_289_704_000_000  # 2026-11-21
IDENTITY = DeviceIdentity("dev_0123456789abcdef", bytes(range(32)))
STICK = {"bus": "usb", "vendor_id": "0951", "product_id": "1666", "vendor": "Kingston", "product": "DataTraveler",
         "serial": IDENTITY.pseudonym("serial", b"KT-0042"), "filesystem": "exfat"}  # fmt: skip
OTHER_STICK = STICK | {"serial": IDENTITY.pseudonym("serial", b"KT-0043")}
MINE = IDENTITY.pseudonym("user", b"1000", length=12)
THEIRS = IDENTITY.pseudonym("user", b"1001", length=12)


class Clock:
    """Time goes on by a second a record; ``set`` is somebody at the clock, ``boot`` a restart of the laptop."""

    def __init__(self) -> None:
        self.boot = "00000001"
        self.us, self.ms = BEGIN_US, 60_000

    def now(self) -> tuple[int, int]:
        self.us += 1_000_000
        self.ms += 1000
        return self.us, self.ms

    def set(self, seconds: int) -> None:
        self.us += seconds * 1_000_000

    def restart(self, boot: str) -> None:
        self.boot, self.ms = boot, 1000


class Invented:
    """Writes what an agent writes. ``folder`` holds the log."""

    def __init__(self, folder: Path) -> None:
        self.folder, self.clock = folder, Clock()
        self.log: AuditLog | None = None
        self._files = 0

    def begin(self, **fields: Any) -> Invented:
        self.log = AuditLog.open(self.folder, self.clock)
        self.log.start(version="0.1.0", device=IDENTITY.device_id, **fields)
        return self

    def end(self) -> None:
        assert self.log is not None
        self.log.close()
        self.log = None

    def kill(self) -> None:
        """What kill -9 leaves."""
        assert self.log is not None
        self.log.flush()
        self.log._let_go()
        self.log = None

    def put(self, what: str, /, **fields: Any) -> int:
        assert self.log is not None
        return self.log.append(what, fields)

    def policy(self, release: str = "0123456789ab", name: str = "essai") -> int:
        return self.put("policy", state="in-force", policy=name, release=release)

    def place(self, state: str, device: dict[str, str] = STICK, volume: str = "f" * 16, strength: str = "hold") -> int:
        return self.put("place", channel="removable", state=state, volume=volume, device=device, strength=strength)

    def document(self, decision: str = "encrypt", result: str = "done", **fields: Any) -> int:
        """A transfer record and, when something was done, its outcome. Returns the number of the transfer."""
        self._files += 1
        act = decision not in {"observe", "inform"}
        usual = {
            "channel": "removable", "service": "usb", "arrival": "new", "judgement": "medical", "kind": "lab-report",
            "hold": "file", "strength": "hold", "patients": 1, "size": 1000, "ext": "pdf", "decision": decision,
            "rule": "copy-patient", "policy": "essai", "release": "0123456789ab", "file": f"{self._files:016x}",
            "volume": "f" * 16, "device": STICK, "user": MINE,
        }  # fmt: skip
        outcome = {"held": fields.pop("held", f"document-{self._files:05}.age"), "to": fields.pop("to", ["a" * 16])}
        told = {key: value for key, value in (usual | fields).items() if value not in ("", 0, False)}
        number = self.put("transfer", **told, **({"act": True} if act else {}))
        if act and result:
            self.put("outcome", of=number, result=result, action=decision, **outcome)
        return number


@contextlib.contextmanager
def log(folder: Path, **fields: Any) -> Iterator[Invented]:
    """A log with a start, a policy and a stick; stopped in good order at the end."""
    made = Invented(folder).begin(**fields)
    made.policy()
    made.place("armed")
    try:
        yield made
    finally:
        if made.log is not None:
            made.end()
