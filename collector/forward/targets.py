"""Where records go: a target's settings, checked, and its row in the store. Secrets stay in files of their own.

Every change is noted in the journal, in the transaction that makes it.
"""

from __future__ import annotations

import time
from pathlib import Path
from typing import Any, Literal
from urllib.parse import urlsplit

import msgspec
from sqlalchemy import Connection, Engine, delete, func, insert, select, update

from agent.errors import N_, HostError, UsageError
from collector.forward.event import REDACTABLE
from collector.forward.options import FORMS
from collector.journal import note
from collector.store.tables import arrivals, forward_dead, forward_targets
from collector.store.writing import writing

MAX_TARGETS = 16
MAX_SECRET_BYTES = 4096
_PORTS = {"hec": 8088, "elastic": 9200, "syslog": 6514, "https": 443}
_FORMS_OF = {"hec": FORMS, "elastic": ("ecs",), "syslog": FORMS, "https": ("ocsf", "ecs")}
_t = forward_targets.c


class Settings(msgspec.Struct, frozen=True, forbid_unknown_fields=True):
    """How to reach a target and what it gets. Paths are absolute; they are read at each connection."""

    kind: Literal["hec", "elastic", "syslog", "https"]
    host: str
    port: int
    form: Literal["ocsf", "ecs", "cef"]
    path: str = ""
    index: str = ""
    secret_file: str = ""  # HEC token, API key, bearer token, or the key of a Sekoia intake
    ca_file: str = ""  # trusted besides nothing else; "": the system's authorities
    certificate: str = ""  # PEM with its key, for targets that ask for one
    redact: tuple[str, ...] = ()


class Target(msgspec.Struct, frozen=True):
    """A target as it is now; the columns of its row."""

    id: int
    name: str
    settings: Settings
    number: int
    skip: int
    sent: int
    lost: int
    failures: int
    next_at: int
    sent_at: int | None
    problem: str


def check(kind: str, url: str, form: str, **more: Any) -> Settings:
    """Settings from what a person typed. Raises UsageError."""
    try:
        parts = urlsplit(url)
        port = parts.port
    except ValueError:
        raise _address(url) from None
    wanted = "tls" if kind == "syslog" else "https"
    if parts.scheme != wanted or not parts.hostname or parts.username or parts.query or parts.fragment:
        raise _address(url)
    form = form or _FORMS_OF[kind][0]
    if form not in _FORMS_OF[kind]:
        raise UsageError(N_("{kind} takes: {forms}"), kind=kind, forms=", ".join(_FORMS_OF[kind]))
    for name in more.get("redact", ()):
        if name not in REDACTABLE:
            raise UsageError(
                N_("{name} cannot be left out"), name=name[:60],
                hint=N_("these can: {names}"), names=", ".join(REDACTABLE),
            )  # fmt: skip
    settings = Settings(kind, parts.hostname, port or _PORTS[kind], form, parts.path.rstrip("/"), **more)  # type: ignore[arg-type]
    read_secret(settings)
    return settings


def _address(url: str) -> UsageError:
    return UsageError(
        N_("the address of a target is not understood"), where=url[:200],
        hint=N_("https://HOST:PORT, and for syslog tls://HOST:PORT; secrets go into --secret-file"),
    )  # fmt: skip


def read_secret(settings: Settings) -> str:
    """The secret in its file; "" when there is no file. Raises HostError."""
    if not settings.secret_file:
        return ""
    try:
        with Path(settings.secret_file).open("rb") as file:
            text = file.read(MAX_SECRET_BYTES).decode("ascii").strip()
    except (OSError, UnicodeDecodeError) as error:
        why = getattr(error, "strerror", None) or type(error).__name__
        raise HostError(N_("cannot be read: {why}"), where=settings.secret_file, why=why) from error
    if not text or not text.isprintable():
        raise HostError(N_("this file should hold one secret, on one line"), where=settings.secret_file)
    return text


