"""A fleet's officers and its signed repository, in scratch folders: real keys, real signatures, no process."""

from __future__ import annotations

import time
from pathlib import Path

from securesystemslib.signer import CryptoSigner
from sqlalchemy import StaticPool, create_engine

from agent.fleet import authoring, bundle
from agent.fleet.check_wire import Answer, Request
from agent.fleet.checking import check
from agent.fleet.release import Emergency, Release, Ring
from collector.store.tables import acts, published
from collector.tuf import command
from collector.tuf.repository import ServerRepository

NAMES = ("anne", "bruno", "chloe", "urgent", "stick")
POLICY = """serment: 1
policy: chu-exemple/base
defaults: {{existing: enforce, arriving: enforce, nothing_matches: observe}}
rules:
  - id: usb-01
    when: {{action: copy, judgement: medical}}
    then: {then}
    message: {{fr: "Non.", en: "No."}}
    mode: enforce
tests:
  - {{given: {{action: copy, document: cda}}, expect: {expect}, rule: usb-01}}
"""


def policy(then: str = "block", expect: str = "") -> bytes:
    """A policy of one rule; it fails its own test when ``expect`` is another decision."""
    return POLICY.format(then=then, expect=expect or then).encode()


class SignedFleet:
    """``officers`` by name; ``change()`` gives folders to build in, ``publish`` signs and publishes one."""

    def __init__(self, base: Path, threshold: int = 2) -> None:
        self.base = base
        self.data = base / "collector"
        self.data.mkdir(parents=True)
        self.repository = ServerRepository(self.data)
        self.engine = create_engine("sqlite://", poolclass=StaticPool)  # for what is noted, and nothing else
        acts.create(self.engine)
        published.create(self.engine)
        self.signers = {name: CryptoSigner.generate_ed25519() for name in NAMES}
        self.public = {name: signer.public_key for name, signer in self.signers.items()}
        self.changes = 0
        self.threshold = threshold

    def change(self, *, first: bool = False) -> tuple[Path, Path | None]:
        """A folder for a new change, and a copy of what is published."""
        self.changes += 1
        folder = self.base / f"change-{self.changes}"
        copy = None if first else self.repository.folder
        authoring.remember_base(folder, copy)
        return folder, copy

    def officers(self, approvers: tuple[str, ...] = NAMES[:3]) -> authoring.Officers:
        keys = [self.public[name] for name in approvers]
        return authoring.Officers(
            keys, self.threshold, self.repository.public(), self.public["urgent"], self.public["stick"]
        )

    def root(self, *, signers: tuple[str, ...] = ("anne", "bruno"), first: bool = True) -> Path:
        folder, copy = self.change(first=first)
        authoring.build_root(folder, copy, self.officers())
        return self.publish(folder, *signers)

    def release(
        self, number: int, data: bytes | None = None, *, signers: tuple[str, ...] = ("anne", "bruno"),
        offline: bool = False, groups: dict[str, bytes] | None = None, **more: object,
    ) -> Path:  # fmt: skip
        folder, copy = self.change()
        policies = {"": data if data is not None else policy()} | (groups or {})
        paths = {group: authoring.policy_path(content, offline=offline) for group, content in policies.items()}
        made = Release(number, paths, int(time.time()), "salt-of-tests", **more)  # type: ignore[arg-type]
        named = {authoring.policy_path(content, offline=offline): content for content in policies.values()}
        assert copy is not None
        authoring.build_release(folder, copy, made, named, offline=offline)
        return self.publish(folder, *signers)

    def emergency(self, *rules: str, hours: float = 1, signers: tuple[str, ...] = ("urgent",)) -> Path:
        folder, copy = self.change()
        now = int(time.time())
        assert copy is not None
        authoring.build_emergency(folder, copy, Emergency(rules, now, now + int(hours * 3600), "Dr A", "panne"))
        return self.publish(folder, *signers)

    def publish(self, folder: Path, *signers: str) -> Path:
        for name in signers:
            authoring.sign(folder, self.signers[name])
        command.publish(self.repository, folder, self.engine, "test")
        return folder

    # ---- as a laptop sees it

    def files(self) -> dict[str, bytes]:
        """Everything that is published."""
        found = {}
        for kind in ("metadata", "targets"):
            for path in (self.repository.folder / kind).rglob("*"):
                if path.is_file():
                    found[str(path.relative_to(self.repository.folder))] = path.read_bytes()
        return found

    def first_root(self) -> bytes:
        return (self.repository.folder / "metadata" / "1.root.json").read_bytes()

    def stick(self) -> bytes:
        """The bundle for laptops without network."""
        return bundle.pack(self.repository.newest_files(("targets", "offline")))


class Laptop:
    """What a laptop keeps between two checks."""

    def __init__(self, fleet: SignedFleet, device: str = "dev_one", group: str = "") -> None:
        self.fleet, self.device, self.group = fleet, device, group
        self.last = Answer()
        self.number = 0
        self.back_to = 0
        self.now = 0

    def look(self, files: dict[str, bytes] | None = None, *, offline: bool = False, stick: bytes = b"") -> Answer:
        """Check what is published (or ``files``); what was found good is kept."""
        packed = stick or bundle.pack(self.fleet.files() if files is None else files)
        answer = check(
            Request(
                packed, self.device, self.group, self.now or int(time.time()), "", self.fleet.first_root(),
                self.last.trusted, self.last.numbers, self.number, self.back_to, self.last.seen, offline,
            )
        )  # fmt: skip
        if not answer.why:
            self.last = answer
            if answer.number:
                self.number, self.back_to = answer.number, answer.back_to
        return answer


RINGS = (Ring(10, 24), Ring(100, 48), Ring(1000))
