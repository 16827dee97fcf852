"""The program that keeps folders from being moved into guarded ones, so that the kernel may remember folders outside.

Everything here needs a kernel that takes security programs (module ``bpf``); where there is none, these tests say so.
``python -m tests.laptop`` machines have one.
"""

from __future__ import annotations

import ctypes
import errno
import os
import signal
import subprocess
import sys
import time
from collections.abc import Callable, Iterator
from pathlib import Path

import pytest

from agent.gates.gate import bpf_moves
from agent.gates.gate.bpf_hold import Moves
from agent.gates.gate.settings import Folder, FolderKind
from tests.gate_bed import USER, GateBed, reads, run

pytestmark = pytest.mark.system
DEADLINE_S = 60
EXCHANGE, AT_SYMLINK_FOLLOW = 2, 0x400
_libc = ctypes.CDLL(None, use_errno=True)


@pytest.fixture(scope="module", autouse=True)
def takes_programs(tmp_path_factory: pytest.TempPathFactory) -> None:
    socket = os.fsencode(tmp_path_factory.mktemp("program") / "gates.sock")
    try:
        bpf_moves.remove(bpf_moves.install(socket))
    except (OSError, ValueError) as error:
        pytest.skip(f"this kernel takes no security program: {error}")


@pytest.fixture
def bed(tmp_path: Path) -> Iterator[GateBed]:
    made = GateBed(tmp_path)
    try:
        made.arm(home=False)
        until(lambda: made.gating.status()["outside"] == "remembered")
        yield made
    finally:
        made.close()


def until(found: Callable[[], object]) -> None:
    deadline = time.monotonic() + DEADLINE_S
    while not found():
        assert time.monotonic() < deadline
        time.sleep(0.02)


def asked(bed: GateBed, path: Path) -> bool:
    """Whether the gate was asked about this opening."""
    turn = still(bed)
    os.close(os.open(path, os.O_RDONLY))
    return still(bed) != turn


def still(bed: GateBed) -> int:
    """The gate's turn, once it waits for events."""
    before = -1
    while before != (turn := bed.board.turn) or turn & 1:
        before = turn
        time.sleep(0.02)
    return turn


def remember(bed: GateBed, folder: Path) -> None:
    """Until files in it are not asked about."""
    file = bed.write(folder / "plain")
    until(lambda: not asked(bed, file))


def refused(call: Callable[..., object], *arguments: object) -> bool:
    try:
        call(*arguments)
    except OSError as error:
        assert error.errno == errno.EXDEV
        return True
    return False


def renamed(one: Path, other: Path, flags: int = EXCHANGE) -> None:
    if _libc.renameat2(-100, os.fsencode(one), -100, os.fsencode(other), flags) < 0:
        raise OSError(ctypes.get_errno(), "renameat2")


def folder(path: Path) -> Path:
    path.mkdir()
    os.chown(path, USER, USER)
    return path


def test_a_folder_that_its_owner_can_move_is_asked_about_once(bed: GateBed) -> None:
    turn = still(bed)
    bed.write(bed.outside / "plain")
    assert still(bed) != turn
    remember(bed, bed.outside)
    assert not asked(bed, bed.write(bed.outside / "another"))
    assert asked(bed, bed.write(bed.cloud / "there"))


def test_what_is_remembered_does_not_come_into_a_guarded_folder(bed: GateBed) -> None:
    inner = folder(bed.outside / "inner")
    secret = bed.secret(inner / "letter")
    remember(bed, inner)
    assert reads(secret)  # outside it is nobody's business
    held = folder(bed.cloud / "held")
    assert refused(os.rename, inner, bed.cloud / "inner")
    assert refused(os.rename, bed.outside, held / "deeper")  # what it lies in
    assert refused(renamed, inner, held)
    assert refused(renamed, held, inner)
    assert refused(renamed, bed.write(bed.cloud / "file"), inner)
    assert run(["mv", inner, bed.cloud], user=USER, group=USER).returncode == 0  # it copies
    assert reads(bed.cloud / "inner/letter") is None
    assert not inner.exists()


