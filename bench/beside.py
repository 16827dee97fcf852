"""Peers in the same run as ours, on documents of the repository: clamd, clamonacc, ripgrep, Presidio. Bounded.

A peer that is not installed is a line that says so; nothing is downloaded (``python -m bench.peers`` sets Presidio up).
What they answer, and on more documents: ``bench.peers``. The age command and the bare file operations stand beside the
figures of the other suites, as their ratio.
"""

from __future__ import annotations

import contextlib
import json
import os
import shutil
import statistics
import subprocess
import tempfile
import time
from collections.abc import Callable, Iterator, Sequence
from pathlib import Path

from bench import clam, peers
from bench.measure import Figure

MANIFEST = peers.detection.CHECKOUT / "tests/documents/judged/manifest.jsonl"
DOCUMENTS, PRESIDIO, OPENS = 24, 15, 60
_MARK = b"serment-bench-must-be-refused".hex()
_START_S = 60.0


def main() -> list[Figure]:
    rows = [json.loads(line) for line in MANIFEST.read_text("utf-8").splitlines()]
    rows = rows[:: max(1, len(rows) // DOCUMENTS)]
    paths = [MANIFEST.parent / row["path"] for row in rows]
    texts = [peers.text_of(path) for path in paths]
    return [*_clamd(paths), *_clamonacc(), *_ripgrep(texts), *_presidio(rows, texts)]


def absent(name: str, why: str) -> Figure:
    return Figure(name, 0.0, "ms", missing=why)


def _clamd(paths: Sequence[Path]) -> list[Figure]:
    from agent.extraction.client import WorkerPool

    pool = WorkerPool(1)

    def ask(path: Path) -> None:
        fd = os.open(path, os.O_RDONLY)
        try:
            pool.judge(fd, path.suffix[1:], os.fstat(fd).st_size)
        finally:
            os.close(fd)

    try:
        pool.prewarm()
        for path in paths:  # the reader is warm, and so is the page cache, for both
            ask(path)
        found = clam.in_turns(paths, ask)
    finally:
        pool.close()
    if found is None:
        return [absent("peer: clamd, a document", "not installed (clamav-daemon)")]
    ours, theirs = (statistics.fmean(times) for times in found)
    return [
        Figure("Serment: a document, descriptor to verdict, mean", ours, "ms", None, False, "clamd", ours / theirs),
        Figure(f"peer: clamd, {clam.PATTERNS:,} invented signatures, mean", theirs, "ms"),
    ]


def _clamonacc() -> list[Figure]:
    """Opening small files that it has not seen, while it holds them; the same kind of figure as the gate's."""
    name = "peer: clamonacc, opening a new file of 20 KB"
    if shutil.which("clamonacc") is None or shutil.which("clamd") is None:
        return [absent(name, "not installed (clamav-daemon)")]
    if os.geteuid() != 0:
        return [absent(name, "needs root")]
    with tempfile.TemporaryDirectory(prefix="serment-clamonacc-") as folder:
        base = Path(folder)
        try:
            with _on_access(base) as watched:
                held = _opens(watched)
        except RuntimeError as error:
            return [absent(name, str(error))]
        bare_folder = base / "bare"
        bare_folder.mkdir()
        bare = _opens(bare_folder)
    return [Figure(name, held * 1e3, "ms", None, False, "bare open and read", held / bare)]


def _opens(folder: Path) -> float:
    """Seconds of the median first opening and reading."""
    times = []
    for number in range(OPENS):
        path = folder / str(number)
        path.write_bytes(os.urandom(10_000).hex().encode())
    for number in range(OPENS):
        begun = time.perf_counter()
        (folder / str(number)).read_bytes()
        times.append(time.perf_counter() - begun)
    return statistics.median(times)


@contextlib.contextmanager
def _on_access(base: Path) -> Iterator[Path]:
    """A folder that clamonacc holds, with one signature; RuntimeError when it cannot be seen to hold it."""
    watched, database = base / "watched", base / "database"
    for made in (watched, database):
        made.mkdir()
    (database / "bench.ndb").write_text(f"Bench:0:*:{_MARK}\n")
    settings = base / "clamd.conf"
    settings.write_text(
        f"LocalSocket {base}/socket\nDatabaseDirectory {database}\nForeground yes\nMaxThreads 4\n"
        f"OnAccessIncludePath {watched}\nOnAccessPrevention yes\nOnAccessExcludeUname clamav\n"
    )
    with contextlib.ExitStack() as stack:
        _ended(stack, ["clamd", "-c", str(settings)])
        _until(lambda: (base / "socket").exists(), "clamd did not start")
        _ended(stack, ["clamonacc", "-F", "--fdpass", "-c", str(settings)])
        marked = watched / "marked"
        marked.write_bytes(bytes.fromhex(_MARK))

        def refused() -> bool:
            try:
                marked.read_bytes()
            except PermissionError:
                return True
            return False

        _until(refused, "it refuses nothing here")
        yield watched


def _ended(stack: contextlib.ExitStack, command: list[str]) -> None:
    process = subprocess.Popen(command, stdout=subprocess.DEVNULL, stderr=subprocess.DEVNULL)

    def end() -> None:
        process.terminate()
        try:
            process.wait(10)
        except subprocess.TimeoutExpired:
            process.kill()
            process.wait()

    stack.callback(end)


def _until(what: Callable[[], bool], why: str) -> None:
    deadline = time.monotonic() + _START_S
    while not what():
        if time.monotonic() > deadline:
            raise RuntimeError(why)
        time.sleep(0.1)


def _ripgrep(texts: Sequence[str]) -> list[Figure]:
    with tempfile.TemporaryDirectory(prefix="serment-bench-") as folder:
        rows = peers._ripgrep(Path(folder), list(texts))
    figures = []
    for row in rows:
        name = row["peer"] if row["peer"].startswith("Serment") else f"peer: {row['peer']}"
        missing = str(row.get("missing", "")).replace("ripgrep is ", "")
        figures.append(Figure(f"{name}, mean", float(row.get("mean_ms", 0.0)), "ms", missing=missing))
    return figures


def _presidio(rows: Sequence[dict[str, object]], texts: Sequence[str]) -> list[Figure]:
    name = f"peer: Presidio, French, text of at most {peers.PRESIDIO_CHARS:,} characters"
    if not (peers.BUILD / "ready").is_file():
        return [absent(name, "not installed (python -m bench.peers does)")]
    with tempfile.TemporaryDirectory(prefix="serment-bench-") as folder:
        listing = Path(folder) / "texts.jsonl"
        chosen = [(row, text) for row, text in zip(rows, texts, strict=True) if text and row["lang"] == "fr"]
        with listing.open("w", encoding="utf-8") as file:
            for number, (row, text) in enumerate(chosen[:PRESIDIO]):
                line = {"path": str(number), "text": text[: peers.PRESIDIO_CHARS],
                        "medical": row["label"] == "medical", "fold": number % peers.FOLDS}  # fmt: skip
                file.write(json.dumps(line) + "\n")
        script = Path(__file__).with_name("peer_presidio.py")
        command = [str(peers.BUILD / "bin/python"), str(script), str(listing)]
        done = subprocess.run(command, check=False, capture_output=True, text=True)
    if done.returncode:
        return [absent(name, (done.stderr.strip().splitlines() or ["failed"])[-1][:60])]
    times = json.loads(done.stdout.strip().splitlines()[-1])["ms"]
    return [Figure(name, statistics.median(times), "ms")]


if __name__ == "__main__":
    for figure in main():
        print(figure.line())
