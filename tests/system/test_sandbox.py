"""The sandbox on the real kernel: a judge in the attacker's hands tries, and each attempt fails.

As root the worker becomes nobody; ``test_without_root`` runs the same confinement for an unprivileged agent.
"""

import errno
import os
import shutil
import signal
import subprocess
import sys
from collections.abc import Iterator
from pathlib import Path

import pytest

from agent.document import Problem
from agent.extraction import landlock
from agent.extraction.child import Child, ChildDiedError, Options
from agent.extraction.client import WorkerPool
from agent.findings import Judgement, undecidable

pytestmark = pytest.mark.system

ROGUE_JUDGE = str(Path(__file__).parents[1] / "unit" / "extraction" / "rogue_judge.py")
ROOT = os.getuid() == 0
SUCCEEDED = 100_000
REFUSED = [
    "open", "openat2", "environ", "list", "create", "stat", "read", "lseek", "write", "mapfile", "mapexec",
    "protectexec", "memfd", "prctl", "rlimit",
]  # fmt: skip
DEADLY = [
    "connect", "fork", "exec", "thread", "killparent", "ptraceparent", "mount", "unshare", "setns", "bpf", "keyctl",
    "userfaultfd", "perf_event_open", "process_vm_readv", "pidfd_open", "pidfd_getfd", "io_uring_setup",
    "open_by_handle", "ftruncate", "pwrite64", "sendmsg", "kill", "tkill", "socketpair", "execveat", "clone3",
    "vfork", "setuid", "chroot", "init_module", "fchmod", "fsetxattr", "sendfile", "splice", "copy_file_range",
    "memfd_secret", "seccomp", "personality", "dup3", "rt_sigqueueinfo",
    *(["x32"] if os.uname().machine == "x86_64" else []),
]  # fmt: skip


def options(**changes: object) -> Options:
    values: dict[str, object] = {
        "module": ROGUE_JUDGE, "memory_bytes": 1 << 30, "cpu_seconds": 1800,
        "run_as": (65534, 65534) if ROOT else None, "hard_cpu_s": 5.0, "hard_wall_s": 60.0,
    }  # fmt: skip
    return Options(**(values | changes))  # type: ignore[arg-type]


@pytest.fixture
def child() -> Iterator[Child]:
    child = Child.start(options())
    yield child
    child.end()
    child._process.wait(10)


@pytest.fixture
def document(tmp_path: Path) -> Iterator[int]:
    """Open for reading and writing, which is more than the agent gives."""
    path = tmp_path / "document"
    path.write_bytes(b"some text, invented")
    fd = os.open(path, os.O_RDWR)
    yield fd
    assert os.lseek(fd, 0, os.SEEK_CUR) == 0, "the offset was moved"
    assert os.pread(fd, 100, 0) == b"some text, invented", "the document was written"
    os.close(fd)


def wording(deed: str) -> str:
    return deed.replace("_", "0")  # an extension has no underscore


def test_what_is_in_force_is_reported(child: Child) -> None:
    report = child.report
    assert report is not None
    assert (report.seccomp, report.no_new_privs, report.undumpable, report.capabilities) == (2, True, True, 0)
    assert report.landlock == landlock.abi()
    assert (report.uid, report.gid) == ((65534, 65534) if ROOT else (os.getuid(), os.getgid()))
    assert report.chrooted == ROOT
    status = Path(f"/proc/{child.pid}/status").read_text()
    fields = dict(line.split(":\t", 1) for line in status.splitlines() if ":\t" in line)
    assert (fields["Seccomp"], fields["NoNewPrivs"]) == ("2", "1")
    assert {fields[name] for name in ("CapEff", "CapPrm", "CapInh", "CapAmb")} == {"0" * 16}
    if ROOT:
        assert fields["Uid"].split() == ["65534"] * 4
        assert fields["Groups"].strip() == ""
        assert os.listdir(f"/proc/{child.pid}/root/") != os.listdir("/")
        assert sorted(map(int, os.listdir(f"/proc/{child.pid}/fd"))) == [0, 1, 2, 3]
        assert {os.readlink(f"/proc/{child.pid}/fd/{fd}") for fd in range(3)} == {"/dev/null"}


