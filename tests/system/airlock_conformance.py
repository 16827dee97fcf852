"""File-system suites that others wrote, over a real airlock: pjdfstest, and fsx and fsstress of xfstests.

They are not part of Debian and not of this repository: give the built programs. What fails over the airlock and not on
the bare volume is printed; docs/airlock-conformance.md holds what may fail, and why.

    python -m tests.system.airlock_conformance --pjdfstest DIR --fsx PROGRAM --fsstress PROGRAM
"""

from __future__ import annotations

import argparse
import collections
import subprocess
import tempfile
from pathlib import Path

from tests.airlock_bed import Bed, bed, user

KINDS = {
    "linked or special file": ("mkfifo", "mknod", "link", "bind", "connect"),
    "consequence of one": ("",),
}
MODES = (("--passthrough",), ("--no-passthrough",), ("--memory-mb", "1", "--limit-mb", "150"))


def pjdfstest(base: Path, suite: Path, *, bare: bool) -> dict[str, set[str]]:
    """Test file → failed lines; the suite's own «TODO» lines do not count."""
    found: dict[str, set[str]] = {}
    with bed(base, size_mb=256, patience_s=1500) as stick:
        for at in (base, stick.raw):
            at.chmod(0o755)
        folder = (stick.raw if bare else stick.mount) / "work"
        folder.mkdir()
        for script in sorted((suite / "tests").glob("*/*.t")):
            result = user("sh", script, cwd=folder, timeout_s=300)
            lines = result.stdout.decode("utf-8", "replace").splitlines()
            name = str(script.relative_to(suite / "tests"))
            found[name] = {line for line in lines if line.startswith("not ok") and "# TODO" not in line}
            found[name].add(f"={sum(line.startswith(('ok', 'not ok')) for line in lines)}")
    return found


def report(over: dict[str, set[str]], bare: dict[str, set[str]]) -> None:
    total = sum(int(line[1:]) for lines in over.values() for line in lines if line.startswith("="))
    special = collections.Counter[str]()
    for name, lines in over.items():
        failed = {line for line in lines if line.startswith("not ok")}
        beyond = len(failed) - sum(line.startswith("not ok") for line in bare.get(name, ()))
        if beyond > 0:
            refused = any(
                f"'{word}" in line or f" {word} " in line for line in failed for word in KINDS["linked or special file"]
            )
            special["begins with a refused link or special file" if refused else "other"] += beyond
            if not refused:
                print(name, *sorted(failed)[:3], sep="\n    ")
    print(f"pjdfstest: {total} checks", dict(special))


def stress(stick: Bed, fsx: Path | None, fsstress: Path | None, operations: int) -> None:
    if fsx:
        for seed, size in ((1, 600_000), (2, 6_000_000)):
            options = ("-S", seed, "-N", operations, "-l", size, "-o", size // 5, "-P", stick.base)
            result = user(fsx, *options, stick.mount / "fsx", timeout_s=600)
            print("fsx", seed, size, "ok" if result.returncode == 0 else result.stdout[-2000:])
    if fsstress:
        off = [word for name in ("link", "mknod", "setxattr", "attr_set") for word in ("-f", f"{name}=0")]
        result = user(fsstress, "-d", stick.mount, "-n", operations // 5, "-p", 4, "-s", 7, *off, timeout_s=600)
        print("fsstress", "ok" if result.returncode == 0 else result.stderr[-2000:])


def main() -> None:
    parser = argparse.ArgumentParser(description=__doc__.splitlines()[0] if __doc__ else "")
    for name in ("--pjdfstest", "--fsx", "--fsstress"):
        parser.add_argument(name, type=Path)
    parser.add_argument("--operations", type=int, default=2000)
    given = parser.parse_args()
    with tempfile.TemporaryDirectory(prefix="airlock-") as folder:
        if given.pjdfstest:
            results = []
            for bare in (False, True):
                base = Path(folder) / f"pjd{bare}"
                base.mkdir()
                Path(folder).chmod(0o755)
                results.append(pjdfstest(base, given.pjdfstest, bare=bare))
            report(*results)
        for number, mode in enumerate(MODES):
            base = Path(folder) / f"stress{number}"
            base.mkdir()
            with bed(base, size_mb=256, extra=mode, patience_s=1500) as stick:
                print(*mode)
                stress(stick, given.fsx, given.fsstress, given.operations)
                assert subprocess.run(["sync", "-f", stick.mount], check=False, timeout=60).returncode == 0
                print("ended with", stick.unmount())


if __name__ == "__main__":
    main()
