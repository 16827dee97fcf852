"""The visit, over HTTP: who may, how much, then over to ``Intake``. docs/formats/fleet-protocol.md, section 3."""

from __future__ import annotations

import asyncio
import random
import time
from collections.abc import Mapping
from typing import Any

import msgspec
from starlette.requests import ClientDisconnect, Request
from starlette.responses import JSONResponse, Response
from starlette.routing import Route

from agent.errors import HostError, UntrustedInputError
from agent.transport import wire
from agent.transport.wire import Letterhead, Reply
from collector.ingest.intake import Denied, Unknown
from collector.ingest.writer import Busy
from collector.report import parse_report
from collector.service import Service
from collector.store.base import Laptop
from collector.sync.identity import Speaker, Stranger, expected, speaker

BODY_TIMEOUT_S = 30.0
BUSY_RETRY_S = 5
ENCODING = "serment-hpke"


def routes() -> list[Route]:
    """What laptops ask."""
    return [Route(wire.PATH, _sync, methods=["POST"])]


async def _sync(request: Request) -> Response:
    service: Service = request.app.state.service
    wait = service.admission.ask(time.monotonic(), random.random())  # noqa: S311 - spreads load, hides nothing
    if wait:
        service.count("refused_busy")
        return error(429, "busy", wait)
    try:
        letterhead = wire.parse_headers(request.headers)
    except UntrustedInputError as wrong:
        return error(401 if not _credentials(request) else 400, str(wrong) if _credentials(request) else "token")
    if letterhead.device in service.visiting:
        return error(429, "busy", 1)
    try:
        return await _visit(service, request, letterhead)
    except Stranger as stranger:
        return error(401, str(stranger))
    except Unknown:  # with a certificate of ours: this collector was put back from before the laptop was enrolled
        return error(401, "certificate")
    except Denied:
        service.count("refused_denied")
        return error(403, "denied")
    except (UntrustedInputError, ClientDisconnect) as wrong:
        return error(400, str(wrong))
    except TimeoutError:
        return error(408, "body")
    except Busy:
        return error(503, "busy", BUSY_RETRY_S)
    except HostError as failed:
        return error(503, str(failed), BUSY_RETRY_S)


def _credentials(request: Request) -> bool:
    """Whether anything at all is shown that may open this door; who shows nothing learns nothing of the format."""
    service: Service = request.app.state.service
    state: Mapping[str, Any] = request.scope.get("state", {})
    signed = "signature-input" in request.headers
    return (
        bool(state.get("serment_device")) or signed or service.access.bearer(request.headers.get("authorization", ""))
    )


async def _visit(service: Service, request: Request, letterhead: Letterhead) -> Response:
    if not _credentials(request):
        raise Stranger("token")
    await expected(service, request, letterhead)
    async with asyncio.timeout(BODY_TIMEOUT_S):
        body = await bounded_body(request, wire.MAX_BODY_BYTES + wire.MAX_SEALING_BYTES)
    who = await speaker(service, request, letterhead, body)
    if letterhead.device in service.visiting:  # one at a time: its next request rests on the answer of this one
        return error(429, "busy", 1)
    service.visiting.add(letterhead.device)  # not before it is known who speaks: else a stranger keeps it out
    try:
        return await _taken(service, request, letterhead, body, who)
    finally:
        service.visiting.discard(letterhead.device)


async def _taken(service: Service, request: Request, letterhead: Letterhead, body: bytes, who: Speaker) -> Response:
    """A visit of somebody who is who he says."""
    if request.headers.get("content-encoding") == ENCODING:
        body = await _opened(service, letterhead.device, body)
    reply, laptop = await service.intake.take(letterhead, body, make=who.make, reported_us=who.signed_us)
    service.count("visits")
    service.count("records", max(0, reply.size - letterhead.first) if not reply.why else 0)
    if reply.why:
        return Response(wire.reply_bytes(reply), 409, media_type="application/json")
    return Response(
        wire.reply_bytes(_with_parts(service, laptop, letterhead, body, reply)), media_type="application/json"
    )


async def _opened(service: Service, device: str, body: bytes) -> bytes:
    if service.authority is None:
        raise UntrustedInputError("this collector has no key to open a sealed request")
    return await asyncio.to_thread(service.authority.unseal, body, b"serment sync 1\n" + device.encode())


def _with_parts(service: Service, laptop: Laptop, letterhead: Letterhead, body: bytes, reply: Reply) -> Reply:
    """What others have to say to this laptop."""
    report = parse_report(body[: letterhead.report])
    policy: dict[str, Any] = {}
    asked: list[str] = []
    for part in service.parts:
        said = part(laptop, report)
        policy |= said.get("policy", {})
        asked += said.get("ask", ())
    return replace_reply(reply, policy, asked) if policy or asked else reply


def replace_reply(reply: Reply, policy: dict[str, Any], asked: list[str]) -> Reply:
    """The reply with what else there is to say."""
    changed: Reply = msgspec.structs.replace(reply, policy=policy, ask=tuple(dict.fromkeys(asked)))
    return changed


async def bounded_body(request: Request, limit: int) -> bytes:
    """The request's body. Raises UntrustedInputError: it is larger than ``limit`` bytes."""
    pieces, total = [], 0
    async for piece in request.stream():
        total += len(piece)
        if total > limit:
            raise UntrustedInputError("the request is larger than {limit} bytes", limit=limit)
        pieces.append(piece)
    return b"".join(pieces)


def error(status: int, what: str, retry_s: int = 0) -> Response:
    """A refusal, as fleet-protocol.md has them."""
    headers = {"Retry-After": str(retry_s)} if retry_s else {}
    if status == 401:
        headers["WWW-Authenticate"] = "Bearer"
    return JSONResponse({"error": what}, status, headers=headers)
