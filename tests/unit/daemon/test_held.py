"""A held document through judge, policy, record and action: who is told what, in which order, when something fails."""

from __future__ import annotations

import errno
import os
import threading
from dataclasses import replace
from pathlib import Path
from typing import Any

import pytest

from agent.actions import build_actions
from agent.actions.quarantine import QuarantineStore
from agent.crypto.keys import KeyStore
from agent.daemon.device import DeviceIdentity
from agent.daemon.event_queue import EventQueue
from agent.daemon.held import HeldTransfers, Reaches
from agent.daemon.held_pictures import HeldPictures
from agent.daemon.ledger import Ledger, Owed
from agent.daemon.notices import EXAMINING, Notices
from agent.daemon.operations import Operations
from agent.daemon.pipeline import Parts, Pipeline
from agent.daemon.troubles import Troubles
from agent.document import Problem
from agent.errors import HostError
from agent.findings import Findings, Judgement, Kind, undecidable
from agent.gates.asking import Answer, Ask, Done, Flag, Question, Say
from agent.model import ChannelKind, Decision, Device, Facts, FileEvent, Place, Stamp, Strength, Verdict

MEDICAL = Findings(Judgement.MEDICAL, Kind.CDA, 0.99, identified=True, patients=1)
HARMLESS = Findings(Judgement.NOT_MEDICAL)
CONTENT = b"abc" * 1000
STATE = Stamp(9, 8, 3000, 6, 5)


class Gate:
    """A session as ``held`` sees it: notes the answers, tells how the commit went."""

    def __init__(self) -> None:
        self.answers: list[Answer] = []
        self.substituted = b""
        self.done: Done | None = Done(2, 0, STATE)

    def say(self, answer: Answer, fd: int = -1, then: Any = None) -> bool:
        self.answers.append(answer)
        if fd >= 0:
            self.substituted = os.pread(fd, 1 << 20, 0)
        if then is not None:
            then(self.done)
        return True

    def say_and_wait(self, answer: Answer, fd: int, _wait_s: float) -> Done | None:
        self.say(answer, fd)
        return self.done

    @property
    def said(self) -> list[Say]:
        return [answer.say for answer in self.answers]


class Bench:
    def __init__(self, base: Path) -> None:
        self.findings = MEDICAL
        self.decision = Decision.BLOCK
        self.records: list[tuple[str, dict[str, Any]]] = []
        self.log_error = self.judge_error = False
        self.while_judging = lambda: None
        self.notices = Notices()
        self.ledger = Ledger(base / "ledger.db")
        self.store = QuarantineStore(base / "quarantine")
        self.keys = KeyStore(base / "keys")
        self.owed: list[tuple[FileEvent, Owed]] = []
        self.pictures = HeldPictures(None, 1.0, 1.0)
        identity = DeviceIdentity("dev_1", bytes(32))
        self.pipeline = Pipeline(
            Parts(
                judge=self, policy=self, actions=build_actions(self.store, self.keys), log=self, ledger=self.ledger,
                identity=identity, queue=EventQueue(), notices=self.notices, troubles=Troubles(lambda *_: None),
                operations=Operations(), login=lambda _uid: ("medecin", ()), released=self.store.released,
                settled=lambda _number: None, armed_ns=lambda _place: 0,
                want_read=lambda event, owed: self.owed.append((event, owed)),
            )
        )  # fmt: skip
        self.held = HeldTransfers(Reaches(self.pipeline, self, self.pictures, self.store.keep))
        self.place = Place(
            ChannelKind.REMOVABLE, os.fsencode(base / "stick"), 1000, "usb", Device(volume_uuid="u1"), Strength.HOLD,
            "airlock",
        )  # fmt: skip

    release = "r1"

    def judge(self, fd: int, extension: str = "", size: int = 0) -> Findings:
        if self.judge_error:
            raise HostError("no reader")
        self.while_judging()
        return self.findings if size == len(CONTENT) else HARMLESS  # names are harmless

    def evaluate(self, facts: Facts) -> Verdict:
        decision = self.decision if facts.findings.judgement is not Judgement.NOT_MEDICAL else Decision.OBSERVE
        return Verdict(decision, decision, "rule", "policy", self.release)

    def append(self, kind: str, fields: dict[str, object], *, durable: bool = False, **_private: object) -> int:
        if self.log_error:
            raise HostError("no space", what="audit")
        self.records.append((kind, dict(fields)))
        return len(self.records) - 1

    def ask(self, name: bytes = b"lettre.txt", *, uid: int = 1000, gate: Gate | None = None) -> Gate:
        gate = gate or Gate()
        fd = os.memfd_create("staged")
        try:
            os.write(fd, CONTENT)
            question = Question(2, Ask.FILE, Flag.NEW, uid=uid, size=len(CONTENT), name=name)
            self.held.file(gate, question, fd, self.place)  # type: ignore[arg-type]
        finally:
            os.close(fd)
        return gate

    def name(self, name: bytes, pid: int = 0) -> Gate:
        gate = Gate()
        self.held.name(gate, Question(3, Ask.NAME, Flag.FOLDER, uid=1000, pid=pid, name=name), self.place)  # type: ignore[arg-type]
        return gate

    def outcome(self) -> dict[str, Any]:
        return next(fields for kind, fields in self.records if kind == "outcome")


