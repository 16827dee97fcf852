"""A fleet of one laptop, both packages under one systemd: a policy goes from the officers' commands to the document that
is refused by it.

In a container on the host's kernel, at native speed: collector, agent and sync as their units run them, over loopback.
"""

from __future__ import annotations

import re
import time
from collections.abc import Iterator
from pathlib import Path

import pytest

from tests.laptop.clinician import LETTER_NAME, letter
from tests.laptop.conftest import IMAGES
from tests.laptop.container import Container
from tests.laptop.package import install, packages
from tests.laptop.places import CACHE, Result
from tests.laptop.product import fingerprint

FOLDER = "/home/medecin/Nextcloud"
DATA = "/var/lib/serment-collector"
DESK = "/srv/officers"
ACCOUNT = "serment-collector"
FLEET = "serment-collector-fleet"
SETTINGS = f"""
[channels.cloud_sync]
folders = ["{FOLDER}"]
discover = false
"""
STRENGTH = (
    'import json,sys; sys.exit(not [c for c in json.load(sys.stdin)["channels"]'
    f' if c["path"] == "{FOLDER}" and c["strength"] == "hold"])'
)
POLICY = """serment: 1
policy: chu-exemple/base
defaults: {existing: observe, arriving: enforce, nothing_matches: observe}
rules:
  - id: nuage-01
    when: {action: sync, judgement: medical}
    then: block
    message: {fr: "Non.", en: "No."}
    mode: enforce
tests:
  - {given: {action: sync, document: cda}, expect: block, rule: nuage-01}
"""
ROOT = (
    "--approver anne.key.pub --approver bruno.key.pub --server server.pub --emergency-key urgent.key.pub "
    "--offline-key stick.key.pub"
)
HELD = f"serment status --json | /opt/serment/bin/python3 -c '{STRENGTH}'"
UNITS = ("serment-sync.service", f"{FLEET}.service", "serment-collector.service")
WITHIN_S = 60  # from the officers' last command to the document that is refused; design.md, section 8


@pytest.fixture(scope="module")
def fleet() -> Iterator[Container]:
    """An agent that only records, and on the same machine the collector of a fleet; not yet acquainted."""
    if not (CACHE / IMAGES[0] / "base.raw").exists():
        pytest.skip("no image: make test-laptop as root makes them")
    debs = packages(fingerprint())
    with Container(IMAGES[0]) as machine:
        machine.run("echo 'serment serment/profile select monitor' | debconf-set-selections", check=True)
        install(machine, debs["serment-collector"])
        machine.run("systemctl disable --now serment-collector.socket", check=True)
        install(machine, debs["serment"])  # it embeds a collector, until it is enrolled: the same port
        machine.run(f"mkdir -p {FOLDER}", user="medecin", check=True)
        machine.run("cat >> /etc/serment/agent.toml", stdin=settings(machine), check=True)
        machine.run(
            "cat > /etc/serment/collector.env", stdin=b"NAMES=--name localhost\nOPTIONS=--port 8441\n", check=True
        )
        machine.run(f"systemctl enable --now {FLEET}", check=True)
        machine.run(f"install -d -o {ACCOUNT} {DESK}; echo 'an invented passphrase' > {DESK}/pass", check=True)
        until(machine, f"test -s {DATA}/address")
        yield machine


def settings(machine: Container) -> bytes:
    """The package's own file has the section already, with no folder in it."""
    machine.run("sed -i '/^.channels.cloud_sync./,/^$/d' /etc/serment/agent.toml", check=True)
    return SETTINGS.encode()


def until(machine: Container, line: str, seconds: int = 60) -> None:
    done = machine.run(
        f"for i in $(seq {seconds * 4}); do {line} && exit 0; sleep 0.25; done; exit 1", timeout=seconds * 4
    )
    assert done.rc == 0, (
        f"{line}\n{done.text}\n" + machine.run("journalctl --no-pager | grep -i serment | tail -30").text
    )


def officers(machine: Container, line: str) -> str:
    """As people who may read and write the folder that they share with the collector's account."""
    return machine.run(f"cd {DESK} && {line}", user=ACCOUNT, check=True).stdout


def signed(machine: Container, change: str, *names: str) -> None:
    for name in names:
        officers(machine, f"serment policy sign {change} --key {name}.key --passphrase-file pass")


def publish(machine: Container, words: str) -> None:
    """As root, as an administrator types it: what it leaves must be the service's."""
    machine.run(f"cd {DESK} && serment-collector publish {words} --data {DATA}", check=True)


def copied(machine: Container, name: str) -> None:
    machine.run(f"cat > /home/medecin/{name}", user="medecin", stdin=letter(), check=True)
    machine.run(f"cp ~/{name} {FOLDER}/", user="medecin", check=True)


