"""A laptop asks for a bell, as the last act of a visit: who may have one. docs/formats/fleet-protocol.md, section 7."""

from __future__ import annotations

import asyncio

from starlette.background import BackgroundTask
from starlette.requests import Request
from starlette.responses import JSONResponse, Response
from starlette.routing import Route

from agent.errors import UntrustedInputError
from agent.transport import bell, wire
from collector.service import Service
from collector.sync.bells import KEEP_S
from collector.sync.identity import TRANSPORT_KEY, Stranger, certified, signed_by
from collector.sync.routes import error


def routes() -> list[Route]:
    """What laptops ask as the last act of a visit."""
    return [Route(bell.PATH, _bell, methods=["GET"])]


async def _bell(request: Request) -> Response:
    service: Service = request.app.state.service
    transport = request.scope.get("state", {}).get(TRANSPORT_KEY)
    try:
        device = await _who(service, request)
    except (Stranger, UntrustedInputError):
        return error(401, "certificate")
    laptop = await asyncio.to_thread(service.store.laptop, device, 0, make=False)
    if laptop is None:
        return error(401, "certificate")
    if laptop.denied:
        return error(403, "denied")
    if transport is None or service.following is None or len(service.bells) >= service.bells.most:
        return error(404, "unknown")
    seen = request.headers.get(bell.SEEN_HEADER, "0")
    call = service.following.pressing(int(seen) if seen.isascii() and seen.isdigit() and len(seen) < 16 else 0)

    async def hold() -> None:  # a coroutine: others are run in a thread
        service.bells.hold(device, transport, call=call)

    return JSONResponse({"keep_s": KEEP_S}, background=BackgroundTask(hold))


async def _who(service: Service, request: Request) -> str:
    """The laptop that asks. Raises Stranger and UntrustedInputError."""
    if device := certified(request):
        return device
    said = request.headers.get(wire.DEVICE_HEADER, "")
    if not wire.valid_device(said):
        raise Stranger("certificate")
    await signed_by(service, request, said, b"")
    return said
