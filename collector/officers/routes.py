"""Signing in and out, the one-time link, one's own account. Pages of others' acts: ``collector.pages``."""

from __future__ import annotations

import time
from collections.abc import Mapping

from starlette.concurrency import run_in_threadpool
from starlette.requests import Request
from starlette.responses import HTMLResponse, Response
from starlette.routing import Route

from agent.errors import SermentError
from agent.i18n import catalogue
from collector.officers import accounts, directory_routes, guard, members, passkeys, sessions, tries
from collector.officers.accounts import Officer
from collector.officers.guard import Visit, may
from collector.officers.passphrase import MAX_CHARACTERS, MIN_CHARACTERS
from collector.pages import frame
from collector.service import Service


def routes() -> list[Route]:
    """What anybody may ask for, and what whoever is signed in may do with their own account."""
    return [
        Route("/login", _login_page),
        Route("/login", _login, methods=["POST"]),
        *directory_routes.routes(),
        Route("/login/passkey", may(None, whole=False)(_passkey_page)),
        Route("/login/passkey", may(None, whole=False)(_passkey), methods=["POST"]),
        Route("/logout", may(None, whole=False)(_logout), methods=["POST"]),
        Route("/welcome", _welcome_page),
        Route("/welcome", _welcome, methods=["POST"]),
        Route("/account", may(None)(_account)),
        Route("/account/passkeys", may(None)(_add_passkey), methods=["POST"]),
        Route("/account/passkeys/remove", may(None)(_remove_passkey), methods=["POST"]),
    ]


def _service(request: Request) -> Service:
    service: Service = request.app.state.service
    return service


def _plain(request: Request, template: str, status: int = 200, **values: object) -> Response:
    lang = guard.language(request)
    query = request.url.query if request.method == "GET" and "lang=" not in request.url.query else ""
    directory = _service(request).directory
    label = directory.provider.label or directory.provider.host if directory is not None else ""
    text = frame.render(
        lang, template, page="login", path=request.url.path, query=query, directory=label, **values
    )  # fmt: skip
    return guard.remember(request, HTMLResponse(text, status), lang)


async def _login_page(request: Request) -> Response:
    go_on = guard.target(request.query_params.get("next", ""))
    return _plain(request, "sign_in.html", next=go_on, wrong="", wait=0)


async def _login(request: Request) -> Response:
    form = await guard.read_form(request)
    if form is None or not guard.from_here(request):
        return _plain(request, "sign_in.html", 403, next="/today", wrong="forged", wait=0)
    return await run_in_threadpool(_check_login, request, form)


def _check_login(request: Request, form: Mapping[str, str]) -> Response:
    engine, now = _service(request).engine, int(time.time())
    name, go_on = form.get("name", "").strip().lower()[:64], guard.target(form.get("next", ""))
    if seconds := tries.wait(engine, name, now):
        page = _plain(
            request, "sign_in.html", 429, next=go_on, wrong="wait", wait=seconds
        )  # fmt: skip
        page.headers["retry-after"] = str(seconds)
        return page
    tries.failed(engine, name, now)  # counted before: many at once are counted too
    officer = accounts.of_passphrase(engine, name, form.get("passphrase", ""))
    if officer is None:
        return _plain(request, "sign_in.html", 401, next=go_on, wrong="wrong", wait=0)
    tries.succeeded(engine, name)
    return signed_in(request, officer, go_on, "passphrase")


def signed_in(request: Request, officer: Officer, go_on: str, how: str) -> Response:
    """Go on with a session; by way of the passkey when the account has one."""
    engine = _service(request).engine
    whole = passkeys.count(engine, officer.id) == 0
    cookie = sessions.begin(engine, officer, int(time.time()), whole=whole, how=how)
    return _with_cookie(request, guard.to(go_on if whole else "/login/passkey"), cookie)


def _with_cookie(request: Request, response: Response, cookie: str) -> Response:
    service = _service(request)
    response.set_cookie(
        sessions.COOKIE, cookie, max_age=sessions.LIFE_S, httponly=True, samesite="strict", path="/",
        secure=request.url.scheme == "https" or service.pages_url.startswith("https://"),
    )  # fmt: skip
    return response


