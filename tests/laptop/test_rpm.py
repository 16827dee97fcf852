"""The RPM leaves what the Debian package leaves: files, modes, owners, accounts, units, and nothing after a removal.

In a container on the host's kernel. That distribution's own policies (SELinux) and its rpm database are not shown here.
"""

from __future__ import annotations

import re
import shutil
import subprocess
from collections.abc import Iterator
from pathlib import Path
from typing import Any

import pytest

from tests.laptop.conftest import IMAGES
from tests.laptop.container import Container
from tests.laptop.package import QUIET, bring, install, packages
from tests.laptop.places import CACHE
from tests.laptop.product import fingerprint
from tests.laptop.rpm import bring_program, build, installed_files, packed_files, requirements
from tests.laptop.test_package import KEPT, LEFT, READY, main_pid

# Of the Debian package alone: what lintian and dpkg's readers look at. Of RPMs: zsh's folder.
OF_DEBIAN = re.compile(r"/usr/share/(lintian|zsh/vendor-completions)|changelog\.Debian\.gz$")
OF_RPM = re.compile(r"/usr/share/zsh/site-functions")
RENAMED = re.compile(r"/lib-dynload/_bz2\.")  # asks for libbz2 by the name that it has elsewhere
SYSTEM = ("serment-agent.service", "serment-sync.path")
PERSONS = ("serment-helper.service", "serment-login.service")


@pytest.fixture(scope="session")
def rpms(tmp_path_factory: pytest.TempPathFactory) -> dict[str, Path]:
    if shutil.which("rpmbuild") is None:
        pytest.skip("rpmbuild is not installed: apt-get install rpm")
    return build(packages(fingerprint())["serment"].parent, tmp_path_factory.mktemp("rpm"))


@pytest.fixture
def fresh() -> Iterator[Container]:
    """A laptop on which nobody installed anything, with rpm(8)."""
    if not (CACHE / IMAGES[0] / "base.raw").exists():
        pytest.skip("no image: make test-laptop as root makes them")
    with Container(IMAGES[0]) as machine:
        bring_program(machine)
        yield machine


def rpm(machine: Container, words: str) -> None:
    """Debian's own program warns of itself; systemd-sysusers says whom it made. Anything else is a complaint."""
    done = machine.run(f"rpm {words} --force-debian </dev/null", timeout=400)
    said = [line for line in done.stderr.splitlines() if not line.startswith(("Creating group", "Creating user"))]
    assert (done.rc, said) == (0, []), done.text


def left_behind(machine: Container) -> dict[str, Any]:
    """What a laptop is like after an installation, but for the files of the package."""
    ask = {
        "enabled": f"systemctl is-enabled {' '.join(SYSTEM)}; systemctl --global is-enabled {' '.join(PERSONS)}",
        "running": f"systemctl is-active {' '.join(SYSTEM)}",
        "accounts": "getent passwd serment serment-worker | cut -d: -f1,5-",
        "places": "stat -c '%A %U %G %n' /etc/serment /etc/serment/agent.toml /var/lib/serment",
        "settings": "cat /etc/serment/agent.toml",
        "policy": "serment status --json | grep -o 'profile:[a-z]*'",
    }
    machine.run(READY, check=True)
    return {name: machine.run(line).stdout for name, line in ask.items()}


def test_it_leaves_what_the_debian_package_leaves(fresh: Container, rpms: dict[str, Path]) -> None:
    debian = packages(fingerprint())["serment"]
    install(fresh, debian)
    of_debian, files = left_behind(fresh), packed_files(debian)
    fresh.run("echo 'serment serment/purge-data boolean true' | debconf-set-selections", check=True)
    fresh.run(f"{QUIET} dpkg -P serment </dev/null", check=True)

    rpm(fresh, f"-i --nodeps {bring(fresh, rpms['serment'])}")
    assert left_behind(fresh) == of_debian
    assert of_debian["enabled"].split() == ["enabled"] * 4
    assert of_debian["running"].split() == ["active"] * 2
    own = installed_files(fresh, "serment")
    wanted = {path: what for path, what in files.items() if not OF_DEBIAN.search(path)}
    whole = {path for path, what in wanted.items() if not what[0].startswith("d")}
    assert whole - set(own) == set()
    assert {path for path in own if path not in files and not OF_RPM.search(path)} == set()
    differing = {path for path in own if path in wanted and own[path] != wanted[path] and not RENAMED.search(path)}
    assert differing == set()
    shared = {path for path, what in own.items() if what[0].startswith("d") and "/serment" not in path}
    assert shared == set(), "folders of the system are not the package's"
    assert len(own) > 5000


