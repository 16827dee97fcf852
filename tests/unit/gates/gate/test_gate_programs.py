"""Who a program is: the shipped list, names, sandboxes, and what makes one free."""

from __future__ import annotations

import os
import shutil
import subprocess
import time
from pathlib import Path

import pytest

from agent.gates.gate.programs import EXITS, UNKNOWN, Entry, Program, Programs, shipped
from agent.gates.gate.settings import Standing
from agent.gates.gate.verdicts import MOST, Verdicts, settled, written_to

BROWSER, VIEWER = Program("firefox", "browser"), Program("viewer", "local")


@pytest.fixture
def asleep(tmp_path: Path):
    """A program of a given name, waiting."""
    children = []

    def make(name: str, *arguments: object) -> int:
        copy = tmp_path / name
        if not copy.exists():
            shutil.copy("/usr/bin/cat", copy)
        children.append(subprocess.Popen([copy, *map(str, arguments)], stdin=subprocess.PIPE, stdout=subprocess.PIPE))
        children[-1].stdin.write(b"x")
        children[-1].stdin.flush()
        children[-1].stdout.read(1)  # it is what it is now
        return children[-1].pid

    yield make
    for child in children:
        child.kill()
        child.wait()
        child.stdin.close()
        child.stdout.close()


def test_the_shipped_list_is_sound() -> None:
    entries = shipped()
    kinds = {entry.program.kind for entry in entries}
    assert kinds == {*EXITS, "local", "scripts"}
    for entry in entries:
        assert entry.paths or entry.names
        assert all(path.startswith("/") for path in entry.paths)
        # a name frees nobody
        assert entry.program.kind in EXITS or not (entry.names or entry.snaps or entry.flatpaks)
    words = [entry.program.word for entry in entries]
    assert len(words) == len(set(words))
    first_local = next(i for i, entry in enumerate(entries) if entry.program.kind == "local")
    assert all(entry.program.kind not in EXITS for entry in entries[first_local:])  # the stricter word wins


def test_no_program_with_a_connection_of_its_own_is_free() -> None:
    programs = Programs(shipped())
    programs.refresh()
    for name in (
        "curl",
        "wget",
        "ssh",
        "scp",
        "rsync",
        "nc",
        "rclone",
        "busybox",
        "bash",
        "python3",
        "perl",
        "openssl",
    ):
        path = Path("/usr/bin") / name
        if path.exists():
            state = path.stat()
            found = programs.table.get((state.st_dev, state.st_ino, state.st_ctime_ns), UNKNOWN)
            assert found.standing is not Standing.FREE, name


def test_free_is_the_very_file_and_only_when_root_alone_may_write_it(tmp_path: Path) -> None:
    path = tmp_path / "viewer"
    path.write_bytes(b"")
    path.chmod(0o755)
    programs = Programs((Entry(VIEWER, (str(path),)),))
    if os.getuid() == 0:
        assert programs.refresh()
        assert list(programs.table.values()) == [VIEWER]
        path.chmod(0o775)
        assert programs.refresh()
    else:
        programs.refresh()
    assert programs.table == {}


def test_a_replaced_executable_is_another_program(tmp_path: Path) -> None:
    path = tmp_path / "viewer"
    path.write_bytes(b"old")
    programs = Programs((Entry(VIEWER, (str(path),)),), trusted=lambda _state: True)
    programs.refresh()
    before = set(programs.table)
    time.sleep(0.02)
    os.chmod(path, 0o700)  # the same inode, changed
    assert programs.refresh()
    assert set(programs.table).isdisjoint(before)


def test_who_calls_itself_an_exit_is_one(asleep) -> None:
    programs = Programs((Entry(BROWSER, names=("firefox*",)), Entry(VIEWER, ("/usr/bin/cat",))))
    programs.refresh()
    assert programs.identify(asleep("firefox-esr"))[0] == BROWSER
    assert programs.identify(asleep("cat"))[0] == UNKNOWN  # a copy: the name of a free one says nothing


def test_a_script_is_told_by_its_name_and_not_kept(asleep, tmp_path: Path) -> None:
    entries = (Entry(BROWSER, names=("client",)), Entry(Program("scripts", "scripts"), (str(tmp_path / "python"),)))
    programs = Programs(entries)
    script = tmp_path / "client.py"
    script.touch()
    other = asleep("python", "-")
    programs.refresh()
    named = asleep("python", "-", script)
    assert programs.identify(named)[0] == BROWSER
    assert programs.identify(other)[0].standing is Standing.SCRIPTS


@pytest.mark.parametrize(
    ("group", "expected"),
    [
        (b"0::/user.slice/user-1000.slice/user@1000.service/app.slice/snap.firefox.firefox-1a2b.scope\n", BROWSER),
        (b"0::/user.slice/app.slice/app-flatpak-org.mozilla.firefox-4242.scope\n", BROWSER),
        (b"0::/user.slice/app.slice/app-flatpak-io.my\\x2dapp.x-4242.scope\n", Program("dashed", "mail")),
        (b"0::/user.slice/snap.other.other-1a2b.scope\n", None),
        (b"0::/user.slice/app-firefox-12.scope\n", None),
        (b"", None),
    ],
)
def test_sandboxes_say_who_is_in_them(monkeypatch, group: bytes, expected: Program | None) -> None:
    monkeypatch.setattr("agent.gates.gate.programs._read", lambda _path: group)
    programs = Programs((
        Entry(BROWSER, snaps=("firefox",), flatpaks=("org.mozilla.firefox",)),
        Entry(Program("dashed", "mail"), flatpaks=("io.my-app.x",)),
    ))  # fmt: skip
    assert programs._by_sandbox(1) == expected


def test_nobody_is_unknown() -> None:
    assert Programs(()).identify(2**22 + 5) == (UNKNOWN, None)


# ---- verdicts


def test_a_verdict_is_for_a_state_and_a_way() -> None:
    known = Verdicts()
    stamp = (1, 2, 3, 4, 5)
    known.keep(stamp, b"sfirefox", refused=False)
    known.keep(stamp, b"s?", refused=True)
    assert known.refused(stamp, b"sfirefox") is False
    assert known.refused(stamp, b"s?") is True
    assert known.refused((1, 2, 3, 4, 6), b"sfirefox") is None
    known.forget()
    assert known.refused(stamp, b"s?") is None


def test_verdicts_are_bounded() -> None:
    known = Verdicts()
    for number in range(MOST + 10):
        known.keep((0, number, 0, 0, 0), b"s", refused=False)
    assert len(known._known) <= MOST


def test_a_writer_is_seen_also_when_it_has_only_mapped_the_file(tmp_path: Path) -> None:
    import mmap

    path = tmp_path / "file"
    path.write_bytes(b"x" * 8192)
    with path.open("rb") as reading:
        assert written_to(reading.fileno()) is False
        with path.open("r+b") as writing:
            mapped = mmap.mmap(writing.fileno(), 0)
        assert written_to(reading.fileno()) is True
        mapped.close()
        assert written_to(reading.fileno()) is False
        assert not settled((0, 0, 0, 0, time.time_ns()))
        assert not settled((0, 0, 0, 0, time.time_ns() + 10**10))  # of a clock that was wrong
        assert settled((0, 0, 0, 0, time.time_ns() - 10**9))
