"""Who speaks: the client certificate of the connection, a signature of the laptop's own key, or the token of a
collector that is one laptop's own. Nothing else; what proves less never stands for a laptop that is enrolled.
"""

from __future__ import annotations

import asyncio
from dataclasses import dataclass

from starlette.requests import Request

from agent.errors import UntrustedInputError
from agent.transport import signed
from agent.transport.wire import Letterhead
from collector.service import Service

STATE_KEY = "serment_device"
"""Where the connection's protocol puts the pseudonym of the client certificate it verified."""

TRANSPORT_KEY = "serment_transport"
"""Where it puts its transport, for whoever keeps the connection."""


@dataclass(frozen=True, slots=True)
class Speaker:
    """``make``: a laptop that is not known may be entered. ``signed_us``: when a signed request says it was made."""

    make: bool = False
    signed_us: int = 0


class Stranger(Exception):
    """Who speaks is not known; the argument is the word of the answer: token or certificate."""


async def expected(service: Service, request: Request, letterhead: Letterhead) -> None:
    """Before the body is read: who has a certificate must name its laptop, who brings a signature one that has a key.
    Raises Stranger.
    """
    if certified(request) not in ("", letterhead.device):
        raise Stranger("certificate")
    if not certified(request) and signed.INPUT_HEADER in request.headers:
        laptop = await asyncio.to_thread(service.store.laptop, letterhead.device, 0, make=False)
        if laptop is None or not laptop.key:
            raise Stranger("certificate")


async def speaker(service: Service, request: Request, letterhead: Letterhead, body: bytes) -> Speaker:
    """Who brings a request about the laptop that ``letterhead`` names. Raises Stranger."""
    device = certified(request)
    if device:
        if device != letterhead.device:
            raise Stranger("certificate")
        return Speaker()
    if signed.INPUT_HEADER in request.headers:
        return Speaker(signed_us=await signed_by(service, request, letterhead.device, body))
    if not (service.open and service.access.bearer(request.headers.get("authorization", ""))):
        raise Stranger("token")
    laptop = await asyncio.to_thread(service.store.laptop, letterhead.device, 0, make=False)
    if laptop is not None and laptop.key:
        raise Stranger("certificate")
    return Speaker(make=True)


def certified(request: Request) -> str:
    """The pseudonym in the connection's verified client certificate; "" when it has none."""
    device = request.scope.get("state", {}).get(STATE_KEY, "")
    return device if isinstance(device, str) else ""


async def signed_by(service: Service, request: Request, device: str, body: bytes) -> int:
    """When a request that ``device`` signed was made (microseconds). Raises Stranger: it did not sign it."""
    laptop = await asyncio.to_thread(service.store.laptop, device, 0, make=False)
    if laptop is None or not laptop.key:
        raise Stranger("certificate")
    try:
        return signed.verify(request.method, request.url.path, request.headers, body, device, laptop.key)
    except UntrustedInputError as error:
        raise Stranger("certificate") from error
