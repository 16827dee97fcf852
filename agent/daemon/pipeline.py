"""One event through 1 to 7, on one screen: open, judge, decide, record the intent, act, record the outcome.

Owns the open descriptors of a transfer: opens the guarded folder and the document, closes both, whatever happens.
Takes events from the queue; judging is the worker pool's, deciding the policy's, acting the actions'. Never raises for
what one document does; an error of ours is counted, told, and the event tried once more.
"""

from __future__ import annotations

import errno
import os
import threading
import time
from collections import OrderedDict
from collections.abc import Callable, Iterator, Mapping
from contextlib import contextmanager
from dataclasses import dataclass, replace
from typing import Protocol

from agent.actions.base import Action, OpenTransfer
from agent.daemon.device import DeviceIdentity
from agent.daemon.event_queue import EventQueue
from agent.daemon.ledger import Ledger, basis_of
from agent.daemon.notices import Notices, worth_telling
from agent.daemon.operations import Operations
from agent.daemon.transfer_record import ENGINE, file_digest, outcome_fields, transfer_fields
from agent.daemon.troubles import Troubles
from agent.document import Problem
from agent.errors import HostError
from agent.findings import Findings, undecidable
from agent.fsys.atomic import stamp
from agent.fsys.openat import open_folder, open_regular
from agent.model import Cause, Decision, Facts, FileEvent, Outcome, Place, Result, Stamp, Verdict

CHANGED_AGAIN_S = 2.0
BUSY_S = 5.0
PACE_FREE = 5  # times that a file is looked at without waiting
PACE_FORGOTTEN_S = 120.0
PACE_KEPT = 4096
PACE_MOST_S = 60.0
RETRY_S = (30.0, 120.0, 600.0, 3600.0)
_NOT_A_DOCUMENT = {errno.ELOOP, errno.EXDEV, errno.EINVAL, errno.ENXIO, errno.EISDIR, errno.ENODEV}
_HELD_BY_ANOTHER = {errno.EAGAIN, errno.EBUSY, errno.ETXTBSY}
_BUSY = "busy"  # somebody holds a lease on it: later
_GONE = {errno.ENOENT, errno.ENOTDIR, errno.ESTALE, errno.ENOTCONN}


class Judge(Protocol):
    def judge(self, fd: int, extension: str = "", size: int = 0) -> Findings: ...


class Log(Protocol):
    def append(self, kind: str, fields: Mapping[str, object], *, durable: bool = False) -> int: ...


class Decide(Protocol):
    def evaluate(self, facts: Facts) -> Verdict: ...

    @property
    def release(self) -> str: ...


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


@dataclass(frozen=True, slots=True)
class Case:
    """One event while it is handled: the open descriptors, the state that is judged, and its digests."""

    event: FileEvent
    root_fd: int
    fd: int  # -1: it could not be opened
    stamp: Stamp
    file: str
    basis: str
    known: bool  # judged before, under another policy or engine


