"""What may be asked over the local socket, and by whom: one handler a request.

Everybody sees the state of the guard, with the own places (status.py). A document's name is shown to its owner, and to
the uid that the agent runs as.
"""

from __future__ import annotations

import base64
import os
from collections.abc import Callable
from dataclasses import dataclass
from functools import partial
from typing import Any

from agent.actions.entry import Entry
from agent.actions.quarantine import QuarantineStore
from agent.channels.people import Person
from agent.daemon.control import Handler
from agent.daemon.notices import Notice, Notices
from agent.errors import N_, HostError, UsageError
from agent.model import Decision


@dataclass(frozen=True, slots=True)
class Services:
    """What the handlers reach; nothing else of the agent."""

    status: Callable[[int], dict[str, Any]]
    notices: Notices
    store: QuarantineStore
    person: Callable[[int], Person | None]
    guarded: Callable[[], tuple[bytes, ...]]  # folders that a restored document must not go to
    given_back: Callable[[Entry], None]  # the note in its folder is to be written anew
    reload_policy: Callable[[], dict[str, Any]]
    rescan: Callable[[], None]
    record: Callable[[str, dict[str, object]], None]
    apply_policy: Callable[[str], dict[str, Any]] = lambda _path: {}
    reload_patients: Callable[[], dict[str, Any] | None] = lambda: None


def handlers(services: Services) -> dict[str, Handler]:
    """The table of requests."""
    return {
        "status": lambda uid, _arguments: services.status(uid),
        "notices": lambda uid, _arguments: [_notice(item) for item in services.notices.of(_seen_by(uid))],
        "quarantine.list": lambda uid, _arguments: [_entry(item) for item in services.store.list(_seen_by(uid))],
        "quarantine.restore": lambda uid, arguments: _restore(services, uid, arguments),
        "release": lambda uid, arguments: _release(services, uid, arguments),
        "policy.reload": lambda uid, _arguments: _only_administrator(uid, services.reload_policy),
        "policy.apply": lambda uid, arguments: _only_administrator(
            uid, lambda: services.apply_policy(str(arguments.get("path", "")))
        ),
        "patients.reload": lambda uid, _arguments: _only_administrator(uid, services.reload_patients),
        "rescan": lambda uid, _arguments: _only_administrator(uid, services.rescan),
    }


def _administrator(uid: int) -> bool:
    return uid in {0, os.getuid()}


def _seen_by(uid: int) -> int | None:
    return None if _administrator(uid) else uid


def _only_administrator(uid: int, act: Callable[[], Any]) -> Any:
    if not _administrator(uid):
        raise HostError(N_("only the administrator of this laptop may do this"), hint=N_("use sudo"))
    return act()


def _restore(services: Services, uid: int, arguments: dict[str, Any]) -> dict[str, Any]:
    """Give the copy back in a folder of its owner, outside every guarded place."""
    entry = services.store.get(str(arguments.get("id", "")), _asks_as(uid))
    recorded = partial(services.record, "restore", {"held": entry.id, "by": _role(uid, entry.uid)})
    given = services.store.restore(
        entry.id, _asks_as(uid), _folder(services, entry, arguments.get("to")), guarded=services.guarded(),
        recorded=recorded,
    )  # fmt: skip
    services.given_back(entry)
    return {"id": entry.id, "path": _encoded(given.folder + b"/" + given.name)}


def _folder(services: Services, entry: Entry, wanted: object) -> bytes:
    if wanted:
        folder = base64.b64decode(str(wanted))
        if not folder.startswith(b"/"):  # relative to what? The agent stands somewhere else than who asks
            raise UsageError(N_("the folder should be an absolute path"), hint=N_("give a folder: --to"))
        return folder
    person = services.person(entry.uid)
    if person is None:
        raise HostError(N_("the owner of this document has no folder here"), hint=N_("give a folder: --to"))
    return person.home


def _release(services: Services, uid: int, arguments: dict[str, Any]) -> dict[str, Any]:
    """Let a document go that was held until a reason was given; its reason stays with it, its length in the log."""
    entry = services.store.get(str(arguments.get("id", "")), _asks_as(uid))
    reason = str(arguments.get("reason", ""))
    if entry.action is not Decision.JUSTIFY:
        raise UsageError(
            N_("the rule {rule} does not let this document go with a reason"),
            hint=N_("take it back with: serment quarantine restore {id}"), rule=entry.rule, id=entry.id,
        )  # fmt: skip
    if not reason.strip():  # before the record: nothing is let go, and nobody fills the log this way
        raise UsageError(N_("a document is released for a reason"), hint=N_("say it with --reason"))
    fields = {"held": entry.id, "by": _role(uid, entry.uid), "reason_length": len(reason.strip())}
    given = services.store.release(
        entry.id, _asks_as(uid), reason, recorded=partial(services.record, "release", fields)
    )
    services.given_back(entry)
    return {"id": entry.id, "path": _encoded(given.folder + b"/" + given.name)}


def _asks_as(uid: int) -> int:
    """The uid that the agent runs as administers its store, like root."""
    return 0 if _administrator(uid) else uid


def _encoded(name: bytes) -> str:
    return base64.b64encode(name).decode("ascii")


def _role(uid: int, owner: int) -> str:
    return "owner" if uid == owner else "administrator"


def _notice(notice: Notice) -> dict[str, Any]:
    return {
        "number": notice.number, "time": notice.time, "channel": notice.channel, "count": notice.count,
        "name": _encoded(notice.name), "folder": _encoded(notice.folder),
        "kind": notice.kind, "decision": notice.decision, "result": notice.result, "held": notice.held,
        "rule": notice.rule, "message": dict(notice.message),
    }  # fmt: skip


def _entry(entry: Entry) -> dict[str, Any]:
    return {
        "id": entry.id, "time": entry.taken, "channel": str(entry.channel), "rule": entry.rule, "size": entry.size,
        "decision": str(entry.action), "state": entry.state, "copies": entry.copies,
        "path": _encoded(entry.root.rstrip(b"/") + b"/" + entry.name),
    }  # fmt: skip
