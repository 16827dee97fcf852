"""``python -m tests.fuzz [--seconds N] [--target NAME …]``: see README.md beside this file."""

from __future__ import annotations

import argparse
import contextlib
import importlib.util
import sys
from pathlib import Path

from tests.fuzz import child
from tests.fuzz.parent import FINDINGS, Result, fuzz

GUIDED = "--plain" not in sys.argv and importlib.util.find_spec("atheris") is not None
with child.instrumented() if GUIDED and "--child" in sys.argv else contextlib.nullcontext():
    from tests.fuzz.targets import TARGETS


def main(arguments: list[str]) -> int:
    parser = argparse.ArgumentParser(prog="python -m tests.fuzz", description="Fuzz every parser and wire format.")
    parser.add_argument("--seconds", type=float, default=20.0, help="of each target (default 20)")
    parser.add_argument("--target", action="append", choices=sorted(TARGETS), metavar="NAME", help="only this one")
    parser.add_argument("--plain", action="store_true", help="without Atheris, even when it is installed")
    parser.add_argument("--seed", type=int, default=1, help="of the plain runner")
    parser.add_argument("--findings", type=Path, default=FINDINGS, help="folder of what breaks")
    parser.add_argument("--list", action="store_true", help="name the targets and what each promises")
    parser.add_argument("--child", help=argparse.SUPPRESS)
    parser.add_argument("--inputs", type=int, default=1 << 40, help=argparse.SUPPRESS)
    given = parser.parse_args(arguments)
    if given.child:
        return _child(given)
    if given.list:
        for target in TARGETS.values():
            print(f"{target.name:18} {target.promise}")
        return 0
    broken = 0
    for name in given.target or TARGETS:
        result = fuzz(name, given.findings, seconds=given.seconds, seed=given.seed, guided=GUIDED)
        broken += len(result.found)
        _show(name, result)
    return 1 if broken else 0


def _child(given: argparse.Namespace) -> int:
    target, folder = TARGETS[given.child], given.findings / given.child
    if GUIDED:
        child.run_guided(target, folder, given.seconds)
    trial = child.run(target, folder, seed=given.seed, inputs=given.inputs, seconds=given.seconds)
    print(f"tried {trial.tried}")
    return 1 if trial.found else 0


def _show(name: str, result: Result) -> None:
    print(f"{name:18} {result.said or 'ended':>16}  {'ok' if not result.found else 'BROKEN'}", flush=True)
    for path in result.found:
        print(f"    {path}", flush=True)


if __name__ == "__main__":
    sys.exit(main(sys.argv[1:]))
