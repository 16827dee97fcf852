"""The life of a collector's process: open everything, serve until told to stop, let what was taken in be stored.

Two addresses at most: one for people and for the laptop that embeds this collector (plain HTTP, loopback or behind a
web server), one for laptops of a fleet (TLS 1.3, client certificates of our own authority; ``tls``).
"""

from __future__ import annotations

import asyncio
import contextlib
import fcntl
import logging
import os
import signal
import socket
import sys
import time
from collections.abc import Coroutine, Iterator
from dataclasses import dataclass, field, replace
from pathlib import Path
from typing import TYPE_CHECKING

from sqlalchemy import func, select

from agent.errors import N_, HostError, UsageError
from agent.fsys.atomic import private_folder, replace_file
from collector.backup import UNFINISHED
from collector.commands import ADDRESS_FILE
from collector.store.retention import DEFAULT_DAYS

if TYPE_CHECKING:
    import uvicorn

    from collector.enrol.authority import Authority
    from collector.officers.directory import Directory
    from collector.service import Service
    from collector.tasks import Task

GRACE_S = 10
KEEP_ALIVE_S = 5
MAX_CONNECTIONS = 2048
RECOVERING_S = 1800
_HOUR_S = 3600.0


@dataclass(frozen=True, slots=True)
class Settings:
    """How to serve. ``laptops`` is the listening socket for a fleet, with the names that laptops call it by."""

    data: Path
    token_file: Path
    listening: socket.socket
    idle_exit_s: float = 0.0
    database: str = ""
    laptops: socket.socket | None = None
    names: tuple[str, ...] = ()
    verifiers: int = 0
    keep_days: int = DEFAULT_DAYS
    addresses: list[str] = field(default_factory=list)
    pages_url: str = ""
    directory: Path | None = None  # where officers.provider is described


def serve(settings: Settings) -> int:
    """Serve until SIGTERM or SIGINT, or until it was quiet for ``idle_exit_s``. Raises HostError and UsageError."""
    from collector.access import Access, load_token
    from collector.ingest.verifiers import Verifiers
    from collector.ingest.witness import load_witness
    from collector.ingest.writer import Writer
    from collector.service import Service
    from collector.store.engine import open_store

    directory = _directory(settings)
    private_folder(settings.data)
    with contextlib.ExitStack() as stack:
        lock = take_lock(settings.data)
        stack.callback(os.close, lock)
        token = load_token(settings.token_file)
        authority = _authority(settings)
        store = open_store(settings.data, settings.database)
        stack.callback(store.close)
        writer = Writer(store)
        stack.callback(writer.close)
        verifiers = Verifiers(settings.verifiers)
        stack.callback(verifiers.close)
        service = Service(store, writer, Access(token), load_witness(settings.data), verifiers, authority)
        service.open = settings.laptops is None  # a fleet's laptops come by their certificates, and by nothing less
        service.pages_url = settings.pages_url
        service.directory = directory
        _tell_pages(settings)
        service.rhythm = replace(service.rhythm, recovering_until=int(time.time()) + RECOVERING_S)
        if authority is not None and not settings.idle_exit_s:
            from collector.tuf.following import Following
            from collector.tuf.repository import ServerRepository

            service.policies = ServerRepository(settings.data)
            service.following = Following(service, service.policies)
            service.parts = (*service.parts, service.following.part)
        with contextlib.suppress(KeyboardInterrupt):
            asyncio.run(_serve(settings, service, stack))
    return 0


def _directory(settings: Settings) -> Directory | None:
    """The hospital's, when one is set up. Raises ConfigError, and UsageError: where would it send people back to?"""
    if settings.directory is None:
        return None
    from collector.officers.directory import Directory
    from collector.officers.provider import read_provider

    if not settings.pages_url:
        raise UsageError(N_("--oidc needs --pages-url: the directory sends people back there"))
    return Directory(read_provider(settings.directory))


def _authority(settings: Settings) -> Authority | None:
    """The authority of a collector that has a fleet: when laptops have an address, or it was made before."""
    from collector.enrol.authority import exists, load_authority

    if settings.laptops is None and not exists(settings.data):
        return None
    return load_authority(settings.data)


async def _serve(settings: Settings, service: Service, stack: contextlib.ExitStack) -> None:
    import uvicorn

    from collector import app
    from collector.tasks import run_all

    application = app.build(service)
    servers = [uvicorn.Server(_config(application))]
    sockets = [settings.listening]
    renewing: list[Coroutine[None, None, None]] = []
    if settings.laptops is not None and service.authority is not None:
        from collector import tls

        configured = tls.config(_config(tls.ForLaptops(application)), service.authority, settings.data, settings.names)
        renewing.append(tls.keep_renewed(configured, service.authority, settings.data, settings.names))
        servers.append(uvicorn.Server(configured))
        sockets.append(settings.laptops)
        _tell_address(settings)
    with _signals(servers):
        beside = [asyncio.create_task(work) for work in (_watch(settings, service, servers), *renewing)]
        if not settings.idle_exit_s:
            beside.append(asyncio.create_task(run_all(_tasks(settings, service, stack))))
        _announce(settings.listening, service)
        for server in servers:
            server.capture_signals = contextlib.nullcontext  # type: ignore[method-assign, assignment]  # ours
        serving = [server.serve([listening]) for server, listening in zip(servers, sockets, strict=True)]
        try:
            await asyncio.gather(*serving)
        finally:
            service.bells.close()
            for task in beside:
                task.cancel()


