"""The page of policies: what laptops follow, what is published and how far it has come, and what a draft would change.

A draft is chosen or pasted, looked at, and forgotten; it is signed on the officers' own machines and never here.
"""

from __future__ import annotations

import threading
import time
from collections.abc import Mapping
from dataclasses import dataclass
from typing import TYPE_CHECKING, Any

from starlette.responses import Response
from starlette.routing import Route

from agent.errors import SermentError
from agent.i18n import catalogue
from collector.officers.guard import Visit, may
from collector.officers.roles import Right
from collector.pages import roster
from collector.tuf.refusals import HELD, Refusal, refusals

if TYPE_CHECKING:
    from agent.fleet.release import Release, Rollout
    from collector.tuf.repository import ServerRepository

MAX_DRAFT = 64 << 10  # characters; the command takes longer ones
DAYS = 30
_planning = threading.Lock()  # a million facts are a minute of one processor


@dataclass(frozen=True, slots=True)
class Published:
    """The present release: how far it has come, and each group's policy in sentences (rule, sentence); "" is the group
    of everybody else. A policy that is not there or cannot be read has no sentences.
    """

    rollout: Rollout
    release: Release | None
    groups: tuple[tuple[str, tuple[tuple[str, str], ...]], ...]


def routes() -> list[Route]:
    return [
        Route("/policies", may(Right.POLICIES)(_page)),
        Route("/policies", may(Right.POLICIES)(_plan), methods=["POST"]),
    ]


def published(repository: ServerRepository | None, lang: str) -> Published | None:
    """What is on its way to laptops; None: nothing was ever published."""
    rollout = repository.rollout() if repository is not None and repository.started else None
    if repository is None or rollout is None:
        return None
    release = repository.release(rollout.release)
    groups = release.policies if release is not None else {}
    told = [(group, _sentences(repository.read(path), lang)) for group, path in sorted(groups.items())]
    return Published(rollout, release, tuple(told))


def is_held(repository: ServerRepository | None) -> bool:
    """Whether a release waits for somebody to decide."""
    rollout = repository.rollout() if repository is not None and repository.started else None
    return rollout is not None and rollout.held


def _sentences(data: bytes | None, lang: str) -> tuple[tuple[str, str], ...]:
    from agent.policy.parser import parse_policy
    from agent.policy.sentences import policy_sentences

    try:
        return policy_sentences(parse_policy(data or b"", "policy"), catalogue(lang).gettext)
    except SermentError:
        return ()


def _page(visit: Visit, status: int = 200, **found: Any) -> Response:
    values = {"draft": "", "plan": None, "wrong": "", "held_why": ""} | found
    on_its_way = published(visit.service.policies, visit.lang)
    if on_its_way is not None and on_its_way.rollout.why:
        values["held_why"] = catalogue(visit.lang).gettext(HELD.get(on_its_way.rollout.why, on_its_way.rollout.why))
    return visit.show(
        "policies.html", status, page="policies", in_force=roster.in_force(visit.engine),
        published=on_its_way, refusals=_refusals(visit), days=DAYS,
        most=MAX_DRAFT, **values,
    )  # fmt: skip


def _refusals(visit: Visit) -> list[Refusal]:
    """Who refuses what is published, and why, in the reader's language."""
    t = catalogue(visit.lang).gettext
    return [each._replace(reason=t(each.reason)) for each in refusals(visit.service.store)]


def _plan(visit: Visit) -> Response:
    draft = (visit.form.get("file") or visit.form.get("draft", "")).replace("\r\n", "\n")
    if not draft.strip() or len(draft) > MAX_DRAFT:
        return _page(visit, 400, draft=draft[:MAX_DRAFT], wrong="size")
    if not _planning.acquire(blocking=False):
        return _page(visit, 503, draft=draft, wrong="busy")
    try:
        made = _made(visit, draft.encode("utf-8", "replace"))
    except SermentError as error:
        return _page(visit, 400, draft=draft, wrong=error.render(catalogue(visit.lang).gettext))
    finally:
        _planning.release()
    return _page(visit, draft=draft, plan=made)


def _made(visit: Visit, draft: bytes) -> Mapping[str, Any]:
    from collector.authoring.backtest import plan

    now_us = time.time_ns() // 1000
    translates = {lang: catalogue(lang).gettext for lang in ("fr", "en")}
    return plan(visit.service.store, draft, _present(visit), now_us, DAYS, translates, visit.lang)


def _present(visit: Visit) -> bytes | None:
    """The published policy of those without a group of their own; None: compare with what was really decided."""
    repository = visit.service.policies
    rollout = repository.rollout() if repository is not None and repository.started else None
    if repository is None or rollout is None:
        return None
    release = repository.release(rollout.release)
    path = release.policies.get("") if release is not None else None
    return repository.read(path) if path else None