def test_the_limits_are_set(child: Child) -> None:
    lines = Path(f"/proc/{child.pid}/limits").read_text().splitlines()
    limits = {line[:25].strip(): line[25:].split()[:2] for line in lines}
    assert limits["Max address space"] == [str(1 << 30)] * 2
    assert limits["Max cpu time"] == ["1800"] * 2
    assert limits["Max open files"] == ["8"] * 2
    for name in ("Max file size", "Max processes", "Max core file size", "Max locked memory", "Max msgqueue size"):
        assert limits[name] == ["0"] * 2, name


@pytest.mark.parametrize("deed", ["pread", "fstat", "random", "work"])
def test_work_is_possible(child: Child, document: int, deed: str) -> None:
    """Otherwise the refusals below would prove nothing."""
    assert child.ask(document, deed, 0).patients == SUCCEEDED


@pytest.mark.parametrize("deed", REFUSED)
def test_refused_and_alive(child: Child, document: int, deed: str) -> None:
    assert child.ask(document, deed, 0).patients == errno.EPERM
    assert child.ask(document, "", 5).patients == 5


@pytest.mark.parametrize("deed", DEADLY)
def test_killed_for_trying(child: Child, document: int, deed: str) -> None:
    with pytest.raises(ChildDiedError):
        child.ask(document, wording(deed), 0)
    assert child._process.wait(10) == -signal.SIGSYS


@pytest.mark.skipif(
    not ROOT, reason="an unprivileged worker has no empty root folder: names and sizes can be looked up"
)
def test_names_of_files_are_out_of_sight(child: Child, document: int) -> None:
    assert child.ask(document, "statempty", 0).patients in {errno.ENOENT, errno.EACCES}


def test_a_forbidden_import_is_an_answer(child: Child, document: int) -> None:
    assert child.ask(document, "import", 0) == undecidable(Problem.CRASHED)
    assert child.ask(document, "", 5).patients == 5


@pytest.mark.parametrize(
    ("deed", "problem"),
    [
        ("memory", Problem.TOO_LARGE),  # 4 GiB
        ("recursion", Problem.TOO_DEEP),
        ("raise", Problem.CRASHED),
        ("panic", Problem.CRASHED),
        ("exit", Problem.CRASHED),
        ("timeout", Problem.TIMED_OUT),
    ],
)
def test_an_exception_is_an_answer(child: Child, document: int, deed: str, problem: Problem) -> None:
    assert child.ask(document, deed, 0) == undecidable(problem)
    assert child.ask(document, "", 5).patients == 5


def test_a_crash_of_a_library_is_an_answer_of_the_pool(document: int) -> None:
    pool = WorkerPool(module=ROGUE_JUDGE)
    try:
        assert pool.judge(document, "crash") == undecidable(Problem.CRASHED)
        assert pool.judge(document, "", 5).patients == 5
    finally:
        pool.close()


def test_no_document_stays_open(child: Child, document: int) -> None:
    for deed in ["pread", "raise", "open", "memory"] * 5:
        child.ask(document, deed, 0)
    if ROOT:
        assert len(os.listdir(f"/proc/{child.pid}/fd")) == 4


def test_the_worker_ends_with_its_socket(child: Child) -> None:
    child._channel.close()
    assert child._process.wait(10) == 0


def test_the_real_worker_is_warm(document: int) -> None:
    """Everything it needs was loaded before arming: text is judged, not refused."""
    pool = WorkerPool()
    try:
        assert pool.judge(document, "txt", 19).judgement == Judgement.NOT_MEDICAL
    finally:
        pool.close()