class Pipeline:
    def __init__(self, parts: Parts) -> None:
        self._parts = parts
        self._failed: dict[tuple[bytes, bytes], int] = {}
        self._crashed: set[tuple[bytes, bytes]] = set()
        self._paces: OrderedDict[tuple[bytes, bytes], tuple[int, float]] = OrderedDict()  # streak, last time
        self._lock = threading.Lock()
        self.counts = {"judged": 0, "acted": 0, "skipped": 0, "errors": 0}

    def run(self) -> None:
        """Take events until the queue is closed. One of several threads."""
        queue = self._parts.queue
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
        if (wait_s := self._pace(event)) > 0:
            return self._parts.queue.put_later(event, wait_s)
        with _opened(event) as (root_fd, fd, problem):
            if fd < 0 and problem is None:
                self._count("skipped")
                return self._forget_failure(event)
            if problem == _BUSY:
                return self._parts.queue.put_later(event, BUSY_S)
            case = self._case(event, root_fd, fd)
            if case.known and self._parts.ledger.basis(case.file) == case.basis:
                return self._count("skipped")
            self._paced(event)
            findings = undecidable(Problem(problem)) if problem else self._judge(case)
            if fd >= 0 and stamp(fd) != case.stamp:
                return self._judge_again(event)
            return self._settle(case, findings)

    def _pace(self, event: FileEvent) -> float:
        """Seconds to wait: a file that is rewritten again and again is looked at ever more seldom, at most each minute.

        Otherwise anybody could fill the audit log, and with it the disk, by rewriting one file.
        """
        with self._lock:
            streak, last = self._paces.get(_key(event), (0, 0.0))
        rested = time.monotonic() - last
        if streak < PACE_FREE or rested >= PACE_FORGOTTEN_S:
            return 0.0
        return min(PACE_MOST_S, 0.25 * 2.0 ** min(streak, 16)) - rested  # bounded: it may go on for weeks

    def _paced(self, event: FileEvent) -> None:
        """Count one look at the file; what is skipped as known does not count, or a rescan would delay what is new."""
        now, key = time.monotonic(), _key(event)
        with self._lock:
            streak, last = self._paces.pop(key, (0, 0.0))
            self._paces[key] = (1 if now - last >= PACE_FORGOTTEN_S else streak + 1, now)
            while len(self._paces) > PACE_KEPT:
                self._paces.popitem(last=False)

    def _case(self, event: FileEvent, root_fd: int, fd: int) -> Case:
        parts = self._parts
        state = stamp(fd) if fd >= 0 else Stamp(0, 0, 0, 0, 0)
        file = (
            file_digest(parts.identity, event.place, event.name, state)
            if fd >= 0
            else parts.identity.pseudonym("unreadable", event.place.root, event.name)
        )
        basis = basis_of({"release": parts.policy.release, "engine": ENGINE})
        return Case(event, root_fd, fd, state, file, basis, known=parts.ledger.basis(file) is not None)

    def _judge(self, case: Case) -> Findings:
        findings = self._parts.judge.judge(case.fd, _extension(case.event.name), case.stamp.size)
        self._parts.troubles.clear("worker-unavailable")
        self._count("judged")
        return findings

    def _settle(self, case: Case, findings: Findings) -> None:
        parts = self._parts
        facts, cause = self._facts(case, findings)
        verdict = parts.policy.evaluate(facts)
        if case.fd < 0:  # it could not even be opened: there is nothing to act on
            verdict = replace(verdict, decision=Decision.OBSERVE)
        verdict, released = self._respect_release(case, verdict)
        act = verdict.decision is not Decision.OBSERVE
        fields = transfer_fields(parts.identity, case.event.place, facts, verdict, cause, case.file, act=act)
        if released:
            fields["released"] = released
        number = parts.log.append("transfer", fields, durable=act)
        parts.troubles.clear("audit-unwritable")
        if not act:
            return parts.ledger.mark(case.file, case.basis, number)
        transfer = OpenTransfer(
            case.event, case.root_fd, case.fd, case.stamp, verdict, number, str(findings.kind)
        )  # fmt: skip
        outcome = self._apply(transfer)
        closed = self._record_outcome(number, outcome)
        parts.settled(number)
        return self._after(case, findings, verdict, outcome, closed)

    def _apply(self, transfer: OpenTransfer) -> Outcome:
        """An action that fails by an error of ours has an outcome too: its intent must not stay open."""
        try:
            return self._parts.actions[transfer.verdict.decision].apply(transfer)
        except Exception as error:
            self._parts.operations.warn("action.error", type=type(error).__name__, at=_position(error))
            return Outcome(Result.FAILED, transfer.verdict.decision, "internal")

    def _respect_release(self, case: Case, verdict: Verdict) -> tuple[Verdict, str]:
        """What its owner has released to this place, for a reason, is not held again."""
        if verdict.decision not in {Decision.JUSTIFY, Decision.BLOCK, Decision.ENCRYPT}:
            return verdict, ""
        released = self._parts.released(OpenTransfer(case.event, case.root_fd, case.fd, case.stamp, verdict, -1))
        return (replace(verdict, decision=Decision.OBSERVE), released) if released else (verdict, "")

    def _facts(self, case: Case, findings: Findings) -> tuple[Facts, Cause]:
        place, ledger = case.event.place, self._parts.ledger
        user, groups = self._parts.login(place.owner)
        cause = Cause.RESUMED if ledger.interrupted(case.file) else case.event.cause
        old = cause is Cause.EXISTING and (case.known or case.stamp.ctime_ns <= self._parts.armed_ns(place))
        facts = Facts(
            channel=place.channel, arrival="existing" if old else "new", findings=findings,
            size=case.stamp.size, extension=_extension(case.event.name), service=place.service, device=place.device,
            user=user, groups=groups, day=time.strftime("%Y-%m-%d", time.gmtime()),
        )  # fmt: skip
        return facts, cause

    def _record_outcome(self, number: int, outcome: Outcome) -> int:
        """The act has happened: its record must be written, however long the disk stays full."""
        while True:
            try:
                return self._parts.log.append("outcome", outcome_fields(number, outcome), durable=True)
            except HostError:
                self._parts.troubles.raise_("audit-unwritable")
                time.sleep(1.0)

    def _after(self, case: Case, findings: Findings, verdict: Verdict, outcome: Outcome, closed: int) -> None:
        parts = self._parts
        self._count("acted")
        parts.operations.note(
            "transfer.acted", channel=str(case.event.place.channel), decision=str(verdict.decision),
            result=str(outcome.result), problem=outcome.problem, record=closed,
        )  # fmt: skip
        if worth_telling(verdict, outcome):
            parts.notices.tell(case.event, findings, verdict, outcome, time.time())
        if outcome.result is Result.FAILED:
            return self._try_again(case)
        self._forget_failure(case.event)
        if outcome.result is Result.CHANGED:
            return self._judge_again(case.event)
        if outcome.held or outcome.result is Result.GONE:
            return parts.ledger.removed(case.file)
        return parts.ledger.mark(case.file, case.basis, closed)

    def _judge_again(self, event: FileEvent) -> None:
        """The file was written to meanwhile: whatever it was before, what it is now is new."""
        self._parts.queue.put_later(replace(event, cause=Cause.WRITTEN), CHANGED_AGAIN_S)

    def _try_again(self, case: Case) -> None:
        key = _key(case.event)
        with self._lock:
            tries = self._failed.get(key, 0)
            self._failed[key] = tries + 1
        self._parts.troubles.raise_("action-failed")
        self._parts.ledger.resume(case.file)
        self._parts.queue.put_later(case.event, RETRY_S[min(tries, len(RETRY_S) - 1)])

    def _forget_failure(self, event: FileEvent) -> None:
        with self._lock:
            ended = self._failed.pop(_key(event), None) is not None and not self._failed
        if ended:
            self._parts.troubles.clear("action-failed")

    def _cannot_go_on(self, event: FileEvent, error: HostError) -> None:
        word = "audit-unwritable" if error.fields.get("what") == "audit" else "worker-unavailable"
        self._parts.troubles.raise_(word)
        self._parts.queue.put_later(event, 5.0)

    def _our_error(self, event: FileEvent, error: Exception) -> None:
        self._count("errors")
        self._parts.operations.warn("pipeline.error", type=type(error).__name__, at=_position(error))
        self._parts.troubles.raise_("pipeline-error")
        with self._lock:
            again = _key(event) not in self._crashed
            self._crashed.add(_key(event))
        if again:
            self._parts.queue.put_later(event, 5.0)

    def _recovered_from_error(self, event: FileEvent) -> None:
        with self._lock:
            known = _key(event) in self._crashed
            self._crashed.discard(_key(event))
            ended = known and not self._crashed
        if ended:
            self._parts.troubles.clear("pipeline-error")

    def _count(self, what: str) -> None:
        with self._lock:
            self.counts[what] += 1


