"""A real volume under a real airlock, with an agent that decides by marks in the content; everything is undone at the end.

The volume is a loop device (or a folder of a tmpfs), mounted read-only for the user; the airlock gets a detached
writable mount of it and a FUSE connection over the user's path. A hung test cannot hang the suite: after ``patience_s``
the connection is aborted, and every call in it fails.
"""

from __future__ import annotations

import contextlib
import ctypes
import errno
import os
import signal
import socket
import subprocess
import sys
import threading
import time
from collections.abc import Callable, Iterator
from dataclasses import dataclass, field
from pathlib import Path

from agent.gates.asking import Answer, Ask, Done, Flag, Question, Say
from agent.gates.link import receive, send

SECRET = b"SERMENT-SECRET"
SEAL = b"SERMENT-SEAL-ME"
SECRET_NAME = b"secretname"
_READ_AT_MOST = 512 << 20  # a file may be one large hole
_libc = ctypes.CDLL(None, use_errno=True)
_MS_NOSUID, _MS_NODEV, _MS_RDONLY, _MS_REMOUNT, _MS_BIND = 2, 4, 1, 32, 4096


def _check(result: int) -> int:
    if result < 0:
        code = ctypes.get_errno()
        raise OSError(code, os.strerror(code))
    return result


def marked(records: int = 2048) -> bytes:
    """``records`` lines of exactly 1 KiB, each with the secret mark and its number: no mark spans two blocks."""
    return b"".join((b"%s-%08d-" % (SECRET, number)).ljust(1023, b"x") + b"\n" for number in range(records))


@dataclass
class FakeAgent:
    """Refuses content with ``SECRET`` and names with ``SECRET_NAME``; substitutes content with ``SEAL``."""

    path: Path
    questions: list[Question] = field(default_factory=list)
    done: list[Done] = field(default_factory=list)
    hellos: int = 0
    delay_s: float = 0.0
    mute: bool = False
    error: int = errno.EPERM
    dismiss: bool = False
    neutral: Iterator[int] | None = None  # sealed files get a name with the next of these numbers, not the document's
    decide: Callable[[Question, bytes], Answer | None] | None = None

    def __post_init__(self) -> None:
        self._listener: socket.socket | None = None
        self._connections: list[socket.socket] = []
        self.start()

    def start(self) -> None:
        self.path.unlink(missing_ok=True)
        self._listener = socket.socket(socket.AF_UNIX, socket.SOCK_SEQPACKET | socket.SOCK_CLOEXEC)
        self._listener.bind(bytes(self.path))
        self._listener.listen()
        threading.Thread(target=self._accept, args=(self._listener,), daemon=True).start()

    def stop(self) -> None:
        """As killed: every connection and the socket are gone."""
        for each in [self._listener, *self._connections]:
            if each is not None:
                with contextlib.suppress(OSError):
                    each.shutdown(socket.SHUT_RDWR)
                each.close()
        self._connections.clear()

    def _accept(self, listener: socket.socket) -> None:
        with contextlib.suppress(OSError):
            while True:
                connection, _ = listener.accept()
                self._connections.append(connection)
                threading.Thread(target=self._serve, args=(connection,), daemon=True).start()

    def _serve(self, connection: socket.socket) -> None:
        with contextlib.suppress(OSError):
            while (heard := receive(connection)) is not None:
                message, fd = heard
                if isinstance(message, Done):
                    self.done.append(message)
                elif isinstance(message, Question):
                    threading.Thread(target=self._answer, args=(connection, message, fd), daemon=True).start()

    def _answer(self, connection: socket.socket, question: Question, fd: int) -> None:
        try:
            self._decide(connection, question, fd)
        except OSError:
            pass
        finally:
            if fd >= 0:
                os.close(fd)

    def _decide(self, connection: socket.socket, question: Question, fd: int) -> None:
        if question.kind is Ask.HELLO:
            self.hellos += 1
            send(connection, Answer(question.number, Say.REFUSE if self.dismiss else Say.RELEASE))
            return
        self.questions.append(question)
        if question.kind is Ask.TELL:
            return
        content = _whole(fd) if fd >= 0 else b""
        if self.delay_s:
            time.sleep(self.delay_s)
        if self.mute:
            return
        answer = self.decide(question, content) if self.decide else None
        if answer is not None:
            send(connection, answer)
        elif SECRET in content or SECRET_NAME in question.name or SECRET in question.detail:
            send(connection, Answer(question.number, Say.REFUSE, self.error))
        elif SEAL in content:
            sealed = os.memfd_create("sealed", os.MFD_CLOEXEC)
            os.write(sealed, b"age-encryption.org/v1\n" + bytes(byte ^ 0x55 for byte in content))
            name = b"document-%05d.age" % next(self.neutral) if self.neutral else question.name + b".age"
            send(connection, Answer(question.number, Say.SUBSTITUTE, 0, name), sealed)
            os.close(sealed)
        else:
            send(connection, Answer(question.number, Say.RELEASE))

    def asked(self, kind: Ask = Ask.FILE) -> list[tuple[bytes, Flag]]:
        return [(question.name, question.flags) for question in self.questions if question.kind is kind]


