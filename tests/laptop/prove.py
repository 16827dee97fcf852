"""Shows that the test laptop does what a laptop does on this host; prints what each thing took.

Usage: prove [IMAGE]. Exit status 0 when all hold.
"""

from __future__ import annotations

import shutil
import sys
import tempfile
import time
from collections.abc import Callable
from pathlib import Path

from tests.laptop import FILE_SYSTEMS, Container, Laptop, Result, find_in_image, make_stick

FANOTIFY = r"""
import ctypes, os, struct, subprocess
libc = ctypes.CDLL(None, use_errno=True)
CLASS_CONTENT, MARK_ADD, MARK_MOUNT, OPEN_PERM, ALLOW, DENY = 4, 1, 0x10, 0x10000, 1, 2
fd = libc.fanotify_init(CLASS_CONTENT, os.O_RDONLY)
assert fd >= 0, os.strerror(ctypes.get_errno())
os.makedirs("/run/watched", exist_ok=True)
subprocess.run(["mount", "-t", "tmpfs", "watched", "/run/watched"], check=True)
open("/run/watched/file", "w").write("x")
rc = libc.fanotify_mark(fd, MARK_ADD | MARK_MOUNT, ctypes.c_uint64(OPEN_PERM), -100, b"/run/watched")
assert rc == 0, os.strerror(ctypes.get_errno())
answers = []
for verdict in (ALLOW, DENY):
    child = subprocess.Popen(["cat", "/run/watched/file"], stdout=subprocess.DEVNULL, stderr=subprocess.DEVNULL)
    while child.poll() is None:
        import select
        if select.select([fd], [], [], 0.05)[0]:
            event = os.read(fd, 4096)
            target = struct.unpack_from("IBBHQii", event)[5]
            os.write(fd, struct.pack("iI", target, verdict))
            os.close(target)
    answers.append(child.returncode)
assert answers == [0, 1], answers
subprocess.run(["umount", "-l", "/run/watched"])
print("open allowed, then refused")
"""
LANDLOCK = r"""
import ctypes, os
print("landlock ABI", ctypes.CDLL(None).syscall(444, None, 0, 1))
"""
failures: list[str] = []


def step(name: str, value: object = "", start: float | None = None, good: bool = True) -> None:
    took = f"{time.monotonic() - start:6.1f} s" if start else " " * 8
    print(f"{'ok  ' if good else 'FAIL'} {took}  {name}{': ' + str(value) if value != '' else ''}", flush=True)
    if not good:
        failures.append(name)


def command(
    pc: Laptop | Container, name: str, line: str, user: str = "root", want: Callable[[str], bool] = lambda out: True
) -> Result:
    start = time.monotonic()
    result = pc.run(line, user)
    lines = (result.stdout + result.stderr).strip().splitlines()
    step(name, lines[-1].strip() if lines else "", start, result.rc == 0 and want(result.stdout))
    return result


def stick_round_trip(pc: Laptop, folder: Path, fs: str, table: str) -> None:
    image = make_stick(folder / f"{fs}-{table}.img", fs, table=table)
    needle = f"dossier patient {fs} {table}"
    start = time.monotonic()
    stick = pc.plug(image)
    step(f"{fs}/{table}: plugged, udev shows {stick.part}", "", start)
    start = time.monotonic()
    copied = pc.run(
        f"set -e; echo '{needle}' > ~/note.txt; udisksctl mount -b {stick.part}; "
        "cp ~/note.txt /media/medecin/CLE/; "
        f"findmnt -no FSTYPE {stick.part}; udisksctl unmount -b {stick.part}",
        user="medecin",
    )
    kind = copied.stdout.split("\n")[1] if copied.rc == 0 else copied.stderr
    step(f"{fs}/{table}: mount, cp, unmount by medecin", kind, start, copied.rc == 0)
    start = time.monotonic()
    pc.unplug(stick)
    offsets = find_in_image(image, needle.encode())
    step(f"{fs}/{table}: unplugged, found in the raw image", offsets, start, bool(offsets))


