"""The clinician's desk from the agent's parts."""

from __future__ import annotations

from collections.abc import Callable
from typing import TYPE_CHECKING

from agent.daemon.clinician.desk import ClinicianDesk
from agent.daemon.clinician.reach import Reach
from agent.daemon.clinician.subscribers import Subscribers

if TYPE_CHECKING:
    from agent.daemon.main import Agent
    from agent.daemon.reviewing.desk import ReviewDesk


def clinician_desk(agent: Agent, review: Callable[[], ReviewDesk]) -> ClinicianDesk:
    """The desk of a running agent; its notices are told to helpers from now on."""
    subscribers = Subscribers()
    agent.notices.told = lambda owner: subscribers.tell(owner, "notices")

    def contest(uid: int, number: int, reason: str) -> None:
        review().contest(uid, number, "no-patient", reason)

    def month(uid: int, since: str, wanted: str) -> dict[str, int]:
        from agent.daemon.clinician.monthly import month_of
        from agent.daemon.reviewing.timeline import Timeline

        timeline = Timeline(agent.log.folder)  # once a month: nothing of it stays in memory
        return month_of(timeline, agent.identity, uid, since, wanted)

    reach = Reach(
        store=agent.store, keys=agent.keys, passes=agent.passes, notices=agent.notices, subscribers=subscribers,
        identity=agent.identity, policy=lambda: agent.policy.in_force.compiled.policy, append=agent.log.append,
        guarded=lambda: tuple(place.root for place in agent.guard.places()), given_back=agent.give_note,
        judge_anew=agent.readers_ask_again, contest=contest, month=month,
    )  # fmt: skip
    return ClinicianDesk(reach, agent.protection, agent.since)
