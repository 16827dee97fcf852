"""The gate's processes stopped and killed, an agent that does not answer: who waits, how long, and who is let in."""

from __future__ import annotations

import contextlib
import os
import shutil
import signal
import subprocess
import sys
import time
from collections.abc import Iterator
from pathlib import Path

import pytest

from tests.gate_bed import GateBed, reads, send, settled

pytestmark = [pytest.mark.system, pytest.mark.timeout(180)]
BOUND_S = 8.0  # 3 s are stated; the rest is a slow machine's
_OPENS = """
import os, sys, time
paths, longest, refused = sys.argv[2:], 0.0, 0
for turn in range(int(sys.argv[1])):
    began = time.monotonic()
    try:
        os.close(os.open(paths[turn % len(paths)], os.O_RDONLY))
    except PermissionError:
        refused += 1
    longest = max(longest, time.monotonic() - began)
print(longest, refused)
"""


@pytest.fixture
def bed(tmp_path: Path) -> Iterator[GateBed]:
    made = GateBed(tmp_path, deadline_ms=2000)
    try:
        made.secret(made.cloud / "secret")
        made.write(made.cloud / "plain")
        for number in range(20):
            made.write(made.outside / str(number))
        settled()
        made.arm()
        yield made
    finally:
        made.close()


def _whoever(bed: GateBed, who: str) -> list[int]:
    board = bed.board
    whole = [int(name) for name in os.listdir("/proc") if name.isdecimal() and bed.gating.is_ours(int(name))]
    some = {"answerer": [board.answerer], "keeper": [board.keeper], "both": [board.answerer, board.keeper]}
    return some.get(who) or [pid for pid in whole if pid != os.getpid()]


@pytest.mark.parametrize("signum", [signal.SIGKILL, signal.SIGSTOP])
@pytest.mark.parametrize("who", ["answerer", "keeper", "both", "all"])
def test_whoever_is_stopped_nobody_outside_is_refused_or_frozen(bed: GateBed, who: str, signum: signal.Signals) -> None:
    openers = [
        subprocess.Popen(
            [sys.executable, "-I", "-S", "-c", _OPENS, "1500", *map(str, bed.outside.iterdir())],
            stdout=subprocess.PIPE, text=True,
        )
        for _ in range(6)
    ]  # fmt: skip
    try:
        time.sleep(0.3)
        for pid in _whoever(bed, who):
            send(pid, signum)
        said = [opener.communicate(timeout=60)[0].split() for opener in openers]
    finally:
        for opener in openers:
            opener.kill()
            opener.wait()
    assert max(float(longest) for longest, _ in said) < BOUND_S
    refused = sum(int(count) for _, count in said)
    # when all die at once, the files of those who were being answered are gone with them
    assert refused <= (len(openers) if who == "all" else 0)
    assert reads(bed.cloud / "secret") is None
    assert reads(bed.cloud / "plain") == b"harmless"


@pytest.mark.parametrize("who", ["answerer", "keeper", "both", "all"])
def test_a_secret_that_is_waited_for_does_not_come_out_of_a_kill(bed: GateBed, who: str) -> None:
    bed.delay_s = 0.6
    reader = subprocess.Popen(
        [sys.executable, "-I", "-S", "-c", "import sys; print(open(sys.argv[1]).read())", bed.cloud / "secret"],
        stdout=subprocess.PIPE, stderr=subprocess.DEVNULL,
    )  # fmt: skip
    try:
        until = time.monotonic() + 20
        while not bed.seen and time.monotonic() < until:
            time.sleep(0.01)
        assert bed.seen
        for pid in _whoever(bed, who):
            send(pid, signal.SIGKILL)
        assert reader.communicate(timeout=30)[0] == b""
    finally:
        reader.kill()
        reader.wait()


