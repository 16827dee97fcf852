"""What sealing costs beside the ``age`` command and beside a plain copy, in turns in the same run; memory too.

    python -m bench.seal [--json] [--mib N] [--rounds N] [--only copy,age,ours,open] [--hole]

All three read the same file from the page cache, write a new file in the same folder and fsync it, so the medium
bothers each alike. ``open`` is the way back, verified to the last byte; ``hybrid`` seals to post-quantum recipients;
``edit`` puts an edited document back under its header; ``rotate`` gives the sealed file another header. Budget
(reference, section 12): sealing to two recipients at least 200 MB/s; the process grows by less than 64 MB, whatever the
size (8 GiB: ``--mib 8192``; ``--only`` spares the disk). Without the age command its ratio is left out.
"""

from __future__ import annotations

import argparse
import json
import os
import resource
import shutil
import statistics
import subprocess
import tempfile
import time
from collections.abc import Callable
from pathlib import Path

from agent.crypto.keys import KeyStore
from agent.crypto.parcel import Member
from agent.crypto.recipients import KeyKind, new_identity, recipient_of, unwrap
from agent.crypto.rehead import new_header, replace_header
from agent.crypto.reseal import reseal
from agent.crypto.sealed import read_header, seal, unseal
from bench.measure import Figure

BUDGET_MB_S = 200.0
BUDGET_MB = 64.0  # of memory, over the process that has its modules loaded


def timed_s(work: Callable[[], object]) -> float:
    begun = time.perf_counter()
    work()
    return time.perf_counter() - begun


class Bench:
    def __init__(self, folder: Path, mib: int) -> None:
        self.folder, self.size = folder, mib << 20
        self.plain, self.target = folder / "plain", folder / "target"
        with self.plain.open("wb") as file:
            for _ in range(mib):
                file.write(os.urandom(1 << 20))
        self.keys = KeyStore(folder / "keys")
        self.recipients = self.keys.recipients(os.getuid())
        self.hybrids = [recipient_of(new_identity(KeyKind.HYBRID)) for _ in range(2)]

    def ours(self) -> None:
        with self.plain.open("rb") as source, self.target.open("wb") as target:
            seal(source.fileno(), self.size, b"letter.pdf", 0, self.recipients, target.fileno())
            os.fsync(target.fileno())

    def hybrid(self) -> None:
        with self.plain.open("rb") as source, (self.folder / "hybrid").open("wb") as target:
            seal(source.fileno(), self.size, b"letter.pdf", 0, self.hybrids, target.fileno())
            os.fsync(target.fileno())

    def edit(self) -> None:
        """Needs what ``ours`` left."""
        with (
            self.target.open("rb") as old,
            self.plain.open("rb") as source,
            (self.folder / "edit").open("wb") as target,
        ):
            key = unwrap(read_header(old.fileno()), [self.keys.practice_identity()])
            reseal(old.fileno(), key, source.fileno(), Member(b"letter.pdf", self.size, 0), target.fileno())
            os.fsync(target.fileno())

    def rotate(self) -> None:
        """Needs what ``ours`` left."""
        folder_fd = os.open(self.folder, os.O_RDONLY)
        try:
            with self.target.open("rb") as file:
                old = read_header(file.fileno())
            head = new_header(old, unwrap(old, [self.keys.practice_identity()]), self.recipients, None)
            replace_header(folder_fd, b"target", head, old)
        finally:
            os.close(folder_fd)

    def age(self) -> None:
        options = [item for text in self.recipients for item in ("-r", text)]
        subprocess.run(["age", *options, "-o", self.target, self.plain], check=True)
        self._sync()

    def copy(self) -> None:
        shutil.copyfile(self.plain, self.target)
        self._sync()

    def opened(self) -> None:
        """Needs what ``ours`` left."""
        with self.target.open("rb") as source, (self.folder / "out").open("wb") as out:
            unseal(source.fileno(), [self.keys.practice_identity()], out.fileno())
            os.fsync(out.fileno())

    def _sync(self) -> None:
        with self.target.open("rb") as file:
            os.fsync(file.fileno())


