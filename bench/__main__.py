"""``python -m bench [--json FILE] [NAME…]``: every figure against its budget, in one table. Bounded: twelve minutes.

Each suite runs in a process of its own, one after another, so that they share nothing but the machine; one that fails
or takes too long is a line in the table, not the end. Exit: 0 all measured (kept or not), 1 a suite failed.
"""

from __future__ import annotations

import argparse
import json
import os
import platform
import signal
import subprocess
import sys
import time
from pathlib import Path
from typing import Any

from bench.measure import Figure
from bench.suites import BY_TESTS, SUITES

TOTAL_S = 720.0
CHECKOUT = Path(__file__).resolve().parent.parent


def main(words: list[str]) -> int:
    parser = argparse.ArgumentParser(prog="python -m bench", description="figures against the budgets of the design")
    parser.add_argument("--json", type=Path, metavar="FILE", help="also write them there, to compare later")
    parser.add_argument("--inside", choices=SUITES, help=argparse.SUPPRESS)
    parser.add_argument("names", nargs="*", metavar="NAME", help=f"only these: {', '.join(SUITES)}")
    chosen = parser.parse_args(words)
    if unknown := set(chosen.names) - set(SUITES):
        parser.error(f"there is no {', '.join(sorted(unknown))}; there are {', '.join(SUITES)}")
    if chosen.inside:
        print(json.dumps([figure.as_dict() for figure in SUITES[chosen.inside][0]()]))
        return 0
    names = chosen.names or list(SUITES)
    machine = describe_machine()
    figures, failed = measure(names)
    for line in table(figures):
        print(line)
    for line in closing(names, failed, machine):
        print(line)
    if chosen.json:
        chosen.json.write_text(json.dumps({"machine": machine, "failed": failed, "figures": figures}, indent=1) + "\n")
    return 1 if failed else 0


def measure(names: list[str]) -> tuple[list[dict[str, Any]], dict[str, str]]:
    """The figures of the suites by name, and why those that gave none did not."""
    deadline = time.monotonic() + TOTAL_S
    figures: list[dict[str, Any]] = []
    failed: dict[str, str] = {}
    for name in names:
        print(f"… {name}", file=sys.stderr, flush=True)
        try:
            found = json.loads(_inside(name, min(SUITES[name][1], deadline - time.monotonic())))
            figures += [{"suite": name, **figure} for figure in found]
            if not found:
                failed[name] = "nothing to measure here"
        except subprocess.TimeoutExpired:
            failed[name] = "took too long"
        except subprocess.CalledProcessError as error:
            failed[name] = (error.stderr.strip().splitlines() or [f"exit {error.returncode}"])[-1]
    return figures, failed


def _inside(name: str, limit_s: float) -> str:
    """Run one suite as a process group; all of it is ended when the time is over."""
    command = [sys.executable, "-m", "bench", "--inside", name]
    with subprocess.Popen(
        command, cwd=CHECKOUT, stdout=subprocess.PIPE, stderr=subprocess.PIPE, text=True, start_new_session=True
    ) as process:
        try:
            out, errors = process.communicate(timeout=max(1.0, limit_s))
        except BaseException:
            os.killpg(process.pid, signal.SIGKILL)
            raise
    if process.returncode:
        raise subprocess.CalledProcessError(process.returncode, command, out, errors)
    return out.strip().splitlines()[-1]


def table(figures: list[dict[str, Any]]) -> list[str]:
    """What missed its budget first, then what kept it, then what has none."""
    order = {False: 0, True: 1, None: 2}
    names = Figure.__dataclass_fields__
    ordered = sorted(figures, key=lambda figure: order[figure["kept"]])
    return [Figure(**{key: figure[key] for key in names}).line() for figure in ordered]


def closing(names: list[str], failed: dict[str, str], machine: dict[str, Any]) -> list[str]:
    lines = [f"! {name}: {why}" for name, why in failed.items()]
    if set(names) == set(SUITES):
        lines += [f"  {row:<64} {test}" for row, test in BY_TESTS.items()]
    lines += [
        "",
        "✗ misses its budget, ✓ keeps it; the last column is the ratio to the bare operation of the same run.",
        "Method: bench/README.md. Machine: {processor}, {cores} cores, {memory_gb} GB, Linux {kernel}, "
        "Python {python}, load {load} at the start.".format(**machine),
    ]
    return lines


def describe_machine() -> dict[str, Any]:
    with open("/proc/cpuinfo", encoding="utf-8") as info:
        model = next((line.partition(":")[2].strip() for line in info if line.startswith("model name")), "")
    return {
        "processor": model or platform.machine(),
        "cores": len(os.sched_getaffinity(0)),
        "memory_gb": round(os.sysconf("SC_PHYS_PAGES") * os.sysconf("SC_PAGE_SIZE") / 1e9),
        "kernel": os.uname().release,
        "python": platform.python_version(),
        "load": round(os.getloadavg()[0], 1),
        "at": time.strftime("%Y-%m-%dT%H:%M:%SZ", time.gmtime()),
        "commit": _commit(),
    }


def _commit() -> str:
    command = ["git", "-C", str(CHECKOUT), "describe", "--always", "--dirty"]
    try:
        return subprocess.run(command, capture_output=True, text=True, check=False).stdout.strip()
    except OSError:
        return ""


if __name__ == "__main__":
    sys.exit(main(sys.argv[1:]))
