"""Who may see what of the audit log, and what they may say about it: the review's side of the agent.

A person sees the transfers of the own documents, with their names, and what happened to the guard as a whole; the
administrator sees everybody's, without names unless the policy gives them (``names: administrator``). Each look is a
record of the log (at most one in ten minutes for the same thing), and so is each mark and each contest. Nothing here
compares persons: there is no sum by person but one's own.

Owns no file. The log, the keys and the policy are lent by the agent; the timeline says where things lie.
"""

from __future__ import annotations

import base64
import contextlib
import os
import threading
import time
from collections.abc import Iterator, Mapping, Sequence
from dataclasses import dataclass, field
from typing import Any

from agent.audit.log import AuditLog
from agent.audit.private import Opener
from agent.audit.record import Kind
from agent.audit.segments import Entry
from agent.crypto.keys import KeyStore
from agent.daemon.device import DeviceIdentity
from agent.daemon.policy_store import PolicyStore
from agent.daemon.reviewing.timeline import Run, Timeline, needs_review
from agent.daemon.reviewing.wanted import Wanted
from agent.errors import N_, HostError, SealError, UsageError

PAGE = 200  # events in one answer
VIEW_AGAIN_S = 600.0  # the same look within this is the same look
MAX_MARKED = 200  # records in one mark
MAX_REASON = 2000  # characters of a contest's reason
WHY = ("no-patient", "blank-form", "teaching", "published", "own-document", "anonymous", "other")
"""What a contest may say in the public part; whatever else is said stays on the laptop."""
_SAYINGS_AN_HOUR = 120
_HOUR_S = 3600.0
_OF_ALL = frozenset(
    (Kind.START, Kind.STOP, Kind.POLICY, Kind.OVERFLOW, Kind.TROUBLE, Kind.COALESCED, Kind.ERASURE, Kind.PURGE,
     Kind.HOLD, Kind.PATIENTS)
)  # fmt: skip
"""What concerns everybody who works here, and names nobody."""
_LATER = frozenset((Kind.OUTCOME, Kind.RELEASE, Kind.RESTORE, Kind.REVIEW, Kind.CONTEST))
"""Shown with the transfer that they are about."""
_HIDDEN = ("case", "by", "since", "until")  # of a hold, from those who are not the administrator
OWNER, ADMINISTRATOR = "owner", "administrator"


@dataclass(frozen=True, slots=True)
class Reader:
    """Who looks: uid, pseudonym in the log, and as what."""

    uid: int
    user: str
    role: str

    @property
    def sees_all(self) -> bool:
        return self.role == ADMINISTRATOR


