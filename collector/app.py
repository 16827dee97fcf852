"""The routes, thin: who may, then over to ``queries`` or ``pages``; each package brings its own. No state but
``Service``.
"""

from __future__ import annotations

import logging
import time
from collections.abc import Mapping
from importlib.metadata import version
from pathlib import Path
from typing import Any, Protocol

from sqlalchemy import Engine
from sqlalchemy.exc import SQLAlchemyError
from starlette.applications import Starlette
from starlette.concurrency import run_in_threadpool
from starlette.requests import Request
from starlette.responses import HTMLResponse, JSONResponse, PlainTextResponse, Response
from starlette.routing import Mount, Route
from starlette.staticfiles import StaticFiles
from starlette.types import ASGIApp, Message, Receive, Scope, Send

from collector import figures, pages, queries
from collector.access import COOKIE, COOKIE_AGE_S
from collector.authoring import routes as authoring_routes
from collector.enrol import routes as enrol_routes
from collector.officers import guard
from collector.officers import routes as officer_routes
from collector.officers.roles import Right
from collector.pages import routes as page_routes
from collector.service import Service
from collector.sync import bell as bell_routes
from collector.sync import routes as sync_routes
from collector.sync.routes import error as _error
from collector.tuf import routes as tuf_routes

MAX_JSON_EVENTS = 500
MAX_JSON_LAPTOPS = 1000
MAX_INDEX = 1 << 53
MAX_PATH = 2048  # characters
RETRY_S = 5
_log = logging.getLogger("serment.collector")
_HEADERS = {
    "content-security-policy": (
        "default-src 'none'; style-src 'self'; img-src 'self'; script-src 'self'; connect-src 'self'; "
        "form-action 'self'; base-uri 'none'; frame-ancestors 'none'"
    ),
    "x-content-type-options": "nosniff",
    "x-frame-options": "DENY",
    "referrer-policy": "same-origin",  # with none at all, browsers do not say where a form comes from
    "cross-origin-opener-policy": "same-origin",
    "cross-origin-resource-policy": "same-origin",
    "permissions-policy": "camera=(), geolocation=(), microphone=(), publickey-credentials-get=(self)",
}
_RAW_HEADERS = [(name.encode(), value.encode()) for name, value in _HEADERS.items()]


def build(service: Service) -> ASGIApp:
    """The application."""
    routes = [
        *sync_routes.routes(),
        *bell_routes.routes(),
        *enrol_routes.routes(),
        *figures.routes(),
        *authoring_routes.routes(),
        *officer_routes.routes(),
        *page_routes.routes(),
        *tuf_routes.routes(),
        Route("/health", _health),
        Route("/v1/events", _events_json),
        Route("/v1/laptops", _laptops_json),
        Route("/", _laptops),
        Route("/events", _events),
        Route("/events/{laptop}/{index:int}", _event),
        Mount("/static", StaticFiles(directory=Path(__file__).parent / "static")),
    ]
    app = Starlette(routes=routes, exception_handlers={404: _not_found, SQLAlchemyError: _unusable})
    app.state.service = service
    return _Edge(app, service)


class _Edge:
    """Around everything: the headers that keep a page harmless, and the count of requests in progress."""

    def __init__(self, app: ASGIApp, service: Service) -> None:
        self._app = app
        self._service = service

    async def __call__(self, scope: Scope, receive: Receive, send: Send) -> None:
        if scope["type"] != "http":
            await self._app(scope, receive, send)
            return

        async def send_with_headers(message: Message) -> None:
            if message["type"] == "http.response.start":
                message["headers"] = [*message.get("headers", []), *_RAW_HEADERS]
                if not scope["path"].startswith("/static/"):
                    message["headers"].append((b"cache-control", b"no-store"))
            await send(message)

        if len(scope["path"]) > MAX_PATH:  # before a number in it is read: Python reads none of thousands of digits
            await _error(404, "unknown")(scope, receive, send_with_headers)
            return
        self._service.busy += 1
        try:
            await self._app(scope, receive, send_with_headers)
        finally:
            self._service.busy -= 1
            self._service.last = time.monotonic()


def _service(request: Request) -> Service:
    service: Service = request.app.state.service
    return service


def _health(request: Request) -> Response:
    writer = _service(request).writer
    good = writer.alive and not writer.failing
    state = {"status": "ok" if good else "failing", "version": version("serment"), "storage": writer.failing or "ok"}
    return JSONResponse(state, 200 if good else 503)


def _may_read(request: Request) -> bool:
    return _has_token(request) or guard.has_right(request, Right.RECORDS)


def _has_token(request: Request) -> bool:
    access = _service(request).access
    return access.page(request.cookies.get(COOKIE, "")) or access.bearer(request.headers.get("authorization", ""))


def _laptops_json(request: Request) -> Response:
    if not _may_read(request):
        return _error(401, "token")
    limit = _limit(request, MAX_JSON_LAPTOPS, MAX_JSON_LAPTOPS)
    if limit is None:
        return _error(400, "limit")
    engine = _service(request).engine
    found = queries.list_laptops(engine, limit, request.query_params.get("before", ""))
    rows = [
        {
            "laptop": laptop.device, "records": laptop.size, "last_seen": laptop.last_seen, "alerts": laptop.alerts,
            "policy": laptop.summary.policy, "version": laptop.summary.version,
        }
        for laptop in found
    ]  # fmt: skip
    more = found[-1].cursor if len(found) == limit else None
    return JSONResponse({"laptops": rows, "records": queries.count_records(engine), "next": more})


