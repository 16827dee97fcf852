"""The packages as an administrator meets them: installed without a question, updated, removed, purged.

In a container on the host's kernel, at native speed; ``test_package_laptop.py`` has what needs sticks.
"""

from __future__ import annotations

import json
import time
from collections.abc import Iterator
from pathlib import Path

import pytest

from tests.laptop.conftest import IMAGES
from tests.laptop.container import Container
from tests.laptop.package import QUIET, bring, install, later, packages
from tests.laptop.places import CACHE
from tests.laptop.product import fingerprint

KEPT = "/var/lib/serment"
READY = "for i in $(seq 300); do serment status --json 2>/dev/null | grep -q '\"ready\": *true' && exit 0; sleep 0.2; done; exit 1"
LEFT = (
    "find / -xdev \\( -name '*serment*' -o -path '/opt/*' \\) -not -path '/proc/*' -not -path '/sys/*' -not -path '/run/*' "
    "-not -path '/var/lib/dpkg/*' -not -path '/var/log/*' -not -path '/root/*' -not -path '/var/lib/serment*'"
)


@pytest.fixture(scope="session")
def debs() -> dict[str, Path]:
    return packages(fingerprint())


@pytest.fixture
def fresh() -> Iterator[Container]:
    """A laptop on which nobody installed anything."""
    if not (CACHE / IMAGES[0] / "base.raw").exists():
        pytest.skip("no image: make test-laptop as root makes them")
    with Container(IMAGES[0]) as machine:
        yield machine


@pytest.fixture
def laptop(fresh: Container, debs: dict[str, Path]) -> Container:
    install(fresh, debs["serment"])
    fresh.run(READY, check=True)
    return fresh


def main_pid(machine: Container) -> str:
    return machine.run("systemctl show -P MainPID serment-agent").stdout.strip()


def test_installed_and_protecting_in_two_minutes_without_a_question(fresh: Container, debs: dict[str, Path]) -> None:
    place = bring(fresh, debs["serment"])
    start = time.monotonic()
    done = fresh.run(f"{QUIET} dpkg -i {place} </dev/null", timeout=300)
    fresh.run(READY, check=True)
    seconds = time.monotonic() - start
    assert done.rc == 0, done.text
    print(f"installed and ready in {seconds:.0f} s")
    assert seconds < 120  # the promise of the package; 7 to 15 s on a quiet machine
    assert fresh.run("systemctl is-enabled serment-agent").stdout.strip() == "enabled"
    assert fresh.run("systemctl --failed --no-legend").stdout == ""
    status = json.loads(fresh.run("serment status --json", check=True).stdout)
    assert status["policy"]["source"] == "profile:enforce"
    assert fresh.run("serment doctor").rc in (0, 1)


def test_a_boot_waits_for_nothing_of_ours(laptop: Container) -> None:
    """Neither who logs in nor the desktop: nothing is ordered after the agent but the end of the machine."""
    after = laptop.run("systemctl show -P Before serment-agent", check=True).stdout.split()
    assert after == ["shutdown.target"], after
    for waiting in ("systemd-user-sessions.service", "multi-user.target", "graphical.target"):
        chain = laptop.run(f"systemctl list-dependencies --after --plain {waiting}", check=True).stdout
        assert "sysinit.target" in chain
        assert "serment-agent" not in chain, waiting
    needed = set(laptop.run("systemctl show -P After serment-agent", check=True).stdout.split())
    assert {"local-fs.target", "sysinit.target", "systemd-udevd.service"} <= needed
    assert laptop.run("systemctl is-enabled serment-agent").stdout.strip() == "enabled"