@contextmanager
def _opened(event: FileEvent) -> Iterator[tuple[int, int, Problem | str | None]]:
    """(folder, document, problem): the document is -1 when there is nothing to judge; with a problem when there is,
    but the system would not give it.
    """
    root_fd = fd = -1
    problem: Problem | str | None = None
    try:
        try:
            root_fd = open_folder(event.place.root)
            fd = open_regular(root_fd, event.name, os.O_RDONLY)
        except OSError as error:
            if error.errno in _HELD_BY_ANOTHER:
                problem = _BUSY
            elif error.errno not in _NOT_A_DOCUMENT | _GONE:
                problem = Problem.UNREADABLE
        yield root_fd, fd, problem
    finally:
        for opened in (fd, root_fd):
            if opened >= 0:
                os.close(opened)


def _key(event: FileEvent) -> tuple[bytes, bytes]:
    return event.place.root, event.name


def _extension(name: bytes) -> str:
    """The last extension, lower case ASCII, at most 16 characters; a hint, and short enough to say nothing else."""
    tail = name.rpartition(b"/")[2].rpartition(b".")
    if not tail[1] or not 0 < len(tail[2]) <= 16 or not tail[2].isalnum():
        return ""
    return tail[2].decode("ascii", "ignore").lower()


def _position(error: Exception) -> str:
    """Where it happened, as module:line, without any value."""
    trace = error.__traceback__
    while trace is not None and trace.tb_next is not None:
        trace = trace.tb_next
    return f"{trace.tb_frame.f_globals.get('__name__', '')}:{trace.tb_lineno}" if trace is not None else ""