def test_files_come_and_are_asked_about(bed: GateBed) -> None:
    for name in ("moved", "linked"):
        bed.secret(bed.outside / name)
    remember(bed, bed.outside)
    assert reads(bed.outside / "moved") and reads(bed.outside / "linked")
    os.rename(bed.outside / "moved", bed.cloud / "moved")
    os.link(bed.outside / "linked", bed.cloud / "linked")
    nameless = os.open(bed.outside, os.O_TMPFILE | os.O_RDWR, 0o644)
    os.write(nameless, b"x" * 100 + b"SENSITIVE")
    into = os.fsencode(bed.cloud / "nameless")
    assert _libc.linkat(-100, b"/proc/self/fd/%d" % nameless, -100, into, AT_SYMLINK_FOLLOW) == 0
    os.close(nameless)
    time.sleep(0.1)
    assert [reads(bed.cloud / name) for name in ("moved", "linked", "nameless")] == [None, None, None]


def test_out_of_it_within_it_and_elsewhere_folders_move(bed: GateBed) -> None:
    trash = folder(bed.volume / "trash")
    one = folder(bed.cloud / "one")
    two = folder(one / "two")
    os.rename(two, bed.cloud / "two")
    os.rename(one, trash / "one")
    assert refused(os.rename, trash / "one", bed.cloud / "one")
    other = folder(bed.outside / "other")
    os.rename(other, trash / "other")
    renamed(trash / "other", trash / "one")
    os.rename(bed.cloud, bed.home / "Nuage")  # with what is in it
    remember(bed, trash)
    assert refused(os.rename, trash, bed.home / "Nuage/trash")
    os.rename(bed.home, bed.volume / "maison")
    remember(bed, trash)
    assert refused(os.rename, trash, bed.volume / "maison/Nuage/trash")


def test_no_other_way_to_the_tree_of_folders_goes_past_it(bed: GateBed, tmp_path: Path) -> None:
    inner = folder(bed.outside / "inner")
    remember(bed, inner)
    move = "import os, sys; os.rename(sys.argv[1], sys.argv[2])"
    as_user = ["setpriv", f"--reuid={USER}", f"--regid={USER}", "--clear-groups"]
    for before in (as_user, ["unshare", "-m"], [*as_user, "unshare", "-Urm"]):
        done = run([*before, sys.executable, "-I", "-S", "-c", move, inner, bed.cloud / "x"])
        assert b"[Errno 18]" in done.stderr, (before, done.stderr)
    bind, merged, work = tmp_path / "bind", tmp_path / "merged", folder(bed.volume / "work")
    for made in (bind, merged, tmp_path / "lower"):
        made.mkdir()
    subprocess.run(["mount", "--bind", bed.volume, bind], check=True)
    try:
        assert refused(os.rename, bind / inner.relative_to(bed.volume), bind / bed.cloud.relative_to(bed.volume) / "x")
    finally:
        subprocess.run(["umount", bind], check=True)
    # an overlay whose upper layer holds both; what it makes new there it may move
    layers = f"lowerdir={tmp_path / 'lower'},upperdir={bed.volume / 'home'},workdir={work}"
    upper = folder(bed.home / "papers")
    remember(bed, upper)
    if subprocess.run(["mount", "-t", "overlay", "overlay", "-o", layers, merged], check=False).returncode == 0:
        try:
            with pytest.raises(OSError):
                os.rename(merged / "papers", merged / "Cloud/papers")
        finally:
            subprocess.run(["umount", merged], check=True)
    assert (bed.home / "papers").is_dir()
    assert not (bed.cloud / "papers").exists()


def test_it_is_there_as_long_as_anything_is_remembered(bed: GateBed) -> None:
    inner = folder(bed.outside / "inner")
    secret = bed.secret(inner / "letter")
    remember(bed, inner)
    Path("/proc/sys/vm/drop_caches").write_text("2")
    assert refused(os.rename, inner, bed.cloud / "inner")
    killed = bed.board.answerer
    os.kill(killed, signal.SIGKILL)
    assert refused(os.rename, inner, bed.cloud / "inner")
    until(lambda: bed.board.answerer not in (0, killed))
    assert refused(os.rename, inner, bed.cloud / "inner")
    until(lambda: bed.gating.status()["outside"] == "remembered")
    remember(bed, inner)
    name = bed.gating._moves._name
    bpf_moves.remove(name)  # root has taken the name away
    assert refused(os.rename, inner, bed.cloud / "inner")
    killed = bed.board.answerer
    os.kill(killed, signal.SIGKILL)
    until(lambda: bed.gating.status()["outside"] == "asked")
    os.rename(inner, bed.cloud / "inner")
    assert reads(bed.cloud / secret.relative_to(bed.outside)) is None