LANDLOCK_ALONE = """
import ctypes, os, socket
from agent.extraction import landlock
listener = socket.create_server(("127.0.0.1", 0))
ctypes.CDLL(None).prctl(38, 1, 0, 0, 0)
version = landlock.deny_everything()
for path, flags in [("/etc/passwd", os.O_RDONLY), ("/tmp", os.O_DIRECTORY), ("/tmp/x", os.O_CREAT | os.O_WRONLY)]:
    try:
        os.open(path, flags)
    except PermissionError as error:
        print("EACCES" if error.errno == 13 else error)
if version >= 4:
    try:
        socket.create_connection(listener.getsockname())
    except PermissionError:
        print("EACCES")
if version >= 6:
    try:
        os.kill(os.getppid(), 0)
    except PermissionError:
        print("EPERM")
"""


@pytest.mark.skipif(not landlock.abi(), reason="this kernel has no Landlock")
def test_landlock_alone_forbids_files_network_and_signals() -> None:
    output = subprocess.run([sys.executable, "-c", LANDLOCK_ALONE], capture_output=True, text=True, check=True).stdout
    version = landlock.abi()
    assert output.split() == ["EACCES"] * (4 if version >= 4 else 3) + ["EPERM"] * (version >= 6)


def test_threads_are_not_confined_and_so_refused() -> None:
    script = (
        "import socket, threading\nfrom agent.extraction import sandbox\n"
        "a, b = socket.socketpair()\nthreading.Thread(target=a.recv, args=(1,), daemon=True).start()\n"
        "try:\n    sandbox.arm(b.fileno())\nexcept sandbox.HostError as error:\n    print(error.message)\n"
    )
    output = subprocess.run([sys.executable, "-c", script], capture_output=True, text=True, check=True).stdout
    assert "threads" in output


GROUPS = """
import sys
from agent.extraction.client import WorkerPool
pool = WorkerPool(module=sys.argv[1])
pool.prewarm()
status = open(f"/proc/{pool.statistics().pids[0]}/status").read()
pool.close()
print([line for line in status.splitlines() if line.startswith("Groups")])
"""


@pytest.mark.skipif(not ROOT or not shutil.which("setpriv"), reason="needs root and setpriv to have groups")
def test_no_group_of_ours_is_kept() -> None:
    command = ["setpriv", "--groups=4,24", sys.executable, "-c", GROUPS, ROGUE_JUDGE]
    output = subprocess.run(command, capture_output=True, text=True, check=True, timeout=120).stdout
    assert output.strip().replace(" ", "") == "['Groups:\\t']"


UNPRIVILEGED = """
import os, sys
from agent.extraction.client import WorkerPool
pool = WorkerPool(module=sys.argv[1])
results = [pool.judge(0, deed, 5).patients for deed in ("", "pread", "open", "write", "list")]
report = pool.statistics().report
results += [report.uid, report.seccomp, report.capabilities, int(report.chrooted), int(report.undumpable)]
results.append(report.landlock)
for deed in ("fork", "connect", "ptraceparent", "mount"):
    results.append(str(pool.judge(0, deed).problem))
results.append(pool.statistics().died)
pool.close()
print(*results)
"""


@pytest.mark.skipif(not ROOT or not shutil.which("setpriv"), reason="needs root and setpriv to become somebody else")
def test_without_root(document: int) -> None:
    """An agent without root confines its workers all the same.

    The one capability it keeps is to read the interpreter, which may lie where that user cannot look; the worker loses
    it too.
    """
    command = [
        "setpriv", "--reuid=61234", "--regid=61234", "--clear-groups", "--inh-caps=-all,+dac_read_search",
        "--ambient-caps=-all,+dac_read_search", "--bounding-set=-all,+dac_read_search",
        sys.executable, "-c", UNPRIVILEGED, ROGUE_JUDGE,
    ]  # fmt: skip
    run = subprocess.run(command, stdin=document, capture_output=True, text=True, check=False, timeout=120)
    assert run.stdout.split() == [
        "5", str(SUCCEEDED), "1", "1", "1", "61234", "2", "0", "0", "1", str(landlock.abi()), *["crashed"] * 4, "8",
    ], run.stderr  # fmt: skip
