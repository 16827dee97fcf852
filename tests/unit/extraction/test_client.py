"""The pool survives whatever a worker does, tells the caller the truth about it, and leaves nothing behind."""

import os
import signal
import subprocess
import sys
import threading
import time
from collections.abc import Callable, Iterator
from pathlib import Path

import pytest

from agent.document import Problem
from agent.errors import HostError
from agent.extraction.client import WorkerPool
from agent.findings import Findings, Judgement, undecidable

HERE = Path(__file__).parent
ROGUE_WORKER = str(HERE / "rogue_worker.py")  # no sandbox, says anything
ROGUE_JUDGE = str(HERE / "rogue_judge.py")  # the real worker around a hostile judge
GOOD = Findings(Judgement.MEDICAL, patients=7)


def eventually(condition: Callable[[], bool], seconds: float = 20) -> bool:
    end = time.monotonic() + seconds
    while not condition():
        if time.monotonic() > end:
            return False
        time.sleep(0.01)
    return True


def descriptors() -> int:
    return len(os.listdir("/proc/self/fd"))


def children() -> set[int]:
    """Our child processes, zombies too."""
    found = set()
    for task in Path("/proc/self/task").iterdir():
        try:
            found |= set(map(int, (task / "children").read_text().split()))
        except FileNotFoundError:  # the thread ended meanwhile
            continue
    return found


@pytest.fixture
def make() -> Iterator[Callable[..., WorkerPool]]:
    pools: list[WorkerPool] = []
    before, processes = descriptors(), children()

    def make(module: str = ROGUE_WORKER, **options: object) -> WorkerPool:
        pools.append(WorkerPool(module=module, **options))  # type: ignore[arg-type]
        return pools[-1]

    yield make
    for pool in pools:
        pool.close()
        assert pool.statistics().pids == ()
    assert eventually(lambda: children() <= processes), "a worker was left behind"
    assert descriptors() == before, "a descriptor was left open"
    assert not [thread for thread in threading.enumerate() if thread.name.startswith("serment")]


@pytest.fixture
def document(tmp_path: Path) -> Iterator[int]:
    path = tmp_path / "document"
    path.write_bytes(b"some text, invented")
    path.chmod(0o666)
    fd = os.open(path, os.O_RDWR)
    yield fd
    os.close(fd)


def test_a_document_is_judged_and_its_offset_left_alone(make, document: int) -> None:
    os.lseek(document, 5, os.SEEK_SET)
    assert make().judge(document, "txt", 19) == GOOD
    assert os.lseek(document, 0, os.SEEK_CUR) == 5


def test_one_worker_serves_one_document_after_the_other(make, document: int) -> None:
    pool = make()
    for _ in range(20):
        assert pool.judge(document) == GOOD
    statistics = pool.statistics()
    assert (statistics.served, statistics.started, len(statistics.pids)) == (20, 1, 1)
    assert (statistics.killed, statistics.died, statistics.retried) == (0, 0, 0)


@pytest.mark.parametrize("how", ["short", "one", "huge", "long", "wrongid", "random", "close", "die"])
def test_a_bad_answer_is_tried_once_more_and_then_a_crash(make, document: int, how: str) -> None:
    pool = make()
    assert pool.judge(document, how) == undecidable(Problem.CRASHED)
    statistics = pool.statistics()
    assert (statistics.died, statistics.retried, statistics.started) == (2, 1, 2)
    assert pool.judge(document) == GOOD


def test_a_worker_that_dies_once_costs_nothing_but_time(make, document: int) -> None:
    pool = make()
    assert pool.judge(document, "dieonce") == GOOD
    assert pool.statistics().retried == 1


def test_killed_fifty_times_in_the_middle(make, document: int) -> None:
    pool = make()
    for _ in range(50):
        os.pwrite(document, b"?", 0)
        assert pool.judge(document, "dieonce") == GOOD
    assert pool.statistics().died == 50


def test_a_stopped_worker_is_killed_at_the_wall_limit(make, document: int) -> None:
    pool = make(hard_wall_s=0.3)
    assert pool.judge(document, "stop") == undecidable(Problem.TIMED_OUT)
    assert (pool.statistics().killed, pool.statistics().pids) == (1, ())
    assert pool.judge(document) == GOOD


def test_waiting_for_a_slow_stick_is_not_counted_as_work(make, document: int) -> None:
    pool = make(hard_cpu_s=0.02, hard_wall_s=20)
    assert pool.judge(document, "rest") == GOOD  # it rests 0.05 s
    assert pool.statistics().killed == 0


def test_computing_for_ever_is_killed_at_the_cpu_limit(make, document: int) -> None:
    pool = make(ROGUE_JUDGE, hard_cpu_s=0.2, hard_wall_s=250)
    assert pool.judge(document, "spin") == undecidable(Problem.TIMED_OUT)
    assert pool.statistics().killed == 1


