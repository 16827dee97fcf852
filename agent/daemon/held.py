"""One held document or name through 3 to 6: judge, decide, record, act; the gate waits for the answer.

Beside ``Pipeline.process``, with its facts, verdicts, records and notices; only this differs: the bytes come by a
descriptor (no path is opened), what is decided takes effect through a ``Hold``, and the outcome is written when the
gate has said how the commit went. Everything here is called from a gate's lane and may take its time; nothing here
may leave a question without an answer (``holds._Work`` refuses what fails with EIO).
"""

from __future__ import annotations

import errno
import os
import time
from collections.abc import Callable
from dataclasses import dataclass, replace
from typing import Any

from agent.actions.base import OpenTransfer
from agent.actions.problems import word
from agent.daemon.case import Case
from agent.daemon.clinician.terminals import terminal_of
from agent.daemon.held_names import TellingNames
from agent.daemon.held_pictures import HeldPictures
from agent.daemon.holds import Session, refusal
from agent.daemon.known_bytes import KnownBytes
from agent.daemon.ledger import READ, UNREAD, basis_of
from agent.daemon.notices import worth_telling
from agent.daemon.pipeline import Judge, Pipeline
from agent.daemon.transfer_record import file_digest, private_part, transfer_fields
from agent.errors import ChangedError
from agent.findings import Findings
from agent.fsys.atomic import stamp
from agent.gates.asking import Answer, Ask, Done, Flag, Question, Say
from agent.model import Cause, Decision, Facts, FileEvent, Outcome, Place, Result, Stamp, Verdict

COMMIT_S = 3600.0  # a large file on a slow stick; the end of the gate's process ends the wait before that


@dataclass(frozen=True, slots=True)
class Reaches:
    """What a held transfer needs beside the pipeline."""

    pipeline: Pipeline
    judge: Judge  # a pool of its own: nobody waits behind a stick that is being looked through
    pictures: HeldPictures
    keep: Callable[[OpenTransfer], str]  # copy into quarantine for good; its id. Raises OSError, ChangedError


class FileHold:
    """The ``Hold`` of one FILE question. ``done`` says how its commit went, ``error`` why it did not."""

    def __init__(self, session: Session, question: Question) -> None:
        self._session, self._question = session, question
        self.said: Say | None = None
        self.error = 0  # the number of the file system's error; EIO when nobody could tell
        self.state: Stamp | None = None
        self.name = b""  # of the sealed file on the medium, where the gate has said it

    def release(self) -> None:
        self._commit(Answer(self._question.number, Say.RELEASE), -1)

    def refuse(self) -> None:
        self._say(refusal(self._question))

    def substitute(self, sealed_fd: int, name: bytes) -> None:
        self._commit(Answer(self._question.number, Say.SUBSTITUTE, name=name), sealed_fd)

    def release_without_waiting(self, then: Callable[[Done | None], None]) -> None:
        """Let it go; ``then`` is told how it went."""
        self.said = Say.RELEASE
        self._session.say(Answer(self._question.number, Say.RELEASE), -1, then)

    def _say(self, answer: Answer) -> None:
        self.said = answer.say
        self._session.say(answer)

    def _commit(self, answer: Answer, fd: int) -> None:
        self.said = answer.say
        done = self._session.say_and_wait(answer, fd, COMMIT_S)
        self.error = errno.EIO if done is None else done.error
        self.state = None if done is None else done.state
        self.name = b"" if done is None else done.name


class NameHold(FileHold):
    """The same for a NAME: there is no commit to wait for, and a name cannot be sealed."""

    def release(self) -> None:
        self._say(Answer(self._question.number, Say.RELEASE))

    def substitute(self, sealed_fd: int, name: bytes) -> None:
        self.refuse()


