"""``serment open --view`` killed at any moment: what was edited is sealed, and the document does not stay in memory."""

from __future__ import annotations

import os
import random
import signal
import subprocess
import time
from pathlib import Path

import pytest

from tests.system.test_seal_viewing import MARK, Home, home, wait  # noqa: F401 - home is a fixture

pytestmark = pytest.mark.system
KILLS = int(os.environ.get("SERMENT_OPEN_KILLS", "15"))


def killed(process: subprocess.Popen[str]) -> None:
    process.send_signal(signal.SIGKILL)
    process.wait(30)
    for stream in (process.stdout, process.stderr):
        if stream is not None:
            stream.close()


def second_of(pid: int) -> int:
    """The process that stands by for the opener: its child that runs no other program."""
    for entry in Path("/proc").iterdir():
        try:
            parent = (entry / "stat").read_text().rsplit(")", 1)[1].split()[1] if entry.name.isdigit() else ""
            if parent == str(pid) and b"--view" in (entry / "cmdline").read_bytes():
                return int(entry.name)
        except (OSError, IndexError):
            continue
    raise AssertionError("there is no second")


def test_killed_while_the_application_is_open(home: Home) -> None:  # noqa: F811
    """Nothing else is started: the second process saves each edit and takes the document away in the end."""
    path = home.sealed()
    editor = home.application(
        f'touch {home.folder}/ready; while [ ! -e {home.folder}/go ]; do sleep 0.1; done; echo late >> "$1"; sleep 3'
    )
    process = home.start("open", "--view", "--with", editor, str(path))
    wait((home.folder / "ready").exists)
    killed(process)
    (home.folder / "go").touch()
    wait(lambda: home.content(path) == MARK + b"\nlate\n")
    assert len(home.in_memory()) == 1  # the application has it open
    wait(lambda: home.in_memory() == [])
    assert home.plain_copies() == []
    assert [each.name for each in (home.folder / "work").iterdir()] == [path.name]


def test_killed_at_any_moment(home: Home) -> None:  # noqa: F811
    path, drawn = home.sealed(), random.Random(20261122)
    editor = home.application('echo x >> "$1"; sleep 0.5')
    for _ in range(KILLS):
        process = home.start("open", "--view", "--with", editor, str(path))
        time.sleep(drawn.uniform(0, 1.5))
        killed(process)
        wait(lambda: home.in_memory() == [])
    assert home.content(path).startswith(MARK + b"\n")
    assert [each.name for each in (home.folder / "work").iterdir()] == [path.name]
    assert home.plain_copies() == []


def test_the_second_is_killed_first(home: Home) -> None:  # noqa: F811
    path = home.sealed()
    editor = home.application(f'echo x >> "$1"; touch {home.folder}/ready; sleep 2')
    process = home.start("open", "--view", "--with", editor, str(path))
    wait((home.folder / "ready").exists)
    os.kill(second_of(process.pid), signal.SIGKILL)
    said, _ = process.communicate(timeout=60)
    assert process.returncode == 0
    assert "your changes are sealed" in said
    assert home.in_memory() == []


def test_both_are_killed_and_the_next_login_cleans_up(home: Home) -> None:  # noqa: F811
    path = home.sealed()
    editor = home.application(f'echo edited >> "$1"; touch {home.folder}/ready; sleep 300')
    process = home.start("open", "--view", "--with", editor, str(path))
    wait((home.folder / "ready").exists)
    os.kill(second_of(process.pid), signal.SIGKILL)
    killed(process)
    (folder,) = home.in_memory()
    subprocess.run(["fuser", "-k", "-s", str(folder / "document")], check=False)  # the application
    done = home.run("keys", "ready")
    assert done.returncode == 0, done.stderr
    assert "age1" in done.stdout
    assert home.in_memory() == []
    assert {home.content(each) for each in (home.folder / "work").iterdir()} >= {MARK + b"\nedited\n"}
    assert home.plain_copies() == []


def test_both_are_killed_while_the_application_goes_on(home: Home) -> None:  # noqa: F811
    """The next login does not take the folder from under an application: what it saves later is sealed too."""
    path = home.sealed()
    editor = home.application(
        f"touch {home.folder}/ready; while [ ! -e {home.folder}/go ]; do sleep 0.1; done\n"
        f'echo late >> "$1"; touch {home.folder}/done'
    )
    process = home.start("open", "--view", "--with", editor, str(path))
    wait((home.folder / "ready").exists)
    os.kill(second_of(process.pid), signal.SIGKILL)
    killed(process)
    assert home.run("keys", "ready").returncode == 0
    assert len(home.in_memory()) == 1
    (home.folder / "go").touch()
    wait((home.folder / "done").exists)
    time.sleep(0.5)
    assert home.run("keys", "ready").returncode == 0
    assert home.in_memory() == []
    assert {home.content(each) for each in (home.folder / "work").iterdir()} >= {MARK + b"\nlate\n"}
    assert home.plain_copies() == []


def test_names_stay_out_of_the_lists_of_recent_files(home: Home) -> None:  # noqa: F811
    """What GTK and KDE do with each file that is opened; the person's other data is there as ever."""
    share = home.folder / "home/share"
    (share / "fonts").mkdir(parents=True)
    (share / "RecentDocuments").mkdir()
    (share / "recently-used.xbel").write_text("theirs")
    editor = home.application(
        'd="$XDG_DATA_HOME"; echo "$1" > "$d/recently-used.xbel.X"; mv "$d/recently-used.xbel.X" "$d/recently-used.xbel";'
        f' mkdir -p "$d/RecentDocuments"; echo "$1" > "$d/RecentDocuments/x.desktop"; touch "$d/fonts/{os.getpid()}"'
    )
    done = home.run("open", "--view", "--with", editor, str(home.sealed("EXEMPLE Jeanne.txt")))
    assert done.returncode == 0, done.stderr
    assert (share / "recently-used.xbel").read_text() == "theirs"
    assert (share / f"fonts/{os.getpid()}").exists()
    kept = b"".join(each.read_bytes() for each in (home.folder / "home").rglob("*") if each.is_file())
    assert b"EXEMPLE" not in kept
