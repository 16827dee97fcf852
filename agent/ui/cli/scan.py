"""``serment scan PATH...``: judge files with the same readers and rules as the agent; no agent, no root.

Where the reader of pictures is installed, a file that is undecidable for its pictures is judged a second time by it,
and only the final verdict is shown.

Exit codes: 0 none medical, 1 some medical, 2 some undecidable and none medical, 64 usage, 70 internal: whatever keeps
us from judging. What is named must exist; what a folder holds and cannot be read becomes a line of its own.
"""

from __future__ import annotations

import argparse
import os
import stat
import time
from collections import deque
from collections.abc import Callable, Generator, Iterable, Iterator, Sequence
from concurrent.futures import Future, ThreadPoolExecutor
from contextlib import closing, suppress
from dataclasses import dataclass
from pathlib import Path
from typing import Any

from agent.config import load_config
from agent.document import Problem
from agent.errors import N_, HostError, SermentError, UsageError
from agent.extraction.client import WorkerPool, image_pool
from agent.extraction.pixels import missing
from agent.findings import Finding, Findings, Judgement, undecidable
from agent.i18n import Count
from agent.patients.store import PatientStore
from agent.ui import explained, wording
from agent.ui.printable import printable
from agent.ui.terminal import Terminal

_FLAGS = os.O_RDONLY | os.O_CLOEXEC | os.O_NONBLOCK | os.O_NOCTTY
_AHEAD = 16
INTERNAL = 70


@dataclass(frozen=True, slots=True)
class Scanned:
    path: bytes
    findings: Findings
    ms: float


class Readers:
    """The workers that judge, and those that read pictures where ``pictures`` says so."""

    def __init__(self, jobs: int, *, pictures: bool) -> None:
        self._pool = WorkerPool(jobs)
        self._pictures = image_pool(size=min(jobs, os.cpu_count() or 1)) if pictures else None
        if files := _patient_list():
            for pool in filter(None, (self._pool, self._pictures)):
                pool.lend(files)

    def judge(self, fd: int, extension: str, size: int) -> Findings:
        """The final findings. Raises HostError when no worker can be started."""
        findings = self._pool.judge(fd, extension, size)
        if self._pictures is not None and findings.awaits_pictures:
            findings = self._pictures.judge(fd, extension, size)
        return findings

    def close(self) -> None:
        self._pool.close()
        if self._pictures is not None:
            self._pictures.close()


def arguments(parser: argparse.ArgumentParser, translate: Callable[[str], str]) -> None:
    parser.add_argument("paths", nargs="+", metavar="PATH", help=translate(N_("files and folders")))
    parser.add_argument("--json", action="store_true", help=translate(N_("one JSON object a line")))
    parser.add_argument("--explain", action="store_true", help=translate(N_("show each piece of evidence, masked")))
    parser.add_argument(
        "--jobs", type=int, metavar="N", default=min(4, os.cpu_count() or 1), help=translate(N_("reader processes"))
    )
    parser.add_argument("--no-ocr", action="store_true", help=translate(N_("do not read what pictures show")))


def run(args: argparse.Namespace, terminal: Terminal) -> int:
    if not 1 <= args.jobs <= 64:
        raise UsageError(N_("--jobs should be between 1 and 64"))
    paths = _named(args.paths)
    total = sum(1 for _file in _files(paths)) if terminal.shows_progress() else None
    seen: set[Judgement] = set()
    unread = 0
    readers = Readers(args.jobs, pictures=not args.no_ocr and not missing())
    try:
        with closing(_judge_all(readers, _files(paths), args.jobs)) as results:
            for result in terminal.progress(results, total, terminal.translate(N_("reading"))):
                seen.add(result.findings.judgement)
                unread += result.findings.problem is Problem.IMAGE
                _show(result, args, terminal)
    except HostError as error:
        error.exit_code = INTERNAL
        raise
    finally:
        readers.close()
    if unread and not args.no_ocr and (why := missing()):
        words = N_("{count} {count:document is a picture|documents are pictures}, not read here: {why}")
        terminal.error(terminal.translate(words).format(count=Count(unread), why=terminal.translate(why)))
    if Judgement.MEDICAL in seen:
        return 1
    return 2 if Judgement.UNDECIDABLE in seen else 0


def _patient_list() -> tuple[Path, ...]:
    """Key and list of the practice's patients, for whoever may read them: the agent's own account."""
    with suppress(SermentError, OSError):  # a broken agent.toml is the agent's to tell: a scan needs no agent
        files = PatientStore(load_config(None).data_dir).files
        return files if all(os.access(path, os.R_OK) for path in files) else ()
    return ()


