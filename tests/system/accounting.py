"""Bookkeeping for the whole-path tests: which files went in, which records say so, where every document is now."""

from __future__ import annotations

import hashlib
import http.client
import json
import os
import tempfile
from collections import Counter, defaultdict
from dataclasses import dataclass, field
from pathlib import Path
from typing import Any

from agent.crypto.keys import KeyStore
from agent.crypto.sealed import is_sealed, unseal
from agent.daemon.device import DeviceIdentity, load_device
from agent.errors import SealError
from tests.running import RunningAgent, wait_for

UNFINISHED = {"interrupted", "changed", "gone", "failed"}


@dataclass
class Delivery:
    """One file that was written into a guarded place."""

    channel: str
    path: Path
    sha256: str
    inode: int
    size: int
    mtime_ns: int
    ctime_ns: int


@dataclass
class Books:
    """``deliver`` files, then ask whether the records and the folders add up."""

    agent: RunningAgent
    delivered: list[Delivery] = field(default_factory=list)

    def deliver(self, channel: str, source: bytes, target: Path) -> None:
        """Write a file as a program does: whole, then closed; note its state at the last moment before the close."""
        target.parent.mkdir(parents=True, exist_ok=True)
        with target.open("xb", buffering=0) as file:
            file.write(source)
            state = os.fstat(file.fileno())
        self.delivered.append(
            Delivery(
                channel, target, hashlib.sha256(source).hexdigest(), state.st_ino, state.st_size, state.st_mtime_ns,
                state.st_ctime_ns,
            )
        )  # fmt: skip

    def note(self, channel: str, path: Path) -> None:
        """Enter a file in the state it has now, however it came to it."""
        state = path.stat()
        self.delivered.append(
            Delivery(
                channel, path, _sha256(path), state.st_ino, state.st_size, state.st_mtime_ns, state.st_ctime_ns
            )
        )  # fmt: skip

    def identity(self) -> DeviceIdentity:
        return load_device(self.agent.data)

    def digest(self, delivery: Delivery, roots: dict[str, Path], volume_digest: str) -> str:
        """The keyed digest under which the audit log knows the file (see agent.daemon.transfer_record)."""
        return self.identity().pseudonym(
            "file", volume_digest.encode(), str(delivery.inode).encode(), str(delivery.size).encode(),
            str(delivery.mtime_ns).encode(), str(delivery.ctime_ns).encode(),
        )  # fmt: skip

    def transfers(self) -> dict[str, list[dict[str, Any]]]:
        """File digest → its transfer records that count: those that were finished."""
        records = self.agent.records()
        unfinished = {r["of"] for r in records if r["k"] == "outcome" and r["result"] in UNFINISHED}
        found: dict[str, list[dict[str, Any]]] = defaultdict(list)
        for record in records:
            if record["k"] == "transfer" and record["i"] not in unfinished:
                found[record["file"]].append(record)
        return found

    def volume_digests(self) -> dict[str, str]:
        """Channel → keyed digest of its (only) volume, from the records that say what was armed."""
        return {r["channel"]: r["volume"] for r in self.agent.records("place") if r["state"] == "armed"}

    def check(self) -> Counter[str]:
        """Every delivered file has exactly one finished record, and the folders show what the records say.

        Every act that was announced has its one outcome. Returns how often each decision was taken.
        """
        self.check_outcomes()
        transfers, volumes = self.transfers(), self.volume_digests()
        decisions: Counter[str] = Counter()
        wrong: list[str] = []
        for delivery in self.delivered:
            records = transfers.get(self.digest(delivery, {}, volumes[delivery.channel]), [])
            if len(records) != 1:
                wrong.append(f"{delivery.path}: {len(records)} records")
                continue
            decision = records[0]["decision"]
            decisions[decision] += 1
            stays = decision in {"observe", "inform"}
            if delivery.path.exists() != stays:
                wrong.append(f"{delivery.path}: {decision}, and it is {'gone' if stays else 'still there'}")
            if stays and _sha256(delivery.path) != delivery.sha256:
                wrong.append(f"{delivery.path}: changed")
        assert not wrong, f"{len(wrong)} of {len(self.delivered)}: " + "; ".join(wrong[:20])
        return decisions

    def check_outcomes(self) -> None:
        """An act that was announced ended, once; nothing ended that was not announced."""
        records = self.agent.records()
        announced = Counter(record["i"] for record in records if record["k"] == "transfer" and record.get("act"))
        ended = Counter(record["of"] for record in records if record["k"] == "outcome")
        assert announced == ended, f"not the same: {sorted((announced - ended) + (ended - announced))[:20]}"

    def check_rescan(self) -> None:
        """Asked to look at everything again, the agent looks at every file that stayed and judges none of them."""
        files = sum(delivery.path.exists() for delivery in self.delivered)
        before, skipped = self.agent.records("transfer"), self.agent.status()["counts"]["skipped"]
        known = {record["file"] for record in before}  # sealed files and notes of ours may still come in
        self.agent.client.call("rescan")
        wait_for(lambda: self.agent.status()["counts"]["skipped"] >= skipped + files and self.agent.idle(), 120)
        again = [record["i"] for record in self.agent.records("transfer")[len(before) :] if record["file"] in known]
        assert again == []

    def lost(self) -> list[Path]:
        """Delivered files whose content is nowhere any more: not in place, not in quarantine, not in a sealed file."""
        kept: Counter[str] = Counter()
        for folder in {delivery.path.parent for delivery in self.delivered}:
            for entry in folder.iterdir():
                if entry.is_file() and entry.suffix == ".age":
                    kept[self._opened(entry)] += 1
        for content in (self.agent.data / "quarantine").glob("*/content"):
            kept[_sha256(content)] += 1
        for delivery in self.delivered:
            if delivery.path.exists():
                kept[_sha256(delivery.path)] += 1
        lost = []
        for delivery in self.delivered:  # the same content came several times: each of them has to be somewhere
            if kept[delivery.sha256] > 0:
                kept[delivery.sha256] -= 1
            else:
                lost.append(delivery.path)
        return lost

    def _opened(self, sealed: Path) -> str:
        """SHA-256 of the document in a sealed file, opened with the practice's key."""
        key = KeyStore(self.agent.data / "keys").practice_identity()
        fd = os.open(sealed, os.O_RDONLY)
        try:
            if not is_sealed(fd):
                return ""
            with tempfile.TemporaryFile() as plain:
                unseal(fd, [key], plain.fileno())
                plain.seek(0)
                return hashlib.file_digest(plain, "sha256").hexdigest()
        except SealError:
            return ""
        finally:
            os.close(fd)


def _sha256(path: Path) -> str:
    with path.open("rb") as file:
        return hashlib.file_digest(file, "sha256").hexdigest()


def collector_get(agent: RunningAgent, path: str) -> Any:
    """What the embedded collector answers to a script."""
    status = agent.status()["collector"]
    host = status["url"].removeprefix("http://")
    connection = http.client.HTTPConnection(host, timeout=30)
    token = Path(status["token_file"]).read_text("ascii").strip()
    try:
        connection.request("GET", path, headers={"Authorization": f"Bearer {token}"})
        return json.loads(connection.getresponse().read())
    finally:
        connection.close()
