"""What the laptop's tests have: a machine for each kernel, with the agent installed, or running; resumed in a second.

They are outside the default suite (a machine costs minutes): ``make test-laptop`` asks for them. SERMENT_LAPTOP_IMAGES
names the images, one machine is on at a time.
"""

from __future__ import annotations

import os
import shutil
from collections.abc import Iterator
from pathlib import Path

import pytest

from tests.laptop import Container, Laptop
from tests.laptop.clinician import Desk
from tests.laptop.places import CACHE
from tests.laptop.product import FROM_PACKAGE, guarding_state, install, installed_state

WANTED = bool(os.environ.get("SERMENT_LAPTOP"))
IMAGES = os.environ.get("SERMENT_LAPTOP_IMAGES", "bookworm bookworm-backports").split()
# Debian 13, for what the package promises there; the rest is the same kernel's and the same program's as above.
WITH_NEXT = IMAGES if "SERMENT_LAPTOP_IMAGES" in os.environ or not FROM_PACKAGE else [*IMAGES, "trixie"]
collect_ignore_glob = [] if WANTED else ["test_*.py"]


@pytest.fixture(scope="session", params=IMAGES)
def image(request: pytest.FixtureRequest) -> str:
    name: str = request.param
    if shutil.which("qemu-system-x86_64") is None or not (CACHE / name / "image.json").exists():
        pytest.skip(f"no machine or no image {name}: make test-laptop as root makes them")
    return name


@pytest.fixture
def desk(image: str, tmp_path: Path) -> Iterator[Desk]:
    """A clinician in front of a laptop whose agent guards it."""
    machine = Laptop(image)
    machine.state = guarding_state(machine)
    with machine as pc:
        yield Desk(pc, tmp_path)


@pytest.fixture
def installed(image: str, tmp_path: Path) -> Iterator[Desk]:
    """The same before the agent's first start."""
    machine = Laptop(image)
    machine.state = installed_state(machine)
    with machine as pc:
        yield Desk(pc, tmp_path)


@pytest.fixture(scope="module")
def box() -> Iterator[Container]:
    """The installed product in a container on the host's kernel."""
    if shutil.which("systemd-nspawn") is None or not (CACHE / IMAGES[0] / "base.raw").exists():
        pytest.skip("no systemd-nspawn or no image: make test-laptop as root makes them")
    with Container(IMAGES[0]) as container:
        install(container)
        yield container
