"""The officers' pages: each names the right that it asks for, reads, and shows; forms go to ``officers.decisions``."""

from __future__ import annotations

import threading
import time
from typing import Any
from urllib.parse import urlencode

from sqlalchemy import select
from starlette.responses import Response, StreamingResponse
from starlette.routing import Route

from agent.errors import SermentError
from agent.i18n import catalogue
from collector import queries
from collector.backup import making
from collector.journal import note
from collector.officers import accounts, decisions
from collector.officers.guard import Visit, may, to
from collector.officers.roles import Right
from collector.pages import policies, proofs, roster, watching
from collector.pages.records import MAX_CHOICE, midnight
from collector.store.base import Laptop
from collector.store.tables import acts
from collector.store.writing import writing

MAX_ACTS = 200
SHORT = 10  # lines of each list on the first page
_verifying = threading.BoundedSemaphore(1)


def routes() -> list[Route]:
    """The pages of whoever has an account."""
    return [
        Route("/today", may(Right.TODAY)(_today)),
        Route("/fleet", may(Right.FLEET)(_fleet)),
        *policies.routes(),
        Route("/alerts", may(Right.ALERTS)(_alerts)),
        Route("/alerts", may(Right.ALERTS)(_decide), methods=["POST"]),
        Route("/requests", may(Right.REQUESTS)(_requests)),
        Route("/requests", may(Right.REQUESTS)(_answer), methods=["POST"]),
        Route("/proofs", may(Right.PROOFS)(_proofs)),
        Route("/proofs", may(Right.PROOFS)(_verify), methods=["POST"]),
        Route("/proofs/export", may(Right.PROOFS)(_export), methods=["POST"]),
        Route("/risks", may(Right.RISKS)(_risks)),
        Route("/risks/{risk:int}", may(Right.TREAT_RISKS)(_risk)),
        Route("/risks/{risk:int}", may(Right.TREAT_RISKS)(_keep_risk), methods=["POST"]),
        Route("/keys", may(Right.KEYS)(_keys)),
        Route("/acts", may(Right.ACTS)(_acts)),
    ]


def _today(visit: Visit) -> Response:
    now, rights = int(time.time()), visit.session.officer.rights
    stories, _, open_stories = watching.stories(visit.engine, now, 0, SHORT) if Right.ALERTS in rights else ([], 0, 0)
    requests, _, unanswered = watching.asked(visit.engine, 0, SHORT) if Right.REQUESTS in rights else ([], 0, 0)
    return visit.show(
        "today.html", page="today",
        fleet=roster.counts(visit.engine, now),
        silent=roster.page(visit.engine, now, only="silent", limit=SHORT)[0],
        today=queries.today(visit.engine, midnight(now) * 1_000_000),
        stories=stories[:open_stories], open_stories=open_stories,
        requests=requests[:unanswered], unanswered=unanswered,
        held=Right.POLICIES in rights and policies.is_held(visit.service.policies),
        due=_due(visit) if Right.TREAT_RISKS in rights else [],
        backup=_old_backup(visit) if Right.ACTS in rights else None,
    )  # fmt: skip


def _day(later: int = 0) -> str:
    """The date here, so many days from now (ISO)."""
    return time.strftime("%Y-%m-%d", time.localtime(time.time() + later * 86400))


def _old_backup(visit: Visit) -> int | None:
    """When the last backup was made, if that was too long ago (0: never); None otherwise."""
    made = making.last_made(visit.service.store)
    return made if making.is_old(made) else None


def _due(visit: Visit) -> list[decisions.Risk]:
    today = _day()
    return [risk for risk in decisions.all_risks(visit.engine) if risk.review_on <= today]


def _fleet(visit: Visit) -> Response:
    now, asked = int(time.time()), visit.request.query_params
    groups = roster.groups(visit.engine)
    group, only, after = asked.get("group", ""), asked.get("only", ""), asked.get("after", "")
    shown, total, more = roster.page(visit.engine, now, group=group, only=only, after=after)
    chosen = {name: value for name, value in (("group", group), ("only", only)) if value}
    return visit.show(
        "fleet.html", page="fleet", all=roster.counts(visit.engine, now).all, total=total, shown=shown, groups=groups,
        group=group if group in groups else "", only=only,
        following="/fleet?" + urlencode({**chosen, "after": shown[-1].cursor}) if more else "",
        first="/fleet?" + urlencode(chosen) if after else "",
    )  # fmt: skip


def _pages(path: str, skip: int, size: int, total: int) -> dict[str, str]:
    """The addresses of the page before and the page after; "" for none."""
    before = f"{path}?skip={max(skip - size, 0)}" if skip else ""
    return {"before": before, "following": f"{path}?skip={skip + size}" if skip + size < total else ""}


def _alerts(visit: Visit, wrong: str = "", status: int = 200) -> Response:
    skip = watching.place(visit.request.query_params.get("skip", ""))
    stories, total, waiting = watching.stories(visit.engine, int(time.time()), skip)
    return visit.show(
        "alerts.html", status, page="alerts", stories=stories, total=total, waiting=waiting, wrong=wrong,
        verdicts=decisions.VERDICTS, tomorrow=_day(1), **_pages("/alerts", skip, watching.PAGE, total),
    )  # fmt: skip


