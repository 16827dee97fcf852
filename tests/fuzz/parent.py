"""Starts one process a target and collects what broke, a death of that process included."""

from __future__ import annotations

import contextlib
import re
import signal
import subprocess
import sys
import time
import zlib
from dataclasses import dataclass
from pathlib import Path

from tests.fuzz.child import current_input

CHECKOUT = Path(__file__).resolve().parents[2]
FINDINGS = CHECKOUT / "build" / "fuzz"
_TRIED = re.compile(r"tried (\d+)|number_of_executed_units: (\d+)")
_NOT_FINDINGS = {"current", "words.dict"}


@dataclass(frozen=True, slots=True)
class Result:
    """``found`` are the inputs that broke the target, each with a trace beside it; ``said`` is how many were tried."""

    found: tuple[Path, ...]
    said: str = ""


def fuzz(
    name: str, findings: Path, *, seconds: float, seed: int = 1, guided: bool = False, inputs: int = 1 << 40
) -> Result:
    """Fuzz one target for about ``seconds`` of processor time. A process that dies is started again with another seed."""
    folder = findings / name
    folder.mkdir(parents=True, exist_ok=True)
    before = _kept(folder)
    end, said = time.monotonic() + seconds, ""
    while True:
        status, output = _run(name, findings, seconds, seed, guided, inputs)
        said = next((f"{a or b} inputs" for a, b in reversed(_TRIED.findall(output))), said)
        if status in {0, 1} and _TRIED.search(output):  # a start refused by Atheris ends with 1 and tries nothing
            break
        data = current_input(folder) if (folder / "current").exists() else None
        _note_death(folder, status, data, output)
        seconds = end - time.monotonic()
        if data is None or seconds <= 1:
            break
        seed += 1
    return Result(tuple(sorted(_kept(folder) - before)), said)


def _run(name: str, findings: Path, seconds: float, seed: int, guided: bool, inputs: int) -> tuple[int, str]:
    command = [sys.executable, "-m", "tests.fuzz", "--child", name, "--findings", str(findings)]
    command += ["--seconds", str(seconds), "--seed", str(seed), "--inputs", str(inputs)]
    if not guided:
        command.append("--plain")
    done = subprocess.run(
        command, cwd=CHECKOUT, stdout=subprocess.PIPE, stderr=subprocess.STDOUT, text=True, errors="replace",
        stdin=subprocess.DEVNULL,
    )  # fmt: skip
    return done.returncode, done.stdout


def _note_death(folder: Path, status: int, data: bytes | None, output: str) -> None:
    how = str(status)
    with contextlib.suppress(ValueError):
        how = "hang" if -status == signal.SIGPROF else signal.Signals(-status).name
    name = f"died-{how}-{zlib.crc32(data or b''):08x}"
    (folder / name).write_bytes(data or b"")
    (folder / f"{name}.trace").write_text(output[-6000:])


def _kept(folder: Path) -> set[Path]:
    return {
        path
        for path in folder.iterdir()
        if path.is_file()
        and path.name not in _NOT_FINDINGS
        and path.suffix != ".trace"
        and not path.name.startswith("crash-")
    }
