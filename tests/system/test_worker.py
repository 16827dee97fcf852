"""The real worker: everything that a document could make it want is in memory before it is armed."""

import json
import os
import subprocess
import sys
from pathlib import Path

import pytest

from agent.document import Problem
from agent.extraction import wire
from agent.extraction.client import WorkerPool
from agent.findings import Judgement

pytestmark = pytest.mark.system

CORPUS = Path(__file__).parents[3] / "shared" / "corpus"
SPY = """
import json, os, sys
from agent.extraction.worker import load
judge = load()
late, watching = set(), False
def spy(event, arguments):
    if watching and event in {"import", "open", "os.listdir", "os.scandir", "ctypes.dlopen", "socket.__new__",
                              "subprocess.Popen", "os.fork", "os.posix_spawn", "tempfile.mkstemp", "mmap.__new__",
                              "_thread.start_new_thread"}:
        late.add(f"{event} {arguments[0]!r}"[:120])
sys.addaudithook(spy)
for path in sys.stdin.read().splitlines():
    fd = os.open(path, os.O_RDONLY)
    watching = True
    try:
        judge(fd, os.path.splitext(path)[1][1:].lower(), os.fstat(fd).st_size)
    except Exception as error:
        late.add(f"{type(error).__name__} for {os.path.basename(path)}")
    finally:
        watching = False
        os.close(fd)
print(json.dumps(sorted(late)))
"""
TEXTS = [
    "Compte rendu opératoire. Patient né le 12/03/1951. NISS 51.03.12-123.45, NHS number 943 476 5919",
    "BSN 111222333 Krankenkasse A123456780 codice fiscale RSSMRA85T10A562S hetu 131052-308T matricule 1951031212345",
    "PESEL 44051401359 personnummer 811228-9874 CPR 211062-5629 AHV 756.9217.0769.85 DNI 54362315K SSN 536-90-4399",
    "Le 3 mars 2026\nMonsieur Firmin ALBRESPY, né le 02/11/1957\nFirmin Albrespy : amoxicilline 1 g matin et soir",
    "\ufeffLettre de sortie, tension 120/80, amoxicilline 1 g 3 fois par jour",
]


def late(paths: list[str]) -> list[str]:
    run = subprocess.run(
        [sys.executable, "-I", "-X", "utf8", "-c", SPY],
        input="\n".join(paths), capture_output=True, text=True, check=False, timeout=240,
    )  # fmt: skip
    assert run.returncode == 0, run.stderr
    found: list[str] = json.loads(run.stdout)
    return found


def test_the_readers_load_and_every_sample_is_judged() -> None:
    command = [sys.executable, "-I", "-X", "utf8", "-m", "agent.extraction.worker", "--check"]
    run = subprocess.run(command, capture_output=True, text=True, check=False, timeout=120)
    assert run.returncode == 0, run.stderr


def test_every_table_is_built_before_files_are_closed_to_it() -> None:
    program = (
        "from agent.extraction.worker import load; from agent.extraction.preload import lazy_tables; load();"
        "found = list(lazy_tables()); print(len(found), [each.__name__ for each in found if not each.cache_info().currsize])"
    )
    command = [sys.executable, "-I", "-X", "utf8", "-c", program]
    count, left = subprocess.run(command, capture_output=True, text=True, check=True, timeout=120).stdout.split(" ", 1)
    assert int(count) >= 15
    assert left.strip() == "[]"


def test_nothing_is_imported_for_a_document(tmp_path: Path) -> None:
    paths = []
    for index, text in enumerate(TEXTS):
        for codec in ("utf-8", "utf-16", "cp1252"):
            path = tmp_path / f"{index}-{codec}.txt"
            path.write_bytes(text.encode(codec, "replace"))
            paths.append(str(path))
    for codec in ("iso-8859-7", "koi8-r", "big5", "shift_jis", "macintosh", "cp1250", "unheard-of"):
        path = tmp_path / f"{codec}.eml"
        path.write_bytes(b"From: a@example.org\nSubject: =?%b?B?YWJj?=\nContent-Type: text/plain; charset=%b\n\nabc\n"
                         % (codec.encode(), codec.encode()))  # fmt: skip
        paths.append(str(path))
    assert [event for event in late(paths) if "unheard" not in event] == []


@pytest.mark.corpus
@pytest.mark.skipif(not CORPUS.is_dir(), reason="the development corpus is not beside the checkout")
def test_nothing_is_imported_for_the_corpus() -> None:
    paths = [str(path) for path in sorted(CORPUS.rglob("*")) if path.is_file()]
    assert [event for event in late(paths) if "encodings." not in event] == []


@pytest.mark.corpus
@pytest.mark.skipif(not CORPUS.is_dir(), reason="the development corpus is not beside the checkout")
def test_the_sandbox_changes_no_answer() -> None:
    """One document in seven, judged in the sandbox and here: the same findings, but for what ran out of time."""
    from agent.extraction.worker import load

    judge = load()
    pool = WorkerPool(hard_cpu_s=20)
    different = []
    try:
        for path in sorted(path for path in CORPUS.rglob("*") if path.is_file())[::7]:
            fd = os.open(path, os.O_RDONLY)
            try:
                size = os.fstat(fd).st_size
                extension = path.suffix[1:].lower()
                inside = pool.judge(fd, extension, size)
                outside = wire.decode_answer(1, wire.encode_answer(1, judge(fd, extension, size)))
            finally:
                os.close(fd)
            if Problem.TIMED_OUT not in {inside.problem, outside.problem} and inside != outside:
                different.append(str(path.relative_to(CORPUS)))
        assert pool.statistics().died == 0
    finally:
        pool.close()
    assert different == []


def test_any_bytes_get_an_answer(tmp_path: Path) -> None:
    """Random and cut bytes behind each kind of beginning: never a crash, never the worker's end."""
    path = tmp_path / "document"
    pool = WorkerPool()
    try:
        for head in (b"", b"%PDF-1.7\n", b"PK\x03\x04", b"\xd0\xcf\x11\xe0\xa1\xb1\x1a\xe1", b"{\\rtf1", b"\x1f\x8b\x08",
                     b"7z\xbc\xaf\x27\x1c", b"Rar!\x1a\x07\x00", b"MSH|^~\\&|", b"<?xml", bytes(128) + b"DICM"):  # fmt: skip
            for length in (0, 1, 100, 5000):
                path.write_bytes(head + os.urandom(length))
                fd = os.open(path, os.O_RDONLY)
                try:
                    findings = pool.judge(fd, "", len(head) + length)
                finally:
                    os.close(fd)
                assert findings.judgement in set(Judgement)
                assert findings.problem is not Problem.CRASHED
        assert pool.statistics().died == 0
    finally:
        pool.close()
