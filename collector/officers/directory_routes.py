"""Signing in by way of the hospital's directory: out to it, and back. ``directory`` asks it, ``members`` knows whom it
vouches for.

The session begins on a page of ours and not with a redirect: a strict cookie does not follow one that began elsewhere.
"""

from __future__ import annotations

import sys
import time

from starlette.concurrency import run_in_threadpool
from starlette.requests import Request
from starlette.responses import HTMLResponse, Response
from starlette.routing import Route

from agent.errors import SermentError, TransportError, UntrustedInputError
from agent.i18n import catalogue
from collector.officers import flows, guard, members, passkeys, sessions
from collector.officers.directory import Directory
from collector.officers.flows import PATH
from collector.officers.identity_token import refused
from collector.pages import frame
from collector.service import Service

BACK = PATH + "/back"
MAX_PARAMETER = 4096


def routes() -> list[Route]:
    """What a browser asks for on its way; nothing where no directory is set up."""
    return [Route(PATH, _out), Route(BACK, _back)]


async def _out(request: Request) -> Response:
    return await run_in_threadpool(_sent, request)


def _sent(request: Request) -> Response:
    """To the directory, with a cookie that only the answer's request carries."""
    service, directory = _asked(request)
    if directory is None:
        return guard.to("/login")
    now = int(time.time())
    try:
        flow = flows.begin(service.engine, guard.target(request.query_params.get("next", "")), now)
        address = directory.address(service.pages_url + BACK, flow.state, flow.nonce, flow.verifier)
    except SermentError as error:
        return _failed(request, error)
    response = guard.to("/")
    response.headers["location"] = address
    response.set_cookie(
        flows.COOKIE, flow.cookie, max_age=flows.LIFE_S, httponly=True, samesite="lax", path=PATH,
        secure=service.pages_url.startswith("https://"),
    )  # fmt: skip
    return response


async def _back(request: Request) -> Response:
    return await run_in_threadpool(_arrived, request)


def _arrived(request: Request) -> Response:
    """From the directory: whatever is asked for here, nothing is believed but a token that it signed for this flow."""
    service, directory = _asked(request)
    if directory is None:
        return guard.to("/login")
    query = {name: value[:MAX_PARAMETER] for name, value in request.query_params.items()}
    flow = flows.take(service.engine, request.cookies.get(flows.COOKIE, ""), query.get("state", ""), int(time.time()))
    try:
        if flow is None:
            raise refused("state")
        _check_answer(directory, query)
        claims = directory.claims(query["code"], flow.verifier, flow.nonce, service.pages_url + BACK)
    except SermentError as error:
        return _failed(request, error)
    provider = directory.provider
    roles, name = provider.roles_of(claims), claims.get(provider.name_claim)
    officer = members.come_in(service.engine, provider.issuer, claims["sub"], name, roles, int(time.time()))
    if officer is None:
        return _failed(request, refused("role"), 403)
    whole = passkeys.count(service.engine, officer.id) == 0
    cookie = sessions.begin(service.engine, officer, int(time.time()), whole=whole, how="directory")
    return _signed_in(request, service, cookie, flow.go_on if whole else "/login/passkey")


def _check_answer(directory: Directory, query: dict[str, str]) -> None:
    """The answer names its issuer where it says that it does (RFC 9207), and brings a code."""
    issuer = query.get("iss")
    named = directory.said().get("authorization_response_iss_parameter_supported") is True
    if (issuer is None and named) or (issuer is not None and issuer != directory.provider.issuer):
        raise refused("issuer")
    if "error" in query or not query.get("code"):
        raise refused("denied")


def _signed_in(request: Request, service: Service, cookie: str, go_on: str) -> Response:
    response = _page(request, "signed_in.html", next=go_on)
    response.set_cookie(
        sessions.COOKIE, cookie, max_age=sessions.LIFE_S, httponly=True, samesite="strict", path="/",
        secure=service.pages_url.startswith("https://"),
    )  # fmt: skip
    response.delete_cookie(flows.COOKIE, path=PATH, httponly=True, samesite="lax")
    return response


def _failed(request: Request, error: SermentError, status: int = 401) -> Response:
    """The sentence on a page; the word, without a name, to whoever runs the collector."""
    service, _ = _asked(request)
    if isinstance(error, UntrustedInputError):
        service.count("sign_ins_refused")
        print(f"serment-collector: sign-in by the directory: {error.fields.get('word')}", file=sys.stderr, flush=True)
    status = 503 if isinstance(error, TransportError) else status
    lang = guard.language(request)
    text, hint = error.said(catalogue(lang).gettext)
    return _page(request, "not_signed_in.html", status, why=text, hint=hint, word=error.fields.get("word", ""))


def _page(request: Request, template: str, status: int = 200, **values: object) -> Response:
    text = frame.render(guard.language(request), template, page="login", path="/login", query="", **values)
    return HTMLResponse(text, status)


def _asked(request: Request) -> tuple[Service, Directory | None]:
    service: Service = request.app.state.service
    return service, service.directory
