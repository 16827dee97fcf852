"""Builds the test laptop's disk: a minimal Debian with systemd, udev, udisks2, and what the product needs of Debian.

Needs root, and the packages mmdebstrap, e2fsprogs and (for a zstd kernel) zstd. The result, in $SERMENT_LAPTOP_CACHE/NAME,
is base.raw (read-only ext4 root), vmlinux and initrd. Nothing is done where it is already up to date.
"""

from __future__ import annotations

import argparse
import gzip
import hashlib
import json
import lzma
import os
import shutil
import struct
import subprocess
import sys
import tempfile
import time
from pathlib import Path
from typing import Any

from tests.laptop.places import CACHE, HERE

GUEST = HERE / "guest"
PACKAGES = [
    "systemd",
    "systemd-sysv",
    "udev",
    "dbus",
    "dbus-user-session",
    "libpam-systemd",
    "login",
    "passwd",
    "udisks2",
    "polkitd",
    "kmod",
    "procps",
    "python3",
    "busybox-static",
    "initramfs-tools",
    "e2fsprogs",
    "libbpf1",
    "dosfstools",
    "exfatprogs",
    "ntfs-3g",
    "fuse3",
    "cryptsetup-bin",
    "acl",
    "attr",
    "apparmor",
    "libblockdev-crypto2",
    "libarchive13",
    "tesseract-ocr-fra",
    "tesseract-ocr-eng",
    "rsync",
]
# Debian 13 calls some libraries otherwise.
RENAMED = {"trixie": {"libblockdev-crypto2": "libblockdev-crypto3", "libarchive13": "libarchive13t64"}}
MASKED = [
    "getty@tty1.service",
    "serial-getty@ttyS0.service",
    "getty-static.service",
    "apt-daily.timer",
    "apt-daily-upgrade.timer",
    "dpkg-db-backup.timer",
    "e2scrub_all.timer",
    "e2scrub_reap.service",
    "fstrim.timer",
    "systemd-update-utmp-runlevel.service",
    "systemd-firstboot.service",
]
BOOT_MODULES = ["virtio_pci", "virtio_blk", "virtio_console", "crc32c_generic", "ext4"]


def run(*argv: object, **kwargs: Any) -> subprocess.CompletedProcess[Any]:
    return subprocess.run([str(word) for word in argv], check=True, **kwargs)


def sources(suite: str, backports: bool) -> list[str]:
    """Apt lines for the suite, on the mirrors this host's own apt uses."""
    mirror = {
        "Debian": os.environ.get("SERMENT_LAPTOP_MIRROR"),
        "Debian-Security": os.environ.get("SERMENT_LAPTOP_SECURITY_MIRROR"),
    }
    targets = run(
        "apt-get", "indextargets", "--format", "$(LABEL) $(REPO_URI)", "Created-By: Packages",
        capture_output=True, text=True,
    ).stdout  # fmt: skip
    for line in targets.splitlines():
        label, _, uri = line.partition(" ")
        if label in mirror and not mirror[label]:
            mirror[label] = uri
    if not mirror["Debian"]:
        sys.exit("no Debian mirror in this host's apt sources: set SERMENT_LAPTOP_MIRROR")
    lines = [f"deb {mirror['Debian']} {suite} main", f"deb {mirror['Debian']} {suite}-updates main"]
    if mirror["Debian-Security"]:
        lines.append(f"deb {mirror['Debian-Security']} {suite}-security main")
    if backports:
        lines.append(f"deb {mirror['Debian']} {suite}-backports main")
    return lines


