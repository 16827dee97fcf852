"""The packages under test: built once for each state of the checkout, or taken from $SERMENT_LAPTOP_DEBS as they are."""

from __future__ import annotations

import fcntl
import os
import shutil
import signal
import subprocess
import tempfile
from pathlib import Path
from typing import Any

from tests.laptop.places import CACHE, CHECKOUT, LaptopError, unused, used

INSTALL_S = 600
NAMES = ("serment", "serment-collector")
QUIET = "DEBIAN_FRONTEND=noninteractive"
INSTALL = """
set -e
mount -o loop "$1" "$2"
mount -t proc proc "$2/proc"
mount --bind /dev "$2/dev"
cp "$3" "$2/root/serment.deb"
DEBIAN_FRONTEND=noninteractive PATH=/usr/sbin:/usr/bin:/sbin:/bin LC_ALL=C.UTF-8 chroot "$2" dpkg -i /root/serment.deb </dev/null
rm "$2/root/serment.deb"
LC_ALL=C.UTF-8 PATH=/usr/sbin:/usr/bin:/sbin:/bin chroot "$2" sh -c "$4"
umount "$2/dev" "$2/proc" "$2"
"""


def packages(fingerprint: str, names: tuple[str, ...] = NAMES) -> dict[str, Path]:
    """By name; ``fingerprint`` says of which state of the checkout. Of one alone, that one is built."""
    given = os.environ.get("SERMENT_LAPTOP_DEBS")
    folder = Path(given) if given else CACHE / f"packages-{fingerprint[:12]}"
    if not folder.exists() and names != NAMES:
        folder = folder.with_name(f"{folder.name}-{'-'.join(names)}")
    if not given:
        CACHE.mkdir(parents=True, exist_ok=True)
        with (CACHE / "packages.lock").open("w") as lock:
            fcntl.flock(lock, fcntl.LOCK_EX)
            if not folder.exists():
                for old in unused(path for path in CACHE.glob("packages-*") if path.is_dir()):
                    shutil.rmtree(old)
                partial = Path(tempfile.mkdtemp(prefix=".packages-", dir=CACHE))
                only = ["--only", names[0]] if len(names) == 1 else []
                subprocess.run([CHECKOUT / "packaging/build/make.sh", "--out", partial, *only], check=True)
                partial.rename(folder)
            used(folder)
    return {name: max(folder.glob(f"{name}_*.deb")) for name in names}


def later(package: Path, folder: Path, version: str = "0.1.0-2") -> Path:
    """The same package under another version, as an update brings it."""
    tree = folder / "later"
    subprocess.run(["dpkg-deb", "-R", package, tree], check=True)
    control = tree / "DEBIAN/control"
    lines = [
        f"Version: {version}" if line.startswith("Version:") else line for line in control.read_text().splitlines()
    ]
    control.write_text("\n".join(lines) + "\n")
    made = folder / f"{package.name.split('_')[0]}-later.deb"
    subprocess.run(["dpkg-deb", "-Znone", "-b", tree, made], check=True, stdout=subprocess.DEVNULL)
    shutil.rmtree(tree)
    return made


def bring(machine: Any, package: Path) -> str:
    """Into the machine (or container); the place there."""
    place = f"/root/{package.name}"
    machine.put(package, place)
    return place


def install(machine: Any, package: Path, timeout: float = 900) -> None:
    """As an administrator does, without anybody to answer a question."""
    place = bring(machine, package)
    machine.run(f"{QUIET} dpkg -i {place} </dev/null && rm {place}", check=True, timeout=timeout)


def on_disk(base: Path, package: Path, folder: Path, then: str = "") -> Path:
    """A copy of a disk in ``folder``, with the package, installed at the host's speed; ``then``: a script run inside.

    Raises LaptopError.
    """
    disk, root = folder / "disk.raw", folder / "root"
    subprocess.run(["cp", "--sparse=always", "--reflink=auto", base, disk], check=True)
    disk.chmod(0o600)
    root.mkdir()
    words = ["unshare", "--mount", "--propagation", "private", "sh", "-c", INSTALL, "sh", disk, root, package, then]
    done = quietly([str(word) for word in words], INSTALL_S)
    if done.returncode:
        raise LaptopError(f"the package does not install: {done.stderr[-2000:]}")
    root.rmdir()
    return disk


def quietly(words: list[str], seconds: float) -> subprocess.CompletedProcess[str]:
    """With all that it started. Raises LaptopError: not done in that time."""
    with subprocess.Popen(
        words, cwd=CHECKOUT, stdin=subprocess.DEVNULL, stdout=subprocess.PIPE, stderr=subprocess.PIPE, text=True,
        start_new_session=True,
    ) as process:  # fmt: skip
        try:
            out, err = process.communicate(timeout=seconds)
        except BaseException as error:
            os.killpg(process.pid, signal.SIGKILL)
            if isinstance(error, subprocess.TimeoutExpired):
                raise LaptopError(f"not done in {seconds:.0f} s: {' '.join(words[:4])}") from error
            raise
    return subprocess.CompletedProcess(words, process.returncode, out, err)
