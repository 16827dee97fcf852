"""The worker that reads pictures: as confined as the other one, last in every queue, and bounded."""

import json
import os
import subprocess
import sys
import time
import zipfile
from collections.abc import Iterator
from pathlib import Path

import pytest

from agent.document import Problem
from agent.extraction import wire
from agent.extraction.client import WorkerPool, image_pool
from agent.extraction.pixels import NO_LANGUAGE, NO_LIBRARY, missing
from agent.findings import Findings, Judgement
from agent.ui.cli import main as command
from tests.invented import LETTER, MENU, docx

pytestmark = pytest.mark.system

if missing():
    pytest.skip(missing(), allow_module_level=True)

from tests.scanned import SPOILT, encoded, page, scanned_pdf  # noqa: E402 - needs the extra

SPY = """
import json, os, sys
from agent.extraction.image_worker import load
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
        judge(fd, "", os.fstat(fd).st_size)
    finally:
        watching = False
        os.close(fd)
print(json.dumps([sorted(late), len(os.listdir("/proc/self/task"))]))
"""


@pytest.fixture(scope="module")
def papers(tmp_path_factory: pytest.TempPathFactory) -> Path:
    folder = tmp_path_factory.mktemp("papers")
    letter = page(LETTER, 150).crop((0, 60, 1240, 700))
    for way in ("jpeg quality 25", "fax 204x98 g3", "on its side", "inverted", "faint", "noise", "scanned pdf"):
        (folder / way.replace(" ", "-")).write_bytes(SPOILT[way](letter))
    (folder / "menu.png").write_bytes(encoded(page(MENU, 150)))
    (folder / "cut.png").write_bytes(encoded(letter)[:9000])
    (folder / "cut.tiff").write_bytes(encoded(letter.convert("1"), "tiff", compression="group4")[:3000])
    return folder


@pytest.fixture(scope="module")
def pool() -> Iterator[WorkerPool]:
    pool = image_pool()
    yield pool
    pool.close()


def judged(pool: WorkerPool, path: Path) -> Findings:
    fd = os.open(path, os.O_RDONLY)
    try:
        return pool.judge(fd, "", os.fstat(fd).st_size)
    finally:
        os.close(fd)


def test_scans_are_judged_in_the_sandbox(papers: Path, pool: WorkerPool) -> None:
    for path in papers.iterdir():
        found = judged(pool, path)
        if path.name.startswith("cut"):
            assert found.judgement is not Judgement.NOT_MEDICAL, path.name
        elif path.name == "menu.png":
            assert found.judgement is Judgement.NOT_MEDICAL
        else:
            assert found.judgement is Judgement.MEDICAL, path.name
            assert found.identified
            assert found.patients == 1
    report = pool.statistics().report
    assert report is not None
    assert (report.seccomp, report.no_new_privs, report.chrooted, report.capabilities) == (2, True, True, 0)
    assert pool.statistics().died == 0


def test_it_yields_to_everybody(papers: Path, pool: WorkerPool) -> None:
    judged(pool, papers / "menu.png")
    (pid,) = pool.statistics().pids
    assert os.sched_getscheduler(pid) == os.SCHED_IDLE
    assert os.getpriority(os.PRIO_PROCESS, pid) == 19
    assert len(os.listdir(f"/proc/{pid}/task")) == 1


def test_nothing_is_opened_or_imported_for_a_picture(papers: Path) -> None:
    run = subprocess.run(
        [sys.executable, "-I", "-X", "utf8", "-c", SPY],
        input="\n".join(map(str, papers.iterdir())), capture_output=True, text=True, check=False, timeout=240,
    )  # fmt: skip
    assert run.returncode == 0, run.stderr
    assert json.loads(run.stdout) == [[], 1]


def test_the_sandbox_changes_no_answer(papers: Path, pool: WorkerPool) -> None:
    from agent.extraction.image_worker import load

    judge = load(strict=True)
    for name in ("noise", "scanned-pdf", "cut.tiff"):
        data = (papers / name).read_bytes()
        with open(papers / name, "rb") as file:
            outside = wire.decode_answer(1, wire.encode_answer(1, judge(file.fileno(), "", len(data))))
        assert judged(pool, papers / name) == outside


