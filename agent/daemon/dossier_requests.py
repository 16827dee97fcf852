"""What a person may ask over the local socket to make a dossier of an incident without reading the log's folder.

Everybody gets the own documents' records and those that are about nobody (policy, starts, troubles, places); the
administrator gets all. A dossier that was made is a record of the log, durable before the answer.
"""

from __future__ import annotations

import base64
import hmac
import json
import os
import re
from collections.abc import Callable, Mapping
from dataclasses import dataclass
from pathlib import Path
from typing import Any, Protocol

from agent.audit import chain
from agent.audit.segments import BEGINNING, Entry, Position, read_placed
from agent.crypto.keys import KeyStore
from agent.daemon.control import Handler
from agent.daemon.device import DeviceIdentity
from agent.errors import N_, HostError, SealError, UsageError

PAGE_RECORDS = 4000
PAGE_BYTES = 4 << 20
MAX_NUMBERS = 6000
MAX_NAMES = 500
_NOBODYS = frozenset(("start", "stop", "policy", "trouble", "overflow", "patients", "coalesced", "erasure", "purge"))
"""Kinds of records that are about no person; a place is somebody's stick or folder."""
_DIGEST = re.compile("[0-9a-f]{64}")
_SCOPES = frozenset(("device", "document", "time"))


class Log(Protocol):
    """What is asked of the audit log."""

    @property
    def folder(self) -> Path: ...

    def append(self, kind: str, fields: Mapping[str, Any], durable: bool = False) -> int: ...


@dataclass(frozen=True, slots=True)
class Dossiers:
    """What the handlers reach. ``spend`` raises when somebody asks for too much in an hour."""

    log: Log
    identity: DeviceIdentity
    keys: KeyStore
    policies: Path
    policy_files: tuple[Path, ...]
    spend: Callable[[int], int]


def dossier_handlers(with_: Dossiers) -> dict[str, Handler]:
    """The requests that begin with ``dossier.``."""
    return {
        "dossier.records": lambda uid, arguments: _records(with_, uid, arguments),
        "dossier.lead": lambda uid, arguments: _lead(with_, uid, arguments),
        "dossier.names": lambda uid, arguments: _names(with_, uid, arguments),
        "dossier.serial": lambda _uid, arguments: with_.identity.pseudonym(
            "serial", str(arguments.get("serial", ""))[:256].encode()
        ),
        "dossier.sentences": lambda _uid, arguments: _sentences(with_, arguments),
        "dossier.recipients": lambda _uid, _arguments: _recipients(with_),
        "dossier.made": lambda uid, arguments: _made(with_, uid, arguments),
    }


def _records(with_: Dossiers, uid: int, arguments: dict[str, Any]) -> dict[str, Any]:
    """A page of records from where the page before ended: those that ``uid`` may see."""
    place, mine = _Cursor(with_.identity, uid).read(arguments.get("from", ""))
    seen = _Sight(None if _administrator(uid) else _pseudonym(with_.identity, uid), mine)
    page: list[list[str]] = []
    size = read = 0
    for behind, entry in read_placed(with_.log.folder, position=place):
        place, read = behind, read + 1
        if seen.shows(entry):
            row = [base64.b64encode(entry.public).decode("ascii"), chain.private_hash(entry.private).hex()]
            page.append(row)
            size += len(row[0]) + 80
        if read >= PAGE_RECORDS or size >= PAGE_BYTES:
            break
    following = _Cursor(with_.identity, uid).write(place, seen.mine)
    return {"records": page, "next": following if read >= PAGE_RECORDS or size >= PAGE_BYTES else "",
            "own": seen.user is not None}  # fmt: skip


@dataclass(frozen=True, slots=True)
class _Cursor:
    """Where a page ended, and whose outcomes are still to come: kept by who asks, so it is bound to the uid."""

    identity: DeviceIdentity
    uid: int

    def _mark(self, text: str) -> str:
        return self.identity.pseudonym("dossier-page", str(self.uid).encode(), text.encode(), length=32)

    def write(self, place: Position, mine: set[int]) -> str:
        text = json.dumps([place.segment, place.offset, sorted(mine)[:MAX_NUMBERS]])
        return self._mark(text) + text

    def read(self, cursor: object) -> tuple[Position, set[int]]:
        if cursor == "":
            return BEGINNING, set()
        mark = cursor[:32] if isinstance(cursor, str) else ""
        if not isinstance(cursor, str) or not hmac.compare_digest(self._mark(cursor[32:]).encode(), mark.encode()):
            raise UsageError(N_("the message on the local socket is not understood"))
        segment, offset, mine = json.loads(cursor[32:])
        return Position(segment, offset), set(mine)


