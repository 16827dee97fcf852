"""One event through 1 to 7, on one screen: open, judge, decide, record the intent, act, record the outcome.

Owns the open descriptors of a transfer: opens the guarded folder and the document, closes both, whatever happens.
Takes events from the queue; judging is the worker pool's, deciding the policy's, acting the actions'. Never raises for
what one document does; an error of ours is counted, told, and the event tried once more.
"""

from __future__ import annotations

import threading
import time
from collections.abc import Callable, Mapping
from dataclasses import dataclass, replace
from typing import Any, Protocol

from agent.actions.base import Action, OpenTransfer
from agent.daemon.case import BUSY, Case, key_of, opened, position_of
from agent.daemon.device import DeviceIdentity
from agent.daemon.event_queue import EventQueue
from agent.daemon.ledger import READ, UNREAD, Ledger, Owed, basis_of
from agent.daemon.notices import Notices, worth_telling
from agent.daemon.operations import Operations
from agent.daemon.pacing import Crashes, Failures, Paces
from agent.daemon.transfer_record import ENGINE, file_digest, outcome_fields, private_part, transfer_fields
from agent.daemon.troubles import Troubles
from agent.document import Problem
from agent.errors import HostError
from agent.findings import Findings, Judgement, undecidable
from agent.fsys.atomic import stamp
from agent.model import Cause, Decision, Facts, FileEvent, Outcome, Place, Result, Stamp, Verdict

CHANGED_AGAIN_S = 2.0
BUSY_S = 5.0
_COARSE_NS = 4_000_000_000
"""Since when a place is armed is noted two seconds early, and FAT's times are two seconds coarse."""
_LEFT_IN_PLACE = {Decision.OBSERVE, Decision.INFORM}


class Judge(Protocol):
    def judge(self, fd: int, extension: str = "", size: int = 0) -> Findings: ...


class Log(Protocol):
    def append(
        self,
        kind: str,
        fields: Mapping[str, object],
        *,
        durable: bool = False,
        private: Mapping[str, object] | bytes = b"",
        owner: int = -1,
    ) -> int: ...


class Decide(Protocol):
    def evaluate(self, facts: Facts) -> Verdict: ...

    @property
    def release(self) -> str: ...


Passing = Callable[[int, str, bytes, str, str], str]
"""Person, channel, place, rule, file → the id of the pass by which this may go now, or nothing."""


@dataclass(frozen=True, slots=True)
class Parts:
    """What the pipeline is wired to."""

    judge: Judge
    policy: Decide
    actions: Mapping[Decision, Action]
    log: Log
    ledger: Ledger
    identity: DeviceIdentity
    queue: EventQueue
    notices: Notices
    troubles: Troubles
    operations: Operations
    login: Callable[[int], tuple[str, tuple[str, ...]]]  # uid → login name, groups
    released: Callable[[OpenTransfer], str | None]  # under which quarantine id it was let go, for a reason
    settled: Callable[[int], None]  # told that the outcome of an intent is written
    armed_ns: Callable[[Place], int]  # since when the place is under guard, nanoseconds since the epoch
    held_ns: Callable[[Place], int] = lambda _place: 0  # since when an airlock is before it, likewise; 0: there is none
    engine: Callable[[], str] = lambda: ENGINE  # what judges now: the version, and the practice's patient list
    acted: Callable[[Place, Outcome], None] = lambda _place, _outcome: None  # told what was done where; never blocks
    want_read: Callable[[FileEvent, Owed], None] = lambda _event, _owed: None  # a second look is owed; never blocks
    passes: Passing = lambda _uid, _channel, _root, _rule, _file: ""  # an emergency, the rest of an answered batch


