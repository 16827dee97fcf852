"""The agent's side of the gate on sync and document folders: starts it, answers it, sees that it lives, says how it is.

Owns the fanotify group (the gate's process has a duplicate: whatever dies, whoever waits stays held until a successor
answers), the shared memory, the gate's process and one thread that watches it. Judging and deciding are the pipeline's
parts; who opens is ``agent.gates.gate.programs``. What a gate asks is answered by ``gate_answers``.
"""

from __future__ import annotations

import contextlib
import errno
import math
import os
import select
import subprocess
import threading
import time
from collections.abc import Callable, Iterable
from dataclasses import replace
from pathlib import Path
from typing import TYPE_CHECKING, Any

from agent.daemon.canary import Canary
from agent.daemon.gate_answers import Answers, Decide, GateDesk
from agent.daemon.gate_marks import Marks
from agent.daemon.gate_moves import GateMoves
from agent.daemon.gate_trace import GateTrace
from agent.daemon.holder_process import HolderProcess
from agent.daemon.holds import GateServer
from agent.daemon.troubles import Troubles
from agent.errors import N_, HostError
from agent.gates.asking import TOKEN
from agent.gates.gate import fanotify
from agent.gates.gate.programs import Programs, shipped
from agent.gates.gate.settings import Folder, Settings, Standing, encode
from agent.model import Place, Strength

if TYPE_CHECKING:
    from agent.daemon.gate_process import GateProcess

CANARY_S = 300.0
FOREIGN_REASON = N_("a program or another machine stands behind this folder: the action follows the write")
UNPROVEN_REASON = N_("a test file that must be held back could be opened here: the action follows the write")


