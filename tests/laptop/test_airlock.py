"""The airlock on real sticks: what is refused leaves no byte and no name on the medium; what is harmless goes through.

Each test reads the raw stick afterwards. The control test shows, with the same documents and no agent, that the reading
finds them.
"""

from __future__ import annotations

import json
from pathlib import Path
from typing import Any

import pytest

from tests.laptop import FILE_SYSTEMS, Laptop
from tests.laptop.clinician import (
    LETTER_NAME,
    MARK,
    NOTE,
    NOTE_TEXT,
    RECORDS,
    TABLE,
    Desk,
    records_on,
    traces_of_name,
)
from tests.laptop.sticks import find_in_image
from tests.laptop.usb import Stick

REFUSED = {  # each must fail, and leave nothing
    "cp": f"cp ~/{TABLE} {{place}}/{TABLE}",
    "cat": f"cat ~/{TABLE} > {{place}}/{TABLE}.2",
    "dd": f"dd if=$HOME/{TABLE} of={{place}}/{TABLE}.3 bs=64k conv=fsync status=none",
    "rsync": f"rsync ~/{TABLE} {{place}}/",
    "mv": f"cp ~/{TABLE} ~/{TABLE}.mv && mv ~/{TABLE}.mv {{place}}/",
    "over": f"cp {{place}}/{NOTE} ~/before && dd if=$HOME/{TABLE} of={{place}}/{NOTE} conv=notrunc,fsync status=none",
    "tmp": f"cp ~/{TABLE} {{place}}/.tmp && sync {{place}}/.tmp && mv {{place}}/.tmp {{place}}/{TABLE}",
}


def held(desk: Desk, fs: str, **options: Any) -> tuple[Path, str, Stick]:
    """A stick that the airlock holds: its image, its mount point, the stick."""
    if fs == "ntfs" and not desk.has_ntfs():
        pytest.skip("this kernel has no driver for NTFS: such sticks are read-only here, see the test of that")
    desk.documents()
    image = desk.stick(fs, **options)
    stick = desk.pc.plug(image)
    place = desk.mount(stick.part)
    assert desk.strength(place) == "hold", desk.guarded(place)
    return image, place, stick


def arrivals(desk: Desk) -> list[str]:
    """What the audit log says of places: armed, gone."""
    lines = desk.pc.run("serment audit list --kind place --json").stdout.splitlines()
    return [str(json.loads(line)["state"]) for line in lines]


def nothing_on(image: Path) -> None:
    assert records_on(image) == 0
    assert traces_of_name(image) == 0


@pytest.mark.parametrize("fs", FILE_SYSTEMS)
def test_control_without_an_agent(image: str, tmp_path: Path, fs: str) -> None:
    """The same copy on the same machine without Serment: every record and the name are found."""
    with Laptop(image) as pc:
        desk = Desk(pc, tmp_path)
        desk.documents()
        path = desk.stick(fs)
        stick = pc.plug(path)
        desk.run(f"udisksctl mount -b {stick.part} && cp ~/{TABLE} /media/medecin/CLE/ && rm /media/medecin/CLE/{TABLE}; "
                 f"cp ~/{TABLE} /media/medecin/CLE/", check=True)  # fmt: skip
        assert desk.eject(stick).rc == 0
        pc.unplug(stick)
    assert records_on(path) >= RECORDS
    assert traces_of_name(path) > 0


@pytest.mark.parametrize("fs", FILE_SYSTEMS)
def test_what_is_refused_never_reaches_the_medium(desk: Desk, fs: str) -> None:
    path, place, stick = held(desk, fs)
    desk.run(f"cp ~/{NOTE} {place}/{NOTE}", check=True)
    for name, line in REFUSED.items():
        result = desk.run(line.format(place=place))
        assert result.rc != 0, (name, result.text)
    assert desk.run(f"cmp ~/{TABLE}.mv ~/{TABLE}").rc == 0  # mv keeps its source
    assert desk.run(f"cmp ~/{NOTE} {place}/{NOTE}").rc == 0  # the old version stays
    assert desk.run(f"ls -A {place}").stdout.split() in (
        [NOTE],
        ["System", "Volume", "Information", NOTE],
        [NOTE, "lost+found"],
    )
    gone = desk.eject(stick)
    assert gone.rc == 0, gone.text
    assert desk.run(f"findmnt {place}").rc != 0
    desk.pc.unplug(stick)
    nothing_on(path)
    assert find_in_image(path, NOTE_TEXT.encode())
    desk.calm()


