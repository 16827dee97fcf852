"""What officers decide of alerts, of clinicians' requests and of risks. Each is added, told, and never overwritten in
silence; what changed meanwhile is refused.
"""

from __future__ import annotations

import time
from collections.abc import Mapping
from dataclasses import dataclass
from datetime import date

from sqlalchemy import Engine, func, insert, select, update

from agent.errors import N_, ChangedError, UsageError
from collector.journal import note
from collector.store.tables import alerts, answers, events, laptops, risks, story_decisions
from collector.store.writing import writing

VERDICTS = ("normal", "incident", "exception")  # as read: labels
ANSWERS = ("granted", "refused", "noted")
TREATMENTS = ("refused", "reduced", "transferred", "accepted")
REQUEST_KINDS = ("contest", "emergency")
MAX_WHY = 500
MAX_TITLE = 200
MAX_OWNER = 120
MAX_NOTE = 2000
MAX_NUMBER = (1 << 53) - 1


@dataclass(frozen=True, slots=True)
class Risk:
    """One line of the register; dates are ISO. ``id`` 0: not entered yet."""

    id: int
    version: int
    title: str
    treatment: str
    owner: str
    decided_on: str
    review_on: str
    note: str


def decide_story(engine: Engine, form: Mapping[str, str], by: str) -> None:
    """What the alerts of one kind of one laptop are. Raises UsageError: something is missing; ChangedError: there are
    none of those.
    """
    verdict, why, kind = form.get("verdict", ""), _text(form, "why", MAX_WHY), form.get("kind", "")[:64]
    if verdict not in VERDICTS:
        raise UsageError(N_("choose what it is"))
    until = _end_of(form.get("until", "")) if verdict == "exception" else None
    with writing(engine) as connection:
        device = _device(connection.execute(select(laptops.c.id).where(laptops.c.device == form.get("laptop", ""))))
        mine = (alerts.c.device == device, alerts.c.kind == kind)
        latest = connection.execute(select(func.max(alerts.c.last_at)).where(*mine)).scalar()
        if latest is None:
            raise _gone()
        values = {
            "device": device, "kind": kind, "verdict": verdict, "until": until, "why": why, "by_whom": by,
            "upto": min(_number(form.get("upto", "")), latest), "at": int(time.time()),
        }  # fmt: skip
        connection.execute(insert(story_decisions).values(values))
        said: dict[str, str | int | bool] = {"laptop": form["laptop"], "alert": kind, "verdict": verdict, "why": why}
        note(connection, by, "alert.decided", {**said, **({"until": until} if until else {})})


def answer_request(engine: Engine, form: Mapping[str, str], by: str) -> None:
    """Answer what somebody asked in their log. Raises UsageError and ChangedError."""
    answer, why, index = form.get("answer", ""), _text(form, "why", MAX_WHY), _number(form.get("index", ""))
    if answer not in ANSWERS:
        raise UsageError(N_("choose an answer"))
    with writing(engine) as connection:
        device = _device(connection.execute(select(laptops.c.id).where(laptops.c.device == form.get("laptop", ""))))
        asked = select(events.c.idx).where(
            events.c.device == device, events.c.idx == index, events.c.kind.in_(REQUEST_KINDS)
        )
        if connection.execute(asked).first() is None:
            raise _gone()
        values = {
            "device": device, "idx": index, "answer": answer, "why": why, "by_whom": by, "at": int(time.time()),
        }  # fmt: skip
        connection.execute(insert(answers).values(values))
        note(
            connection, by, "request.answered",
            {"laptop": form["laptop"], "record": index, "answer": answer, "why": why},
        )  # fmt: skip


def keep_risk(engine: Engine, risk: int, form: Mapping[str, str], by: str) -> None:
    """Enter a risk (0), or change one. Raises UsageError: something is missing; ChangedError: somebody else was
    quicker.
    """
    if risk > MAX_NUMBER:
        raise _gone()
    values = _risk_values(form)
    version = _number(form.get("version", "0"))
    with writing(engine) as connection:
        if risk:
            mine = update(risks).where(risks.c.id == risk, risks.c.version == version)
            if connection.execute(mine.values(**values, version=version + 1)).rowcount != 1:
                raise ChangedError(
                    N_("this risk was changed meanwhile"), hint=N_("look at it as it is now, then change it again")
                )
        else:
            connection.execute(insert(risks).values(**values, version=1))
            risk = int(connection.execute(select(func.max(risks.c.id))).scalar_one())
        said: dict[str, str | int | bool] = {"risk": risk, **values, "note": values["note"][:MAX_WHY]}
        note(connection, by, "risk.kept", said)


def _risk_values(form: Mapping[str, str]) -> dict[str, str]:
    if form.get("treatment", "") not in TREATMENTS:
        raise UsageError(N_("choose how the risk is treated"))
    decided, review = _date(form.get("decided_on", "")), _date(form.get("review_on", ""))
    if review < decided:
        raise UsageError(N_("the review comes after the decision"))
    return {
        "title": _text(form, "title", MAX_TITLE), "treatment": form["treatment"],
        "owner": _text(form, "owner", MAX_OWNER), "decided_on": decided.isoformat(), "review_on": review.isoformat(),
        "note": form.get("note", "").strip()[:MAX_NOTE],
    }  # fmt: skip


def all_risks(engine: Engine) -> list[Risk]:
    """The register, what is to be reviewed first on top."""
    query = select(risks).order_by(risks.c.review_on, risks.c.id)
    with engine.connect() as connection:
        return [
            Risk(
                row.id, row.version, row.title, row.treatment, row.owner, row.decided_on, row.review_on, row.note
            )
            for row in connection.execute(query)
        ]  # fmt: skip


def _text(form: Mapping[str, str], name: str, limit: int) -> str:
    text = form.get(name, "").strip()
    if not text:
        raise UsageError(_MISSING[name])
    return text[:limit]


_MISSING = {
    "why": N_("say why"),
    "title": N_("say what the risk is"),
    "owner": N_("say who owns the risk"),
}


def _date(text: str) -> date:
    try:
        return date.fromisoformat(text[:10])
    except ValueError as error:
        raise UsageError(N_("a date is missing")) from error


def _end_of(text: str) -> int:
    day = _date(text)
    end = int(time.mktime((day.year, day.month, day.day, 23, 59, 59, 0, 0, -1)))
    if end <= time.time():
        raise UsageError(N_("an exception ends on a day to come"))
    return end


def _number(text: str) -> int:
    if not text.isascii() or not text.isdigit() or len(text) > 16:
        raise UsageError(N_("this form is not complete"))
    return min(int(text), MAX_NUMBER)


def _device(found: object) -> int:
    device = found.scalar()  # type: ignore[attr-defined]
    if device is None:
        raise _gone()
    return int(device)


def _gone() -> ChangedError:
    return ChangedError(N_("there is nothing (any more) that this is about"))
