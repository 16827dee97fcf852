"""clamd on files of ours: started with invented signatures that match nothing, asked over its socket, ended.

Only for the bench. The official signatures, some millions, cannot be fetched everywhere; invented byte patterns of the
usual length stand in, fewer of them, which is kind to clamd. It gets open descriptors, as our worker does (FILDES,
clamd(8)).
"""

from __future__ import annotations

import os
import random
import shutil
import socket
import subprocess
import tempfile
import time
from collections.abc import Callable, Iterable, Iterator
from contextlib import contextmanager
from pathlib import Path

PATTERNS = 200_000
_START_S = 120.0
_ANSWER_S = 60.0


def in_turns(
    paths: Iterable[Path], ours: Callable[[Path], object], seconds: float = 600.0
) -> tuple[list[float], list[float]] | None:
    """Milliseconds of ``ours`` and of clamd, connection included, file by file in turns so that noise meets both.

    None where clamd is not installed. What is not reached after ``seconds`` is left out of both lists. Raises
    ``RuntimeError`` when it does not start, ``OSError`` when it does not answer.
    """
    program = shutil.which("clamd")
    if program is None:
        return None
    mine, theirs = [], []
    with tempfile.TemporaryDirectory(prefix="serment-clamd-") as folder, _daemon(program, Path(folder)) as address:
        until = time.monotonic() + seconds
        for path in paths:
            if time.monotonic() > until and theirs:
                break
            begun = time.perf_counter()
            ours(path)
            mine.append((time.perf_counter() - begun) * 1e3)
            theirs.append(_scan(address, path))
    return mine, theirs


@contextmanager
def _daemon(program: str, folder: Path) -> Iterator[str]:
    chance = random.Random(1)
    with (folder / "bench.ndb").open("w") as signatures:
        for number in range(PATTERNS):  # any file type, any offset (ClamAV: extended signature format)
            signatures.write(f"Bench.{number}:0:*:{chance.randbytes(chance.randint(16, 60)).hex()}\n")
    address = str(folder / "socket")
    settings = folder / "clamd.conf"
    settings.write_text(f"LocalSocket {address}\nDatabaseDirectory {folder}\nForeground yes\nMaxThreads 2\n")
    process = subprocess.Popen([program, "-c", str(settings)], stdout=subprocess.DEVNULL, stderr=subprocess.DEVNULL)
    try:
        _wait(address, process)
        yield address
    finally:
        process.terminate()
        try:
            process.wait(10)
        except subprocess.TimeoutExpired:  # it reads its signatures still
            process.kill()
            process.wait()


def _wait(address: str, process: subprocess.Popen[bytes]) -> None:
    until = time.monotonic() + _START_S
    while time.monotonic() < until and process.poll() is None:
        try:
            with socket.socket(socket.AF_UNIX) as probe:
                probe.connect(address)
                return
        except OSError:
            time.sleep(0.05)
    raise RuntimeError("clamd did not start")


def _scan(address: str, path: Path) -> float:
    begun = time.perf_counter()
    fd = os.open(path, os.O_RDONLY)
    try:
        with socket.socket(socket.AF_UNIX) as line:
            line.settimeout(_ANSWER_S)
            line.connect(address)
            line.sendall(b"zFILDES\0")
            socket.send_fds(line, [b"\0"], [fd])
            answer = line.recv(4096)
    finally:
        os.close(fd)
    if b"OK" not in answer and b"FOUND" not in answer:
        raise RuntimeError(f"clamd answered {answer[:60]!r}")
    return (time.perf_counter() - begun) * 1e3
