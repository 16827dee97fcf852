"""Answers to what was held: one answer for one document or a whole batch, now or days later.

A person answers for the own documents (the administrator for anybody's). Giving takes its time (500 documents onto a
slow stick): a thread does it, one a person; ``answer`` waits for it a little, and says how far it is. What the policy
does not offer is refused here, whatever a helper shows.
"""

from __future__ import annotations

import base64
import contextlib
import threading
from dataclasses import dataclass, field, replace
from typing import Any

from agent.actions.entry import HELD, ID_PATTERN, Entry
from agent.daemon.clinician.batches import Batch, batch_of, batches
from agent.daemon.clinician.giving import Wish, give
from agent.daemon.clinician.passes import BATCH, DOCUMENT, Pass
from agent.daemon.clinician.reach import EMERGENCY, MAIL, REASON, SEAL, Reach, administrator, reason_of
from agent.errors import N_, HostError, SermentError, UsageError
from agent.policy.answers import NOT_A_PATIENT

WAIT_S = 8.0
_WAYS = (SEAL, REASON, MAIL, EMERGENCY)


@dataclass(slots=True)
class Progress:
    """How far an answer is. ``held``: the document that was answered for, or whose batch was."""

    held: str
    of: int
    done: int = 0
    failed: int = 0
    problem: SermentError | None = None
    paths: list[bytes] = field(default_factory=list)
    over: threading.Event = field(default_factory=threading.Event)

    def as_dict(self) -> dict[str, Any]:
        problem = self.problem
        return {
            "id": self.held, "of": self.of, "done": self.done, "failed": self.failed, "over": self.over.is_set(),
            "paths": [base64.b64encode(path).decode("ascii") for path in self.paths],
            "message": problem.message if problem else "", "hint": problem.hint if problem else "",
            "fields": {key: str(value) for key, value in problem.fields.items()} if problem else {},
        }  # fmt: skip