def starts(image: str) -> None:
    start = time.monotonic()
    with Laptop(image, cold=True) as pc:
        step("cold boot to ready", "", start)
        command(pc, "boot, by the guest's clock", "systemd-analyze | head -1")


def files_go_in_and_out(pc: Laptop, folder: Path) -> None:
    start = time.monotonic()
    for _ in range(20):
        pc.run("true")
    step("one command, mean of 20", f"{(time.monotonic() - start) * 50:.0f} ms")
    big = folder / "big"
    big.write_bytes(bytes(range(256)) * 4096 * 16)
    start = time.monotonic()
    pc.put(big, "/root/big")
    step("16 MiB in", "", start)
    start = time.monotonic()
    pc.get("/root/big", folder / "back")
    step("16 MiB out", "", start, (folder / "back").read_bytes() == big.read_bytes())


def system(pc: Laptop) -> None:
    command(pc, "kernel", "uname -r")
    command(pc, "systemd is process 1", "cat /proc/1/comm; systemctl --version | head -1")
    command(pc, "system state", "systemctl is-system-running")
    command(
        pc,
        "medecin has the active session of seat0",
        "loginctl show-session $XDG_SESSION_ID -p Active",
        "medecin",
        lambda out: "Active=yes" in out,
    )
    command(pc, "no network but loopback", "ls /sys/class/net", want=lambda out: out.split() == ["lo"])
    command(
        pc,
        "kernel options",
        "grep -E '^CONFIG_(FANOTIFY_ACCESS_PERMISSIONS|SECURITY_LANDLOCK|BPF_LSM|"
        "FUSE_FS|OVERLAY_FS|DM_CRYPT|USB_STORAGE|USB_UAS|VFAT_FS|EXFAT_FS|DEBUG_INFO_BTF)=' "
        "/boot/config-$(uname -r) | sed s/CONFIG_// | tr '\\n' ' '",
        want=lambda out: out.count("=") == 11,
    )
    command(pc, "ntfs3 in this kernel", "grep NTFS3_FS[=\\ ] /boot/config-$(uname -r)")
    command(pc, "active LSMs", "cat /sys/kernel/security/lsm", want=lambda out: "landlock" in out)
    command(pc, "landlock", f"python3 -c '{LANDLOCK}'", want=lambda out: "-1" not in out)
    command(pc, "fanotify permission events", f"python3 -c '{FANOTIFY}'")
    command(
        pc,
        "FUSE (ntfs-3g on a file)",
        "truncate -s 8M /root/n && mkfs.ntfs -qFQ /root/n 2>/dev/null >&2 && "
        "ntfs-3g /root/n /mnt && findmnt -no FSTYPE /mnt && umount /mnt",
    )
    command(
        pc,
        "overlayfs",
        "modprobe overlay && mkdir -p /root/o/l /root/o/u /root/o/w && mount -t overlay o "
        "-o lowerdir=/root/o/l,upperdir=/root/o/u,workdir=/root/o/w /mnt && findmnt -no FSTYPE /mnt && umount /mnt",
    )
    command(
        pc,
        "LUKS (dm-crypt)",
        "truncate -s 32M /root/c && printf k | cryptsetup luksFormat -q --pbkdf pbkdf2 "
        "--pbkdf-force-iterations 1000 /root/c - && printf k | cryptsetup open /root/c c && ls /dev/mapper/c && cryptsetup close c",
    )
    command(pc, "systemd-analyze security", "systemd-analyze security systemd-udevd.service | tail -1")


def box(pc: Laptop, folder: Path) -> None:
    start = time.monotonic()
    stick = pc.plug(make_stick(folder / "uas.img", "exfat"), uas=True)
    drivers = pc.run(f"udevadm info -q property {stick.dev} | grep ID_USB_DRIVER").stdout.strip()
    step("UAS disk", drivers, start, drivers.endswith("=uas"))
    pc.unplug(stick)