@dataclass(slots=True)
class ReviewDesk:
    """Any thread may ask. Everything raises AuditError when the log cannot be read, HostError when not written."""

    log: AuditLog
    keys: KeyStore
    policy: PolicyStore
    identity: DeviceIdentity
    timeline: Timeline = field(init=False)
    _lock: threading.Lock = field(default_factory=threading.Lock)
    _looked: dict[tuple[int, str], float] = field(default_factory=dict)
    _said: dict[int, list[float]] = field(default_factory=dict)

    def __post_init__(self) -> None:
        self.timeline = Timeline(self.log.folder)

    def reader(self, uid: int) -> Reader:
        user = self.identity.pseudonym("user", str(uid).encode(), length=12)
        return Reader(uid, user, ADMINISTRATOR if uid in {0, os.getuid()} else OWNER)

    # ---- looking

    def days(self, uid: int) -> dict[str, Any]:
        """Every day with its sums: own transfers, or everybody's together for the administrator."""
        reader = self._look(uid, "all" if self.reader(uid).sees_all else "own")
        sums = self.timeline.days(None if reader.sees_all else reader.user)
        return {
            "role": reader.role, "user": reader.user, "names": self._names(reader),
            "days": [
                {"day": day, "transfers": each.transfers, "acted": each.acted, "open": each.open}
                for day, each in sums.items()
            ],
        }  # fmt: skip

    def events(self, uid: int, day: str, wanted: Wanted, first: int = 0) -> dict[str, Any]:
        """What happened on ``day``, at most PAGE events from record ``first`` on; ``next`` is where to go on."""
        reader = self._look(uid, "all" if self.reader(uid).sees_all else "own")
        opener = self._opener(reader)
        found: list[dict[str, Any]] = []
        for run in self.timeline.runs(day):
            if run.last < first:
                continue
            for entry in self.timeline.read(run, first):
                if self._is_listed(reader, entry.fields, wanted):
                    if len(found) == PAGE:
                        return {"events": found, "next": entry.number}
                    found.append(self._event(reader, entry, opener))
        return {"events": found, "next": None}

    def _is_listed(self, reader: Reader, fields: Mapping[str, Any], wanted: Wanted) -> bool:
        return (
            fields["k"] not in _LATER
            and self._may_see(reader, fields)
            and wanted.matches(fields, self.timeline.later(fields["i"]))
        )

    def event(self, uid: int, number: int) -> dict[str, Any]:
        """One event whole: with the rule's words when that policy is still in force, and the name where it is given."""
        reader = self._look(uid, "all" if self.reader(uid).sees_all else "own")
        entry = self._entry(reader, number)
        event = self._event(reader, entry, self._opener(reader), whole=True)
        event["policy_text"] = self._rule(entry.fields)
        if "name" in event and not event["own"]:
            self._view(reader, "names", of=number)
        return event

    def _look(self, uid: int, scope: str) -> Reader:
        reader = self.reader(uid)
        self._view(reader, scope)
        self.timeline.refresh()
        return reader

    def look(self, uid: int, scope: str) -> Reader:
        """``uid`` looks at something else than events; recorded all the same."""
        return self._look(uid, scope)

    def _view(self, reader: Reader, scope: str, of: int | None = None) -> None:
        now, key = time.monotonic(), (reader.uid, scope if of is None else f"{scope}/{of}")
        with self._lock:
            if now - self._looked.get(key, -VIEW_AGAIN_S) < VIEW_AGAIN_S:
                return
            self._looked = {each: at for each, at in self._looked.items() if now - at < VIEW_AGAIN_S}
            self._looked[key] = now
        fields: dict[str, Any] = {"scope": scope, "by": reader.role, "user": reader.user}
        self.log.append(Kind.VIEW, fields if of is None else fields | {"of": of})

    def _entry(self, reader: Reader, number: int) -> Entry:
        run = self.timeline.run_of(number)
        entry = next(self.timeline.read(run, number), None) if run is not None else None
        if entry is None or entry.number != number or not self._may_see(reader, entry.fields):
            raise _absent(number)
        return entry

    def _entries(self, reader: Reader, numbers: Sequence[int]) -> Iterator[Entry]:
        """Those records (rising), each place of the log read once. Raises UsageError: one is not for ``reader``."""
        run: Run | None = None
        reading: Iterator[Entry] = iter(())
        for number in numbers:
            if run is None or number > run.last:
                run = self.timeline.run_of(number)
                reading = self.timeline.read(run, number) if run is not None else iter(())
            entry = next((each for each in reading if each.number >= number), None)
            if entry is None or entry.number != number or not self._may_see(reader, entry.fields):
                raise _absent(number)
            yield entry

    def _may_see(self, reader: Reader, fields: Mapping[str, Any]) -> bool:
        kind = fields["k"]
        if reader.sees_all or kind in _OF_ALL:
            return True
        if kind == Kind.VIEW:  # who looked at everybody's is everybody's to know
            return fields.get("user") == reader.user or fields.get("scope") in {"all", "names"}
        return bool(fields.get("user") == reader.user)

    def _event(self, reader: Reader, entry: Entry, opener: Opener, *, whole: bool = False) -> dict[str, Any]:
        fields = dict(entry.fields)
        own = fields.get("user") == reader.user
        if fields["k"] == Kind.HOLD and not reader.sees_all:
            fields = {key: value for key, value in fields.items() if key not in _HIDDEN}
        event: dict[str, Any] = {"fields": fields, "own": own}
        if fields["k"] == Kind.TRANSFER:
            later = self.timeline.later(entry.number)
            event |= {
                "outcome": later.outcome, "given": later.given, "contest": later.contest,
                "reviews": [{**each, "mine": each.get("user") == reader.user} for each in later.reviews],
                "needs_review": needs_review(fields) and not later.reviews,
            }  # fmt: skip
        if entry.private and (own or (whole and self._names(reader))):
            event |= self._private(entry, opener)
        return event

    # ---- names

    def _names(self, reader: Reader) -> bool:
        """Whether the policy gives the administrator names of other people's documents."""
        return reader.sees_all and self.policy.in_force.compiled.policy.names == ADMINISTRATOR

    def _opener(self, reader: Reader) -> Opener:
        identities: tuple[str, ...] = ()
        with contextlib.suppress(SealError, HostError, OSError):
            identities = self.keys.identities(reader.uid)
        if self._names(reader):
            identities = (*identities, *self.keys.opening(reader.uid))
        return Opener(self.log.folder, identities)

    def _private(self, entry: Entry, opener: Opener) -> dict[str, Any]:
        """The name, or what the person's own program needs to open it with a key that is under a phrase."""
        try:
            name = opener.open(entry.private, entry.number).get("name", b"")
            return {"name": _text(name if isinstance(name, bytes) else str(name).encode())}
        except SealError:
            with contextlib.suppress(SealError, OSError):
                return {"sealed": {"head": _text(opener.head(entry.private)), "part": _text(entry.private)}}
        except OSError:
            pass
        return {"forgotten": opener.key_of(entry.private) is None}

    def _rule(self, fields: Mapping[str, Any]) -> dict[str, Any]:
        """The words of the rule that decided; empty when another policy is in force by now."""
        policy = self.policy.in_force.compiled.policy
        if fields.get("release") != policy.release:
            return {}
        wanted = fields.get("wanted_by") or fields.get("rule")
        rule = next((each for each in policy.rules if each.id == wanted), None)
        if rule is None:
            return {"policy": dict(policy.title)}
        from agent.i18n import LANGUAGES, catalogue
        from agent.policy.sentences import sentence

        said = {language: sentence(rule, catalogue(language).gettext) for language in LANGUAGES}
        return {"policy": dict(policy.title), "rule": dict(rule.title), "says": said, "told": dict(rule.message)}

    # ---- saying

    def mark(self, uid: int, records: object) -> dict[str, Any]:
        """Records are looked at and in order. Raises UsageError: somebody else's, none, too many."""
        reader = self.reader(uid)
        numbers = records if isinstance(records, list) else []
        if not 0 < len(numbers) <= MAX_MARKED or any(type(each) is not int for each in numbers):
            raise UsageError(N_("1 to {limit} records are marked at once"), limit=MAX_MARKED)
        self.timeline.refresh()
        wanted = sorted(set(numbers))
        for number, entry in zip(wanted, self._entries(reader, wanted), strict=True):
            if entry.fields["k"] != Kind.TRANSFER or not needs_review(entry.fields):
                raise UsageError(N_("record {number} is nothing to be reviewed"), number=number)
        self._spend(uid)
        said = {"records": wanted, "by": reader.role, "user": reader.user}
        return {"i": self.log.append(Kind.REVIEW, said, durable=True)}

    def contest(self, uid: int, number: object, why: object, reason: object) -> dict[str, Any]:
        """« Not a patient document »: a request to the officer. ``reason`` stays on this laptop, encrypted.

        Raises UsageError: not an own record, nothing was decided, an unknown word, said already.
        """
        reader, text = self.reader(uid), str(reason or "").strip()
        self.timeline.refresh()
        if type(number) is not int:
            raise UsageError(N_("the message on the local socket is not understood"))
        entry = self._entry(reader, number)
        if entry.fields["k"] != Kind.TRANSFER or entry.fields.get("judgement") == "not_medical":
            raise UsageError(N_("record {number} says of no document that it is about a patient"), number=number)
        if why not in WHY:
            raise UsageError(N_("the reason is one of: {words}"), words=", ".join(WHY))
        if len(text) > MAX_REASON or (why == "other" and not text):
            raise UsageError(N_("say why in 1 to {limit} characters"), limit=MAX_REASON)
        if self.timeline.later(number).contest is not None:
            raise UsageError(N_("record {number} is contested already"), number=number)
        self._spend(uid)
        fields = {
            "of": number,
            "why": why,
            "by": reader.role,
            "user": reader.user,
            "rule": entry.fields.get("rule", ""),
        }
        private = {"reason": text} if text else b""
        return {"i": self.log.append(Kind.CONTEST, fields, durable=True, private=private, owner=uid)}

    def _spend(self, uid: int) -> None:
        """Nobody fills the log by talking. Raises HostError."""
        now = time.monotonic()
        with self._lock:
            recent = [each for each in self._said.get(uid, []) if now - each < _HOUR_S]
            if len(recent) >= _SAYINGS_AN_HOUR:
                raise HostError(N_("too many marks and requests in an hour"), hint=N_("try again later"))
            self._said[uid] = [*recent, now]


def _absent(number: int) -> UsageError:
    return UsageError(N_("there is no record {number}"), hint=N_("see: serment audit list"), number=number)


def _text(data: bytes) -> str:
    return base64.b64encode(data).decode("ascii")
