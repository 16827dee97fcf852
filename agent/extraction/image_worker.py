"""The child that reads pictures: the same protocol, sandbox and judge as ``worker``, with a reader of pictures.

``python -I -m agent.extraction.image_worker FD MEMORY CPU UID GID [KEY LIST]`` is started by ``client.image_pool``. It
takes what nobody else wants of processor and disk, for what it does is never urgent. A document gets the whole of its
text, tables and parts again, and what its pictures show; the answer is final.

``python -m agent.extraction.image_worker --check`` loads everything without confinement and shows what fails.

Must not: run in the normal worker's place (it is large and slow), log, print, or keep anything of a document.
"""

from __future__ import annotations

import ctypes
import os
import sys
import warnings
from collections.abc import Sequence
from contextlib import suppress
from dataclasses import replace

from agent.extraction import worker
from agent.findings import Findings

SOFT_SECONDS = 45.0  # of processor time for one document: what was not read by then is said; the hard limit is 60
_NICE = 19
_IDLE_DISK = 3 << 13  # IOPRIO_CLASS_IDLE: ioprio_set(2)
_IOPRIO_SET = {"x86_64": 251, "aarch64": 30}


def main(arguments: Sequence[str]) -> int:
    """The worker process; its exit code is that of ``worker.run``."""
    if list(arguments) == ["--check"]:
        load(strict=True)
        return 0
    return worker.run(arguments[: worker.OWN], lambda: _prepare(arguments[worker.OWN :]))


def load(*, strict: bool = False, lent: Sequence[str] = ()) -> worker.Judge:
    """The judge, warm: every library loaded, every sample read. Raises when the reader of pictures cannot be had;
    ``strict`` also when a sample fails. ``lent``: as for ``worker.load``.
    """
    from agent.detection.detector import detect
    from agent.extraction.limits import Budget, Limits
    from agent.extraction.pixels.reader import Pixels
    from agent.extraction.pixels.samples import samples
    from agent.extraction.reader import read_document

    worker.load(strict=strict)
    roster = worker.lent_roster(lent)
    warnings.simplefilter("ignore")  # of a damaged picture: nobody reads them, and to print one a file is looked for
    pictures = Pixels()
    limits = replace(Limits(), soft_seconds=SOFT_SECONDS)
    roster = worker.lent_roster(lent)

    def judge(fd: int, extension: str, size: int) -> Findings:
        return detect(read_document(fd, extension, size, Budget(limits, pictures=pictures)), roster)

    for extension, sample in samples():
        with suppress(*(() if strict else (Exception,))), worker.memory_file(sample) as fd:
            judge(fd, extension, len(sample))
    return judge


def yield_to_everybody() -> None:
    """Take processor and disk only when nobody else wants them. What the system refuses is done without."""
    with suppress(OSError):
        os.sched_setscheduler(0, os.SCHED_IDLE, os.sched_param(0))
    number = _IOPRIO_SET.get(os.uname().machine)
    if number is not None:
        libc = ctypes.CDLL(None, use_errno=True)
        libc.syscall(ctypes.c_long(number), ctypes.c_int(1), ctypes.c_int(0), ctypes.c_int(_IDLE_DISK))


def _prepare(lent: Sequence[str]) -> worker.Judge:
    with suppress(OSError):
        os.nice(_NICE)
    judge = load(lent=lent)
    yield_to_everybody()  # now: a start has a time limit, which the last in every queue might not keep
    return judge


if __name__ == "__main__":
    sys.exit(main(sys.argv[1:]))
