"""``serment-sync``: one run of the process that visits the collector of a fleet. Unprivileged, short-lived, the only
one that opens connections.

Stages: renew the certificate when its time has come; visit until everything is acknowledged; fetch what there is to
follow, and say what became of it; leave a bell with the agent, when it wants one. It writes two files: its state (how
far, when again) and, renewed, its certificate.

Exit status: 0 everything is acknowledged; 75 the collector is away, the state says when to try again; 76 the collector
holds other records than this log; 77 refused or denied; 78 this laptop is not enrolled; 2 the log cannot be read.
"""

from __future__ import annotations

import argparse
import contextlib
import sys
import time
from collections.abc import Mapping, Sequence
from pathlib import Path
from typing import Any

import msgspec

from agent.errors import N_, AuditError, ConfigError, PolicyError, SermentError, TransportError
from agent.fleet import enrolment
from agent.fleet.following import PolicyUpdates
from agent.fleet.identity import STATE, Identity, load_identity
from agent.fleet.updates import Updates
from agent.fleet.visiting import FleetCollector
from agent.i18n import catalogue, preferred
from agent.transport.bell import hand_over, keep_alive
from agent.transport.spool import load_state
from agent.transport.sync import EXIT_DONE, Sync, note_failure

MAX_REPORT_BYTES = 16 << 10


def run(
    log: Path, identity: Identity, state_file: Path, report: Mapping[str, Any], updates: Sequence[Updates] = (),
    *, proxy: str | None = None, bell: Path | None = None,
) -> int:  # fmt: skip
    """One whole run; the exit status. ``bell``: where the agent waits for one. Raises AuditError (the log cannot be
    read) and HostError (a file of ours cannot).
    """
    state = load_state(state_file, identity.member.device)
    collector = FleetCollector(identity, proxy=proxy)
    sync = Sync(log, state_file, collector, state, witness=identity.statement.witness)
    try:
        _renew(identity, proxy)
        sync.report = _packed(report, updates)
        status = sync.run(0.0)
        if status == EXIT_DONE and _follow(sync, collector, updates):
            sync.report = _packed(report, updates)
            status = sync.run(0.0)
        if status == EXIT_DONE and bell is not None and bell.exists():
            _leave_bell(collector, sync.policy, updates, bell)
        return status
    except TransportError as error:
        print(error.render(catalogue(preferred()).gettext), file=sys.stderr)
        return note_failure(state_file, sync.state, error)
    finally:
        collector.close()


def _renew(identity: Identity, proxy: str | None) -> None:
    """Renew when it is time. As long as the old certificate is good, a failure can wait for the next visit."""
    _, _, end = identity.certificate()
    try:
        enrolment.renew(identity, proxy=proxy)
    except TransportError as error:
        if time.time() >= end or error.fields.get("kind") == "denied":
            raise


def _follow(sync: Sync, collector: FleetCollector, updates: Sequence[Updates]) -> bool:
    """Fetch what there is; whether something was tried, so that the collector is told at once what became of it."""
    tried = False
    for each in updates:
        if each.due(sync.policy):
            tried = True
            try:
                each.refresh(collector.fetch)
            except PolicyError as error:
                print(error.render(catalogue(preferred()).gettext), file=sys.stderr)
    return tried


def _leave_bell(
    collector: FleetCollector, policy: Mapping[str, Any], updates: Sequence[Updates], place: Path
) -> None:  # fmt: skip
    """Visits go on without one: what fails here is tried at the next."""
    heard = [policy.get("timestamp"), *(each.report().get("tuf") for each in updates)]
    seen = max((number for number in heard if isinstance(number, int)), default=0)
    with contextlib.suppress(TransportError, OSError):
        if (found := collector.bell(seen)) is not None:
            connection, keep_s = found
            with connection:
                keep_alive(connection, keep_s)
                hand_over(place, connection)


def _packed(report: Mapping[str, Any], updates: Sequence[Updates]) -> bytes:
    said = dict(report)
    for each in updates:
        said |= each.report()
    packed = msgspec.json.encode(said)
    return packed if len(packed) <= MAX_REPORT_BYTES else b""


def entry() -> None:
    """The console script."""
    sys.exit(main())


def main(arguments: list[str] | None = None) -> int:
    parser = argparse.ArgumentParser(prog="serment-sync", description="visits the collector of the fleet")
    parser.add_argument("--log", type=Path, required=True, help="folder of the audit log")
    parser.add_argument("--fleet", type=Path, required=True, help="folder of this laptop's key and certificate")
    parser.add_argument("--report", type=Path, help="what the agent has to say, JSON")
    parser.add_argument("--bell", type=Path, help="where the agent waits for a bell")
    parser.add_argument("--proxy", help="address of the network's proxy; else as the environment says")
    try:
        chosen = parser.parse_args(arguments)
    except SystemExit as stop:
        return 64 if stop.code else 0
    try:
        identity = load_identity(chosen.fleet)
        if identity is None:
            raise ConfigError(N_("this laptop is not enrolled"), hint=N_("ask for a token, then: serment enrol TOKEN"))
        report = _read_report(chosen.report)
        updates = (PolicyUpdates(identity),)
        return run(chosen.log, identity, chosen.fleet / STATE, report, updates, proxy=chosen.proxy, bell=chosen.bell)
    except SermentError as error:
        print(error.render(catalogue(preferred()).gettext), file=sys.stderr)
        return 2 if isinstance(error, AuditError) else error.exit_code
    except KeyboardInterrupt:
        return 130


def _read_report(path: Path | None) -> Mapping[str, Any]:
    """The agent's report; {} when there is none that can be read: a visit never fails for it."""
    if path is None:
        return {}
    try:
        with path.open("rb") as file:
            found = msgspec.json.decode(file.read(MAX_REPORT_BYTES))
    except (OSError, msgspec.MsgspecError, UnicodeDecodeError, RecursionError):
        return {}
    return found if isinstance(found, dict) else {}


def next_visit(state_file: Path) -> int:
    """When the next visit is due (seconds since 1970 UTC), by what the last one was told. Raises HostError."""
    state = load_state(state_file)
    return max(state.retry_at, 0) if state.trouble else state.next_at


if __name__ == "__main__":
    sys.exit(main())