def test_with_the_gate_it_goes(bed: GateBed) -> None:
    name = bed.gating._moves._name
    held = Moves.of(name)
    assert held is not None
    held.close()
    assert refused(os.rename, bed.outside, bed.cloud / "outside")
    bed.gating.close()
    assert not os.path.lexists(name)
    # the last descriptors of the killed close a moment after
    until(lambda: not refused(os.rename, bed.outside, bed.cloud / "outside"))


def test_left_behind_it_stays_until_the_next_agent_sweeps(bed: GateBed) -> None:
    name = bed.gating._moves._name
    assert bpf_moves.name_of(bed.gating._moves._socket_path) == name[: len(name) - 8]
    bpf_moves.sweep(b"/somewhere/else", b"")
    assert os.path.lexists(name)
    bpf_moves.sweep(bed.gating._moves._socket_path, name)
    assert os.path.lexists(name)
    bpf_moves.sweep(bed.gating._moves._socket_path)
    assert not os.path.lexists(name)


def test_another_folder_is_guarded_from_now_on(bed: GateBed) -> None:
    inner = folder(bed.outside / "inner")
    remember(bed, inner)
    remember(bed, bed.outside)
    bed.gating.guard([Folder(os.fsencode(bed.outside), FolderKind.SYNC)])
    until(lambda: asked(bed, inner / "plain"))
    until(lambda: not refused(os.rename, folder_of(bed, "a"), bed.cloud / "a"))
    assert refused(os.rename, folder_of(bed, "b"), inner / "b")
    assert reads(bed.secret(inner / "letter")) is None


def folder_of(bed: GateBed, name: str) -> Path:
    where = bed.volume / "theirs" / name
    return where if where.exists() else folder(where)


def test_a_hidden_folder_of_a_guarded_home_is_never_remembered(tmp_path: Path) -> None:
    made = GateBed(tmp_path)
    try:
        made.arm(home=True)
        until(lambda: made.gating.status()["outside"] == "remembered")
        hidden = folder(made.home / ".cache")
        plain = made.write(hidden / "plain")
        assert all(asked(made, plain) for _ in range(5))
        os.rename(hidden, made.home / "shown")
        assert asked(made, made.home / "shown/plain")
    finally:
        made.close()


MOVER = """
import os, sys
outside, cloud = sys.argv[1:]
for number in range(300):
    name = outside + "/f" + str(number % 5)
    for one, other in ((name, cloud + "/f"), (outside, cloud + "/f"), (cloud + "/own", outside + "/own"),
                       (outside + "/own", cloud + "/f"), (name, name + "x"), (name + "x", name)):
        try:
            os.rename(one, other)
        except OSError:
            pass
"""
POLLER = """
import os, sys
while os.getppid() != 1:
    try:
        print(open(sys.argv[1], "rb").read())
    except PermissionError:
        print("refused")
    except OSError:
        pass
"""


def test_folders_that_run_about_are_never_read_in_a_guarded_one(bed: GateBed) -> None:
    for number in range(5):
        bed.secret(folder(bed.outside / f"f{number}") / "letter")
        remember(bed, bed.outside / f"f{number}")
    bed.secret(folder(bed.cloud / "own") / "letter")
    python = [sys.executable, "-I", "-S", "-c"]
    poller = subprocess.Popen([*python, POLLER, bed.cloud / "f/letter"], stdout=subprocess.PIPE)
    try:
        subprocess.run([*python, MOVER, bed.outside, bed.cloud], check=True, timeout=120)
    finally:
        poller.kill()
        said = poller.communicate()[0]
    assert said == b""
    assert (bed.outside / "own/letter").exists()
    assert not (bed.cloud / "f").exists()
