"""Quality of detection over a labelled corpus: recall, false positives, undecidable shares, misses with reasons.

    python bench/detection.py [MANIFEST] [--json] [--misses N] [--jobs N] [--ocr]

MANIFEST is a ``manifest.jsonl`` (one object a line: path, label, kind, lang, identified, source) beside the files;
the default is ``../shared/corpus`` next to the checkout. Reads and judges each file in process, as the worker does,
in a pool of bounded size, each file with a hard time limit. The split by source shows how even the result is; sources
whose names hash to the held-out half are reported apart, so that work on one half can be judged by the other.
"""

from __future__ import annotations

import argparse
import json
import multiprocessing
import os
import signal
import sys
import time
import zlib
from collections import defaultdict
from collections.abc import Iterable
from dataclasses import replace
from pathlib import Path
from typing import Any

CHECKOUT = Path(__file__).resolve().parent.parent
HARD = (
    "blank-form",
    "code",
    "course",
    "cv",
    "drug-leaflet",
    "fhir-admin",
    "fhir-conformance",
    "hospital-admin",
    "invoice",
    "legal",
    "paper",
    "payslip",
    "public-health",
)
FILE_SECONDS = 20
FILE_SECONDS_WITH_PICTURES = 90
DEFAULT = CHECKOUT.parent / "shared" / "corpus" / "manifest.jsonl"
TABLES = frozenset((".csv", ".tsv", ".xlsx", ".xls", ".ods", ".dbf", ".db", ".sqlite"))
PICTURES = frozenset((".tif", ".tiff", ".jpg", ".jpeg", ".png", ".bmp"))
ONE_AUTHOR = "one author"
"""The source of documents whose manifest names none."""
Row = dict[str, Any]


def judge(task: tuple[str, Row]) -> Row:
    """Read and judge one file; an exception or a timeout is a result of its own."""
    folder, row = task
    from agent.detection.detector import detect
    from agent.extraction.limits import Budget
    from agent.extraction.reader import read_document

    path = os.path.join(folder, row["path"])
    started = time.perf_counter()
    signal.signal(signal.SIGALRM, _late)
    signal.alarm(FILE_SECONDS if _pictures is None else FILE_SECONDS_WITH_PICTURES)
    fd = os.open(path, os.O_RDONLY)
    try:
        document = read_document(fd, Path(path).suffix[1:], os.fstat(fd).st_size, Budget())
        read = time.perf_counter()
        found = detect(document)
        if _pictures is not None and found.awaits_pictures:
            found = detect(read_document(fd, Path(path).suffix[1:], os.fstat(fd).st_size, _slow()))
        answer = {
            "judgement": found.judgement.value,
            "kind": found.kind.value,
            "identified": found.identified,
            "patients": found.patients,
            "confidence": found.confidence,
            "problem": found.problem and found.problem.value,
            "format": found.format.value,
            "detect_ms": (time.perf_counter() - read) * 1e3,
            "why": [(item.type.value, item.count, item.weight) for item in found.items[:8]],
        }
    except Exception as error:
        answer = {
            "judgement": "internal",
            "kind": repr(error)[:80],
            "identified": False,
            "patients": 0,
            "confidence": 0.0,
            "problem": None,
            "format": "",
            "detect_ms": 0.0,
            "why": [],
        }
    finally:
        signal.alarm(0)
        os.close(fd)
    return {**row, "answer": answer, "ms": (time.perf_counter() - started) * 1e3}


_pictures: Any = None
"""The reader of pictures, with --ocr; the workers inherit it."""


def _slow() -> Any:
    """The budget of the second look."""
    from agent.extraction.limits import Budget, Limits

    return Budget(replace(Limits(), soft_seconds=60.0), pictures=_pictures)


def _late(*_: object) -> None:
    raise TimeoutError


def share(rows: Iterable[Row], judgement: str) -> tuple[int, int]:
    """(how many have the judgement, how many there are)."""
    rows = list(rows)
    return sum(row["answer"]["judgement"] == judgement for row in rows), len(rows)


def pictures(row: Row) -> bool:
    """Nothing but pixels: left to the reader of images."""
    return row["answer"]["problem"] == "image" and row["answer"]["judgement"] == "undecidable"


def is_hard(row: Row) -> bool:
    """Chosen to mislead: as its manifest says, else by its kind."""
    return bool(row["hard"]) if "hard" in row else row["kind"] in HARD


def summary(rows: list[Row]) -> dict[str, tuple[int, int]]:
    """The headline figures, each as (hits, of)."""
    clear = [row for row in rows if "encrypted" not in row["kind"] and not pictures(row)]
    medical = [row for row in clear if row["label"] == "medical"]
    ordinary = [row for row in rows if row["label"] != "medical" and not is_hard(row)]
    hard = [row for row in rows if row["label"] != "medical" and is_hard(row)]
    tables = [row for row in medical if row["kind"] == "patient-table"]
    counted = [row for row in medical if (row.get("patients") or 0) > 1]
    scans = [row for row in rows if Path(row["path"]).suffix.lower() in PICTURES and row["label"] == "medical"]
    listed = [row for row in counted if Path(row["path"]).suffix.lower() in TABLES]
    return {
        "recall, medical (encrypted and images apart)": share(medical, "medical"),
        "recall, identified medical": share((row for row in medical if row["identified"]), "medical"),
        "identified said of identified": (
            sum(r["answer"]["identified"] for r in medical if r["identified"]),
            sum(r["identified"] for r in medical),
        ),
        "identified said of unidentified": (
            sum(r["answer"]["identified"] for r in medical if not r["identified"]),
            sum(not r["identified"] for r in medical),
        ),
        "false positives, all": share((row for row in rows if row["label"] != "medical"), "medical"),
        "false positives, ordinary": share(ordinary, "medical"),
        "false positives, hard negatives": share(hard, "medical"),
        "undecidable, encrypted": share((row for row in rows if "encrypted" in row["kind"]), "undecidable"),
        "undecidable, the rest, images apart": share(clear, "undecidable"),
        "tables with more than one patient": (sum(row["answer"]["patients"] > 1 for row in tables), len(tables)),
        "several patients in tables, within 5 %": (sum(map(_counted, listed)), len(listed)),
        "several patients, counted within 5 %": (sum(_counted(row) for row in counted), len(counted)),
        "recall, pictures (tiff, jpeg, png, bmp)": share(scans, "medical"),
        "internal errors": share(rows, "internal"),
    }


