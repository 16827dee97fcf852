"""The helper's one loop: hears the agent, the desktop and its own windows, and brings them together.

Sleeps until one of them has something: no timer runs while nothing is due. The agent is asked for everything that
matters; nothing here lets a document go.
"""

from __future__ import annotations

import contextlib
import select
import sys
import time
from collections.abc import Mapping
from pathlib import Path
from typing import Any

from agent.daemon import systemd
from agent.errors import N_, SermentError
from agent.helper import outbox, terminals
from agent.helper.agent_link import AgentLink
from agent.helper.board import REMIND_S, Board
from agent.helper.bus import Bus, BusError, Came
from agent.helper.memory import Memory
from agent.helper.menu import Entry
from agent.helper.months import tell_month
from agent.helper.panel import Panel
from agent.helper.replies import Replies
from agent.helper.saying import Voice, shown
from agent.helper.session import environment
from agent.helper.state import state_of
from agent.i18n import catalogue

AGAIN_S = 1.0  # a batch that grows is told anew at most so often
BUS_NAME, BUS_PATH = "org.serment.Helper", "/org/serment/Helper"
MENU = ("open", "held", "emergency", "tour")  # what ``serment-helper --show`` takes: the entries of the shield's menu
REST_S = 20.0  # so long after something happened, what was needed for it is given back
SWEEP_S = 3600.0  # while attachments lie in their folder, how often it is looked for what is a day old
CONNECT_S = (1.0, 2.0, 5.0, 10.0, 30.0)
_SEEN = 500
_COMMAND = [sys.executable, "-m", "agent.ui.cli.main"]
_OWN = {"tour": "tour", "waiting": "held", "month": "open"}  # what a click on a notice of ours does


