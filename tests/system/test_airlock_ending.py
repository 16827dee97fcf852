"""How an airlock ends: told to, or unmounted, with an agent or without; and what folders look like meanwhile."""

from __future__ import annotations

import errno
import os
import signal
import subprocess
import sys
from collections.abc import Iterator
from pathlib import Path

import pytest

from agent.gates.asking import ABANDONED, Ask
from tests.airlock_bed import Bed, bed, user, wait_until

pytestmark = [pytest.mark.system, pytest.mark.timeout(180)]
WRITER = """
import os, sys
fd = os.open(sys.argv[1], os.O_WRONLY | os.O_CREAT, 0o644)
os.write(fd, b"text")
try:
    os.close(fd)
except OSError as error:
    sys.exit(error.errno)
"""


@pytest.fixture
def stick(tmp_path: Path) -> Iterator[Bed]:
    with bed(tmp_path) as made:
        yield made


def _writer(path: Path) -> subprocess.Popen[bytes]:
    return subprocess.Popen([sys.executable, "-c", WRITER, str(path)])


def _times(path: Path) -> tuple[int, int]:
    found = os.stat(path)
    return found.st_mtime_ns, found.st_ctime_ns


def test_a_folder_shows_the_times_of_the_medium_once_a_file_is_committed(stick: Bed) -> None:
    """tar compares them: what the kernel keeps of a folder is not to be older than what it is told later."""
    folder = stick.mount / "folder"
    folder.mkdir()
    for name in ("new", "new", "other"):  # the second one is written over
        before = _times(folder), _times(stick.mount)
        (folder / name).write_bytes(b"text")
        assert (_times(folder), _times(stick.mount)) == (_times(stick.raw / "folder"), _times(stick.raw))
        assert before[1] != _times(stick.mount)  # the temporary file was there


def test_a_tree_that_was_just_copied_goes_into_an_archive(stick: Bed, tmp_path: Path) -> None:
    tree = tmp_path / "tree" / "below"
    tree.mkdir(parents=True)
    for number in range(20):
        (tree / f"{number}.txt").write_bytes(b"text" * number)
    done = user(
        "sh",
        "-c",
        f"cd {stick.mount} && cp -r {tree.parent} a && cp -r a b && tar -cf x b && tar -C {stick.mount} -cf {tmp_path}/y .",
        timeout_s=60,
    )
    assert (done.returncode, done.stderr) == (0, b"")


def test_without_an_agent_an_unmounted_volume_is_let_go(stick: Bed) -> None:
    """Its writer was killed while it waited: nobody is kept, nothing goes, the medium is free within seconds."""
    stick.agent.mute = True
    writer = _writer(stick.mount / "waiting")
    wait_until(stick.agent.asked)
    stick.agent.stop()
    writer.kill()
    writer.wait(20)
    assert stick.unmount() == 0
    assert stick.listed() == {"lost+found"}


def test_told_to_end_it_refuses_what_nobody_judges(stick: Bed) -> None:
    """The agent is there and silent: whoever waits gets EIO, whoever comes too, and the agent learns of it."""
    (stick.mount / "old").write_bytes(b"old")
    stick.agent.mute = True
    writers = [_writer(stick.mount / "waiting"), _writer(stick.mount / "old")]
    held = os.open(stick.mount / "held", os.O_WRONLY | os.O_CREAT)  # not before: a new process closes its copy
    os.write(held, b"text")
    wait_until(lambda: len(stick.agent.asked()) == 3)
    assert stick.process
    stick.process.send_signal(signal.SIGTERM)
    assert [each.wait(30) for each in writers] == [errno.EIO, errno.EIO]
    with pytest.raises(OSError) as caught:
        os.write(held, b"more")
    assert caught.value.errno in {errno.EIO, errno.ENOTCONN, errno.ECONNABORTED}
    assert stick.process.wait(30) == 0
    told = [(each.detail, each.size) for each in stick.agent.questions if each.kind is Ask.TELL]
    assert told == [(ABANDONED, 2)]
    stick.agent_fd_closed()
    with pytest.raises(OSError):
        os.close(held)
    assert stick.listed() == {"lost+found", "old"}
    assert (stick.raw / "old").read_bytes() == b"old"


def test_told_to_end_it_waits_for_a_verdict_that_comes(stick: Bed) -> None:
    stick.agent.delay_s = 1
    writer = _writer(stick.mount / "waiting")
    wait_until(stick.agent.asked)
    assert stick.process
    stick.process.send_signal(signal.SIGTERM)
    assert writer.wait(30) == 0
    assert stick.process.wait(30) == 0
    assert (stick.raw / "waiting").read_bytes() == b"text"
