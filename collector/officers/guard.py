"""Between a request and what it does: who asks, whether they may, whether a form is really theirs.

Nothing is shown to, and nothing done for, a request that does not pass. Handlers get a ``Visit`` and work in a thread.
"""

from __future__ import annotations

import asyncio
import contextlib
import functools
import hmac
import time
from collections.abc import AsyncGenerator, Awaitable, Callable, Mapping
from dataclasses import dataclass
from urllib.parse import parse_qsl, quote

from sqlalchemy import Engine
from starlette.concurrency import run_in_threadpool
from starlette.requests import ClientDisconnect, Request
from starlette.responses import HTMLResponse, RedirectResponse, Response

from collector.officers import sessions
from collector.officers.roles import Right
from collector.officers.sessions import Session
from collector.pages import frame
from collector.service import Service

MAX_FORM_BYTES = 256 << 10
MAX_FORM_FIELDS = 32
FORM_TIMEOUT_S = 30.0
_SAME_SITE = frozenset({"same-origin", "none"})


@dataclass(frozen=True, slots=True)
class Visit:
    """One request of somebody who may make it. ``form`` is hostile, and empty but for POST."""

    request: Request
    session: Session
    form: Mapping[str, str]
    lang: str

    @property
    def service(self) -> Service:
        service: Service = self.request.app.state.service
        return service

    @property
    def engine(self) -> Engine:
        return self.service.engine

    @property
    def who(self) -> str:
        return self.session.officer.name

    def show(self, template: str, status: int = 200, **values: object) -> Response:
        """A page for this officer: with what they may reach, and the token that their forms need."""
        text = frame.render(
            self.lang, template, officer=self.session.officer, csrf=self.session.csrf,
            path=self.request.url.path, query=_without_language(self.request), **values,
        )  # fmt: skip
        return remember(self.request, HTMLResponse(text, status), self.lang)


Handler = Callable[[Visit], Response]
Endpoint = Callable[[Request], Awaitable[Response]]


def may(right: Right | None, *, whole: bool = True) -> Callable[[Handler], Endpoint]:
    """The endpoint of a handler that only somebody with ``right`` may use (None: whoever is signed in).

    ``whole`` False: also who has still to show a passkey.
    """

    def make(handler: Handler) -> Endpoint:
        @functools.wraps(handler)
        async def endpoint(request: Request) -> Response:
            session = await run_in_threadpool(find, request)
            if session is None or (whole and not session.whole):
                return _sign_in(request, session)
            visit = Visit(request, session, {}, language(request))
            if right is not None and right not in session.officer.rights:
                return visit.show("forbidden.html", 403, page="forbidden")
            if request.method == "POST":
                form = await read_form(request)
                if form is None or not _theirs(request, session, form):
                    return visit.show("forged.html", 403, page="forbidden")
                visit = Visit(request, session, form, visit.lang)
            return await run_in_threadpool(handler, visit)

        return endpoint

    return make


def find(request: Request) -> Session | None:
    """The session of a request, whole or not."""
    service: Service = request.app.state.service
    return sessions.find(service.engine, request.cookies.get(sessions.COOKIE, ""), int(time.time()))


def has_right(request: Request, right: Right) -> bool:
    """Whether the request is of an officer who is signed in and may do this."""
    session = find(request)
    return session is not None and session.whole and right in session.officer.rights


def language(request: Request) -> str:
    return frame.language(request.query_params, request.cookies, request.headers.get("accept-language", ""))


def from_here(request: Request) -> bool:
    """Whether a browser says that a page of ours sent this form; other sites' forms are refused."""
    if site := request.headers.get("sec-fetch-site", ""):
        return site in _SAME_SITE
    origin = request.headers.get("origin")
    return origin is None or origin.partition("://")[2] == (request.headers.get("host") or None)


async def read_form(request: Request) -> dict[str, str] | None:
    """The fields of a form; None when it is too large, too slow or not one. The last of several fields with one name
    counts; a file that is sent with it is a field too, when it is text.
    """
    kind = request.headers.get("content-type", "").split(";")[0].strip()
    untrusted = bytearray()
    try:
        async with asyncio.timeout(FORM_TIMEOUT_S):  # who has no account either keeps no place for ever
            async for part in request.stream():
                untrusted += part
                if len(untrusted) > MAX_FORM_BYTES:
                    return None
    except (TimeoutError, ClientDisconnect):
        return None
    try:
        if kind == "application/x-www-form-urlencoded":
            pairs = parse_qsl(untrusted.decode("utf-8"), keep_blank_values=True, max_num_fields=MAX_FORM_FIELDS)
        elif kind == "multipart/form-data":
            pairs = await _parts(request, bytes(untrusted))
        else:
            return None
    except ValueError:
        return None
    return {name: value.replace("\0", "") for name, value in pairs}  # PostgreSQL stores no NUL


async def _parts(request: Request, untrusted: bytes) -> list[tuple[str, str]]:
    """The fields of a form that may hold a file. Raises ValueError: it is not one, or the file is no text."""
    from python_multipart.multipart import parse_options_header
    from starlette.datastructures import UploadFile
    from starlette.formparsers import MultiPartException, MultiPartParser

    _, said = parse_options_header(request.headers.get("content-type", ""))
    if said.get(b"charset", b"utf-8").lower() != b"utf-8":  # browsers name none; punycode takes minutes, others lie
        raise ValueError

    async def whole() -> AsyncGenerator[bytes, None]:
        yield untrusted

    parser = MultiPartParser(
        request.headers, whole(), max_files=1, max_fields=MAX_FORM_FIELDS, max_part_size=MAX_FORM_BYTES
    )
    try:
        form = await parser.parse()
    except (MultiPartException, KeyError) as error:  # KeyError: a part without a name
        raise ValueError from error
    async with contextlib.AsyncExitStack() as closing:
        closing.push_async_callback(form.close)
        return [
            (name, (await value.read()).decode("utf-8-sig") if isinstance(value, UploadFile) else value)
            for name, value in form.multi_items()
        ]


def target(untrusted: str) -> str:
    """Where to go on: a path of ours, today's page otherwise."""
    plain = untrusted.isascii() and untrusted.isprintable() and "\\" not in untrusted
    good = plain and untrusted.startswith("/") and not untrusted.startswith("//")
    return untrusted if good and len(untrusted) < 512 else "/today"


def to(path: str) -> Response:
    """Go there with GET: what was sent is not sent again by going back."""
    return RedirectResponse(path, 303)


def _theirs(request: Request, session: Session, form: Mapping[str, str]) -> bool:
    given = form.get("csrf", "").encode("utf-8", "surrogatepass")
    return from_here(request) and hmac.compare_digest(given, session.csrf.encode())


def _sign_in(request: Request, session: Session | None) -> Response:
    if session is not None:
        return to("/login/passkey")
    path = request.url.path if request.method == "GET" else "/today"
    return to(f"/login?next={quote(path, safe='/')}")


def _without_language(request: Request) -> str:
    query = request.query_params
    return "&".join(f"{quote(key)}={quote(value)}" for key, value in query.multi_items() if key != "lang")


def remember(request: Request, response: Response, lang: str) -> Response:
    """The language that was asked for in the address, for later pages."""
    if request.query_params.get("lang") == lang:
        response.set_cookie("lang", lang, max_age=365 * 86400, httponly=True, samesite="strict", path="/")
    return response
