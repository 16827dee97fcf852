"""``serment open --view``: the document in memory and its application, edits sealed again, nothing left behind."""

from __future__ import annotations

import os
import shutil
import signal
import subprocess
import sys
import time
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path

import pytest

pytestmark = pytest.mark.system
SERMENT = [str(Path(sys.executable).parent / "serment"), "--lang", "en"]
MARK = b"Mme Jeanne EXEMPLE, nee le 1er mars 1961"
NOBODY = 65534


class Home:
    """A person with a home, a desktop and a runtime folder in memory."""

    def __init__(self, folder: Path) -> None:
        self.folder = folder
        self.runtime = Path(f"/dev/shm/serment-test-{os.getpid()}")
        self.runtime.mkdir(mode=0o700)
        (folder / "home").mkdir()
        (folder / "work").mkdir()
        (folder / "agent.toml").write_text(
            f'[agent]\ndata_dir = "{folder}/data"\nruntime_dir = "{folder}/run"\n[collector]\nurl = "off"\n'
        )
        self.environment = os.environ | {
            "HOME": str(folder / "home"), "XDG_RUNTIME_DIR": str(self.runtime), "XDG_DATA_HOME": str(folder / "home/share"),
            "XDG_CONFIG_HOME": str(folder / "home/config"), "XDG_CURRENT_DESKTOP": "", "DISPLAY": "",
        }  # fmt: skip

    def run(self, *words: str, timeout: float = 60) -> subprocess.CompletedProcess[str]:
        return subprocess.run(
            [*SERMENT, *words, "--config", str(self.folder / "agent.toml")], env=self.environment, capture_output=True,
            text=True, timeout=timeout,
        )  # fmt: skip

    def start(self, *words: str) -> subprocess.Popen[str]:
        return subprocess.Popen(
            [*SERMENT, *words, "--config", str(self.folder / "agent.toml")], env=self.environment,
            stdout=subprocess.PIPE, stderr=subprocess.PIPE, text=True,
        )  # fmt: skip

    def sealed(self, name: str = "letter.txt", content: bytes = MARK + b"\n") -> Path:
        plain = self.folder / name
        plain.write_bytes(content)
        target = self.folder / "work" / "document.age"
        done = self.run("seal", str(plain), "-o", str(target))
        assert done.returncode == 0, done.stderr
        plain.unlink()
        return target

    def application(self, text: str, name: str = "editor") -> str:
        path = self.folder / name
        path.write_text("#!/bin/sh\n" + text)
        path.chmod(0o755)
        return str(path)

    def content(self, path: Path) -> bytes:
        out = self.folder / "out"
        shutil.rmtree(out, ignore_errors=True)
        out.mkdir()
        done = self.run("open", str(path), "--to", str(out))
        assert done.returncode == 0, done.stderr
        (found,) = out.iterdir()
        data = found.read_bytes()
        shutil.rmtree(out)
        return data

    def in_memory(self) -> list[Path]:
        folder = self.runtime / "serment-open"
        return sorted(folder.iterdir()) if folder.exists() else []

    def plain_copies(self) -> list[Path]:
        places = [path for root in (self.folder, self.runtime) for path in root.rglob("*") if path.is_file()]
        return [path for path in places if MARK in path.read_bytes()]


@pytest.fixture
def home(tmp_path: Path) -> Iterator[Home]:
    made = Home(tmp_path)
    yield made
    shutil.rmtree(made.runtime, ignore_errors=True)


def wait(condition: object, seconds: float = 30) -> None:
    deadline = time.monotonic() + seconds
    while not condition():  # type: ignore[operator]
        assert time.monotonic() < deadline, "it did not happen"
        time.sleep(0.05)


def test_shown_from_memory_edited_and_nothing_left(home: Home) -> None:
    path = home.sealed()
    os.chmod(path, 0o640)
    editor = home.application(f'grep -q "Jeanne" "$1" && echo added >> "$1"; stat -f -c %T "$1" > {home.folder}/kind')
    done = home.run("open", "--view", "--with", editor, str(path))
    assert done.returncode == 0, done.stderr
    assert "your changes are sealed in the same file" in done.stdout
    assert (home.folder / "kind").read_text() == "tmpfs\n"
    assert home.content(path) == MARK + b"\nadded\n"
    assert path.stat().st_mode & 0o777 == 0o640
    assert os.listdir(home.folder / "work") == ["document.age"]
    assert home.in_memory() == []
    assert home.plain_copies() == []


def test_only_looked_at_is_not_written(home: Home) -> None:
    path = home.sealed()
    before = (path.stat().st_ino, path.read_bytes())
    assert home.run("open", "--view", "--with", "cat", str(path)).stdout == ""
    assert (path.stat().st_ino, path.read_bytes()) == before
    assert home.in_memory() == []