class Answering:
    """Called from the control server's threads."""

    def __init__(self, reach: Reach, wait_s: float = WAIT_S) -> None:
        self._reach = reach
        self._wait_s = wait_s
        self._at_work: dict[int, Progress] = {}
        self._lock = threading.Lock()

    def held(self, uid: int, *, own: bool = False) -> list[dict[str, Any]]:
        """The batches that wait for this person, oldest first; for the administrator everybody's, unless ``own``."""
        entries = self._reach.store.list(None if administrator(uid) and not own else uid)
        return [self._batch(batch) for batch in batches(entries) if batch.waiting]

    def _batch(self, batch: Batch) -> dict[str, Any]:
        waiting, first = batch.waiting, batch.waiting[0]
        return {
            "id": first.id, "ids": [entry.id for entry in waiting], "count": len(waiting), "time": first.taken,
            "name": _text(first.tail), "names": [_text(entry.tail) for entry in waiting[:20]],
            "folder": _text(first.root), "channel": str(first.channel), "rule": first.rule,
            "decision": str(first.action), "size": sum(entry.size for entry in waiting), "uid": first.uid,
            "offers": list(self._reach.offers(first.action, first.rule, held=True)),
        }  # fmt: skip

    def answer(self, uid: int, arguments: dict[str, Any]) -> dict[str, Any]:
        """Let a document, or with ``whole`` its batch, go in one of the ways that the policy offers.

        Raises UsageError: no such document, not offered, no reason; HostError: an answer is still at work.
        """
        entry, whole = self._entry(uid, arguments), bool(arguments.get("whole", True))
        wish = self._wish(uid, entry, arguments)
        found = batch_of(self._reach.store.list(entry.uid), entry.id)
        entries = found.waiting if whole and found is not None else (entry,)
        entries = tuple(each for each in entries if each.state == HELD)
        if not entries:
            raise UsageError(N_("this was answered already"), hint=N_("serment held shows what waits"))
        batch = found.id if found is not None and len(entries) > 1 else ""
        progress = self._begin(uid, entry.id, len(entries))
        self._reach.notices.answered(frozenset(each.id for each in entries))
        if whole and wish.how == REASON:
            self._rest_of_batch(entry)
        work = threading.Thread(
            target=self._give_all, args=(uid, entries, replace(wish, batch=batch), progress), name="answer", daemon=True
        )
        work.start()
        if arguments.get("wait", True):
            progress.over.wait(self._wait_s)
        return progress.as_dict()

    def progress(self, uid: int) -> dict[str, Any] | None:
        """How far this person's last answer is."""
        with self._lock:
            progress = self._at_work.get(uid)
        return progress.as_dict() if progress is not None else None

    def again(self, uid: int, arguments: dict[str, Any]) -> dict[str, Any]:
        """The answer to a document that was refused where it lies: it may be tried again for a while."""
        number = arguments.get("number")
        notice = next((each for each in self._reach.notices.of(uid) if each.number == number), None)
        if notice is None or notice.held or not notice.file:
            raise UsageError(N_("this was answered already"), hint=N_("serment held shows what waits"))
        if REASON not in self._reach.offers(notice.decision, notice.rule, held=False):
            raise _not_offered(notice.rule)
        why, text = reason_of(self._reach.answers, arguments)
        minutes = max(1, self._reach.answers.batch_minutes)
        alone = notice.count == 1
        wanted = Pass(
            "", DOCUMENT if alone else BATCH, uid, notice.channel, 0.0, "", root=notice.folder.hex(),
            rule=notice.rule, file=notice.file if alone else "",
        )  # fmt: skip
        given = self._reach.passes.grant(wanted, minutes * 60)
        fields = {"by": "owner", "how": REASON, "why": why, "reason_length": len(text), "pass": given.id,
                  "minutes": minutes, "user": self._reach.user(uid)}  # fmt: skip
        try:
            self._reach.append("release", fields, durable=True, private={"reason": text} if text else b"", owner=uid)
        except BaseException:
            self._reach.passes.end(given.id)
            raise
        self._reach.judge_anew()
        return {"minutes": minutes, "pass": given.id}

    # ---- one answer

    def _entry(self, uid: int, arguments: dict[str, Any]) -> Entry:
        entry_id = str(arguments.get("id", "")).upper()
        if not ID_PATTERN.fullmatch(entry_id):
            raise UsageError(N_("there is no document {id} in quarantine"), id=entry_id[:16])
        return self._reach.store.get(entry_id, 0 if administrator(uid) else uid)

    def _wish(self, uid: int, entry: Entry, arguments: dict[str, Any]) -> Wish:
        how, by = str(arguments.get("how", "")), "owner" if uid == entry.uid else "administrator"
        if how not in _WAYS:
            raise UsageError(N_("the message on the local socket is not understood"))
        if how == EMERGENCY:
            running = [each for each in self._reach.passes.active(entry.uid) if each.channel == entry.channel]
            if not running:
                raise UsageError(N_("no emergency is open for this"), hint=N_("see: serment emergency --help"))
            return Wish(how, uid, by, why=EMERGENCY, pass_id=running[0].id)
        if how not in self._reach.offers(entry.action, entry.rule, held=True):
            raise _not_offered(entry.rule)
        if how == MAIL:
            folder = base64.b64decode(str(arguments.get("to", "")))
            if not folder.startswith(b"/"):
                raise UsageError(N_("the folder should be an absolute path"), hint=N_("give a folder: --to"))
            return Wish(how, uid, by, to=folder)
        if how == SEAL:
            return Wish(how, uid, by)
        why, text = reason_of(self._reach.answers, arguments)
        if why == NOT_A_PATIENT:
            with contextlib.suppress(SermentError):  # said once already, or too often: the release still says it
                self._reach.contest(uid, entry.number, text)
        return Wish(how, uid, by, why, text)

    def _begin(self, uid: int, held: str, count: int) -> Progress:
        with self._lock:
            running = self._at_work.get(uid)
            if running is not None and not running.over.is_set():
                raise HostError(N_("your last answer is still being carried out"), hint=N_("try again in a moment"))
            progress = self._at_work[uid] = Progress(held, count)
        return progress

    def _rest_of_batch(self, entry: Entry) -> None:
        """What is still being copied now needs no answer of its own."""
        minutes = self._reach.answers.batch_minutes
        if minutes:
            wanted = Pass("", BATCH, entry.uid, str(entry.channel), 0.0, "", root=entry.root.hex(), rule=entry.rule)
            with contextlib.suppress(OSError):  # a full disk: each asks for itself then
                self._reach.passes.grant(wanted, minutes * 60)

    def _give_all(self, uid: int, entries: tuple[Entry, ...], wish: Wish, progress: Progress) -> None:
        try:
            for number, entry in enumerate(entries):
                try:
                    path = give(self._reach, entry, wish, first=number == 0)
                    if len(progress.paths) < 20:
                        progress.paths.append(path)
                    progress.done += 1
                except (SermentError, OSError) as error:
                    progress.failed += 1
                    progress.problem = _said(error)
        finally:
            progress.failed = progress.of - progress.done
            progress.over.set()
            self._reach.subscribers.tell(uid, "answers")


def _said(error: SermentError | OSError) -> SermentError:
    if isinstance(error, SermentError):
        return error
    return HostError(N_("the system refused: {why}"), why=error.strerror or "")


def _not_offered(rule: str) -> UsageError:
    return UsageError(
        N_("the rule {rule} does not offer this way"), hint=N_("serment held says which ways there are"), rule=rule
    )


def _text(name: bytes) -> str:
    return base64.b64encode(name).decode("ascii")