@dataclass(slots=True)
class _Sight:
    """Whose records are shown (None: everybody's), and which transfers of the pages before were the reader's."""

    user: str | None
    mine: set[int]

    def shows(self, entry: Entry) -> bool:
        fields = entry.fields
        if self.user is None or fields["k"] in _NOBODYS:
            return True
        if fields["k"] == "transfer" and fields.get("user") == self.user:
            if fields.get("act") is True:
                self.mine.add(entry.number)
            return True
        if fields["k"] == "outcome" and fields.get("of") in self.mine:
            self.mine.discard(fields["of"])
            return True
        return False


def _lead(with_: Dossiers, uid: int, arguments: dict[str, Any]) -> dict[str, Any]:
    """The way from records to a seal: reads the whole log, so nobody may ask for it all the time."""
    from agent.dossier.proof import lead

    numbers = sorted(set(_listed(arguments)))
    with_.spend(uid)
    return lead(with_.log.folder, numbers)


def _names(with_: Dossiers, uid: int, arguments: dict[str, Any]) -> dict[str, str]:
    """The names of the own documents among these records, base64 of their bytes."""
    from agent.dossier.source import names_for

    wanted = set(_listed(arguments)[:MAX_NAMES])
    if not wanted:
        return {}
    own = _pseudonym(with_.identity, uid)
    private = {}
    for _, entry in read_placed(with_.log.folder, min(wanted)):
        if entry.number > max(wanted):
            break
        if entry.number in wanted and entry.private and entry.fields.get("user") == own:
            private[entry.number] = entry.private
    try:
        identities = with_.keys.identities(uid)
    except (SealError, HostError):
        return {}
    names = names_for(with_.log.folder, private, identities)
    return {str(number): base64.b64encode(name).decode("ascii") for number, name in names.items()}


def _sentences(with_: Dossiers, arguments: dict[str, Any]) -> dict[str, list[str]]:
    from agent.dossier import policies

    data = policies.find(str(arguments.get("release", "")), with_.policies, with_.policy_files)
    return policies.sentences(data) if data is not None else {}


def _recipients(with_: Dossiers) -> dict[str, str]:
    """Public keys by fingerprint: whose each is, but not which clinician's."""
    from agent.dossier import policies
    from agent.dossier.source import recipients_of

    data = b""
    for path in with_.policy_files:
        try:
            with path.open("rb") as file:
                data = file.read(policies.MAX_BYTES)
        except OSError:
            continue
    return recipients_of(with_.keys, policies.parsed(data))


def _made(with_: Dossiers, uid: int, arguments: dict[str, Any]) -> dict[str, Any]:
    """The record that signs a dossier: the digests of its two files."""
    digests = {name: str(arguments.get(name, "")) for name in ("json", "pdf")}
    what, count = str(arguments.get("what")), _whole(arguments.get("count"))
    if what not in _SCOPES or not all(map(_DIGEST.fullmatch, digests.values())):
        raise UsageError(N_("the message on the local socket is not understood"))
    by = "administrator" if _administrator(uid) else "owner"
    with_.spend(uid)
    user = _pseudonym(with_.identity, uid)
    number = with_.log.append(
        "dossier", {"what": what, "count": count, "by": by, "user": user, **digests}, durable=True
    )
    entry = next(entry for _, entry in read_placed(with_.log.folder, number) if entry.number == number)
    public = base64.b64encode(entry.public).decode("ascii")
    return {"number": number, "public": public, "private_hash": chain.private_hash(entry.private).hex()}


def _whole(value: object) -> int:
    if type(value) is not int or not 0 <= value < 1 << 53:
        raise UsageError(N_("the message on the local socket is not understood"))
    return value


def _listed(arguments: dict[str, Any]) -> list[int]:
    numbers = arguments.get("numbers", [])
    if not isinstance(numbers, list) or len(numbers) > MAX_NUMBERS:
        raise UsageError(
            N_("these are too many documents to be proved over the socket"),
            hint=N_("ask for a shorter time, or let the administrator make the dossier"),
        )
    return [_whole(number) for number in numbers]


def _pseudonym(identity: DeviceIdentity, uid: int) -> str:
    return identity.pseudonym("user", str(uid).encode(), length=12)


def _administrator(uid: int) -> bool:
    return uid in {0, os.geteuid()}
