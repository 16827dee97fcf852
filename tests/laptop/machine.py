"""A test laptop: a Debian virtual machine with USB ports.

    with Laptop() as pc:
        stick = pc.plug(make_stick("stick.img", "vfat"))
        pc.run(f"udisksctl mount -b {stick.part}", user="medecin", check=True)
        pc.unplug(stick)
        assert find_in_image("stick.img", b"secret") == []

Needs qemu-system-x86_64, qemu-img, and for sticks sfdisk and the mkfs programs. The machine has no network card.
"""

from __future__ import annotations

import contextlib
import fcntl
import hashlib
import os
import shlex
import shutil
import signal
import subprocess
import tempfile
import time
from collections.abc import Callable, Sequence
from pathlib import Path
from typing import Any

from tests.laptop.channel import Channel, Job
from tests.laptop.places import CACHE, CHUNK, USERS, LaptopError, Result, unused, used
from tests.laptop.qemu import Qmp, command_line, die_with_parent
from tests.laptop.usb import Stick, Usb


class Laptop(Usb):
    """One virtual laptop. image: a name given to build-image. state: a folder made by save().

    Without state it resumes the image's ready state, made at the first use; cold=True boots instead. directory: where
    the run's files live (default: a temporary folder, removed at the end). memory: MiB.
    """

    def __init__(
        self, image: str = "bookworm", state: Path | None = None, cold: bool = False,
        directory: str | Path | None = None, memory: int = 1536, cpus: int = 2,
    ) -> None:  # fmt: skip
        self.image = CACHE / image
        if not (self.image / "image.json").exists():
            raise LaptopError(f"no image {self.image}: run build-image")
        self.state = Path(state).resolve() if state else None
        self.cold, self.memory, self.cpus = cold, memory, cpus
        self.own = directory is None
        self.dir = Path(directory or tempfile.mkdtemp(prefix="laptop-", dir="/tmp"))  # short: sockets live in it
        self.dir.mkdir(exist_ok=True)
        self.disk = self.dir / "disk.qcow2"
        self.base = self.image / "base.raw"
        self.process: subprocess.Popen[bytes] | None = None
        self.control: Qmp | None = None
        self.channels: dict[str, Channel] = {}
        self.sticks: dict[str, Stick] = {}

    # -- power ---------------------------------------------------------------

    def __enter__(self) -> Laptop:
        try:
            return self.on()
        except BaseException:
            self.close()
            raise

    def __exit__(self, *_: object) -> None:
        self.close()

    def on(self) -> Laptop:
        """First start of this run: from the state given, the ready state, or (cold) a boot."""
        if not self.state and not self.cold:
            self.state = self.ready_state()
        if self.state:
            self.resume(self.state)
        else:
            self.overlay(self.base, "raw")
            self.boot()
        return self

    def boot(self, timeout: float = 300, sticks: Sequence[Path] = ()) -> float:
        """Cold boot on the disk as it is, as after a power cut, with sticks already in. Returns the seconds to ready."""
        start = time.monotonic()
        self.launch([word for image in sticks for word in self.plugged(image)], start + timeout)
        try:
            for channel in self.channels.values():
                channel.wait(start + timeout)
            self.run("systemctl is-system-running --wait", timeout=timeout)
        except LaptopError as error:
            logs = (self.dir / "console.log", self.dir / "qemu.log")
            ends = "\n".join(path.read_text(errors="replace")[-1500:] for path in logs)
            raise LaptopError(f"{error}, while it booted; its console and qemu's log end:\n{ends}") from None
        return time.monotonic() - start

    def resume(self, state: Path, timeout: float = 60) -> float:
        """Goes on from a folder made by save(); the folder is only read."""
        start = time.monotonic()
        self.overlay(state / "disk.qcow2", "qcow2")
        self.launch(["-incoming", "exec:cat " + shlex.quote(str(state / "memory"))], start + timeout)
        while self.qmp.call("query-status")["status"] == "inmigrate":
            time.sleep(0.02)
        self.qmp.call("cont")
        for channel in self.channels.values():
            channel.wait(start + timeout)
        self.run(f"date -us @{time.time():.3f}", check=True)
        return time.monotonic() - start

    def reboot(self) -> float:
        """Clean shutdown, then a cold boot. Returns the seconds of both."""
        start = time.monotonic()
        self.shutdown()
        self.boot()
        return time.monotonic() - start

    def shutdown(self, timeout: float = 120) -> None:
        """systemctl poweroff, until the machine is off."""
        with contextlib.suppress(LaptopError):
            self.channels["root"].request("exec", argv=["systemctl", "poweroff"])
        deadline = time.monotonic() + timeout
        while self.alive():
            if time.monotonic() > deadline:
                raise TimeoutError(f"not off after {timeout} s")
            time.sleep(0.05)
        self.off()

    def cut(self) -> None:
        """Power cut. What the guest had not written is lost; boot() starts again on the same disk."""
        self.off(signal.SIGKILL)

    def off(self, number: int | None = None) -> None:
        if number and self.alive():
            os.kill(self.pid(), number)
            while self.alive():
                time.sleep(0.01)
        for channel in self.channels.values():
            channel.close()
        if self.control:
            self.control.close()
        self.channels, self.control, self.process = {}, None, None
        self.sticks.clear()
        for name in ("pid", "qmp", *USERS):
            (self.dir / name).unlink(missing_ok=True)

    def close(self) -> None:
        self.off(signal.SIGKILL)
        if self.own:
            shutil.rmtree(self.dir, ignore_errors=True)

    def pid(self) -> int:
        return int((self.dir / "pid").read_text())

    def alive(self) -> bool:
        if self.process:
            return self.process.poll() is None
        try:
            os.kill(self.pid(), 0)
            return True
        except (OSError, ValueError):
            return False

    # -- the machine ---------------------------------------------------------

    @property
    def qmp(self) -> Qmp:
        if self.control is None:
            raise LaptopError("the laptop is off")
        return self.control

    def overlay(self, base: Path, kind: str) -> None:
        self.disk.unlink(missing_ok=True)
        command = ["qemu-img", "create", "-q", "-f", "qcow2", "-F", kind, "-b", str(base), str(self.disk)]
        subprocess.run(command, check=True)

    def launch(self, extra: list[str], deadline: float) -> None:
        if self.alive():
            raise LaptopError("the laptop is on already")
        command = command_line(self.image, self.dir, self.memory, self.cpus) + extra
        with (self.dir / "qemu.log").open("ab") as log:
            self.process = subprocess.Popen(
                command, stdin=subprocess.DEVNULL, stdout=log, stderr=log, start_new_session=True,
                preexec_fn=die_with_parent if self.own else None,
            )  # fmt: skip
        (self.dir / "pid").write_text(str(self.process.pid))
        try:
            self.attach(deadline)
        except LaptopError:
            raise LaptopError(f"qemu did not start: {(self.dir / 'qemu.log').read_text()[-2000:]}") from None

    def attach(self, deadline: float | None = None) -> Laptop:
        """Talks to the machine that runs in this directory."""
        deadline = deadline or time.monotonic() + 10
        self.control = Qmp(self.dir / "qmp", deadline)
        self.channels = {user: Channel(self.dir / user, deadline) for user in USERS}
        return self

    # -- snapshots -----------------------------------------------------------

    def save(self, folder: Path | str, go_on: bool = True) -> None:
        """Freezes disk and memory into folder (new), for Laptop(state=folder). No stick may be plugged."""
        if self.sticks:
            raise LaptopError("unplug the sticks before save()")
        folder = Path(folder).resolve()
        folder.mkdir(parents=True)
        self.qmp.call("migrate-set-parameters", max_bandwidth=1 << 40)
        self.qmp.call("stop")
        self.qmp.call("migrate", uri="exec:cat >" + shlex.quote(str(folder / "memory")))
        while (status := self.qmp.call("query-migrate").get("status")) != "completed":
            if status in ("failed", "cancelled"):
                raise LaptopError(f"save: {status}")
            time.sleep(0.05)
        self.qmp.call("quit")
        while self.alive():
            time.sleep(0.01)
        self.off()
        shutil.move(self.disk, folder / "disk.qcow2")
        if go_on:
            self.resume(folder)

    def ready_state(self) -> Path:
        """The image, booted once: made when missing, kept in the cache."""
        return self.kept("ready", self.identity(), None, lambda pc: None)

    def identity(self) -> list[bytes]:
        """What a saved state depends on: the image, QEMU, the machine it builds."""
        version = subprocess.run(["qemu-system-x86_64", "--version"], check=True, capture_output=True).stdout
        machine = " ".join(command_line(Path("image"), Path("run"), self.memory, self.cpus))
        return [(self.image / "image.json").read_bytes(), version, machine.encode()]

    def kept(
        self, name: str, parts: list[bytes], base: Path | None, prepare: Callable[[Laptop], None],
        disk: Callable[[Path, Path], Path] | None = None,
    ) -> Path:  # fmt: skip
        """A state in the image's folder, remade when one of ``parts`` differs.

        Made from the state ``base`` (None: a cold boot) by ``prepare(laptop)``; ``disk(base.raw, folder)`` makes the disk
        of that boot in the folder, which is kept beside the state.
        """
        digest = hashlib.sha256(b"\0".join(parts)).hexdigest()[:12]
        folder, own = self.image / f"{name}-{digest}", self.image / f"{name}-{digest}.disk"
        with (self.image / "lock").open("w") as lock:
            fcntl.flock(lock, fcntl.LOCK_EX)
            if not folder.exists():
                for old in unused(self.image.glob(f"{name}-*")):
                    shutil.rmtree(old)
                partial = self.image / "partial"
                shutil.rmtree(partial, ignore_errors=True)
                shutil.rmtree(own, ignore_errors=True)
                pc = Laptop(self.image.name, base, cold=base is None, memory=self.memory, cpus=self.cpus)
                with contextlib.closing(pc):
                    if disk:
                        own.mkdir()
                        pc.base = disk(pc.base, own)
                    prepare(pc.on())
                    pc.run("sync; echo 3 > /proc/sys/vm/drop_caches", check=True)
                    pc.save(partial, go_on=False)
                partial.rename(folder)
            used(folder, own)
        return folder

    # -- commands and files --------------------------------------------------

    def start(
        self, command: str | Sequence[str], user: str = "root", stdin: bytes = b"", timeout: float = 120,
        cwd: str | None = None, env: dict[str, str] | None = None,
    ) -> Job:  # fmt: skip
        """Starts a command (a shell line, or a list of words); returns a Job."""
        argv = ["/bin/sh", "-c", command] if isinstance(command, str) else list(command)
        channel = self.channel(user)
        ident, future = channel.request("exec", stdin, argv=argv, timeout=timeout, cwd=cwd, env=env or {})
        return Job(channel, command, ident, future, timeout)

    def run(self, command: str | Sequence[str], user: str = "root", check: bool = False, **options: Any) -> Result:
        """Runs a command to its end. medecin's run in the session on seat0."""
        return self.start(command, user, **options).wait(check=check)

    def put(self, source: Path | str, target: str | Path, user: str = "root", mode: int = 0o644) -> None:
        """Copies a host file in. It belongs to user, who must be allowed to write there."""
        with Path(source).open("rb") as file:
            offset = 0
            while (data := file.read(CHUNK)) or not offset:
                self.channel(user).call("put", data, path=str(target), offset=offset, mode=mode)
                offset += len(data)
                if not data:
                    break

    def get(self, source: str, target: Path | str, user: str = "root") -> None:
        """Copies a guest file out."""
        with Path(target).open("wb") as file:
            while True:
                _, data = self.channel(user).call("get", path=str(source), offset=file.tell(), size=CHUNK)
                if not data:
                    return
                file.write(data)

    def channel(self, user: str) -> Channel:
        if user not in self.channels:
            raise LaptopError("the laptop is off" if user in USERS else f"no user {user}: {USERS}")
        return self.channels[user]
