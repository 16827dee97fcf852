"""Which folders outside the guarded ones the kernel need not ask about any more, and that they stay outside.

Two kinds: those that nobody but root can move, and, while the kernel refuses that folders are moved into guarded ones
(``bpf_moves``), all that lie outside. Owns the hold on that program. The thread that asks calls it; what is not certain
is not remembered, and asked about each time.
"""

from __future__ import annotations

import contextlib
import os
from collections.abc import Callable

from agent.gates.gate.answering import Answerer
from agent.gates.gate.bpf_hold import Moves
from agent.gates.gate.fanotify import ask_about_all, ignore_folder, keep_in_memory
from agent.gates.gate.folders import Folders, Place, open_outside


class Outside:
    def __init__(self, answerer: Answerer) -> None:
        self._answerer = answerer
        self._moves: Moves | None = None

    def use(self, name: bytes, before: Folders | None) -> None:
        """The answerer's folders are guarded from now on, no more those of ``before``; ``name``: of the program."""
        if self._moves is None or self._moves.name != name:
            self._let_go()
            self._moves = Moves.of(name) if name else None
        folders = self._answerer.folders
        self.forget()  # what was outside may be inside now
        if self._moves is not None and folders is not None:
            try:
                self._moves.guard(place.fd for place in folders.places)
            except OSError:
                self._let_go()
        # not before every label is there: until then nothing new is remembered, and now nothing is from before
        self.forget()
        if self._moves is not None and folders is not None and before is not None and before is not folders:
            self._moves.release(place.fd for place in _gone(before, folders))
        self._answerer.board.note("moves", self._moves is not None)

    def forget(self) -> None:
        """Everything outside is to be learnt anew."""
        ask_about_all(self._answerer.group)
        if self._moves is not None and self._answerer.folders is not None:
            try:
                for place in self._answerer.folders.places:  # or a label would go with an inode that nobody has open
                    keep_in_memory(self._answerer.group, place.fd)
            except OSError:
                self._let_go()
        self._answerer.forget_outside()

    def _let_go(self) -> None:
        """No folder that somebody can move is remembered any more. The program stays as long as its name does."""
        ask_about_all(self._answerer.group)
        if self._moves is not None:
            self._moves.close()
            self._moves = None
            self._answerer.board.note("moves", 0)

    def ignore(self, moved: Callable[[], None], *, watched: bool) -> None:
        """Take the folders that the answerer has seen files of. ``moved`` forgets when a folder has just been moved;
        ``watched``: whether it would know.
        """
        answerer = self._answerer
        while answerer.outside and answerer.folders is not None:
            folder = answerer.outside.popleft()
            with contextlib.suppress(OSError):
                fd = open_outside(folder, answerer.folders, held=watched and self._moves is not None)
                if fd >= 0:
                    try:
                        ignore_folder(answerer.group, fd)
                    finally:
                        os.close(fd)
                    answerer.board.count("ignored")
                    moved()  # while it was looked at


def _gone(before: Folders, folders: Folders) -> list[Place]:
    kept = {_inode(place) for place in folders.places}
    return [place for place in before.places if _inode(place) not in kept]


def _inode(place: Place) -> tuple[int, int]:
    state = os.fstat(place.fd)
    return state.st_dev, state.st_ino
