"""The thread that answers the kernel, and does nothing else: every program of the laptop waits for it.

Takes events from the group; whatever is outside the guarded folders, of our own, of a free program, or already decided
is answered here, at once. The rest gets a slot of the journal and goes to ``questions``. No path is opened here, no
message sent, nothing written to a log; what grows is bounded.
"""

from __future__ import annotations

import contextlib
import os
import select
import stat
import struct
import time
from collections import deque
from collections.abc import Callable
from typing import TYPE_CHECKING

from agent.gates.gate.board import SLOTS, Board, Unanswered
from agent.gates.gate.fanotify import ALLOW, ANSWER, DENY, EVENT, State
from agent.gates.gate.settings import Settings, Standing
from agent.gates.gate.verdicts import Stamp, Verdicts, written_to

if TYPE_CHECKING:
    from agent.gates.gate.folders import Folders, Place

BRISK_S = 100e-6  # after an answer the next opener is looked out for so long: being woken up costs as much
MOST_FOLDERS = 65536  # outside folders that are remembered as seen
UNKNOWN = b"?"


class Waiting:
    """One opener that waits for a verdict. Its descriptor and slot are given back by ``Answerer.settle``, once."""

    __slots__ = (
        "asked", "known_refused", "number", "path", "place", "program", "rules", "since_ns", "slot", "stamp", "thread",
        "way",
    )  # fmt: skip

    def __init__(
        self, number: int, thread: int, slot: int, stamp: Stamp, place: Place, path: bytes, way: bytes,
        program: tuple[int, int, int], since_ns: int, *, known_refused: bool = False,
    ) -> None:  # fmt: skip
        self.number = number
        self.thread = thread
        self.slot = slot
        self.stamp = stamp
        self.place = place
        self.path = path
        self.way = way  # s or d for the kind of folder, then the word of a known program or UNKNOWN
        self.program = program  # State.identity
        self.since_ns = since_ns
        self.known_refused = known_refused  # a reader of it is; who only writes is free all the same
        self.asked = 0  # number of the question
        self.rules = 0  # under which it was asked