def test_edits_are_sealed_while_the_application_is_open_and_over_kill(home: Home) -> None:
    path = home.sealed()
    editor = home.application('echo first >> "$1"; sleep 300')
    process = home.start("open", "--view", "--with", editor, str(path))
    try:
        wait(lambda: home.content(path) == MARK + b"\nfirst\n")
        (folder,) = home.in_memory()
        with (folder / "document/letter.txt").open("ab") as file:
            file.write(b"second\n")
    finally:
        process.kill()
        process.wait()
    os.utime(folder / "document/letter.txt")
    subprocess.run(["fuser", "-k", "-s", str(folder / "document")], check=False)  # the application: ours, by its folder
    other = home.run("open", "--view", "--with", "true", str(path))
    assert other.returncode == 0, other.stderr
    contents = {home.content(each) for each in (home.folder / "work").iterdir()}
    assert any(b"second" in each for each in contents)
    assert home.in_memory() == []
    assert home.plain_copies() == []


def test_what_is_saved_under_another_name_is_sealed_too(home: Home) -> None:
    path = home.sealed()
    editor = home.application(
        'cd "$(dirname "$1")"; cp "$1" copy.txt; echo x > .~lock.letter.txt#; mv copy.txt new.txt'
    )
    done = home.run("open", "--view", "--with", editor, str(path))
    assert done.returncode == 0, done.stderr
    (other,) = [each for each in (home.folder / "work").iterdir() if each != path]
    assert f"sealed: {other}" in done.stdout
    assert home.content(other) == MARK + b"\n"
    assert home.plain_copies() == []


def test_whoever_has_it_open_is_waited_for_however_long(home: Home) -> None:
    path = home.sealed()
    editor = home.application('sleep 3; echo "after hours" >> "$1"')
    script = (
        "import sys; from agent.ui import viewing; viewing._LONGEST_S = 1.0\n"
        "from agent.ui.cli.main import main; sys.exit(main(sys.argv[1:]))"
    )
    done = subprocess.run(
        [sys.executable, "-c", script, "open", "--view", "--with", editor, str(path), "--config",
         str(home.folder / "agent.toml")], env=home.environment, capture_output=True, text=True, timeout=60,
    )  # fmt: skip
    assert done.returncode == 0, done.stderr
    assert home.content(path) == MARK + b"\nafter hours\n"
    assert home.in_memory() == []


@pytest.mark.parametrize("signum", [signal.SIGTERM, signal.SIGINT, signal.SIGHUP])
def test_log_out_saves_and_cleans(home: Home, signum: int) -> None:
    path = home.sealed()
    editor = home.application(f'echo unsaved >> "$1"; touch {home.folder}/ready; sleep 300')
    process = home.start("open", "--view", "--with", editor, str(path))
    wait((home.folder / "ready").exists)
    (folder,) = home.in_memory()
    process.send_signal(signum)
    process.wait(60)
    subprocess.run(["fuser", "-k", "-s", str(folder / "document")], check=False)
    assert home.content(path) == MARK + b"\nunsaved\n"
    assert home.in_memory() == []
    assert home.plain_copies() == []


def test_handed_over_to_a_process_that_ran_already(home: Home) -> None:
    """The command ends at once, the document stays open elsewhere: it is waited for."""
    path = home.sealed()
    editor = home.application('( exec 3<"$1"; sleep 4; echo late >> "$1" ) >/dev/null 2>&1 &')
    done = home.run("open", "--view", "--with", editor, str(path))
    assert done.returncode == 0, done.stderr
    assert home.content(path) == MARK + b"\nlate\n"
    assert home.in_memory() == []


def test_an_edit_that_cannot_go_back_goes_home(home: Home) -> None:
    path = home.sealed()
    editor = home.application('echo edited >> "$1"')
    subprocess.run(["mount", "--bind", home.folder / "work", home.folder / "work"], check=True)
    try:
        subprocess.run(["mount", "-o", "remount,bind,ro", home.folder / "work"], check=True)
        done = home.run("open", "--view", "--with", editor, str(path))
    finally:
        subprocess.run(["umount", "-l", home.folder / "work"], check=True)
    assert done.returncode == 0, done.stderr
    (saved,) = (home.folder / "home").glob("*.age")
    assert home.content(saved) == MARK + b"\nedited\n"
    assert home.content(path) == MARK + b"\n"
    assert home.in_memory() == []
    assert home.plain_copies() == []


