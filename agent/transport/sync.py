"""The short-lived process that brings the audit log to the collector: ``python -m agent.transport.sync``.

The agent starts it when there is something to send and never talks to the network itself. It reads the log without
the agent's help, in stages: look (state, token, size of the log), send (batches until the collector has everything),
wait a little for more, leave. It writes one file, its state.

Exit status: 0 everything is acknowledged; 75 the collector is away, the state file says when to try again; 76 the
collector holds other records than this log (it was cut off or rewritten); 77 the collector refuses the token or the
protocol; 2 the log cannot be read; 64 usage.
"""

from __future__ import annotations

import argparse
import random
import sys
import time
from collections.abc import Mapping
from dataclasses import dataclass, field
from pathlib import Path
from typing import Any

import msgspec

from agent.audit.segments import Position
from agent.errors import N_, AuditError, SermentError, TransportError
from agent.i18n import catalogue, preferred
from agent.transport.base import Collector
from agent.transport.spool import SpoolState, backoff, checked, load_state, next_batch, pending, save_state

EXIT_DONE = 0
EXIT_AWAY = 75
EXIT_CONFLICT = 76
EXIT_REFUSED = 77
POLL_S = 0.25
CONFLICT_RETRY_S = 1800
UNSAID_S = 900
MAX_TOKEN_BYTES = 4096