def _place(visit: Visit) -> passkeys.Place | None:
    url, host = visit.request.url, visit.request.headers.get("host", "")
    return passkeys.place(visit.service.pages_url, url.scheme, host)


def _passkey_page(visit: Visit) -> Response:
    where = _place(visit)
    if visit.session.whole:
        return guard.to("/today")
    question = passkeys.question(visit.engine, visit.session, where) if where else ""
    return visit.show("passkey.html", page="login", question=question, wrong="")


def _passkey(visit: Visit) -> Response:
    where = _place(visit)
    if where is None or visit.session.whole:
        return guard.to("/login/passkey")
    try:
        passkeys.answer(visit.engine, visit.session, where, visit.form.get("credential", ""))
    except SermentError as error:
        question = passkeys.question(visit.engine, visit.session, where)
        return visit.show("passkey.html", 401, page="login", question=question, wrong=_said(visit.lang, error))
    sessions.end(visit.engine, visit.session, quiet=True)
    cookie = sessions.begin(visit.engine, visit.session.officer, int(time.time()), whole=True, how="passkey")
    return _with_cookie(visit.request, guard.to("/today"), cookie)


def _logout(visit: Visit) -> Response:
    sessions.end(visit.engine, visit.session)
    place = _sign_out_there(visit)
    response = _plain(visit.request, "signed_out.html", onward=place) if place else guard.to("/login")
    response.delete_cookie(sessions.COOKIE, path="/", httponly=True, samesite="strict")
    return response


def _sign_out_there(visit: Visit) -> str:
    """Where the directory's own session ends, for whoever came by it; "" when it is away: they are out here anyway."""
    directory = visit.service.directory
    if directory is None or not members.is_known(visit.engine, visit.session.officer.id):
        return ""
    try:
        return directory.sign_out(visit.service.pages_url + "/login")
    except SermentError:
        return ""


async def _welcome_page(request: Request) -> Response:
    link = request.query_params.get("link", "")[:64]
    officer = await run_in_threadpool(accounts.of_link, _service(request).engine, link, int(time.time()))
    if officer is None:
        return _plain(request, "stale_link.html", 410)
    return _plain(request, "choose.html", link=link, name=officer.name, wrong="", least=MIN_CHARACTERS)


async def _welcome(request: Request) -> Response:
    form = await guard.read_form(request)
    if form is None or not guard.from_here(request):
        return _plain(request, "stale_link.html", 403)
    return await run_in_threadpool(_choose, request, form)


def _choose(request: Request, form: Mapping[str, str]) -> Response:
    engine, now = _service(request).engine, int(time.time())
    link, chosen = form.get("link", "")[:64], form.get("passphrase", "")
    officer = accounts.of_link(engine, link, now)
    if officer is None:
        return _plain(request, "stale_link.html", 410)
    wrong = ""
    if not MIN_CHARACTERS <= len(chosen) <= MAX_CHARACTERS or officer.name in chosen.lower():
        wrong = "short"
    elif chosen != form.get("again", ""):
        wrong = "other"
    if wrong:
        return _plain(
            request, "choose.html", 400, link=link, name=officer.name, wrong=wrong, least=MIN_CHARACTERS
        )  # fmt: skip
    if accounts.choose_passphrase(engine, link, chosen, now) is None:
        return _plain(request, "stale_link.html", 410)
    return signed_in(request, officer, "/account", "link")


def _account(visit: Visit, wrong: str = "", status: int = 200) -> Response:
    where = _place(visit)
    options = passkeys.registration(visit.engine, visit.session, where) if where else ""
    keys = passkeys.listed(visit.engine, visit.session.officer.id)
    return visit.show("account.html", status, page="account", options=options, keys=keys, wrong=wrong)


def _add_passkey(visit: Visit) -> Response:
    where = _place(visit)
    if where is None:
        return guard.to("/account")
    label = visit.form.get("label", "")
    try:
        passkeys.register(visit.engine, visit.session, where, visit.form.get("credential", ""), label)
    except SermentError as error:
        return _account(visit, _said(visit.lang, error), 400)
    return guard.to("/account")


def _remove_passkey(visit: Visit) -> Response:
    passkeys.remove(visit.engine, visit.session, visit.form.get("key", ""))
    return guard.to("/account")


def _said(lang: str, error: SermentError) -> str:
    return error.render(catalogue(lang).gettext)
