"""May this program read this document? The gate's question, answered with the pipeline's own parts.

Judges the descriptor that waits to be opened and asks the policy, as for any transfer; acts on nothing. In a sync
folder the watcher's event records and acts (the sealed file takes the document's place); until then reading is refused.
A refusal elsewhere is recorded and told here, once for a document and a program. What is judged is kept by the file's
state, so that an arrival judged by the watcher is not judged again for its first reader.
"""

from __future__ import annotations

import os
import threading
import time
from collections import OrderedDict
from collections.abc import Callable
from dataclasses import replace
from typing import Protocol

from agent.actions.base import OpenTransfer
from agent.actions.encrypt import Encrypt
from agent.daemon.awaited_pictures import AwaitedPictures
from agent.daemon.case import Case
from agent.daemon.gate_answers import NotYetError, Reading
from agent.daemon.pipeline import Pipeline
from agent.daemon.transfer_record import private_part, transfer_fields
from agent.errors import SermentError
from agent.findings import Findings, Judgement
from agent.fsys.atomic import stamp
from agent.fsys.openat import open_beneath
from agent.fsys.ways import reach_root
from agent.gates.gate.verdicts import settled, written_to
from agent.model import Cause, ChannelKind, Decision, Facts, FileEvent, Outcome, Place, Result, Stamp, Strength, Verdict

REFUSED = frozenset({Decision.JUSTIFY, Decision.ENCRYPT, Decision.BLOCK})
JUDGED_KEPT = 4096
_TOLD_KEPT, _TOLD_S = 4096, 3600.0
_MOVED_NS = 120_000_000_000  # so long after a move the watcher may need to come to the last document


class Judge(Protocol):
    def judge(self, fd: int, extension: str = "", size: int = 0) -> Findings: ...


class JudgedFiles:
    """A judge that remembers what it found in a file's state, when that state cannot have been another one."""

    def __init__(self, judge: Judge, engine: Callable[[], str], knows: JudgedFiles | None = None) -> None:
        """``knows``: another one, whose memory is shared from now on."""
        self._judge = judge
        self._engine = engine
        self._found: OrderedDict[tuple[Stamp, str, str], Findings] = knows._found if knows else OrderedDict()
        self._lock: threading.Lock = knows._lock if knows else threading.Lock()

    def judge(self, fd: int, extension: str = "", size: int = 0) -> Findings:
        """As the judge behind it. Raises what that raises."""
        before = stamp(fd)
        key = (before, extension, self._engine())
        with self._lock:
            if (known := self._found.get(key)) is not None:
                self._found.move_to_end(key)
        if known is not None and written_to(fd) is False:
            return known
        calm = settled((0, 0, 0, 0, before.ctime_ns))
        findings = self._judge.judge(fd, extension, size)
        if calm and not findings.awaits_pictures and written_to(fd) is False and stamp(fd) == before:
            with self._lock:
                self._found[key] = findings
                while len(self._found) > JUDGED_KEPT:
                    self._found.popitem(last=False)
        return findings