def test_nothing_of_the_systems_python_is_used(laptop: Container) -> None:
    """Debian's Python may change its version or go: Serment has its own."""
    laptop.run("mv /usr/bin/python3 /usr/bin/python3.away; mv /usr/lib/python3.[0-9]* /usr/lib/away", check=True)
    laptop.run("systemctl restart serment-agent", check=True)
    laptop.run(READY, check=True)
    laptop.run("echo bonjour > /tmp/note.txt", check=True)
    assert laptop.run("serment scan /tmp/note.txt").rc == 0
    found = laptop.run("ls -l /proc/$(systemctl show -P MainPID serment-agent)/exe").stdout
    assert "/opt/serment/python/bin/python3.11" in found
    maps = laptop.run("cat /proc/$(systemctl show -P MainPID serment-agent)/maps").stdout
    assert "/usr/lib/away" not in maps
    assert "/usr/lib/python" not in maps


def test_the_readers_of_every_format_load(laptop: Container) -> None:
    """Each library of the package with the libraries of the system that it wants."""
    script = (
        "import pypdfium2, python_calamine, selectolax.lexbor, pydicom, libarchive, re2, ahocorasick_rs, stdnum, "
        "pyrage, cryptography.hazmat.bindings._rust, msgspec, yaml, tesserocr, zxingcpp, PIL.Image, pikepdf, textual.app, "
        "sqlite3, ssl, lzma, bz2, ctypes, uuid, sqlalchemy, uvicorn, starlette, "
        "agent.detection.loops._compiled, agent.audit.glance._compiled, agent.audit.packing._compiled"
    )
    done = laptop.run(["/opt/serment/bin/python3", "-I", "-W", "error::ImportWarning", "-c", script])
    assert done.rc == 0, done.text


def test_an_update_takes_the_agent_along_and_changes_no_setting(
    laptop: Container, debs: dict[str, Path], tmp_path: Path
) -> None:
    laptop.run("printf '\\n[pictures]\\nenabled = false\\n' >> /etc/serment/agent.toml", check=True)
    before = main_pid(laptop)
    keys = laptop.run(f"find {KEPT}/keys -type f | sort | xargs sha256sum").stdout
    install(laptop, later(debs["serment"], tmp_path))
    laptop.run(READY, check=True)
    assert main_pid(laptop) not in ("0", before)
    assert "[pictures]" in laptop.run("cat /etc/serment/agent.toml").stdout
    after = laptop.run(f"find {KEPT}/keys -type f | sort | xargs sha256sum").stdout
    assert set(keys.splitlines()) <= set(after.splitlines())  # a person's may be made meanwhile
    assert laptop.run("serment audit verify").rc == 0
    assert laptop.run("systemctl --failed --no-legend").stdout == ""


def test_an_update_leaves_what_the_administrator_switched_off_as_it_is(
    laptop: Container, debs: dict[str, Path], tmp_path: Path
) -> None:
    laptop.run("systemctl disable serment-agent", check=True)
    install(laptop, later(debs["serment"], tmp_path))
    assert laptop.run("systemctl is-enabled serment-agent").stdout.strip() == "disabled"


def test_a_removal_keeps_what_is_the_persons_and_takes_what_is_ours(laptop: Container) -> None:
    laptop.run(f"install -D -m 600 /dev/null {KEPT}/quarantine/held-by-a-test", check=True)
    before = laptop.run(f"find {KEPT} -type f -not -name 'ledger.db*' | sort").stdout.split()
    laptop.run(f"{QUIET} dpkg -r serment </dev/null", check=True)
    assert laptop.run("pgrep -f '[/]opt/serment'").stdout == ""
    after = laptop.run(f"find {KEPT} -type f | sort").stdout.split()
    assert {path for path in before if "/keys/" in path or "/audit/" in path or "/quarantine/" in path} <= set(after)
    assert any("/keys/" in path for path in after)
    left = set(laptop.run(LEFT).stdout.split())
    assert left <= {"/etc/serment", "/opt", *masks(left)}, left
    assert laptop.run("ls /etc/serment").stdout.split() == ["agent.toml"]
    assert laptop.run("systemctl --failed --no-legend").stdout == ""


def masks(left: set[str]) -> set[str]:
    """What Debian keeps of a removed unit, so that a reinstallation finds it as it was."""
    return {path for path in left if path.startswith(("/etc/systemd/", "/var/lib/systemd/deb-systemd"))}


