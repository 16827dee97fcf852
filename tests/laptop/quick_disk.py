"""A fresh disk with the package on it, installed at the host's speed: what the quick tests boot.

As who prepares laptops does: the package goes into the image's root, nobody is asked anything, and the first boot of the
machine is also the agent's first start. Needs root; what it mounts is seen by nobody else and ends with it.
"""

from __future__ import annotations

import os
import shutil
import signal
import subprocess
import sys
from pathlib import Path

from tests.laptop.package import packages
from tests.laptop.places import CACHE, CHECKOUT, LaptopError
from tests.laptop.product import fingerprint

TOOLS = ("qemu-system-x86_64", "qemu-img", "mkfs.vfat", "sfdisk", "unshare", "dpkg-deb")
INSTALL = """
set -e
mount -o loop "$1" "$2"
mount -t proc proc "$2/proc"
mount --bind /dev "$2/dev"
cp "$3" "$2/root/serment.deb"
DEBIAN_FRONTEND=noninteractive PATH=/usr/sbin:/usr/bin:/sbin:/bin LC_ALL=C.UTF-8 chroot "$2" dpkg -i /root/serment.deb </dev/null
rm "$2/root/serment.deb"
umount "$2/dev" "$2/proc" "$2"
"""


def lacking() -> str:
    """Why there can be no machine here; empty: there can."""
    missing = [name for name in TOOLS if shutil.which(name) is None]
    return f"not installed: {', '.join(missing)}" if missing else ""


def built_image(name: str) -> Path:
    """The image, made when there is none in the cache. Raises LaptopError: it cannot be had here."""
    if (CACHE / name / "image.json").exists():
        return CACHE / name
    made = quietly([sys.executable, "-m", "tests.laptop.build_image", "--name", name], 300)
    if made.returncode:
        raise LaptopError(f"no image: {last_line(made)}")
    return CACHE / name


def built_package() -> Path:
    """serment_*.deb of this checkout. Raises LaptopError: it cannot be built here."""
    try:
        return packages(fingerprint(), ("serment",))["serment"]
    except (subprocess.CalledProcessError, OSError, ValueError) as error:
        raise LaptopError(f"no package: {error}") from error


def installed_disk(image: Path, folder: Path) -> Path:
    """A copy of the image's disk in ``folder``, with the package. Raises LaptopError."""
    disk, root = folder / "disk.raw", folder / "root"
    subprocess.run(["cp", "--sparse=always", "--reflink=auto", image / "base.raw", disk], check=True)
    disk.chmod(0o600)
    root.mkdir()
    words = ["unshare", "--mount", "--propagation", "private", "sh", "-c", INSTALL, "sh", disk, root, built_package()]
    done = quietly([str(word) for word in words], 240)
    if done.returncode:
        raise LaptopError(f"the package does not install: {done.stderr[-2000:]}")
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


def last_line(done: subprocess.CompletedProcess[str]) -> str:
    lines = (done.stdout + done.stderr).strip().splitlines()
    return lines[-1][:200] if lines else f"status {done.returncode}"
