"""What the control socket can be asked: each request's handler, wired to the agent's parts."""

from __future__ import annotations

from typing import TYPE_CHECKING

from agent.daemon.control import Handler
from agent.daemon.dossier_requests import Dossiers, dossier_handlers
from agent.daemon.key_requests import Allowance
from agent.daemon.requests import Services, handlers
from agent.daemon.reviewing.mine import Stores, ledger_size
from agent.daemon.reviewing.requests import review_handlers

if TYPE_CHECKING:
    from agent.daemon.main import Agent
    from agent.daemon.reviewing.desk import ReviewDesk


def control_table(agent: Agent, review: ReviewDesk) -> dict[str, Handler]:
    """Command → handler; who may ask what is each handler's own to decide."""
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
        keys=agent.keys,
        review=_review(agent, review),
    )
    return handlers(services) | dossier_handlers(_dossiers(agent)) | agent.clinician.handlers()


def _dossiers(agent: Agent) -> Dossiers:
    files = (agent.config.policy.file,) if agent.config.policy.file is not None else ()
    return Dossiers(agent.log, agent.identity, agent.keys, agent.config.data_dir / "policy", files, Allowance().spent)


def _review(agent: Agent, desk: ReviewDesk) -> dict[str, Handler]:
    return review_handlers(
        Stores(
            agent.config, desk, agent.store, agent.keys, agent.notices,
            ledger_size=lambda: ledger_size(agent.config.data_dir / "ledger.db"), patients=agent.patients.summary,
            sent=lambda: agent.sync.acknowledged() if agent.sync else None,
        )
    )  # fmt: skip