def test_computing_in_small_portions_is_not_added_up_over_documents(make, document: int) -> None:
    pool = make(ROGUE_JUDGE, hard_cpu_s=1.0)
    for _ in range(8):
        assert pool.judge(document, "work").judgement == Judgement.NOT_MEDICAL  # 0.15 s each
    assert pool.statistics().killed == 0


def test_an_answer_given_in_advance_is_not_believed(make, document: int) -> None:
    pool = make(size=1)
    assert pool.judge(document, "twice") == GOOD
    assert eventually(lambda: not pool._idle[0].quiet())
    assert pool.judge(document) == GOOD  # not the forged « not medical »
    assert pool.statistics().started == 2


def test_descriptors_that_a_worker_sends_do_not_arrive(make, document: int) -> None:
    pool = make()
    pool.prewarm()
    before = descriptors()
    for _ in range(5):
        assert pool.judge(document, "flood") == GOOD
    assert descriptors() == before


def test_a_worker_that_ended_while_idle_costs_no_document(make, document: int) -> None:
    pool = make(size=1)
    pool.judge(document)
    (pid,) = pool.statistics().pids
    os.kill(pid, signal.SIGKILL)
    assert pool.judge(document) == GOOD


def test_a_worker_that_grew_is_replaced(make, document: int) -> None:
    pool = make(size=1)
    assert pool.judge(document, "fat") == GOOD
    (fat,) = pool.statistics().pids
    for _ in range(32):  # the size is looked at once in a while
        assert pool.judge(document) == GOOD
    assert eventually(lambda: fat not in pool.statistics().pids)
    assert len(pool.statistics().pids) == 1  # its successor
    assert pool.judge(document) == GOOD
    assert pool.statistics().started == 2


def test_nobody_waits_for_a_successor(make, document: int) -> None:
    """A tired worker serves on until the next one is ready."""
    pool = make(size=1)
    pool.judge(document)
    (old,) = pool.statistics().pids
    pool._idle[0].served = 10_000
    assert pool.judge(document) == GOOD  # the last of its allowance
    seen = []
    for _ in range(300):
        assert pool.judge(document) == GOOD
        seen.append(pool.statistics().pids)
    assert eventually(lambda: old not in pool.statistics().pids)
    assert old in seen[0]
    assert (pool.statistics().started, pool.statistics().died) == (2, 0)


def test_idle_workers_end_and_so_does_their_keeper(make, document: int) -> None:
    pool = make(idle_s=0.2)
    pool.judge(document)
    (pid,) = pool.statistics().pids
    assert eventually(lambda: not pool.statistics().pids)
    assert eventually(lambda: pid not in children()), "not reaped"
    assert eventually(lambda: not [thread for thread in threading.enumerate() if thread.name == "serment-workers"])
    assert pool.judge(document) == GOOD


def test_many_threads_are_served_by_few_workers(make, document: int) -> None:
    pool = make(size=2)
    answers: list[Findings] = []
    threads = [
        threading.Thread(target=lambda: answers.extend(pool.judge(document) for _ in range(10))) for _ in range(40)
    ]
    for thread in threads:
        thread.start()
    for thread in threads:
        thread.join()
    assert answers == [GOOD] * 400
    assert pool.statistics().started <= 2


def test_many_threads_with_dying_workers(make, document: int) -> None:
    pool = make(size=2)
    answers: list[Findings] = []
    hows = ["", "die", "short", "rest"]
    threads = [
        threading.Thread(target=lambda how=how: answers.extend(pool.judge(document, how) for _ in range(3)))
        for how in hows * 3
    ]
    for thread in threads:
        thread.start()
    for thread in threads:
        thread.join(60)
    assert sorted(answer.judgement for answer in answers) == ["medical"] * 18 + ["undecidable"] * 18
    assert len(pool.statistics().pids) <= 2


def test_whoever_waits_too_long_gets_an_answer(make, document: int) -> None:
    pool = make(size=1, hard_wall_s=1.5)
    pool.prewarm()
    pool._wait_s = 0.2
    busy = threading.Thread(target=pool.judge, args=(document, "sleep"))
    busy.start()
    assert eventually(lambda: not pool._idle)
    assert pool.judge(document) == undecidable(Problem.TIMED_OUT)
    assert pool.statistics().served == 0  # it was not asked
    busy.join()
    assert pool.statistics().killed == 1
    assert eventually(lambda: pool.judge(document) == GOOD)