def test_an_update_takes_the_agent_along_and_changes_no_setting(fresh: Container, rpms: dict[str, Path]) -> None:
    place = bring(fresh, rpms["serment"])
    rpm(fresh, f"-i --nodeps {place}")
    fresh.run(READY, check=True)
    fresh.run("printf '\\n[pictures]\\nenabled = false\\n' >> /etc/serment/agent.toml", check=True)
    fresh.run("systemctl disable serment-sync.path", check=True)
    before = main_pid(fresh)
    rpm(fresh, f"-U --replacepkgs --nodeps {place}")
    fresh.run(READY, check=True)
    assert main_pid(fresh) not in ("0", before)
    assert "[pictures]" in fresh.run("cat /etc/serment/agent.toml").stdout
    assert fresh.run("systemctl is-enabled serment-sync.path").stdout.strip() == "disabled"
    assert fresh.run("systemctl --failed --no-legend").stdout == ""


def test_a_removal_keeps_what_is_the_persons_and_takes_what_is_ours(fresh: Container, rpms: dict[str, Path]) -> None:
    rpm(fresh, f"-i --nodeps {bring(fresh, rpms['serment'])}")
    fresh.run(READY, check=True)
    fresh.run(f"install -D -m 600 /dev/null {KEPT}/quarantine/held-by-a-test; rm /root/*.rpm", check=True)
    rpm(fresh, "-e serment")
    assert fresh.run("pgrep -f '[/]opt/serment'").stdout == ""
    assert fresh.run(f"find {KEPT}/keys -type f").stdout != ""
    assert fresh.run(f"test -e {KEPT}/quarantine/held-by-a-test").rc == 0
    left = set(fresh.run(LEFT).stdout.split())
    assert left <= {"/etc/serment", "/opt"}, left
    assert fresh.run("ls /etc/serment").stdout.split() == ["agent.toml"]
    assert fresh.run("systemctl --failed --no-legend").stdout == ""


def test_the_collector_answers_when_somebody_asks(fresh: Container, rpms: dict[str, Path]) -> None:
    rpm(fresh, f"-i --nodeps {bring(fresh, rpms['serment-collector'])}")
    assert fresh.run("systemctl is-enabled serment-collector.socket").stdout.strip() == "enabled"
    ask = "import urllib.request as u; print(u.urlopen('http://127.0.0.1:8440/health', timeout=60).status)"
    done = fresh.run(["/opt/serment-collector/bin/python3", "-I", "-c", ask])
    assert done.stdout == "200\n", done.text + fresh.run("journalctl -u serment-collector --no-pager").stdout
    fresh.run("rm /root/*.rpm", check=True)
    rpm(fresh, "-e serment-collector")
    assert fresh.run("ls /var/lib/serment-collector").stdout != ""
    assert fresh.run("ls -A /opt").stdout == ""
    assert fresh.run("systemctl list-units --no-legend --plain 'serment*'").stdout == ""


@pytest.mark.parametrize("name", ["serment", "serment-collector"])
def test_it_asks_for_libraries_by_the_names_they_have_elsewhere(rpms: dict[str, Path], name: str) -> None:
    """Each that it does not carry itself, and none that it does: no distribution could ever have those."""
    needed = requirements(rpms[name])
    assert {"libc.so.6", "libssl.so.3", "libffi.so.8", "libsqlite3.so.0", "libbz2.so.1", "liblzma.so.5"} <= needed
    assert ("libarchive.so.13" in needed) == (name == "serment")  # opened by its name, at run time
    odd = {each for each in needed if re.search(r"-[0-9a-f]{8}|libpdfium|libbz2\.so\.1\.0|python|^/opt", each)}
    assert odd == set()
    carried = subprocess.run(["rpm", "-qpl", rpms[name]], check=True, capture_output=True, text=True).stdout
    assert {each for each in needed if f"/{each}\n" in carried and not each.startswith("/")} == set()
