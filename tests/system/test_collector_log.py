"""The audit log on a real kernel: killed while it writes, and on a disk that is full."""

import os
import signal
import subprocess
import sys
import time

import pytest

from agent.audit.log import AuditLog
from agent.audit.segments import read, verify_folder
from agent.errors import HostError

KILLS = 20
pytestmark = pytest.mark.system

WRITER = """
import sys, threading
from pathlib import Path
from agent.audit.log import AuditLog
log = AuditLog.open(Path(sys.argv[1]), segment_bytes=200_000)
log.start(version="test")
said = threading.Lock()
def work(number):
    while True:
        index = log.append("transfer", {"n": number, "pad": "x" * (log.size % 400)}, durable=True)
        log.append("outcome", {"of": index, "result": "done"})
        with said:
            print(index, flush=True)
for number in range(3):
    threading.Thread(target=work, args=(number,)).start()
"""


def test_what_was_durable_is_there_after_every_kill(tmp_path):
    folder, acknowledged = tmp_path / "audit", set()
    for life in range(KILLS):
        process = subprocess.Popen(
            [sys.executable, "-c", WRITER, str(folder)], stdout=subprocess.PIPE, stderr=subprocess.DEVNULL
        )
        try:
            acknowledged.add(int(process.stdout.readline()))
            time.sleep(0.003 * (life % 7))
        finally:
            process.send_signal(signal.SIGKILL)
            acknowledged.update(int(line) for line in process.stdout.read().splitlines(keepends=True)[:-1] if line)
            process.stdout.close()
            process.wait()
    log = AuditLog.open(folder)
    log.start()
    log.close()
    summary = verify_folder(folder)
    entries = {entry.number: entry.fields["k"] for entry in read(folder)}
    assert len(entries) == summary.records
    assert {index for index in acknowledged if entries.get(index) != "transfer"} == set()
    assert "trouble" not in entries.values()
    assert (summary.starts, summary.unclean_starts) == (KILLS + 1, KILLS)


@pytest.fixture
def tiny_disk(tmp_path):
    """A file system of 256 KiB."""
    place = tmp_path / "tiny"
    place.mkdir()
    subprocess.run(["mount", "-t", "tmpfs", "-o", "size=256k", "tmpfs", str(place)], check=True)
    yield place
    subprocess.run(["umount", "-l", str(place)], check=True)


@pytest.mark.skipif(os.getuid() != 0, reason="mounting needs root")
def test_a_full_disk_stops_the_log_and_room_brings_it_back(tiny_disk):
    log = AuditLog.open(tiny_disk / "audit")
    (tiny_disk / "other").write_bytes(bytes(150_000))
    written = 0
    with pytest.raises(HostError, match="No space left") as caught:
        for _ in range(5000):
            log.append("transfer", {"pad": "x" * 300})
            written += 1
    assert caught.value.hint
    for size in (0, 64, 256, 320):  # a small record fits in the last page; head.json beside it does not
        with pytest.raises(HostError), log.scope({"pad": "x" * size}):
            pytest.fail("acted without an audit record")
        assert log.size == written
    (tiny_disk / "other").unlink()
    assert log.append("transfer", {"n": 1}, durable=True) == written
    log.close()
    assert verify_folder(tiny_disk / "audit").records == written + 2
