"""The routes, thin: who may, how much, then over to ``writer`` or ``pages``. No state but what it is given."""

from __future__ import annotations

import asyncio
import contextlib
import time
from collections.abc import AsyncIterator, Awaitable, Callable, Mapping
from dataclasses import dataclass, field
from importlib.metadata import version
from pathlib import Path
from typing import Any

from sqlalchemy import Engine
from starlette.applications import Starlette
from starlette.concurrency import run_in_threadpool
from starlette.requests import ClientDisconnect, Request
from starlette.responses import HTMLResponse, JSONResponse, PlainTextResponse, Response
from starlette.routing import Mount, Route
from starlette.staticfiles import StaticFiles
from starlette.types import ASGIApp, Message, Receive, Scope, Send

from agent.errors import HostError, UntrustedInputError
from agent.transport import wire
from collector import pages, queries
from collector.access import COOKIE, COOKIE_AGE_S, Access
from collector.writer import Busy, Writer

BODY_TIMEOUT_S = 30.0
BUSY_RETRY_S = 5
MAX_JSON_EVENTS = 500
MAX_INDEX = 1 << 53
_HEADERS = {
    "content-security-policy": (
        "default-src 'none'; style-src 'self'; img-src 'self'; form-action 'self'; base-uri 'none'; "
        "frame-ancestors 'none'"
    ),
    "x-content-type-options": "nosniff",
    "x-frame-options": "DENY",
    "referrer-policy": "no-referrer",
    "cross-origin-opener-policy": "same-origin",
    "cross-origin-resource-policy": "same-origin",
    "permissions-policy": "camera=(), geolocation=(), microphone=()",
}
_RAW_HEADERS = [(name.encode(), value.encode()) for name, value in _HEADERS.items()]


@dataclass(slots=True)
class Service:
    """What the routes work with. ``busy`` counts requests in progress, ``last`` is when one ended (monotonic)."""

    engine: Engine
    writer: Writer
    access: Access
    busy: int = 0
    last: float = field(default_factory=time.monotonic)


def build(service: Service, on_start: Callable[[], Awaitable[None]] | None = None) -> ASGIApp:
    """The application. ``on_start`` runs beside it until it stops."""

    @contextlib.asynccontextmanager
    async def lifespan(_: Starlette) -> AsyncIterator[None]:
        task = asyncio.ensure_future(on_start()) if on_start else None
        yield
        if task:
            task.cancel()

    routes = [
        Route(wire.PATH, _sync, methods=["POST"]),
        Route("/health", _health),
        Route("/v1/events", _events_json),
        Route("/v1/laptops", _laptops_json),
        Route("/", _laptops),
        Route("/events", _events),
        Route("/events/{laptop}/{index:int}", _event),
        Mount("/static", StaticFiles(directory=Path(__file__).parent / "static")),
    ]
    app = Starlette(routes=routes, lifespan=lifespan, exception_handlers={404: _not_found})
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

        self._service.busy += 1
        try:
            await self._app(scope, receive, send_with_headers)
        finally:
            self._service.busy -= 1
            self._service.last = time.monotonic()


def _service(request: Request) -> Service:
    service: Service = request.app.state.service
    return service


async def _sync(request: Request) -> Response:
    service = _service(request)
    if not service.access.bearer(request.headers.get("authorization", "")):
        return _error(401, "token")
    try:
        letterhead = wire.parse_headers(request.headers)
        async with asyncio.timeout(BODY_TIMEOUT_S):
            body = await _bounded_body(request)
        reply = await asyncio.wrap_future(service.writer.submit(letterhead, body))
    except (UntrustedInputError, ClientDisconnect) as error:
        return _error(400, str(error))
    except TimeoutError:
        return _error(408, "body")
    except Busy:
        return _error(503, "busy", BUSY_RETRY_S)
    except HostError as error:
        return _error(503, str(error), BUSY_RETRY_S)
    return Response(wire.reply_bytes(reply), 409 if reply.why else 200, media_type="application/json")


