"""What has to be done now and then: another policy, another list of patients, keys, what is too old to be kept."""

from __future__ import annotations

import os
import time
from pathlib import Path
from typing import TYPE_CHECKING, Any

import msgspec

from agent.audit.retention import Retention, keep_house
from agent.daemon.clock_belief import believed
from agent.daemon.pushed import read_bundle
from agent.errors import N_, HostError, SermentError
from agent.fsys.atomic import replace_file

if TYPE_CHECKING:
    from agent.daemon.main import Agent

HOUSEKEEPING_S = 24 * 3600.0
AGAIN_S = 600.0  # after it went wrong
_HOUSE_FILE = "destroyed-until"


class Chores:
    """Called from the main loop, and by the control socket's ``reload``."""

    def __init__(self, agent: Agent) -> None:
        self._agent = agent
        self._due = 0.0
        self._told = b""

    def prepare_keys(self) -> None:
        """Never raises: without keys observing and refusing go on; sealing fails and is tried again."""
        try:
            self._agent.keys.prepare()
            self._agent.troubles.clear("keys-unusable")
        except (SermentError, OSError):
            self._agent.troubles.raise_("keys-unusable")

    def refresh_policy(self) -> None:
        """Take what stands in the policy file now, when it is another one, and what was pushed."""
        changed = self._agent.pushed.look()
        if self._agent.policy.refresh() or changed:
            self.judge_anew()
        self._tell_fleet()

    def _tell_fleet(self) -> None:
        """What the next visit reports, where the process that syncs may read it."""
        if self._agent.sync is None or not self._agent.sync.of_fleet:
            return
        from agent.daemon.fleet_sync import REPORT_FILE  # loaded by now, and only where there is a fleet

        stale = self._agent.pushed.status()["age"] == "stale"
        (self._agent.troubles.raise_ if stale else self._agent.troubles.clear)("policy-stale")
        said = msgspec.json.encode(self._agent.pushed.report())
        if said != self._told:
            place = self._agent.config.agent.runtime_dir / REPORT_FILE
            replace_file(place, said)
            os.chmod(place, 0o644)  # this process makes nothing for others by itself; who syncs is another user
            self._told = said

    def apply_policy(self, path: str) -> dict[str, Any]:
        """A bundle that an administrator brings. Raises PolicyError and HostError: it does not come into force."""
        try:
            bundle = read_bundle(Path(path))
        except (OSError, ValueError) as error:
            why = error.strerror if isinstance(error, OSError) else N_("this is no path")
            raise HostError(
                N_("cannot be read: {why}"), where=path, hint=N_("check the path"), why=why or ""
            ) from error
        done = self._agent.pushed.apply(bundle)
        if done["changed"]:
            self.judge_anew()
        return done

    def refresh_people(self) -> None:
        """Whoever is new on this laptop is guarded from now on, as if they had been here when the agent began."""
        agent = self._agent
        if new := agent.newcomers.look():
            agent.people = sorted([*agent.people, *new], key=lambda person: person.uid)
            agent.guard.follow(agent.people)
            agent.gates.gate.follow(agent.people)
            agent.guard.refresh()
            self.prepare_keys()
            for person in new:
                agent.keys.recipients(person.uid)

    def refresh_patients(self) -> None:
        """Whoever is listed now may be the one whom a file is about."""
        if self._agent.patients.refresh():
            self.judge_anew()

    def judge_anew(self) -> None:
        """What was decided so far counts no more."""
        self._agent.gates.policy_changed()
        self._agent.watcher.rescan(None)

    def due(self) -> bool:
        """Whether it is time to keep house."""
        return time.monotonic() >= self._due

    def keep_house(self) -> None:
        """Once a day, and soon after the start: a key for each person, and quarantine copies whose time is over."""
        agent = self._agent
        self._due = time.monotonic() + AGAIN_S  # where it fails
        self.prepare_keys()
        for person in agent.people:
            agent.keys.recipients(person.uid)
        audit = agent.config.audit
        until_us = believed(agent.config.data_dir / _HOUSE_FILE, time.time_ns() // 1000)
        agent.store.prune(until_us // 1_000_000)
        keep_house(agent.log, Retention(audit.event_days, audit.private_days), until_us)
        self._due = time.monotonic() + HOUSEKEEPING_S

    def reload_policy(self) -> dict[str, Any]:
        """Read the policy again at once. Raises PolicyError when it cannot be used: the one before stays in force."""
        policy = self._agent.policy
        if policy.refresh(force=True):
            self.judge_anew()
        if policy.refused is not None:
            raise policy.refused
        return {"policy": policy.in_force.compiled.policy.name, "release": policy.release}

    def reload_patients(self) -> dict[str, Any] | None:
        """Read the practice's list of patients again at once."""
        self.refresh_patients()
        return self._agent.patients.summary()
