"""Break-glass: one person, one channel, minutes. Never silent, never for good.

Its beginning is in the audit log, durably, before anything may go by it; its end is a record too, and so is each
document that goes. The policy says how long and how often; the end is the machine's clock's (``passes``). It works
offline: nothing here asks anybody.
"""

from __future__ import annotations

import contextlib
import threading
import time
from typing import Any

from agent.audit.record import Kind
from agent.daemon.children import login_and_groups
from agent.daemon.clinician.passes import EMERGENCY, Pass
from agent.daemon.clinician.reach import Reach, administrator, reason_of
from agent.errors import N_, HostError, SermentError, UsageError
from agent.i18n import LANGUAGES, Count, catalogue
from agent.model import ChannelKind
from agent.policy.answers import TEXTS

CHANNELS = (ChannelKind.REMOVABLE, ChannelKind.CLOUD_SYNC)


class Emergencies:
    """``call`` and ``stop`` for a person, ``sweep`` from the main loop."""

    def __init__(self, reach: Reach) -> None:
        self._reach = reach
        self._lock = threading.Lock()

    def call(self, uid: int, arguments: dict[str, Any]) -> dict[str, Any]:
        """Open one for ``uid``. Raises UsageError: no reason, unknown channel, too long; HostError: too often, already
        open, or it cannot be recorded.
        """
        channel = str(arguments.get("channel", ""))
        if channel not in CHANNELS:
            raise UsageError(N_("an emergency is for one of: {words}"), words=", ".join(CHANNELS))
        why, text = reason_of(self._reach.answers, arguments)
        with self._lock:
            minutes = self._allowed(uid, channel, arguments.get("minutes"))
            fields = {"state": "begun", "minutes": minutes, "why": why, "reason_length": len(text)}
            begun = self._begin(uid, channel, fields, text)
        self._reach.judge_anew()
        self._tell(uid, ("emergency-on", "emergency-note"), channel, time=self._until(begun))
        return self.shown(begun)

    def _begin(self, uid: int, channel: str, fields: dict[str, Any], text: str) -> Pass:
        """Counted, recorded, granted: in this order. Raises HostError: nothing is open then."""
        passes = self._reach.passes
        try:
            called = passes.call(Pass("", EMERGENCY, uid, channel, 0.0, ""))
            self._record(uid, called, fields, text)
            return passes.grant(called, fields["minutes"] * 60)
        except OSError as error:
            raise HostError(
                N_("an emergency that cannot be written down is not opened: {why}"), why=error.strerror or "",
                hint=N_("is the disk full? The secure mail still works"),
            ) from error  # fmt: skip

    def _allowed(self, uid: int, channel: str, untrusted_minutes: object) -> int:
        limits, passes = self._reach.answers.emergency, self._reach.passes
        if any(each.channel == channel for each in passes.active(uid)):
            raise HostError(N_("an emergency is open already"), hint=N_("it ends by itself: serment emergency"))
        if passes.called(uid) >= limits.a_day:
            raise HostError(
                N_("an emergency can be called {count} {count:time|times} in 24 hours, and was"),
                count=Count(limits.a_day),
                hint=N_("ask the administrator of this laptop, or send the document by secure mail"),
            )  # fmt: skip
        if untrusted_minutes is None:
            return limits.minutes
        if type(untrusted_minutes) is not int or not 1 <= untrusted_minutes <= limits.minutes:
            raise UsageError(N_("an emergency lasts 1 to {limit} {limit:minute|minutes}"), limit=Count(limits.minutes))
        return untrusted_minutes

    def stop(self, uid: int) -> list[dict[str, Any]]:
        """End the own ones before their time."""
        stopped = [each for each in self._reach.passes.active(uid) if self._reach.passes.end(each.id)]
        for each in stopped:
            self._over(each, "stopped")
        return [self.shown(each) for each in stopped]

    def sweep(self) -> None:
        """Record those whose time is over, and tell their person. Never raises."""
        for each in self._reach.passes.ended():
            if each.what == EMERGENCY:
                self._over(each, "ended")
            else:
                self._reach.judge_anew()

    def listed(self, uid: int, *, all_of_them: bool = True) -> list[dict[str, Any]]:
        """Those that are open: the own ones, and ``all_of_them`` for the administrator, by name."""
        whose = None if all_of_them and administrator(uid) else uid
        return [self.shown(each) for each in self._reach.passes.active(whose)]

    def shown(self, given: Pass) -> dict[str, Any]:
        return {
            "id": given.id, "channel": given.channel, "person": login_and_groups(given.uid)[0] or str(given.uid),
            "left_s": round(self._reach.passes.left_s(given)), "until": self._until(given), "went": given.went,
            "minutes": given.minutes,
        }  # fmt: skip

    def _until(self, given: Pass) -> str:
        return time.strftime("%H:%M", time.localtime(time.time() + self._reach.passes.left_s(given)))

    def _over(self, given: Pass, state: str) -> None:
        self._reach.judge_anew()
        with contextlib.suppress(SermentError):  # the log is full: what went has its own records
            self._record(given.uid, given, {"state": state, "count": given.went}, "")
        self._tell(given.uid, ("emergency-off",), given.channel)

    def _record(self, uid: int, given: Pass, fields: dict[str, Any], text: str) -> None:
        """Durable; who it was is in the private part, for those two who may open it."""
        person = login_and_groups(uid)[0]
        whole = {"pass": given.id, "channel": given.channel, "by": "owner", "user": self._reach.user(uid), **fields}
        private = {"person": person, "reason": text}
        self._reach.append(Kind.EMERGENCY, whole, durable=True, private=private, owner=uid)

    def _tell(self, uid: int, words: tuple[str, ...], channel: str, **fields: str) -> None:
        own = dict(self._reach.answers.texts)
        message = []
        for language in LANGUAGES:
            said = [dict(own.get(word, ())).get(language) or catalogue(language).gettext(TEXTS[word]) for word in words]
            message.append((language, ". ".join(text.format(**fields) for text in said)))
        self._reach.notices.announce(uid, channel, tuple(message), time.time())
        self._reach.subscribers.tell(uid, "status")
