"""The thread that asks the agent about what waits, keeps its answers, and gives up in time.

Owns the connection to the agent and makes it again when it is lost; what waits is then asked again. Each opener has a
deadline from the moment its event was read, whatever happens to the agent. Also sees to what the answering thread must
not do: new settings, folders that moved, folders to ignore.
"""

from __future__ import annotations

import contextlib
import os
import select
import signal
import socket
import time
from itertools import count

from agent.errors import SermentError
from agent.gates import link
from agent.gates.asking import ONCE, TOKEN, Answer, Ask, Flag, Question, Say
from agent.gates.gate.answering import Answerer, Waiting
from agent.gates.gate.fanotify import State
from agent.gates.gate.folders import Folders
from agent.gates.gate.opener import also_writes, only_writes
from agent.gates.gate.outside import Outside
from agent.gates.gate.renames import Renames
from agent.gates.gate.settings import Settings, decode
from agent.gates.gate.verdicts import settled, written_to

_LOOK_AGAIN_S = 0.01  # whether a writer has finished
_FALLS_ASLEEP_NS = 10**9  # an opener that does not sleep by then reads, as far as anybody knows
_IDLE_S = 1.0  # without an agent: whether there is one again
_TAKEN = 3  # looks at once for who took a name; there is another at the next move
_FORGET_S = 300.0  # ignored folders are learnt anew: root may have given one away
_MOST_IN_FLIGHT = 256
_HELLO = 0  # its number


