"""The machine as QEMU runs it: its control socket, its command line, how it ends with whoever started it."""

from __future__ import annotations

import contextlib
import ctypes
import json
import os
import signal
import time
from pathlib import Path
from typing import Any

from tests.laptop.channel import connect
from tests.laptop.places import USERS, LaptopError

KERNEL = (
    "console=ttyS0 rw quiet loglevel=4 panic=-1 mitigations=off no_timer_check "
    "tsc=reliable nowatchdog random.trust_cpu=on systemd.show_status=0"
)
LIBC = ctypes.CDLL(None)


class Qmp:
    """QEMU's control socket."""

    def __init__(self, path: Path, deadline: float) -> None:
        self.sock = connect(path, deadline)
        self.stream = self.sock.makefile("rb")
        self.events: list[dict[str, Any]] = []
        self.stream.readline()
        self.call("qmp_capabilities")

    def message(self, timeout: float) -> dict[str, Any]:
        self.sock.settimeout(timeout)
        line = self.stream.readline()
        if not line:
            raise LaptopError("qemu ended")
        answer: dict[str, Any] = json.loads(line)
        return answer

    def call(self, command: str, **arguments: Any) -> Any:
        request = {"execute": command, "arguments": {k.replace("_", "-"): v for k, v in arguments.items()}}
        self.sock.sendall(json.dumps(request).encode() + b"\n")
        while True:
            answer = self.message(60)
            if "return" in answer:
                return answer["return"]
            if "error" in answer:
                raise LaptopError(f"{command}: {answer['error']['desc']}")
            self.events.append(answer)

    def event(self, name: str, timeout: float = 30, **data: Any) -> dict[str, Any]:
        deadline = time.monotonic() + timeout
        while True:
            for event in self.events:
                if event["event"] == name and data.items() <= event.get("data", {}).items():
                    self.events.remove(event)
                    return event
            try:
                self.events.append(self.message(max(0.01, deadline - time.monotonic())))
            except TimeoutError:
                raise TimeoutError(f"qemu: no {name} in {timeout} s") from None

    def close(self) -> None:
        self.stream.close()
        self.sock.close()


def accelerator() -> str:
    """KVM only where the processor virtualises: a para-virtual /dev/kvm cannot run a distribution's kernel."""
    wanted = os.environ.get("SERMENT_LAPTOP_ACCEL")
    if wanted:
        return wanted
    with contextlib.suppress(OSError):
        cpu = Path("/proc/cpuinfo").read_text()
        flags = next(line for line in cpu.splitlines() if line.startswith("flags")).split()
        if {"vmx", "svm"} & set(flags) and os.access("/dev/kvm", os.R_OK | os.W_OK):
            return "kvm"
    return "tcg"


def die_with_parent() -> None:
    """A test runner that is killed leaves no machine behind."""
    LIBC.prctl(1, signal.SIGKILL)  # PR_SET_PDEATHSIG


def command_line(image: Path, folder: Path, memory: int, cpus: int) -> list[str]:
    """The machine of ``folder`` (disk.qcow2 and its sockets), booting the kernel of ``image``. ``memory``: MiB."""
    fast = accelerator() == "kvm"
    words: list[object] = [
        "qemu-system-x86_64", "-nodefaults", "-no-user-config", "-display", "none", "-no-reboot",
        "-machine", "q35", "-m", memory, "-smp", cpus, "-rtc", "base=utc",
        "-accel", "kvm" if fast else "tcg,thread=multi,tb-size=256",
        "-cpu", "host" if fast else "max,-la57", "-nic", "none",
        "-kernel", image / "vmlinux", "-initrd", image / "initrd", "-append", KERNEL,
        "-drive", f"id=disk,if=none,format=qcow2,cache=writeback,discard=unmap,file={folder / 'disk.qcow2'}",
        "-device", "virtio-blk-pci,drive=disk", "-device", "virtio-rng-pci",
        "-device", "qemu-xhci,id=usb,p2=8,p3=8", "-device", "virtio-serial-pci",
        "-chardev", f"file,id=console,append=on,path={folder / 'console.log'}", "-serial", "chardev:console",
        "-qmp", f"unix:{folder / 'qmp'},server=on,wait=off",
    ]  # fmt: skip
    for user in USERS:
        words += ["-chardev", f"socket,id={user},server=on,wait=off,path={folder / user}"]
        words += ["-device", f"virtserialport,chardev={user},name=rig.{user}"]
    return [str(word) for word in words]
