"""Figures for Prometheus (text format 0.0.4), and the description of the interface. No laptop is named in them."""

from __future__ import annotations

import time
from pathlib import Path

from sqlalchemy import func, select
from starlette.concurrency import run_in_threadpool
from starlette.requests import Request
from starlette.responses import PlainTextResponse, Response
from starlette.routing import Route

from collector.backup.making import last_made
from collector.service import Service
from collector.store.tables import alerts, laptops
from collector.sync.routes import error

DESCRIPTION = Path(__file__).parent / "openapi.yaml"
SILENT_S = 24 * 3600
_HELP = {
    "visits": "visits that were taken",
    "records": "records that visits brought",
    "refused_busy": "visits that were sent away for later",
    "refused_denied": "visits of laptops that are denied",
    "enrolled": "laptops that joined",
    "renewed": "certificates that were renewed",
    "sign_ins_refused": "sign-ins by the directory whose answer was not accepted",
}


def routes() -> list[Route]:
    """What machines ask about the collector itself."""
    return [Route("/metrics", _metrics), Route("/openapi.yaml", _description)]


async def _metrics(request: Request) -> Response:
    service: Service = request.app.state.service
    if not service.access.bearer(request.headers.get("authorization", "")):
        return error(401, "token")
    return PlainTextResponse(await run_in_threadpool(text, service), media_type="text/plain; version=0.0.4")


def text(service: Service) -> str:
    """All figures."""
    lines: list[str] = []
    for name, help_ in _HELP.items():
        lines += _figure(f"serment_collector_{name}_total", "counter", help_, service.counts.get(name, 0))
    lines += _figure("serment_collector_waiting", "gauge", "changes that wait to be stored", service.writer.waiting)
    failing = int(bool(service.writer.failing) or not service.writer.alive)
    lines += _figure("serment_collector_storage_failing", "gauge", "1: records cannot be stored", failing)
    made = last_made(service.store)
    age = int(time.time()) - made if made else -1
    lines += _figure("serment_collector_backup_age_seconds", "gauge", "since the last backup; -1: there is none", age)
    for name, (help_, value) in _fleet(service).items():
        lines += _figure(f"serment_collector_{name}", "gauge", help_, value)
    return "\n".join(lines) + "\n"


def _fleet(service: Service) -> dict[str, tuple[str, int]]:
    since = int(time.time()) - SILENT_S
    queries = {
        "laptops": ("laptops that are known", select(func.count()).select_from(laptops)),
        "laptops_denied": (
            "laptops that are denied", select(func.count()).select_from(laptops).where(laptops.c.denied_at.is_not(None))
        ),
        "laptops_silent": (
            "laptops that were not seen for a day",
            select(func.count()).select_from(laptops).where(laptops.c.last_seen < since, laptops.c.denied_at.is_(None)),
        ),
        "alerts": ("alerts that stand", select(func.count()).select_from(alerts)),
    }  # fmt: skip
    with service.engine.connect() as connection:
        return {name: (help_, connection.execute(query).scalar_one()) for name, (help_, query) in queries.items()}


def _figure(name: str, kind: str, help_: str, value: int) -> list[str]:
    return [f"# HELP {name} {help_}", f"# TYPE {name} {kind}", f"{name} {value}"]


def _description(_: Request) -> Response:
    return Response(DESCRIPTION.read_bytes(), media_type="application/yaml")