@pytest.mark.parametrize("fs", FILE_SYSTEMS)
def test_a_letter_is_sealed_on_its_way(desk: Desk, fs: str) -> None:
    path, place, stick = held(desk, fs)
    desk.run(f"cp ~/{LETTER_NAME} {place}/", check=True)
    listed = desk.run(f"ls {place}").stdout.split()
    assert LETTER_NAME not in listed
    sealed = [name for name in listed if name.endswith(".age")]
    assert len(sealed) == 1, listed
    assert desk.run(f"head -c 21 {place}/{sealed[0]}").stdout == "age-encryption.org/v1"
    assert desk.eject(stick).rc == 0
    desk.pc.unplug(stick)
    assert find_in_image(path, MARK) == []
    assert traces_of_name(path, LETTER_NAME) == 0
    assert find_in_image(path, b"age-encryption.org/v1")
    desk.calm()


@pytest.mark.parametrize("fs", ["vfat", "ext4"])
def test_ordinary_work_on_a_held_stick(desk: Desk, fs: str) -> None:
    """Folders, renames, appends, edits in place, deletions, an archive out and back: as on any stick.

    Small files: an emulated reader uses up its processor time on some MB, and then what it could not read is sealed.
    """
    path, place, stick = held(desk, fs)
    script = f"""set -e; cd {place}
    mkdir -p réunions/2026; cp ~/{NOTE} réunions/2026/; mv réunions/2026/{NOTE} réunions/salle.txt
    echo 'apporter le projecteur' >> réunions/salle.txt; sed -i s/salle/chambre/ réunions/salle.txt
    cp -r réunions copie; tar -cf ~/essai.tar copie; tar -xf ~/essai.tar; rm -r copie; truncate -s 5 réunions/salle.txt
    head -c 300K /dev/zero > vide.bin; cp vide.bin vide2.bin; cmp vide.bin vide2.bin; sync -f .; df . >/dev/null; cd; rm {place}/vide.bin
    """
    done = desk.run(script)
    assert done.rc == 0, done.text
    assert sorted(desk.run(f"cd {place}; find . -type f | grep -v System").stdout.split()) == [
        "./réunions/salle.txt",
        "./vide2.bin",
    ]
    assert desk.run(f"cat {place}/réunions/salle.txt").stdout == NOTE_TEXT[:4]  # five bytes: é has two
    before = len(arrivals(desk))
    assert desk.eject(stick).rc == 0
    desk.wait(lambda: arrivals(desk)[before:] == ["gone"])  # and never under guard again on the way
    desk.pc.unplug(stick)
    again = desk.pc.plug(path)
    place = desk.mount(again.part)
    assert desk.run(f"wc -c < {place}/vide2.bin").stdout.strip() == str(300 << 10)
    desk.calm()


@pytest.mark.parametrize("fs", ["vfat", "ext4"])
def test_a_large_file_is_read_by_the_kernel_itself_where_it_can(desk: Desk, fs: str) -> None:
    """From Linux 6.9 on what is read from the stick does not pass through the airlock; before, all of it does."""
    _, place, stick = held(desk, fs)
    desk.run(f"head -c 6M /dev/zero > {place}/vide.bin", check=True, timeout=400)
    assert desk.eject(stick).rc == 0
    desk.pc.unplug(stick)
    stick = desk.pc.plug(stick.image)
    place = desk.mount(stick.part)
    passed = "sed -n 's/^wchar: //p' /proc/$(pgrep -f [a]gent.gates.airlock | head -n 1)/io"
    desk.pc.run("echo 1 > /proc/sys/vm/drop_caches", check=True)
    before = int(desk.pc.run(passed, check=True).stdout)
    # sealed, where judging it took too long
    read = desk.run(
        f"for file in {place}/vide.bin {place}/*.age; do [ ! -e $file ] || cat $file; done | wc -c", timeout=400
    )
    assert int(read.stdout) >= 6 << 20
    through = int(desk.pc.run(passed, check=True).stdout) - before
    release = [int(word) for word in desk.pc.run("uname -r").stdout.split(".")[:2]]
    assert (through < 1 << 20) == (release >= [6, 9]), (through, release)
    desk.judged(1)  # until then an eject may find the stick busy: the agent looks through it, slowly here
    assert desk.eject(stick).rc == 0
    desk.pc.unplug(stick)
    desk.calm()


def test_ntfs_without_a_driver_is_read_only(desk: Desk) -> None:
    """Debian 12's own kernel mounts NTFS by a program, which cannot be made to write later: closed, and said so."""
    if desk.has_ntfs():
        pytest.skip("this kernel has a driver for NTFS")
    desk.documents()
    image = desk.stick("ntfs")
    stick = desk.pc.plug(image)
    place = desk.mount(stick.part)
    assert desk.run(f"cp ~/{NOTE} {place}/").rc != 0
    said = desk.guarded(place)
    assert said and said["reason"]
    assert desk.eject(stick).rc == 0
    desk.pc.unplug(stick)
    desk.calm()


