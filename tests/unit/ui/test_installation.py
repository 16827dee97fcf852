"""``serment doctor`` on the laptop around the agent: each finding from a file system made for it, each with what to do."""

from __future__ import annotations

import os
import re
from pathlib import Path
from typing import Any

import pytest

from agent.ui import laptop_facts
from agent.ui.doctor import BROKEN, OK, WEAK, Diagnosis
from agent.ui.installation import Laptop, diagnose_laptop

STATUS: dict[str, Any] = {
    "root": True, "pid": 4242, "patients": None, "collector": {"url": "http://127.0.0.1:8440"},
    "audit": {"records": 5, "acknowledged": 0},
}  # fmt: skip


def states(laptop: Laptop) -> dict[str, str]:
    return {item.word: item.state for item in diagnose_laptop(laptop)}


def make(root: Path, *names: str, text: str = "") -> None:
    for name in names:
        (root / name).parent.mkdir(parents=True, exist_ok=True)
        (root / name).write_text(text)


def packaged(root: Path) -> None:
    make(root, "usr/lib/systemd/system/serment-agent.service", "usr/lib/udev/rules.d/60-serment-removable.rules",
         "etc/systemd/system/multi-user.target.wants/serment-agent.service", "dev/fuse", text="# ours")  # fmt: skip


@pytest.mark.parametrize(
    ("laptop", "word", "state"),
    [
        (Laptop(unit_enabled=False), "service", WEAK),
        (Laptop(unit_enabled=True), "service", OK),
        (Laptop(replaced=True), "update", WEAK),
        (Laptop(settings_changed=True), "settings", WEAK),
        (Laptop(udev_rule=False), "udev-rule", WEAK),
        (Laptop(fuse=False), "fuse", BROKEN),
        (Laptop(reader_account=False), "reader-account", WEAK),
        (Laptop(disk_encrypted=False), "disk-encryption", WEAK),
        (Laptop(disk_encrypted=True), "disk-encryption", OK),
        (Laptop(swap_clear=["/dev/sda3"]), "swap", WEAK),
        (Laptop(clock_synchronised=False), "clock", WEAK),
        (Laptop(patients=0), "patients", OK),
        (Laptop(unsent=10_001), "collector", WEAK),
        (Laptop(visits=False), "visits", WEAK),
    ],
)
def test_each_finding_stands_alone_and_says_what_to_do(laptop: Laptop, word: str, state: str) -> None:
    (found,) = diagnose_laptop(laptop)
    assert (found.word, found.state) == (word, state)
    assert state == OK or found.hint
    assert isinstance(found, Diagnosis)
    found.message.format_map(found.fields)


@pytest.mark.parametrize(
    ("release", "version"),
    [
        ("6.1.0-18-amd64", (6, 1)), ("6.13-rc7-amd64", (6, 13)), ("6.13+", (6, 13)), ("7-rc1", (7, 0)), ("7", (7, 0)),
        ("5.15.90.1-microsoft-standard-WSL2", (5, 15)), ("6.12_custom", (6, 12)), ("6.9.3-200.fc40.x86_64", (6, 9)),
        ("6.", (6, 0)), ("linux-next", (0, 0)), ("", (0, 0)),
    ],
)  # fmt: skip
def test_a_kernel_may_be_called_anything(release: str, version: tuple[int, int]) -> None:
    assert laptop_facts.kernel(release) == version


def test_what_nobody_can_know_is_no_finding() -> None:
    assert states(Laptop()) == {}
    assert states(Laptop(visits=True)) == {}
    assert states(Laptop(unsent=10_000, clock_synchronised=True, patients=812, udev_rule=True)) == {}


def test_a_laptop_as_the_package_leaves_it(tmp_path: Path) -> None:
    packaged(tmp_path)
    found = laptop_facts.look(tmp_path, STATUS, tmp_path)
    assert (found.unit_enabled, found.udev_rule, found.fuse, found.swap_clear) == (True, True, True, ())
    assert found.patients == 0
    assert found.unsent is None  # the embedded collector is this laptop


def test_what_somebody_took_away_is_missed(tmp_path: Path) -> None:
    packaged(tmp_path)
    for name in ("usr/lib/udev/rules.d/60-serment-removable.rules", "dev/fuse",
                 "etc/systemd/system/multi-user.target.wants/serment-agent.service"):  # fmt: skip
        (tmp_path / name).unlink()
    found = laptop_facts.look(tmp_path, STATUS, tmp_path)
    assert (found.unit_enabled, found.udev_rule, found.fuse) == (False, False, False)


