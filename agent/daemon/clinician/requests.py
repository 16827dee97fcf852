"""The requests of the clinician's side: ``helper.*`` for the session helper, ``held``, ``answer.*``, ``emergency.*``.

Strictly by the uid that the kernel names: nobody is told of another person's documents here, the administrator neither
(``notices`` and ``quarantine.list`` are there for that), nor answers for them by a number alone.
"""

from __future__ import annotations

import base64
import re
import socket
import time
from functools import partial
from typing import Any

from agent.daemon.allowance import Allowance
from agent.daemon.clinician.answering import Answering
from agent.daemon.clinician.emergency import CHANNELS, Emergencies
from agent.daemon.clinician.reach import Reach
from agent.daemon.control import Handler, Kept
from agent.daemon.notices import EXAMINING, Notice
from agent.errors import N_, UsageError
from agent.policy.answers import REASONS

RECENT_S = 600.0
MOST = 50
_MONTH = re.compile(r"20\d\d-(0[1-9]|1[0-2])")


def clinician_handlers(
    reach: Reach, answering: Answering, emergencies: Emergencies, since: float
) -> dict[str, Handler]:
    """The table. ``since``: when this agent began, by which a helper sees that notices are numbered anew."""
    allowance = Allowance()
    return {
        "helper.listen": lambda uid, _arguments: Kept(_hello(reach, since), partial(_adopt, reach, uid)),
        "helper.hello": lambda _uid, _arguments: _hello(reach, since),
        "helper.news": lambda uid, _arguments: _news(reach, answering, emergencies, since, uid),
        "helper.month": lambda uid, arguments: reach.month(allowance.spent(uid), *_months(arguments)),
        "held": lambda uid, arguments: answering.held(uid, own=bool(arguments.get("own"))),
        "answer": lambda uid, arguments: answering.answer(allowance.spent(uid), arguments),
        "answer.again": lambda uid, arguments: answering.again(allowance.spent(uid), arguments),
        "answer.progress": lambda uid, _arguments: answering.progress(uid),
        "emergency": lambda uid, arguments: emergencies.call(allowance.spent(uid), arguments),
        "emergency.list": lambda uid, _arguments: emergencies.listed(uid),
        "emergency.stop": lambda uid, _arguments: emergencies.stop(uid),
    }


def _adopt(reach: Reach, uid: int, connection: socket.socket) -> None:
    reach.subscribers.adopt(uid, connection)


def _hello(reach: Reach, since: float) -> dict[str, Any]:
    """What a helper shows around the notices: the policy's wording, reasons and limits."""
    policy, answers = reach.policy(), reach.answers
    return {
        "since": since, "release": policy.release, "texts": {word: dict(texts) for word, texts in answers.texts},
        "lessons": {rule: dict(texts) for rule, texts in answers.lessons},
        "reasons": [{"id": each.id, "text": dict(each.text)} for each in answers.reasons]
        or [{"id": word, "text": {"": text}} for word, text in REASONS],
        "mail": {"page": answers.mail.page, "program": answers.mail.program, "offered": answers.mail.offered},
        "emergency": {"minutes": answers.emergency.minutes, "a_day": answers.emergency.a_day,
                      "channels": list(map(str, CHANNELS))},
        "batch_minutes": answers.batch_minutes,
    }  # fmt: skip


def _news(
    reach: Reach, answering: Answering, emergencies: Emergencies, since: float, uid: int
) -> dict[str, Any]:  # fmt: skip
    """The person's own notices of the last minutes, newest last."""
    ago = time.time() - RECENT_S
    own = [each for each in reach.notices.of(uid) if each.owner == uid and each.time >= ago]
    return {
        "since": since, "release": reach.policy().release, "notices": [_notice(reach, each) for each in own[-MOST:]],
        "progress": answering.progress(uid),
        "emergency": emergencies.listed(uid, all_of_them=False),
    }  # fmt: skip


def _notice(reach: Reach, notice: Notice) -> dict[str, Any]:
    refused_here = bool(notice.file) and not notice.held
    offers: tuple[str, ...] = ()
    if notice.result != EXAMINING and notice.about != "name":
        offers = reach.offers(notice.decision, notice.rule, held=bool(notice.held) and not refused_here)
        offers = offers if notice.held or refused_here else ()
    return {
        "number": notice.number, "time": notice.time, "channel": notice.channel, "count": notice.count,
        "name": base64.b64encode(notice.name.rpartition(b"/")[2]).decode("ascii"), "kind": notice.kind,
        "decision": notice.decision, "result": notice.result, "held": notice.held, "rule": notice.rule,
        "message": dict(notice.message), "about": notice.about, "again": refused_here, "terminal": notice.terminal,
        "offers": list(offers),
    }  # fmt: skip


def _months(arguments: dict[str, Any]) -> tuple[str, str]:
    """The first and the last month; one month alone is both."""
    month = str(arguments.get("month", ""))
    since = str(arguments.get("since", month))
    if not (_MONTH.fullmatch(month) and _MONTH.fullmatch(since)):
        raise UsageError(N_("a month is written 2026-11"))
    return since, month