class Answerer:
    """``run`` never returns but by an exception; the other methods may be called by the thread that asks."""

    def __init__(self, group: int, board: Board) -> None:
        self.group = group
        self.board = board
        self.work: deque[Waiting] = deque()
        self.outside: deque[bytes] = deque()  # folders that could be ignored
        self.bell = os.eventfd(0, os.EFD_CLOEXEC | os.EFD_NONBLOCK)
        self.verdicts = Verdicts()
        self.threads: set[int] = set()  # our own
        self._seen: set[bytes] = set()
        self._slots = deque(range(SLOTS))
        self._state = State()
        self._program = State()
        self._poll = select.poll()
        self._poll.register(group, select.POLLIN)
        self.use(Settings(), None)

    def use(self, settings: Settings, folders: Folders | None) -> None:
        """From now on; what was held goes on under what it was held for."""
        self.settings = settings
        self.programs = {item[:3]: item[3:] for item in settings.programs}
        self._agent = b"/proc/%d/task/" % settings.agent if settings.agent else b""
        self.folders = folders
        self._seen = set()

    def forget_outside(self) -> None:
        """Folders have moved: all that is ignored is to be learnt anew."""
        self._seen = set()

    # ---- answering

    def run(self, ended: Callable[[], bool]) -> None:
        """Read and answer until ``ended``. Raises OSError when the group is gone."""
        board, batch, group, take = self.board, [self.board.batch], self.group, self.take
        unpack, size = _WHO.unpack_from, EVENT.size
        turn = board.turn | 1  # odd: it works
        brisk, now = False, time.perf_counter  # brisk: the last opener came within a moment of the answer before
        while True:
            board.clear_batch()
            turn += 1
            board.turn = turn
            if ended():
                return
            answered = now()
            if brisk:
                self._look_out(answered + BRISK_S)
            try:
                length = os.readv(group, batch)
            except OSError as error:
                if error.errno in _OF_ONE_FILE:  # the kernel could not open it for us, and refused it
                    continue
                raise
            brisk = now() - answered < BRISK_S
            turn += 1
            board.turn = turn
            for at in range(0, length, size):
                number, thread = unpack(batch[0], at + 16)
                if number >= 0:
                    take(number, thread)
                    board.done(at)

    def _look_out(self, until: float) -> None:
        """For the next opener, awake; whoever has something to do goes first."""
        ready, now, give_way = self._poll.poll, time.perf_counter, os.sched_yield
        while not ready(0) and now() < until:
            give_way()

    def take(self, number: int, thread: int, slot: int = -1) -> None:
        """Answer this event or put it into the waiting line. ``slot``: it has one from before."""
        state, folders = self._state, self.folders
        if folders is None or not state.glance(number) or state.mode & _FORMAT != _REGULAR:
            return self.answer(number, ALLOW, slot)
        place, path = folders.place_of(number, state)
        if place is None:
            self.answer(number, ALLOW, slot)
            folder = path[: path.rfind(b"/")]
            return self._note_outside(folder) if folder not in self._seen else None
        state.look()
        return self._inside(number, thread, slot, place, path)

    def _inside(self, number: int, thread: int, slot: int, place: Place, path: bytes) -> None:
        began = time.monotonic_ns()
        self.board.count("inside")
        program = self._program
        known = program.program_of(thread)
        identity = program.identity if known else _NOBODY
        standing, word = self.programs.get(identity, (None, UNKNOWN))
        if standing is Standing.FREE or (not place.sync and standing in _LOCAL) or self._own(thread):
            return self.answer(number, ALLOW, slot)
        way = (b"s" if place.sync else b"d") + (word if standing is Standing.EXIT else UNKNOWN)
        if not known and not place.sync:
            return self.answer(number, ALLOW, slot)  # threads of the kernel
        stamp = self._state.stamp
        refused = self.verdicts.refused(stamp, way) if standing is not Standing.SCRIPTS else None
        if refused is False and written_to(number) is False:
            self.board.count("cached")
            self.answer(number, ALLOW, slot)
            return self.board.held(time.monotonic_ns() - began)
        if slot < 0:
            if not self._slots:  # more openers of guarded documents than anybody has: not asked about
                self.board.count("fallback")
                return self.answer(number, DENY)
            slot = self._slots.popleft()
            self.board.hold(slot, number, thread)
        self.work.append(
            Waiting(number, thread, slot, stamp, place, path, way, identity, began, known_refused=bool(refused))
        )
        return self.ring()

    def _own(self, thread: int) -> bool:
        """Of the agent or of this process: they judge and seal, and would wait for themselves."""
        return thread in self.threads or bool(self._agent and self._program.of(-100, self._agent + b"%d" % thread))

    def _note_outside(self, folder: bytes) -> None:
        if folder and len(self._seen) < MOST_FOLDERS:
            self._seen.add(folder)
            self.outside.append(folder)
            if len(self.outside) == 1:
                self.ring()

    def ring(self) -> None:
        with contextlib.suppress(OSError):
            os.eventfd_write(self.bell, 1)

    def answer(self, number: int, answer: int, slot: int = -1) -> None:
        """Let it go or refuse it, and give the descriptor back. An opener that was killed needs no answer."""
        try:
            os.write(self.group, ANSWER.pack(number, answer))
        except OSError:
            pass
        if slot >= 0:
            self.board.free(slot)
            self._slots.append(slot)
        os.close(number)

    def settle(self, waiting: Waiting, *, refused: bool) -> None:
        """The verdict on one that waited."""
        self.answer(waiting.number, DENY if refused else ALLOW, waiting.slot)
        if refused:
            self.board.count("refused")
        self.board.held(time.monotonic_ns() - waiting.since_ns)

    def refuse_again(self, waiting: Waiting) -> None:
        """By the verdict that was kept: it is no new refusal."""
        self.board.count("cached")
        self.answer(waiting.number, DENY, waiting.slot)
        self.board.held(time.monotonic_ns() - waiting.since_ns)

    def take_over(self, *, same_table: bool) -> None:
        """Everything that somebody before us has read and not answered; called once, before ``run``.

        Their descriptors are ours too in the same table; otherwise they died with whoever had them, nobody
        can know which files they were, and their openers are refused.
        """
        left = {item.number: item for item in self.board.unanswered()}  # one that has a slot replaces its event
        taken = {item.slot for item in left.values()}
        self._slots = deque(slot for slot in range(SLOTS) if slot not in taken)
        for item in left.values():
            if same_table and _is_open(item.number):
                self.take(item.number, item.thread, item.slot)
            else:
                self._refuse_unseen(item)

    def _refuse_unseen(self, item: Unanswered) -> None:
        with contextlib.suppress(OSError):
            os.write(self.group, ANSWER.pack(item.number, ALLOW if self._own(item.thread) else DENY))
        if item.slot >= 0:
            self.board.free(item.slot)
            self._slots.append(item.slot)


_WHO = struct.Struct("<ii")  # the end of an event: descriptor, thread
_FORMAT, _REGULAR = 0o170000, stat.S_IFREG
_NOBODY = (0, 0, 0)
_LOCAL = {Standing.OTHER, Standing.SCRIPTS}
_OF_ONE_FILE = {6, 13, 19, 26, 116, 1, 2, 23, 24, 12, 5}  # ENXIO, EACCES, ENODEV, ETXTBSY, ESTALE, EPERM, ...


def _is_open(number: int) -> bool:
    try:
        os.fstat(number)
    except OSError:
        return False
    return True
