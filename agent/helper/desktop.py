"""Notices on the desktop: org.freedesktop.Notifications (Desktop Notifications Specification 1.2).

Owns which notification shows which notice. A signal counts only when the notification service itself sent it: another
program of the session could otherwise press our buttons. Text is plain here; markup is escaped as the service reads it.
"""

from __future__ import annotations

from dataclasses import dataclass

from agent.helper.bus import Bus, BusError, Came

_NAME = "org.freedesktop.Notifications"
_PATH = "/org/freedesktop/Notifications"
_BY_PERSON = 2  # why a notification was closed: by the person
QUIET_S, ASKING_S = 10, 30  # how long it is shown: news, and what has buttons
_MOST_ACTIONS = 3
_MARKUP = str.maketrans(
    {"&": "&amp;", "<": "&lt;", ">": "&gt;"}
)  # not html.escape: its table of entities is half a megabyte


@dataclass(frozen=True, slots=True)
class Shown:
    """What a notice says, in plain text. ``actions``: word and label, the safe one first."""

    title: str
    body: str
    actions: tuple[tuple[str, str], ...] = ()
    icon: str = "security-high"
    click: str = ""  # what a click on the notice itself does, in words: some services list it with the buttons

    @property
    def asks(self) -> bool:
        return bool(self.actions)


@dataclass(frozen=True, slots=True)
class Pressed:
    """A person pressed ``action`` of the notice ``key``; empty: they closed it."""

    key: str
    action: str


class Desktop:
    """Raises BusError when there is no notification service."""

    def __init__(self, bus: Bus) -> None:
        self._bus = bus
        self._ids: dict[str, int] = {}  # key of a notice → number of its notification
        self._capabilities: frozenset[str] | None = None
        for member in ("ActionInvoked", "NotificationClosed"):
            bus.listen("", _NAME, member, _PATH)

    def show(self, key: str, shown: Shown) -> None:
        """Show it, in the place of what this key showed before."""
        able = self._able()
        body = shown.body.translate(_MARKUP) if "body-markup" in able else shown.body
        actions: list[str] = []
        if shown.asks and "actions" in able:  # a click on the notice itself is « default », and no button
            actions = [
                "default",
                shown.click,
                *(each for pair in shown.actions[:_MOST_ACTIONS] for each in pair),
            ]
        hints = {
            "urgency": ("y", 1), "desktop-entry": ("s", "serment-helper"), "category": ("s", "transfer"),
        }  # fmt: skip
        wait_ms = 1000 * (ASKING_S if shown.asks else QUIET_S)
        answer = self._bus.call(
            _NAME, _PATH, _NAME, "Notify", "susssasa{sv}i",
            ("Serment", self._ids.get(key, 0), shown.icon, shown.title, body, actions, hints, wait_ms), gives="u",
        )  # fmt: skip
        self._ids[key] = int(answer[0])

    def take_away(self, key: str) -> None:
        """It is answered, or no longer so."""
        number = self._ids.pop(key, 0)
        if number:
            try:
                self._bus.call(_NAME, _PATH, _NAME, "CloseNotification", "u", (number,), start=False)
            except BusError:
                return

    def is_shown(self, key: str) -> bool:
        """Whether it is on the screen, as far as the service said."""
        return key in self._ids

    def is_there(self) -> bool:
        """Whether there is a notification service, whatever it answers."""
        return bool(self._bus.owner(_NAME))

    def inhibited(self) -> bool:
        """Whether the person asked the desktop for silence (a presentation, « do not disturb »)."""
        try:
            return bool(self._bus.get(_NAME, _PATH, _NAME, "Inhibited"))
        except BusError:  # most services have no such property: they keep silent by themselves
            return False

    def pressed(self, came: Came) -> Pressed | None:
        """What this signal means for a notice of ours, if anything."""
        if came.is_call or came.interface != _NAME or len(came.body) < 2 or came.sender != self._bus.owner(_NAME):
            return None
        number, what = came.body[0], came.body[1]
        key = next((key for key, shown in self._ids.items() if shown == number), None)
        if key is None:
            return None
        if came.member == "ActionInvoked":
            return Pressed(key, str(what)[:40])
        if came.member == "NotificationClosed":
            self._ids.pop(key, None)
            return Pressed(key, "") if what == _BY_PERSON else None
        return None

    def _able(self) -> frozenset[str]:
        if self._capabilities is None:
            able = self._bus.call(_NAME, _PATH, _NAME, "GetCapabilities", gives="as")
            self._capabilities = frozenset(map(str, able[0]))
        return self._capabilities

    def forget(self) -> None:
        """The service is another one now: its numbers and abilities are."""
        self._capabilities = None
        self._ids.clear()
