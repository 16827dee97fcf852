"""What is shown to the person, what waits to be, and what they closed.

A notice has a key; news of the same batch replaces what the key shows. Nothing is shown on a locked screen, over a
full-screen window, or while there is no notification service: it waits. What the person closed stays closed. More than
three that come back together are one notice.
"""

from __future__ import annotations

import time
from collections.abc import Mapping
from typing import Any

from agent.errors import N_
from agent.helper.attention import Attention
from agent.helper.bus import Bus, BusError
from agent.helper.desktop import Desktop, Shown
from agent.helper.saying import Voice, shown
from agent.helper.session import environment
from agent.i18n import Count

LOOK_S = 20.0  # whether the full-screen window is gone
REMIND_S = 60.0  # a batch that grows after its notice has gone comes back at most so often
_MOST_AT_ONCE = 3
_KEPT = 500


class Board:
    """``bus`` is None where there is no desktop: then nothing is shown and nothing waits."""

    def __init__(self, bus: Bus | None, system: Bus | None, voice: Voice) -> None:
        self._bus = bus
        self.desktop = Desktop(bus) if bus is not None else None
        self.attention = Attention(bus, system) if bus is not None else None
        self.voice = voice
        self._notices: dict[str, dict[str, Any]] = {}
        self._waiting: dict[str, None] = {}  # keys, the oldest first
        self._closed: set[str] = set()
        self._shown_at: dict[str, float] = {}
        self.look_at: float | None = None  # monotonic time at which ``show`` is to be called again

    def tell(self, key: str, notice: dict[str, Any]) -> None:
        """A notice of the agent, new or grown; shown by the next ``show``."""
        self._keep(key, notice)
        if key not in self._closed:
            self._waiting[key] = None

    def put(self, key: str, what: Shown) -> None:
        """A notice of the helper's own, now."""
        self._keep(key, {"shown": what})
        self._waiting[key] = None
        self._shown_at.pop(key, None)
        self.show()

    def _keep(self, key: str, notice: dict[str, Any]) -> None:
        self._notices[key] = notice
        while len(self._notices) > _KEPT:
            oldest = next(iter(self._notices))
            for table in (self._notices, self._waiting, self._shown_at):
                table.pop(oldest, None)
            self._closed.discard(oldest)

    def own(self, title: str, text: str, button: str = "", icon: str = "security-high") -> Shown:
        """A notice in the helper's own words: of TEXTS."""
        buttons = ((button, self.voice.text(f"button-{button}")),) if button else ()
        return Shown(self.voice.text(title), text, buttons, icon, self.voice.text("button-answer"))

    def counted(self, count: int) -> str:
        """« 3 documents »."""
        return self.voice.translate(N_("{count} {count:document|documents}")).format(count=Count(count))

    def notice(self, key: str) -> Mapping[str, Any]:
        return self._notices.get(key, {})

    def close(self, key: str) -> None:
        """The person has seen it, or answered."""
        self._closed.add(key)
        self._waiting.pop(key, None)

    def anew(self) -> None:
        """The agent numbers its notices from one again: what was closed was another one."""
        self._closed.clear()
        self._shown_at.clear()

    def show(self) -> None:
        """Show what may be shown now; ``look_at`` says when to try again for the rest."""
        self.look_at = None
        if self.desktop is None or self.attention is None:
            self._waiting.clear()
            return
        if not self._waiting or self.attention.locked():
            return  # an unlocking is heard
        if self.desktop.inhibited() or _covered(environment(self._bus).get("DISPLAY", "")):
            self.look_at = time.monotonic() + LOOK_S
            return
        self._show_now(self.desktop)

    def _show_now(self, desktop: Desktop) -> None:
        now = time.monotonic()
        ready = [key for key in self._waiting if self._is_due(desktop, key, now)]
        if len(ready) > _MOST_AT_ONCE:
            ready = self._summed_up(ready)
        for key in ready:
            try:
                desktop.show(key, self._said(key))
            except BusError:
                if desktop.is_there():  # too many at once, or it was too slow: once more
                    self.look_at = now + LOOK_S
                return  # no notification service: it is heard of when it comes
            self._waiting.pop(key, None)
            self._shown_at[key] = now
        if self._waiting:
            self.look_at = now + REMIND_S

    def _is_due(self, desktop: Desktop, key: str, now: float) -> bool:
        """A batch whose notice has gone from the screen comes back only now and then."""
        return desktop.is_shown(key) or now - self._shown_at.get(key, now - REMIND_S) >= REMIND_S

    def _summed_up(self, ready: list[str]) -> list[str]:
        count = sum(self._notices[key].get("count", 1) for key in ready)
        asks = any(self._notices[key].get("offers") for key in ready)
        title, button = ("waiting-title", "show") if asks else ("told-title", "")
        self._keep("waiting", {"shown": self.own(title, self.counted(count), button)})
        for key in ready:
            self._waiting.pop(key, None)
        return ["waiting"]

    def _said(self, key: str) -> Shown:
        notice = self._notices[key]
        own = notice.get("shown")
        return own if isinstance(own, Shown) else shown(notice, self.voice, lesson=bool(notice.get("lesson")))

    def service_changed(self, *, there: bool) -> None:
        """Another notification service, or none."""
        if self.desktop is not None:
            self.desktop.forget()
            if there:
                self.show()


def _covered(display: str) -> bool:
    """Whether a full-screen window is shown on this X display."""
    if not display:
        return False
    from agent.helper.full_screen import full_screen  # with ctypes: for who has a notice to show

    return full_screen(display)