def test_a_worker_outlives_the_thread_that_asked_first(make, document: int) -> None:
    pool = make(ROGUE_JUDGE)
    thread = threading.Thread(target=pool.judge, args=(document,))
    thread.start()
    thread.join()
    (pid,) = pool.statistics().pids
    for _ in range(3):
        assert pool.judge(document, "", 5).patients == 5
    assert pool.statistics().pids == (pid,)


def test_closing_ends_what_runs_and_what_waits(make, document: int) -> None:
    pool = make(size=1)
    errors: list[str] = []

    def ask() -> None:
        try:
            pool.judge(document, "sleep")
        except HostError as error:
            errors.append(error.message)

    threads = [threading.Thread(target=ask) for _ in range(5)]
    for thread in threads:
        thread.start()
    assert eventually(lambda: bool(pool.statistics().pids))
    pool.close()
    for thread in threads:
        thread.join(10)
    assert errors == ["the readers of documents are stopped"] * 5
    with pytest.raises(HostError):
        pool.judge(document)
    pool.close()


def test_a_descriptor_that_cannot_be_passed_is_unreadable(make, document: int) -> None:
    pool = make()
    closed = os.dup(document)
    pool.prewarm()  # so that its socket does not take the number
    os.close(closed)
    assert pool.judge(closed) == undecidable(Problem.UNREADABLE)
    assert pool.judge(document) == GOOD
    assert pool.statistics().started == 1


def test_no_worker_at_all_is_said_with_a_hint(make, document: int, tmp_path: Path) -> None:
    broken = tmp_path / "broken.py"
    for text, word in [("raise SystemExit(3)", "loaded"), ("raise SystemExit(4)", "confined"), ("1/0", "code 1")]:
        broken.write_text(text)
        with pytest.raises(HostError, match=word) as caught:
            make(str(broken)).judge(document)
        assert caught.value.hint


@pytest.mark.parametrize(
    ("change", "seccomp", "privileges", "capabilities", "damage"),
    [
        ("nothing", 2, True, 0, 0),
        ("no filter", 0, True, 0, 0),
        ("may gain privileges", 2, False, 0, 0),
        ("has a capability", 2, True, 1 << 21, 0),
        ("another release", 2, True, 0, 1),
    ],
)
def test_a_worker_that_is_not_confined_is_not_used(
    make, document: int, tmp_path: Path, change: str, seccomp: int, privileges: bool, capabilities: int, damage: int
) -> None:
    worker = tmp_path / "weak.py"
    worker.write_text(
        "import os, socket, sys\nfrom agent.extraction.wire import Report, encode_ready\n"
        "uid = int(sys.argv[4]) if int(sys.argv[4]) >= 0 else os.getuid()\n"
        f"report = Report(uid, 0, {seccomp}, 7, {privileges}, True, True, {capabilities}, 1, 1)\n"
        f"message = bytearray(encode_ready(report))\nmessage[5] ^= {damage}\n"
        "channel = socket.socket(fileno=int(sys.argv[1]))\nchannel.send(message)\nchannel.recv(1)\n"
    )
    pool = make(str(worker))
    if change == "nothing":
        pool.prewarm()
        return
    with pytest.raises(HostError, match="release" if damage else "not confined"):
        pool.prewarm()


@pytest.mark.skipif(os.getuid() != 0, reason="only root gives workers another user")
def test_a_worker_of_the_wrong_user_is_not_used(make, tmp_path: Path) -> None:
    worker = tmp_path / "root.py"
    worker.write_text(
        "import socket, sys\nfrom agent.extraction.wire import Report, encode_ready\n"
        "channel = socket.socket(fileno=int(sys.argv[1]))\n"
        "channel.send(encode_ready(Report(0, 0, 2, 7, True, True, True, 0, 1, 1)))\nchannel.recv(1)\n"
    )
    with pytest.raises(HostError, match="not confined"):
        make(str(worker)).prewarm()


def test_the_agent_gone_no_worker_stays(document: int) -> None:
    """Also one that is deep in a document: the kernel's death signal, not the socket, ends it."""
    script = (
        "import os, sys, threading, time\nfrom agent.extraction.client import WorkerPool\n"
        f"pool = WorkerPool(module={ROGUE_JUDGE!r}, hard_cpu_s=60)\npool.prewarm()\n"
        "threading.Thread(target=pool.judge, args=(0, 'spin')).start()\n"
        "time.sleep(0.2)\nprint(pool.statistics().pids[0], flush=True)\ntime.sleep(60)\n"
    )
    with subprocess.Popen([sys.executable, "-c", script], stdin=document, stdout=subprocess.PIPE) as agent:
        assert agent.stdout is not None
        pid = int(agent.stdout.readline())
        state = Path(f"/proc/{pid}/stat")
        assert state.exists()
        agent.kill()
    assert eventually(lambda: not state.exists() or state.read_text().rpartition(")")[2].split()[0] == "Z")
