"""Documents come into a sync folder in every way there is, while readers race to have them."""

from __future__ import annotations

import os
import shutil
import subprocess
import sys
import time
from collections.abc import Iterator
from pathlib import Path

import pytest

from agent.gates.gate import fanotify
from tests.gate_bed import SECRET, GateBed, reads, run, settled
from tests.running import wait_for

pytestmark = [pytest.mark.system, pytest.mark.timeout(180)]
NUMBER = 125  # of each way, a fifth of them secret
_POLLER = """
import os, sys, time
folder, number, got = sys.argv[1], int(sys.argv[2]), {}
names = [f"{way}-{n}" for way in ("moved", "linked", "written") for n in range(number)]
names += [f"folder-{n}/inner" for n in range(number)]
until = time.monotonic() + float(sys.argv[3])
while time.monotonic() < until and not os.path.exists(folder + "/end"):
    for name in names:
        try:
            with open(folder + "/" + name, "rb") as file:
                content = file.read()
        except OSError:
            continue
        if b"SENSITIVE" in content:
            print("LEAK", name, flush=True)
        got[name] = content
print(len([name for name in got if b"complete" in got[name]]))
"""


@pytest.fixture
def bed(tmp_path: Path) -> Iterator[GateBed]:
    made = GateBed(tmp_path)
    try:
        yield made
    finally:
        made.close()


def _content(number: int) -> bytes:
    return b"x" * 5000 + (SECRET if number % 5 == 0 else b"nothing") + b" complete"


def _arrivals(bed: GateBed) -> None:
    """Each way: a rename, a hard link, writing in two halves with a pause, a folder that is moved in with its file."""
    for number in range(NUMBER):
        content = _content(number)
        for way in ("moved", "linked"):
            bed.write(bed.outside / f"{way}-{number}", content)
        (bed.outside / f"folder-{number}").mkdir()
        bed.write(bed.outside / f"folder-{number}/inner", content)
    settled()
    for number in range(NUMBER):
        os.rename(bed.outside / f"moved-{number}", bed.cloud / f"moved-{number}")
        os.link(bed.outside / f"linked-{number}", bed.cloud / f"linked-{number}")
        os.rename(bed.outside / f"folder-{number}", bed.cloud / f"folder-{number}")
        with (bed.cloud / f"written-{number}").open("wb", buffering=0) as file:
            content = _content(number)
            file.write(content[:4000])
            time.sleep(0.004)
            file.write(content[4000:])


def test_a_polling_reader_and_a_real_client_get_every_harmless_document_and_no_other(
    bed: GateBed, tmp_path: Path
) -> None:
    bed.arm(home=False)
    poller = subprocess.Popen(
        [sys.executable, "-I", "-S", "-c", _POLLER, bed.cloud, str(NUMBER), "100"], stdout=subprocess.PIPE, text=True
    )
    client = shutil.which("rclone")
    remote = tmp_path / "remote"
    sync = [client, "copy", "--ignore-errors", "--retries", "1", "--low-level-retries", "1", bed.cloud, remote]
    try:
        _arrivals(bed)
        for _ in range(3 if client else 0):
            run([*sync, "--config", tmp_path / "none"])
        time.sleep(4)
        bed.write(bed.cloud / "end")
        said = poller.communicate(timeout=60)[0].split()
    finally:
        poller.kill()
        poller.wait()
    assert said == [str(NUMBER * 4 * 4 // 5)]
    if client:
        files = [path for path in remote.rglob("*") if path.is_file()]
        assert not [path.name for path in files if SECRET in path.read_bytes()]
        assert len(files) == NUMBER * 4 * 4 // 5


def test_folders_that_cannot_be_moved_are_no_longer_asked_about(bed: GateBed) -> None:
    """System folders: the kernel answers for them. Not so for a folder that its owner could move into the sync folder."""
    system = bed.volume / "system"
    system.mkdir(mode=0o755)
    bed.write(system / "header")
    bed.write(bed.home / "own")
    bed.arm(home=False)
    for path in (system / "header", bed.outside / "x", bed.home / "own"):
        bed.write(path)
        run(["cat", path])

    def asked(path: Path) -> int:
        before = bed.board.turn
        for _ in range(20):
            run(["cat", path])
        return (bed.board.turn - before) // 2

    wait_for(lambda: asked(system / "header") <= 2, 30)  # the mark is set after the first answer, when there is time
    sub = bed.home / "sub"  # its parent is the user's
    sub.mkdir()
    bed.secret(sub / "letter")
    run(["cat", sub / "letter"])
    time.sleep(0.3)
    assert asked(sub / "letter") >= 20
    os.rename(sub, bed.cloud / "sub")
    assert reads(bed.cloud / "sub/letter") is None


def test_a_file_that_leaves_an_ignored_folder_is_asked_about(bed: GateBed) -> None:
    system = bed.volume / "system"
    system.mkdir(mode=0o755)
    for name in ("renamed", "linked"):
        bed.secret(system / name)
    bed.arm(home=False)
    run(["cat", system / "renamed", system / "linked"])
    time.sleep(0.3)
    assert bed.board.counts()["ignored"] >= 1
    os.rename(system / "renamed", bed.cloud / "renamed")
    os.link(system / "linked", bed.cloud / "linked")
    assert reads(bed.cloud / "renamed") is None
    assert reads(bed.cloud / "linked") is None


def test_a_folder_that_root_moves_is_asked_about_again(bed: GateBed) -> None:
    system = bed.volume / "system"
    system.mkdir(mode=0o755)
    bed.secret(system / "letter")
    bed.arm(home=False)
    run(["cat", system / "letter"])
    time.sleep(0.3)
    os.rename(system, bed.cloud / "system")
    time.sleep(1.5)  # root's own doing: noticed, not foreseen
    assert reads(bed.cloud / "system/letter") is None


def test_the_sync_folder_is_guarded_where_it_goes(bed: GateBed) -> None:
    bed.secret(bed.cloud / "secret")
    bed.arm(home=False)
    os.rename(bed.cloud, bed.home / "Other")
    time.sleep(1.5)
    assert reads(bed.home / "Other/secret") is None


def test_a_path_too_long_to_say_is_inside(bed: GateBed) -> None:
    bed.arm(home=False)
    fd = os.open(bed.cloud, os.O_RDONLY)
    for _ in range(20):
        os.mkdir("d" * 250, dir_fd=fd)
        inner = os.open("d" * 250, os.O_RDONLY, dir_fd=fd)
        os.close(fd)
        fd = inner
    secret = os.open("secret", os.O_CREAT | os.O_WRONLY, dir_fd=fd)
    os.write(secret, SECRET)
    os.close(secret)
    try:
        code = f"import os; print(os.read(os.open('secret', 0, dir_fd={fd}), 99))"
        done = run([sys.executable, "-I", "-S", "-c", code], pass_fds=[fd])
        assert done.stdout == b""
        assert b"PermissionError" in done.stderr
    finally:
        os.close(fd)


def test_marks_are_gone_with_the_group(bed: GateBed) -> None:
    """Nothing of ours stays in the kernel after the end."""
    bed.arm(home=False)
    bed.secret(bed.cloud / "secret")
    assert reads(bed.cloud / "secret") is None
    bed.gating.close()
    assert reads(bed.cloud / "secret") is not None
    group = fanotify.permission_group()
    os.close(group)