def measure(folder: Path, mib: int, rounds: int, only: tuple[str, ...] = ()) -> list[Figure]:
    bench = Bench(folder, mib)
    ways = {"copy": bench.copy, "age": bench.age, "ours": bench.ours, "open": bench.opened,
            "edit": bench.edit, "rotate": bench.rotate, "hybrid": bench.hybrid}  # fmt: skip
    if shutil.which("age") is None:
        del ways["age"]
    ways = {name: work for name, work in ways.items() if not only or name in {*only, "ours", "copy"}}
    times: dict[str, list[float]] = {name: [] for name in ways}
    before = resource.getrusage(resource.RUSAGE_SELF).ru_maxrss
    for _ in range(rounds):
        for name, work in ways.items():  # « open » comes right after « ours »
            times[name].append(timed_s(work))
    grown = resource.getrusage(resource.RUSAGE_SELF).ru_maxrss - before
    middle = {name: statistics.median(found) for name, found in times.items()}
    speed = {name: bench.size / 1e6 / taken for name, taken in middle.items()}
    budgets = {"hybrid": BUDGET_MB_S}
    found = [
        Figure(
            "seal, two recipients", speed["ours"], "MB/s", BUDGET_MB_S, True, "copy", middle["ours"] / middle["copy"]
        )
    ]
    if "age" in middle:
        found.append(
            Figure("seal beside age", speed["ours"], "MB/s", None, True, "age", middle["ours"] / middle["age"])
        )
    names = {"age": "the age command", "open": "open, verified", "hybrid": "seal, two hybrid recipients",
             "edit": "edit put back", "copy": "plain copy with fsync"}  # fmt: skip
    found += [
        Figure(text, speed[name], "MB/s", budgets.get(name), True) for name, text in names.items() if name in speed
    ]
    if "rotate" in middle:
        ratio = middle["rotate"] / middle["copy"]
        found.append(Figure("header replaced", speed["rotate"], "MB/s", None, True, "copy", ratio))
    found.append(Figure("memory grown meanwhile", grown / 1024, "MB", BUDGET_MB))
    return found


def measure_hole(folder: Path, mib: int) -> list[Figure]:
    """A document that costs no disk to read, sealed to nowhere: the work and the memory alone, at any size."""
    keys, size = KeyStore(folder / "keys").recipients(os.getuid()), mib << 20
    words = ["age", *(item for text in keys for item in ("-r", text)), str(folder / "plain")]
    with (folder / "plain").open("w+b") as source, Path(os.devnull).open("wb") as target:
        source.truncate(size)
        seal(source.fileno(), 1 << 20, b"film.dcm", 0, keys, target.fileno())  # modules are loaded
        before = resource.getrusage(resource.RUSAGE_SELF).ru_maxrss
        worked = time.process_time()
        taken = timed_s(lambda: seal(source.fileno(), size, b"film.dcm", 0, keys, target.fileno()))
        worked = time.process_time() - worked
        grown = resource.getrusage(resource.RUSAGE_SELF).ru_maxrss - before
        found = [Figure(f"seal a hole of {mib} MiB", size / 1e6 / taken, "MB/s", BUDGET_MB_S, True)]
        found.append(Figure("the same, for each second of a processor", size / 1e6 / worked, "MB/s", BUDGET_MB_S, True))
        if shutil.which("age"):
            theirs = timed_s(lambda: subprocess.run(words, stdout=target, check=True))
            spent = resource.getrusage(resource.RUSAGE_CHILDREN)
            ratio = worked / (spent.ru_utime + spent.ru_stime)
            found.append(Figure("processor beside age", size / 1e6 / worked, "MB/s", None, True, "age", ratio))
            found.append(Figure("seal beside age", size / 1e6 / taken, "MB/s", None, True, "age", taken / theirs))
            found.append(Figure("the age command", size / 1e6 / theirs, "MB/s"))
    return [*found, Figure("memory grown meanwhile", grown / 1024, "MB", BUDGET_MB)]


def main() -> None:
    parser = argparse.ArgumentParser(description="sealing beside the age command and a plain copy")
    parser.add_argument("--json", action="store_true")
    parser.add_argument("--mib", type=int, default=256)
    parser.add_argument("--rounds", type=int, default=5)
    parser.add_argument("--only", default="", help="these ways beside « ours » and « copy », with commas between")
    parser.add_argument("--folder", help="where to work (default: a temporary folder)")
    parser.add_argument("--hole", action="store_true", help="a document without content, sealed to nowhere: no disk")
    options = parser.parse_args()
    only = tuple(name for name in options.only.split(",") if name)
    with tempfile.TemporaryDirectory(prefix="serment-bench-", dir=options.folder) as folder:
        place = Path(folder)
        figures = (
            measure_hole(place, options.mib) if options.hole else measure(place, options.mib, options.rounds, only)
        )
    for figure in figures:
        print(json.dumps(figure.as_dict()) if options.json else figure.line())


if __name__ == "__main__":
    main()