def _counted(row: Row) -> bool:
    return abs(row["answer"]["patients"] - row["patients"]) <= 0.05 * row["patients"]


def by(rows: list[Row], key: str) -> dict[str, dict[str, int]]:
    """label + key → judgement → count."""
    table: dict[str, dict[str, int]] = defaultdict(lambda: defaultdict(int))
    for row in rows:
        table[f"{row['label']:<12} {row.get(key, '')}"][row["answer"]["judgement"]] += 1
    return {name: dict(counts) for name, counts in sorted(table.items())}


def source_of(row: Row) -> str:
    """Repository of a file, without commit and path."""
    return str(row.get("source", ONE_AUTHOR)).split("@")[0]


def misses(rows: list[Row]) -> list[Row]:
    """Wrong answers: missed medical ones (images and encrypted apart), false alarms, internal errors."""
    wrong = []
    for row in rows:
        judgement = row["answer"]["judgement"]
        hidden = pictures(row) or "encrypted" in row["kind"]
        if (
            judgement == "internal"
            or (row["label"] != "medical" and judgement == "medical")
            or (row["label"] == "medical" and judgement != "medical" and not hidden)
        ):
            wrong.append(row)
    return wrong


def run(manifest: Path, jobs: int) -> list[Row]:
    """Judge every file of the manifest that is there."""
    rows = [json.loads(line) for line in manifest.read_text("utf-8").splitlines() if line.strip()]
    tasks = [(str(manifest.parent), row) for row in rows if (manifest.parent / row["path"]).is_file()]
    warm_up()  # here first: a pool whose workers cannot start would start them for ever
    with multiprocessing.Pool(jobs, maxtasksperchild=2000) as pool:
        return list(pool.imap_unordered(judge, tasks, chunksize=8))


def warm_up() -> None:
    """Import and build what detection needs, so that no document pays for it."""
    from agent.detection import detector

    detector.warm_up()


def _read_pictures() -> None:
    from agent.extraction.pixels import missing

    if why := missing():
        raise SystemExit(why)
    from agent.extraction.pixels.reader import Pixels

    global _pictures
    _pictures = Pixels()


def show(rows: list[Row], limit: int) -> None:
    """The report for people."""
    halves = {
        "all sources": rows,
        "half A of the sources": [row for row in rows if zlib.crc32(source_of(row).encode()) % 2 == 0],
        "half B of the sources": [row for row in rows if zlib.crc32(source_of(row).encode()) % 2],
    }
    for name, part in halves.items():
        print(f"\n{name}: {len(part)} files")
        for label, (hits, of) in summary(part).items():
            print(f"  {label:<48} {hits:>5} / {of:<5} {100 * hits / of if of else 0:6.1f} %")
    for row in rows:
        row["repository"] = source_of(row)
    for key in ("kind", "lang", "repository"):
        print(f"\nby {key}")
        for name, counts in by(rows, key).items():
            print(f"  {name:<60} " + "  ".join(f"{word} {count}" for word, count in sorted(counts.items())))
    times = sorted(row["answer"]["detect_ms"] for row in rows)
    print(
        f"\ndetection ms: median {times[len(times) // 2]:.2f}, "
        f"95 % {times[len(times) * 95 // 100]:.2f}, longest {times[-1]:.1f}"
    )
    print("\nmisses")
    for row in misses(rows)[:limit]:
        answer = row["answer"]
        print(
            f"  {row['label']} {row['kind']} → {answer['judgement']} {answer['kind']} "
            f"{answer['confidence']} {answer['problem'] or ''} {row['path']}"
        )
        print(f"      {answer['why']}")


def main() -> int:
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument("manifest", nargs="?", type=Path, default=DEFAULT)
    parser.add_argument("--json", action="store_true", help="one object with the figures, the misses and the tables")
    parser.add_argument("--misses", type=int, default=60, help="how many wrong answers to list")
    parser.add_argument("--jobs", type=int, default=2)
    parser.add_argument("--ocr", action="store_true", help="read what pictures show, where the extra is installed")
    options = parser.parse_args()
    if options.ocr:
        _read_pictures()
    if not options.manifest.is_file():
        print(f"no manifest at {options.manifest}", file=sys.stderr)
        return 64
    rows = sorted(run(options.manifest, max(1, options.jobs)), key=lambda row: row["path"])
    if options.json:
        print(
            json.dumps(
                {
                    "summary": summary(rows),
                    "kinds": by(rows, "kind"),
                    "languages": by(rows, "lang"),
                    "misses": [{k: row[k] for k in ("path", "label", "kind", "answer")} for row in misses(rows)],
                }
            )
        )
    else:
        show(rows, options.misses)
    return 0


if __name__ == "__main__":
    sys.exit(main())
