"""``serment open --view``: the document in memory, in its application; edits go back sealed; nothing stays behind.

While the application has the document open, every edit that has come to rest is sealed into the place of the sealed
file, for the same recipients. What an application saved beside it becomes a sealed file of its own. When something
cannot be saved where it belongs it is sealed into the home folder, and if that fails too, the folder in memory stays
and is said: an edit is never thrown away. When this process is killed, its second (``second``) goes on with all that.
"""

from __future__ import annotations

import os
import signal
import subprocess
import time
from types import FrameType

from agent.crypto.header import MAX_HEADER
from agent.crypto.sealed import read_header
from agent.errors import N_, HostError, SermentError
from agent.ui import memory_folder
from agent.ui.applications import command_for, environment, holders
from agent.ui.asked_file import open_file
from agent.ui.key_access import KeyAccess
from agent.ui.memory_folder import MemoryFolder
from agent.ui.printable import printable
from agent.ui.second import Second
from agent.ui.sitting import Sitting, left_over, seal_apart
from agent.ui.terminal import Terminal

_LOOK_S = 0.5  # between two looks at the document
_AGAIN_S = 5.0  # after an edit that could not be saved
_HANDED_OVER_S = 5.0  # a command that ends sooner gave the document to a process that ran already
_LONGEST_S = 12 * 3600.0  # for a program that ran already and shows nothing of the folder; who holds it is waited for


def view(source: bytes, access: KeyAccess, terminal: Terminal, program: str | None) -> int:
    """Show the sealed file ``source`` and wait until it is closed. Raises SermentError, OSError."""
    sweep(access, terminal)
    fd = open_file(source)
    try:
        header = read_header(fd)
        key = access.file_key(os.pread(fd, MAX_HEADER, 0)).key
        folder = memory_folder.make()
        sitting = Sitting(source, key, header, folder, access)
        second = Second(lambda program: _take_over(sitting, folder, program))
        settled = False
        try:
            _sit(sitting, folder, fd, program, second)
            settled = True
        finally:
            cleaned = _cleaned(folder, settled=settled)
            second.dismiss()
            if not cleaned:
                raise _kept(folder)
    finally:
        os.close(fd)
    _say(sitting, terminal)
    return 0


def _sit(sitting: Sitting, folder: MemoryFolder, fd: int, program: str | None, second: Second) -> None:
    document = sitting.open(fd)
    _watch(command_for(document.name, document, folder.scratch, program), sitting, folder, second)
    sitting.save(last=True)
    sitting.save_others()


def _cleaned(folder: MemoryFolder, *, settled: bool) -> bool:
    """Take the folder away unless it holds an edit that is sealed nowhere; whether it went."""
    if not settled and folder.noted() and left_over(folder) != (False, []):
        return False
    folder.remove()
    return True


def _kept(folder: MemoryFolder) -> HostError:
    return HostError(
        N_("an edit could not be saved; it is kept in memory: {path}"), path=printable(str(folder.document)),
        hint=N_("make room, then open any sealed document before you log out: the edit is sealed then"),
    )  # fmt: skip


def _saved(sitting: Sitting, due: float) -> float:
    """Save what has come to rest, once it is ``due`` (monotonic time); returns when to try next.

    A disk that is full may have room later, and the application goes on meanwhile: the last save says what is wrong.
    """
    if time.monotonic() < due:
        return due
    try:
        sitting.save()
    except (SermentError, OSError):
        return time.monotonic() + _AGAIN_S
    return 0.0


def _take_over(sitting: Sitting, folder: MemoryFolder, program: str) -> None:
    """In the second process, the first being dead: the application may still have the document open."""
    sitting.recall()
    begun, due = time.monotonic(), 0.0
    while holders(folder.path, program if time.monotonic() - begun < _LONGEST_S else ""):
        time.sleep(_LOOK_S)
        due = _saved(sitting, due)
    if folder.noted():  # else nobody has seen it yet
        sitting.save(last=True)
        sitting.save_others()
    _cleaned(folder, settled=True)


def _say(sitting: Sitting, terminal: Terminal) -> None:
    if sitting.saved and not sitting.elsewhere:
        terminal.line(terminal.translate(N_("your changes are sealed in the same file")))
    for path in sitting.elsewhere:
        terminal.line(terminal.translate(N_("sealed: {path}")).format(path=printable(path)))


class _StopAskedError(Exception):
    """Log-out, Ctrl-C: save and clean."""


def _watch(words: list[str], sitting: Sitting, folder: MemoryFolder, second: Second) -> None:
    """Run the application until nobody has the document open any more."""

    def stop(_signum: int, _frame: FrameType | None) -> None:
        raise _StopAskedError

    before = {each: signal.signal(each, stop) for each in (signal.SIGTERM, signal.SIGHUP, signal.SIGINT)}
    begun, due = time.monotonic(), 0.0
    try:
        try:
            child = subprocess.Popen(
                words, cwd=folder.document, env=environment(folder.scratch), umask=0o077, start_new_session=True,
                stdin=subprocess.DEVNULL, stdout=subprocess.DEVNULL, stderr=subprocess.DEVNULL,
            )  # fmt: skip
        except OSError as error:
            raise HostError(
                N_("the application cannot be started: {why}"), hint=N_("name one: --with PROGRAM"), why=error.strerror
            ) from error
        handed_over = ""
        while time.monotonic() - begun < _LONGEST_S or holders(folder.path, "", second.pid):
            time.sleep(_LOOK_S)
            due = _saved(sitting, due)
            if child.poll() is None:
                continue
            if not handed_over and time.monotonic() - begun < _HANDED_OVER_S:
                handed_over = os.path.basename(words[0])
                second.tell(handed_over)
            if not holders(folder.path, handed_over, second.pid):
                return
    except _StopAskedError:
        return
    finally:
        for each, handler in before.items():
            signal.signal(each, handler)


def sweep(access: KeyAccess, terminal: Terminal) -> None:
    """What a crash left in memory: edits are sealed, then the folder goes; not while an application still has it open.

    Raises nothing that stops the command.
    """
    for folder in memory_folder.abandoned():
        if holders(folder.path, ""):
            folder.release()
            continue
        try:
            noted = folder.noted()
            edited, names = left_over(folder) if noted else (False, [])
            names += [os.fsencode(noted["name"])] if edited else []
            for path in seal_apart(folder, names, os.fsencode(noted.get("source", "/")), access):
                text = terminal.translate(N_("an edit that was not saved is sealed: {path}"))
                terminal.line(text.format(path=printable(path)))
            folder.remove()
        except (OSError, SermentError):
            folder.release()  # it stays for the next time
