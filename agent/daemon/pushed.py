"""Policies that are pushed: what the sync process put down, or an administrator brings on a stick, comes into force.

verify (a process without rights, ``fleet.checking``) → this agent's own schema and the policy's tests → ``active``
changes in one step, three are kept → a record. Whatever goes wrong, the policy before stays in force; however old it
gets, it is never weakened. Loosening in an emergency ends by itself, without network too.
"""

from __future__ import annotations

import contextlib
import errno
import os
import stat
import subprocess
import sys
import tempfile
import threading
import time
from collections.abc import Callable
from pathlib import Path
from typing import Any

import msgspec

from agent.daemon.policy_reader import read_policy
from agent.daemon.policy_store import PolicyStore
from agent.daemon.pushed_state import PushedState, first_root, load_fleet, load_state, save_state
from agent.daemon.reports import Reports
from agent.errors import N_, HostError, PolicyError
from agent.fleet.check_wire import Answer, Request
from agent.fleet.release import MAX_BUNDLE, refused
from agent.fsys.atomic import private_folder, replace_file, sync_folder

ACTIVE, RELEASES = "active.yaml", "pushed"
KEEP = 3
CURRENT_S, OLD_S = 36 * 3600, 7 * 24 * 3600
_PATIENCE_S = 60.0


class PushedPolicy:
    """``look`` from the main loop; ``apply`` from the control socket. ``wake`` makes the loop go round."""

    def __init__(
        self, folder: Path, bundle: Path, store: PolicyStore, reports: Reports, wake: Callable[[], None],
        run_as: tuple[int, int] | None = None,
    ) -> None:  # fmt: skip
        self._folder, self._bundle = folder, bundle
        self._store, self._reports, self._wake, self._run_as = store, reports, wake, run_as
        self._seen: tuple[int, int, int] | None = None
        self._lock = threading.Lock()
        self._thread: threading.Thread | None = None
        self._answer: Answer | PolicyError | None = None
        self._began = 0.0
        self._spoilt: HostError | None = None
        self.state = self._remembered()
        self._loosen()

    def _remembered(self) -> PushedState:
        """What is known of earlier releases. Where it is spoilt, the policy in force stays and no other one is taken:
        what is older could not be told from what is newer.
        """
        try:
            load_fleet(self._folder)
            return load_state(self._folder)
        except HostError as error:
            self._spoilt = error
            self._reports.troubles.raise_("policy-memory-unusable")
            return PushedState()

    # ---- what the sync process put down

    def look(self) -> bool:
        """Go on with what there is; True when another policy, or another loosening, is in force now."""
        changed = self._loosen()
        if self._spoilt is not None:
            return changed
        if self._thread is not None:
            if self._thread.is_alive():
                return changed
            self._thread = None
            answer, self._answer = self._answer, None
            with self._lock:
                return self._take(answer, online=True) or changed
        if self._is_new() or self._waits():
            self._start()
        return changed

    def _is_new(self) -> bool:
        try:
            found = os.lstat(self._bundle)
        except OSError:
            return False
        seen = (found.st_ino, found.st_size, found.st_mtime_ns)
        if seen == self._seen:
            return False
        self._seen = seen
        return True

    def _waits(self) -> bool:
        """A release was seen whose hours may be over now; looked at once an hour."""
        waiting = max(self.state.seen, default=0) > self.state.number
        if not waiting or time.monotonic() - self._began < 3600:
            return False
        return self._bundle.exists()

    def _start(self) -> None:
        self._began = time.monotonic()
        try:
            request = self._request(read_bundle(self._bundle), offline=False)
        except (OSError, HostError):  # the enrolment was spoilt meanwhile: told at the next start
            return
        self._thread = threading.Thread(target=self._check, args=(request,), name="policy", daemon=True)
        self._thread.start()

    def _check(self, request: Request) -> None:
        try:
            self._answer = checked(request, self._run_as)
        except PolicyError as error:
            self._answer = error
        self._wake()

    def _request(self, bundle: bytes, *, offline: bool) -> Request:
        fleet, state = load_fleet(self._folder), self.state
        return Request(
            bundle, fleet.device or "offline", fleet.group, int(time.time()), fleet.ca, first_root(self._folder),
            state.trusted, state.numbers, state.number, state.back_to, state.seen, offline,
        )  # fmt: skip

    # ---- what an administrator brings

    def apply(self, bundle: bytes) -> dict[str, Any]:
        """A bundle from a stick. Raises PolicyError: why it does not come into force; HostError: none can."""
        if self._spoilt is not None:
            raise self._spoilt
        with self._lock:
            answer = checked(self._request(bundle, offline=True), self._run_as)
            before = self.state.number
            self._take(answer, online=False)
            if self.state.refused:
                raise refused(self.state.refused, answer.message or N_("the policy does not pass this laptop's checks"))
        self._wake()
        return {"number": self.state.number, "release": self._store.release, "changed": before != self.state.number}

    # ---- what was answered

    def _take(self, answer: Answer | PolicyError | None, *, online: bool) -> bool:
        began = time.monotonic()
        if answer is None or isinstance(answer, PolicyError):
            self._refuse("check-failed", 0)
            return False
        if answer.why:
            self._refuse(answer.why, answer.number)
            return False
        state = msgspec.structs.replace(
            self.state, trusted=answer.trusted, numbers=answer.numbers, seen=answer.seen, refused="", refused_number=0,
        )  # fmt: skip
        if online:
            state = msgspec.structs.replace(
                state, checked=int(time.time()), timestamp=answer.timestamp, emergency=answer.emergency
            )
        comes = bool(answer.number) and answer.number != state.number
        if comes:
            try:
                read_policy(answer.policy, f"release {answer.number}")
            except PolicyError as error:
                self._keep(state)
                self._refuse("policy", answer.number, line=int(str(error.fields.get("line", 0))))
                return False
        self._reports.troubles.clear("policy-push-refused")
        if not comes:
            self._keep(state)
            return self._loosen()
        self._swap(answer)
        self._store.refresh(force=True)  # in force first: what is remembered of it never runs ahead
        self._keep(
            msgspec.structs.replace(
                state, number=answer.number, back_to=answer.back_to, max_age_days=answer.max_age_days
            )
        )
        with contextlib.suppress(HostError):
            self._reports.record(
                "policy",
                {"state": "activated", "number": answer.number, "release": self._store.release,
                 "took_ms": round((time.monotonic() - began) * 1000)},
            )  # fmt: skip
        self._loosen()
        return True

    def _keep(self, state: PushedState) -> None:
        self.state = state
        save_state(self._folder, state)

    def _refuse(self, word: str, number: int, line: int = 0) -> None:
        self._reports.troubles.raise_("policy-push-refused", why=word)
        if (self.state.refused, self.state.refused_number) == (word, number):
            return
        self._keep(msgspec.structs.replace(self.state, refused=word, refused_number=number))
        with contextlib.suppress(HostError):
            self._reports.record("policy", {"state": "rejected", "number": number, "why": word, "line": line})

    def _swap(self, answer: Answer) -> None:
        """The file first, then the one name that counts; the oldest go."""
        folder = private_folder(self._folder / RELEASES)
        name = f"{answer.number:08}.yaml"
        replace_file(folder / name, answer.policy)
        link = self._folder / f".{ACTIVE}.new"
        link.unlink(missing_ok=True)
        os.symlink(f"{RELEASES}/{name}", link)
        os.replace(link, self._folder / ACTIVE)
        sync_folder(self._folder)
        others = sorted(path for path in folder.glob("*.yaml") if path.name != name)
        others.sort(key=lambda path: path.stat().st_mtime)
        for old in others[: max(0, len(others) - KEEP)]:
            old.unlink()

    def _loosen(self) -> bool:
        """Let the emergency that holds now be in force, and no other; True when that changed something."""
        emergency = self.state.emergency
        rules = frozenset(emergency.rules) if emergency is not None and emergency.holds(int(time.time())) else None
        if not self._store.loosen(rules or frozenset()):
            return False
        fields: dict[str, object] = {"state": "loosened" if rules else "tightened"}
        if rules and emergency is not None:
            fields |= {"rules": ",".join(sorted(rules))[:500], "until": emergency.until, "number": self.state.number}
        with contextlib.suppress(HostError):
            self._reports.record("policy", fields)
        return True

    # ---- what others want to know

    def next_s(self) -> float | None:
        """Seconds until an emergency ends or begins; None: none does."""
        emergency, now = self.state.emergency, time.time()
        if emergency is None or now >= emergency.until:
            return None
        return max(0.5, (emergency.until if now >= emergency.begin else emergency.begin) - now)

    def status(self) -> dict[str, Any]:
        """For ``serment status``: how old what was verified is; stale is said, and changes nothing."""
        state, emergency = self.state, self.state.emergency
        holds = emergency is not None and emergency.holds(int(time.time()))
        return {
            "number": state.number,
            "age": age(state, int(time.time())),
            "checked": state.checked,
            "refused": state.refused or None,
            "loosened": {"rules": list(emergency.rules), "until": emergency.until, "by": emergency.by}
            if holds and emergency is not None
            else None,
        }

    def report(self) -> dict[str, Any]:
        """For the collector, at the next visit."""
        policy = self._store.in_force.compiled.policy
        said: dict[str, Any] = {
            "name": policy.name, "release": policy.release, "number": self.state.number,
            "state": "stale" if age(self.state, int(time.time())) == "stale" else "in-force",
        }  # fmt: skip
        if self.state.refused:
            said |= {"why": self.state.refused, "refused": self.state.refused_number}
        return {"policy": said}