def test_put_back_after_a_removal_it_opens_what_it_sealed(laptop: Container, debs: dict[str, Path]) -> None:
    laptop.run("cd /root && echo bonjour > lettre.txt && serment seal lettre.txt -o lettre.age", check=True)
    laptop.run(f"{QUIET} dpkg -r serment </dev/null", check=True)
    install(laptop, debs["serment"])
    laptop.run(READY, check=True)
    laptop.run("cd /root && rm lettre.txt && serment open lettre.age", check=True)
    assert laptop.run("cat /root/lettre.txt").stdout == "bonjour\n"
    assert laptop.run("serment audit verify").rc == 0


def test_a_purge_keeps_keys_when_nobody_answers(laptop: Container) -> None:
    done = laptop.run(f"{QUIET} dpkg -P serment </dev/null", check=True)
    assert KEPT in done.stderr
    assert laptop.run(f"find {KEPT}/keys -type f").stdout != ""
    assert set(laptop.run(LEFT).stdout.split()) <= {"/opt"}
    assert laptop.run("dpkg-query -W serment").rc != 0


def test_a_purge_takes_all_when_the_answer_is_yes(laptop: Container) -> None:
    laptop.run("echo 'serment serment/purge-data boolean true' | debconf-set-selections", check=True)
    laptop.run(f"{QUIET} dpkg -P serment </dev/null", check=True)
    assert laptop.run(f"test -e {KEPT}").rc != 0


def test_a_fleet_may_choose_to_observe_beforehand(fresh: Container, debs: dict[str, Path]) -> None:
    fresh.run("echo 'serment serment/profile select monitor' | debconf-set-selections", check=True)
    place = bring(fresh, debs["serment"])
    # as apt does: the questions before the installation
    fresh.run(f"{QUIET} dpkg-preconfigure {place}; {QUIET} dpkg -i {place} </dev/null", check=True)
    assert 'profile = "monitor"' in fresh.run("cat /etc/serment/agent.toml").stdout


def test_the_collector_answers_when_somebody_asks(fresh: Container, debs: dict[str, Path], tmp_path: Path) -> None:
    install(fresh, debs["serment-collector"])
    assert fresh.run("systemctl is-active serment-collector.socket").stdout.strip() == "active"
    ask = "import urllib.request as u; print(u.urlopen('http://127.0.0.1:8440/health', timeout=60).status)"
    done = fresh.run(["/opt/serment-collector/bin/python3", "-I", "-c", ask])
    assert done.stdout == "200\n", done.text + fresh.run("journalctl -u serment-collector --no-pager").stdout
    assert fresh.run("stat -c %U:%a /var/lib/serment-collector").stdout == "serment-collector:700\n"
    install(fresh, later(debs["serment-collector"], tmp_path))
    assert fresh.run(["/opt/serment-collector/bin/python3", "-I", "-c", ask]).stdout == "200\n"
    fresh.run(f"{QUIET} dpkg -P serment-collector </dev/null", check=True)
    assert fresh.run("ls /var/lib/serment-collector").stdout != ""
    assert fresh.run("ls -A /opt").stdout == ""


@pytest.mark.parametrize("unit", ["serment-sync.service", "serment-collector.service"])
def test_units_that_can_be_confined_are(fresh: Container, debs: dict[str, Path], unit: str) -> None:
    """systemd-analyze security: at most 2.5 of 10. Readers are no unit of their own; they confine themselves."""
    name = "serment-collector" if "collector" in unit else "serment"
    place = bring(fresh, debs[name])
    fresh.run(f"mkdir /tmp/tree && dpkg-deb -x {place} /tmp/tree", check=True)
    words = fresh.run(
        f"systemd-analyze security --offline=yes --no-pager /tmp/tree/usr/lib/systemd/system/{unit}"
    ).stdout
    level = float(words.split("Overall exposure level")[1].split(":")[1].split()[0])
    assert level <= 2.5, words