def _named(names: Sequence[str]) -> list[tuple[bytes, bool]]:
    """The paths of the command line, each with whether it is a folder. Raises UsageError when one is not there."""
    found = []
    for path in map(os.fsencode, names):
        try:
            found.append((path, stat.S_ISDIR(os.stat(path).st_mode)))
        except (OSError, ValueError) as error:
            why = error.strerror if isinstance(error, OSError) else N_("this is no path")
            raise UsageError(
                N_("cannot be read: {why}"), where=printable(path), hint=N_("check the path"), why=why
            ) from error
    return found


def _files(paths: Sequence[tuple[bytes, bool]]) -> Iterator[bytes]:
    """Every regular file named or below a named folder, in a stable order; links inside folders are not followed."""
    for path, is_folder in paths:
        if is_folder:
            yield from _below(path)
        else:
            yield path


def _below(folder: bytes) -> Iterator[bytes]:
    """The files below ``folder``, however deep; a folder that cannot be listed stands for what may be in it."""
    waiting = [(folder, True)]
    while waiting:
        path, is_folder = waiting.pop()
        if not is_folder:
            yield path
            continue
        try:
            waiting += reversed(_listed(path))
        except OSError:
            yield path  # becomes a line that says that it could not be read


def _listed(folder: bytes) -> list[tuple[bytes, bool]]:
    with os.scandir(folder) as entries:
        kept = [
            (entry.path, entry.is_dir(follow_symlinks=False))
            for entry in entries
            if entry.is_dir(follow_symlinks=False) or entry.is_file(follow_symlinks=False)
        ]
    return sorted(kept)


def _judge_all(readers: Readers, files: Iterable[bytes], jobs: int) -> Generator[Scanned, None, None]:
    """The answers in the order of the files, some read ahead; what is not begun is dropped when nobody listens."""
    waiting: deque[Future[Scanned]] = deque()
    threads = ThreadPoolExecutor(jobs)
    try:
        for path in files:
            waiting.append(threads.submit(_judge, readers, path))
            if len(waiting) > jobs + _AHEAD:
                yield waiting.popleft().result()
        while waiting:
            yield waiting.popleft().result()
    finally:
        threads.shutdown(wait=True, cancel_futures=True)


def _judge(readers: Readers, path: bytes) -> Scanned:
    begun = time.perf_counter()
    try:
        fd = os.open(path, _FLAGS)
    except OSError:
        return Scanned(path, undecidable(Problem.UNREADABLE), (time.perf_counter() - begun) * 1000)
    try:
        state = os.fstat(fd)
        if stat.S_ISREG(state.st_mode):
            findings = readers.judge(fd, _extension(path), state.st_size)
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
    why = wording.reason(findings, terminal.translate)
    if findings.judgement is Judgement.MEDICAL:
        why += f" ({wording.certainty(findings.confidence, terminal.translate)})"
    terminal.line(f"{word:<13} {wording.labelled(printable(result.path), why, terminal.translate)}")
    if args.explain:
        for line in explained.lines(findings, terminal.translate):
            terminal.line("    " + line)


def as_json(result: Scanned, terminal: Terminal, *, explain: bool) -> dict[str, Any]:
    """The object of ``--json``: a contract (design, section 7)."""
    findings = result.findings
    shown = {
        "path": os.fsdecode(result.path),
        "verdict": str(findings.judgement),
        "kind": str(findings.kind),
        "confidence": round(findings.confidence, 3),
        "identified": findings.identified,
        "patients": findings.patients,
        "test_data": findings.test_data,
        "format": str(findings.format),
        "problem": str(findings.problem) if findings.problem else None,
        "findings": _grouped(findings.items, explain=explain),
        "reason": wording.reason(findings, terminal.translate),
        "ms": round(result.ms, 2),
    }
    if explain and findings.scale is not None:
        shown["sums"] = {"clinical": findings.scale.clinical, "person": findings.scale.person}
    return shown


def _grouped(items: Sequence[Finding], *, explain: bool) -> list[dict[str, Any]]:
    """Each kind of evidence at each place: once, or once a sum where weights are shown."""
    found: dict[tuple[object, ...], dict[str, Any]] = {}
    for item in items:
        shown = _item(item, explain=explain)
        key = (
            (shown["type"], shown["where"], item.side, item.weight < 0, item.sample)
            if explain
            else (shown["type"], shown["where"])
        )
        known = found.setdefault(key, shown)
        known["count"] = max(known["count"], item.count)
    return list(found.values())


def _item(item: Finding, *, explain: bool) -> dict[str, Any]:
    where = str(item.spot.area) if not item.spot.number else f"{item.spot.area} {item.spot.number}"
    shown: dict[str, Any] = {"type": str(item.type), "count": item.count, "where": where}
    if explain:
        shown |= {"weight": round(item.weight, 2), "sample": item.sample, "side": item.side}
    return shown
