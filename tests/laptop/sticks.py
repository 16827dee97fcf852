"""Stick images: made with the file systems' own programs, read back byte by byte."""

from __future__ import annotations

import mmap
import subprocess
import tempfile
from pathlib import Path

from tests.laptop.places import CHUNK

FILE_SYSTEMS = ("vfat", "exfat", "ntfs", "ext4")
PART_TYPES = {"vfat": "c", "exfat": "7", "ntfs": "7", "ext4": "83"}
GPT_DATA = "EBD0A0A2-B9E5-4433-87C0-68B6B72699C7"
GPT_LINUX = "0FC63DAF-8483-4772-8E79-3D69D8477DE4"
MIB = 1 << 20


def mkfs(fs: str, label: str) -> list[str]:
    return {
        "vfat": ["mkfs.vfat", "-n", label.upper()[:11]],
        "exfat": ["mkfs.exfat", "-L", label],
        "ntfs": ["mkfs.ntfs", "-q", "-F", "-Q", "-p", "2048", "-H", "255", "-S", "63", "-L", label],
        "ext4": ["mkfs.ext4", "-q", "-F", "-E", "root_owner=1000:1000", "-L", label],
    }[fs]


def make_stick(
    path: Path | str, fs: str = "vfat", size_mib: int = 64, label: str = "CLE", table: str | None = "mbr"
) -> Path:
    """A new stick image: a partition table (mbr, gpt or None) and one file system. Returns the path."""
    if table:
        return make_partitioned(path, [(fs, label)], size_mib, table)
    path = fresh(Path(path), size_mib)
    subprocess.run([*mkfs(fs, label), str(path)], check=True, capture_output=True)
    return path


def make_partitioned(path: Path | str, parts: list[tuple[str, str]], size_mib: int = 64, table: str = "mbr") -> Path:
    """A new stick with a partition of equal size for each (file system, label); ``raw`` leaves one unformatted."""
    path = fresh(Path(path), size_mib)
    each = (size_mib - 1 - (table == "gpt")) // len(parts)
    lines = [f"label: {'dos' if table == 'mbr' else 'gpt'}"]
    for number, (fs, _) in enumerate(parts):
        gpt = GPT_LINUX if fs in ("ext4", "raw") else GPT_DATA
        kind = PART_TYPES.get(fs, "83") if table == "mbr" else gpt
        lines.append(f"start={1 + number * each}MiB, size={each}MiB, type={kind}")
    script = "\n".join(lines).encode()
    subprocess.run(["sfdisk", "-q", str(path)], input=script, check=True, capture_output=True)
    for number, (fs, label) in enumerate(parts):
        if fs != "raw":
            format_part(path, (1 + number * each) * MIB, each * MIB, mkfs(fs, label))
    return path


def fresh(path: Path, size_mib: int) -> Path:
    path.unlink(missing_ok=True)
    with path.open("wb") as whole:
        whole.truncate(size_mib * MIB)
    return path


def format_part(path: Path, start: int, size: int, command: list[str]) -> None:
    """Formats the bytes from ``start`` of an image, by way of a file of their own; holes stay holes."""
    with tempfile.NamedTemporaryFile(dir=path.parent, prefix=path.name) as part:
        part.truncate(size)
        subprocess.run([*command, part.name], check=True, capture_output=True)
        with path.open("r+b") as whole, Path(part.name).open("rb") as filled:
            for offset in range(0, size, CHUNK):
                data = filled.read(CHUNK)
                if data.count(0) != len(data):
                    whole.seek(start + offset)
                    whole.write(data)


def find_in_image(path: Path | str, needle: bytes) -> list[int]:
    """Offsets of the bytes needle in a raw image, deleted files and slack included."""
    found = []
    with Path(path).open("rb") as file, mmap.mmap(file.fileno(), 0, access=mmap.ACCESS_READ) as data:
        at = data.find(needle)
        while at >= 0:
            found.append(at)
            at = data.find(needle, at + 1)
    return found