def _whole(fd: int) -> bytes:
    parts, offset = [], 0
    while offset < _READ_AT_MOST and (part := os.pread(fd, 1 << 20, offset)):
        parts.append(part)
        offset += len(part)
    return b"".join(parts)


@dataclass
class Bed:
    """``mount`` is the user's path; ``raw`` is the same volume seen from below, for looking only."""

    base: Path
    image: Path | None
    mount: Path
    raw: Path
    agent: FakeAgent
    extra: tuple[str, ...] = ()
    wrapper: tuple[str, ...] = ()
    staging_at: Path | None = None
    process: subprocess.Popen[bytes] | None = None
    connection: int = -1
    fuse_fd: int = -1

    def start(self, patience_s: float = 60.0) -> None:
        known = self.agent.hellos
        self.fuse_fd = os.open("/dev/fuse", os.O_RDWR | os.O_CLOEXEC)
        options = (
            f"fd={self.fuse_fd},rootmode=40000,user_id=0,group_id=0,allow_other,default_permissions,max_read=1048576"
        )
        _check(_libc.mount(b"serment", bytes(self.mount), b"fuse.serment", _MS_NOSUID | _MS_NODEV, options.encode()))
        self.connection = _minor(self.mount)
        medium = _check(_libc.syscall(428, -100, bytes(self.raw), 1 | os.O_CLOEXEC))
        staging = os.open(self.staging_at or self.base / "staging", os.O_RDONLY | os.O_DIRECTORY)
        arguments = ["--fuse-fd", str(self.fuse_fd), "--medium-fd", str(medium), "--socket", str(self.agent.path)]
        arguments += ["--token", "bed", "--mount-point", str(self.mount), "--staging-fd", str(staging), *self.extra]
        try:
            self.process = subprocess.Popen(
                [
                    "setpriv",
                    "--pdeathsig",
                    "KILL",
                    *self.wrapper,
                    sys.executable,
                    "-m",
                    "agent.gates.airlock",
                    *arguments,
                ],
                pass_fds=(self.fuse_fd, medium, staging),
            )
        finally:
            os.close(medium)
            os.close(staging)
        self._timer = threading.Timer(patience_s, self.abort)
        self._timer.daemon = True
        self._timer.start()
        wait_until(lambda: self.agent.hellos > known or self.agent.dismiss)

    def abort(self) -> None:
        with contextlib.suppress(OSError):
            Path(f"{self.base}/connections/{self.connection}/abort").write_text("1")

    def unmount(self) -> int:
        """As an eject does: the exit code of the airlock."""
        assert self.process
        self.agent_fd_closed()
        subprocess.run(["umount", self.mount], check=True, timeout=30)
        return self.process.wait(60)

    def agent_fd_closed(self) -> None:
        if self.fuse_fd >= 0:
            os.close(self.fuse_fd)
            self.fuse_fd = -1

    def kill(self) -> None:
        """The airlock dies; the agent aborts the connection and takes the dead mount away."""
        assert self.process
        self.process.send_signal(signal.SIGKILL)
        self.process.wait()
        self.abort()
        self.agent_fd_closed()
        subprocess.run(["umount", "-l", self.mount], check=True, timeout=30)

    def close(self) -> None:
        self._timer.cancel()
        self.abort()
        self.agent_fd_closed()
        subprocess.run(["umount", "-l", self.mount], check=False, timeout=30, stderr=subprocess.DEVNULL)
        if self.process:
            self.process.kill()
            self.process.wait()

    def listed(self, below: str = "") -> set[str]:
        """Names on the medium itself."""
        return set(os.listdir(self.raw / below))

    def records(self) -> int:
        """Marked records anywhere on the raw medium."""
        subprocess.run(["sync", "-f", self.raw], check=True, timeout=60)
        assert self.image
        return count(self.image, SECRET)


def count(path: Path, needle: bytes) -> int:
    total, tail = 0, b""
    with path.open("rb") as file:
        while part := file.read(1 << 22):
            text = tail + part
            total += text.count(needle)
            tail = text[-(len(needle) - 1) :]
    return total


