"""Sticks that are not the plain case: several partitions, read-only, encrypted, full, in at boot; and an agent that dies."""

from __future__ import annotations

from tests.laptop.clinician import MARK, NOTE, NOTE_TEXT, TABLE, Desk
from tests.laptop.sticks import find_in_image, make_partitioned
from tests.laptop.test_airlock import held, nothing_on


def test_several_partitions(desk: Desk) -> None:
    desk.documents()
    image = make_partitioned(
        desk.here / "three.img", [("vfat", "UN"), ("ext4", "DEUX"), ("exfat", "TROIS")], 128, "gpt"
    )
    stick = desk.pc.plug(image)
    places = [desk.mount(part) for part in stick.parts]
    assert [desk.strength(place) for place in places] == ["hold"] * 3
    for place in places:
        assert desk.run(f"cp ~/{TABLE} {place}/").rc != 0
        desk.run(f"cp ~/{NOTE} {place}/", check=True)
    for part in stick.parts:
        desk.run(f"udisksctl unmount -b {part}", check=True)
    desk.run(f"udisksctl power-off -b {stick.dev}", check=True)
    desk.pc.unplug(stick)
    nothing_on(image)
    assert len(find_in_image(image, NOTE_TEXT.encode())) >= 3
    desk.calm()


def test_a_stick_that_cannot_be_written(desk: Desk) -> None:
    """Readable as ever; a copy fails as on any such stick; nothing is complained of."""
    desk.documents()
    stick = desk.pc.plug(desk.stick("vfat"), readonly=True)
    place = desk.run(f"udisksctl mount -b {stick.part}", check=True).stdout.strip().rsplit(" at ", 1)[1]
    copied = desk.run(f"cp ~/{NOTE} {place}/")
    assert copied.rc != 0
    assert desk.run(f"ls {place}").rc == 0
    desk.pc.run("sleep 3")
    assert desk.eject(stick).rc == 0
    desk.pc.unplug(stick)
    desk.calm()


def test_an_encrypted_stick(desk: Desk) -> None:
    """Unlocked by the clinician, guarded like any other; what lies inside is read through the key afterwards."""
    desk.documents()
    image = make_partitioned(desk.here / "luks.img", [("raw", "")], 64)
    stick = desk.pc.plug(image)
    quick = "--pbkdf pbkdf2 --pbkdf-force-iterations 1000"
    desk.pc.run(
        f"printf secret > /root/key && cryptsetup luksFormat -q {quick} {stick.part} /root/key && "
        f"cryptsetup open --key-file /root/key {stick.part} neuf && mkfs.ext4 -q -E root_owner=1000:1000 -L COFFRE /dev/mapper/neuf "
        "&& cryptsetup close neuf && udevadm settle && install -m 600 -o medecin /root/key /home/medecin/key",
        check=True, timeout=180,
    )  # fmt: skip
    words = desk.run(f"udisksctl unlock -b {stick.part} --key-file ~/key", check=True).stdout
    device = words.strip().rsplit(" as ", 1)[1].rstrip(".")
    assert "OptionNotPermitted" in desk.run(f"udisksctl mount -b {device} -o rw").text
    place = desk.mount(device)
    assert desk.strength(place) == "hold"
    assert desk.run(f"cp ~/{TABLE} {place}/").rc != 0
    desk.run(f"cp ~/{NOTE} {place}/", check=True)
    desk.run(f"udisksctl unmount -b {device} && udisksctl lock -b {stick.part}", check=True)
    inside = (
        "cryptsetup open --key-file /root/key {part} voir && grep -ac {mark} /dev/mapper/voir; cryptsetup close voir"
    )
    found = desk.pc.run(inside.format(part=stick.part, mark=MARK.decode())).stdout.strip()
    kept = desk.pc.run(inside.format(part=stick.part, mark="projecteur")).stdout.strip()
    assert (found, int(kept) > 0) == ("0", True)
    desk.run(f"udisksctl power-off -b {stick.dev}", check=True)
    desk.pc.unplug(stick)
    desk.calm()


def test_a_full_stick(desk: Desk) -> None:
    """A document that does not fit is an error to whoever copies it; what was there stays; a small one goes on."""
    _, place, stick = held(desk, "vfat", size_mib=20)
    desk.run(f"cp ~/{NOTE} {place}/", check=True)
    assert desk.run(f"head -c 24M /dev/zero > {place}/gros.bin", timeout=180).rc != 0
    assert desk.run(f"cmp ~/{NOTE} {place}/{NOTE}").rc == 0
    desk.run(f"rm -f {place}/gros.bin; cp ~/{NOTE} {place}/deux.txt", check=True)
    assert desk.run(f"cp ~/{TABLE} {place}/").rc != 0
    assert desk.eject(stick).rc == 0
    desk.pc.unplug(stick)
    nothing_on(desk.here / "CLE-vfat.img")


