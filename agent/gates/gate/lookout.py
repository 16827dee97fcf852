"""When to look whether a gate stands still: twice a second while anybody waits or anything moves, else not at all.

Whoever watches a gate (its keeper, the understudy, the agent, the holder) has a lookout of its own. When two looks in a
row found nobody waiting and nothing moved, it sleeps until the kernel says that the next opener waits. It sleeps on the
group only then: while openings follow one another, each of them would wake everybody who sleeps there. Owns nothing.
"""

from __future__ import annotations

import select
import time

from agent.gates.gate.board import Board

TICK_S = 0.5
BACKSTOP_S = 30.0
"""The longest sleep. An opener whose event was read between the last look and the sleep, by an answerer that was
stopped at that very moment, is found after that."""
_SAME_LOOK = 0.8  # of a tick: woken so soon after a look it is not another one


class Lookout:
    """``wait`` until it is time, then ask ``ticks``. One thread's."""

    def __init__(self, board: Board, group: int, tick_s: float = TICK_S) -> None:
        self._board = board
        self._group = group
        self._tick_s = tick_s
        self._queue = select.poll()
        self._queue.register(group, select.POLLIN)
        self._turn, self._ticks = -1, 0
        self._quiet = False
        self._looked_at = 0.0

    def wait(self, *others: int, most_s: float = BACKSTOP_S, restless: bool = False) -> set[int]:
        """Until the next look is due; at once when one of ``others`` is readable, and which of them are.

        ``restless``: look every tick, whatever there was to see.
        """
        poll = select.poll()
        for fd in others:
            poll.register(fd, select.POLLIN)
        if not self._quiet or restless:
            return {fd for fd, _event in poll.poll(min(self._tick_s, most_s) * 1000)}
        poll.register(self._group, select.POLLIN)
        ready = {fd for fd, _event in poll.poll(most_s * 1000)}
        if self._group in ready:
            self._looked_at = 0.0
        return ready - {self._group}

    def ticks(self) -> int:
        """One more look: for how many of them in a row openers have waited and nothing has moved."""
        now = time.monotonic()
        if now - self._looked_at < self._tick_s * _SAME_LOOK:
            return self._ticks
        self._looked_at = now
        turn = self._board.turn
        # it works on a batch, or leaves events in the queue
        due = bool(turn & 1) or self._board.in_hand() or bool(self._queue.poll(0))
        still = turn == self._turn
        # after a sleep: whoever waits now has waited for no tick yet
        self._ticks = self._ticks + 1 if due and still and not self._quiet else 0
        self._quiet = not due and still
        self._turn = turn
        return self._ticks