def wait_until(what: Callable[[], object], timeout_s: float = 20.0) -> None:
    deadline = time.monotonic() + timeout_s
    while not what():
        if time.monotonic() > deadline:
            raise TimeoutError("nothing in time")
        time.sleep(0.01)


def user(
    *command: object, timeout_s: float = 40.0, check: bool = False, **more: object
) -> subprocess.CompletedProcess[bytes]:
    """A program of the user's, bounded."""
    return subprocess.run(
        [str(word) if not isinstance(word, bytes) else word for word in command],
        timeout=timeout_s, check=check, capture_output=True, env={**os.environ, "LC_ALL": "C.UTF-8"}, **more,
    )  # type: ignore[call-overload, no-any-return]  # fmt: skip


def _minor(mount: Path) -> int:
    found = -1
    for line in Path("/proc/self/mountinfo").read_text(encoding="utf-8", errors="surrogateescape").splitlines():
        parts = line.split()
        if parts[4] == str(mount) and " fuse.serment " in line:
            found = int(parts[2].split(":")[1])
    return found


FORMATS = {
    "ext4": ("mkfs.ext4", "-q", "-F", "-E", "lazy_itable_init=0,lazy_journal_init=0"),
    "exfat": ("mkfs.exfat",),
    "ntfs": ("mkfs.ntfs", "-Q", "-q", "-F"),
    "vfat": ("mkfs.vfat", "-F", "32"),
}


@contextlib.contextmanager
def volume(base: Path, kind: str = "ext4", size_mb: int = 64) -> Iterator[tuple[Path | None, Path]]:
    """(image, where it is mounted writable): seen from below."""
    raw = base / "raw"
    raw.mkdir()
    if kind == "tmpfs":
        subprocess.run(["mount", "-t", "tmpfs", "-o", f"size={size_mb}m", "none", raw], check=True)
        image, mount = None, None
    else:
        image = base / "image"
        with image.open("wb") as file:
            file.truncate(size_mb << 20)
        subprocess.run([*FORMATS[kind], str(image)], check=True, stdout=subprocess.DEVNULL, stderr=subprocess.DEVNULL)
        loop = subprocess.run(
            ["losetup", "-f", "--show", image], check=True, capture_output=True, text=True
        ).stdout.strip()
        mount = loop
        try:
            subprocess.run(_mounting(kind, loop, raw), check=True, timeout=30)
        except BaseException:
            subprocess.run(["losetup", "-d", loop], check=False)
            raise
    try:
        yield image, raw
    finally:
        subprocess.run(["umount", "-l", raw], check=False)
        if mount:
            wait_until(
                lambda: subprocess.run(["losetup", "-d", mount], check=False, capture_output=True).returncode == 0
            )


def _mounting(kind: str, loop: str, raw: Path) -> list[str]:
    if kind == "exfat":
        return ["mount.exfat-fuse", loop, str(raw)]
    if kind == "ntfs":
        return ["ntfs-3g", loop, str(raw)]
    if kind == "vfat":
        return ["mount", "-t", "vfat", loop, str(raw)]
    return ["mount", "-t", kind, loop, str(raw)]


@contextlib.contextmanager
def connections(base: Path) -> Iterator[None]:
    """The kernel's list of FUSE connections, for aborting ours; not every machine has it mounted."""
    at = base / "connections"
    at.mkdir()
    subprocess.run(["mount", "-t", "fusectl", "none", at], check=True)
    try:
        yield
    finally:
        subprocess.run(["umount", "-l", at], check=False)


@contextlib.contextmanager
def bed(
    base: Path, kind: str = "ext4", size_mb: int = 64, extra: tuple[str, ...] = (), *, staging_at: Path | None = None,
    wrapper: tuple[str, ...] = (), patience_s: float = 60.0, prepare: Callable[[Path], object] = lambda _raw: None,
) -> Iterator[Bed]:  # fmt: skip
    """``prepare`` is given the medium before the airlock is."""
    (base / "staging").mkdir()
    with connections(base), volume(base, kind, size_mb) as (image, raw):
        prepare(raw)
        mount = base / "stick"
        mount.mkdir()
        _check(_libc.mount(bytes(raw), bytes(mount), None, _MS_BIND, None))
        _check(_libc.mount(None, bytes(mount), None, _MS_REMOUNT | _MS_BIND | _MS_RDONLY, None))
        agent = FakeAgent(base / "gates.sock")
        made = Bed(base, image, mount, raw, agent, extra, wrapper, staging_at)
        try:
            made.start(patience_s)
            yield made
        finally:
            made.close()
            agent.stop()
            subprocess.run(["umount", "-l", mount], check=False, stderr=subprocess.DEVNULL)