def test_udisks_refuses_to_mount_for_writing(desk: Desk) -> None:
    for fs in FILE_SYSTEMS:
        stick = desk.pc.plug(desk.stick(fs))
        asked = desk.run(f"udisksctl mount -b {stick.part} -o rw")
        assert asked.rc != 0, fs
        assert "OptionNotPermitted" in asked.text, (fs, asked.text)
        desk.pc.unplug(stick)


def test_there_is_no_moment_to_write_in(desk: Desk) -> None:
    """From the mount call on, a program that tries without pause does not get a byte through."""
    desk.documents()
    image = desk.stick("vfat")
    stick = desk.pc.plug(image)
    racing = desk.start(
        "end=$(($(date +%s) + 25)); while [ $(date +%s) -lt $end ]; do for d in /media/medecin/*/; do "
        f"[ -d $d ] && cp ~/{TABLE} $d 2>/dev/null; done; done"
    )
    desk.mount(stick.part)
    racing.wait(timeout=240)  # one held copy may take long where readers start at an emulated pace
    assert desk.eject(stick).rc == 0
    desk.pc.unplug(stick)
    nothing_on(image)


def test_nothing_below_is_in_reach(desk: Desk) -> None:
    """The device itself, a mount of her own, a user namespace: all closed to the clinician."""
    _, place, stick = held(desk, "ext4")
    assert desk.run(f"dd if=/dev/zero of={stick.part} bs=4k count=1").rc != 0
    assert desk.run(f"mount {stick.part} /mnt").rc != 0
    for inside in (f"umount {place}", f"umount -l {place}", f"mount -o remount,rw {place}",
                   f"mount --bind /media/medecin /mnt && cp ~/{NOTE} /mnt/CLE/"):  # fmt: skip
        assert desk.run(f"unshare -Urm sh -c '{inside}'").rc != 0, inside
    assert desk.run("ls /run/serment/staging /var/lib/serment/staging").rc != 0


def test_pulled_out_while_it_is_written(desk: Desk) -> None:
    """What was synced is there, nothing refused is, and the next stick is guarded."""
    path, place, stick = held(desk, "vfat", size_mib=128)
    desk.run(f"cp ~/{NOTE} {place}/ && sync {place}/{NOTE}", check=True)
    job = desk.start(f"while :; do cp ~/{TABLE} {place}/; head -c 8M /dev/zero > {place}/gros || exit 0; done")
    desk.wait(lambda: desk.status()["counts"]["judged"] >= 3)
    desk.pc.unplug(stick)
    nothing_on(path)
    assert find_in_image(path, NOTE_TEXT.encode())
    desk.wait(lambda: job.done() or desk.run(f"ls {place}").rc != 0, 90)
    job.kill() if not job.done() else None
    desk.wait(lambda: desk.guarded(place) is None)
    image = desk.stick("exfat", label="AUTRE")
    other = desk.pc.plug(image)
    where = desk.mount(other.part)
    assert desk.strength(where) == "hold"
    assert desk.run(f"cp ~/{TABLE} {where}/").rc != 0
    desk.run(f"cp ~/{NOTE} {where}/", check=True)
    assert desk.eject(other).rc == 0
    desk.pc.unplug(other)
    nothing_on(image)
    assert desk.pc.run("systemctl --failed --no-legend").stdout == ""


def test_two_sticks_at_once(desk: Desk) -> None:
    desk.documents()
    images = [desk.stick("vfat", label="UN"), desk.stick("exfat", label="DEUX")]
    sticks = [desk.pc.plug(image) for image in images]
    places = [desk.mount(stick.part) for stick in sticks]
    assert [desk.strength(place) for place in places] == ["hold", "hold"]
    jobs = [desk.start(f"cp ~/{TABLE} {place}/") for place in places]
    assert all(job.wait().rc for job in jobs)
    desk.run(f"cp ~/{NOTE} {places[0]}/ && cp {places[0]}/{NOTE} {places[1]}/", check=True)
    assert desk.eject(sticks[0]).rc == 0
    assert desk.run(f"cmp ~/{NOTE} {places[1]}/{NOTE}").rc == 0  # the other goes on
    assert desk.eject(sticks[1]).rc == 0
    for stick, image in zip(sticks, images, strict=True):
        desk.pc.unplug(stick)
        nothing_on(image)
        assert find_in_image(image, NOTE_TEXT.encode())
    desk.calm()
