"""Office work at speed: saves, copies to a stick, a sync folder and its client, downloads, the stick pulled and put back.

One seed, one day. It remembers each operation, so that afterwards each document can be asked for (as it is, sealed, or
in quarantine) and each record has to have its operation. The agent is real, and so are its airlock and its gate.
"""

from __future__ import annotations

import contextlib
import os
import random
import subprocess
from collections import Counter
from dataclasses import dataclass, field
from pathlib import Path

from agent.actions.placeholder import NAME as NOTE
from agent.audit.private import Opener
from agent.audit.segments import Entry, read
from agent.channels.settle import OWN_PREFIX
from agent.crypto.keys import KeyStore
from agent.crypto.sealed import is_sealed, unseal
from tests.running import wait_for
from tests.stick_bed import HARMLESS, Bed, airlocks, letter

KINDS = {
    "save": 40, "stick": 12, "sync": 14, "read": 12, "arrive": 8, "forget": 8,
    "letter-stick": 3, "letter-sync": 1, "letter-arrive": 2,
}  # fmt: skip
PLUG_EVERY = 500
MOST = 200  # documents that lie in one folder: an older one is thrown away
PATIENCE_S = 120.0


@dataclass(frozen=True)
class Use:
    """What the agent and its gates hold: open files, and memory of their own in kilobytes."""

    descriptors: int
    private_kb: int