async def _bounded_body(request: Request) -> bytes:
    pieces, total = [], 0
    async for piece in request.stream():
        total += len(piece)
        if total > wire.MAX_BODY_BYTES:
            raise UntrustedInputError("the request is larger than {limit} bytes", limit=wire.MAX_BODY_BYTES)
        pieces.append(piece)
    return b"".join(pieces)


def _error(status: int, what: str, retry_s: int = 0) -> Response:
    headers = {"Retry-After": str(retry_s)} if retry_s else {}
    if status == 401:
        headers["WWW-Authenticate"] = "Bearer"
    return JSONResponse({"error": what}, status, headers=headers)


def _health(request: Request) -> Response:
    writer = _service(request).writer
    good = writer.alive and not writer.failing
    state = {"status": "ok" if good else "failing", "version": version("serment"), "storage": writer.failing or "ok"}
    return JSONResponse(state, 200 if good else 503)


def _may_read(request: Request) -> bool:
    access = _service(request).access
    return access.page(request.cookies.get(COOKIE, "")) or access.bearer(request.headers.get("authorization", ""))


def _laptops_json(request: Request) -> Response:
    if not _may_read(request):
        return _error(401, "token")
    found = queries.list_laptops(_service(request).engine)
    rows = [
        {
            "laptop": laptop.device, "records": laptop.size, "last_seen": laptop.last_seen, "alerts": laptop.alerts,
            "policy": laptop.summary.policy, "version": laptop.summary.version,
        }
        for laptop in found
    ]  # fmt: skip
    return JSONResponse({"laptops": rows, "records": queries.count_events(_service(request).engine)})


def _events_json(request: Request) -> Response:
    """Newest first; ``next`` is the value of ``before`` for the following page, or null."""
    if not _may_read(request):
        return _error(401, "token")
    asked = request.query_params.get("limit", "100")
    limit = min(int(asked), MAX_JSON_EVENTS) if asked.isascii() and asked.isdigit() and len(asked) < 6 else 100
    wanted, _ = pages.event_filter({"kind": "all", **request.query_params})
    events = queries.list_events(_service(request).engine, wanted, limit)
    rows = [{"laptop": event.laptop, "result": event.result, "record": event.fields} for event in events]
    more = events[-1].cursor if len(events) == max(limit, 1) else None
    return JSONResponse({"events": rows, "next": more})


Page = Callable[[Engine, str], str | None]


async def _show(request: Request, page: Page) -> Response:
    lang = pages.language(request.query_params, request.cookies, request.headers.get("accept-language", ""))
    if not _may_read(request):
        return HTMLResponse(pages.render(lang, "login.html", page="login", path="", query="", wrong=False), 401)
    html = await run_in_threadpool(page, _service(request).engine, lang)
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
        return await _show(request, pages.laptops_page)
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

    def page(engine: Engine, lang: str) -> str | None:
        return pages.events_page(engine, lang, query)

    return await _show(request, page)


async def _event(request: Request) -> Response:
    laptop, index = request.path_params["laptop"], request.path_params["index"]

    def page(engine: Engine, lang: str) -> str | None:
        return pages.event_page(engine, lang, laptop, index) if index < MAX_INDEX else None

    return await _show(request, page)


async def _not_found(request: Request, _: Any) -> Response:
    if request.url.path.startswith("/v1/"):
        return _error(404, "unknown")
    lang = pages.language(request.query_params, request.cookies, request.headers.get("accept-language", ""))
    return _not_found_page(request, lang)


def _not_found_page(request: Request, lang: str) -> Response:
    if "text/html" not in request.headers.get("accept", "text/html") and "*/*" not in request.headers["accept"]:
        return PlainTextResponse("not found", 404)
    return HTMLResponse(pages.render(lang, "missing.html", page="missing", path="", query=""), 404)
