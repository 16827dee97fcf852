"""The repository's files over HTTP. Static, signed by people: any cache may serve them, and nobody is asked who it is.

docs/formats/fleet-protocol.md, section 4.
"""

from __future__ import annotations

import re
from pathlib import Path

from starlette.requests import Request
from starlette.responses import FileResponse, Response
from starlette.routing import Route

from collector.service import Service
from collector.sync.routes import error

RETRY_S = 60
_METADATA = re.compile(r"(timestamp|[0-9]{1,9}\.[a-z]{1,20})\.json")
_TARGET = re.compile(r"([a-z]{1,20}/)?[0-9a-f]{64}\.[A-Za-z0-9][A-Za-z0-9._-]{0,100}")


def routes() -> list[Route]:
    """What laptops fetch when there is something new."""
    return [Route("/v1/tuf/metadata/{name}", _metadata), Route("/v1/tuf/targets/{path:path}", _target)]


def _metadata(request: Request) -> Response:
    return _file(request, "metadata", request.path_params["name"], _METADATA)


def _target(request: Request) -> Response:
    return _file(request, "targets", request.path_params["path"], _TARGET)


def _file(request: Request, folder: str, untrusted: str, allowed: re.Pattern[str]) -> Response:
    service: Service = request.app.state.service
    if service.policies is None and service.following is not None:  # no word on whether there is such a file
        return error(503, "elsewhere", RETRY_S)
    if service.policies is None or not allowed.fullmatch(untrusted):
        return error(404, "unknown")
    path: Path = service.policies.folder / folder / untrusted
    return FileResponse(path) if path.is_file() else error(404, "unknown")