@pytest.fixture
def bench(tmp_path: Path) -> Bench:
    return Bench(tmp_path)


def test_harmless_goes_with_one_record_and_is_known(bench: Bench) -> None:
    bench.findings = HARMLESS
    assert bench.ask().said == [Say.RELEASE]
    ((kind, fields),) = bench.records
    assert (kind, fields["hold"], fields["strength"], "act" in fields) == ("transfer", "file", "hold", False)
    assert bench.ledger._run("SELECT count(*) FROM judged") == (1,)


def test_what_did_not_get_onto_the_medium_is_not_known(bench: Bench) -> None:
    bench.findings, gate = HARMLESS, Gate()
    gate.done = Done(2, errno.ENOSPC)
    bench.ask(gate=gate)
    assert bench.ledger._run("SELECT count(*) FROM judged") == (0,)


def test_refused_is_kept_for_its_writer(bench: Bench) -> None:
    assert bench.ask(uid=1234).said == [Say.REFUSE]
    (entry,) = bench.store.list()
    assert (entry.uid, entry.name, entry.state, entry.before) == (1234, b"lettre.txt", "held", True)
    assert (bench.outcome()["result"], bench.outcome()["held"]) == ("done", entry.id)
    assert bench.notices.of(1234)[0].held == entry.id
    bench.ask(uid=1234)
    assert len(bench.store.list()) == 1  # the same document again is the same copy


def test_what_root_writes_is_the_clinicians(bench: Bench) -> None:
    bench.ask(uid=0)
    assert bench.store.list()[0].uid == 1000


def test_sealed_goes_instead_and_cannot_be_read(bench: Bench) -> None:
    bench.decision = Decision.ENCRYPT
    bench.keys.prepare()
    gate = bench.ask()
    assert gate.said == [Say.SUBSTITUTE]
    assert gate.answers[0].name.endswith(b".age")
    assert gate.substituted.startswith(b"age-encryption.org/v1")
    assert b"abcabc" not in gate.substituted
    assert bench.outcome()["held"] == gate.answers[0].name.decode()


@pytest.mark.skipif(os.geteuid() != 0, reason="only root can be kept from nothing")
def test_what_cannot_be_sealed_is_refused_and_kept(bench: Bench, tmp_path: Path) -> None:
    bench.decision = Decision.ENCRYPT
    (tmp_path / "keys").rmdir() if (tmp_path / "keys").is_dir() else None
    (tmp_path / "keys").write_text("not a folder")
    gate = bench.ask()
    assert gate.said == [Say.REFUSE]
    assert bench.outcome()["result"] == "failed"
    assert [entry.state for entry in bench.store.list()] == ["held"]


@pytest.mark.parametrize(("error", "problem"), [(errno.ENOSPC, "disk-full"), (errno.ENODEV, "io-error")])
def test_a_commit_that_failed_is_what_the_record_says(bench: Bench, error: int, problem: str) -> None:
    bench.decision, gate = Decision.INFORM, Gate()
    gate.done = Done(2, error)
    assert bench.ask(gate=gate).said == [Say.RELEASE]
    assert (bench.outcome()["result"], bench.outcome()["problem"]) == ("failed", problem)


def test_a_gate_that_dies_while_it_commits_leaves_an_honest_record(bench: Bench) -> None:
    bench.decision, gate = Decision.INFORM, Gate()
    gate.done = None
    bench.ask(gate=gate)
    assert bench.outcome()["result"] == "failed"


