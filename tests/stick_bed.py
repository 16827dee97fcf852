"""A scratch stick for the tests of airlocks: mounted as a desktop would, gone afterwards whatever happened. Root only."""

from __future__ import annotations

import contextlib
import os
import signal
import subprocess
from collections.abc import Iterator
from dataclasses import dataclass, field
from pathlib import Path

from tests.running import RunningAgent, wait_for

MARK = "SERMENT-ESSAI"
PATIENT = (
    f"Compte rendu de consultation\nPatient : Mme Jeanne EXEMPLE, née le 01/03/1961\nNIR : 2 61 03 75 116 123 {97 - 2610375116123 % 97:02}\n"
    "Motif : insuffisance cardiaque. Traitement : furosémide 40 mg, bisoprolol 5 mg.\n"
    "Tension artérielle 150/90 mmHg. ECG : fibrillation auriculaire.\nDr Paul MARTIN, cardiologue\n"
)
HARMLESS = "Liste de courses : du pain, du lait, des œufs.\n"


def letter(records: int = 256) -> bytes:
    """A document about an invented patient with that many marked lines, each 64 bytes or more."""
    lines = (f"{MARK}-{number:06d} tension artérielle 150/90 mmHg, furosémide 40 mg\n" for number in range(records))
    return (PATIENT + "".join(lines)).encode()


def run(line: str, timeout_s: float = 60.0) -> subprocess.CompletedProcess[str]:
    """A shell line as a user would type it; one that hangs is a failure of the test, not of the suite."""
    return subprocess.run(["sh", "-c", line], capture_output=True, text=True, timeout=timeout_s)


@dataclass
class Stick:
    base: Path
    name: str = "CLE"
    size_mib: int = 32
    options: str = "ro"
    write_protected: bool = False
    device: str = ""
    image: Path = field(init=False)
    point: Path = field(init=False)

    def __post_init__(self) -> None:
        self.image, self.point = self.base / f"{self.name}.img", self.base / self.name

    def plug(self) -> None:
        if not self.image.exists():
            with self.image.open("wb") as file:
                file.truncate(self.size_mib << 20)
            subprocess.run(["mkfs.ext4", "-q", "-F", "-E", "root_owner=0:0", str(self.image)], check=True)
        self.point.mkdir(exist_ok=True)
        if not self.device:
            protected = ["-r"] if self.write_protected else []
            made = subprocess.run(
                ["losetup", "--find", "--show", *protected, str(self.image)], capture_output=True, text=True, check=True
            )
            self.device = made.stdout.strip()
        self.mount()

    def mount(self) -> None:
        subprocess.run(["mount", "-o", self.options, self.device, str(self.point)], check=True)

    def mounts(self) -> list[str]:
        """The kinds of file systems that are mounted here, the lowest first."""
        with open("/proc/self/mountinfo", encoding="utf-8") as table:
            lines = [line.split(" - ") for line in table]
        return [right.split()[0] for left, right in lines if left.split()[4] == str(self.point)]

    def raw(self, *needles: bytes) -> list[int]:
        """How often each stands on the raw medium."""
        subprocess.run(["sync", "-f", str(self.image)], check=False)
        content = self.image.read_bytes()
        return [content.count(needle) for needle in needles]

    def gone(self) -> None:
        for _ in range(4):
            if not self.mounts():
                break
            subprocess.run(["umount", "-f", "-l", str(self.point)], check=False, capture_output=True)
        if self.device:
            subprocess.run(["losetup", "-d", self.device], check=False, capture_output=True)
            self.device = ""


def airlocks(base: Path) -> list[int]:
    """The processes of airlocks that serve something below ``base``."""
    found = []
    for name in os.listdir("/proc"):
        with contextlib.suppress(OSError):
            if name.isdigit():
                words = Path(f"/proc/{name}/cmdline").read_bytes().split(b"\0")
                if b"agent.gates.airlock" in words and any(word.startswith(os.fsencode(base)) for word in words):
                    found.append(int(name))
    return sorted(found)


class Bed:
    """``sticks`` that one ``agent`` guards."""

    def __init__(self, base: Path, sticks: list[Stick], **options: object) -> None:
        base.chmod(0o755)
        self.base, self.sticks = base, sticks
        self.stick = sticks[0]
        self.agent = RunningAgent(
            base, volumes=[stick.point for stick in sticks], collector="off", airlock=True, **options
        )  # type: ignore[arg-type]

    def channel(self, stick: Stick | None = None) -> dict[str, object]:
        point = str((stick or self.stick).point)
        return next((each for each in self.agent.status()["channels"] if each["path"] == point), {})

    def wait_held(self, stick: Stick | None = None) -> None:
        wait_for(lambda: self.channel(stick).get("mechanism") == "airlock", 30)

    def pid(self) -> int:
        return wait_for(lambda: airlocks(self.base))[0]

    def put(self, name: str, content: bytes) -> Path:
        path = self.base / name
        path.write_bytes(content)
        return path

    def copy(self, name: str, to: str = "", *, timeout_s: float = 60.0) -> subprocess.CompletedProcess[str]:
        return run(f"cp '{self.base / name}' '{self.stick.point}/{to}'", timeout_s)

    def listed(self) -> list[str]:
        """Without what is there for a moment: the trial file that must be refused."""
        ours = ("lost+found", ".serment-canary-")
        return sorted(name for name in os.listdir(self.stick.point) if not name.startswith(ours))

    def close(self) -> None:
        try:
            with contextlib.suppress(Exception):
                self.agent.stop()
            for pid in (*airlocks(self.base), *self.agent.holders()):
                with contextlib.suppress(ProcessLookupError):
                    os.kill(pid, signal.SIGKILL)
            self.agent.kill()
        finally:
            for stick in self.sticks:
                stick.gone()


@contextlib.contextmanager
def bed(base: Path, *, sticks: list[Stick] | None = None, start: bool = True, **options: object) -> Iterator[Bed]:
    made = Bed(base, sticks or [Stick(base)], **options)
    try:
        for stick in made.sticks:
            stick.plug()
        made.put("lettre.txt", letter())
        made.put("bonjour.txt", HARMLESS.encode())
        if start:
            made.agent.start()
        yield made
    finally:
        made.close()
