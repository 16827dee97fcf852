"""What the control socket can be asked: each request's handler, wired to the agent's parts.

What is asked about state, notices and held documents is at hand. Requests about keys, the audit log and dossiers are
seldom; their handlers are imported when the first of them is asked for, and stay.
"""

from __future__ import annotations

import threading
from collections.abc import Callable, Iterator, Mapping
from functools import cache
from typing import TYPE_CHECKING

from agent.daemon.control import Handler
from agent.daemon.requests import Services, handlers

if TYPE_CHECKING:
    from agent.daemon.main import Agent
    from agent.daemon.reviewing.desk import ReviewDesk

Handlers = dict[str, Handler]


class ControlTable(Mapping[str, Handler]):
    """Command → handler. ``seldom``: the handlers of the commands that begin with this word and a dot. Any thread."""

    def __init__(self, at_hand: Handlers, seldom: Mapping[str, Callable[[], Handlers]]) -> None:
        self._at_hand, self._seldom = at_hand, {word: _once(make) for word, make in seldom.items()}

    def __getitem__(self, command: str) -> Handler:
        if (handler := self._at_hand.get(command)) is not None:
            return handler
        return self._seldom[command.partition(".")[0]]()[command]

    def __iter__(self) -> Iterator[str]:
        yield from self._at_hand
        for make in self._seldom.values():
            yield from make()

    def __len__(self) -> int:
        return sum(1 for _command in self)


def _once(make: Callable[[], Handlers]) -> Callable[[], Handlers]:
    """``make``, called once, whichever threads ask at the same time: handlers remember who asked how often."""
    lock, cached = threading.Lock(), cache(make)

    def made() -> Handlers:
        with lock:
            return cached()

    return made


def control_table(agent: Agent, review: Callable[[], ReviewDesk]) -> ControlTable:
    """Who may ask what is each handler's own to decide. ``review`` makes its desk at the first call."""
    services = Services(
        status=agent.status,
        notices=agent.notices,
        store=agent.store,
        person=agent.person,
        guarded=lambda: tuple(place.root for place in agent.guard.places()),
        given_back=agent.give_note,
        reload_policy=agent.chores.reload_policy,
        apply_policy=agent.chores.apply_policy,
        reload_patients=agent.chores.reload_patients,
        rescan=lambda: agent.watcher.rescan(None),
        record=agent.reports.record,
    )
    return ControlTable(
        handlers(services) | agent.clinician.handlers(),
        {
            "keys": lambda: _keys(agent),
            "dossier": lambda: _dossiers(agent),
            "review": lambda: _review(agent, review()),
        },
    )


def _keys(agent: Agent) -> Handlers:
    from agent.daemon.key_requests import key_handlers

    return key_handlers(agent.keys, agent.reports.record, agent.notices, agent.identity)


def _dossiers(agent: Agent) -> Handlers:
    from agent.daemon.allowance import Allowance
    from agent.daemon.dossier_requests import Dossiers, dossier_handlers

    files = (agent.config.policy.file,) if agent.config.policy.file is not None else ()
    policies = agent.config.data_dir / "policy"
    return dossier_handlers(Dossiers(agent.log, agent.identity, agent.keys, policies, files, Allowance().spent))


def _review(agent: Agent, desk: ReviewDesk) -> Handlers:
    from agent.daemon.reviewing.mine import Stores, ledger_size
    from agent.daemon.reviewing.requests import review_handlers

    return review_handlers(
        Stores(
            agent.config, desk, agent.store, agent.keys, agent.notices,
            ledger_size=lambda: ledger_size(agent.config.data_dir / "ledger.db"), patients=agent.patients.summary,
            sent=lambda: agent.sync.acknowledged() if agent.sync else None,
        )
    )  # fmt: skip
