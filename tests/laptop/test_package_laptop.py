"""What happens to a laptop that has the package: power cuts, updates, clocks set back, full disks, a removal.

With SERMENT_LAPTOP_FROM=package (as `make test-laptop` sets it) the machine was installed by dpkg.
"""

from __future__ import annotations

import contextlib
from pathlib import Path

import pytest

from tests.laptop.clinician import LETTER_NAME, MARK, NOTE, TABLE, Desk, records_on, table, traces_of_name
from tests.laptop.conftest import WITH_NEXT
from tests.laptop.package import QUIET, bring, later, packages
from tests.laptop.places import LaptopError
from tests.laptop.product import FROM_PACKAGE, fingerprint
from tests.laptop.sticks import find_in_image
from tests.laptop.usb import Stick

pytestmark = pytest.mark.parametrize("image", WITH_NEXT, indirect=True, scope="session")
packaged = pytest.mark.skipif(not FROM_PACKAGE, reason="wants the package: SERMENT_LAPTOP_FROM=package")
ORIGINALS = {TABLE, LETTER_NAME, NOTE}


def held(desk: Desk) -> tuple[Path, str, Stick]:
    """Her documents, and a stick that the airlock holds: its image, its mount point, the stick."""
    desk.documents()
    image = desk.stick("vfat")
    stick = desk.pc.plug(image)
    place = desk.mount(stick.part)
    assert desk.strength(place) == "hold", desk.guarded(place)
    return image, place, stick


def nothing_on(image: Path) -> None:
    assert records_on(image) == 0
    assert traces_of_name(image) == 0


def back(desk: Desk, stick: Stick, image: Path) -> None:
    """Off and on again: the agent is ready, its log holds, her documents are whole, the medium has nothing of them."""
    desk.pc.cut()
    nothing_on(image)
    assert find_in_image(image, MARK + b"lettre") == []
    desk.pc.boot()
    desk.wait(lambda: desk.pc.run("serment status --json").rc == 0 and desk.status()["ready"])
    assert desk.pc.run("serment audit verify").rc == 0
    assert set(desk.run("ls ~").stdout.split()) >= ORIGINALS
    assert desk.run(f"wc -l < ~/{TABLE}").stdout.strip() != "0"
    assert desk.pc.run("systemctl --failed --no-legend").stdout == ""


@pytest.mark.parametrize("name", [TABLE, LETTER_NAME], ids=["refused", "sealed"])
def test_a_power_cut_while_a_copy_is_judged(desk: Desk, name: str) -> None:
    image, place, stick = held(desk)
    desk.pc.run("sync", check=True)
    with contextlib.suppress(LaptopError):
        copying = desk.start(f"cp ~/{name} {place}/")
        # while it writes or waits for its verdict: what is written so far lies with the agent
        desk.wait(lambda: desk.pc.run("pgrep -x cp").rc == 0 or copying.done(), every=0.05)
    back(desk, stick, image)


def test_a_power_cut_right_after_a_seal(desk: Desk) -> None:
    """The copy was said to be done and was synced: the sealed file is on the medium, nothing of its text is."""
    image, place, stick = held(desk)
    desk.run(f"cp ~/{LETTER_NAME} {place}/ && sync -f {place}", check=True)
    desk.pc.cut()
    assert find_in_image(image, b"age-encryption.org/v1")
    assert find_in_image(image, MARK + b"lettre") == []