def bootstrap(root: Path, args: argparse.Namespace) -> None:
    renamed = RENAMED.get(args.suite, {})
    packages = [renamed.get(name, name) for name in PACKAGES] + args.include
    kernel = "linux-image-amd64" + (f"/{args.suite}-backports" if args.backports else "")
    options = [
        "--quiet",
        "--mode=root",
        "--variant=minbase",
        "--format=directory",
        '--aptopt=Acquire::Languages "none"',
    ]
    options += [f"--dpkgopt=path-exclude=/usr/share/{name}/*" for name in ("doc", "man", "locale")]
    if args.backports:
        # apt takes backports only when asked: the kernel, by its suite
        options.append(f'--customize-hook=chroot "$1" apt-get install -y -qq --no-install-recommends {kernel}')
    else:
        packages = [*packages, kernel]
    run(
        "mmdebstrap", *options, "--include=" + ",".join(packages), args.suite, root,
        *sources(args.suite, args.backports), env={**os.environ, "INITRD": "No"},
    )  # fmt: skip


def configure(root: Path) -> None:
    install(root, "agent.py", "usr/local/lib/rig/agent.py", 0o755)
    install(root, "70-rig.rules", "etc/udev/rules.d/70-rig.rules")
    for unit in ("rig-root.service", "rig-medecin.service"):
        install(root, unit, f"etc/systemd/system/{unit}")
    (root / "etc/hostname").write_text("laptop\n")
    (root / "etc/hosts").write_text("127.0.0.1 localhost laptop\n::1 localhost\n")
    (root / "etc/fstab").write_text("/dev/vda / ext4 defaults 0 0\n")
    (root / "etc/machine-id").write_text(hashlib.sha256(b"serment test laptop").hexdigest()[:32] + "\n")
    (root / "etc/resolv.conf").unlink(missing_ok=True)
    run("chroot", root, "useradd", "-m", "-s", "/bin/bash", "-G", "plugdev,cdrom,audio,video,users", "medecin")
    run("chroot", root, "systemctl", "-q", "enable", "rig-root", "rig-medecin")
    run("chroot", root, "systemctl", "-q", "mask", *MASKED)
    for stamp in ("etc/.updated", "var/.updated"):  # spares the first boot's "system was updated" work
        (root / stamp).touch()


def install(root: Path, name: str, place: str, mode: int = 0o644) -> None:
    target = root / place
    target.parent.mkdir(parents=True, exist_ok=True)
    shutil.copyfile(GUEST / name, target)
    target.chmod(mode)


def vmlinux(image: Path) -> bytes:
    """The ELF kernel inside a bzImage: booted as it is, no time is spent unpacking it."""
    data = image.read_bytes()
    setup_sectors = data[0x1F1] or 4
    offset, size = struct.unpack_from("<II", data, 0x248)
    start = (setup_sectors + 1) * 512 + offset
    payload = data[start : start + size]
    if payload.startswith(b"\xfd7zXZ"):
        return lzma.LZMADecompressor().decompress(payload)
    if payload.startswith(b"\x1f\x8b"):
        return gzip.decompress(payload[:-4])
    if payload.startswith(b"\x28\xb5\x2f\xfd"):
        unpacked: bytes = run("zstd", "-dcq", input=payload[:-4], stdout=subprocess.PIPE).stdout
        return unpacked
    sys.exit(f"unknown kernel compression: {payload[:6].hex()}")


def initrd(root: Path, release: str, work: Path) -> bytes:
    tree = work / "initrd"
    for name in ("bin", "dev", "modules", "root"):
        (tree / name).mkdir(parents=True)
    busybox = next(path for path in (root / "usr/bin/busybox", root / "bin/busybox") if path.exists())
    shutil.copy(busybox, tree / "bin/busybox")
    for name in ("sh", "mount", "insmod", "sleep", "echo", "switch_root"):
        (tree / "bin" / name).symlink_to("busybox")
    shutil.copy(GUEST / "init", tree / "init")
    (tree / "init").chmod(0o755)
    for number, line in enumerate(modules(root, release)):
        path = root / line.split()[1].lstrip("/")
        data = path.read_bytes()
        if path.suffix == ".xz":
            data = lzma.decompress(data)
        (tree / "modules" / f"{number:02}-{path.name.removesuffix('.xz')}").write_bytes(data)
    names = "\n".join(str(path.relative_to(tree)) for path in sorted(tree.rglob("*"))).encode()
    packed: bytes = run(
        "cpio", "-o", "-H", "newc", "--quiet", cwd=tree, input=names, stdout=subprocess.PIPE
    ).stdout  # fmt: skip
    return packed


