"""A fresh disk with the package on it, installed at the host's speed: what the quick tests boot.

As who prepares laptops does: the package goes into the image's root, nobody is asked anything, and the first boot of the
machine is also the agent's first start. Needs root; what it mounts is seen by nobody else and ends with it.
"""

from __future__ import annotations

import shutil
import subprocess
import sys
from pathlib import Path

from tests.laptop.package import on_disk, packages, quietly
from tests.laptop.places import CACHE, LaptopError
from tests.laptop.product import fingerprint

TOOLS = ("qemu-system-x86_64", "qemu-img", "mkfs.vfat", "sfdisk", "unshare", "dpkg-deb")


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
    return on_disk(image / "base.raw", built_package(), folder)


def last_line(done: subprocess.CompletedProcess[str]) -> str:
    lines = (done.stdout + done.stderr).strip().splitlines()
    return lines[-1][:200] if lines else f"status {done.returncode}"