class Pipeline:
    def __init__(self, parts: Parts) -> None:
        self.parts = parts
        self._paces, self._failures, self._crashes = Paces(), Failures(), Crashes()
        self._lock = threading.Lock()
        self.counts = {"judged": 0, "acted": 0, "skipped": 0, "errors": 0}

    def run(self) -> None:
        """Take events until the queue is closed. One of several threads."""
        queue = self.parts.queue
        while (event := queue.take()) is not None:
            try:
                self.process(event)
                self._recovered_from_error(event)
            except HostError as error:
                self._cannot_go_on(event, error)
            except Exception as error:
                self._our_error(event, error)
            finally:
                queue.done(event)

    def process(self, event: FileEvent) -> None:
        """Everything that happens to one file. Raises HostError when the machine does not let us judge or record."""
        if (wait_s := self._paces.wait_s(key_of(event))) > 0:
            return self.parts.queue.put_later(event, wait_s)
        with opened(event) as (root_fd, fd, problem):
            if fd < 0 and problem is None:
                self.count("skipped")
                return self._forget_failure(event)
            if problem == BUSY:
                return self.parts.queue.put_later(event, BUSY_S)
            case = self.case(event, root_fd, fd)
            if case.owed:
                self.parts.want_read(event, case.owed)
            if case.owed or case.before == case.basis or self._came_through(case):
                return self.count("skipped")
            self._paces.looked(key_of(event))
            findings = undecidable(Problem(problem)) if problem else self._judge(case)
            if fd >= 0 and stamp(fd) != case.stamp:
                return self.judge_again(event)
            return self.settle(case, findings)

    def _came_through(self, case: Case) -> bool:
        """Behind an airlock, what changed since it holds is judged before it gets there, or just being judged.

        A change in the future is of another machine's clock: that file was there.
        """
        place = case.event.place
        if place.mechanism != "airlock" or case.known:
            return False
        held_ns = self.parts.held_ns(place)
        return held_ns > 0 and held_ns + _COARSE_NS < case.stamp.ctime_ns <= time.time_ns() + _COARSE_NS

    def case(self, event: FileEvent, root_fd: int, fd: int) -> Case:
        """The state that the open file ``fd`` (-1: it could not be opened) is in now, and what is known of it."""
        parts = self.parts
        state = stamp(fd) if fd >= 0 else Stamp(0, 0, 0, 0, 0)
        file = (
            file_digest(parts.identity, event.place, event.name, state)
            if fd >= 0
            else parts.identity.pseudonym("unreadable", event.place.root, event.name)
        )
        engine = parts.engine()
        basis = basis_of({"release": parts.policy.release, "engine": engine})
        return Case(event, root_fd, fd, state, file, basis, parts.ledger.basis(file), engine)

    def _judge(self, case: Case) -> Findings:
        findings = self.parts.judge.judge(case.fd, case.extension, case.stamp.size)
        self.parts.troubles.clear("worker-unavailable")
        self.count("judged")
        return findings

    def settle(self, case: Case, findings: Findings, first: Owed | None = None) -> None:
        """Decide on the findings, record and act. ``first``: what the first look said, when this is the second.

        The caller has the file for itself. Raises HostError when nothing can be recorded; nothing was done then.
        """
        parts = self.parts
        facts, cause = self.facts(case, findings, first)
        verdict = parts.policy.evaluate(facts)
        if case.fd < 0:  # it could not even be opened: there is nothing to act on
            verdict = replace(verdict, decision=Decision.OBSERVE)
        verdict, released = self.respect_release(case, verdict)
        act = verdict.decision is not Decision.OBSERVE
        fields = transfer_fields(
            parts.identity, case.event.place, facts, verdict, cause, case.file, act=act,
            pictures=READ if first else UNREAD if _to_be_read(findings, verdict) else "", engine=case.engine,
        )  # fmt: skip
        if released:
            fields["released"] = released
        number = parts.log.append("transfer", fields, durable=act, **private_part(case.event))
        parts.troubles.clear("audit-unwritable")
        if not act:  # also where an action had failed: there is nothing to do any more
            self._forget_failure(case.event)
            return self._mark(case, fields, number)
        transfer = OpenTransfer(
            case.event, case.root_fd, case.fd, case.stamp, verdict, number, str(findings.kind)
        )  # fmt: skip
        outcome = self.apply(transfer)
        closed = self.record_outcome(number, outcome)
        parts.settled(number)
        parts.acted(case.event.place, outcome)
        if worth_telling(verdict, outcome) and not _told(findings, verdict, first):
            again = first is not None and first.decision == str(Decision.INFORM)
            parts.notices.tell(case.event, findings, verdict, outcome, time.time(), again=again)
        return self._after(case, fields, outcome, closed)

    def _mark(self, case: Case, fields: Mapping[str, Any], number: int) -> None:
        """The record says that this look at the file is over; a second one may be owed."""
        basis = basis_of(fields)
        self.parts.ledger.mark(case.file, basis, number)
        if to_come := replace(case, before=basis).owed:
            self.parts.want_read(case.event, to_come)

    def apply(self, transfer: OpenTransfer) -> Outcome:
        """An action that fails by an error of ours has an outcome too: its intent must not stay open."""
        try:
            return self.parts.actions[transfer.verdict.decision].apply(transfer)
        except Exception as error:
            self.parts.operations.warn("action.error", type=type(error).__name__, at=position_of(error))
            return Outcome(Result.FAILED, transfer.verdict.decision, "internal")

    def respect_release(self, case: Case, verdict: Verdict, person: int | None = None) -> tuple[Verdict, str]:
        """What its owner has released to this place, for a reason, is not held again; nor what a pass lets go now.

        ``person``: the uid of who writes it, when that is not the place's owner.
        """
        if verdict.decision not in {Decision.JUSTIFY, Decision.BLOCK, Decision.ENCRYPT}:
            return verdict, ""
        place = case.event.place
        released = self.parts.released(
            OpenTransfer(case.event, case.root_fd, case.fd, case.stamp, verdict, -1)
        ) or self.parts.passes(
            place.owner if person is None else person, str(place.channel), place.root, verdict.rule, case.file
        )
        return (replace(verdict, decision=Decision.OBSERVE), released) if released else (verdict, "")

    def facts(self, case: Case, findings: Findings, first: Owed | None = None) -> tuple[Facts, Cause]:
        """What the policy may look at, and why the file is looked at."""
        place, ledger = case.event.place, self.parts.ledger
        user, groups = self.parts.login(place.owner)
        cause = Cause.RESUMED if ledger.interrupted(case.file) else Cause.READ if first else case.event.cause
        old = cause is Cause.EXISTING and (case.known or case.stamp.ctime_ns <= self.parts.armed_ns(place))
        arrival = first.arrival if first else "existing" if old else "new"  # what was new has not aged by waiting
        facts = Facts(
            channel=place.channel, arrival=arrival, findings=findings,
            size=case.stamp.size, extension=case.extension, service=place.service, device=place.device,
            user=user, groups=groups, day=time.strftime("%Y-%m-%d"), host=place.host,
        )  # fmt: skip
        return facts, cause

    def record_outcome(self, number: int, outcome: Outcome) -> int:
        """The act has happened: its record must be written, however long the disk stays full."""
        while True:
            try:
                closed = self.parts.log.append("outcome", outcome_fields(number, outcome), durable=True)
            except HostError:
                self.parts.troubles.raise_("audit-unwritable")
                time.sleep(1.0)
            else:
                self.parts.troubles.clear("audit-unwritable")
                return closed

    def _after(self, case: Case, fields: Mapping[str, Any], outcome: Outcome, closed: int) -> None:
        parts = self.parts
        self.count("acted")
        parts.operations.note(
            "transfer.acted", channel=str(case.event.place.channel), decision=fields["decision"],
            result=str(outcome.result), problem=outcome.problem, record=closed,
        )  # fmt: skip
        if outcome.result is Result.FAILED:
            return self._try_again(case)
        self._forget_failure(case.event)
        if outcome.result is Result.CHANGED:
            return self.judge_again(case.event)
        if outcome.held or outcome.result is Result.GONE:
            return parts.ledger.removed(case.file)
        return self._mark(case, fields, closed)

    def judge_again(self, event: FileEvent) -> None:
        """The file was written to meanwhile: whatever it was before, what it is now is new."""
        self.parts.queue.put_later(replace(event, cause=Cause.WRITTEN), CHANGED_AGAIN_S)

    def _try_again(self, case: Case) -> None:
        retry_s = self._failures.failed(key_of(case.event))
        self.parts.troubles.raise_("action-failed")
        self.parts.ledger.resume(case.file)
        self.parts.queue.put_later(case.event, retry_s)

    def _forget_failure(self, event: FileEvent) -> None:
        if self._failures.recovered(key_of(event)):
            self.parts.troubles.clear("action-failed")

    def _cannot_go_on(self, event: FileEvent, error: HostError) -> None:
        word = "audit-unwritable" if error.fields.get("what") == "audit" else "worker-unavailable"
        self.parts.troubles.raise_(word)
        self.parts.queue.put_later(event, 5.0)

    def _our_error(self, event: FileEvent, error: Exception) -> None:
        self.count("errors")
        self.parts.operations.warn("pipeline.error", type=type(error).__name__, at=position_of(error))
        self.parts.troubles.raise_("pipeline-error")
        if self._crashes.crashed(key_of(event)):
            self.parts.queue.put_later(event, 5.0)

    def _recovered_from_error(self, event: FileEvent) -> None:
        if self._crashes.recovered(key_of(event)):
            self.parts.troubles.clear("pipeline-error")

    def count(self, what: str) -> None:
        """One more of ``judged``, ``acted``, ``skipped``, ``errors``."""
        with self._lock:
            self.counts[what] += 1


def _to_be_read(findings: Findings, verdict: Verdict) -> bool:
    """Whether a second look is owed: nobody has read its pictures, and the document stays where it is.

    What was sealed or taken away is safe whatever it shows, and is not there to be looked at: what its owner takes
    back or releases comes as a new event, and is read then.
    """
    return findings.awaits_pictures and verdict.decision in _LEFT_IN_PLACE


def _told(findings: Findings, verdict: Verdict, first: Owed | None) -> bool:
    """Whether the first look has already told all that the second has to say: still undecidable."""
    nothing_new = findings.judgement is Judgement.UNDECIDABLE and verdict.decision is Decision.INFORM
    return first is not None and nothing_new and first.decision == str(Decision.INFORM)