class ReadingDecisions:
    """``refused`` is the gate's ``Decide``; called from several threads."""

    def __init__(
        self, pipeline: Pipeline, judge: Judge, places: Callable[[], tuple[Place, ...]],
        owner: Callable[[bytes], int], *, refuse_unknown: bool = True,
        awaited: AwaitedPictures | None = None,
    ) -> None:  # fmt: skip
        """``places``: the sync folders; ``owner``: the uid whose documents a folder holds; ``awaited``: None where no
        pictures are read.
        """
        self._awaited = awaited
        self._pipeline = pipeline
        self._judge = judge
        self._places = places
        self._owner = owner
        self._refuse_unknown = refuse_unknown
        self._told: OrderedDict[tuple[str, str, str], float] = OrderedDict()
        self._lock = threading.Lock()

    def refused(self, reading: Reading) -> bool:
        """Whether the waiting program does not get the document. Raises HostError when nobody can judge or record,
        NotYetError when a picture is still to be read.
        """
        if not reading.program.kind and not self._refuse_unknown:
            return False
        place = self._place(reading)
        state = stamp(reading.fd)
        old = state.ctime_ns <= self._pipeline.parts.armed_ns(place) and not (reading.sync and _just_moved(reading))
        event = FileEvent(place, reading.name, Cause.EXISTING if reading.sync and old else Cause.WRITTEN)
        case = self._pipeline.case(event, -1, reading.fd)
        findings = self._judge.judge(reading.fd, case.extension, state.size)
        final = self._awaited.final(state, case.extension, case.engine) if self._awaited else None
        findings = final or findings
        facts, cause = self._pipeline.facts(case, findings)
        if not old:  # known or not: what came under guard is what is new
            facts = replace(facts, arrival="new")
        if final is None and reading.sync and findings.awaits_pictures:
            self._put_off(case, state, facts)
        verdict, released = self._pipeline.respect_release(case, self._pipeline.parts.policy.evaluate(facts))
        refused = verdict.decision in REFUSED and not self._sealed(case, verdict)
        worth = verdict.decision is not Decision.OBSERVE or released
        # of a sync folder the watcher records what is refused; what is let go is recorded before it goes
        if worth and (released or not reading.sync) and self._is_news(case, reading, released):
            self._record(case, findings, verdict, facts, cause, released)
            self._note_told(case, reading, released)
        return refused

    def _put_off(self, case: Case, state: Stamp, facts: Facts) -> None:
        """Raises NotYetError while reading the picture could still show what the policy would refuse."""
        feared = replace(facts.findings, judgement=Judgement.MEDICAL, identified=True, patients=1, problem=None)
        verdict = self._pipeline.parts.policy.evaluate(replace(facts, findings=feared))
        if (
            verdict.decision in REFUSED
            and self._awaited is not None
            and self._awaited.is_awaited(state, case.extension, case.engine)
        ):
            raise NotYetError

    def _sealed(self, case: Case, verdict: Verdict) -> bool:
        """Whether it is to be sealed, and is: what took a document's place goes."""
        action = self._pipeline.parts.actions.get(verdict.decision)
        if not isinstance(action, Encrypt):
            return False
        try:
            return action.already(OpenTransfer(case.event, -1, case.fd, case.stamp, verdict, -1))
        except (SermentError, OSError):
            return False

    def _place(self, reading: Reading) -> Place:
        """The sync folder, or the way that the program takes out of a document folder."""
        if reading.sync:
            for place in self._places():
                if place.root == reading.root:
                    return place
        return Place(
            ChannelKind.CLOUD_SYNC, reading.root, self._owner(reading.root), reading.program.word, None,
            Strength.HOLD, "gate",
        )  # fmt: skip

    def _is_news(self, case: Case, reading: Reading, released: str) -> bool:
        """Programs try again and again: one record and one notice an hour."""
        with self._lock:
            last = self._told.get((case.file, reading.program.word, released), 0.0)
        return not last or time.monotonic() - last > _TOLD_S

    def _note_told(self, case: Case, reading: Reading, released: str) -> None:
        """Only once it is written: without a record nothing is let go, however often it is asked for."""
        key = (case.file, reading.program.word, released)
        with self._lock:
            self._told.pop(key, None)
            self._told[key] = time.monotonic()
            while len(self._told) > _TOLD_KEPT:
                self._told.popitem(last=False)

    def _record(
        self, case: Case, findings: Findings, verdict: Verdict, facts: Facts, cause: Cause, released: str
    ) -> None:
        parts = self._pipeline.parts
        fields = transfer_fields(
            parts.identity, case.event.place, facts, verdict, cause, case.file, act=not released, engine=case.engine
        )
        if released:
            parts.log.append("transfer", fields | {"released": released}, **private_part(case.event))
            return
        number = parts.log.append("transfer", fields, durable=True, **private_part(case.event))
        outcome = Outcome(Result.DONE, verdict.decision)
        self._pipeline.record_outcome(number, outcome)
        parts.settled(number)
        parts.notices.tell(case.event, findings, verdict, outcome, time.time(), file=case.file)


def _just_moved(reading: Reading) -> bool:
    """Whether a folder that the document lies in may have been moved a moment ago, perhaps into the sync folder: what
    is in it kept its times, and the watcher may still be on its way. A change of rights looks the same, for as long.
    """
    since_ns = time.time_ns() - _MOVED_NS
    try:
        root = reach_root(reading.root)
    except OSError:
        return False
    try:
        for at in (at for at, byte in enumerate(reading.name) if byte == ord("/")):
            folder = open_beneath(root, reading.name[:at], os.O_PATH | os.O_DIRECTORY)
            state = os.fstat(folder)
            os.close(folder)
            if state.st_ctime_ns > max(since_ns, state.st_mtime_ns):  # what is made or removed in it changes both
                return True
    except OSError:
        return True  # it has another name by now
    finally:
        os.close(root)
    return False