def _limit(request: Request, usual: int, most: int) -> int | None:
    """How many are asked for; None: that makes no sense."""
    asked = request.query_params.get("limit", str(usual))
    number = int(asked) if asked.isascii() and asked.isdigit() and len(asked) < 6 else 0
    return number if 1 <= number <= most else None


def _events_json(request: Request) -> Response:
    """Newest first; ``next`` is the value of ``before`` for the following page, or null."""
    if not _may_read(request):
        return _error(401, "token")
    limit = _limit(request, 100, MAX_JSON_EVENTS)
    if limit is None:
        return _error(400, "limit")
    wanted, _ = pages.event_filter({"kind": "all", **request.query_params})
    events = queries.list_events(_service(request).engine, wanted, limit)
    rows = [{"laptop": event.laptop, "result": event.result, "record": event.fields} for event in events]
    more = events[-1].cursor if len(events) == limit else None
    return JSONResponse({"events": rows, "next": more})


class Page(Protocol):
    """Makes a page; None: there is nothing at this address."""

    def __call__(self, engine: Engine, lang: str, **shared: Any) -> str | None: ...


async def _show(request: Request, page: Page) -> Response:
    lang = pages.language(request.query_params, request.cookies, request.headers.get("accept-language", ""))
    if not _may_read(request):
        return HTMLResponse(pages.render(lang, "login.html", page="login", path="", query="", wrong=False), 401)
    session = guard.find(request)
    shared: dict[str, Any] = {"officer": session.officer, "csrf": session.csrf} if session and session.whole else {}
    html = await run_in_threadpool(page, _service(request).engine, lang, **shared)
    if html is None:
        return _not_found_page(request, lang)
    return _remember(request, HTMLResponse(html), lang)


def _remember(request: Request, response: Response, lang: str) -> Response:
    if request.query_params.get("lang") == lang:
        response.set_cookie("lang", lang, max_age=365 * 86400, httponly=True, samesite="strict", path="/")
    return response


async def _laptops(request: Request) -> Response:
    untrusted_token = request.query_params.get("token")
    if untrusted_token is None:
        if not _has_token(request) and guard.find(request) is not None:
            return guard.to("/today")
        before = request.query_params.get("before", "")

        def page(engine: Engine, lang: str, **shared: Any) -> str | None:
            return pages.laptops_page(engine, lang, before, **shared)

        return await _show(request, page)
    lang = pages.language(request.query_params, request.cookies, request.headers.get("accept-language", ""))
    access = _service(request).access
    if not access.token(untrusted_token):
        return HTMLResponse(pages.render(lang, "login.html", page="login", path="", query="", wrong=True), 401)
    # A page of our own instead of a redirect: a strict cookie does not follow a redirect that began elsewhere.
    response = HTMLResponse(pages.render(lang, "welcome.html", page="login", path="", query=""))
    response.set_cookie(
        COOKIE, access.cookie, max_age=COOKIE_AGE_S, httponly=True, samesite="strict", path="/",
        secure=request.url.scheme == "https",
    )  # fmt: skip
    return _remember(request, response, lang)


async def _events(request: Request) -> Response:
    query: Mapping[str, str] = request.query_params

    def page(engine: Engine, lang: str, **shared: Any) -> str | None:
        return pages.events_page(engine, lang, query, **shared)

    return await _show(request, page)


async def _event(request: Request) -> Response:
    laptop, index = request.path_params["laptop"], request.path_params["index"]

    def page(engine: Engine, lang: str, **shared: Any) -> str | None:
        return pages.event_page(engine, lang, laptop, index, **shared) if index < MAX_INDEX else None

    return await _show(request, page)


async def _not_found(request: Request, _: Any) -> Response:
    if request.url.path.startswith("/v1/"):
        return _error(404, "unknown")
    lang = pages.language(request.query_params, request.cookies, request.headers.get("accept-language", ""))
    return _not_found_page(request, lang)


async def _unusable(request: Request, error: Exception) -> Response:
    """The database fails: said as such, and noted without its words, which may be those of whoever asked."""
    _log.warning("%s: the database: %s", request.url.path[:64], type(getattr(error, "orig", None) or error).__name__)
    if request.url.path.startswith("/v1/"):
        return _error(503, "database", RETRY_S)
    lang = pages.language(request.query_params, request.cookies, request.headers.get("accept-language", ""))
    html = pages.render(lang, "unusable.html", page="unusable", path="", query="")
    return HTMLResponse(html, 503, headers={"retry-after": str(RETRY_S)})


def _not_found_page(request: Request, lang: str) -> Response:
    if "text/html" not in request.headers.get("accept", "text/html") and "*/*" not in request.headers["accept"]:
        return PlainTextResponse("not found", 404)
    return HTMLResponse(pages.render(lang, "missing.html", page="missing", path="", query=""), 404)