@packaged
def test_an_update_while_a_copy_is_held(desk: Desk, tmp_path: Path) -> None:
    """The airlock outlives the agent: what waits gets its verdict from the next one, or an error; never a way through."""
    image, place, stick = held(desk)
    (desk.here / TABLE).write_bytes(table(records=120, patients=15))  # judged in time beside an emulated dpkg
    desk.pc.put(desk.here / TABLE, f"/home/medecin/{TABLE}", user="medecin")
    newer = bring(desk.pc, later(packages(fingerprint())["serment"], tmp_path))
    before = desk.pc.run("systemctl show -P MainPID serment-agent").stdout.strip()
    update = desk.pc.start(f"{QUIET} dpkg -i {newer} </dev/null", timeout=1500)
    refused = 0
    while not update.done():
        refused += desk.run(f"cp ~/{TABLE} {place}/{TABLE}", timeout=400).rc != 0
        assert records_on(desk.as_found(image)) == 0, desk.audit() + desk.journal()
    update.wait(check=True)
    assert refused > 0
    desk.wait(lambda: desk.pc.run("serment status --json").rc == 0 and desk.status()["ready"])
    assert desk.pc.run("systemctl show -P MainPID serment-agent").stdout.strip() not in ("0", before)
    desk.wait(lambda: desk.strength(place) == "hold")
    assert desk.run(f"cp ~/{TABLE} {place}/{TABLE}", timeout=400).rc != 0
    assert desk.run(f"cp ~/{NOTE} {place}/", timeout=400).rc == 0
    assert desk.pc.run("serment audit verify").rc == 0
    assert desk.eject(stick).rc == 0
    desk.pc.unplug(stick)
    nothing_on(image)


def test_a_clock_that_is_set_back(desk: Desk) -> None:
    image, place, stick = held(desk)
    desk.pc.run("date -s '2 days ago'", check=True)
    assert desk.run(f"cp ~/{TABLE} {place}/", timeout=400).rc != 0
    assert desk.run(f"cp ~/{NOTE} {place}/", timeout=400).rc == 0
    assert desk.pc.run("serment audit verify").rc == 0
    assert desk.eject(stick).rc == 0
    desk.pc.unplug(stick)
    nothing_on(image)


def test_a_full_disk(desk: Desk) -> None:
    """No room to hold a document: it is refused, the stick gets nothing, and there is a word about it. Then room again."""
    image, place, stick = held(desk)
    desk.pc.run("fallocate -l $(($(df --output=avail -B1 / | tail -1) - 8388608)) /root/full; dd if=/dev/zero of=/root/full2 "
                "bs=64k 2>/dev/null; sync; df /", timeout=300)  # fmt: skip
    for name in (TABLE, LETTER_NAME):
        desk.run(f"cp ~/{name} {place}/", timeout=400)
    assert records_on(desk.as_found(image)) == 0
    assert find_in_image(image, MARK + b"lettre") == []
    full = desk.pc.run("serment status")
    assert full.rc == 0, full.text  # who looks for the reason must not be turned away
    desk.pc.run("rm /root/full /root/full2; sync", check=True)
    assert desk.status()["ready"]
    desk.wait(lambda: desk.strength(place) == "hold")
    assert desk.run(f"cp ~/{TABLE} {place}/", timeout=400).rc != 0
    assert desk.pc.run("serment audit verify").rc == 0
    assert set(desk.run("ls ~").stdout.split()) >= ORIGINALS
    desk.eject(stick)
    desk.pc.unplug(stick)
    nothing_on(image)


@packaged
def test_a_removal_gives_the_sticks_back(desk: Desk) -> None:
    desk.pc.run(f"{QUIET} dpkg -r serment </dev/null", check=True, timeout=600)
    assert desk.pc.run("findmnt -t fuse -n").stdout == ""
    assert desk.pc.run("ls /usr/lib/udev/rules.d/60-serment-removable.rules").rc != 0
    stick = desk.pc.plug(desk.stick("ext4"))
    place = desk.run(f"udisksctl mount -b {stick.part}", check=True).stdout.strip().rsplit(" at ", 1)[1].rstrip(".")
    assert "rw" in desk.pc.run(f"findmnt -no OPTIONS --mountpoint {place}").stdout.split(",")
    assert desk.eject(stick).rc == 0
    assert desk.pc.run("find /var/lib/serment/keys -type f").stdout != ""
