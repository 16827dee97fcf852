"""Where records go: the fleet's collector, the embedded one or one elsewhere, and the process that sends them."""

from __future__ import annotations

import contextlib
from collections.abc import Callable
from pathlib import Path
from typing import TYPE_CHECKING

from agent.daemon.children import EmbeddedCollector, SyncProcess
from agent.errors import N_, ConfigError, HostError
from agent.fleet import FOLDER

if TYPE_CHECKING:
    from agent.daemon.fleet_sync import FleetSync
    from agent.daemon.main import Agent


def start_collecting(
    agent: Agent, stack: contextlib.ExitStack
) -> tuple[EmbeddedCollector | None, SyncProcess | FleetSync | None, str]:
    """The collector that is part of this agent, what sends to it or to another one, and its address; stopped by
    ``stack``. All nothing when it is switched off, or when nobody can say which one it is. Raises HostError.
    """
    section, data = agent.config.collector, agent.config.data_dir
    try:
        if (data / FOLDER).exists() and (found := _fleet(agent, stack)) is not None:
            return None, *found
    except (ConfigError, HostError):  # spoilt, by whoever syncs perhaps: what guards goes on, without a collector
        agent.troubles.raise_("fleet-unusable")
        return None, None, ""
    if section.url == "off":
        return None, None, ""
    collector, url, token = None, section.url, section.token_file
    if url == "embedded":
        collector = EmbeddedCollector(data / "collector", section.port)
        stack.callback(collector.close)
        url, token = collector.url, collector.token_file
    if token is None:
        raise HostError(N_("the collector's address needs a token"), hint=N_("set [collector] token_file"))

    synced = _acknowledger(agent, data / "spool.json")
    sync = SyncProcess(data / "audit", data / "spool.json", url, token, agent.identity.device_id, synced)
    stack.callback(sync.close)
    return collector, sync, url


def _fleet(agent: Agent, stack: contextlib.ExitStack) -> tuple[FleetSync, str] | None:
    """What sends to the fleet's collector, and its address; None: not enrolled. Others load none of it.

    Raises ConfigError and HostError: the enrolment is spoilt.
    """
    from agent.daemon.fleet_sync import STATE_FILE, FleetSync
    from agent.fleet.identity import load_identity

    data = agent.config.data_dir
    if (member := load_identity(data / FOLDER)) is None:
        return None
    fleet = FleetSync(data, agent.config.agent.runtime_dir, _acknowledger(agent, data / FOLDER / STATE_FILE))
    stack.callback(fleet.close)
    return fleet, member.member.url


def _acknowledger(agent: Agent, state_file: Path) -> Callable[[int | None], None]:
    """A sync process ended: what the collector signed goes into the log."""

    def synced(exit_code: int | None) -> None:
        from agent.transport.spool import cosignature

        agent.reports.synced(exit_code)
        with contextlib.suppress(HostError):
            if (statement := cosignature(state_file)) is not None:
                agent.log.cosigned(statement)

    return synced