def _config(application: object) -> uvicorn.Config:
    import uvicorn

    from collector.patience import PatientProtocol, Seldom

    logging.getLogger("uvicorn.error").filters = [Seldom()]
    return uvicorn.Config(
        application, log_config=None, log_level="warning", access_log=False, server_header=False,  # type: ignore[arg-type]
        limit_concurrency=MAX_CONNECTIONS, timeout_keep_alive=KEEP_ALIVE_S, timeout_graceful_shutdown=GRACE_S,
        lifespan="off", ws="none", proxy_headers=False, http=PatientProtocol,
    )  # fmt: skip


def _tasks(settings: Settings, service: Service, stack: contextlib.ExitStack) -> list[Task]:
    """What is done by the clock."""
    from collector.forward.forwarder import EVERY_S, Forwarder
    from collector.journal import Journal
    from collector.store import retention
    from collector.tasks import Task

    journal = Journal(settings.data)
    stack.callback(journal.close)
    forwarder = Forwarder(service.store)
    stack.callback(forwarder.close)

    def forget() -> None:
        retention.forget_old(service.store, retention.now(), settings.keep_days)

    def count() -> None:
        service.rhythm = replace(service.rhythm, laptops=_fleet_size(service))

    return [
        Task("journal", 5.0, lambda: journal.take_over(service.store), 1.0),
        Task("retention", _HOUR_S, forget, 60.0),
        Task("forwarding", EVERY_S, forwarder.run, 1.0),
        Task("fleet size", 300.0, count, 0.0),
        *(service.following.tasks() if service.following is not None else ()),
    ]


def _fleet_size(service: Service) -> int:
    from collector.store.tables import laptops

    with service.engine.connect() as connection:
        return int(connection.execute(select(func.count()).select_from(laptops)).scalar_one())


async def _watch(settings: Settings, service: Service, servers: list[uvicorn.Server]) -> None:
    """End when it was quiet for long enough; forget laptops' last states that a command may have changed."""
    idle = settings.idle_exit_s
    while True:
        await asyncio.sleep(min(max(idle / 4, 0.05), 1.0) if idle > 0 else 3600)
        if 0 < idle <= time.monotonic() - service.last and not service.busy:
            for server in servers:
                server.should_exit = True


@contextlib.contextmanager
def _signals(servers: list[uvicorn.Server]) -> Iterator[None]:
    """Stop in good order, and then end with status 0; uvicorn's own way is to die of the signal afterwards."""

    def stop(number: int, _: object) -> None:
        for server in servers:
            server.handle_exit(number, None)

    before = {number: signal.getsignal(number) for number in (signal.SIGTERM, signal.SIGINT)}
    for number in before:
        signal.signal(number, stop)
    try:
        yield
    finally:
        for number, handler in before.items():
            signal.signal(number, handler)


def take_lock(data: Path) -> int:
    """The folder's lock; closing the descriptor gives it back. Raises HostError: another collector has it, or a backup
    was put back here only in part: keys that are missing would be made anew, and no laptop would believe them.
    """
    if (data / UNFINISHED).exists():
        raise HostError(
            N_("a backup is being put back into this folder, or that was cut short"), where=str(data),
            hint=N_("if it was cut short, empty the folder and restore again"),
        )  # fmt: skip
    fd = os.open(data / "lock", os.O_RDWR | os.O_CREAT | os.O_CLOEXEC | os.O_NOFOLLOW, 0o600)
    try:
        fcntl.flock(fd, fcntl.LOCK_EX | fcntl.LOCK_NB)
    except BlockingIOError as error:
        os.close(fd)
        raise HostError(N_("another collector uses this folder"), where=str(data)) from error
    return fd


def _tell_address(settings: Settings) -> None:
    """For the command that makes tokens."""
    if settings.laptops is not None:
        port = settings.laptops.getsockname()[1]
        replace_file(settings.data / ADDRESS_FILE, f"{settings.names[0]}:{port}\n".encode("ascii"))


def _tell_pages(settings: Settings) -> None:
    """For the command that makes officers' links."""
    from collector.officers.command import URL_FILE

    name = settings.listening.getsockname()
    port = name[1] if isinstance(name, tuple) else 0
    replace_file(settings.data / URL_FILE, (settings.pages_url or f"http://localhost:{port}").encode("ascii") + b"\n")


def _announce(listening: socket.socket, service: Service) -> None:
    """Say where to look; the link that opens the pages goes to a terminal only, never to a log."""
    name = listening.getsockname()
    if not isinstance(name, tuple):
        return
    host = f"[{name[0]}]" if ":" in name[0] else name[0]
    link = f"/?token={service.access.secret}" if sys.stderr.isatty() else "/"
    print(f"http://{host}:{name[1]}{link}", file=sys.stderr, flush=True)