def modules(root: Path, release: str) -> list[str]:
    """modprobe's insmod lines for what the root disk needs, in their order."""
    seen: list[str] = []
    for module in BOOT_MODULES:
        command = ["chroot", str(root), "modprobe", "-S", release, "--show-depends", module]
        found = subprocess.run(command, capture_output=True, text=True)  # "not found": built in, or gone by that name
        seen += [line for line in found.stdout.splitlines() if line.startswith("insmod ") and line not in seen]
    return seen


def stamp_of(args: argparse.Namespace) -> str:
    """Of everything an image is made from, but the mirror's packages of the day."""
    inputs = [Path(__file__).read_bytes()] + [path.read_bytes() for path in sorted(GUEST.iterdir()) if path.is_file()]
    inputs.append(json.dumps([args.suite, args.backports, args.include, args.size]).encode())
    return hashlib.sha256(b"\0".join(inputs)).hexdigest()


def build(name: str, args: argparse.Namespace, stamp: str) -> None:
    start = time.monotonic()
    CACHE.mkdir(parents=True, exist_ok=True)
    work = Path(tempfile.mkdtemp(prefix=f".{name}-", dir=CACHE))
    target = CACHE / name
    try:
        root, new = work / "root", work / "new"
        new.mkdir()
        bootstrap(root, args)
        configure(root)
        kernel = max((root / "boot").glob("vmlinuz-*"), key=lambda path: path.stat().st_mtime)
        release = kernel.name.removeprefix("vmlinuz-")
        (new / "vmlinux").write_bytes(vmlinux(kernel))
        (new / "initrd").write_bytes(initrd(root, release, work))
        run(
            "mke2fs",
            "-q",
            "-t",
            "ext4",
            "-L",
            "laptop",
            "-d",
            root,
            new / "base.raw",
            args.size,
            stdout=subprocess.DEVNULL,
        )
        (new / "base.raw").chmod(0o444)
        disk = (new / "base.raw").stat().st_blocks * 512
        seconds = round(time.monotonic() - start)
        info = {"stamp": stamp, "suite": args.suite, "kernel": release, "build_s": seconds, "base_MiB": disk >> 20}
        (new / "image.json").write_text(json.dumps(info) + "\n")
        shutil.rmtree(target, ignore_errors=True)
        new.rename(target)
        print(f"{target}: built, {json.dumps(info)}", flush=True)
    finally:
        shutil.rmtree(work, ignore_errors=True)


def main() -> None:
    parser = argparse.ArgumentParser(prog="build-image", description=(__doc__ or "").splitlines()[0])
    parser.add_argument("--suite", default="bookworm", help="Debian suite (default bookworm)")
    parser.add_argument("--backports", action="store_true", help="take the kernel from SUITE-backports")
    parser.add_argument(
        "--include", default=[], type=lambda text: text.split(","), metavar="PKG,...", help="more packages"
    )
    parser.add_argument("--name", help="name of the image (default: the suite, -backports appended)")
    parser.add_argument("--size", default="6G", help="size of the disk, sparse (default 6G)")
    parser.add_argument("--force", action="store_true", help="build even if up to date")
    args = parser.parse_args()
    name = args.name or args.suite + ("-backports" if args.backports else "")
    stamp = stamp_of(args)
    info = CACHE / name / "image.json"
    if not args.force and info.exists() and json.loads(info.read_text())["stamp"] == stamp:
        print(f"{CACHE / name}: up to date, {info.read_text().strip()}", flush=True)
        return
    if os.geteuid():
        sys.exit("build-image must run as root (it makes a root file system)")
    build(name, args, stamp)


if __name__ == "__main__":
    main()