def test_a_stick_in_at_boot(desk: Desk) -> None:
    """It was there before the agent and before the clinician: guarded all the same."""
    desk.documents()
    image = desk.stick("exfat")
    desk.pc.run("sync")
    desk.pc.shutdown()
    desk.pc.boot(sticks=[image])
    stick = desk.pc.locate(next(iter(desk.pc.sticks.values())))
    assert "OptionNotPermitted" in desk.run(f"udisksctl mount -b {stick.part} -o rw").text
    place = desk.mount(stick.part)
    assert desk.strength(place) == "hold"
    assert desk.run(f"cp ~/{TABLE} {place}/").rc != 0
    desk.run(f"cp ~/{NOTE} {place}/", check=True)
    assert desk.eject(stick).rc == 0
    desk.pc.unplug(stick)
    nothing_on(image)


def test_a_stick_mounted_before_the_agent(desk: Desk) -> None:
    """Without the agent it can only be read; the agent takes it over when it comes."""
    desk.documents()
    desk.pc.run("systemctl stop serment-agent", check=True)
    image = desk.stick("vfat")
    stick = desk.pc.plug(image)
    place = desk.run(f"udisksctl mount -b {stick.part}", check=True).stdout.strip().rsplit(" at ", 1)[1]
    assert desk.run(f"cp ~/{NOTE} {place}/").rc != 0
    desk.pc.run("systemctl start serment-agent", check=True, timeout=120)
    desk.wait(lambda: desk.guarded(place), 60)
    assert desk.strength(place) == "hold"
    assert desk.run(f"cp ~/{TABLE} {place}/").rc != 0
    desk.run(f"cp ~/{NOTE} {place}/", check=True)
    desk.pc.run("systemctl stop serment-agent", check=True, timeout=60)
    refused = desk.run(f"timeout -s KILL 20 cp ~/{NOTE} {place}/encore.txt")
    assert "Read-only" in refused.text  # at once: nobody waits for an agent that was stopped for good
    assert desk.run(f"cmp ~/{NOTE} {place}/{NOTE}").rc == 0
    assert desk.eject(stick).rc == 0
    desk.pc.unplug(stick)
    nothing_on(image)


def test_a_restart_leaves_the_airlock_to_the_next_agent(desk: Desk) -> None:
    """As an upgrade does: what is open stays open, what is written is judged; a stop lets the stick go with one click."""
    path, place, stick = held(desk, "vfat")
    before = desk.pc.run("pgrep -f [a]gent.gates.airlock").stdout
    reader = desk.start(f"sleep 60 < {place}/", timeout=100)
    desk.pc.run("systemctl restart serment-agent", check=True, timeout=120)
    desk.wait(lambda: desk.pc.run("serment status --json").rc == 0 and desk.strength(place) == "hold", 90)
    assert (desk.pc.run("pgrep -f [a]gent.gates.airlock").stdout, bool(before)) == (before, True)
    desk.run(f"cp ~/{NOTE} {place}/ && cmp ~/{NOTE} {place}/{NOTE}", check=True)
    assert desk.run(f"cp ~/{TABLE} {place}/").rc != 0
    reader.kill()
    desk.pc.run("systemctl stop serment-agent", check=True, timeout=60)
    desk.wait(lambda: not desk.pc.run("pgrep -f [a]gent.gates.airlock").stdout)
    assert desk.eject(stick).rc == 0
    desk.pc.unplug(stick)
    nothing_on(path)


def test_the_airlock_is_killed(desk: Desk) -> None:
    """Mid-write, kill -9: nothing leaks, the clinician's programs end, and the stick takes documents again."""
    killed(desk, "pkill -9 -f [a]gent.gates.airlock")


def test_the_agent_is_killed(desk: Desk) -> None:
    killed(desk, "kill -9 $(systemctl show -P MainPID serment-agent)")


def killed(desk: Desk, line: str) -> None:
    path, place, stick = held(desk, "vfat")
    desk.run(f"cp ~/{NOTE} {place}/ && sync {place}/{NOTE}", check=True)
    job = desk.start(
        f"for i in $(seq 20); do cp ~/{TABLE} {place}/{TABLE}.$i; cp ~/{NOTE} {place}/n$i; done", timeout=100
    )
    desk.wait(lambda: desk.status()["counts"]["judged"] >= 3)
    desk.pc.run(line, check=True)
    nothing_on(desk.as_found(path))
    job.wait(timeout=120)
    desk.wait(lambda: desk.pc.run("serment status --json").rc == 0 and desk.strength(place) == "hold", 90)
    desk.wait(lambda: desk.run(f"cp ~/{NOTE} {place}/after.txt").rc == 0, 60)
    assert desk.run(f"cp ~/{TABLE} {place}/").rc != 0
    assert desk.run(f"cmp ~/{NOTE} {place}/{NOTE}").rc == 0
    assert desk.eject(stick).rc == 0
    desk.pc.unplug(stick)
    nothing_on(path)
    assert desk.pc.run("serment audit verify").rc == 0