def test_a_killed_answerer_is_asked_again_not_refused(bed: GateBed) -> None:
    """Its descriptors live on in the keeper: a harmless file that was being judged is given all the same."""
    bed.delay_s = 0.5
    reader = subprocess.Popen(
        [sys.executable, "-I", "-S", "-c", "import sys; print(open(sys.argv[1]).read())", bed.cloud / "plain"],
        stdout=subprocess.PIPE,
    )  # fmt: skip
    try:
        while not bed.seen:
            time.sleep(0.01)
        send(bed.board.answerer, signal.SIGKILL)
        assert reader.communicate(timeout=30)[0] == b"harmless\n"
    finally:
        reader.kill()
        reader.wait()
    assert sum(reading.name == b"plain" for reading in bed.seen) == 2


def test_an_agent_that_does_not_answer_holds_nobody_longer_than_the_deadline(bed: GateBed) -> None:
    bed.delay_s = 20.0
    began = time.monotonic()
    assert reads(bed.cloud / "plain") is None
    assert 1.5 < time.monotonic() - began < BOUND_S
    assert reads(bed.outside / "1") == b"harmless"
    assert bed.gating.status()["fallback"] >= 1
    bed.delay_s = 0.0


def test_a_reader_that_is_being_started_is_waited_for(bed: GateBed) -> None:
    bed.gating._starting = lambda: True
    bed.delay_s = 6.0  # three deadlines
    assert reads(bed.cloud / "plain") == b"harmless"
    assert bed.gating.status()["fallback"] == 0


def test_a_reader_that_never_comes_is_not_waited_for_longer_than_was_said(bed: GateBed) -> None:
    with bed.gating._lock:
        bed.gating._settings = bed.gating._settings._replace(start_ms=2000)
        bed.gating._publish()
    bed.gating._starting = lambda: True
    bed.delay_s = 25.0
    assert reads(bed.cloud / "plain") is None  # after 2 and 2 s
    assert not bed.gating._ending.is_set()
    assert bed.gating.status()["fallback"] >= 1
    bed.delay_s = 0.0


def test_the_dead_start_no_reader(bed: GateBed) -> None:
    """What the agent has said about its readers holds nobody once it says it no more."""
    bed.board.starting = time.monotonic_ns()
    bed.delay_s = 25.0
    assert reads(bed.cloud / "plain") is None
    assert bed.gating.status()["fallback"] >= 1
    bed.delay_s = 0.0


def test_an_agent_that_comes_back_is_asked_again(bed: GateBed) -> None:
    assert reads(bed.cloud / "plain") == b"harmless"
    for session in list(bed.server._sessions):
        session.hang_up()
    assert reads(bed.cloud / "plain") == b"harmless"
    assert reads(bed.cloud / "secret") is None


def test_a_burst_of_opens_is_answered(bed: GateBed) -> None:
    children = [
        subprocess.Popen(
            [sys.executable, "-I", "-S", "-c", _OPENS, "4000", path], stdout=subprocess.PIPE, text=True
        )
        for path in (bed.outside / "1", bed.outside / "2", bed.cloud / "plain", bed.cloud / "secret", bed.outside / "3")
    ]  # fmt: skip
    try:
        said = [child.communicate(timeout=120)[0].split() for child in children]
    finally:
        for child in children:
            child.kill()
            child.wait()
    assert [int(refused) for _, refused in said] == [0, 0, 0, 4000, 0]


def test_more_waiting_openers_than_there_is_room_for_stop_nobody_outside(bed: GateBed) -> None:
    bed.delay_s = 1.0
    script = "for i in $(seq 60); do (exec 3<%s) 2>/dev/null & done; wait" % (bed.cloud / "secret")
    crowd = subprocess.Popen(["bash", "-c", script], stderr=subprocess.DEVNULL)
    try:
        time.sleep(0.3)
        began = time.monotonic()
        assert reads(bed.outside / "1") == b"harmless"
        assert time.monotonic() - began < 2.0
        crowd.wait(60)
    finally:
        crowd.kill()
        crowd.wait()
        bed.delay_s = 0.0


