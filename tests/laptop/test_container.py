"""The installed product in a container: units and commands under a real systemd, at native speed, on the host's kernel."""

from __future__ import annotations

import json

from tests.laptop import Container
from tests.laptop.package import install, packages
from tests.laptop.product import FROM_PACKAGE, fingerprint


def test_the_service_starts_answers_and_stops(box: Container) -> None:
    box.run("systemctl start serment-agent", check=True)
    status = json.loads(box.run("serment status --json", user="medecin", check=True).stdout)
    assert status["ready"]
    assert box.run("systemctl --failed --no-legend --plain | grep serment").stdout == ""
    assert (
        box.run("journalctl -u serment-agent -p warning --no-pager -o cat").stdout.replace("-- No entries --\n", "")
        == ""
    )
    box.run("systemctl stop serment-agent", check=True)
    assert box.run("systemctl is-failed serment-agent").stdout.strip() == "inactive"


def test_what_arrives_is_judged(box: Container) -> None:
    """With the readers' own account, from a folder of the clinician."""
    box.run("systemctl start serment-agent", check=True)
    box.run("echo bonjour > ~/arrivees/accueil.txt", user="medecin", check=True)
    wait = (
        "for i in $(seq 60); do serment status --json | grep -q '\"judged\": *[1-9]' && exit 0; sleep 0.5; done; exit 1"
    )
    box.run(wait, check=True)
    assert box.run("serment audit verify").rc == 0
    box.run("systemctl stop serment-agent", check=True)


def test_the_collector_comes_with_its_first_connection(box: Container) -> None:
    box.run("systemctl stop serment-agent", check=True)  # its embedded collector takes the same port
    if FROM_PACKAGE:  # a package of its own
        install(box, packages(fingerprint())["serment-collector"])
    box.run("systemctl start serment-collector.socket", check=True)
    ask = "import urllib.request as u; print(u.urlopen('http://127.0.0.1:8440/health', timeout=30).status)"
    assert box.run(["python3", "-c", ask], check=True).stdout.strip() == "200"
    who = box.run("ps -o user:20= -p $(systemctl show -P MainPID serment-collector)").stdout.strip()
    assert who == "serment-collector"
    box.run("systemctl stop serment-collector.socket serment-collector", check=True)


def test_commands_work_without_an_agent(box: Container) -> None:
    box.run("echo 'Menu du jeudi : quiche' > ~/menu.txt", user="medecin", check=True)
    assert box.run("serment scan ~/menu.txt", user="medecin").rc == 0
    assert box.run("serment --help", user="medecin").rc == 0
