"""The requests that begin with ``review.``: the review's table, bounded arguments in, JSON-like values out.

Who asks is what the kernel says; nothing in a request can. Holds are the administrator's.
"""

from __future__ import annotations

import os
import re
from typing import Any

from agent.audit import holds
from agent.audit.holds import FOREVER, Hold
from agent.daemon.control import Handler
from agent.daemon.reviewing.desk import ReviewDesk
from agent.daemon.reviewing.mine import Stores, mine
from agent.daemon.reviewing.wanted import wanted_from
from agent.errors import N_, HostError, UsageError

_DAY = re.compile(r"\d{4}-\d{2}-\d{2}")
_CASE = re.compile(r"[0-9A-Za-z][0-9A-Za-z._/-]{0,63}")


def review_handlers(stores: Stores) -> dict[str, Handler]:
    """The table."""
    desk = stores.desk
    return {
        "review.days": lambda uid, _arguments: desk.days(uid),
        "review.events": lambda uid, arguments: _events(desk, uid, arguments),
        "review.event": lambda uid, arguments: desk.event(uid, _number(arguments.get("i"))),
        "review.mark": lambda uid, arguments: desk.mark(uid, arguments.get("records")),
        "review.contest": lambda uid, arguments: desk.contest(
            uid, arguments.get("i"), arguments.get("why"), arguments.get("reason")
        ),
        "review.mine": lambda uid, _arguments: mine(stores, uid),
        "review.holds": lambda uid, _arguments: _holds(desk, uid),
        "review.hold": lambda uid, arguments: _hold(desk, uid, arguments),
        "review.lift": lambda uid, arguments: _lift(desk, uid, arguments),
    }


def _number(untrusted: object) -> int:
    if type(untrusted) is not int or not 0 <= untrusted <= FOREVER:
        raise UsageError(N_("the message on the local socket is not understood"))
    return untrusted


def _events(desk: ReviewDesk, uid: int, arguments: dict[str, Any]) -> dict[str, Any]:
    day = str(arguments.get("day", ""))
    if not _DAY.fullmatch(day):
        raise UsageError(N_("a day is written 2026-11-22, not {found}"), found=repr(day[:20]))
    return desk.events(uid, day, wanted_from(arguments), _number(arguments.get("first", 0)))


def _administrator(desk: ReviewDesk, uid: int) -> str:
    if uid not in {0, os.getuid()}:
        raise HostError(N_("only the administrator of this laptop may do this"), hint=N_("use sudo"))
    return desk.reader(uid).user


def _holds(desk: ReviewDesk, uid: int) -> list[dict[str, Any]]:
    _administrator(desk, uid)
    return [
        {"case": each.case, "since": each.since, "until": each.until, "reason": each.reason}
        for each in holds.read_holds(desk.log.folder)
    ]


def _hold(desk: ReviewDesk, uid: int, arguments: dict[str, Any]) -> dict[str, Any]:
    by, case = _administrator(desk, uid), str(arguments.get("case", ""))
    reason = str(arguments.get("reason", ""))
    if not _CASE.fullmatch(case):
        raise UsageError(N_("a case is a file number: letters, digits, . _ / - (64 at most), never a name"))
    if reason not in holds.REASONS:
        raise UsageError(N_("the reason is one of: {words}"), words=", ".join(holds.REASONS))
    hold = Hold(case, _number(arguments.get("since", 0)), _number(arguments.get("until", FOREVER)), reason)
    if hold.since >= hold.until:
        raise UsageError(N_("the end should be after the beginning"))
    return {"i": holds.place(desk.log, hold, by)}


def _lift(desk: ReviewDesk, uid: int, arguments: dict[str, Any]) -> dict[str, Any]:
    by = _administrator(desk, uid)
    return {"i": holds.lift(desk.log, str(arguments.get("case", ""))[:64], by)}