class Helper:
    """``run`` until the session ends. ``bus`` is None where there is no desktop."""

    def __init__(
        self, link: AgentLink, bus: Bus | None, system: Bus | None, memory: Memory, language: str, config: Path | None
    ) -> None:
        self._link, self._bus, self._system, self._memory = link, bus, system, memory
        self._language, self._config = language, config
        self._board = Board(bus, system, Voice(language, catalogue(language).gettext))
        self._replies = Replies(link, self._board, bus, memory)
        self._panel = Panel(bus, self._chosen) if bus is not None else None
        self._seen: dict[int, tuple[int, str]] = {}  # number of a notice → count and result that were told
        self._lessons: dict[int, bool] = {}
        self._lines: dict[tuple[int, str], float] = {}  # what was told on which terminal, when
        self._since: float | None = None
        self._release = ""
        self._fetched_at = 0.0
        self._due: dict[str, float] = {"connect": 0.0, "sweep": 0.0, "rest": time.monotonic() + REST_S}
        self._left = 0  # bytes that were resident after the last rest
        self._tries = 0
        self._running = True

    # ---- the loop

    def run(self) -> None:
        """Until the bus of the session is gone."""
        if self._panel is not None:
            self._panel.register()
        if self._bus is not None:
            with contextlib.suppress(BusError):
                self._bus.own(BUS_NAME)
        systemd.notify("READY=1")
        while self._running:
            for source in self._wait():
                self._safely(source)
                self._due["rest"] = time.monotonic() + REST_S
            self._act_on_time()

    def _wait(self) -> list[object]:
        sources: dict[int, object] = {}
        link = self._link if self._link.is_open else None
        for source in (self._bus, self._system, self._replies.question, link):
            if source is not None:
                sources[source.fileno()] = source
        times = [*self._due.values(), *([self._board.look_at] if self._board.look_at is not None else [])]
        poll = select.poll()
        for fd in sources:
            poll.register(fd, select.POLLIN | select.POLLHUP)
        wait_ms = max(0.0, min(times) - time.monotonic()) * 1000 if times else None
        waiting = [bus for bus in (self._bus, self._system) if bus is not None and bus.has_come()]
        ready = [sources[fd] for fd, _events in poll.poll(0 if waiting else wait_ms)]
        return [*waiting, *(source for source in ready if source not in waiting)]

    def _safely(self, source: object) -> None:
        try:
            self._serve(source)
        except BusError:
            if source is self._bus:
                self._running = False  # the session is over
            elif source is self._system:
                self._system = None
        except SermentError as error:
            self._replies.complain(error)

    def _serve(self, source: object) -> None:
        if source is self._link:
            self._heard_agent(self._link.news())
        elif source is self._replies.question:
            self._replies.answered()
        elif isinstance(source, Bus):
            for came in source.arrived():
                with contextlib.suppress(LookupError, TypeError, ValueError):  # anybody in the session may call us
                    self._heard_bus(came)

    def _act_on_time(self) -> None:
        now = time.monotonic()
        if self._board.look_at is not None and self._board.look_at <= now:
            self._board.show()
        for what in [what for what, when in self._due.items() if when <= now]:
            del self._due[what]
            try:
                {"connect": self._connect, "fetch": self._fetch, "rest": self._rest, "sweep": self._sweep}[what]()
            except SermentError as error:
                self._replies.complain(error)
            except BusError:
                continue

    def _rest(self) -> None:
        """Nothing has happened for a while: memory goes back, when there is some."""
        from agent.daemon import at_rest

        if at_rest.resident() - self._left >= at_rest.GROWN // 4:
            at_rest.give_back()
            self._left = at_rest.resident()

    # ---- the agent

    def _connect(self) -> None:
        status = self._asked_status() if self._link.open() else None
        if status is None:
            self._due["connect"] = time.monotonic() + CONNECT_S[min(self._tries, len(CONNECT_S) - 1)]
            self._tries += 1
            self._show_state(None)
            return
        self._tries = 0
        self._learn(self._link.hello)
        self._show_state(status)
        first = self._since is None
        self._fetch(quietly=first)
        self._replies.tell_progress()  # an answer may have ended while nobody listened
        if first:
            self._greet()
        systemd.notify("STATUS=listening")

    def _asked_status(self) -> Mapping[str, Any] | None:
        """None: it took the connection and does not answer, as one that is just being started or stopped."""
        try:
            return dict(self._link.call("status"))
        except SermentError:
            self._link.close()
            return None

    def _learn(self, hello: Mapping[str, Any]) -> None:
        self._release = str(hello["release"])
        translate = catalogue(self._language).gettext
        self._board.voice = Voice(self._language, translate, hello["texts"], hello["lessons"])

    def _greet(self) -> None:
        """At the beginning of a session: the tour once, what waits, the month that is over."""
        board = self._board
        if self._memory.tour_due():
            board.put("tour", board.own("tour-title", board.voice.text("tour"), "tour"))
        count = sum(batch["count"] for batch in self._link.call("held", own=True))
        if count:
            board.put("waiting", board.own("waiting-title", board.counted(count), "show"))
        tell_month(self._link, self._memory, board)

    def _sweep(self) -> None:
        """No attachment stays for longer than its day, however long the session is."""
        if outbox.sweep():
            self._due["sweep"] = time.monotonic() + SWEEP_S

    def _heard_agent(self, words: frozenset[str]) -> None:
        if "gone" in words:
            self._due["connect"] = time.monotonic() + CONNECT_S[0]
            self._show_state(None)
            return
        if words & {"notices", "answers"}:
            self._due["fetch"] = max(time.monotonic(), self._fetched_at + AGAIN_S)
        if "answers" in words:
            self._sweep()
            self._replies.tell_progress()
        if "status" in words:
            self._link.refresh()
            self._learn(self._link.hello)
            self._show_state(self._link.call("status"))

    def _fetch(self, *, quietly: bool = False) -> None:
        """The person's notices; ``quietly``: they are old news."""
        news = self._link.call("helper.news")
        self._fetched_at = time.monotonic()
        if news["since"] != self._since:
            self._since = news["since"]
            self._seen.clear()
            self._board.anew()
        if news["release"] != self._release:
            self._link.refresh()
            self._learn(self._link.hello)
        for notice in news["notices"]:
            told, number = (notice["count"], notice["result"]), notice["number"]
            before = self._seen.get(number)
            if told == before or notice["result"] == "examining":
                continue
            self._seen[number] = told
            if not quietly:
                self._tell(notice, again=before is not None)
        while len(self._seen) > _SEEN:
            del self._seen[next(iter(self._seen))]
        self._board.show()
        if not quietly:
            tell_month(self._link, self._memory, self._board)

    def _tell(self, notice: dict[str, Any], *, again: bool) -> None:
        """``again``: a batch that was told of has grown."""
        number = notice["number"]
        if not again:
            self._lessons[number] = bool(notice["rule"]) and self._memory.lesson_due(notice["rule"])
        if notice["terminal"]:
            self._tell_terminal(notice)
        notice["lesson"] = self._lessons.get(number, False)
        while len(self._lessons) > _SEEN:
            del self._lessons[next(iter(self._lessons))]
        self._board.tell(f"n{number}", notice)

    def _tell_terminal(self, notice: dict[str, Any]) -> None:
        """One line a batch and terminal; again when the batch goes on for minutes."""
        key, now = (notice["number"], notice["terminal"]), time.monotonic()
        if now - self._lines.get(key, now - REMIND_S) >= REMIND_S:
            self._lines[key] = now
            terminals.write(notice["terminal"], self._line(notice))
            while len(self._lines) > _SEEN:
                del self._lines[next(iter(self._lines))]

    def _line(self, notice: dict[str, Any]) -> str:
        said = shown({**notice, "offers": []}, self._board.voice)
        later = self._board.voice.translate(N_("See: serment held")) if notice["offers"] else ""
        return "serment: " + " ".join([said.title + ".", said.body.replace("\n", " "), later]).strip()

    # ---- the desktop

    def _heard_bus(self, came: Came) -> None:
        """A signal or a call, of the desktop or of anybody else in the session."""
        board = self._board
        if came.is_call:
            self._called(came)
        elif board.attention is not None and board.attention.is_about(came):
            board.show()
        elif came.member == "NameOwnerChanged" and came.body[:1] == ("org.freedesktop.Notifications",):
            board.service_changed(there=bool(came.body[2]))
        elif self._panel is not None and self._panel.heard(came):
            return
        elif board.desktop is not None and (pressed := board.desktop.pressed(came)) is not None:
            if not pressed.action:
                board.close(pressed.key)
            elif pressed.key in _OWN:
                self._chosen(_OWN[pressed.key])
            else:
                self._replies.press(pressed.key, pressed.action)

    def _called(self, came: Came) -> None:
        """The panel asks, or ``serment-helper --show``. Every call gets an answer."""
        assert self._bus is not None
        if came.interface == BUS_NAME and came.member == "Show" and came.body[:1] and came.body[0] in MENU:
            self._bus.answer(came)
            self._chosen(came.body[0])
        elif self._panel is None or not self._panel.heard(came):
            self._bus.refuse(came)

    def _show_state(self, status: Mapping[str, Any] | None) -> None:
        """The shield, and its menu."""
        if self._panel is None:
            return
        translate, voice = self._board.voice.translate, self._board.voice
        word, detail = state_of(status, translate)
        said = voice.text(word)
        entries = [Entry("", f"{said} — {detail}" if detail else said)]
        if status is not None:
            entries += [
                Entry("open", translate(N_("What Serment did"))),
                Entry("held", translate(N_("What waits for my answer"))),
                Entry("emergency", translate(N_("Emergency…"))),
                Entry("tour", translate(N_("See what Serment does"))),
            ]
        with contextlib.suppress(BusError):
            self._panel.show(word, f"Serment — {said}", detail, entries)

    def _chosen(self, word: str) -> None:
        """An entry of the shield's menu."""
        try:
            if word == "open":
                self._start("audit", "review", "--page")
            elif word == "tour":
                self._start("tour", "--window")
            elif word == "held":
                self._replies.ask_batch()
            elif word == "emergency":
                self._replies.ask_emergency()
        except SermentError as error:
            self._replies.complain(error)

    def _start(self, *words: str) -> None:
        config = ["--config", str(self._config)] if self._config else []
        outbox.start([*_COMMAND, "--lang", self._language, *words, *config], environment(self._bus))