@pytest.mark.parametrize("nothing", ["link", "empty"])
def test_what_somebody_put_nothing_in_the_place_of_does_not_count(tmp_path: Path, nothing: str) -> None:
    """As by ``systemctl mask``, which leaves the unit wanted; udev knows the same."""
    packaged(tmp_path)
    for name in ("etc/systemd/system/serment-agent.service", "etc/udev/rules.d/60-serment-removable.rules"):
        make(tmp_path, name)
        if nothing == "link":
            (tmp_path / name).unlink()
            (tmp_path / name).symlink_to("/dev/null")
    found = laptop_facts.look(tmp_path, STATUS, tmp_path)
    assert (found.unit_enabled, found.udev_rule) == (False, False)
    for name in ("etc/systemd/system/serment-agent.service", "etc/udev/rules.d/60-serment-removable.rules"):
        (tmp_path / name).unlink()
        make(tmp_path, name, text="# the administrator's own")
    found = laptop_facts.look(tmp_path, STATUS, tmp_path)
    assert (found.unit_enabled, found.udev_rule) == (True, True)


def test_a_checkout_is_not_asked_for_units(tmp_path: Path) -> None:
    found = laptop_facts.look(tmp_path, STATUS | {"root": False}, tmp_path)
    assert (found.unit_enabled, found.udev_rule, found.reader_account, found.disk_encrypted) == (None, None, None, None)


def test_an_agent_whose_program_was_replaced(tmp_path: Path) -> None:
    (tmp_path / "proc/4242").mkdir(parents=True)
    link = tmp_path / "proc/4242/exe"
    link.symlink_to("/opt/serment/python/bin/python3.11 (deleted)")
    assert laptop_facts.look(tmp_path, STATUS, tmp_path).replaced is True
    link.unlink()
    link.symlink_to("/opt/serment/python/bin/python3.11")
    assert laptop_facts.look(tmp_path, STATUS, tmp_path).replaced is False


def test_settings_that_the_running_agent_has_not_read(tmp_path: Path) -> None:
    settings = tmp_path / "agent.toml"
    settings.touch()
    began = settings.stat().st_mtime
    for since, changed in ((began + 1, False), (began - 1, True)):
        status = STATUS | {"since": since}
        assert laptop_facts.look(tmp_path, status, tmp_path, settings).settings_changed is changed
    assert laptop_facts.look(tmp_path, None, tmp_path, settings).settings_changed is None  # there is no agent
    assert laptop_facts.look(tmp_path, STATUS | {"since": 0}, tmp_path, tmp_path / "none").settings_changed is None


def layer(root: Path, name: str, uuid: str = "", below: str = "") -> None:
    (root / f"sys/devices/{name}/slaves").mkdir(parents=True)
    make(root, f"sys/devices/{name}/dm/uuid", text=uuid)
    if below:
        (root / f"sys/devices/{name}/slaves/{below}").symlink_to(root / "sys/devices" / below)


@pytest.mark.parametrize(("uuid", "encrypted"), [("CRYPT-LUKS2-00", True), ("LVM-00", False)])
def test_encryption_is_found_below_a_logical_volume(tmp_path: Path, uuid: str, encrypted: bool) -> None:
    layer(tmp_path, "vda")
    layer(tmp_path, "dm-0", uuid, "vda")
    layer(tmp_path, "dm-1", "LVM-11", "dm-0")
    number = os.stat(tmp_path).st_dev
    block = tmp_path / "sys/dev/block"
    block.mkdir(parents=True)
    (block / f"{os.major(number)}:{os.minor(number)}").symlink_to(tmp_path / "sys/devices/dm-1")
    packaged(tmp_path)
    assert laptop_facts.look(tmp_path, STATUS, tmp_path).disk_encrypted is encrypted


def test_swap_in_memory_or_encrypted_hides_what_it_holds(tmp_path: Path) -> None:
    layer(tmp_path, "dm-2", "CRYPT-PLAIN-swap")
    layer(tmp_path, "sda3")
    (tmp_path / "sys/class/block").mkdir(parents=True)
    for name in ("dm-2", "sda3"):
        (tmp_path / "sys/class/block" / name).symlink_to(tmp_path / "sys/devices" / name)
    lines = "Filename\tType\tSize\tUsed\tPriority\n" + "".join(
        f"{name}\tpartition\t1\t0\t-2\n" for name in ("/dev/zram0", "/dev/dm-2", "/dev/sda3")
    )
    make(tmp_path, "proc/swaps", text=lines)
    assert laptop_facts.look(tmp_path, None, tmp_path).swap_clear == ("/dev/sda3",)