@pytest.mark.parametrize("broken", ["log_error", "judge_error"])
def test_nothing_goes_when_nothing_can_be_judged_or_recorded(bench: Bench, broken: str) -> None:
    setattr(bench, broken, True)
    bench.findings, gate = HARMLESS, Gate()
    with pytest.raises(HostError):  # the desk answers EIO
        bench.ask(gate=gate)
    assert gate.answers == []


def test_released_for_a_reason_goes_while_it_is_being_given_back(bench: Bench) -> None:
    """The release holds the store; the airlock asks about what it writes: neither waits for the other."""
    bench.decision = Decision.JUSTIFY
    bench.ask()
    (entry,) = bench.store.list()
    asked: list[Gate] = []

    def give(*_arguments: object) -> Any:
        thread = threading.Thread(target=lambda: asked.append(bench.ask(b".serment-1.tmp")))
        thread.start()
        thread.join(10)
        raise HostError("far enough")

    bench.store._give = give  # type: ignore[method-assign]
    with pytest.raises(HostError, match="far enough"):
        bench.store.release(entry.id, 1000, "transfert")
    assert [gate.said for gate in asked] == [[Say.RELEASE]]
    assert bench.ask(b".serment-1.tmp").said == [Say.REFUSE]  # and no longer than that


def test_pictures_are_read_before_anything_goes(bench: Bench) -> None:
    bench.findings = undecidable(Problem.IMAGE)

    class Reader:
        def judge(self, fd: int, extension: str = "", size: int = 0) -> Findings:
            assert os.pread(fd, 3, 0) == b"abc"
            return MEDICAL

        def close(self) -> None: ...

    bench.held._with = replace(bench.held._with, pictures=HeldPictures(Reader, 5.0, 5.0))
    assert bench.ask().said == [Say.REFUSE]
    assert bench.records[0][1]["pictures"] == "read"


def test_pictures_that_take_too_long_go_as_they_are_and_are_owed(bench: Bench) -> None:
    bench.findings, bench.decision, stop = undecidable(Problem.IMAGE), Decision.OBSERVE, threading.Event()

    class Reader:
        def judge(self, fd: int, extension: str = "", size: int = 0) -> Findings:
            stop.wait(20)
            return MEDICAL

        def close(self) -> None: ...

    pictures = HeldPictures(Reader, 0.6, 5.0)
    bench.held._with = replace(bench.held._with, pictures=pictures)
    assert bench.ask(b"scan.pdf").said == [Say.RELEASE]
    assert bench.records[0][1]["pictures"] == "unread"
    assert [event.name for event, _owed in bench.owed] == [b"scan.pdf"]
    stop.set()


def test_the_budget_for_pictures_is_spent_and_comes_back() -> None:
    pictures = HeldPictures(None, 10.0, 60.0)
    pictures._spend(60.0)
    assert pictures._left(pictures._filled_at) == 0.0
    assert pictures._left(pictures._filled_at + 300.0) == pytest.approx(30.0)


def test_a_long_judgement_shows(bench: Bench, monkeypatch: pytest.MonkeyPatch) -> None:
    seen: list[str] = []
    monkeypatch.setattr("agent.daemon.notices.LONG_S", -1.0)
    bench.while_judging = lambda: seen.extend(notice.result for notice in bench.notices.of(1000))
    bench.ask()
    assert EXAMINING in seen
    assert EXAMINING not in [notice.result for notice in bench.notices.of(1000)]
    assert bench.notices.of(999) == ()


def test_names(bench: Bench) -> None:
    assert bench.name("DUPONT Jeanne née 12-03-1951".encode()).said == [Say.REFUSE]
    assert bench.name(b"Photos vacances").said == [Say.RELEASE]
    assert bench.records[0][1]["hold"] == "name"
    bench.decision = Decision.INFORM
    assert bench.name("a/DUPONT Jeanne née 12-03-1951".encode()).said == [Say.RELEASE]


def test_the_names_that_the_agent_gives_are_its_own(bench: Bench) -> None:
    name = "DUPONT Jeanne née 12-03-1951".encode()
    assert bench.name(name, pid=threading.get_native_id()).said == [Say.RELEASE]
    assert bench.name(name, pid=os.getppid()).said == [Say.REFUSE]


def test_no_name_in_a_record(bench: Bench) -> None:
    bench.ask(b"EXEMPLE Jeanne.txt")
    bench.name("EXEMPLE Jeanne née 12-03-1951".encode())
    assert "EXEMPLE" not in repr(bench.records)
