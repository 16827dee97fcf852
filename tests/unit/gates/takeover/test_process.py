"""The airlock's process: found again only when it is the very one, described by records that nothing can spoil."""

from __future__ import annotations

import errno
import json
import os
import signal
import subprocess
import sys
from dataclasses import replace
from pathlib import Path

import pytest

from agent.gates.takeover.process import Descriptors, Process, Trace, Traces, boot_id, started_at, state_of
from tests.running import wait_for

TRACE = Trace("0123456789abcdef", 1, 2, "/media/\udcffCLE", 3, 4, 5, was_writable=True, boot="b")


def test_traces_are_read_as_they_were_written(tmp_path: Path) -> None:
    traces = Traces(tmp_path)
    traces.write(TRACE)
    assert list(traces.all()) == [TRACE]
    traces.forget(TRACE.token)
    assert list(traces.all()) == []


@pytest.mark.parametrize("content", [b"", b"{}", b"[1]", b"\xff", b"[" * 5000, json.dumps({"token": "x"}).encode()])
def test_a_spoilt_trace_is_removed(tmp_path: Path, content: bytes) -> None:
    (tmp_path / TRACE.token).write_bytes(content)
    assert list(Traces(tmp_path).all()) == []
    assert not (tmp_path / TRACE.token).exists()


def test_a_trace_under_another_name_is_not_believed(tmp_path: Path) -> None:
    traces = Traces(tmp_path)
    traces.write(replace(TRACE))
    (tmp_path / TRACE.token).rename(tmp_path / "fedcba9876543210")
    assert list(traces.all()) == []


def test_a_process_is_found_by_number_and_start() -> None:
    child = subprocess.Popen(["sleep", "60"])
    try:
        started = started_at(child.pid)
        found = Process.find(child.pid, started)
        assert found is not None
        assert not found.stopped()
        child.send_signal(signal.SIGSTOP)
        wait_for(found.stopped)
        assert Process.find(child.pid, started + 1) is None  # the number has another owner now
        found.kill()
        child.wait(10)
        assert found.reap(5.0)
        found.close()
        assert Process.find(child.pid, started) is None
    finally:
        child.kill()
        child.wait()


def test_the_dead_is_not_taken_for_alive() -> None:
    child = subprocess.Popen(["true"])
    wait_for(lambda: state_of(child.pid) == "Z")
    assert Process.find(child.pid, started_at(child.pid)) is None
    child.wait()
    assert Process.find(-1, 0) is None


def test_it_is_started_with_its_descriptors_and_no_others(tmp_path: Path) -> None:
    said = tmp_path / "said"
    program = (
        f"import os,sys; open({str(said)!r},'w').write(repr((sys.argv[1:], sorted(map(int, os.listdir('/proc/self/fd')))"
        ", dict(os.environ), os.getcwd(), os.getsid(0) == os.getpid())))"
    )
    fds = [os.open("/dev/null", os.O_RDWR | os.O_CLOEXEC) for _ in range(4)]
    try:
        process = Process.start(Descriptors(*fds[:3]), ["--token", "t"], [sys.executable, "-I", "-c", program])
        assert process.reap(20)
        process.close()
        arguments, open_there, environment, folder, leads = eval(said.read_text())
        assert arguments == [
            "--fuse-fd", str(fds[0]), "--medium-fd", str(fds[1]), "--staging-fd", str(fds[2]), "--token", "t"
        ]  # fmt: skip
        assert {0, 1, 2, *fds[:3]} <= set(open_there)
        assert fds[3] not in open_there
        assert (folder, leads, set(environment) <= {"PATH", "LANG", "LC_CTYPE"}) == ("/", True, True)
    finally:
        for fd in fds:
            os.close(fd)


def test_the_boot_has_a_number() -> None:
    assert len(boot_id()) == 36


def test_a_copy_that_cannot_be_watched_is_no_second_one(monkeypatch: pytest.MonkeyPatch) -> None:
    """No descriptor left after the copy was made: it ends, and no other is started beside it."""
    child = subprocess.Popen(["sleep", "60"])

    def none_left(pid: int) -> int:
        raise OSError(errno.EMFILE, "none left")

    monkeypatch.setattr(os, "pidfd_open", none_left)
    with pytest.raises(OSError, match="none left"):
        Process.start(Descriptors(0, 0, 0), (), fork=lambda _fds, _arguments: child.pid)
    with pytest.raises(ProcessLookupError):
        os.kill(child.pid, 0)
    child.returncode = 0
