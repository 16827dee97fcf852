"""Joining and renewing, over HTTP. docs/formats/fleet-protocol.md, sections 1 and 2.

What is refused says as little as possible: who tries tokens does not learn which part was wrong.
"""

from __future__ import annotations

import asyncio
import random
import time
from collections.abc import Callable
from typing import Any, TypeVar

import msgspec
from sqlalchemy import select, update
from sqlalchemy.exc import IntegrityError, SQLAlchemyError
from starlette.requests import ClientDisconnect, Request
from starlette.responses import JSONResponse, Response
from starlette.routing import Route

from agent.errors import UntrustedInputError
from agent.fleet.token import SECRET_BYTES
from agent.transport import signed, wire
from collector.enrol import tokens
from collector.enrol.authority import Authority
from collector.enrol.certificates import LATE_DAYS, LIFE_DAYS, issue, key_of_request, read_certificate, spki
from collector.journal import note
from collector.service import Service
from collector.store.tables import laptops
from collector.store.writing import writing
from collector.sync.routes import BODY_TIMEOUT_S, BUSY_RETRY_S, ENCODING, bounded_body, error

MAX_BODY = 32 << 10
SEAL_INFO = b"serment enrol 1"
_DAY_S = 24 * 3600
_Read = TypeVar("_Read")


class Enrol(msgspec.Struct):
    secret: bytes
    csr: str
    device: str
    version: str = ""
    log: str = ""


class Renew(msgspec.Struct):
    csr: str
    certificate: str


class _No(Exception):
    """Refused; status and word."""


def routes() -> list[Route]:
    """What a laptop asks before, and beside, its visits."""
    return [
        Route("/v1/authority", _authority),
        Route("/v1/enrol", _enrol, methods=["POST"]),
        Route("/v1/renew", _renew, methods=["POST"]),
    ]


def _service(request: Request) -> tuple[Service, Authority]:
    service: Service = request.app.state.service
    if service.authority is None:
        raise _No(404, "no authority")
    return service, service.authority


def _authority(request: Request) -> Response:
    try:
        service, authority = _service(request)
        return JSONResponse(authority.document(service.policies.root_digest() if service.policies else ""))
    except _No as no:
        return error(*no.args)


async def _answered(
    request: Request, kind: type[_Read], work: Callable[[Service, _Read, bytes], Any], good: int
) -> Response:
    try:
        service, authority = _service(request)
        if wait := service.admission.ask(time.monotonic(), random.random()):  # noqa: S311 - spreads load
            return error(429, "busy", wait)
        async with asyncio.timeout(BODY_TIMEOUT_S):
            body = plain = await bounded_body(request, MAX_BODY)
        if request.headers.get("content-encoding") == ENCODING:
            plain = await asyncio.to_thread(authority.unseal, body, SEAL_INFO)
        asked = msgspec.json.decode(plain, type=kind)
        return JSONResponse(await asyncio.to_thread(work, service, asked, body), good)
    except _No as no:
        return error(*no.args)
    except tokens.Spent:
        return error(403, "token")
    except (UntrustedInputError, ClientDisconnect, msgspec.MsgspecError, UnicodeDecodeError, RecursionError):
        return error(400, "request")
    except TimeoutError:
        return error(408, "body")
    except IntegrityError:
        return error(403, "token")
    except SQLAlchemyError:
        return error(503, "busy", BUSY_RETRY_S)


async def _enrol(request: Request) -> Response:
    return await _answered(request, Enrol, _enter, 201)


def _enter(service: Service, asked: Enrol, _: bytes) -> dict[str, str]:
    now, authority = int(time.time()), service.authority
    key = key_of_request(asked.csr)
    if authority is None or len(asked.secret) != SECRET_BYTES or not wire.valid_device(asked.device):
        raise _No(400, "request")
    log = asked.log if wire.valid_log(asked.log) else ""
    with writing(service.engine) as connection:
        group = tokens.group_of(connection, asked.secret, asked.device, spki(key), now)
        issued = issue(authority, asked.device, group, key, now)
        tokens.enter(connection, asked.secret, asked.device, group, issued, log, now)
    service.count("enrolled")
    return {"device": asked.device, "group": group, "certificate": issued.pem}


async def _renew(request: Request) -> Response:
    def work(service: Service, asked: Renew, body: bytes) -> dict[str, str]:
        return _renewed(service, asked, request, body)

    return await _answered(request, Renew, work, 200)


def _renewed(service: Service, asked: Renew, request: Request, body: bytes) -> dict[str, str]:
    now, authority = int(time.time()), service.authority
    if authority is None:
        raise _No(404, "no authority")
    try:
        device, old, until = read_certificate(authority, asked.certificate)
        signed.verify(request.method, request.url.path, request.headers, body, device, spki(old))
    except UntrustedInputError as wrong:
        raise _No(401, "certificate") from wrong
    key = key_of_request(asked.csr)
    with writing(service.engine) as connection:
        row = connection.execute(
            select(laptops.c.key, laptops.c.denied_at, laptops.c.group_name).where(laptops.c.device == device)
        ).first()
        if row is None or row.key not in {spki(old), spki(key)}:
            raise _No(401, "certificate")
        if row.denied_at is not None:
            raise _No(403, "denied")
        if now > until + LATE_DAYS * _DAY_S:
            raise _No(403, "too-old")
        if now < until - LIFE_DAYS * _DAY_S // 3 and row.key == spki(old):
            raise _No(403, "too-early")
        issued = issue(authority, device, row.group_name, key, now)
        values = {"key": issued.key, "certified_until": issued.until, "version": laptops.c.version + 1}
        connection.execute(update(laptops).where(laptops.c.device == device).values(**values))
        tokens.keep_certificate(connection, device, issued, now, "renew")
        note(connection, device, "laptop.renewed", {"laptop": device, "late": now > until})
    service.count("renewed")
    return {"certificate": issued.pem}
