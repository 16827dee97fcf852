"""The Python that the packages carry: Debian 12's own, unpacked below the product's folder.

Hands ``unpack`` a folder, gets a Python there that starts from wherever the folder lies. It is Debian's build with
Debian's security fixes, checked by apt's signatures; the system's own Python is neither used nor needed, so that the
same package runs on Debian 12 (3.11) and 13 (3.13). Decision 50.
"""

from __future__ import annotations

import re
import shutil
import subprocess
import sys
from pathlib import Path

VERSION = "3.11"
PACKAGES = (f"python{VERSION}-minimal", f"libpython{VERSION}-minimal", f"libpython{VERSION}-stdlib")
# Not carried. Modules that nothing here imports, with the libraries (some under the GPL) that they would need.
UNUSED_EXTENSIONS = (
    "readline",
    "_dbm",
    "nis",
    "_crypt",
    "_curses",
    "_curses_panel",
    "ossaudiodev",
    "audioop",
    "_test*",
)
UNUSED_MODULES = (
    "lib2to3", "idlelib", "ensurepip", "turtledemo", "test", "distutils", "pydoc_data", "curses", "dbm", "tkinter",
    "turtle.py", "config-*", "sitecustomize.py", "nis.py", "crypt.py",
)  # fmt: skip


def download(folder: Path, architecture: str) -> list[Path]:
    """Debian's packages as apt trusts them; those that lie there already are taken as they are."""
    folder.mkdir(parents=True, exist_ok=True)
    found = packages_in(folder, architecture)
    if len(found) < len(PACKAGES):
        names = [f"{name}:{architecture}" for name in PACKAGES]
        subprocess.run(["apt-get", "download", "-q", *names], cwd=folder, check=True, stdout=sys.stderr)
        found = packages_in(folder, architecture)
    if len(found) < len(PACKAGES):
        raise SystemExit(f"apt knows no Python {VERSION} for {architecture}: build on Debian 12")
    return found


def packages_in(folder: Path, architecture: str) -> list[Path]:
    return [path for name in PACKAGES for path in sorted(folder.glob(f"{name}_*_{architecture}.deb"))[-1:]]


def unpack(packages: list[Path], scratch: Path, target: Path) -> dict[str, str]:
    """``target``/bin/python3.11 and its library. Returns the versions that went in, by name of Debian package."""
    versions = {}
    for package in packages:
        subprocess.run(["dpkg-deb", "-x", package, scratch], check=True)
        name, version, _ = package.stem.split("_")
        versions[name] = version.replace("%3a", ":")
    (target / "bin").mkdir(parents=True)
    shutil.copy2(scratch / f"usr/bin/python{VERSION}", target / "bin")
    library = target / f"lib/python{VERSION}"
    shutil.copytree(scratch / f"usr/lib/python{VERSION}", library, symlinks=False, ignore=_unused)
    (library / "site-packages").mkdir()
    for name in versions:
        notice = scratch / f"usr/share/doc/{name}/copyright"
        if notice.is_file():
            shutil.copyfile(notice, target / "LICENSE")  # Python's and those of what it includes
    return versions


def _unused(folder: str, names: list[str]) -> set[str]:
    drop = {"__pycache__"} & set(names)
    inside = Path(folder).name == "lib-dynload"
    for pattern in UNUSED_EXTENSIONS if inside else UNUSED_MODULES:
        shape = re.escape(pattern).replace(r"\*", ".*") + (r"(\..*)?" if inside else "")
        drop |= {name for name in names if re.fullmatch(shape, name)}
    return drop
