"""One target in one process: every input under a limit of processor time and of memory; what breaks is kept.

The input stands in a file shared with the parent before it is tried, so that a hang (the kernel ends the process by
its processor timer) or a crash of a native library leaves the input behind.
"""

from __future__ import annotations

import faulthandler
import hashlib
import mmap
import os
import re
import resource
import signal
import struct
import time
import traceback
from collections.abc import Iterable
from contextlib import AbstractContextManager
from pathlib import Path

from tests.fuzz.mutate import Mutator
from tests.fuzz.target import Broken, Target

HEADROOM = 1536 << 20  # bytes of address space beyond what is mapped once a target is ready
MAX_INPUT = 1 << 22
_LENGTH = struct.Struct("<Q")
REGRESSIONS = Path(__file__).parent / "regressions"


class Trial:
    """Tries inputs of one target. ``found`` counts different failures; their inputs and traces lie below ``folder``.

    What a regression named ``open-FAILURE`` shows already is passed over, unless ``known_count``.
    """

    def __init__(self, target: Target, folder: Path, *, slower: float = 1.0, known_count: bool = False) -> None:
        self.target, self.folder, self.found, self.tried = target, folder, 0, 0
        self._cpu_s = target.cpu_s * slower
        self._kept: set[str] = set()
        self._known = {file.removeprefix("open-") for file, _ in regressions(target.name) if file.startswith("open-")}
        self._known_count = known_count
        folder.mkdir(parents=True, exist_ok=True)
        self._slot = _slot(folder / "current")
        self._check = target.prepare()
        _bound_memory()
        self._peak = _peak_kib()
        faulthandler.register(signal.SIGPROF, chain=True)

    def one(self, data: bytes) -> None:
        self._slot[: _LENGTH.size + len(data)] = _LENGTH.pack(len(data)) + data
        self.tried += 1
        signal.setitimer(signal.ITIMER_PROF, self._cpu_s)
        try:
            self._check(data)
        except BaseException as error:  # noqa: BLE001 - a Rust panic is none of the usual ones
            signal.setitimer(signal.ITIMER_PROF, 0)
            if isinstance(error, KeyboardInterrupt | SystemExit):
                raise
            if self.target.tolerates is None or not isinstance(error, self.target.tolerates):
                self._keep(data, error)
        signal.setitimer(signal.ITIMER_PROF, 0)
        peak = _peak_kib()
        if peak - self._peak > self.target.memory_mib << 10:
            self._keep(data, MemoryError(f"{(peak - self._peak) >> 10} MiB more than before"))
            self._peak = peak

    def all(self, inputs: Iterable[bytes]) -> None:
        for data in inputs:
            self.one(data)

    def done(self) -> None:
        """Nothing is being tried any more."""
        self._slot[: _LENGTH.size] = _LENGTH.pack(0xFFFFFFFFFFFFFFFF)

    def _keep(self, data: bytes, error: BaseException) -> None:
        frames = traceback.extract_tb(error.__traceback__)
        ours = [frame for frame in frames if "/agent/" in frame.filename or "/collector/" in frame.filename]
        last = (ours or frames or [None])[-1]
        place = f"{Path(last.filename).name}-{last.lineno}" if last else "memory"
        name = f"{type(error).__name__}-{place}"
        if isinstance(error, Broken):
            name = "Broken-" + re.sub(r"[^a-z]+", "-", str(error).lower())[:60].strip("-")
        if name in self._kept or (name in self._known and not self._known_count):
            return
        self._kept.add(name)
        self.found += 1
        name += "-" + hashlib.sha256(data).hexdigest()[:8]
        (self.folder / name).write_bytes(data)
        (self.folder / f"{name}.trace").write_text("".join(traceback.format_exception(error))[-6000:])


def current_input(folder: Path) -> bytes | None:
    """What was being tried when the process ended, if it was trying anything."""
    with (folder / "current").open("rb") as file:
        (length,) = _LENGTH.unpack(file.read(_LENGTH.size))
        return file.read(length) if length <= MAX_INPUT else None