class Questions:
    def __init__(self, answerer: Answerer, path: bytes) -> None:
        self._answerer = answerer
        self._outside = Outside(answerer)
        self._path = path
        self._socket: socket.socket | None = None
        self._numbers = count(1)
        self._writing: list[Waiting] = []  # somebody still writes to their file
        self._unasked: list[Waiting] = []
        self._asked: dict[int, Waiting] = {}
        self._epoch = -1
        self._renames = Renames()
        self._retry = self._forget_due = 0.0

    def run(self) -> None:
        """Never returns."""
        while True:
            self.turn()

    def turn(self, most_s: float = _FORGET_S) -> None:
        """Wait for something, then do all there is to do."""
        poll = select.poll()
        poll.register(self._answerer.bell, select.POLLIN)
        for fd in (self._socket.fileno() if self._socket else -1, self._renames.fd):
            if fd >= 0:
                poll.register(fd, select.POLLIN)
        ready = dict(poll.poll(self._patience(most_s) * 1000))
        if self._answerer.bell in ready:
            os.eventfd_read(self._answerer.bell)
        self._settings()
        if self._renames.fd in ready:
            self._folders_moved()
        if self._socket is not None and self._socket.fileno() in ready:
            self._receive()
        self._connected()  # also without a question: an agent that has another gate tells this one to end
        self._take_work()
        self._ask()
        self._give_up()
        self._ignore()

    def _patience(self, most_s: float) -> float:
        if self._answerer.work or self._answerer.outside:
            return 0.0
        if self._writing:
            return min(most_s, _LOOK_AGAIN_S)
        if self._unasked or self._asked:
            return min(most_s, 0.05)
        return min(most_s, _IDLE_S if self._socket is None else max(0.0, self._forget_due - time.monotonic()))

    # ---- what is guarded

    def _settings(self) -> None:
        answerer = self._answerer
        if answerer.board.epoch == self._epoch or (found := answerer.board.settings()) is None:
            return
        self._epoch = found[0]
        try:
            settings = decode(found[1])
        except SermentError:  # the agent will write them anew
            return
        before, old = answerer.settings, answerer.folders
        folders = old if old is not None and before.folders == settings.folders and not old.missing else None
        if folders is None:
            folders = Folders(settings.folders, old)
            self._renames.watch(folders)
        self._use(settings, folders)
        if folders.missing:
            self._look_who_is_named(folders)

    def _use(self, settings: Settings, folders: Folders) -> None:
        answerer = self._answerer
        before, old = answerer.settings, answerer.folders
        answerer.use(settings, folders)
        if folders is not old or settings.moves != before.moves:
            self._outside.use(settings.moves, old)
        if settings.rules != before.rules or folders is not old:
            answerer.verdicts.forget()

    def _folders_moved(self) -> None:
        """When a folder was renamed, paths are to be read again, and nothing stays ignored."""
        renamed, any_folder = self._renames.read()
        folders = self._answerer.folders
        if renamed and folders is not None:
            folders.refresh()
            self._learn_anew()
        if any_folder and folders is not None:
            self._look_who_is_named(folders)

    def _look_who_is_named(self, folders: Folders) -> None:
        """Another folder took a guarded one's name: both are guarded. None has it: whoever is made there will."""
        for _ in range(_TAKEN):
            other, nowhere = folders.named()
            if nowhere:  # before the last look, so that nothing is made in between
                self._renames.watch_made(folders)
                other, _ = folders.named()
            if not other:
                return
            folders = Folders(self._answerer.settings.folders, folders)
            self._renames.watch(folders)
            self._use(self._answerer.settings, folders)

    def _learn_anew(self) -> None:
        self._forget_due = time.monotonic() + _FORGET_S
        self._outside.forget()

    def _ignore(self) -> None:
        """Folders outside that stay there: their files need not be asked about."""
        if time.monotonic() >= self._forget_due:
            self._learn_anew()
        if self._answerer.outside:
            self._outside.ignore(self._folders_moved, watched=self._renames.fd >= 0)

    # ---- asking

    def _take_work(self) -> None:
        answerer = self._answerer
        looked_at, self._writing = self._writing, []
        while answerer.work:
            looked_at.append(answerer.work.popleft())
        for waiting in looked_at:
            only_writes = self._only_writes(waiting)
            if only_writes:
                answerer.settle(waiting, refused=False)
            elif only_writes is None and time.monotonic_ns() - waiting.since_ns < _FALLS_ASLEEP_NS:
                self._writing.append(waiting)  # its event comes before it sleeps, and it may be put off in between
            elif waiting.known_refused:
                answerer.refuse_again(waiting)
            elif written_to(waiting.number) is True and not also_writes(waiting.thread):
                self._writing.append(waiting)
            else:
                self._unasked.append(waiting)

    def _only_writes(self, waiting: Waiting) -> bool | None:
        state = State()
        mount = state.mount if state.glance(waiting.number) else 0
        return only_writes(waiting.thread, mount, waiting.place.mount)

    def _ask(self) -> None:
        if not self._unasked or not self._connected():
            return
        room = _MOST_IN_FLIGHT - len(self._asked)
        now, self._unasked = self._unasked[:room], self._unasked[room:]
        for position, waiting in enumerate(now):
            if not self._send(waiting):
                self._unasked = now[position:] + self._unasked
                return

    def _send(self, waiting: Waiting) -> bool:
        waiting.asked = next(self._numbers)
        waiting.stamp, waiting.rules = self._stamp(waiting), self._answerer.settings.rules
        root = waiting.place.folder.root
        identity = b"%d:%d:%d" % waiting.program
        question = Question(
            waiting.asked, Ask.READ, Flag.NONE, 0, waiting.thread, waiting.stamp[2],
            waiting.path[len(waiting.place.prefix) :][:4096], b"\0".join((waiting.way, identity, root)),
        )  # fmt: skip
        try:
            if self._socket is None:
                return False
            link.send(self._socket, question, waiting.number)
        except (BlockingIOError, InterruptedError):
            return False
        except (OSError, ValueError):
            self._lost()
            return False
        self._answerer.board.count("asked")
        self._asked[waiting.asked] = waiting
        return True

    def _stamp(self, waiting: Waiting) -> tuple[int, int, int, int, int]:
        state = State()
        return state.stamp if state.of(waiting.number) else waiting.stamp

    def _connected(self) -> bool:
        if self._socket is not None:
            return True
        now = time.monotonic()
        if now < self._retry:
            return False
        self._retry = now + 0.1
        sock = socket.socket(socket.AF_UNIX, socket.SOCK_SEQPACKET | socket.SOCK_CLOEXEC | socket.SOCK_NONBLOCK)
        try:
            sock.connect(self._path)
            link.send(sock, Question(_HELLO, Ask.HELLO, name=TOKEN, detail=TOKEN))
        except OSError:
            sock.close()
            return False
        self._socket = sock
        return True

    def _lost(self) -> None:
        """The agent is gone, or does not read: whatever it was asked is asked again."""
        if self._socket is not None:
            self._socket.close()
            self._socket = None
        self._unasked = list(self._asked.values()) + self._unasked
        self._asked = {}

    def _receive(self) -> None:
        while self._socket is not None:
            try:
                received = link.receive(self._socket)
            except BlockingIOError:
                return
            except (OSError, SermentError):
                received = None
            if received is None:
                self._lost()
                return
            message, fd = received
            if fd >= 0:
                os.close(fd)
            if isinstance(message, Answer) and message.number == _HELLO and message.say is not Say.RELEASE:
                self._dismissed()
            elif isinstance(message, Answer) and (known := self._asked.pop(message.number, None)):
                self._answered(known, message)

    def _dismissed(self) -> None:
        """Another gate guards the folders: end, the keeper first."""
        for pid in (self._answerer.board.keeper, os.getpid()):
            with contextlib.suppress(ProcessLookupError):
                os.kill(pid, signal.SIGTERM)

    def _answered(self, waiting: Waiting, answer: Answer) -> None:
        stamp, now = waiting.stamp, self._stamp(waiting)
        refused = answer.say is not Say.RELEASE
        anew = waiting.rules != self._answerer.settings.rules
        if not refused and (now != stamp or anew):  # not the file, or not the rules, that it was judged by
            self._unasked.append(waiting)
            return
        if answer.name != ONCE and not anew and now == stamp and settled(stamp) and written_to(waiting.number) is False:
            self._answerer.verdicts.keep(stamp, waiting.way, refused=refused)
        self._answerer.settle(waiting, refused=refused)

    def _give_up(self) -> None:
        settings, now = self._answerer.settings, time.monotonic_ns()
        deadline, patience = now - settings.deadline_ms * 10**6, now - settings.writer_wait_ms * 10**6
        for waiting in [w for w in self._writing if w.since_ns < patience]:
            self._writing.remove(waiting)
            self._fall_back(waiting, refused=True)
        for waiting in [w for w in self._unasked if self._waits_since(w) < deadline]:
            self._unasked.remove(waiting)
            self._fall_back(waiting)
        for number, waiting in [(n, w) for n, w in self._asked.items() if self._waits_since(w) < deadline]:
            del self._asked[number]
            self._fall_back(waiting)

    def _waits_since(self, waiting: Waiting) -> int:
        """From when its deadline runs: from its opening, or from when a reader that was being started meanwhile was
        last said not to be there yet. An agent that is stopped or dead says nothing.
        """
        latest = waiting.since_ns + self._answerer.settings.start_ms * 10**6
        return max(waiting.since_ns, min(self._answerer.board.starting, latest))

    def _fall_back(self, waiting: Waiting, *, refused: bool | None = None) -> None:
        settings = self._answerer.settings
        said = settings.refuse_sync if waiting.place.sync else settings.refuse_documents
        self._answerer.board.count("fallback")
        self._answerer.settle(waiting, refused=said if refused is None else refused)
