"""A guarded folder is renamed, and another one takes its name: both are guarded, at once."""

import os
import shutil
import time
from collections.abc import Iterator
from pathlib import Path

import pytest

from tests.gate_bed import PATIENCE_S, GateBed, reads, settled

pytestmark = [pytest.mark.system, pytest.mark.timeout(180)]


@pytest.fixture
def bed(tmp_path: Path) -> Iterator[GateBed]:
    made = GateBed(tmp_path)
    try:
        made.secret(made.cloud / "before")
        settled()
        made.arm(home=False)
        yield made
    finally:
        made.close()


def refused(path: Path) -> bool:
    """Within the patience of a slow machine."""
    deadline = time.monotonic() + PATIENCE_S
    while reads(path) is not None:
        if time.monotonic() > deadline:
            return False
        time.sleep(0.2)
    return True


def put(bed: GateBed, folder: Path) -> Path:
    document = bed.secret(folder / "letter")
    settled()
    return document


def made_anew(bed: GateBed) -> None:
    bed.cloud.mkdir()


def moved_in(bed: GateBed) -> None:
    bed.outside.rename(bed.cloud)


def moved_in_below(bed: GateBed) -> None:
    """The folder above takes the name: no folder of the guarded one's own name was ever moved."""
    (bed.outside / bed.cloud.name).mkdir()
    bed.home.rename(bed.home.with_name("before"))
    bed.outside.rename(bed.home)


def test_the_folder_is_removed_and_made_again(bed):
    shutil.rmtree(bed.cloud)
    settled()  # noticed, and nothing is there
    bed.cloud.mkdir()
    assert refused(put(bed, bed.cloud))


@pytest.mark.parametrize("way", [made_anew, moved_in])
def test_the_folder_that_takes_the_name_is_guarded_too(bed, way):
    elsewhere = bed.cloud.with_name("Elsewhere")
    bed.cloud.rename(elsewhere)
    way(bed)
    assert refused(put(bed, bed.cloud))
    assert reads(elsewhere / "before") is None  # the one that went is what it was


def test_the_folder_above_is_another(bed):
    moved_in_below(bed)
    assert refused(put(bed, bed.cloud))
    assert reads(bed.home.with_name("before") / bed.cloud.name / "before") is None


def test_names_come_and_go(bed):
    """Again and again: each that took the name stays guarded, and nothing is kept of those that are gone."""
    held = []
    for turn in range(4):
        went = bed.cloud.with_name(f"was{turn}")
        bed.cloud.rename(went)
        bed.cloud.mkdir()
        held.append(put(bed, bed.cloud))
        assert refused(held[-1])
        held[-1] = bed.cloud.with_name(f"was{turn + 1}") / held[-1].name
    bed.cloud.rename(bed.cloud.with_name("was4"))
    assert all(refused(document) for document in held)


def test_who_takes_its_own_name_back(bed):
    elsewhere = bed.cloud.with_name("Elsewhere")
    bed.cloud.rename(elsewhere)
    elsewhere.rename(bed.cloud)
    assert refused(put(bed, bed.cloud))
    assert not os.path.lexists(elsewhere)
    assert reads(bed.write(bed.outside / "harmless")) == b"harmless"
