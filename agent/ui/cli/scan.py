"""``serment scan PATH...``: judge files with the same readers and rules as the agent; no agent, no root.

Exit codes: 0 none medical, 1 some medical, 2 some undecidable and none medical, 64 usage, 70 internal.
"""

from __future__ import annotations

import argparse
import os
import stat
import time
from collections import deque
from collections.abc import Callable, Iterator, Sequence
from concurrent.futures import Future, ThreadPoolExecutor
from dataclasses import dataclass
from typing import Any

from agent.document import Problem
from agent.errors import N_, UsageError
from agent.extraction.client import WorkerPool
from agent.findings import Finding, Findings, Judgement, undecidable
from agent.ui import wording
from agent.ui.printable import printable
from agent.ui.terminal import Terminal

_FLAGS = os.O_RDONLY | os.O_CLOEXEC | os.O_NONBLOCK | os.O_NOCTTY
_AHEAD = 16


@dataclass(frozen=True, slots=True)
class Scanned:
    path: bytes
    findings: Findings
    ms: float


def arguments(parser: argparse.ArgumentParser, translate: Callable[[str], str]) -> None:
    parser.add_argument("paths", nargs="+", metavar="PATH", help=translate(N_("files and folders")))
    parser.add_argument("--json", action="store_true", help=translate(N_("one JSON object a line")))
    parser.add_argument("--explain", action="store_true", help=translate(N_("show each piece of evidence, masked")))
    parser.add_argument("--jobs", type=int, default=min(4, os.cpu_count() or 1), help=translate(N_("reader processes")))


def run(args: argparse.Namespace, terminal: Terminal) -> int:
    if not 1 <= args.jobs <= 64:
        raise UsageError(N_("--jobs should be between 1 and 64"))
    files = list(_files([os.fsencode(path) for path in args.paths]))
    seen: set[Judgement] = set()
    pool = WorkerPool(args.jobs)
    try:
        results = _judge_all(pool, files, args.jobs)
        for result in terminal.progress(results, len(files), terminal.translate(N_("reading"))):
            seen.add(result.findings.judgement)
            _show(result, args, terminal)
    finally:
        pool.close()
    if Judgement.MEDICAL in seen:
        return 1
    return 2 if Judgement.UNDECIDABLE in seen else 0


def _files(paths: Sequence[bytes]) -> Iterator[bytes]:
    """Every regular file named or below a named folder, in a stable order; links inside folders are not followed."""
    for path in paths:
        try:
            mode = os.stat(path).st_mode
        except OSError as error:
            raise UsageError(
                N_("cannot be read: {why}"), where=printable(path), hint=N_("check the path"), why=error.strerror
            ) from error
        if stat.S_ISDIR(mode):
            yield from _walk(path)
        else:
            yield path


def _walk(folder: bytes) -> Iterator[bytes]:
    try:
        with os.scandir(folder) as entries:
            found = sorted(entries, key=lambda entry: entry.name)
    except OSError:
        yield folder  # becomes a line that says that it could not be read
        return
    for entry in found:
        if entry.is_dir(follow_symlinks=False):
            yield from _walk(entry.path)
        elif entry.is_file(follow_symlinks=False):
            yield entry.path


def _judge_all(pool: WorkerPool, files: Sequence[bytes], jobs: int) -> Iterator[Scanned]:
    """The answers in the order of the files, some read ahead."""
    waiting: deque[Future[Scanned]] = deque()
    with ThreadPoolExecutor(jobs) as threads:
        for path in files:
            waiting.append(threads.submit(_judge, pool, path))
            if len(waiting) > jobs + _AHEAD:
                yield waiting.popleft().result()
        while waiting:
            yield waiting.popleft().result()


def _judge(pool: WorkerPool, path: bytes) -> Scanned:
    begun = time.perf_counter()
    try:
        fd = os.open(path, _FLAGS)
    except OSError:
        return Scanned(path, undecidable(Problem.UNREADABLE), (time.perf_counter() - begun) * 1000)
    try:
        state = os.fstat(fd)
        if stat.S_ISREG(state.st_mode):
            findings = pool.judge(fd, _extension(path), state.st_size)
        else:
            findings = undecidable(Problem.UNREADABLE)
    finally:
        os.close(fd)
    return Scanned(path, findings, (time.perf_counter() - begun) * 1000)


def _extension(path: bytes) -> str:
    return os.path.splitext(path)[1][1:17].decode("ascii", "ignore").lower()


def _show(result: Scanned, args: argparse.Namespace, terminal: Terminal) -> None:
    if args.json:
        terminal.data(as_json(result, terminal, explain=args.explain))
        return
    findings = result.findings
    word = terminal.translate(wording.JUDGEMENTS[findings.judgement])
    line = f"{word:<13} {printable(result.path)}: {wording.reason(findings, terminal.translate)}"
    if findings.judgement is Judgement.MEDICAL:
        line += f" ({findings.confidence:.0%})"
    terminal.line(line)
    if args.explain:
        for item in sorted(findings.items, key=lambda item: -abs(item.weight)):
            terminal.line("    " + _evidence(item, terminal))


def _evidence(item: Finding, terminal: Terminal) -> str:
    text = f"{item.weight:+5.1f}  {terminal.translate(wording.FINDINGS[item.type])}"
    if item.count > 1:
        text += f" × {item.count}"
    text += f" ({wording.place(item.spot, terminal.translate)})"
    return f"{text}  {printable(item.sample)}" if item.sample else text


def as_json(result: Scanned, terminal: Terminal, *, explain: bool) -> dict[str, Any]:
    """The object of ``--json``: a contract (design, section 7)."""
    findings = result.findings
    return {
        "path": os.fsdecode(result.path),
        "verdict": str(findings.judgement),
        "kind": str(findings.kind),
        "confidence": round(findings.confidence, 3),
        "identified": findings.identified,
        "patients": findings.patients,
        "test_data": findings.test_data,
        "format": str(findings.format),
        "problem": str(findings.problem) if findings.problem else None,
        "findings": [_item(item, explain=explain) for item in findings.items],
        "reason": wording.reason(findings, terminal.translate),
        "ms": round(result.ms, 2),
    }


def _item(item: Finding, *, explain: bool) -> dict[str, Any]:
    where = str(item.spot.area) if not item.spot.number else f"{item.spot.area} {item.spot.number}"
    shown: dict[str, Any] = {"type": str(item.type), "count": item.count, "where": where}
    if explain:
        shown |= {"weight": round(item.weight, 2), "sample": item.sample}
    return shown
