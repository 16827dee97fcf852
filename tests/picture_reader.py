"""A reader of pictures that obeys the picture: real process, real sandbox, no reading of letters.

Run as a worker it answers what the word behind the picture's end says. As ``python -m tests.picture_reader`` it is the
``serment`` command whose agent uses such workers.
"""

from __future__ import annotations

import os
import struct
import sys
import time
import zlib
from pathlib import Path

MEDICAL, HARMLESS, CRASH, HANG, SLOW = b"medical", b"harmless", b"crash", b"hang", b"slow"
HANG_CPU_S = 4.0
SLOW_CPU_S = 1.5
_SIDE = 400  # points: an icon would be passed over


def picture(word: bytes, padding: int = 16) -> bytes:
    """A grey PNG as large as a page, unlike any other; ``word`` tells the reader what to find in it."""

    def chunk(name: bytes, data: bytes) -> bytes:
        return struct.pack(">I", len(data)) + name + data + struct.pack(">I", zlib.crc32(name + data))

    header = struct.pack(">IIBBBBB", _SIDE, _SIDE, 8, 0, 0, 0, 0)
    return (
        b"\x89PNG\r\n\x1a\n" + chunk(b"IHDR", header) + chunk(b"IDAT", zlib.compress((b"\0" + b"\x7f" * _SIDE) * _SIDE))
        + chunk(b"zzZz", os.urandom(padding)) + chunk(b"tEXt", b"reader\0" + word) + chunk(b"IEND", b"")
    )  # fmt: skip


def judged(content: bytes):  # noqa: ANN201 - what is imported here is the worker's
    from agent.document import Format, Problem
    from agent.findings import Findings, Judgement, Kind, undecidable

    if CRASH in content:
        os.kill(os.getpid(), 11)  # allowed or not, this ends it
    if HANG in content or SLOW in content:
        end = time.process_time() + (HANG_CPU_S * 4 if HANG in content else SLOW_CPU_S)
        while time.process_time() < end:
            pass
    if MEDICAL in content:
        return Findings(Judgement.MEDICAL, Kind.LAB_REPORT, 0.97, identified=True, patients=1, format=Format.IMAGE)
    if HARMLESS in content:
        return Findings(Judgement.NOT_MEDICAL, confidence=0.9, format=Format.IMAGE)
    return undecidable(Problem.IMAGE, Format.IMAGE)


def pool(run_as: tuple[int, int] | None = None):  # noqa: ANN201
    from agent.extraction.client import WorkerPool

    return WorkerPool(1, hard_cpu_s=HANG_CPU_S, hard_wall_s=60.0, run_as=run_as, module=str(Path(__file__).resolve()))


def main() -> int:
    """The command, with an agent that reads pictures in this way."""
    from agent.daemon import pictures
    from agent.ui.cli.main import entry

    pictures.missing = lambda: ""
    pictures.reader_of_pictures = pool
    return entry()


if __name__ == "__main__":
    if len(sys.argv) == 6 and all(word.lstrip("-").isdigit() for word in sys.argv[1:]):
        from agent.extraction.worker import run

        def judge(fd: int, extension: str, size: int):  # noqa: ANN202
            return judged(os.pread(fd, size, 0))

        sys.exit(run(sys.argv[1:], lambda: judge))
    sys.exit(main())
