"""The policy in force: read, tried, swapped whole; a bad file changes nothing but what ``status`` says.

Owns the copy of the last good policy (data_dir/policy/last-good.yaml), so that a bad edit before a restart does not
leave the laptop without one. Order at start: what was pushed, the configured file, the last good copy, the shipped
profile.
"""

from __future__ import annotations

import contextlib
import os
from collections.abc import Callable
from dataclasses import dataclass, replace
from pathlib import Path
from zlib import crc32

from agent.daemon.policy_reader import read_policy
from agent.errors import N_, PolicyError
from agent.fsys.administrators import only_administrators_write
from agent.fsys.atomic import private_folder, replace_file
from agent.fsys.small import open_small, read_small
from agent.model import Facts, Mode, Verdict
from agent.policy.engine import CompiledPolicy, compile_policy, evaluate
from agent.policy.profiles import profile_bytes

MAX_POLICY_BYTES = 1 << 20
MAX_RELEASES = 100


@dataclass(frozen=True, slots=True)
class InForce:
    compiled: CompiledPolicy
    source: str  # file, "last-good", or "profile:monitor"


class PolicyStore:
    def __init__(
        self, file: Path | None, profile: str, folder: Path, changed: Callable[[InForce, PolicyError | None], None],
        pushed: Path | None = None,
    ) -> None:  # fmt: skip
        self._configured = file
        self._pushed = pushed
        self._loose: frozenset[str] = frozenset()
        self._profile = profile
        self._last_good = folder / "last-good.yaml"
        self._changed = changed
        self._seen: tuple[int, int, int] | None = None
        self.refused: PolicyError | None = None
        self._strict = self._in_force = self._first()

    @property
    def _file(self) -> Path | None:
        """What was pushed, signed, counts before what is configured on this laptop."""
        return self._pushed if self._pushed is not None and self._pushed.exists() else self._configured

    def loosen(self, rules: frozenset[str]) -> bool:
        """From now on ``rules`` only observe, and no others; False when it was so already."""
        if rules == self._loose:
            return False
        self._loose = rules
        self._in_force = self._loosened(self._strict)
        return True

    def _loosened(self, strict: InForce) -> InForce:
        if not self._loose:
            return strict
        policy = strict.compiled.policy
        rules = tuple(replace(rule, mode=Mode.OBSERVE) if rule.id in self._loose else rule for rule in policy.rules)
        return InForce(compile_policy(replace(policy, rules=rules)), strict.source)

    @property
    def in_force(self) -> InForce:
        return self._in_force

    @property
    def release(self) -> str:
        """What a decision rests on: another one while rules are loosened, so that nothing decided then counts later."""
        release = self._in_force.compiled.policy.release
        return f"{release}+{crc32(','.join(sorted(self._loose)).encode()):08x}" if self._loose else release

    def evaluate(self, facts: Facts) -> Verdict:
        return evaluate(self._in_force.compiled, facts)

    def refresh(self, *, force: bool = False) -> bool:
        """Read the file again if it changed (or ``force``); True when another policy came into force."""
        file = self._file
        if file is None:
            return False
        seen = self._fingerprint()
        if seen == self._seen and not force:
            return False
        self._seen = seen
        try:
            new = InForce(self._load(file), str(file))
        except PolicyError as error:
            self.refused = error
            self._changed(self._in_force, error)
            return False
        self.refused = None
        differs = new.compiled.policy.release != self._strict.compiled.policy.release
        self._strict, self._in_force = new, self._loosened(new)
        self._changed(new, None)
        return differs

    def announce(self) -> None:
        """Say which policy is in force at start."""
        self._changed(self._in_force, self.refused)

    def _first(self) -> InForce:
        file = self._file
        if file is not None:
            self._seen = self._fingerprint()
            try:
                return InForce(self._load(file), str(file))
            except PolicyError as error:
                self.refused = error
            with contextlib.suppress(OSError, PolicyError):  # no copy, or a damaged one: the profile is still there
                data = read_small(self._last_good, MAX_POLICY_BYTES + 1)
                return InForce(read_policy(data, str(self._last_good), self._last_good.parent), "last-good")
        shipped = read_policy(profile_bytes(self._profile), self._profile, self._last_good.parent)
        return InForce(shipped, f"profile:{self._profile}")

    def _load(self, file: Path) -> CompiledPolicy:
        data = _read(file)
        compiled = read_policy(data, str(file), self._last_good.parent)
        self._keep_release(compiled.policy.release, data)
        if not self._is_kept(data):
            with contextlib.suppress(OSError):  # a full disk: the policy counts, its copy can wait
                replace_file(self._last_good, data)
        return compiled

    def _is_kept(self, data: bytes) -> bool:
        try:
            return read_small(self._last_good, MAX_POLICY_BYTES + 1) == data
        except OSError:  # none yet, or something else lies there
            return False

    def _keep_release(self, release: str, data: bytes) -> None:
        """What a dossier of later days quotes: the policy that was in force then. The oldest go when they are many."""
        folder = self._last_good.parent / "releases"
        with contextlib.suppress(OSError):
            kept = sorted(private_folder(folder).iterdir(), key=lambda path: path.stat().st_mtime)
            if folder / f"{release}.yaml" not in kept:
                replace_file(folder / f"{release}.yaml", data)
                for old in kept[: max(0, len(kept) + 1 - MAX_RELEASES)]:
                    old.unlink()

    def _fingerprint(self) -> tuple[int, int, int] | None:
        try:
            state = os.stat(self._file or "")
        except OSError:
            return None
        return state.st_ino, state.st_size, state.st_mtime_ns


def _read(file: Path) -> bytes:
    """The bytes of a policy file, bounded. Raises PolicyError when it cannot be read, or is not the administrator's."""
    try:
        with open_small(file) as opened:
            _require_administrators(opened.fileno(), file)
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


def _require_administrators(fd: int, file: Path) -> None:
    """A policy says to whom documents are sealed: whoever else may write it would have them sealed to themselves."""
    if not only_administrators_write(fd):
        raise PolicyError(
            N_("can be changed by others than the administrator, so it does not count"), where=str(file),
            hint=N_("sudo chown root FILE; sudo chmod 644 FILE"),
            file=str(file), line=0, rule="", expected="", found="",
        )  # fmt: skip
