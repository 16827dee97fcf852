"""RPMs on a laptop of Debian: the program of the host beside the guest's own libraries, and what a package left on the disk.

No distribution with RPMs can be booted here; what is shown is the package itself: files, modes, owners, scripts, units.
Requirements are not looked up (``--nodeps``): a Debian has no database of RPMs.
"""

from __future__ import annotations

import hashlib
import io
import json
import stat
import subprocess
import tarfile
from pathlib import Path
from typing import Any

from tests.laptop.container import Container
from tests.laptop.places import CHECKOUT

PROGRAM, SETTINGS = Path("/usr/bin/rpm"), Path("/usr/lib/rpm")
LISTED = """
import hashlib, json, os, stat, sys
found = {}
for path in sys.stdin.buffer.read().decode().splitlines():
    try:
        state = os.lstat(path)
    except FileNotFoundError:
        continue
    what = [stat.filemode(state.st_mode), state.st_uid, state.st_gid]
    if stat.S_ISLNK(state.st_mode):
        what.append(os.readlink(path))
    elif stat.S_ISREG(state.st_mode):
        what.append(hashlib.sha256(open(path, "rb").read()).hexdigest())
    found[path] = what
print(json.dumps(found))
"""


def build(debs: Path, out: Path) -> dict[str, Path]:
    """The RPMs by name, from the Debian packages in ``debs``."""
    subprocess.run([CHECKOUT / "packaging/rpm/make.sh", "--from", debs, "--out", out], check=True)
    return {name: max(out.glob(f"{name}-[0-9]*.rpm")) for name in ("serment", "serment-collector")}


def bring_program(machine: Container) -> None:
    """rpm(8) and the libraries that the guest has not."""
    needed = subprocess.run(["ldd", PROGRAM], check=True, capture_output=True, text=True).stdout.split()
    libraries = [word for word in needed if word.startswith("/") and "ld-linux" not in word]
    missing = [path for path in libraries if machine.run(["test", "-e", path]).rc]
    archive = io.BytesIO()
    with tarfile.open(fileobj=archive, mode="w", dereference=True) as tar:
        for path in [str(PROGRAM), *missing, str(SETTINGS)]:
            tar.add(path, path.lstrip("/"))
    machine.run("tar -C / --keep-directory-symlink -xf -", stdin=archive.getvalue(), check=True)


def packed_files(package: Path) -> dict[str, Any]:
    """By path, what a Debian package carries, as ``installed_files`` tells it. A small laptop leaves the manual out."""
    packed = subprocess.run(["dpkg-deb", "--fsys-tarfile", package], check=True, capture_output=True).stdout
    kinds = {tarfile.REGTYPE: stat.S_IFREG, tarfile.DIRTYPE: stat.S_IFDIR, tarfile.SYMTYPE: stat.S_IFLNK}
    found = {}
    with tarfile.open(fileobj=io.BytesIO(packed)) as tar:
        for entry in tar:
            content = tar.extractfile(entry).read() if entry.isfile() else b""  # type: ignore[union-attr]
            more = (
                [entry.linkname] if entry.issym() else [hashlib.sha256(content).hexdigest()] if entry.isfile() else []
            )
            found[entry.name.lstrip(".")] = [stat.filemode(kinds[entry.type] | entry.mode), entry.uid, entry.gid, *more]
    return found


def installed_files(machine: Container, package: str) -> dict[str, Any]:
    """By path: mode, owner and content of each file of an RPM that is installed."""
    line = f"rpm -ql {package} --force-debian | /opt/serment*/bin/python3 -I -c '{LISTED}'"
    found: dict[str, Any] = json.loads(machine.run(line, check=True, timeout=300).stdout)
    return found


def requirements(package: Path) -> set[str]:
    """The names of libraries, without versions of symbols."""
    listed = subprocess.run(["rpm", "-qp", "--requires", package], check=True, capture_output=True, text=True).stdout
    return {line.split("(")[0].strip() for line in listed.splitlines()}
