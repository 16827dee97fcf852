"""A stick in the clinician's hands, whatever the mechanism that guards it: what she is left with, and what is recorded."""

from __future__ import annotations

import pytest

from tests.laptop import FILE_SYSTEMS
from tests.laptop.clinician import LETTER_NAME, MARK, NOTE, TABLE, Desk


@pytest.mark.parametrize("fs", FILE_SYSTEMS)
def test_what_she_copies(desk: Desk, fs: str) -> None:
    """The table does not stay, the letter is sealed, the note stays as it is; all of it is recorded; ejecting works."""
    if fs == "ntfs" and not desk.has_ntfs():
        pytest.skip("this kernel has no driver for NTFS: such sticks are read-only here")
    desk.documents()
    stick = desk.pc.plug(desk.stick(fs))
    place = desk.mount(stick.part)
    desk.run(f"cp ~/{NOTE} {place}/; cp ~/{LETTER_NAME} {place}/; cp ~/{TABLE} {place}/")
    desk.judged(4)
    desk.wait(lambda: TABLE not in desk.run(f"ls {place}").stdout.split())
    listed = desk.run(f"ls {place}").stdout.split()
    assert NOTE in listed
    assert LETTER_NAME not in listed
    assert any(name.endswith(".age") for name in listed), listed
    assert desk.run(f"cmp ~/{NOTE} {place}/{NOTE}").rc == 0
    assert desk.run(f"cat {place}/*.age | grep -c {MARK.decode()}").stdout.strip() == "0"
    assert desk.run(f"ls ~/{TABLE} ~/{LETTER_NAME}").rc == 0
    gone = desk.eject(stick)
    assert gone.rc == 0, gone.text
    assert desk.run(f"findmnt {place}").rc != 0
    desk.pc.unplug(stick)
    desk.wait(lambda: place not in str(desk.status()["channels"]))
    desk.calm()


def test_pulled_out_while_it_is_written(desk: Desk) -> None:
    """The agent goes on, and guards the next stick."""
    desk.documents()
    stick = desk.pc.plug(desk.stick("vfat", size_mib=128))
    place = desk.mount(stick.part)
    job = desk.start(f"for i in $(seq 200); do cp ~/{TABLE} {place}/{TABLE}.$i; done; yes | head -c 60M > {place}/gros")
    desk.wait(lambda: desk.status()["queue"]["active"] or desk.status()["counts"]["judged"] > 1)
    desk.pc.unplug(stick)
    job.wait(timeout=90)
    desk.wait(lambda: place not in str(desk.status()["channels"]))
    other = desk.pc.plug(desk.stick("vfat", label="AUTRE"))
    place = desk.mount(other.part)
    before = desk.status()["counts"]["judged"]
    desk.run(f"cp ~/{NOTE} {place}/", check=True)
    desk.judged(before + 1)
    assert desk.run(f"cmp ~/{NOTE} {place}/{NOTE}").rc == 0
    assert desk.pc.run("systemctl is-active serment-agent").stdout.strip() == "active"
    assert desk.pc.run("serment audit verify").rc == 0
