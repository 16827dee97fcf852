"""A double click in a real desktop session: Xvfb, a window manager, a file manager, LibreOffice, all of Debian.

The clinician's home, /tmp and /var/tmp lie on one ext4 image; afterwards every byte of that image is looked at. What was
shown, its name and its edits must be nowhere on it but in the sealed file.
"""

from __future__ import annotations

import contextlib
import io
import os
import shutil
import signal
import subprocess
import sys
import tempfile
import zipfile
from collections.abc import Iterator
from pathlib import Path

import pytest

from tests.running import wait_for

pytestmark = [pytest.mark.system, pytest.mark.xdist_group("browsers")]  # one screen at a time
PROGRAMS = ("Xvfb", "xdotool", "openbox", "pcmanfm", "soffice", "dbus-run-session", "update-mime-database", "xdg-open")
SERMENT = Path(sys.executable).parent / "serment"
PATIENT, BORN, EDIT = "EXEMPLE-ZEBRULON", "1er-mars-1961-ZEBRULON", "AJOUT-SOBRIQUET"
NAME = f"{PATIENT} Jeanne.odt"
ODT = b"mimetypeapplication/vnd.oasis.opendocument.text"  # how each document of Writer begins, compressed or not
ICON = ("206", "115")  # of the only file, within the file manager's window


def letter() -> bytes:
    """The least that Writer opens and writes back as its own."""
    spaces = 'xmlns:office="urn:oasis:names:tc:opendocument:xmlns:office:1.0"'
    spaces += ' xmlns:text="urn:oasis:names:tc:opendocument:xmlns:text:1.0" office:version="1.3"'
    body = f"<office:body><office:text><text:p>Mme Jeanne {PATIENT}, {BORN}</text:p></office:text></office:body>"
    entry = '<manifest:file-entry manifest:full-path="{}" manifest:media-type="{}"/>'
    kind = ODT.removeprefix(b"mimetype").decode()
    target = io.BytesIO()
    with zipfile.ZipFile(target, "w") as odt:
        odt.writestr("mimetype", kind)
        odt.writestr("content.xml", f"<office:document-content {spaces}>{body}</office:document-content>")
        names = '<manifest:manifest xmlns:manifest="urn:oasis:names:tc:opendocument:xmlns:manifest:1.0">'
        names += entry.format("/", kind) + entry.format("content.xml", "text/xml")
        odt.writestr("META-INF/manifest.xml", names + "</manifest:manifest>")
    return target.getvalue()