def age(state: PushedState, now: int) -> str:
    """current, old or stale; "" when no release was ever pushed."""
    if not state.number:
        return ""
    since = now - state.checked
    if state.checked == 0 or since > state.max_age_days * 86400:
        return "stale" if state.checked else "old"
    return "current" if since <= CURRENT_S else "old"


def checked(request: Request, run_as: tuple[int, int] | None) -> Answer:
    """Ask the process without rights. Raises PolicyError: it failed, or took too long."""
    person = [str(number) for number in run_as or ()]
    with tempfile.TemporaryFile() as given:
        given.write(msgspec.msgpack.encode(request))
        given.seek(0)
        try:
            done = subprocess.run(
                [sys.executable, "-I", "-m", "agent.fleet.checking", *person], stdin=given, stdout=subprocess.PIPE,
                stderr=subprocess.DEVNULL, timeout=_PATIENCE_S, check=True, cwd="/", umask=0o077,
            )  # fmt: skip
            return msgspec.msgpack.decode(done.stdout, type=Answer)
        except (OSError, subprocess.SubprocessError, msgspec.MsgspecError) as error:
            raise refused("check-failed", N_("the policy could not be checked")) from error


def read_bundle(path: Path) -> bytes:
    """What somebody with fewer rights put down: bounded, no link, no pipe. Raises OSError."""
    fd = os.open(path, os.O_RDONLY | os.O_CLOEXEC | os.O_NOFOLLOW | os.O_NONBLOCK)
    with open(fd, "rb") as file:
        if not stat.S_ISREG(os.fstat(fd).st_mode):
            raise OSError(errno.EINVAL, N_("is not a file"))
        return file.read(MAX_BUNDLE + 1)