@dataclass
class OfficeDay:
    """``work`` as long as you like, then ``settle``; ``lost`` and ``unexplained`` say what is wrong."""

    bed: Bed
    cloud: Path
    downloads: Path
    seed: int
    there: dict[Path, bytes] = field(default_factory=dict)  # what nobody may touch
    letters: dict[str, dict[str, bytes]] = field(default_factory=lambda: {"stick": {}, "sync": {}, "arrive": {}})
    names: set[str] = field(default_factory=set)  # of everything that was ever written where it is guarded
    done: Counter[str] = field(default_factory=Counter)
    leaked: list[str] = field(default_factory=list)  # letters that the client could read

    def __post_init__(self) -> None:
        self._chance = random.Random(self.seed)
        self._number = 0
        self._desk = self.bed.base / "desk"
        self._desk.mkdir(exist_ok=True)

    # ---- the day

    def work(self, operations: int) -> None:
        kinds = self._chance.choices(list(KINDS), list(KINDS.values()), k=operations)
        for kind in kinds:
            self._number += 1
            getattr(self, "_" + kind.replace("-", "_"))()
            self.done[kind] += 1
            if self._number % PLUG_EVERY == 0:
                self.plug()

    def _text(self) -> bytes:
        return f"{HARMLESS * self._chance.randint(1, 40)}Note {self._number}\n".encode()

    def _letter(self) -> bytes:
        return letter(self._chance.randint(1, 30)) + f"Courrier {self._number}\n".encode()

    def _save(self) -> None:
        """As an editor does: beside it, then over it. On the desk, where nobody guards, half of the time."""
        folder = self._chance.choice((self._desk, self.downloads))
        name = f"note-{self._chance.randrange(MOST)}.txt"
        content = self._text()
        if folder is self.downloads:
            self.names |= {name, f".{name}.tmp"}
        draft = folder / f".{name}.tmp"
        draft.write_bytes(content)
        draft.rename(folder / name)
        self.there[folder / name] = content

    def _put(self, path: Path, content: bytes) -> None:
        self.names.add(path.name)
        path.write_bytes(content)
        self.there[path] = content
        self._tidy(path.parent)

    def _tidy(self, folder: Path) -> None:
        mine = [path for path in self.there if path.parent == folder]
        if len(mine) > MOST:
            path = self._chance.choice(mine)
            del self.there[path]
            path.unlink()

    def _stick(self) -> None:
        self._put(self.bed.stick.point / f"copie-{self._number}.txt", self._text())

    def _sync(self) -> None:
        self._put(self.cloud / f"partage-{self._number}.txt", self._text())

    def _arrive(self) -> None:
        self._put(self.downloads / f"recu-{self._number}.txt", self._text())

    def _read(self) -> None:
        """A sync client: it gets what is harmless."""
        mine = sorted(path for path in self.there if path.parent == self.cloud)
        if mine:
            path = self._chance.choice(mine)
            if path.read_bytes() != self.there[path]:
                raise AssertionError(f"{path} is not what was saved")

    def _forget(self) -> None:
        with contextlib.suppress(IndexError):
            path = self._chance.choice(sorted(self.there))
            del self.there[path]
            path.unlink()

    def _sensitive(self, where: str, folder: Path) -> Path:
        path, content = folder / f"courrier-{self._number}.txt", self._letter()
        self.names.add(path.name)
        self.letters[where][path.name] = content
        path.write_bytes(content)
        return path

    def _letter_stick(self) -> None:
        self._sensitive("stick", self.bed.stick.point)

    def _letter_sync(self) -> None:
        """The client is quick, and gets nothing."""
        path = self._sensitive("sync", self.cloud)
        with contextlib.suppress(PermissionError, FileNotFoundError):
            path.read_bytes()
            self.leaked.append(path.name)

    def _letter_arrive(self) -> None:
        self._sensitive("arrive", self.downloads)

    def plug(self) -> None:
        """One click ejects; it is put back, and held again."""
        stick = self.bed.stick

        def ejected() -> bool:
            return subprocess.run(["umount", str(stick.point)], check=False, capture_output=True).returncode == 0

        wait_for(ejected, PATIENCE_S)
        wait_for(lambda: not stick.mounts(), PATIENCE_S)  # the agent takes away what lies below
        wait_for(lambda: not airlocks(self.bed.base), PATIENCE_S)
        stick.gone()
        stick.plug()
        self.names |= set(os.listdir(stick.point))  # what lies there is looked at as it comes: sealed copies too
        try:
            wait_for(lambda: self.bed.channel().get("mechanism") == "airlock", PATIENCE_S)
        except TimeoutError as error:
            raise AssertionError(f"not held again: {self.bed.channel()}, {stick.mounts()}") from error
        self.done["plug"] += 1

    # ---- afterwards

    def settle(self) -> None:
        """Until everything that came was judged, and what had to be taken away is away."""
        wait_for(self.bed.agent.idle, PATIENCE_S, 0.2)
        wait_for(lambda: not [name for name in self.letters["sync"] if (self.cloud / name).exists()], PATIENCE_S, 0.2)
        wait_for(lambda: set(self.letters["arrive"]) <= set(self._recorded()), PATIENCE_S, 0.5)

    def use(self) -> Use:
        pids = [self.bed.agent.process.pid, *self.bed.agent.gates()] if self.bed.agent.process else []
        descriptors = sum(len(os.listdir(f"/proc/{pid}/fd")) for pid in pids)
        rollups = [Path(f"/proc/{pid}/smaps_rollup").read_text() for pid in pids]
        return Use(descriptors, sum(int(text.split("Anonymous:")[1].split()[0]) for text in rollups))

    def lost(self) -> list[str]:
        """Documents that are nowhere: neither as they were saved, nor sealed, nor in quarantine."""
        gone = [str(path) for path, content in self.there.items() if not path.is_file() or path.read_bytes() != content]
        kept = Counter(self._unsealed())
        gone += [name for name, content in self.letters["stick"].items() if not kept[content]]
        held = self._quarantined()
        gone += [name for name, content in self.letters["sync"].items() if content not in held]
        gone += [name for name, content in self.letters["arrive"].items()
                 if not (self.downloads / name).is_file() or (self.downloads / name).read_bytes() != content]  # fmt: skip
        return gone

    def bare(self) -> list[str]:
        """Letters that stand readable on the stick."""
        wanted = set(self.letters["stick"].values())
        return [path.name for path in self.bed.stick.point.iterdir() if path.is_file() and path.read_bytes() in wanted]

    def _unsealed(self) -> list[bytes]:
        identity = KeyStore(self.bed.agent.data / "keys").practice_identity()
        found = []
        for path in sorted(self.bed.stick.point.rglob("*")):
            with contextlib.ExitStack() as stack:
                if not path.is_file() or not is_sealed((file := stack.enter_context(path.open("rb"))).fileno()):
                    continue
                plain = stack.enter_context((self.bed.base / "plain").open("w+b"))
                unseal(file.fileno(), [identity], plain.fileno())
                found.append((self.bed.base / "plain").read_bytes())
        return found

    def _quarantined(self) -> set[bytes]:
        return {path.read_bytes() for path in (self.bed.agent.data / "quarantine").glob("*/content")}

    def _entries(self) -> list[Entry]:
        return [entry for entry in read(self.bed.agent.data / "audit") if entry.fields["k"] == "transfer"]

    def _recorded(self) -> Counter[str]:
        """How many records there are by the name of the document, which stands in their private part."""
        keys = KeyStore(self.bed.agent.data / "keys")
        opener = Opener(self.bed.agent.data / "audit", (keys.practice_identity(),))
        names: Counter[str] = Counter()
        for entry in self._entries():
            told = opener.open(entry.private, entry.number)
            names[os.fsdecode(told["name"]).rpartition("/")[2]] += 1
        return names

    def unexplained(self) -> list[str]:
        """Records about documents that nobody wrote. The note on what was taken away is ours, and seen like any file; so
        is the draft of a sealed copy, when the watch and the airlock seal the same document as a volume comes.
        """
        ours = {name for name in self._recorded() if name == os.fsdecode(NOTE) or name.startswith(OWN_PREFIX)}
        return sorted(set(self._recorded()) - self.names - ours)

    def unrecorded(self) -> list[str]:
        """Letters without a record."""
        recorded = self._recorded()
        return [name for letters in self.letters.values() for name in letters if not recorded[name]]
