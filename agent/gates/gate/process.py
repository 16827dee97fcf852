"""The answerer's process: the thread that answers, and the thread that asks. Ends when its keeper does."""

from __future__ import annotations

import contextlib
import os
import select
import signal
import sys
import threading
import time
from types import FrameType

from agent.gates.gate.answering import Answerer
from agent.gates.gate.board import Board
from agent.gates.gate.fanotify import DENY
from agent.gates.gate.questions import Questions

_SWITCH_S = 0.0005  # the longest that the asking thread computes while somebody waits for the answering one


class _RetiredError(BaseException):
    """Raised in the answering thread while it waits for events; never while it works on some."""


def answer(group: int, board: Board, socket_path: bytes, table: int) -> None:
    """Answer the kernel until told to end, or until the keeper is dead. Raises OSError when the group is gone.

    ``table`` names our table of descriptors.
    """
    sys.setswitchinterval(_SWITCH_S)
    retiring = threading.Event()

    def retire(_signum: int, _frame: FrameType | None) -> None:
        retiring.set()
        if not board.turn & 1:
            raise _RetiredError

    keeper = os.pidfd_open(board.keeper)
    signal.signal(signal.SIGURG, signal.SIG_IGN)
    answerer = Answerer(group, board)
    questions = Questions(answerer, socket_path)
    questions.turn(0.0)  # the settings
    answerer.take_over(same_table=board.owner == table)
    board.owner = table
    board.answerer = os.getpid()
    thread = threading.Thread(target=_ask, args=(questions, answerer), daemon=True)
    thread.start()
    threading.Thread(target=_follow, args=(keeper, os.getpid()), daemon=True).start()
    signal.signal(signal.SIGTERM, retire)
    with contextlib.suppress(_RetiredError):
        answerer.run(retiring.is_set)
    _leave(answerer, orphan=_ended(keeper))


def _ask(questions: Questions, answerer: Answerer) -> None:
    answerer.threads = {threading.get_native_id(), os.getpid()}
    try:
        questions.run()
    except BaseException:
        os._exit(2)  # our own error: a successor takes over what waits


def _follow(keeper: int, own: int) -> None:
    """Without a keeper nobody would replace us: finish what is in hand; the understudy goes on from there."""
    poll = select.poll()
    poll.register(keeper, select.POLLIN)
    poll.poll()
    while True:  # one signal may come at a bad moment
        os.kill(own, signal.SIGTERM)
        time.sleep(0.05)


def _ended(keeper: int) -> bool:
    poll = select.poll()
    poll.register(keeper, select.POLLIN)
    return bool(poll.poll(0))


def _leave(answerer: Answerer, *, orphan: bool) -> None:
    """Finish the batch. Who waits for a verdict is left to the successor of an orphan; at the end of all they are
    refused, for when the group is closed the kernel lets them in.
    """
    for item in answerer.board.unanswered():
        if item.slot < 0:
            answerer.take(item.number, item.thread)
    answerer.board.clear_batch()
    if not orphan:
        for item in answerer.board.unanswered():
            answerer.answer(item.number, DENY, item.slot)