class Desktop:
    """One person in front of a screen. ``disk`` is the image with the home; ``memory`` the folder of the login."""

    def __init__(self, base: Path) -> None:
        self.base, self.disk, self.memory = base, base / "disk.img", base / "memory"
        self.root, self.sealed = base / "root", base / "root/home/Documents/document-7F3KQ.age"
        self.processes: list[subprocess.Popen[bytes]] = []
        self.mounted: list[Path] = []
        self.environment: dict[str, str] = {}

    def start(self) -> None:
        with self.disk.open("wb") as file:
            file.truncate(160 << 20)
        subprocess.run(["mkfs.ext4", "-q", "-F", self.disk], check=True)
        self._mount(["-o", "loop", self.disk], self.root)
        self._mount(["-t", "tmpfs", "-o", "mode=0700,size=300m", "tmpfs"], self.memory)
        for name in ("home/Documents", "tmp", "vartmp", "home/.config", "home/.local/share/mime/packages"):
            (self.root / name).mkdir(parents=True)
        self._programs()
        self._desktop_files()
        read, write = os.pipe()
        self._run(["Xvfb", "-displayfd", str(write), "-screen", "0", "1280x900x24"], pass_fds=[write])
        os.close(write)
        with os.fdopen(read) as numbered:
            self.environment["DISPLAY"] = f":{numbered.readline().strip()}"
        self._seal()

    def _mount(self, words: list[object], place: Path) -> None:
        place.mkdir()
        subprocess.run(["mount", *map(str, words), place], check=True)
        self.mounted.append(place)

    def _programs(self) -> None:
        (self.base / "agent.toml").write_text(
            f'[agent]\ndata_dir = "{self.base}/data"\nruntime_dir = "{self.base}/r"\n[collector]\nurl = "off"\n'
        )
        (self.base / "bin").mkdir()
        command = self.base / "bin/serment"
        command.write_text(f'#!/bin/sh\nexec {SERMENT} "$@" --config {self.base}/agent.toml\n')
        command.chmod(0o755)
        home = self.root / "home"
        self.environment = {
            "HOME": str(home), "XDG_RUNTIME_DIR": str(self.memory), "PATH": f"{self.base}/bin:{os.environ['PATH']}",
            "LANG": "C.UTF-8", "XDG_CURRENT_DESKTOP": "", "USER": "root", "NO_AT_BRIDGE": "1",
        }  # fmt: skip

    def _desktop_files(self) -> None:
        """As packaging/desktop/README.md says, for one person."""
        packaging, share = Path(__file__).parents[2] / "packaging/desktop", self.root / "home/.local/share"
        (share / "applications").mkdir()
        shutil.copy(packaging / "serment-age.xml", share / "mime/packages")
        shutil.copy(packaging / "serment-open.desktop", share / "applications")
        subprocess.run(["update-mime-database", share / "mime"], check=True, capture_output=True)
        choice = "[Default Applications]\napplication/x-age=serment-open.desktop\n"
        choice += "application/vnd.oasis.opendocument.text=libreoffice-writer.desktop\n"
        (self.root / "home/.config/mimeapps.list").write_text(choice)

    def _seal(self) -> None:
        (self.memory / NAME).write_bytes(letter())
        words = [self.base / "bin/serment", "seal", self.memory / NAME, "-o", self.sealed]
        subprocess.run(words, check=True, env=self.environment, capture_output=True)
        (self.memory / NAME).unlink()

    def _run(self, words: list[str], **options: object) -> None:
        done = subprocess.Popen(
            words, env=self.environment, start_new_session=True, stdin=subprocess.DEVNULL, stdout=subprocess.DEVNULL,
            stderr=subprocess.DEVNULL, **options,  # type: ignore[call-overload]
        )  # fmt: skip
        self.processes.append(done)

    def session(self, line: str) -> None:
        """A login: what is temporary lies on the image too, as on a laptop."""
        places = f"mount --bind {self.root}/tmp /tmp && mount --bind {self.root}/vartmp /var/tmp"
        inside = f"openbox & sleep 1; {line} & cat {self.base}/stay"
        if not (self.base / "stay").exists():
            os.mkfifo(self.base / "stay")
        self._run(["unshare", "--mount", "sh", "-c", f"{places} && exec dbus-run-session -- sh -c '{inside}'"])

    def xdotool(self, *words: str) -> str:
        done = subprocess.run(["xdotool", *words], env=self.environment, capture_output=True, text=True, check=False)
        return done.stdout.strip()

    def window(self, name: str) -> str:
        return wait_for(lambda: self.xdotool("search", "--onlyvisible", "--name", name), 90, 0.3).splitlines()[0]

    def double_click(self) -> None:
        self.xdotool("mousemove", "--window", self.window("^Documents$"), *ICON)
        self.xdotool("click", "--repeat", "2", "--delay", "120", "1")

    def write_and_save(self, text: str) -> None:
        """In Writer: a click into the page, some words, Ctrl+S; until the sealed file is another one.

        Its window is there before it listens: what it did not hear is typed again.
        """
        before = self.sealed.stat().st_mtime_ns

        def typed() -> bool:
            self.xdotool("mousemove", "--window", self.window("LibreOffice Writer"), "450", "300", "click", "1")
            self.xdotool("type", "--delay", "40", text + " ")
            self.xdotool("key", "ctrl+s")
            with contextlib.suppress(TimeoutError):
                wait_for(lambda: self.sealed.stat().st_mtime_ns != before, 8)
            return self.sealed.stat().st_mtime_ns != before

        wait_for(typed, 90)

    def close_writer(self) -> None:
        """Ctrl+Q, in a Writer with nothing left to save."""

        def closed() -> bool:
            self.xdotool("key", "ctrl+q")
            with contextlib.suppress(TimeoutError):
                wait_for(lambda: not self.shown(), 10)
            return not self.shown()

        wait_for(closed, 60)

    def shown(self) -> list[Path]:
        folder = self.memory / "serment-open"
        return list(folder.iterdir()) if folder.exists() else []

    def opener(self) -> int:
        """The process of ``serment open --view`` that started Writer, not its second."""
        asked = subprocess.run(
            ["pgrep", "-f", f"open --view.*{self.sealed}"], capture_output=True, text=True, check=True
        )
        pids = [int(pid) for pid in asked.stdout.split()]
        return next(pid for pid in pids if os.getpgid(pid) != pid or os.getsid(pid) != pid)

    def content(self) -> str:
        out = self.memory / "out"
        out.mkdir()
        words = [self.base / "bin/serment", "open", self.sealed, "--to", out]
        subprocess.run(words, check=True, env=self.environment, capture_output=True)
        with zipfile.ZipFile(out / NAME) as odt:
            text = odt.read("content.xml").decode()
        shutil.rmtree(out)
        return text

    def end(self) -> None:
        for process in reversed(self.processes):
            self._end(process)
        self.processes.clear()
        for place in reversed(self.mounted):
            wait_for(
                lambda place=place: subprocess.run(["umount", place], capture_output=True).returncode == 0, 30, 0.3
            )
        self.mounted.clear()

    def _end(self, process: subprocess.Popen[bytes]) -> None:
        """The session and whatever it started: all that has our runtime folder."""
        mark = f"XDG_RUNTIME_DIR={self.memory}".encode()
        for entry in Path("/proc").iterdir():
            try:
                if entry.name.isdigit() and mark in (entry / "environ").read_bytes().split(b"\0"):
                    os.kill(int(entry.name), signal.SIGKILL)
            except (OSError, ProcessLookupError):
                continue
        process.kill()
        process.wait(30)