def run(target: Target, folder: Path, *, seed: int, inputs: int, seconds: float) -> Trial:
    """Regressions, seeds, then mutations: at most ``inputs`` of them and ``seconds`` of processor time."""
    trial = Trial(target, folder)
    seeds = target.seeds()
    trial.all(data for name, data in regressions(target.name) if not name.startswith("open-"))
    trial.all(seeds)
    mutations = Mutator(seed, seeds, target.words, target.max_bytes)
    end = time.process_time() + seconds
    for _ in range(inputs):
        if time.process_time() > end:
            break
        trial.one(mutations.next())
    trial.done()
    return trial


def instrumented() -> AbstractContextManager[None]:
    """What is imported of ours within this context tells Atheris which of its branches were taken."""
    import atheris

    guide: AbstractContextManager[None] = atheris.instrument_imports(include=["agent", "collector"])
    return guide


def run_guided(target: Target, folder: Path, seconds: float) -> None:
    """The same with Atheris: coverage leads the mutations. Does not return."""
    import sys

    import atheris

    with instrumented():
        trial = Trial(target, folder, slower=8.0)
    corpus = folder / "corpus"
    corpus.mkdir(exist_ok=True)
    for data in [*target.seeds(), *(data for _, data in regressions(target.name))]:
        (corpus / hashlib.sha256(data).hexdigest()[:16]).write_bytes(data)

    def one(data: bytes) -> None:
        trial.one(data)
        trial.done()

    arguments = [sys.argv[0], f"-max_total_time={max(1, int(seconds))}", f"-max_len={target.max_bytes}"]
    arguments += ["-rss_limit_mb=0", "-timeout=300", "-verbosity=0", "-print_final_stats=1"]
    arguments.append(f"-artifact_prefix={folder}/crash-")
    if target.words:  # an empty dictionary is an error of usage
        arguments.append(f"-dict={_dictionary(target, folder)}")
    atheris.Setup([*arguments, str(corpus)], one)
    atheris.Fuzz()


def _dictionary(target: Target, folder: Path) -> Path:
    words = folder / "words.dict"
    words.write_text("".join('"' + "".join(f"\\x{byte:02x}" for byte in word) + '"\n' for word in target.words))
    return words


def regressions(name: str) -> list[tuple[str, bytes]]:
    """File name and bytes of what once broke this target."""
    folder = REGRESSIONS / name
    return [(path.name, path.read_bytes()) for path in sorted(folder.iterdir())] if folder.is_dir() else []


def _slot(path: Path) -> mmap.mmap:
    fd = os.open(path, os.O_RDWR | os.O_CREAT | os.O_CLOEXEC, 0o600)
    try:
        os.ftruncate(fd, _LENGTH.size + MAX_INPUT)
        slot = mmap.mmap(fd, _LENGTH.size + MAX_INPUT)
    finally:
        os.close(fd)
    slot[: _LENGTH.size] = _LENGTH.pack(0xFFFFFFFFFFFFFFFF)
    return slot


def _bound_memory() -> None:
    with open("/proc/self/statm", "rb") as file:
        mapped = int(file.read().split()[0]) * resource.getpagesize()
    _soft, hard = resource.getrlimit(resource.RLIMIT_AS)
    limit = mapped + HEADROOM
    resource.setrlimit(resource.RLIMIT_AS, (limit if hard == resource.RLIM_INFINITY else min(limit, hard), hard))
    resource.setrlimit(resource.RLIMIT_CORE, (0, 0))


def _peak_kib() -> int:
    """The most that this program has occupied. ``ru_maxrss`` would count what its parent occupied before the exec."""
    with open("/proc/self/status", "rb") as file:
        return next(int(line.split()[1]) for line in file if line.startswith(b"VmHWM:"))