@contextmanager
def nowhere_to_write(home: Home) -> Iterator[None]:
    """Neither the folder of the sealed file nor the home folder takes anything."""
    places = [home.folder / "work", home.folder / "home"]
    try:
        for place in places:
            subprocess.run(["mount", "--bind", place, place], check=True)
            subprocess.run(["mount", "-o", "remount,bind,ro", place], check=True)
        yield
    finally:
        for place in places:
            subprocess.run(["umount", "-l", place], check=False)


def test_a_disk_that_is_full_for_a_while_ends_nothing(home: Home) -> None:
    path = home.sealed()
    editor = home.application(f'echo edited >> "$1"; until [ -e {home.folder}/go ]; do sleep 0.1; done')
    with nowhere_to_write(home):
        process = home.start("open", "--view", "--with", editor, str(path))
        time.sleep(4)
        assert process.poll() is None  # the application has it open
    (home.folder / "go").touch()
    assert process.wait(60) == 0
    assert home.content(path) == MARK + b"\nedited\n"
    assert home.in_memory() == []


def test_an_edit_that_can_be_saved_nowhere_is_said_and_kept(home: Home) -> None:
    path = home.sealed()
    programs = home.folder / "bin"
    programs.mkdir()
    shutil.copy(home.application(f"cat > {home.folder}/said", "zenity"), programs / "zenity")
    home.environment["PATH"] = f"{programs}:{os.environ['PATH']}"
    with nowhere_to_write(home):
        done = home.run("open", "--view", "--notify", "--with", home.application('echo edited >> "$1"'), str(path))
    assert done.returncode == 69
    for said in (done.stderr, (home.folder / "said").read_text()):
        assert "kept in memory" in said
    assert home.run("keys", "ready").returncode == 0
    assert {home.content(each) for each in (home.folder / "work").iterdir()} == {MARK + b"\n", MARK + b"\nedited\n"}
    assert home.in_memory() == []


@pytest.mark.parametrize(
    ("edit", "code"),
    [('cp -p "$1" {0}/before; printf X | dd of="$1" conv=notrunc status=none; touch -r {0}/before "$1"', 0),
     ('echo edited > {0}/elsewhere; ln -sf {0}/elsewhere "$1"', 69)],
)  # fmt: skip
def test_no_edit_is_passed_over(home: Home, edit: str, code: int) -> None:
    """One that puts the time back, and one that cannot be read the usual way."""
    path = home.sealed()
    done = home.run("open", "--view", "--with", home.application(edit.format(home.folder)), str(path))
    assert done.returncode == code, done.stderr
    if code:
        assert "kept in memory" in done.stderr
    else:
        assert home.content(path) == b"X" + MARK[1:] + b"\n"


def test_somebody_else_changed_the_sealed_file_meanwhile(home: Home) -> None:
    path = home.sealed()
    theirs = home.folder / "theirs.age"
    (home.folder / "letter.txt").write_bytes(b"theirs")
    assert home.run("seal", str(home.folder / "letter.txt"), "-o", str(theirs)).returncode == 0
    editor = home.application(f'cp {theirs} {path}; echo mine >> "$1"')
    assert home.run("open", "--view", "--with", editor, str(path)).returncode == 0
    assert home.content(path) == b"theirs"
    (other,) = [each for each in (home.folder / "work").iterdir() if each != path]
    assert home.content(other) == MARK + b"\nmine\n"


def test_the_desktops_choice_of_application(home: Home) -> None:
    if shutil.which("xdg-mime") is None:
        pytest.skip("xdg-utils is not installed")
    path = home.sealed("letter.pdf", b"%PDF-1.4\n" + MARK)
    viewer = home.application(f'printf "%s" "$2" > {home.folder}/seen; [ "$1" = --page ]', "viewer")
    applications = home.folder / "home/share/applications"
    applications.mkdir(parents=True)
    (applications / "viewer.desktop").write_text(
        f"[Desktop Entry]\nType=Application\nName=V\nMimeType=application/pdf;\nExec={viewer} --page %f %i\n"
    )
    (home.folder / "home/config").mkdir()
    (home.folder / "home/config/mimeapps.list").write_text("[Default Applications]\napplication/pdf=viewer.desktop\n")
    done = home.run("open", "--view", str(path))
    assert done.returncode == 0, done.stderr
    assert (home.folder / "seen").read_text().endswith("/document/letter.pdf")
    assert home.in_memory() == []


@pytest.mark.parametrize(
    "name", ["run.sh", "start.desktop", "page.html", "picture.svg", "program", "macro.exe", "x.py"]
)
def test_programs_and_pages_are_not_started(home: Home, name: str) -> None:
    done = home.run("open", "--view", str(home.sealed(name)))
    assert done.returncode == 64
    assert "this kind of file is not opened directly" in done.stderr
    assert home.in_memory() == []


