"""A reader that takes its time to start is waited for; one that never comes is ended, and said so."""

import os
from contextlib import suppress
from pathlib import Path

import pytest

from agent.errors import HostError
from agent.extraction.child import Child, Options

ROGUE_WORKER = Path(__file__).parent / "rogue_worker.py"
NOBODY = (65534, 65534) if os.geteuid() == 0 else None
LONGEST_HOLD_S = 120  # [gates] deadline_s


def options(script: Path) -> Options:
    return Options(str(script), 1 << 30, 60, NOBODY, hard_cpu_s=2.0, hard_wall_s=20.0)


def written(folder: Path, text: str) -> Path:
    script = folder / "worker.py"
    script.write_text(text)
    return script


def running(script: Path) -> list[str]:
    found = []
    for process in Path("/proc").glob("[0-9]*"):
        with suppress(OSError):
            if os.fsencode(script) in (process / "cmdline").read_bytes():
                found.append(process.name)
    return found


def test_one_that_does_not_come_is_ended(tmp_path: Path) -> None:
    script = written(tmp_path, "import time\ntime.sleep(600)\n")
    impatient = Options(str(script), 1 << 30, 60, NOBODY, hard_cpu_s=2.0, hard_wall_s=20.0, start_s=1.0)
    with pytest.raises(HostError, match="not ready in 1 s"):
        Child.start(impatient)
    assert running(script) == []


def test_one_that_ends_is_not_waited_for(tmp_path: Path) -> None:
    with pytest.raises(HostError) as caught:
        Child.start(options(written(tmp_path, "raise SystemExit(3)\n")))
    assert "not ready" not in str(caught.value)


def test_one_that_comes_late_serves(tmp_path: Path) -> None:
    text = f"import runpy, time\ntime.sleep(2)\nrunpy.run_path({str(ROGUE_WORKER)!r}, run_name='__main__')\n"
    child = Child.start(options(written(tmp_path, text)))
    try:
        assert child.report is not None
    finally:
        child.end()


def test_a_start_is_given_up_later_than_whoever_waits_for_it() -> None:
    """Earlier, it would be begun anew while they wait: on a slow machine no reader would ever come."""
    assert options(ROGUE_WORKER).start_s > LONGEST_HOLD_S
