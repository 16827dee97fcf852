"""The laptop with a TPM: a software one (swtpm), which outlives power cuts and can be changed for another."""

from __future__ import annotations

import subprocess
import time
from pathlib import Path
from typing import Any

from tests.laptop.machine import Laptop
from tests.laptop.places import LaptopError
from tests.laptop.qemu import KERNEL, die_with_parent

IMAGE = "bookworm-tpm"  # build-image --name bookworm-tpm --include …: make test-laptop
_KERNEL = KERNEL + " tpm_tis.force=1 tpm_tis.interrupts=0"  # the machine boots without ACPI's tables


class TpmLaptop(Laptop):
    """Always boots; ``chip`` is the folder of the TPM that is in at the next boot: another folder, another chip."""

    def __init__(self, disk: Path, chip: Path, **options: Any) -> None:
        super().__init__(IMAGE, cold=True, **options)
        self._from, self.chip = disk, chip
        self._swtpm: subprocess.Popen[bytes] | None = None

    def on(self) -> TpmLaptop:
        self.overlay(self._from, self._from.suffix.lstrip("."))
        self.boot()
        return self

    def launch(self, extra: list[str], deadline: float) -> None:
        place = self.dir / "tpm"
        place.unlink(missing_ok=True)
        self.chip.mkdir(exist_ok=True)
        self._swtpm = subprocess.Popen(
            ["swtpm", "socket", "--tpm2", "--terminate", "--tpmstate", f"dir={self.chip}", "--ctrl", f"type=unixio,path={place}",
             "--flags", "not-need-init,startup-clear"],
            stdin=subprocess.DEVNULL, stdout=subprocess.DEVNULL, stderr=subprocess.DEVNULL, preexec_fn=die_with_parent,
        )  # fmt: skip
        while not place.exists():
            if self._swtpm.poll() is not None or time.monotonic() > deadline:
                raise LaptopError("swtpm did not start")
            time.sleep(0.02)
        chip = ["-chardev", f"socket,id=chip,path={place}", "-tpmdev", "emulator,id=tpm0,chardev=chip"]
        super().launch([*extra, *chip, "-device", "tpm-tis,tpmdev=tpm0", "-append", _KERNEL], deadline)

    def off(self, number: int | None = None) -> None:
        super().off(number)
        if self._swtpm is not None:
            self._swtpm.terminate()
            self._swtpm.wait(20)
            self._swtpm = None