def _decide(visit: Visit) -> Response:
    try:
        decisions.decide_story(visit.engine, visit.form, visit.who)
    except SermentError as error:
        return _alerts(visit, _said(visit, error), 400)
    return to("/alerts")


def _requests(visit: Visit, wrong: str = "", status: int = 200) -> Response:
    skip = watching.place(visit.request.query_params.get("skip", ""))
    asked, total, waiting = watching.asked(visit.engine, skip)
    return visit.show(
        "requests.html", status, page="requests", asked=asked, total=total, waiting=waiting, wrong=wrong,
        answers=decisions.ANSWERS, **_pages("/requests", skip, watching.PAGE, total),
    )  # fmt: skip


def _answer(visit: Visit) -> Response:
    try:
        decisions.answer_request(visit.engine, visit.form, visit.who)
    except SermentError as error:
        return _requests(visit, _said(visit, error), 400)
    return to("/requests")


def _proofs(visit: Visit, status: int = 200, **found: Any) -> Response:
    names = roster.names(visit.engine, MAX_CHOICE)
    chosen = visit.form.get("laptop", "") or visit.request.query_params.get("laptop", "")
    values = {"proof": None, "verified": "", "wrong": ""} | found
    some = bool(names) or roster.counts(visit.engine, int(time.time())).all > 0
    return visit.show("proofs.html", status, page="proofs", some=some, names=names, chosen=chosen, **values)


def _verify(visit: Visit) -> Response:
    laptop = _laptop(visit)
    if laptop is None:
        return _proofs(visit, 404, wrong="unknown")
    if not _verifying.acquire(blocking=False):
        return _proofs(visit, 503, wrong="busy")
    try:
        proof = proofs.verify(visit.service.store, laptop)
    finally:
        _verifying.release()
    said: dict[str, str | int | bool] = {"laptop": laptop.device, "records": proof.held, "good": proof.good}
    with writing(visit.engine) as connection:
        note(connection, visit.who, "proof.verified", said)
    return _proofs(visit, proof=proof, verified=laptop.device)


def _export(visit: Visit) -> Response:
    laptop = _laptop(visit)
    if laptop is None:
        return _proofs(visit, 404, wrong="unknown")
    with writing(visit.engine) as connection:
        note(connection, visit.who, "proof.exported", {"laptop": laptop.device, "records": laptop.known.size})
    lines = proofs.export(visit.service.store, laptop, visit.service.witness)
    plain = "".join(letter for letter in laptop.device if letter.isascii() and (letter.isalnum() or letter in "_-"))
    name = f'attachment; filename="{plain}.jsonl"'
    return StreamingResponse(lines, media_type="application/jsonl", headers={"content-disposition": name})


def _laptop(visit: Visit) -> Laptop | None:
    return visit.service.store.laptop(visit.form.get("laptop", "")[:64], int(time.time()), make=False)


def _risks(visit: Visit) -> Response:
    return visit.show(
        "risks.html", page="risks", risks=decisions.all_risks(visit.engine), treatments=decisions.TREATMENTS,
        today=_day(),
    )  # fmt: skip


def _risk(visit: Visit, wrong: str = "", status: int = 200) -> Response:
    number = visit.request.path_params["risk"]
    today = _day()
    found = decisions.Risk(0, 0, "", "", visit.who, today, "", "")
    if number:
        kept = next((risk for risk in decisions.all_risks(visit.engine) if risk.id == number), None)
        if kept is None:
            return visit.show("missing.html", 404, page="missing")
        found = kept
    values = {name: visit.form.get(name, getattr(found, name)) for name in _RISK_FIELDS}
    return visit.show(
        "risk.html", status, page="risk", risk=found, values=values, treatments=decisions.TREATMENTS, wrong=wrong
    )  # fmt: skip


_RISK_FIELDS = ("title", "treatment", "owner", "decided_on", "review_on", "note")


def _keep_risk(visit: Visit) -> Response:
    try:
        decisions.keep_risk(visit.engine, visit.request.path_params["risk"], visit.form, visit.who)
    except SermentError as error:
        return _risk(visit, _said(visit, error), 400)
    return to("/risks")


def _keys(visit: Visit) -> Response:
    wanted = queries.EventFilter(kind="keys")
    people = [
        one for one in accounts.listed(visit.engine) if "key-officer" in str(one["roles"]) and not one["closed_at"]
    ]
    return visit.show(
        "keys.html", page="keys", events=queries.list_events(visit.engine, wanted, 100), officers=people
    )  # fmt: skip


def _acts(visit: Visit) -> Response:
    query = select(acts).order_by(acts.c.id.desc()).limit(MAX_ACTS)
    with visit.engine.connect() as connection:
        rows = connection.execute(query).all()
    return visit.show("acts.html", page="acts", acts=rows, people=_people(visit))


def _people(visit: Visit) -> list[dict[str, Any]]:
    return [each for each in accounts.listed(visit.engine) if not each["closed_at"]]


def _said(visit: Visit, error: SermentError) -> str:
    return error.render(catalogue(visit.lang).gettext)
