"""A clinician's key on a real system: made at the first login, kept by systemd-creds, with a TPM where there is one."""

from __future__ import annotations

import contextlib
import json
import shutil
import tempfile
from collections.abc import Iterator
from pathlib import Path

import pytest

from tests.laptop.clinician import LETTER_NAME, MARK, Desk
from tests.laptop.machine import Laptop
from tests.laptop.package import on_disk, packages
from tests.laptop.places import CACHE, CHECKOUT
from tests.laptop.product import FROM_PACKAGE, fingerprint, installed_state
from tests.laptop.sticks import find_in_image
from tests.laptop.tpm import IMAGE, TpmLaptop

KEYS = "/var/lib/serment/keys"
LOGIN = "serment-login.service"


def enabled(desk: Desk) -> None:
    """The agent, and the unit of each login, as the package will have them."""
    desk.pc.run("mkdir -p /usr/lib/systemd/user", check=True)
    desk.pc.put(CHECKOUT / "packaging/desktop" / LOGIN, f"/usr/lib/systemd/user/{LOGIN}")
    desk.pc.run(f"systemctl --global enable {LOGIN} && systemctl enable serment-agent", check=True)


def kept_by(desk: Desk) -> str:
    """How the clinician's own key is protected, once it is there; nobody asked for it but her login."""
    desk.wait(lambda: desk.pc.run(f"ls {KEYS}/clinicians/1000.pub").rc == 0)
    states = json.loads(desk.run("serment keys status --json", check=True).stdout)["keys"]
    found: str = next(each["method"] for each in states if each["name"] == "1000")
    return found


def sealed(desk: Desk) -> None:
    desk.documents()
    desk.run(f"serment seal {LETTER_NAME} -o lettre.age && rm {LETTER_NAME}", check=True)


def opens(desk: Desk) -> bool:
    """Without a phrase, in her own session; what was taken out is gone again afterwards."""
    done = desk.run(f"serment open lettre.age && grep -c {MARK.decode()} {LETTER_NAME} && shred -u {LETTER_NAME}")
    return done.rc == 0 and done.stdout.endswith("1\n")


@pytest.mark.timeout(900)
def test_made_at_the_first_login_and_kept_by_systemd(installed: Desk) -> None:
    enabled(installed)
    installed.pc.run("systemctl start serment-agent", check=True, timeout=180)
    installed.run(f"systemctl --user daemon-reload && systemctl --user start {LOGIN}", check=True, timeout=120)
    assert kept_by(installed) == "credential"
    secrets = installed.pc.run(f"stat -c '%a %U %n' $(find {KEYS} -name '*.sealed')", check=True).stdout.splitlines()
    assert len(secrets) == 2 and all(line.startswith("600 root ") for line in secrets)
    assert installed.pc.run(f"grep -rl SECRET {KEYS}").stdout == ""
    assert installed.run(f"cat {KEYS}/clinicians/1000.sealed").rc != 0
    sealed(installed)
    assert opens(installed)
    moved = f"cp {KEYS}/clinicians/1000.sealed {KEYS}/practice.sealed"  # bound to its name
    installed.pc.run(
        f"systemctl stop serment-agent && {moved} && systemctl start serment-agent", check=True, timeout=180
    )
    assert installed.pc.run("serment keys backup --practice -o -").rc != 0
    installed.pc.run("mv /var/lib/systemd/credential.secret /root/", check=True)  # the folder alone, elsewhere
    installed.pc.run("systemctl restart serment-agent", check=True, timeout=180)
    assert not opens(installed)


@pytest.fixture
def chipped(tmp_path: Path) -> Iterator[Desk]:
    for program in ("qemu-system-x86_64", "swtpm"):
        if shutil.which(program) is None:
            pytest.skip(f"{program} is not installed: make test-laptop")
    if not (CACHE / IMAGE / "image.json").exists():
        pytest.skip(f"no image {IMAGE}: make test-laptop as root makes it")
    with contextlib.ExitStack() as stack:
        folder = stack.enter_context(tempfile.TemporaryDirectory(prefix="laptop-tpm-", dir="/tmp"))  # noqa: S108
        pc = stack.enter_context(TpmLaptop(never_started(Path(folder)), tmp_path / "chip"))
        yield Desk(pc, tmp_path)


def never_started(folder: Path) -> Path:
    """A disk with the product, enabled, that nobody switched on yet; without the package: ``enabled`` is to be called."""
    if FROM_PACKAGE:
        return on_disk(CACHE / IMAGE / "base.raw", packages(fingerprint())["serment"], folder)
    with contextlib.closing(Laptop(IMAGE)) as plain:
        return installed_state(plain) / "disk.qcow2"


@pytest.mark.timeout(3000)
def test_kept_by_the_tpm_and_useless_beside_another(chipped: Desk) -> None:
    """First login to a disk in another laptop. Each start is a cold boot."""
    if not FROM_PACKAGE:
        enabled(chipped)
        chipped.pc.run("sync", check=True)
        chipped.pc.cut()
        chipped.pc.boot()  # the first login with Serment installed
    assert kept_by(chipped) == "tpm"
    sealed(chipped)
    assert opens(chipped)
    chipped.pc.run("sync", check=True)
    chipped.pc.cut()
    assert find_in_image(chipped.pc.disk, b"AGE-SECRET-KEY-1") == []
    chipped.pc.boot()
    chipped.wait(lambda: chipped.pc.run("serment status").rc == 0)
    assert opens(chipped)  # no phrase, no hand: the same chip
    chipped.pc.cut()
    assert isinstance(chipped.pc, TpmLaptop)
    chipped.pc.chip = chipped.here / "another"
    chipped.pc.boot()
    chipped.wait(lambda: chipped.pc.run("serment status").rc == 0)
    refused = chipped.run("LANG=C serment open lettre.age")
    assert refused.rc == 69 and "serment keys recovery" in refused.text, refused.text
    assert chipped.run(f"ls {LETTER_NAME}").rc != 0
    assert chipped.run("echo bonjour > note.txt && serment seal note.txt -o note.age").rc == 0  # sealing needs no key