def test_ending_the_agent_ends_the_gate_and_opens_the_folders(bed: GateBed) -> None:
    pids = _whoever(bed, "all")
    bed.gating.close()
    assert reads(bed.cloud / "secret") is not None
    time.sleep(0.2)
    assert not [pid for pid in pids if Path(f"/proc/{pid}").exists()]


_ON_ITSELF = """
import os, signal, sys, time
sys.path.insert(0, {checkout!r})
from pathlib import Path
import ctypes
from agent.daemon.gating import Gating
from agent.daemon.holds import GateServer
from agent.gates.gate.settings import Folder, FolderKind

class Silent:
    def warn(self, *a, **k): pass
    note = warn

run = Path({run!r}); run.mkdir(mode=0o755)
server = GateServer(run / "gates.sock", Silent())
command = (sys.executable, "-I", "-c", "import sys; sys.path.insert(0, " + repr({checkout!r}) + "); from agent.gates.gate.__main__ import main; sys.exit(main(sys.argv[1:]))")
server.start()
gating = Gating(server, run / "gates.sock", lambda reading: b"SENSITIVE" in os.pread(reading.fd, 4096, 0), command=command)
gating.guard([Folder({cloud!r}, FolderKind.SYNC)])
print("armed", flush=True)
board = gating._process.board
for turn in range(3):
    for pid in map(int, filter(str.isdecimal, os.listdir("/proc"))):
        if pid != os.getpid() and gating.is_ours(pid):
            os.kill(pid, signal.SIGKILL)
    began = time.monotonic()
    os.close(os.open(__file__, os.O_RDONLY))
    assert time.monotonic() - began < 8, "held too long"
    print("answered", flush=True)
    time.sleep(0.2)
gating.close()
server.close()
print("ended", flush=True)
"""


def test_the_gate_starts_again_when_its_own_files_lie_behind_it(bed: GateBed, checkout: Path) -> None:
    """Interpreter, library and package on the guarded file system: nobody answers, and none of them can be opened."""
    bed.gating.close()
    own = bed.outside / "python"
    prefix = Path(sys.base_prefix)
    library = Path("lib") / f"python{sys.version_info.major}.{sys.version_info.minor}"
    skipped = shutil.ignore_patterns(
        "test", "site-packages", "idlelib", "ensurepip", "__pycache__", "tkinter", "config-*"
    )
    try:
        shutil.copytree(prefix / library, own / library, ignore=skipped)
    except OSError:
        pytest.skip("the interpreter's library cannot be copied")
    (own / "bin").mkdir()
    real = os.path.realpath(sys.executable)
    shutil.copy(real, own / "bin/python3")
    shutil.copytree(
        checkout / "agent",
        bed.outside / "package/agent",
        ignore=shutil.ignore_patterns("__pycache__", "detection", "extraction"),
    )
    script = bed.outside / "agent.py"
    script.write_text(_ON_ITSELF.format(
        checkout=str(bed.outside / "package"), run=str(bed.volume.parent / "run2"), cloud=os.fsencode(bed.cloud)
    ))  # fmt: skip
    environment = {"PYTHONHOME": str(own), "PATH": os.environ["PATH"], "PYTHONPATH": ""}
    child = subprocess.Popen(
        [own / "bin/python3", script], env=environment, stdout=subprocess.PIPE, stderr=subprocess.PIPE, text=True
    )
    try:
        out, errors = child.communicate(timeout=60)
    except subprocess.TimeoutExpired:
        child.kill()
        out, errors = child.communicate(timeout=10)
    finally:
        for folder in Path("/proc").iterdir():  # what it forked, when it failed
            with contextlib.suppress(OSError):
                if folder.name.isdecimal() and os.fsencode(script) in (folder / "cmdline").read_bytes():
                    os.kill(int(folder.name), signal.SIGKILL)
    if "ModuleNotFoundError" in errors and "armed" not in out:
        pytest.skip(f"packages of the agent are missing there: {errors[-200:]}")
    assert out.split() == ["armed", *["answered"] * 3, "ended"], errors[-2000:]
