"""The policy in force: read, tried, swapped whole; a bad file changes nothing but what ``status`` says.

Owns the copy of the last good policy (data_dir/policy/last-good.yaml), so that a bad edit before a restart does not
leave the laptop without one. Order at start: the configured file, the last good copy, the shipped profile.
"""

from __future__ import annotations

import contextlib
import os
from collections.abc import Callable
from dataclasses import dataclass
from pathlib import Path

from agent.errors import N_, PolicyError
from agent.fsys.atomic import replace_file
from agent.model import Facts, Verdict
from agent.policy.engine import CompiledPolicy, evaluate
from agent.policy.load import load_policy
from agent.policy.profiles import profile_bytes

MAX_POLICY_BYTES = 1 << 20


@dataclass(frozen=True, slots=True)
class InForce:
    compiled: CompiledPolicy
    source: str  # file, "last-good", or "profile:monitor"


class PolicyStore:
    def __init__(
        self, file: Path | None, profile: str, folder: Path, changed: Callable[[InForce, PolicyError | None], None]
    ) -> None:
        self._file = file
        self._profile = profile
        self._last_good = folder / "last-good.yaml"
        self._changed = changed
        self._seen: tuple[int, int, int] | None = None
        self.refused: PolicyError | None = None
        self._in_force = self._first()

    @property
    def in_force(self) -> InForce:
        return self._in_force

    @property
    def release(self) -> str:
        return self._in_force.compiled.policy.release

    def evaluate(self, facts: Facts) -> Verdict:
        return evaluate(self._in_force.compiled, facts)

    def refresh(self, *, force: bool = False) -> bool:
        """Read the file again if it changed (or ``force``); True when another policy came into force."""
        if self._file is None:
            return False
        seen = self._fingerprint()
        if seen == self._seen and not force:
            return False
        self._seen = seen
        try:
            new = InForce(self._load(self._file), str(self._file))
        except PolicyError as error:
            self.refused = error
            self._changed(self._in_force, error)
            return False
        self.refused = None
        differs = new.compiled.policy.release != self.release
        self._in_force = new
        self._changed(new, None)
        return differs

    def announce(self) -> None:
        """Say which policy is in force at start."""
        self._changed(self._in_force, self.refused)

    def _first(self) -> InForce:
        if self._file is not None:
            self._seen = self._fingerprint()
            try:
                return InForce(self._load(self._file), str(self._file))
            except PolicyError as error:
                self.refused = error
            with contextlib.suppress(OSError, PolicyError):  # no copy, or a damaged one: the profile is still there
                data = self._last_good.read_bytes()
                return InForce(load_policy(data, str(self._last_good)), "last-good")
        return InForce(load_policy(profile_bytes(self._profile), self._profile), f"profile:{self._profile}")

    def _load(self, file: Path) -> CompiledPolicy:
        data = _read(file)
        compiled = load_policy(data, str(file))
        if not self._last_good.exists() or self._last_good.read_bytes() != data:
            with contextlib.suppress(OSError):  # a full disk: the policy counts, its copy can wait
                replace_file(self._last_good, data)
        return compiled

    def _fingerprint(self) -> tuple[int, int, int] | None:
        try:
            state = os.stat(self._file or "")
        except OSError:
            return None
        return state.st_ino, state.st_size, state.st_mtime_ns


def _read(file: Path) -> bytes:
    """The bytes of a policy file, bounded. Raises PolicyError when it cannot be read."""
    try:
        with file.open("rb") as opened:
            data = opened.read(MAX_POLICY_BYTES + 1)
    except OSError as error:
        raise PolicyError(
            N_("cannot be read: {why}"), where=str(file), hint=N_("check the path [policy] file in agent.toml"),
            file=str(file), line=0, rule="", expected="", found="", why=error.strerror,
        ) from error  # fmt: skip
    if len(data) > MAX_POLICY_BYTES:
        raise PolicyError(
            N_("is larger than {expected}"), where=str(file), file=str(file), line=0, rule="", expected="1 MiB",
            found=str(len(data)),
        )  # fmt: skip
    return data