class Gating:
    """``guard`` says what is to be guarded; ``start`` is done by the first call that has something."""

    def __init__(
        self,
        server: GateServer,
        socket_path: Path,
        decide: Decide,
        *,
        command: tuple[str, ...] = (),
        programs: Programs | None = None,
        deadline_ms: int = 5000,
        troubles: Troubles | None = None,
        changed: Callable[[], None] = lambda: None,
        cannot: Callable[[HostError], None] = lambda _error: None,
        holder: HolderProcess | None = None,
        starting: Callable[[], bool] = lambda: False,
    ) -> None:
        """``holder`` has the group too. ``starting``: whether documents wait for a reader that is being started; the
        gate then waits with them. ``changed`` is told when ``described`` would answer otherwise; from any thread,
        it must not wait.
        """
        self._server = server
        self._path = socket_path
        self._trace = GateTrace(socket_path)
        self._moves = GateMoves(socket_path, self._with_moves)
        self._command = command
        self._programs = programs or Programs(shipped())
        self._settings = Settings(agent=os.getpid(), deadline_ms=deadline_ms)
        self._group = self._memory = -1
        self._process: GateProcess | None = None
        self._marks = Marks()
        self._armed: frozenset[bytes] = frozenset()
        self._unproven: frozenset[bytes] = frozenset()
        self._troubles = troubles or Troubles(lambda _word, _state: None)
        self._changed = changed
        self._holder = holder
        self._starting = starting
        self._lock = threading.RLock()
        self._ending = threading.Event()
        self._bell = os.eventfd(0, os.EFD_CLOEXEC | os.EFD_NONBLOCK)
        self._thread: threading.Thread | None = None
        self._canary = Canary()
        self._canary_due = math.inf
        self._proving = False
        self.answers = Answers(decide, self._programs, self._canary, cannot, self._publish, self._lock)
        self._desk = GateDesk(self.answers, self.is_ours)

    # ---- what is guarded

    def guard(self, folders: Iterable[Folder]) -> None:
        """From now on these, and no others. What cannot be guarded is a trouble, never an error."""
        if self._guard(tuple(folders)):
            self._trace.wait_for_end(self._server)
            self._moves.sweep()
            self._canary_due = 0.0
            self._ring()

    def _guard(self, wanted: tuple[Folder, ...]) -> bool:
        """Whether anything changed."""
        with self._lock:
            if wanted == self._settings.folders and (wanted or self._process is not None):
                return False
            self._settings = self._settings._replace(folders=wanted)
            if not wanted and self._process is None:
                self._server.forget(TOKEN)  # a gate of an agent before us has nothing to guard any more
                return True
            try:
                self._begin()
            except OSError as error:
                self._troubles.raise_("gate-unavailable", why=error.strerror or "")
                self._settings = self._settings._replace(folders=())  # tried again at the next look
                return False
            self._troubles.clear("gate-unavailable")
            self._publish()
            self._mark(wanted)
            # not before: a gate of an agent before us is told to end by it
            self._server.expect(TOKEN, self._desk)
            return True

    def policy_changed(self) -> None:
        """What was decided so far counts no more."""
        with self._lock:
            self._settings = self._settings._replace(rules=self._settings.rules + 1)
            self._publish()

    def described(self, place: Place) -> Place:
        """The sync folder with the strength that the gate gives it."""
        if place.root in self._unproven:
            return replace(place, reason=UNPROVEN_REASON)
        if place.root in self._armed:
            return replace(place, strength=Strength.HOLD, mechanism="gate", reason="")
        unsaid = self._process is not None and not self._marks.problem
        return replace(place, reason=FOREIGN_REASON) if unsaid else place

    def _begin(self) -> None:
        if self._process is not None:
            return
        # all that a gate takes, before there is one: an import that waits for its answer might wait for ever
        from agent.daemon import gate_figures  # noqa: F401
        from agent.daemon.gate_process import GateProcess
        from agent.gates.gate import folders  # noqa: F401
        from agent.gates.gate.board import Board

        self._group, self._memory = fanotify.permission_group(), Board.create()
        fork = self._holder.start_gate if self._holder is not None else None
        self._process = GateProcess(self._command, self._path, self._group, self._memory, fork)
        # with vfork(2) the whole interpreter would wait until a child's exec(2) is answered, perhaps by us
        subprocess._USE_VFORK = False  # type: ignore[misc]
        self._programs.refresh()
        self._canary.prepare()
        self._publish()
        self._trace.write()
        if self._holder is not None:
            self._holder.gate(self._path, self._group, self._memory)
        if not self._process.start():
            self._process.end()
            self._close_group()
            raise OSError(errno.EAGAIN, os.strerror(errno.EAGAIN))
        if self._thread is None:
            self._thread = threading.Thread(target=self._watch, name="gating", daemon=True)
            self._thread.start()

    def _mark(self, folders: tuple[Folder, ...]) -> None:
        self._armed = self._marks.set(self._group, folders)
        self._unproven &= self._armed
        if self._marks.problem:
            self._troubles.raise_("gate-folder", why=self._marks.problem)
        else:
            self._troubles.clear("gate-folder")

    def _publish(self) -> None:
        if self._process is None:
            return
        table = [(*who, program.standing, program.word.encode()) for who, program in self._programs.table.items()]
        state = fanotify.State()
        if self._canary.program >= 0 and state.of(self._canary.program):
            table.append((*state.identity, Standing.EXIT, b"canary"))
        self._settings = self._settings._replace(programs=tuple(table))
        self._process.board.publish(encode(self._settings))
        if (session := self._desk.session) is not None:
            session.nudge()

    # ---- answering

    def is_ours(self, pid: int) -> bool:
        """Whether a process belongs to the gate that this agent has started."""
        process = self._process
        return process is not None and process.is_ours(pid)

    # ---- its life

    def _ring(self) -> None:
        os.eventfd_write(self._bell, 1)

    def _wait(self) -> None:
        """Until it is time to look: twice a second while somebody waits, else when there is news."""
        from agent.gates.gate.lookout import BACKSTOP_S

        with self._lock:
            process, session = self._process, self._desk.session
        until = self._canary_due if self._armed and not self._proving else math.inf
        most_s = max(0.0, min(BACKSTOP_S, until - time.monotonic()))
        if process is not None:
            awaited = self._starting() or (session is not None and session.holds)
            process.wait(self._bell, most_s=most_s, restless=awaited)
        else:
            select.select([self._bell], [], [], most_s)
        with contextlib.suppress(BlockingIOError):
            os.eventfd_read(self._bell)

    def _watch(self) -> None:
        while not self._ending.is_set():
            with self._lock:
                if self._process is not None and self._starting():
                    self._process.board.starting = time.monotonic_ns()
                if self._process is not None and not self._process.look_after():
                    self._give_up()
            if time.monotonic() >= self._canary_due and self._armed and not self._proving:
                self._canary_due = time.monotonic() + CANARY_S
                self._proving = True
                threading.Thread(target=self._prove, name="canary", daemon=True).start()
            self._wait()

    def _give_up(self) -> None:
        """Several quick deaths: better open doors than a laptop that stands still; and said aloud."""
        self._close_group()
        self._trace.remove()
        self._troubles.raise_("gate-dead")
        self._changed()

    def _prove(self) -> None:
        """In each folder a marked file must be refused, and a plain one not. Opens files: never on our threads."""
        try:
            failed = frozenset(root for root in self._armed if self._canary.passes(root) is False)
        finally:
            self._proving = False
        with self._lock:
            if self._process is None or self._ending.is_set():  # it ended meanwhile, and that was said
                return
            before, self._unproven = self._unproven, failed & self._armed
            if self._unproven:
                self._troubles.raise_("gate-canary", folders=str(len(self._unproven)))
            else:
                self._troubles.clear("gate-canary")
        if before != self._unproven:
            self._changed()
        if not failed:
            self._moves.begin()

    def _with_moves(self, name: bytes) -> bool:
        """The gate uses the program with that name. False: there is no gate."""
        with self._lock:
            if self._process is None or self._ending.is_set():
                return False
            self._settings = self._settings._replace(moves=name)
            self._publish()
            return True

    # ---- how it is

    def status(self) -> dict[str, Any]:
        """For ``serment status``: times in milliseconds."""
        if self._process is None:
            return {"armed": 0}
        from agent.daemon.gate_figures import figures

        return {"armed": len(self._armed)} | figures(self._process.board, self._canary)

    def close(self, *, hand_back: bool = True) -> None:
        """End the gate: whoever waits for a verdict is refused, then everything may be opened. Or leave it behind, for
        the next agent to replace: until then nobody gets what would have to be judged.
        """
        self._ending.set()
        self._ring()
        if self._thread is not None:
            self._thread.join(30)
        with self._lock:
            if self._process is not None and not hand_back:
                self._settings = self._settings._replace(agent=0)  # our number may be somebody else's tomorrow
                self._publish()
            elif self._process is not None:
                self._process.end()
                self._trace.remove()
            self._close_group(hand_back=hand_back)
            self._canary.close()

    def _close_group(self, *, hand_back: bool = True) -> None:
        if self._holder is not None and hand_back:
            self._holder.release()
        self._armed = self._unproven = frozenset()
        self._marks.close()
        if self._process is not None:
            self._process.close()
        for fd in (self._group, self._memory):
            if fd >= 0:
                os.close(fd)
        self._group, self._memory, self._process = -1, -1, None
        if hand_back:  # not before: what is remembered is so as long as the group is there
            self._settings = self._settings._replace(moves=b"")
            self._moves.end()
