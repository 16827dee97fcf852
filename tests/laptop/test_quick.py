"""The laptop in one boot, bounded: from a fresh disk with the package to a stick that is refused, sealed, ejected, read.

`.ci/run` runs it (`make test-laptop-quick`). What cannot be had here (root, qemu, an image, a package) is a skip with that
reason; so is a machine that is too slow to answer in time. A wrong answer is a failure. Figures go to the output.
"""

from __future__ import annotations

import contextlib
import functools
import os
import re
import tempfile
import time
from collections.abc import Callable, Iterator
from pathlib import Path

import pytest

from tests.laptop import Laptop
from tests.laptop.clinician import LETTER_NAME, MARK, NOTE, NOTE_TEXT, TABLE, Desk, records_on, table, traces_of_name
from tests.laptop.places import LaptopError
from tests.laptop.qemu import accelerator
from tests.laptop.quick_disk import built_image, installed_disk, lacking
from tests.laptop.sticks import find_in_image

IMAGE = os.environ.get("SERMENT_LAPTOP_IMAGES", "bookworm").split()[0]
PROTECTED_S = 120  # of the machine's own clock, from its kernel's start; issue of packaging: under two minutes


@pytest.fixture(scope="module")
def fresh() -> Iterator[Desk]:
    """Switched on for the first time since the package was installed."""
    if os.getuid() != 0:
        pytest.skip("needs root")
    if why := lacking():
        pytest.skip(why)
    with contextlib.ExitStack() as stack:
        folder = Path(stack.enter_context(tempfile.TemporaryDirectory(prefix="serment-quick-", dir="/tmp")))  # noqa: S108
        try:
            started = time.monotonic()
            image = built_image(IMAGE)
            said(f"image {IMAGE}", time.monotonic() - started)
            started = time.monotonic()
            disk = installed_disk(image, folder)
            said("package built and installed", time.monotonic() - started)
            pc = stack.enter_context(contextlib.closing(Laptop(IMAGE)))
            pc.overlay(disk, "raw")
            said(f"booted ({accelerator()})", pc.boot(timeout=240))
        except (LaptopError, TimeoutError) as error:
            pytest.skip(str(error)[:1000])
        yield Desk(pc, folder)


def in_time(test: Callable[[Desk], None]) -> Callable[[Desk], None]:
    """A machine that did not answer in time shows nothing about the product: said, and no failure."""

    @functools.wraps(test)
    def tried(fresh: Desk) -> None:
        try:
            test(fresh)
        except TimeoutError as error:
            pytest.skip(f"too slow here: {str(error)[:1000]}")

    return tried


def said(what: str, seconds: float) -> None:
    print(f"laptop: {what}: {seconds:.1f} s", flush=True)


def judged_in_time(desk: Desk) -> None:
    """An emulated reader may use up its two seconds: then the policy lets the document go, and says so. TimeoutError."""
    if "copy-unreadable" in desk.audit():
        raise TimeoutError("a document could not be read in the time that the agent gives it")


def monotonic(desk: Desk, unit: str) -> float:
    """When a unit was there, in seconds since the kernel began."""
    return int(desk.pc.run(f"systemctl show -P ActiveEnterTimestampMonotonic {unit}").stdout) / 1e6


@in_time
def test_it_is_protected_soon_after_it_is_switched_on(fresh: Desk) -> None:
    """Nobody was asked anything; the agent is ready, and what a boot waits for is printed."""
    fresh.wait(lambda: fresh.pc.run("systemctl is-active serment-agent").rc == 0)
    protected = monotonic(fresh, "serment-agent.service")
    said("switched on to protected, by the machine's clock", protected)
    said("login possible", monotonic(fresh, "systemd-user-sessions.service"))
    said("boot over", monotonic(fresh, "multi-user.target"))
    for line in fresh.pc.run("systemd-analyze blame --no-pager | grep serment").stdout.splitlines():
        print(f"laptop: blame: {line.strip()}")
    print(fresh.pc.run("systemd-analyze critical-chain --no-pager systemd-user-sessions.service").stdout)
    assert protected < PROTECTED_S
    assert fresh.status()["ready"]
    assert fresh.pc.run("systemctl --failed --no-legend --plain").stdout == ""
    # who logs in does not wait for it
    waited = fresh.pc.run("systemd-analyze critical-chain --no-pager systemd-user-sessions.service").stdout
    assert "serment" not in waited


@in_time
def test_one_stick(fresh: Desk) -> None:
    """Never writable past the airlock; a table refused, a letter sealed, a note let through; ejected; read raw."""
    fresh.documents()
    (fresh.here / TABLE).write_bytes(table(records=120, patients=15))  # little work for an emulated processor
    fresh.pc.put(fresh.here / TABLE, f"/home/medecin/{TABLE}", user="medecin")
    image = fresh.stick("vfat")
    stick = fresh.pc.plug(image)
    assert "OptionNotPermitted" in fresh.run(f"udisksctl mount -b {stick.part} -o rw").text
    place = fresh.mount(stick.part)
    assert fresh.strength(place) == "hold", fresh.guarded(place)
    fresh.run(f"cp ~/{NOTE} {place}/ && cmp ~/{NOTE} {place}/{NOTE}", check=True, timeout=240)
    started = time.monotonic()
    refused = fresh.run(f"cp ~/{TABLE} {place}/", timeout=240)
    said("a table is refused", time.monotonic() - started)
    judged_in_time(fresh)
    assert refused.rc != 0
    started = time.monotonic()
    fresh.run(f"cp ~/{LETTER_NAME} {place}/ && sync -f {place}/", check=True, timeout=240)
    said("a letter is sealed", time.monotonic() - started)
    judged_in_time(fresh)
    fresh.wait(lambda: [name for name in fresh.run(f"ls {place}").stdout.split() if name.endswith(".age")])
    started = time.monotonic()
    ejected = fresh.eject(stick)
    said("ejected", time.monotonic() - started)
    assert ejected.rc == 0, ejected.text
    fresh.pc.unplug(stick)
    assert find_in_image(image, NOTE_TEXT.encode()), "the raw stick shows what was let through"
    assert find_in_image(image, b"age-encryption.org/v1")
    assert records_on(image) == 0
    assert find_in_image(image, MARK) == []
    assert traces_of_name(image) == 0
    assert traces_of_name(image, LETTER_NAME) == 0


@in_time
def test_what_it_wrote_down(fresh: Desk) -> None:
    """A record of each, a log that holds, no complaint, and no name or text in the journal."""
    judged_in_time(fresh)
    words = fresh.audit()
    assert {"copy-patient-table", "copy-patient"} <= set(re.findall(r"[a-z-]+", words)), words
    fresh.calm()