def pulled_out(pc: Laptop, folder: Path) -> None:
    # Pulled out in the middle of a copy: part of it is on the stick, the guest stays up.
    rude = make_stick(folder / "rude.img", "vfat", size_mib=256)
    stick = pc.plug(rude)
    pc.run(f"udisksctl mount -b {stick.part}", user="medecin", check=True)
    start = time.monotonic()
    job = pc.start("yes 'ligne du dossier' | head -c 150M > /media/medecin/CLE/gros.txt; sync", user="medecin")
    while not find_in_image(rude, b"ligne du dossier") and not job.done():
        time.sleep(0.2)
    pc.unplug(stick)
    written = len(find_in_image(rude, b"ligne du dossier\n")) * 17 >> 20
    gone = pc.run(f"for i in $(seq 50); do [ -e {stick.dev} ] || exit 0; sleep 0.2; done; exit 1").rc == 0
    step("pulled out mid-write", f"{written} MiB of 150 on the stick", start, gone and 0 < written < 150)
    with_error = job.wait()
    step("  the writer ends", f"rc {with_error.rc} {with_error.stderr.strip()[-60:]}")


def power_cut(pc: Laptop) -> None:
    # Power cut: what was synced stays, on the disk and on the stick.
    pc.run("journalctl --sync; echo kept > /root/synced; sync; echo lost > /root/unsynced", check=True)
    start = time.monotonic()
    pc.cut()
    step("power cut", "", start)
    step("boot after it", f"{pc.boot():.1f} s")
    command(
        pc,
        "what was synced is there, what was not is lost",
        "cat /root/synced /root/unsynced 2>/dev/null | paste -sd,",
        want=lambda out: out.startswith("kept") and "lost" not in out,
    )


def saved(pc: Laptop, folder: Path) -> None:
    start = time.monotonic()
    pc.save(folder / "saved")
    size = sum(path.stat().st_blocks * 512 for path in (folder / "saved").iterdir()) >> 20
    step("save and go on", f"{size} MiB", start)
    pc.run("rm /root/synced", check=True)


def resumed(image: str, folder: Path) -> None:
    start = time.monotonic()
    with Laptop(image, state=folder / "saved") as pc:
        command(pc, "resumed from it, an erased file is back", "cat /root/synced", want=lambda out: out == "kept\n")
        step("  until the answer", "", start)


def container(image: str) -> None:
    start = time.monotonic()
    with Container(image) as box:
        step("container: ready", "", start)
        command(box, "container: systemd is process 1", "cat /proc/1/comm")
        command(box, "container: fanotify permission events", f"python3 -c '{FANOTIFY}'")
        command(
            box,
            "container: FUSE",
            "truncate -s 8M /root/n && mkfs.ntfs -qFQ /root/n 2>/dev/null >&2 && "
            "ntfs-3g /root/n /mnt && findmnt -no FSTYPE /mnt && umount /mnt",
        )
        command(box, "container: commands as medecin", "id -un", "medecin", lambda out: out == "medecin\n")


def main() -> int:
    image = sys.argv[1] if len(sys.argv) > 1 else "bookworm"
    folder = Path(tempfile.mkdtemp(prefix="prove-"))
    try:
        starts(image)
        with Laptop(image) as pc:
            files_go_in_and_out(pc, folder)
            system(pc)
            for fs in FILE_SYSTEMS:
                stick_round_trip(pc, folder, fs, "mbr")
            stick_round_trip(pc, folder, "vfat", "gpt")
            box(pc, folder)
            pulled_out(pc, folder)
            power_cut(pc)
            saved(pc, folder)
        resumed(image, folder)
        container(image)
    finally:
        shutil.rmtree(folder)
    print(f"\n{len(failures)} failed" + (": " + ", ".join(failures) if failures else ""))
    return 1 if failures else 0


if __name__ == "__main__":
    sys.exit(main())