def test_a_picture_that_takes_too_long_is_undecidable(papers: Path) -> None:
    pool = WorkerPool(1, hard_cpu_s=0.2, module="agent.extraction.image_worker")
    try:
        found = judged(pool, papers / "noise")
        assert (found.judgement, found.problem) == (Judgement.UNDECIDABLE, Problem.TIMED_OUT)
        assert pool.statistics().killed == 1
    finally:
        pool.close()


def test_the_pool_ends_when_it_is_idle(papers: Path) -> None:
    pool = WorkerPool(1, idle_s=0.2, hard_cpu_s=60, module="agent.extraction.image_worker")
    try:
        judged(pool, papers / "menu.png")
        deadline = time.monotonic() + 20
        while pool.statistics().pids and time.monotonic() < deadline:
            time.sleep(0.05)
        assert pool.statistics().pids == ()
    finally:
        pool.close()


def test_the_check_loads_everything() -> None:
    words = [sys.executable, "-I", "-X", "utf8", "-m", "agent.extraction.image_worker", "--check"]
    run = subprocess.run(words, capture_output=True, text=True, check=False, timeout=120)
    assert run.returncode == 0, run.stderr


def test_scan_waits_for_the_final_verdict(tmp_path: Path, capfd: pytest.CaptureFixture[str]) -> None:
    (tmp_path / "scan.pdf").write_bytes(scanned_pdf(page(LETTER, 150)))
    (tmp_path / "menu.png").write_bytes(encoded(page(MENU, 150)))
    assert command.main(["--lang", "en", "scan", "--json", str(tmp_path)]) == 1
    out, complaint = capfd.readouterr()
    menu, scan = (json.loads(line) for line in out.splitlines())
    assert (menu["verdict"], scan["verdict"], scan["problem"]) == ("not_medical", "medical", None)
    assert scan["identified"]
    assert any(item["where"] == "picture 1" for item in scan["findings"])
    assert complaint == ""
    assert command.main(["--lang", "en", "scan", "--json", "--no-ocr", str(tmp_path)]) == 2
    out, complaint = capfd.readouterr()
    first = [json.loads(line) for line in out.splitlines()]
    assert [(found["verdict"], found["problem"]) for found in first] == [("undecidable", "image")] * 2
    assert set(first[0]) == set(scan)
    assert complaint == ""


def test_a_scan_pasted_beside_text_is_read(tmp_path: Path, pool: WorkerPool) -> None:
    path = tmp_path / "menu.docx"
    path.write_bytes(docx(MENU))
    with zipfile.ZipFile(path, "a") as archive:
        archive.writestr("word/media/image1.png", encoded(page(LETTER, 150)))
    plain = WorkerPool(1)
    try:
        first = judged(plain, path)
    finally:
        plain.close()
    assert (first.judgement, first.unread_pictures, first.awaits_pictures) == (Judgement.NOT_MEDICAL, True, True)
    assert judged(pool, path).judgement is Judgement.MEDICAL
    assert command.main(["scan", "--json", str(path)]) == 1
    assert command.main(["scan", "--json", "--no-ocr", str(path)]) == 0


@pytest.mark.parametrize("why", [NO_LIBRARY, NO_LANGUAGE])
def test_scan_says_how_to_have_pictures_read(
    why: str, tmp_path: Path, monkeypatch: pytest.MonkeyPatch, capfd: pytest.CaptureFixture[str]
) -> None:
    monkeypatch.setattr("agent.ui.cli.scan.missing", lambda: why)
    (tmp_path / "menu.png").write_bytes(encoded(page(MENU, 100)))
    assert command.main(["--lang", "en", "scan", str(tmp_path)]) == 2
    out, complaint = capfd.readouterr()
    assert out.startswith("undecidable")
    assert "picture" in out
    assert "install" in complaint
    assert "1 " in complaint
