"""A day of office work, replayed fast: nothing leaks, no document is lost, each record has its operation.

Bounded by default; ``SERMENT_LONG=1`` replays 100,000 operations (24 hours of a busy practice, half an hour here).
"""

from __future__ import annotations

import os
from collections.abc import Iterator
from pathlib import Path

import pytest

from tests.office_day import OfficeDay
from tests.running import loop_volume
from tests.stick_bed import Stick, bed

OPERATIONS = 100_000 if os.environ.get("SERMENT_LONG") == "1" else 1000
PARTS = 10
# Two caches of 4,096 documents fill (1.2 KB each), threads make their memory; what grows with the work would be more.
MOST_KB = 16_000 if OPERATIONS > 10_000 else 6_000
MOST_DESCRIPTORS = 6
pytestmark = [
    pytest.mark.system,
    pytest.mark.timeout(5400 if OPERATIONS > 10_000 else 600),
    pytest.mark.skipif(os.getuid() != 0, reason="mounts need root"),
]


@pytest.fixture
def day(tmp_path: Path) -> Iterator[OfficeDay]:
    downloads = tmp_path / "Downloads"
    downloads.mkdir()
    (tmp_path / "disk").mkdir()
    with loop_volume(tmp_path / "disk", size_mib=512) as volume:
        cloud = volume / "Nextcloud"
        cloud.mkdir()
        sticks = [Stick(tmp_path, size_mib=256)]
        with bed(tmp_path, sticks=sticks, cloud=[cloud], downloads=[downloads], gate=True) as made:
            try:
                made.wait_held()
                yield OfficeDay(made, cloud, downloads, seed=20_260)
            finally:
                made.agent.close()


def test_a_day_of_office_work_leaks_nothing_and_loses_nothing(day: OfficeDay) -> None:
    day.work(OPERATIONS // PARTS)  # the first readers, keys, caches
    day.settle()
    uses = [day.use()]
    for _ in range(PARTS - 1):
        day.work(OPERATIONS // PARTS)
        day.settle()
        uses.append(day.use())
        print(day.done.total(), uses[-1])
    if OPERATIONS < 10_000:
        day.plug()
    assert {"plug", "read", "letter-stick", "letter-sync", "letter-arrive"} <= set(day.done)
    assert uses[-1].descriptors - uses[0].descriptors <= MOST_DESCRIPTORS, uses
    assert uses[-1].private_kb - uses[0].private_kb <= MOST_KB, uses
    assert day.lost() == []
    assert day.bare() == []
    if not [record for record in day.bed.agent.records("trouble") if record["word"] == "gate-canary"]:
        assert day.leaked == []  # a gate that could not prove itself on a busy machine says so, and promises less
    assert day.unrecorded() == []
    assert day.unexplained() == []
    assert day.bed.agent.command("audit", "verify").returncode == 0