@dataclass(slots=True)
class Sync:
    """One run. ``state`` is what the state file holds."""

    log: Path
    state_file: Path
    collector: Collector
    state: SpoolState
    witness: str = ""  # the only key whose statements count (hexadecimal); "": the one that was met first
    report: bytes = b""  # goes with the next request
    policy: Mapping[str, Any] = field(default_factory=dict)  # what the last answer said of it

    def run(self, idle_exit_s: float) -> int:
        """Send until everything is acknowledged and nothing new came for ``idle_exit_s`` seconds; the exit status.

        Raises AuditError (the log cannot be read) and HostError (the state file cannot be written).
        """
        self._send_one()  # even when nothing waits: it tells the collector how large this log is
        quiet_since = time.monotonic()
        while not self.state.trouble:
            if pending(self.log, self.state) > 0:
                self._send_all()
                quiet_since = time.monotonic()
                continue
            if time.monotonic() - quiet_since >= idle_exit_s:
                return EXIT_DONE
            time.sleep(min(POLL_S, idle_exit_s))
        return EXIT_CONFLICT

    def _send_all(self) -> None:
        stuck = 0
        while pending(self.log, self.state) > 0 and not self.state.trouble:
            before = self.state.acked
            self._send_one()
            stuck = stuck + 1 if self.state.acked <= before else 0
            if stuck > 2:  # a collector that asks for the same again and again
                raise TransportError(N_("the collector does not move on"), kind="refused", detail="", retry_s=0)

    def _send_one(self) -> None:
        batch, behind = next_batch(self.log, self.state, time.time_ns() // 1000, self.report)
        reply = self.collector.sync(batch)
        self.report = b""
        self.policy = reply.policy or self.policy
        end = batch.letterhead.first + batch.count
        place = behind if reply.size == end else Position()
        trouble = "" if reply.why in {"", "gap"} else reply.why
        acked = self.state.acked if trouble else reply.size
        if not trouble and reply.size > batch.letterhead.size:
            trouble, acked = "truncated", self.state.acked  # it has records that this log no longer has
        retry_at = int(time.time() + CONFLICT_RETRY_S) if trouble else 0
        self._keep(
            acked=acked, segment=place.segment, offset=place.offset, failures=0, retry_at=retry_at, trouble=trouble,
            next_at=int(time.time()) + (reply.next_s or _unsaid_s()), skew_ms=reply.skew_ms,
            witness=self.witness or self.state.witness,
        )  # fmt: skip
        if reply.cosigned and not trouble:
            stated = checked(self.log, self.state, reply.cosigned)
            if stated.trouble:
                self._keep(trouble=stated.trouble, retry_at=int(time.time() + CONFLICT_RETRY_S))
            self._keep(witness=stated.witness, cosigned=stated.cosigned)

    def _keep(self, **changes: object) -> None:
        state: SpoolState = msgspec.structs.replace(self.state, **changes)
        if state != self.state:
            self.state = state
            save_state(self.state_file, state)


def _unsaid_s() -> int:
    """Seconds until the next visit where the collector did not say: spread, as it spreads what it says."""
    return round(UNSAID_S * random.uniform(0.9, 1.1))  # noqa: S311 - spreads load, hides nothing


def read_token(path: Path) -> str:
    """The token in a file. Raises TransportError of kind "refused": unreadable or empty."""
    try:
        with path.open("rb") as file:
            token = file.read(MAX_TOKEN_BYTES).decode("ascii").strip()
    except (OSError, UnicodeDecodeError):
        token = ""
    if not token or not token.isprintable() or " " in token:
        raise TransportError(N_("the token file cannot be used"), where=str(path), kind="refused", detail="", retry_s=0)
    return token


def note_failure(state_file: Path, state: SpoolState, error: TransportError) -> int:
    """Keep in the state file when to try again; the exit status."""
    refused = error.fields.get("kind") in {"refused", "untrusted", "denied"}
    failures = state.failures + 1
    wait = max(backoff(failures, random.uniform), float(str(error.fields.get("retry_s") or 0)))
    trouble = "refused" if refused else "unreachable"
    retry_at = int(time.time() + wait)
    save_state(state_file, msgspec.structs.replace(state, failures=failures, retry_at=retry_at, trouble=trouble))
    return EXIT_REFUSED if refused else EXIT_AWAY


def run(log: Path, state_file: Path, url: str, token_file: Path, *, device: str, idle_exit_s: float) -> int:
    """One whole run against the collector at ``url``; the exit status.

    Raises ConfigError (the address), AuditError (the log cannot be read), HostError (the state file cannot be used).
    """
    from agent.transport.https import HttpsCollector  # heavy, and of no use before this point

    state = load_state(state_file, device)
    sync: Sync | None = None
    try:
        sync = Sync(log, state_file, HttpsCollector(url, read_token(token_file)), state)
        return sync.run(idle_exit_s)
    except TransportError as error:
        print(error.render(catalogue(preferred()).gettext), file=sys.stderr)
        return note_failure(state_file, sync.state if sync else state, error)
    finally:
        if sync:
            sync.collector.close()


def main(arguments: list[str] | None = None) -> int:
    parser = argparse.ArgumentParser(prog="serment-sync", description="brings the audit log to the collector")
    parser.add_argument("--log", type=Path, required=True, help="folder of the audit log")
    parser.add_argument("--state", type=Path, required=True, help="state file; made when it is not there")
    parser.add_argument("--url", required=True, help="https://…, or http:// on this machine")
    parser.add_argument("--token-file", type=Path, required=True)
    parser.add_argument("--device", default="", help="pseudonym of this laptop; else the state file's")
    parser.add_argument("--once", action="store_true", help="leave as soon as everything is acknowledged")
    parser.add_argument("--idle-exit", type=float, default=30.0, metavar="S", help="leave after S seconds without news")
    try:
        chosen = parser.parse_args(arguments)
    except SystemExit as stop:
        return 64 if stop.code else 0
    idle = 0.0 if chosen.once else max(chosen.idle_exit, 0.0)
    try:
        return run(chosen.log, chosen.state, chosen.url, chosen.token_file, device=chosen.device, idle_exit_s=idle)
    except SermentError as error:
        print(error.render(catalogue(preferred()).gettext), file=sys.stderr)
        return 2 if isinstance(error, AuditError) else error.exit_code
    except KeyboardInterrupt:
        return 130


if __name__ == "__main__":
    sys.exit(main())