@pytest.mark.parametrize(
    ("uuids", "filesystem", "encrypted"),
    [
        (["CRYPT-LUKS2-1"], "btrfs", True),
        (["LVM-1"], "btrfs", False),
        (["CRYPT-LUKS2-1", "CRYPT-LUKS2-2"], "btrfs", True),
        (["CRYPT-LUKS2-1", ""], "btrfs", False),
        (["CRYPT-LUKS2-1"], "fuse.mine", None),  # a program says what it likes
    ],
)
def test_btrfs_lies_on_all_its_devices(
    tmp_path: Path, uuids: list[str], filesystem: str, encrypted: bool | None
) -> None:
    """Its files have numbers that no device has; a swap file lies on it as any other."""
    make(tmp_path, "dev/mapper/luks-1")
    for folder in ("sys/class/block", "sys/fs/btrfs/11-22/devices"):
        (tmp_path / folder).mkdir(parents=True)
        for number, uuid in enumerate(uuids):
            name = f"luks-{number + 1}"
            if not (tmp_path / "sys/devices" / name).exists():
                layer(tmp_path, name, uuid)
            (tmp_path / folder / name).symlink_to(tmp_path / "sys/devices" / name)
    fd = os.open(tmp_path, os.O_PATH)
    mount = re.search(r"mnt_id:\s*(\d+)", Path(f"/proc/self/fdinfo/{fd}").read_text())
    os.close(fd)
    assert mount
    lines = "1 1 8:1 / / rw - ext4 /dev/sda1 rw\n" + "".join(
        f"{number} 1 0:31 /@ {point} rw - {filesystem} {source} rw,space_cache\n"
        for number, point, source in ((mount[1], "/here", "/dev/mapper/luks-1"), (mount[1] + "0", "/x", "/dev/sda2"))
    )
    make(tmp_path, "proc/self/mountinfo", text=lines)
    make(tmp_path, "proc/swaps", text=f"Filename\n{tmp_path}/swap/file\tfile\t1\t0\t-2\n")
    packaged(tmp_path)
    found = laptop_facts.look(tmp_path, STATUS, tmp_path)
    assert found.disk_encrypted is encrypted
    assert found.swap_clear == (() if encrypted else (f"{tmp_path}/swap/file",))


def test_records_that_wait_for_a_collector_elsewhere(tmp_path: Path) -> None:
    status = STATUS | {
        "collector": {"url": "https://collecteur.example"},
        "audit": {"records": 30_000, "acknowledged": None},
    }
    assert laptop_facts.look(tmp_path, status, tmp_path).unsent == 30_000


def fleet_findings(tmp_path: Path, **collector: object) -> list[tuple[str, str]]:
    """Words and states of what is said of a fleet; the laptop is otherwise as it is."""
    status = STATUS | {"collector": {"url": "https://c.example", "fleet": True, **collector}} if collector else None
    found = diagnose_laptop(laptop_facts.look(tmp_path, status, tmp_path))
    return [(each.word, each.state) for each in found if each.word in {"fleet-key", "bell", "proxy"}]


@pytest.mark.parametrize(
    ("files", "state"),
    [
        ({"device.key": "x"}, [("fleet-key", OK)]),
        ({"device.cred": "bm8gY3JlZGVudGlhbA=="}, [("fleet-key", BROKEN)]),  # of another laptop, or another TPM
        ({}, [("fleet-key", BROKEN)]),
    ],
)
def test_how_the_key_of_an_enrolled_laptop_is_kept(
    tmp_path: Path, files: dict[str, str], state: list[tuple[str, str]], monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.delenv("https_proxy", raising=False)
    assert fleet_findings(tmp_path) == []  # not enrolled
    make(tmp_path, "fleet/collector.json", text="{}")
    for name, text in files.items():
        make(tmp_path, f"fleet/{name}", text=text)
    assert fleet_findings(tmp_path) == state


@pytest.mark.parametrize("by", ["enrolled", "agent"])
def test_the_unit_that_visits_a_fleets_collector_may_be_disabled_or_masked(tmp_path: Path, by: str) -> None:
    packaged(tmp_path)
    status = STATUS | {"collector": {"url": "https://c.example", "fleet": by == "agent"}}
    assert laptop_facts.look(tmp_path, status | STATUS, tmp_path).visits is None  # nobody is to be visited
    if by == "enrolled":
        make(tmp_path, "fleet/collector.json", "fleet/device.key", text="{}")

    def found() -> bool | None:
        return laptop_facts.look(tmp_path, status, tmp_path).visits

    assert found() is False
    make(tmp_path, "etc/systemd/system/multi-user.target.wants/serment-sync.path", text="# ours")
    assert found() is True
    for unit in ("serment-sync.path", "serment-sync.service"):
        masked = tmp_path / "etc/systemd/system" / unit
        masked.symlink_to("/dev/null")
        assert found() is False
        masked.unlink()
    assert found() is True


@pytest.mark.timeout(20)
def test_a_pipe_in_the_keys_place_is_not_waited_for(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.delenv("https_proxy", raising=False)
    make(tmp_path, "fleet/collector.json", text="{}")
    os.mkfifo(tmp_path / "fleet/device.cred")
    assert fleet_findings(tmp_path) == [("fleet-key", BROKEN)]


def test_whether_the_collector_can_call_and_a_script_is_no_proxy(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    assert fleet_findings(tmp_path, bell=True) == [("bell", OK)]
    assert fleet_findings(tmp_path, bell=False) == [("bell", WEAK)]
    assert fleet_findings(tmp_path, bell=False, fleet=False) == []  # the collector of one laptop
    monkeypatch.setenv("https_proxy", "http://reseau.example/proxy.pac")
    assert fleet_findings(tmp_path) == [("proxy", WEAK)]
