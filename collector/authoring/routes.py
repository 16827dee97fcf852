"""``POST /v1/plan``: an officer's command asks what a policy would have done. The facts stay here; counts go out."""

from __future__ import annotations

import asyncio
import threading
import time
from typing import Annotated, Any

import msgspec
from starlette.requests import Request
from starlette.responses import JSONResponse, Response
from starlette.routing import Route

from agent.errors import PolicyError, UntrustedInputError
from agent.i18n import catalogue
from collector.authoring.backtest import DEFAULT_DAYS, MAX_DAYS, plan
from collector.service import Service
from collector.sync.routes import BODY_TIMEOUT_S, BUSY_RETRY_S, bounded_body, error

MAX_BODY = 5 << 20  # two policies of a MiB, as JSON
MAX_POLICY = 1 << 20  # characters
_one_at_a_time = threading.Lock()  # a million facts are a minute of one processor

_Text = Annotated[str, msgspec.Meta(max_length=MAX_POLICY)]


class Asked(msgspec.Struct, forbid_unknown_fields=True):
    """The body. ``old`` None: against what was decided."""

    new: _Text
    old: _Text | None = None
    days: Annotated[int, msgspec.Meta(ge=1, le=MAX_DAYS)] = DEFAULT_DAYS
    language: Annotated[str, msgspec.Meta(pattern="^(fr|en)$")] = "fr"


def routes() -> list[Route]:
    """What a command for authors asks."""
    return [Route("/v1/plan", _plan, methods=["POST"])]


async def _plan(request: Request) -> Response:
    service: Service = request.app.state.service
    if not service.access.bearer(request.headers.get("authorization", "")):
        return error(401, "token")
    try:
        async with asyncio.timeout(BODY_TIMEOUT_S):
            body = await bounded_body(request, MAX_BODY)
        asked = msgspec.json.decode(body, type=Asked)
        new, old = asked.new.encode(), None if asked.old is None else asked.old.encode()
    except TimeoutError:
        return error(408, "body")
    except (ValueError, UntrustedInputError, msgspec.MsgspecError):  # lone surrogates too
        return error(400, "body")
    if not _one_at_a_time.acquire(blocking=False):
        return error(429, "busy", BUSY_RETRY_S)
    try:
        return JSONResponse(await asyncio.to_thread(_made, service, asked, new, old))
    except PolicyError as refused:
        text = refused.render(catalogue(asked.language).gettext)
        return JSONResponse({"error": "policy", "text": text}, 422)
    finally:
        _one_at_a_time.release()


def _made(service: Service, asked: Asked, new: bytes, old: bytes | None) -> dict[str, Any]:
    translates = {language: catalogue(language).gettext for language in ("fr", "en")}
    return plan(service.store, new, old, time.time_ns() // 1000, asked.days, translates, asked.language)