def test_no_application_and_no_key_leave_nothing(home: Home) -> None:
    path = home.sealed()
    done = home.run("open", "--view", "--with", "/nowhere/editor", str(path))
    assert "cannot be started" in done.stderr
    assert home.in_memory() == []
    shutil.move(home.folder / "data", home.folder / "lost")
    assert home.run("seal", str(home.folder / "agent.toml"), "-o", str(home.folder / "x.age")).returncode == 0
    done = home.run("open", "--view", "--with", "cat", str(path))
    assert done.returncode == 65
    assert "somebody else" in done.stderr
    data = bytearray(path.read_bytes())
    data[-1] ^= 1
    path.write_bytes(bytes(data))
    shutil.rmtree(home.folder / "data")
    shutil.move(home.folder / "lost", home.folder / "data")
    assert "damaged or changed" in home.run("open", "--view", "--with", "cat", str(path)).stderr
    assert home.in_memory() == []


def test_a_folder_that_is_not_memory_is_not_used(home: Home, tmp_path: Path) -> None:
    """A runtime folder on a disk, or one that others can read: the system's tmpfs serves instead."""
    path = home.sealed()
    disk = tmp_path / "runtime"
    disk.mkdir(mode=0o700)
    home.environment["XDG_RUNTIME_DIR"] = str(disk)
    editor = home.application(f'echo "$1" > {home.folder}/where')
    assert home.run("open", "--view", "--with", editor, str(path)).returncode == 0
    where = (home.folder / "where").read_text()
    assert where.startswith(("/dev/shm/serment-open-", f"/run/user/{os.getuid()}/"))
    assert not list(disk.iterdir())
    assert not Path(where.strip()).exists()


def test_from_the_desktop_errors_and_phrases_are_in_a_window(home: Home) -> None:
    path = home.sealed()
    programs = home.folder / "bin"
    programs.mkdir()
    window = (
        f'printf "%s\\n" "$@" >> {home.folder}/shown; [ "$1" != --text-info ] || cat > {home.folder}/said\n'
        'echo "un deux trois quatre cinq"'
    )
    shutil.copy(home.application(window, "zenity"), programs / "zenity")
    home.environment["PATH"] = f"{programs}:{os.environ['PATH']}"
    assert home.run("open", "--view", "--notify", "--with", "/nowhere", str(path)).returncode == 69
    assert "cannot be started" in (home.folder / "said").read_text()
    assert "cannot be started" not in (home.folder / "shown").read_text()  # everybody may read arguments
    from agent.crypto.keys import KeyStore

    keys = KeyStore(home.folder / "data/keys")
    keys.protect_with_phrase(os.getuid(), "un deux trois quatre cinq")
    shutil.rmtree(home.folder / "data/keys/practice", ignore_errors=True)
    for each in (home.folder / "data/keys").glob("practice.sealed"):
        each.rename(home.folder / "away")
    done = home.run("open", "--view", "--notify", "--with", f"cp -t {home.folder}/home", str(path))
    keys.lock(os.getuid())
    assert done.returncode == 0, done.stderr
    assert (home.folder / "home/letter.txt").read_bytes() == MARK + b"\n"
    assert "--hide-text" in (home.folder / "shown").read_text()


def test_the_desktop_files_are_what_the_desktop_reads(checkout: Path, tmp_path: Path) -> None:
    if shutil.which("update-mime-database") is None or shutil.which("xdg-mime") is None:
        pytest.skip("shared-mime-info or xdg-utils is not installed")
    packages = tmp_path / "share/mime/packages"
    packages.mkdir(parents=True)
    shutil.copy(checkout / "packaging/desktop/serment-age.xml", packages)
    subprocess.run(["update-mime-database", tmp_path / "share/mime"], check=True, capture_output=True)
    (tmp_path / "without-extension").write_bytes(b"age-encryption.org/v1\n-> X25519 A\n")
    shutil.copy(tmp_path / "without-extension", tmp_path / "document.age")
    for name in ("without-extension", "document.age"):
        asked = subprocess.run(
            ["xdg-mime", "query", "filetype", tmp_path / name], capture_output=True, text=True, check=True,
            env=os.environ | {"XDG_DATA_HOME": str(tmp_path / "share"), "XDG_CURRENT_DESKTOP": ""},
        )  # fmt: skip
        assert asked.stdout.strip() == "application/x-age"
    entry = (checkout / "packaging/desktop/serment-open.desktop").read_text("utf-8")
    (line,) = [line for line in entry.splitlines() if line.startswith("Exec=")]
    options = subprocess.run([*SERMENT, "open", "--help"], capture_output=True, text=True, check=True).stdout
    assert all(word in options for word in line.split() if word.startswith("--"))
