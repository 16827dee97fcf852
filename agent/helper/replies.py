"""The person's answers on their way to the agent: buttons, the window, what became of it.

One window at a time. The agent does what is asked, or refuses; here it is only carried over and told.
"""

from __future__ import annotations

import base64
import contextlib
import os
from collections.abc import Mapping
from typing import Any

from agent.errors import SermentError
from agent.helper import outbox
from agent.helper.agent_link import AgentLink
from agent.helper.board import Board
from agent.helper.bus import Bus
from agent.helper.memory import Memory
from agent.helper.saying import documents, why_kept, word_of
from agent.helper.session import environment
from agent.ui.asking import Answer, Page, Question

_DONE = {"seal": "done-sealed", "mail": "done-mail"}


class Replies:
    """``question`` is the window that is open, if any; it is readable once there is an answer."""

    def __init__(self, link: AgentLink, board: Board, bus: Bus | None, memory: Memory) -> None:
        self._link, self._board, self._bus, self._memory = link, board, bus, memory
        self.question: Question | None = None
        self._asked: dict[str, Any] = {}

    def press(self, key: str, action: str) -> None:
        """A button of the notice ``key``; a click on the notice is « default ». Raises SermentError."""
        notice = self._board.notice(key)
        offers = notice.get("offers", [])
        if action in {"seal", "mail"} and action in offers and notice.get("held"):
            self.give(notice["held"], action)
            self._board.close(key)
        elif offers:
            self.ask(notice)

    def ask(self, notice: Mapping[str, Any]) -> None:
        """Open the window for a notice or a batch."""
        from agent.helper.pages import reason_page

        voice = self._board.voice
        word = word_of(notice)
        why = str(notice.get("message", {}).get(voice.language) or voice.text(word))
        text = f"{documents(notice, voice.translate)}\n{why}"
        page = reason_page(voice.text(f"{word}-title"), text, tuple(notice["offers"]), self._link.hello, voice)
        self._open(page, dict(notice))

    def ask_batch(self) -> None:
        """Open it for what has waited longest. Raises SermentError."""
        waiting = self._link.call("held", own=True)
        if waiting:
            first = waiting[0]
            more = {"held": first["id"], "again": False, "about": "", "result": "done", "message": {}}
            self.ask({**first, **more})

    def ask_emergency(self) -> None:
        """Open the window of break-glass."""
        from agent.helper.pages import emergency_page

        self._open(emergency_page(self._link.hello, self._board.voice), {"what": "emergency"})

    def _open(self, page: Page, asked: dict[str, Any]) -> None:
        if self.question is None:
            with contextlib.suppress(OSError):  # no window can be had: the notice says how else
                self.question, self._asked = Question(page, environment(self._bus)), asked

    def answered(self) -> None:
        """The window was answered or closed. Raises SermentError."""
        from agent.helper.pages import LATER

        question, asked = self.question, self._asked
        assert question is not None
        self.question, self._asked = None, {}
        try:
            answer = question.answer()
        except OSError:
            answer = None
        if answer is None or answer.button == LATER:
            return
        words = {"why": answer.why, "text": answer.text}
        if asked.get("what") == "emergency":
            self._link.call("emergency", channel=answer.button, **words)
        elif answer.button == "emergency":
            self._emergency_for(asked, words)
        elif asked.get("again"):
            self._link.call("answer.again", number=asked["number"], **words)
            said = documents(asked, self._board.voice.translate)
            self._board.put("answer", self._board.own("done-again", said))
        else:
            self.give(asked["held"], answer.button, answer)

    def _emergency_for(self, asked: Mapping[str, Any], words: dict[str, str]) -> None:
        """Open the channel of what is held, and let that go."""
        open_now = self._link.call("helper.news")["emergency"]
        if not any(each["channel"] == asked["channel"] for each in open_now):
            self._link.call("emergency", channel=asked["channel"], **words)
        if asked.get("held"):
            self.give(asked["held"], "emergency")

    def give(self, held: str, how: str, answer: Answer | None = None) -> None:
        """Ask the agent to let a batch go. Raises SermentError."""
        more: dict[str, str] = {} if answer is None else {"why": answer.why, "text": answer.text}
        if how == "mail":
            more["to"] = base64.b64encode(os.fsencode(outbox.folder())).decode("ascii")
        self._link.call("answer", id=held, how=how, whole=True, wait=False, **more)
        self._memory.begin_answer(held, how)  # once it is taken: while another is still at work, it is not

    def tell_progress(self) -> None:
        """What became of the last answer, also of one that was given before this helper began. Raises SermentError."""
        held, how = self._memory.answer()
        if not how:
            return
        progress, board = self._link.call("answer.progress"), self._board
        # else the agent began anew, or another answer was given elsewhere
        ours = progress is not None and progress["id"] == held
        if ours and not progress["over"]:
            return
        self._memory.begin_answer()
        if not ours:
            return
        if progress["done"]:
            board.put("answer", board.own(_DONE.get(how, "done-released"), board.counted(progress["done"])))
        if progress["failed"]:
            text = board.counted(progress["failed"]) + "\n" + why_kept(progress, how, board.voice)
            board.put("failed", board.own("done-failed", text, icon="dialog-warning"))
        paths = [path for each in progress["paths"] if os.path.lexists(path := base64.b64decode(each))]
        if how == "mail" and paths:  # they go with the session
            mail = self._link.hello["mail"]
            outbox.compose(paths, mail["page"], mail["program"], environment(self._bus))

    def complain(self, error: SermentError) -> None:
        """What went wrong, to the person; an agent that is gone shows in the panel."""
        if self._link.is_open:
            said, hint = error.said(self._board.voice.translate)
            text = f"{said}\n{hint}".strip()
            self._board.put("failed", self._board.own("failed-title", text, icon="dialog-warning"))