def read(machine: Container, name: str) -> Result:
    """By a program that nobody knows, as a sync client would."""
    return machine.run(
        ["python3", "-I", "-S", "-c", f"open('{FOLDER}/{name}','rb').read()"], user="medecin", timeout=120
    )


def test_a_policy_from_the_officers_refuses_a_document(fleet: Container) -> None:
    for name in ("anne", "bruno", "urgent", "stick"):
        officers(fleet, f"serment policy sign --make-key --key {name}.key --passphrase-file pass")
    publish(fleet, "--server-key server.pub")
    officers(fleet, f"serment policy build --root {ROOT} -o root")
    signed(fleet, "root", "anne", "bruno")
    publish(fleet, "root")
    token = fleet.run(f"serment-collector token --data {DATA}", check=True).stdout.strip()
    fleet.run(["serment", "enrol", token], check=True)
    fleet.run("systemctl restart serment-agent", check=True)
    until(fleet, "serment status --json | grep -q '\"ready\": *true'")
    until(fleet, f"serment-collector fleet list --json --data {DATA} | grep -q '\"records\": *[1-9]'")
    kept = fleet.run("ls /var/lib/serment/fleet", check=True).stdout.split()
    assert ("device.cred" in kept, "device.key" in kept) == (True, False)  # systemd opens it for the sync service
    copied(fleet, LETTER_NAME)
    assert read(fleet, LETTER_NAME).rc == 0  # the laptop's own policy only records

    fleet.run(f"cat > {DESK}/policy.yaml", stdin=POLICY.encode(), check=True)
    publish(fleet, "--copy copy")
    officers(fleet, "serment policy build policy.yaml --urgent --from copy -o change")
    signed(fleet, "change", "anne", "bruno")
    until(fleet, "serment status --json | grep -q '\"bell\": *true'")
    publish(fleet, "change")  # nothing else happens on the laptop: it is called
    began = time.monotonic()
    until(fleet, "serment status --json | grep -q 'chu-exemple/base'", WITHIN_S)
    print(f"from published to in force: {time.monotonic() - began:.0f} s")
    until(fleet, HELD)
    copied(fleet, "trois.txt")
    seen = read(fleet, "trois.txt")
    assert seen.rc != 0, fleet.run("serment status --json; LANG=C serment audit list").text
    assert "nuage-01" in fleet.run("serment audit list", check=True).stdout
    assert fleet.run("serment audit verify").rc == 0


def test_each_ran_as_its_unit_and_left_nothing_of_roots(fleet: Container) -> None:
    """Stands on the test before: what the visits and the administrator's commands left."""
    if fleet.run("test -e /var/lib/serment/fleet/collector.json").rc:
        pytest.skip("the laptop was not enrolled: see the test before")
    assert fleet.run("systemctl --failed --no-legend --plain | grep serment").stdout == ""
    assert fleet.run("systemctl is-active serment-sync.path").stdout.strip() == "active"
    assert fleet.run("systemctl show -P Result serment-sync.service").stdout.strip() == "success"
    assert fleet.run(f"find {DATA} -not -user {ACCOUNT}").stdout == ""
    assert fleet.run("find /var/lib/serment/fleet -not -user serment -not -name policy.bundle").stdout == ""
    who = fleet.run(f"ps -o user:20= -p $(systemctl show -P MainPID {FLEET})").stdout.strip()
    assert who == ACCOUNT
    complaints = fleet.run(
        f"journalctl -u serment-agent -u serment-sync -u {FLEET} -p warning -o cat --no-pager"
    ).stdout
    assert complaints.replace("-- No entries --\n", "") == ""


@pytest.mark.parametrize("unit", UNITS)
def test_what_a_unit_leaves_open(fleet: Container, unit: str) -> None:
    """As systemd sees the unit that is installed here."""
    words = fleet.run(f"systemd-analyze security {unit} --no-pager").stdout
    found = re.search(r"Overall exposure level.*?: ([0-9.]+)", words)
    assert found, words
    print(f"{unit}: {found[1]}")
    assert float(found[1]) <= 2.5, words


def test_units_say_nothing_to_systemd_analyze(fleet: Container) -> None:
    done = fleet.run(
        "systemd-analyze verify /lib/systemd/system/serment-*.service /lib/systemd/system/serment-*.socket"
    )
    assert done.text == ""


def test_without_settings_the_fleets_collector_says_what_it_lacks(fleet: Container, tmp_path: Path) -> None:
    """A name for this machine: without it no laptop could be told where to go."""
    fleet.run(f"systemctl stop {FLEET} && mv /etc/serment/collector.env /root/", check=True)
    try:
        refused = fleet.run(f"systemctl start {FLEET}")
        assert refused.rc != 0
        assert "collector.env" in fleet.run(f"systemctl status {FLEET} --no-pager").stdout
    finally:
        fleet.run(
            f"mv /root/collector.env /etc/serment/ && systemctl reset-failed {FLEET}; systemctl start {FLEET}",
            check=True,
        )
