"""Both packages, from the checkout: file trees, then dpkg-deb. Started by make.sh with the build tools' Python.

    build.py --work DIR [--out DIR] [--revision N] [--only NAME] [--tree DIR]

The same checkout, the same versions of Debian's Python and the same lock files give the same bytes.
"""

from __future__ import annotations

import argparse
import hashlib
import os
import shutil
import subprocess
import sys
import tempfile
import time
import tomllib
from collections.abc import Callable
from dataclasses import dataclass
from pathlib import Path

import environment
import interpreter
import layout
import sbom

HERE = Path(__file__).resolve().parent
CHECKOUT = HERE.parent.parent
# zstd, one thread: unpacks much faster than xz for some more bytes; dpkg of Debian 12 and later reads it
COMPRESSION = ("-Zzstd", "-z6", "--threads-max=1")


@dataclass(frozen=True)
class Package:
    name: str
    prefix: str
    lock: str
    files: Callable[[Path, Path], None]


PACKAGES = {
    "serment": Package("serment", "/opt/serment", "agent.txt", layout.agent),
    "serment-collector": Package("serment-collector", "/opt/serment-collector", "collector.txt", layout.collector),
}


def main() -> None:
    parser = argparse.ArgumentParser(description=(__doc__ or "").splitlines()[0])
    parser.add_argument("--work", type=Path, required=True, help="downloads are kept there")
    parser.add_argument("--out", type=Path, default=CHECKOUT / "dist", help="default: dist")
    parser.add_argument("--revision", default="1", help="of the package, after the version")
    parser.add_argument("--only", choices=PACKAGES, help="one of the two")
    parser.add_argument("--tree", type=Path, help="leave the file trees there instead of making packages")
    args = parser.parse_args()
    machine = subprocess.run(
        ["dpkg", "--print-architecture"], check=True, capture_output=True, text=True
    ).stdout.strip()
    python = interpreter.download(args.work.resolve() / "debian", machine)
    version = tomllib.loads((CHECKOUT / "pyproject.toml").read_text("utf-8"))["project"]["version"]
    for name in [args.only] if args.only else PACKAGES:
        started = time.monotonic()
        with tempfile.TemporaryDirectory(prefix="serment-") as scratch:
            tree = args.tree.resolve() / name if args.tree else Path(scratch) / "tree"
            stage(PACKAGES[name], tree, python, version, Path(scratch))
            if not args.tree:
                made = deb(PACKAGES[name], tree, f"{version}-{args.revision}", machine, args.out.resolve())
                size = made.stat().st_size / 1e6
                print(f"{made}: {size:.1f} MB, {time.monotonic() - started:.0f} s", flush=True)


def stage(package: Package, tree: Path, python: list[Path], version: str, scratch: Path) -> None:
    """The files as they will lie on the machine."""
    home = tree / package.prefix.lstrip("/")
    home.mkdir(parents=True)
    debian = interpreter.unpack(python, scratch / "debian", home / "python")
    lock = CHECKOUT / "packaging/requirements" / package.lock
    environment.fill(tree, package.prefix, CHECKOUT, lock, package.name, scratch)
    environment.import_all(home, *(("agent", "collector") if package.name == "serment" else ("collector",)))
    package.files(tree, CHECKOUT)
    if package.name == "serment-collector":
        shutil.rmtree(home / environment.SITE / "agent/detection/data", ignore_errors=True)
    bill = tree / "usr/share/doc" / package.name / "sbom.cdx.json"
    sbom.write(home, bill, debian, version, "bookworm")
    env = os.environ | {"PYTHONPATH": str(home / environment.SITE), "PYTHONDONTWRITEBYTECODE": "1", "COLUMNS": "100"}
    for program in [package.name]:
        subprocess.run([sys.executable, HERE / "pages.py", tree, program, version], check=True, env=env)
    environment.compile_all(tree, package.prefix)


def deb(package: Package, tree: Path, version: str, machine: str, out: Path) -> Path:
    """The tree with its control files, as one archive."""
    control = tree / "DEBIAN"
    control.mkdir()
    layout.changelog(tree, package.name, version, int(os.environ["SOURCE_DATE_EPOCH"]))
    size = sum(path.lstat().st_size + 512 for path in tree.rglob("*") if not path.is_dir()) >> 10
    fields = {"version": version, "architecture": machine, "size": size}
    for source in sorted((CHECKOUT / "packaging/deb" / package.name).iterdir()):
        if source.name == "lintian-overrides":
            layout.place(source, tree / "usr/share/lintian/overrides" / package.name)
            continue
        text = source.read_text("utf-8")
        for word, units in (("@UNITS@", "system"), ("@USER_UNITS@", "user")):
            text = text.replace(word, " ".join(layout.units_to_enable(tree / "usr/lib/systemd" / units)))
        if source.name == "control":
            text = text.format_map(fields)
        (control / source.name).write_text(text, "utf-8")
    sums = [
        f"{hashlib.md5(path.read_bytes(), usedforsecurity=False).hexdigest()}  {path.relative_to(tree)}\n"
        for path in sorted(tree.rglob("*"))
        if path.is_file() and not path.is_symlink() and control not in path.parents
    ]
    (control / "md5sums").write_text("".join(sums))
    epoch = int(os.environ["SOURCE_DATE_EPOCH"])
    layout.settle(tree, epoch)
    out.mkdir(parents=True, exist_ok=True)
    made = out / f"{package.name}_{version}_{machine}.deb"
    command = ["dpkg-deb", "--root-owner-group", *COMPRESSION, "--build", str(tree), str(made)]
    subprocess.run(command, check=True, stdout=subprocess.DEVNULL)
    return made


if __name__ == "__main__":
    main()
