"""What may be asked over the socket and by whom, on a real quarantine: G10, and nothing recorded that did not happen."""

from __future__ import annotations

import base64
import shutil
from pathlib import Path
from typing import Any

import pytest

from agent.actions.block import HoldBack
from agent.actions.placeholder import Placeholders
from agent.channels.people import Person
from agent.daemon.control import Handler
from agent.daemon.notices import Notices
from agent.daemon.requests import Services, handlers
from agent.errors import HostError, SermentError, UsageError
from agent.model import Decision
from tests.acting import Desk

STRANGER = 61003


class Counter:
    """The handlers over a desk's quarantine, and what they wrote into the log."""

    def __init__(self, desk: Desk, home: Path) -> None:
        self.records: list[tuple[str, dict[str, object]]] = []
        person = Person(0, 0, "somebody", bytes(home))
        self.table: dict[str, Handler] = handlers(
            Services(
                status=lambda uid: {"uid": uid}, notices=Notices(), store=desk.store, person=lambda _uid: person,
                guarded=lambda: (), given_back=lambda _entry: None, reload_policy=dict, rescan=lambda: None,
                record=lambda kind, fields: self.records.append((kind, fields)),
            )
        )  # fmt: skip

    def ask(self, call: str, uid: int, **arguments: Any) -> Any:
        return self.table[call](uid, arguments)


@pytest.fixture
def desk(tmp_path: Path) -> Desk:
    (tmp_path / "sync").mkdir()
    return Desk(tmp_path / "sync", tmp_path / "data")


@pytest.fixture
def home(tmp_path: Path) -> Path:
    home = tmp_path / "home"
    home.mkdir()
    return home


@pytest.fixture
def counter(desk: Desk, home: Path) -> Counter:
    return Counter(desk, home)


def held(desk: Desk, decision: Decision) -> str:
    desk.put(b"letter.txt")
    with desk.open(b"letter.txt", decision) as transfer:
        return HoldBack(desk.store, Placeholders(desk.store, ("fr",)), decision).apply(transfer).held


@pytest.mark.parametrize("reason", ["", "  \n"])
def test_no_reason_no_release_and_no_record(desk: Desk, counter: Counter, reason: str) -> None:
    entry = held(desk, Decision.JUSTIFY)
    with pytest.raises(UsageError, match="reason"):
        counter.ask("release", 0, id=entry, reason=reason)
    assert counter.records == []


def test_a_release_is_recorded_by_the_length_of_its_reason(desk: Desk, counter: Counter) -> None:
    entry = held(desk, Decision.JUSTIFY)
    counter.ask("release", 0, id=entry, reason=" urgence ")
    ((kind, fields),) = counter.records
    assert kind == "release"
    assert fields["reason_length"] == 7
    assert "urgence" not in repr(fields)


@pytest.mark.parametrize("call", ["quarantine.restore", "release"])
def test_a_stranger_gets_nothing_and_learns_nothing(desk: Desk, counter: Counter, call: str) -> None:
    entry = held(desk, Decision.JUSTIFY)
    said = []
    for wanted in (entry, "AAAAAAAA"):
        with pytest.raises(SermentError) as caught:
            counter.ask(call, STRANGER, id=wanted, reason="x")
        said.append(str(caught.value).replace(wanted, ""))
    assert said[0] == said[1]
    assert counter.ask("quarantine.list", STRANGER) == []
    assert counter.records == []


@pytest.mark.parametrize("folder", [b"relative", b"../../etc", b"."])
def test_a_folder_is_absolute(desk: Desk, counter: Counter, folder: bytes) -> None:
    entry = held(desk, Decision.BLOCK)
    with pytest.raises(UsageError, match="absolute"):
        counter.ask("quarantine.restore", 0, id=entry, to=base64.b64encode(folder).decode())
    assert counter.records == []


@pytest.mark.parametrize("call", ["quarantine.restore", "release"])
def test_what_cannot_be_written_down_is_not_given(desk: Desk, home: Path, call: str) -> None:
    """The log's disk is full, the person's is not."""

    class Full(list[tuple[str, dict[str, object]]]):
        def append(self, _item: object) -> None:
            raise HostError("no space")

    counter, entry = Counter(desk, home), held(desk, Decision.JUSTIFY)
    counter.records = Full()
    with pytest.raises(HostError, match="space"):
        counter.ask(call, 0, id=entry, reason="x")
    assert list(home.iterdir()) == []
    assert not (desk.place / "letter.txt").exists()
    assert desk.store.get(entry, 0).state == "held"


@pytest.mark.parametrize("call", ["quarantine.restore", "release"])
def test_what_cannot_be_given_is_not_written_down(desk: Desk, counter: Counter, home: Path, call: str) -> None:
    entry = held(desk, Decision.JUSTIFY)
    shutil.rmtree(home)
    shutil.rmtree(desk.place)
    with pytest.raises(HostError, match="given back"):
        counter.ask(call, 0, id=entry, reason="x")
    assert counter.records == []
    assert desk.store.get(entry, 0).state == "held"


def test_a_restored_document_is_in_the_home(desk: Desk, counter: Counter, home: Path) -> None:
    counter.ask("quarantine.restore", 0, id=held(desk, Decision.BLOCK))
    assert [path.name for path in home.iterdir()] == ["letter.txt"]
    assert [kind for kind, _fields in counter.records] == ["restore"]


@pytest.mark.parametrize("call", ["policy.reload", "rescan"])
def test_only_the_administrator_may_reload_and_rescan(counter: Counter, call: str) -> None:
    counter.ask(call, 0)
    with pytest.raises(HostError, match="administrator"):
        counter.ask(call, STRANGER)