def add(engine: Engine, name: str, settings: Settings, by: str, *, history: bool) -> None:
    """Enter a target. ``history``: it gets what is stored already; else what arrives from now on. Raises UsageError."""
    if not name or not name.isascii() or not name.replace("-", "").replace("_", "").isalnum() or len(name) > 40:
        raise UsageError(N_("a name has letters, digits, - and _, at most 40"))
    with writing(engine) as connection:
        known = connection.execute(select(_t.name)).scalars().all()
        if name in known or len(known) >= MAX_TARGETS:
            raise UsageError(N_("there is a target of this name, or there are too many"), where=name)
        last = 0 if history else connection.execute(select(func.max(arrivals.c.number))).scalar_one() or 0
        text = msgspec.json.encode(settings).decode()
        connection.execute(insert(forward_targets).values(name=name, settings=text, number=last))
        what: dict[str, str | int | bool] = {
            "name": name, "kind": settings.kind, "host": settings.host, "form": settings.form, "history": history,
        }  # fmt: skip
        note(connection, by, "forward-add", what)


def remove(engine: Engine, name: str, by: str) -> None:
    """Forget a target and its dead letters. Raises UsageError."""
    target = find(engine, name)
    with writing(engine) as connection:
        connection.execute(delete(forward_dead).where(forward_dead.c.target == target.id))
        connection.execute(delete(forward_targets).where(_t.id == target.id))
        note(connection, by, "forward-remove", {"name": name})


def find(engine: Engine, name: str) -> Target:
    """The target of this name. Raises UsageError."""
    for target in every(engine):
        if target.name == name:
            return target
    raise UsageError(N_("there is no target of this name"), where=name[:60], hint=N_("see: serment-collector forward"))


def every(engine: Engine) -> list[Target]:
    """All targets, by name."""
    with engine.connect() as connection:
        rows = connection.execute(select(forward_targets).order_by(_t.name)).all()
    return [Target(**{**row._mapping, "settings": msgspec.json.decode(row.settings, type=Settings)}) for row in rows]


def moved(connection: Connection, target: Target, place: tuple[int, int], sent: int, lost: int) -> None:
    """Store how far a target is, in this transaction: everything before ``place`` is with it or is a dead letter."""
    connection.execute(
        update(forward_targets)
        .where(_t.id == target.id)
        .values(
            number=place[0], skip=place[1], sent=_t.sent + sent, lost=_t.lost + lost, sent_at=int(time.time()),
            failures=0, next_at=0, problem="",
        )
    )  # fmt: skip


def failed(engine: Engine, target: Target, problem: str, next_at: int) -> None:
    """Store that a target could not be reached, and when it is tried again."""
    values = {"failures": _t.failures + 1, "next_at": next_at, "problem": problem[:200]}
    with writing(engine) as connection:
        connection.execute(update(forward_targets).where(_t.id == target.id).values(values))


def figures(engine: Engine) -> list[dict[str, Any]]:
    """Each target as people and programs are shown it; no secret."""
    found = []
    for target in every(engine):
        with engine.connect() as connection:
            brought = select(func.coalesce(func.sum(arrivals.c.brought), 0))
            behind = connection.execute(brought.where(arrivals.c.number > target.number)).scalar_one()
            if target.skip:
                current = connection.execute(brought.where(arrivals.c.number == target.number)).scalar_one()
                behind += max(current - target.skip, 0)
            dead = connection.execute(
                select(func.count()).select_from(forward_dead).where(forward_dead.c.target == target.id)
            ).scalar_one()
        settings = target.settings
        found.append({
            "name": target.name, "kind": settings.kind, "form": settings.form, "host": settings.host,
            "port": settings.port, "redact": list(settings.redact), "sent": target.sent, "behind": int(behind),
            "dead": dead, "lost": target.lost, "sent_at": target.sent_at, "failures": target.failures,
            "next_at": target.next_at, "problem": target.problem,
        })  # fmt: skip
    return found