class HeldTransfers:
    """``file`` and ``name`` answer one question each; raises only what is an error of ours."""

    def __init__(self, reaches: Reaches) -> None:
        self._with = reaches
        self._parts = reaches.pipeline.parts
        self._judge = KnownBytes(reaches.judge, reaches.pipeline.parts.engine)
        self._telling = TellingNames(reaches.judge, reaches.pipeline.parts.identity, reaches.pipeline.parts.engine)

    # ---- files

    def file(self, session: Session, question: Question, fd: int, place: Place, *, names: bool = True) -> None:
        """Judge the finished state behind ``fd``, and its name, and let it go, or the sealed file, or nothing."""
        case = self._case(question, fd, place)
        hold = FileHold(session, question)
        with self._parts.notices.examining(case.event):
            findings, pictures = self._look(case)
        if stamp(fd) != case.stamp:  # the gate promised that it would not
            session.say(refusal(question, errno.EIO))
            return
        named = self._telling.of(question.name) if names and question.flags & Flag.NEW else None
        self._settle(case, findings, hold, question, pictures=pictures, named=named)

    def _case(self, question: Question, fd: int, place: Place) -> Case:
        parts = self._parts
        event = FileEvent(place, question.name, Cause.WRITTEN)
        state = stamp(fd)
        file = parts.identity.pseudonym(
            "held", file_digest(parts.identity, place, question.name, state).encode(), str(question.number).encode()
        )
        engine = parts.engine()
        basis = basis_of({"release": parts.policy.release, "engine": engine})
        return Case(event, -1, fd, state, file, basis, None, engine)

    def _look(self, case: Case) -> tuple[Findings, str]:
        """The findings, and what the record says of pictures: the final look is had before anything goes."""
        findings = self._judge.judge(case.fd, case.extension, case.stamp.size)
        self._parts.troubles.clear("worker-unavailable")
        self._with.pipeline.count("judged")
        if not findings.awaits_pictures:
            return findings, ""
        seen = self._with.pictures.look(case.fd, case.extension, case.stamp.size)
        return (findings, UNREAD) if seen is None else (seen, READ)

    def _settle(
        self,
        case: Case,
        findings: Findings,
        hold: FileHold,
        question: Question,
        *,
        pictures: str,
        named: Findings | None,
    ) -> None:
        """Decide, record, act, record. Raises HostError when nothing can be recorded; then nothing has gone."""
        verdict, findings, facts = self._decide(case, findings, named)
        writer = self._writer(question, case.event.place)
        verdict, released = self._with.pipeline.respect_release(case, verdict, writer)
        act = verdict.decision is not Decision.OBSERVE
        fields = transfer_fields(
            self._parts.identity, case.event.place, facts, verdict, case.event.cause, case.file, act=act,
            pictures=pictures, engine=case.engine, hold="name" if question.kind is Ask.NAME else "file",
        )  # fmt: skip
        if released:
            fields["released"] = released
        number = self._append(case.event, fields, writer, act=act)
        self._parts.troubles.clear("audit-unwritable")
        if not act:
            hold.release_without_waiting(lambda done: self._committed(case, fields, done, number))
            return
        transfer = OpenTransfer(
            case.event, case.root_fd, case.fd, case.stamp, verdict, number, str(findings.kind), hold,
            writer,
        )  # fmt: skip
        terminal = terminal_of(question.pid)  # the program may end as soon as it has its answer
        outcome = self._act(transfer, hold)
        self._close(case, fields, findings, verdict, outcome, number, writer=writer, terminal=terminal)
        if outcome.result is Result.DONE and hold.said is Say.RELEASE:
            self._mark(case, fields, hold.state, number)

    def _append(self, event: FileEvent, fields: dict[str, Any], writer: int, *, act: bool) -> int:
        """The record is about who writes it: that person is told its name, not whose volume it is."""
        fields["user"] = self._parts.identity.pseudonym("user", str(writer).encode(), length=12)
        return self._parts.log.append("transfer", fields, durable=act, **(private_part(event) | {"owner": writer}))

    def _decide(self, case: Case, findings: Findings, named: Findings | None) -> tuple[Verdict, Findings, Facts]:
        """The verdict on the content, or on the name where that is stricter."""
        facts, _cause = self._with.pipeline.facts(case, findings)
        verdict = self._parts.policy.evaluate(facts)
        if named is not None:
            named_facts = replace(facts, findings=named)
            on_name = self._parts.policy.evaluate(named_facts)
            if on_name.decision.severity > verdict.decision.severity:
                return on_name, named, named_facts
        return verdict, findings, facts

    @staticmethod
    def _writer(question: Question, place: Place) -> int:
        """Whose the document is: who writes it; what root writes (a service, sudo) is the clinician's of the volume."""
        return question.uid if question.uid > 0 else place.owner

    def _act(self, transfer: OpenTransfer, hold: FileHold) -> Outcome:
        """An action that failed has let nothing go; what cannot be sealed is kept, it may be the only copy."""
        outcome = self._with.pipeline.apply(transfer)
        if hold.said is None:
            hold.refuse()
        if outcome.result is not Result.DONE and hold.said is Say.REFUSE and transfer.fd >= 0:
            try:
                return replace(outcome, held=self._with.keep(transfer))
            except (OSError, ChangedError):
                return outcome
        if hold.error:
            error = OSError(hold.error, os.strerror(hold.error))
            return Outcome(Result.FAILED, transfer.verdict.decision, word(error))
        return outcome

    def _close(
        self, case: Case, fields: dict[str, Any], findings: Findings, verdict: Verdict, outcome: Outcome, number: int,
        *, writer: int, terminal: str,
    ) -> None:  # fmt: skip
        parts, pipeline = self._parts, self._with.pipeline
        closed = pipeline.record_outcome(number, outcome)
        parts.settled(number)
        pipeline.count("acted")
        parts.acted(case.event.place, outcome)
        if worth_telling(verdict, outcome):
            parts.notices.tell(
                case.event, findings, verdict, outcome, time.time(), owner=writer, terminal=terminal,
                about="name" if fields.get("hold") == "name" else "",
            )  # fmt: skip
        parts.operations.note(
            "transfer.held", channel=str(case.event.place.channel), decision=fields["decision"],
            result=str(outcome.result), problem=outcome.problem, record=closed,
        )  # fmt: skip

    # ---- what is on the medium now

    def _committed(self, case: Case, fields: dict[str, Any], done: Done | None, number: int) -> None:
        if done is not None and done.error == 0:
            self._mark(case, fields, done.state, number)

    def _mark(self, case: Case, fields: dict[str, Any], state: Stamp | None, number: int) -> None:
        """Known from now on: the next look round the volume passes it over. A second look may be owed."""
        if state is None:
            return
        place, name = case.event.place, case.event.name
        basis = basis_of(fields)
        file = file_digest(self._parts.identity, place, name, state)
        self._parts.ledger.mark(file, basis, number)
        if to_come := replace(case, file=file, before=basis).owed:
            self._parts.want_read(case.event, to_come)

    # ---- names

    def name(self, session: Session, question: Question, place: Place) -> None:
        """Let the name appear, unless it tells of a patient and the policy does not let that go."""
        named = self._telling.of(question.name)
        if named is None and question.detail and question.flags & Flag.LINK:
            named = self._telling.of(question.detail)
        if named is None or self._is_ours(question):
            session.say(Answer(question.number, Say.RELEASE))
            return
        event = FileEvent(place, question.name, Cause.WRITTEN)
        file = self._parts.identity.pseudonym("held-name", place.root, question.name)
        engine = self._parts.engine()
        case = Case(event, -1, -1, Stamp(0, 0, 0, 0, 0), file, "", None, engine)
        facts, cause = self._with.pipeline.facts(case, named)
        verdict = self._parts.policy.evaluate(facts)
        if verdict.decision.severity >= Decision.JUSTIFY.severity:  # a name can be neither sealed nor kept for later
            verdict = replace(verdict, decision=Decision.BLOCK, message=())
        writer = self._writer(question, place)
        released = ""
        if verdict.decision is Decision.BLOCK:
            released = self._parts.passes(writer, str(place.channel), place.root, verdict.rule, file)
            verdict = replace(verdict, decision=Decision.OBSERVE) if released else verdict
        act = verdict.decision is not Decision.OBSERVE
        fields = transfer_fields(
            self._parts.identity, place, facts, verdict, cause, file, act=act, engine=engine, hold="name"
        ) | ({"released": released} if released else {})
        number = self._append(event, fields, writer, act=act)
        hold, terminal = NameHold(session, question), terminal_of(question.pid) if act else ""
        if verdict.decision is Decision.BLOCK:
            hold.refuse()
        else:
            hold.release()
        if act:
            self._close(
                case,
                fields,
                named,
                verdict,
                Outcome(Result.DONE, verdict.decision),
                number,
                writer=writer,
                terminal=terminal,
            )

    @staticmethod
    def _is_ours(question: Question) -> bool:
        """The agent itself gives this name: a document that is given back, a note. Our threads, not our children."""
        return question.pid > 0 and os.path.exists(f"/proc/self/task/{question.pid}")
