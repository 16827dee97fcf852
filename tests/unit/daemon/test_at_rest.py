"""Memory that a quiet agent gives back: real pages of a real library in a process of its own."""

from __future__ import annotations

import mmap
import os
import re
import subprocess
import sys
from pathlib import Path

import pytest

from agent.daemon import at_rest
from agent.daemon.at_rest import AtRest
from tests.running import wait_for

PROBE = """
import re, sqlite3, ssl, hashlib
from agent.daemon.at_rest import give_back, resident

def mapped(name):
    found = 0
    for block in re.split(r"(?m)^(?=[0-9a-f]+-[0-9a-f]+ )", open("/proc/self/smaps").read()):
        if name in block.split("\\n", 1)[0] and " r-xp " in block.split("\\n", 1)[0]:
            found += int(re.search(r"Private_Clean: *(\\d+)", block)[1]) + int(re.search(r"Private_Dirty: *(\\d+)", block)[1])
    return found

database = sqlite3.connect(":memory:")
database.execute("create table t (a)")
kept = [bytes([number % 251]) * 5000 for number in range(2000)]
for _ in range(3):
    before = resident()
    give_back()
    after = resident()
    # everything works as before, on pages that come back
    database.execute("insert into t values (1)")
    assert database.execute("select count(*) from t").fetchone()
    assert all(part == bytes([number % 251]) * 5000 for number, part in enumerate(kept))
    assert hashlib.sha256(b"x").hexdigest().startswith("2d711642b726b044")
    assert ssl.create_default_context().check_hostname
print(before, after)
"""


def test_what_was_given_back_comes_again_when_it_is_needed() -> None:
    done = subprocess.run([sys.executable, "-c", PROBE], capture_output=True, text=True, check=True)
    before, after = map(int, done.stdout.split())
    assert 0 < after <= before


def test_pages_of_a_file_that_nobody_reads_leave_the_process(tmp_path: Path) -> None:
    """A large file that is mapped as a library is: read once, then not touched."""
    kind = subprocess.run(["stat", "-f", "-c", "%T", tmp_path], capture_output=True, text=True, check=True).stdout
    if kind.strip() in {"tmpfs", "ramfs", "overlayfs"}:
        pytest.skip("its pages are nowhere else")
    path = tmp_path / "library"
    with path.open("wb") as file:
        file.write(os.urandom(8 << 20))
        os.fsync(file.fileno())
    with path.open("rb") as file, mmap.mmap(file.fileno(), 0, mmap.MAP_PRIVATE, mmap.PROT_READ) as mapped:
        content = mapped[:]

        def left() -> bool:
            at_rest.give_back()
            return resident_of(path) < 4 << 20

        assert resident_of(path) >= 8 << 20
        wait_for(left, 60)
        assert mapped[:] == content


def resident_of(path: Path) -> int:
    """Bytes of the file's pages that this process has mapped."""
    blocks = re.split(r"(?m)^(?=[0-9a-f]+-[0-9a-f]+ )", Path("/proc/self/smaps").read_text())
    return sum(int(re.findall(r"Rss: *(\d+)", block)[0]) * 1024 for block in blocks if str(path) in block)


def test_it_waits_until_it_has_been_quiet(monkeypatch: pytest.MonkeyPatch) -> None:
    """The clock and the size are the test's own; what is done about it is counted."""
    clock, size, done = [1000.0], [40 << 20], []

    def give_back() -> None:
        done.append(clock[0])
        size[0] = 30 << 20

    monkeypatch.setattr(at_rest.time, "monotonic", lambda: clock[0])
    monkeypatch.setattr(at_rest, "resident", lambda: size[0])
    monkeypatch.setattr(at_rest, "give_back", give_back)
    rest = AtRest()

    def after(seconds: float, *, busy: bool = False) -> bool:
        clock[0] += seconds
        return rest.look(busy=busy)

    assert not after(at_rest.QUIET_S - 1)
    assert not after(2, busy=True)
    assert not after(at_rest.QUIET_S - 1)
    assert after(2)
    assert not after(3600)  # nothing has grown: no work for nothing
    size[0] += at_rest.GROWN
    assert after(10)
    assert len(done) == 2


def test_only_what_cannot_be_written_is_named() -> None:
    """Memory of the process itself must never be paged out: on a busy disk that would hold up a document."""
    with open("/proc/self/maps", encoding="utf-8") as file:
        writable = [line.split()[0].split("-") for line in file if "w" in line.split()[1] or "/" not in line]
    ranges = [(int(start, 16), int(end, 16)) for start, end in writable]
    named = list(at_rest._read_only())
    assert named
    assert not any(start < high and low < start + length for start, length in named for low, high in ranges)
