"""What a person may ask about keys over the local socket. Nobody gets a private key from the agent.

``keys.unwrap`` opens one sealed file for who asks, from its header alone: the answer is the key of that file, and only
when the file is sealed for that person (or, for the administrator, for the practice). The document never comes here.

What happens on the person's side (a rotation, a recovery) is recorded as that person says, with their pseudonym, and
told to others in their name: the agent saw nothing of it.
"""

from __future__ import annotations

import base64
import os
import pwd
import re
import time
from collections.abc import Callable
from typing import Any

from agent.crypto import header
from agent.crypto.keys import KeyStore
from agent.crypto.recipients import unwrap
from agent.crypto.rehead import opens, stanzas_of
from agent.daemon.allowance import Allowance
from agent.daemon.control import Handler
from agent.daemon.device import DeviceIdentity
from agent.daemon.notices import Notices
from agent.errors import N_, HostError, UsageError
from agent.i18n import LANGUAGES, catalogue

_EVENTS = frozenset({"recovery-init", "recovery-request", "recovery-unlock", "recovery-finish", "recovery-drill",
                     "renew", "rotate", "phrase", "backup"})  # fmt: skip
_TOLD = {
    "recovery-request": N_("{who} asked two officers for access to a document that was sealed for you (case {case})."),
    "recovery-finish": N_(
        "{who} says that two officers gave access to a document that was sealed for you (case {case})."
    ),
}
_CASE = re.compile("[0-9a-f]{0,32}")
_MAX_NUMBER = 1_000_000

Record = Callable[[int, dict[str, object]], None]
"""Write what a person did, into the audit log."""


def key_handlers(
    keys: KeyStore, record: Callable[[str, dict[str, object]], None], notices: Notices, identity: DeviceIdentity
) -> dict[str, Handler]:
    """The requests that begin with ``keys.``."""
    allowance = Allowance()

    def record_of(uid: int, fields: dict[str, object]) -> None:
        record("keys", {**fields, "user": identity.pseudonym("user", str(uid).encode(), length=12)})

    return {
        "keys.recipients": lambda uid, arguments: list(keys.recipients(_whose(uid, arguments))),
        "keys.named": lambda _uid, arguments: keys.named(str(arguments.get("name", ""))),
        "keys.unwrap": lambda uid, arguments: _unwrap(keys, uid, arguments),
        "keys.phrase": lambda uid, arguments: _phrase(keys, record_of, allowance.spent(uid), arguments),
        "keys.states": lambda uid, _arguments: _states(keys, uid),
        "keys.renew": lambda uid, _arguments: _renew(keys, record_of, allowance.spent(uid)),
        "keys.restore": lambda uid, arguments: _restore(keys, record_of, allowance.spent(uid), arguments),
        "keys.record": lambda uid, arguments: _record(record_of, notices, allowance, uid, arguments),
    }


def _whose(uid: int, arguments: dict[str, Any]) -> int:
    """Whose recipients are asked for: the own ones, or anybody's for the administrator, who may read them anyway."""
    of = arguments.get("of", uid)
    if type(of) is not int or not 0 <= of < 1 << 32 or (of != uid and not _administrator(uid)):
        raise UsageError(N_("the message on the local socket is not understood"))
    return of


def _unwrap(keys: KeyStore, uid: int, arguments: dict[str, Any]) -> dict[str, Any]:
    """The file key of a sealed file, from its header, and which stanzas are those of who asks (of ``of``, when the
    administrator asks for somebody) or of the practice; for which of the two people it is sealed.

    Raises SealError when it is not sealed for who asks.
    """
    try:
        head = base64.b64decode(str(arguments.get("header", "")), validate=True)
    except ValueError as error:
        raise UsageError(N_("the message on the local socket is not understood")) from error
    identities = keys.opening(uid) if _administrator(uid) else keys.identities(uid)
    found = header.parse(head)
    key = base64.b64encode(unwrap(found, identities)).decode("ascii")
    whose = _whose(uid, arguments)
    known = tuple(dict.fromkeys((*identities, *keys.opening(whose))))
    own, theirs = opens(keys, uid, found), opens(keys, whose, found)
    return {"key": key, "stanzas": stanzas_of(found, known), "theirs": theirs, "own": own}


def _phrase(keys: KeyStore, record: Record, uid: int, arguments: dict[str, Any]) -> None:
    keys.protect_with_phrase(uid, str(arguments.get("new", "")), str(arguments.get("old", "")))
    record(uid, {"what": "phrase", "by": "owner"})


def _states(keys: KeyStore, uid: int) -> list[dict[str, str]]:
    """The own key, and for the administrator everybody's; never more than how it is protected."""
    return [
        {"name": state.name, "recipient": state.recipient, "method": state.method}
        for state in keys.states()
        if _administrator(uid) or state.name in {str(uid), "practice"}
    ]


def _renew(keys: KeyStore, record: Record, uid: int) -> str:
    recipient = keys.renew(f"clinicians/{uid}")
    record(uid, {"what": "renew", "by": "owner"})
    return recipient


def _restore(keys: KeyStore, record: Record, uid: int, arguments: dict[str, Any]) -> None:
    keys.restore(f"clinicians/{uid}", str(arguments.get("identity", ""))[:200].strip().upper())
    record(uid, {"what": "restore", "by": "owner"})


def _record(record: Record, notices: Notices, allowance: Allowance, uid: int, arguments: dict[str, Any]) -> None:
    """One record about keys, in words of a closed list and numbers; a recovery is told to the owner of the file, who
    mostly is not the one that asked, in the name of that one.
    """
    what, count, case = str(arguments.get("what")), arguments.get("count", 0), str(arguments.get("case", ""))
    if what not in _EVENTS or type(count) is not int or not 0 <= count <= _MAX_NUMBER or not _CASE.fullmatch(case):
        raise UsageError(N_("the message on the local socket is not understood"))
    if what == "recovery-init" and not _administrator(uid):
        raise HostError(N_("only the administrator of this laptop may do this"), hint=N_("use sudo"))
    allowance.spent(uid)
    record(uid, {"what": what, "count": count, "case": case, "by": "administrator" if _administrator(uid) else "user"})
    owner = arguments.get("owner")
    if what in _TOLD and type(owner) is int and 0 <= owner < 1 << 32:
        who = _login(uid)
        message = tuple((each, catalogue(each).gettext(_TOLD[what]).format(case=case, who=who)) for each in LANGUAGES)
        notices.announce(owner, "keys", message, time.time())


def _login(uid: int) -> str:
    try:
        return pwd.getpwuid(uid).pw_name
    except KeyError:
        return str(uid)


def _administrator(uid: int) -> bool:
    return uid in {0, os.geteuid()}
