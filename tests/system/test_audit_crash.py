"""The crash campaign: the log's writer killed at any moment, and its last writes torn at any byte.

No sealed record is lost, what was cut off is told, and the log verifies (both verifiers). SERMENT_AUDIT_KILLS and
SERMENT_AUDIT_TEARS make it longer.
"""

import json
import os
import random
import shutil
import signal
import time

import pytest

from agent.audit import checkpoint, frames
from agent.audit.frames import Frame, FrameType
from agent.audit.limits import Limits
from agent.audit.log import AuditLog
from agent.audit.segments import read, segment_items, segment_numbers, segment_path, verify_folder
from tests.unit.audit.independent import judged

KILLS = int(os.environ.get("SERMENT_AUDIT_KILLS", "40"))
OPENED = b"\xff" * 8  # what the child says once its log is open
TEARS = int(os.environ.get("SERMENT_AUDIT_TEARS", "150"))
pytestmark = [pytest.mark.system, pytest.mark.timeout(300 + KILLS + TEARS)]  # a second each, on a slow machine


def write_until_killed(folder, said):
    """The child: sessions of two threads; a number goes to ``said`` once its record is durable."""
    import threading

    log = AuditLog.open(folder, limits=Limits(segment_bytes=30_000, flush_after_s=0.005, beat_s=0.004))
    log.start(version="test")
    os.write(said, OPENED)

    def work(number):
        while True:
            index = log.append("transfer", {"n": number, "act": True}, durable=True)
            os.write(said, index.to_bytes(8, "big"))
            log.append("outcome", {"of": index, "result": "done"})

    for number in range(2):
        threading.Thread(target=work, args=(number,), daemon=True).start()
    time.sleep(60)


def one_life(folder, chance):
    """The numbers of the records that were durable before the kill."""
    hears, says = os.pipe()
    child = os.fork()
    if child == 0:
        try:
            os.close(hears)
            write_until_killed(folder, says)
        finally:
            os._exit(1)
    os.close(says)
    heard = os.read(hears, 8) if chance.random() < 0.7 else b""  # the others are killed while they open, perhaps
    time.sleep(chance.random() * 0.08)
    os.kill(child, signal.SIGKILL)
    os.waitpid(child, 0)
    while piece := os.read(hears, 1 << 16):
        heard += piece
    os.close(hears)
    return {int.from_bytes(heard[at : at + 8], "big") for at in range(0, len(heard) // 8 * 8, 8)} - {
        int.from_bytes(OPENED, "big")
    }


def test_kills(tmp_path):
    chance, durable, folder = random.Random(6), set(), tmp_path / "audit"
    for life in range(KILLS):
        durable |= one_life(folder, chance)
        if life % 20 == 19:
            log = AuditLog.open(folder)
            log.close()
            assert verify_folder(folder).records == judged(folder)["records"]
    log = AuditLog.open(folder)
    log.start()
    log.close()
    summary = verify_folder(folder)
    kinds = {entry.number: entry.fields["k"] for entry in read(folder)}
    assert len(durable) > KILLS
    assert not {index for index in durable if kinds.get(index) != "transfer"}
    assert "trouble" not in kinds.values()
    assert summary.records == len(kinds) == judged(folder)["records"]
    assert summary.sealed == summary.records


def sealed_size(folder):
    """How many records the seals in the log cover."""
    return max(
        checkpoint.unpack(item.body).size
        for number in segment_numbers(folder)
        for item in segment_items(folder, number)
        if isinstance(item, Frame) and item.kind == FrameType.CHECKPOINT
    )


def test_torn_writes(tmp_path):
    """A power cut: of what was written behind the last fdatasync any part may be there, and garbage beside it."""
    chance, honest = random.Random(8), tmp_path / "honest"
    log = AuditLog.open(honest, limits=Limits(flush_after_s=3600))
    log.start(version="test")
    for number in range(20):
        log.append("transfer", {"n": number, "act": True}, durable=number < 10)
    log._let_go()
    promised = json.loads((honest / "head.json").read_text())
    data = segment_path(honest, 0).read_bytes()
    for number in range(TEARS):
        folder = tmp_path / "torn"
        shutil.copytree(honest, folder)
        tail = data[promised["offset"] :]
        cut = chance.randrange(len(tail) + 1)
        garbage = chance.choice((b"", bytes(chance.randrange(2000)), chance.randbytes(chance.randrange(300))))
        segment_path(folder, 0).write_bytes(data[: promised["offset"]] + tail[:cut] + garbage)
        whole = [item for item in frames.split(tail[:cut])[0] if isinstance(item, Frame)]
        again = AuditLog.open(folder)
        again.start(version="test")
        again.close()
        summary = verify_folder(folder)
        assert summary.records == promised["size"] + len(whole) + 2 == judged(folder)["records"], number
        start = [entry.fields for entry in read(folder)][-2]
        length = sum(frames.HEADER_BYTES + len(item.body) for item in whole)
        assert (start["clean"], start["dropped"]) == (False, cut + len(garbage) - length)
        assert summary.sealed == sealed_size(folder) == summary.records
        shutil.rmtree(folder)