@pytest.fixture
def desktop() -> Iterator[Desktop]:
    if os.geteuid() != 0:
        pytest.skip("needs root: mounts")
    if lacking := [each for each in PROGRAMS if shutil.which(each) is None]:
        pytest.skip(f"{', '.join(lacking)} not installed: make test-packages")
    base = Path(tempfile.mkdtemp(prefix="serment-desktop-", dir="/var/lib"))  # not in /tmp, which is another one there
    made = Desktop(base)
    try:
        made.start()
        yield made
    finally:
        made.end()
        shutil.rmtree(base)


def on_the_disk(desktop: Desktop) -> dict[bytes, int]:
    """How often each thing that must not be there lies anywhere on the image; the session is over."""
    desktop.end()
    data = desktop.disk.read_bytes()
    assert b"document-7F3KQ.age" in data and b"age-encryption.org/v1" in data
    wanted = (PATIENT.encode(), PATIENT.encode("utf-16-le"), b"EXEMPLE%2DZ", BORN.encode(), EDIT.encode(), ODT)
    return {each: data.count(each) for each in wanted if each in data}


def test_double_click_edit_save_close(desktop: Desktop) -> None:
    desktop.session(f"pcmanfm {desktop.sealed.parent}")
    desktop.double_click()
    desktop.write_and_save(EDIT)
    assert len(desktop.shown()) == 1
    desktop.close_writer()
    assert EDIT in desktop.content() and PATIENT in desktop.content()
    assert os.listdir(desktop.sealed.parent) == [desktop.sealed.name]
    assert on_the_disk(desktop) == {}


def test_the_opener_is_killed_and_writer_goes_on(desktop: Desktop) -> None:
    """kill -9: what is saved afterwards is sealed all the same, and closing takes the document away."""
    desktop.session(f"xdg-open {desktop.sealed}")
    desktop.window("LibreOffice Writer")
    os.kill(desktop.opener(), signal.SIGKILL)
    desktop.write_and_save(EDIT)
    assert len(desktop.shown()) == 1  # Writer has it open
    desktop.close_writer()
    assert EDIT in desktop.content()
    assert on_the_disk(desktop) == {}
