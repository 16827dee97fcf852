"""What the agent gives over its socket: the own records to everybody, all to the administrator, and no more."""

from __future__ import annotations

import base64
from collections.abc import Iterator
from pathlib import Path
from typing import Any

import pytest

from agent.audit import record
from agent.crypto.keys import KeyStore
from agent.daemon import dossier_requests
from agent.daemon.dossier_requests import Dossiers, dossier_handlers
from agent.errors import HostError, SermentError, UsageError
from tests.unit.dossier.invented_log import IDENTITY, MINE, THEIRS, Invented, log

DIGESTS = {"json": "a" * 64, "pdf": "b" * 64}


@pytest.fixture
def made(tmp_path: Path) -> Iterator[tuple[Invented, dict[str, Any]]]:
    with log(tmp_path / "audit") as invented:
        for _ in range(4):
            invented.document(user=MINE)
            invented.document(user=THEIRS)
            invented.document("inform", user=THEIRS)
        invented.put("view", user=THEIRS)
        invented.log.flush()  # type: ignore[union-attr]
        spent: list[int] = []
        with_ = Dossiers(
            invented.log,
            IDENTITY,
            KeyStore(tmp_path / "keys"),
            tmp_path / "policy",
            (),
            lambda uid: spent.append(uid) or uid,  # type: ignore[arg-type, func-returns-value]
        )
        yield invented, dossier_handlers(with_)


def everything(handlers: dict[str, Any], uid: int) -> list[dict[str, Any]]:
    found, cursor = [], ""
    while True:
        page = handlers["dossier.records"](uid, {"from": cursor})
        found += [record.decode(base64.b64decode(public)) for public, _ in page["records"]]
        cursor = page["next"]
        if not cursor:
            return found


@pytest.mark.parametrize("at_once", [1, 3, 4000])
def test_everybody_gets_the_own_records_page_by_page(
    made: tuple[Invented, dict[str, Any]], monkeypatch: pytest.MonkeyPatch, at_once: int
) -> None:
    monkeypatch.setattr(dossier_requests, "PAGE_RECORDS", at_once)
    _, handlers = made
    found = everything(handlers, 1000)
    transfers = [each for each in found if each["k"] == "transfer"]
    assert len(transfers) == 4 and {each["user"] for each in transfers} == {MINE}
    numbers = {each["i"] for each in transfers}
    assert {each["of"] for each in found if each["k"] == "outcome"} == numbers
    assert {each["k"] for each in found} == {"start", "policy", "transfer", "outcome"}


def test_the_administrator_gets_all(made: tuple[Invented, dict[str, Any]]) -> None:
    _, handlers = made
    found = everything(handlers, 0)
    assert [each["i"] for each in found] == list(range(len(found))) and len(found) == 3 + 4 * 5 + 1


def test_a_cursor_is_bound_to_who_got_it(
    made: tuple[Invented, dict[str, Any]], monkeypatch: pytest.MonkeyPatch
) -> None:
    """What stands in it says whose outcomes are still to come: nobody may write it."""
    monkeypatch.setattr(dossier_requests, "PAGE_RECORDS", 1)
    _, handlers = made
    cursor = handlers["dossier.records"](0, {"from": ""})["next"]
    for forged in (cursor, "0" * 32 + "[0, 0, [5]]", "x", 7, {"a": 1}, "\udcff" * 40):
        with pytest.raises((UsageError, UnicodeError)):
            handlers["dossier.records"](1000, {"from": forged})


def test_a_dossier_is_a_record_that_proves_itself(made: tuple[Invented, dict[str, Any]]) -> None:
    from agent.dossier import proof
    from agent.dossier.model import Evidence

    _, handlers = made
    answer = handlers["dossier.made"](1000, {"what": "device", "count": 3, **DIGESTS})
    led = handlers["dossier.lead"](1000, {"numbers": [answer["number"]]})
    one = Evidence(answer["number"], base64.b64decode(answer["public"]), bytes.fromhex(answer["private_hash"]))
    (shown,) = proof.check(proof.stated(led, [one])).records.values()
    assert {key: shown[key] for key in ("k", "what", "by", "user", "count", "json", "pdf")} == {
        "k": "dossier", "what": "device", "by": "owner", "user": MINE, "count": 3, **DIGESTS,
    }  # fmt: skip


@pytest.mark.parametrize(
    ("name", "arguments"),
    [
        ("dossier.made", {}),
        ("dossier.made", {"what": "device", "count": -1, **DIGESTS}),
        ("dossier.made", {"what": "Jeanne EXEMPLE", "count": 1, **DIGESTS}),
        ("dossier.made", {"what": "device", "count": 1, "json": "A" * 64, "pdf": "b" * 64}),
        ("dossier.lead", {"numbers": [1 << 60]}),
        ("dossier.lead", {"numbers": []}),
        ("dossier.lead", {"numbers": list(range(7000))}),
        ("dossier.lead", {"numbers": [True]}),
        ("dossier.lead", {"numbers": "0"}),
        ("dossier.names", {"numbers": [-1]}),
    ],
)
def test_what_is_not_understood_is_refused(made: tuple[Invented, dict[str, Any]], name: str, arguments: Any) -> None:
    invented, handlers = made
    before = invented.log.size  # type: ignore[union-attr]
    with pytest.raises(SermentError):
        handlers[name](1000, arguments)
    assert invented.log.size == before  # type: ignore[union-attr]


def test_nobody_fills_the_log_with_dossiers(tmp_path: Path) -> None:
    from agent.daemon.allowance import Allowance

    with log(tmp_path / "audit") as invented:
        with_ = Dossiers(invented.log, IDENTITY, KeyStore(tmp_path / "keys"), tmp_path, (), Allowance().spent)  # type: ignore[arg-type]
        handlers = dossier_handlers(with_)
        for _ in range(60):
            handlers["dossier.made"](1000, {"what": "time", "count": 0, **DIGESTS})
        with pytest.raises(HostError):
            handlers["dossier.made"](1000, {"what": "time", "count": 0, **DIGESTS})


def test_names_are_given_to_their_owner_alone(tmp_path: Path) -> None:
    from agent.audit.log import AuditLog
    from agent.audit.private import Vault

    keys = KeyStore(tmp_path / "keys")
    made = AuditLog.open(tmp_path / "audit", vault=Vault(tmp_path / "audit", keys.recipients))
    numbers = [
        made.append("transfer", {"user": user}, private={"name": name}, owner=owner)
        for user, name, owner in ((MINE, b"mien\xff.pdf", 1000), (THEIRS, b"autre.pdf", 1001))
    ]
    made.flush()
    handlers = dossier_handlers(Dossiers(made, IDENTITY, keys, tmp_path, (), lambda uid: uid))
    given = handlers["dossier.names"](1000, {"numbers": numbers})
    assert {number: base64.b64decode(name) for number, name in given.items()} == {str(numbers[0]): b"mien\xff.pdf"}
    assert handlers["dossier.names"](1002, {"numbers": numbers}) == {}
    made.close()
