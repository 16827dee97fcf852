"""The service under a real systemd: it starts, it stays within its unit, its people can ask it, it stops."""

from __future__ import annotations

import re

from tests.laptop.clinician import Desk

EXPOSURE = 5.2  # systemd-analyze security: 0 best, 10 worst; the airlocks allow no mount namespace (systemd/README.md)


def test_it_starts_is_ready_and_stops(installed: Desk) -> None:
    installed.pc.run("systemctl start serment-agent", check=True, timeout=120)
    assert installed.pc.run("systemctl is-active serment-agent").stdout.strip() == "active"
    installed.wait(lambda: installed.status()["ready"])
    installed.calm()
    installed.pc.run("systemctl stop serment-agent", check=True, timeout=60)
    assert installed.pc.run("systemctl is-failed serment-agent").stdout.strip() == "inactive"
    assert installed.pc.run("ls /run/serment/agent.sock").rc != 0
    assert "Traceback" not in installed.journal()


def test_the_unit_holds_it(desk: Desk) -> None:
    words = desk.pc.run("systemd-analyze security serment-agent.service --no-pager").stdout
    found = re.search(r"Overall exposure level.*?: ([0-9.]+)", words)
    assert found and float(found[1]) <= EXPOSURE
    state = desk.pc.run("cat /proc/$(systemctl show -P MainPID serment-agent)/status").stdout
    assert "NoNewPrivs:\t1" in state
    assert "Seccomp:\t2" in state
    same = desk.pc.run("readlink /proc/1/ns/mnt /proc/$(systemctl show -P MainPID serment-agent)/ns/mnt").stdout.split()
    assert same[0] == same[1]  # in one of its own, nobody would see its airlocks
    units = "serment-agent.service serment-sync.path serment-sync.service"  # wherever they were put
    assert desk.pc.run(f"systemd-analyze verify {units}").text == ""


def test_a_reader_has_neither_root_nor_network(desk: Desk) -> None:
    """While it judges: its own account, no capability, an empty root folder."""
    desk.documents()
    script = (
        "for i in $(seq 300); do for p in $(pgrep -u serment-worker); do "
        "s=$(cat /proc/$p/status 2>/dev/null) || continue; echo \"$s\" | grep -E '^(Uid|CapEff|Seccomp|NoNewPrivs):'; "
        "echo root $(ls -A /proc/$p/root 2>/dev/null | wc -l); exit 0; done; sleep 0.05; done; exit 1"
    )
    watching = desk.pc.start(script)
    desk.run("mkdir -p ~/Téléchargements && serment scan ~/chaises.txt >/dev/null")
    stick = desk.pc.plug(desk.stick("vfat"))
    place = desk.mount(stick.part)
    desk.run(f"cp ~/chaises.txt {place}/", check=True)
    desk.judged(2)
    seen = watching.wait(check=True).stdout
    assert re.search(r"CapEff:\t0+\n", seen), seen
    assert re.search(r"Seccomp:\t2\n", seen), seen
    assert not re.search(r"Uid:\t0\t", seen), seen


def test_a_crash_is_followed_by_a_start(desk: Desk) -> None:
    """kill -9: systemd starts it anew, the audit log holds, and the log says that it began again."""
    before = desk.pc.run("systemctl show -P MainPID serment-agent").stdout.strip()
    desk.pc.run(f"kill -9 {before}", check=True)

    def again() -> bool:
        now = desk.pc.run("systemctl show -P MainPID serment-agent").stdout.strip()
        return now not in ("0", before) and desk.pc.run("serment status --json").rc == 0

    desk.wait(again, 90)
    assert desk.pc.run("serment audit verify").rc == 0
    left = desk.pc.run("systemctl show -P NRestarts serment-agent").stdout.strip()
    assert left == "1"


def test_a_reload_and_a_clean_restart(desk: Desk) -> None:
    desk.pc.run("systemctl reload serment-agent", check=True)
    desk.wait(lambda: desk.status()["ready"])
    desk.pc.run("systemctl restart serment-agent", check=True, timeout=120)
    desk.wait(lambda: desk.status()["ready"])
    desk.calm()


def test_the_clinician_may_ask(desk: Desk) -> None:
    assert '"ready"' in desk.run("serment status --json", check=True).stdout
    assert desk.run("serment doctor").rc in (0, 1)
    desk.documents()
    assert desk.run("serment scan ~/Courrier_Ortignac.txt").rc == 1
    assert desk.run("serment scan ~/chaises.txt").rc == 0
    assert desk.run("cat /var/lib/serment/audit/*").rc != 0


def test_it_comes_with_the_laptop(installed: Desk) -> None:
    """Enabled, it is there after a boot, before the clinician's stick is."""
    installed.pc.run("systemctl enable --now serment-agent", check=True)
    installed.pc.reboot()
    installed.wait(lambda: installed.status()["ready"])
    installed.calm()
