"""The repository in ``data``/tuf, and the collector's own key in it. docs/formats/policy-push.md.

``publish`` takes over a change that officers signed: verified first, by the same rules as a laptop's, then laid down,
then made visible by one file (``timestamp.json``). Whoever reads meanwhile sees the state before or after.
"""

from __future__ import annotations

import contextlib
import fcntl
import os
import time
from collections.abc import Iterator
from datetime import UTC, datetime, timedelta
from hashlib import sha256
from pathlib import Path
from typing import Any

import msgspec
from securesystemslib.signer import CryptoSigner, Key, SSlibKey
from tuf.api.exceptions import RepositoryError
from tuf.api.metadata import Metadata, MetaFile, Root, Snapshot, TargetFile, Targets, Timestamp

from agent.errors import N_, ChangedError, HostError, PolicyError, UsageError
from agent.fleet import release
from agent.fleet.authoring import Repository, add_target, unversioned
from agent.fleet.release import refused
from agent.fsys.atomic import private_folder, replace_file

FOLDER = "tuf"
KEY = "server.key"
TIMESTAMP_DAYS, SNAPSHOT_DAYS, OWN_DAYS = 14, 14, 400
RENEW_DAYS = 200  # of those 400
LEAP = 100_000
OWN = ("rollout", "assign")
ROLES = ("root", "targets", "emergency", "offline")


class ServerRepository:
    """What the collector publishes. Raises HostError when the folder cannot be used."""

    def __init__(self, data: Path) -> None:
        self.folder = data / FOLDER
        self._metadata = self.folder / "metadata"
        self._copy = Repository(self.folder)

    @property
    def started(self) -> bool:
        """Whether officers have published a root of trust."""
        return (self._metadata / "timestamp.json").exists()

    def signer(self) -> CryptoSigner:
        """The collector's own key, made at the first call."""
        from cryptography.hazmat.primitives.asymmetric.ed25519 import Ed25519PrivateKey

        private_folder(self.folder, 0o711)
        path = self.folder / KEY
        if not path.exists():
            replace_file(path, Ed25519PrivateKey.generate().private_bytes_raw())
        try:
            key = Ed25519PrivateKey.from_private_bytes(path.read_bytes())
        except (OSError, ValueError) as error:
            raise HostError(N_("cannot be used"), where=str(path)) from error
        return CryptoSigner(key, SSlibKey.from_crypto(key.public_key()))

    def public(self) -> Key:
        """The public half, which officers put into the root."""
        return self.signer().public_key

    def root_digest(self) -> str:
        """SHA-256 of the first root; "" when there is none."""
        try:
            return sha256((self._metadata / "1.root.json").read_bytes()).hexdigest()
        except OSError:
            return ""

    def timestamp(self) -> bytes:
        """The newest, as it lies there; b"": nothing was published."""
        try:
            return (self._metadata / "timestamp.json").read_bytes()
        except OSError:
            return b""

    def number(self, timestamp: bytes | None = None) -> int:
        """Of the newest timestamp, or of this one; 0: nothing was published."""
        try:
            return int(msgspec.json.decode(self.timestamp() if timestamp is None else timestamp)["signed"]["version"])
        except (msgspec.MsgspecError, KeyError, TypeError):
            return 0

    def read(self, path: str) -> bytes | None:
        """A published target of any role, newest; None: there is none."""
        for role in ("targets", *OWN, "emergency", "offline"):
            found = self._copy.newest(role)
            if found is not None and path in found.signed.targets:
                parent, _, base = path.rpartition("/")
                digest = found.signed.targets[path].hashes["sha256"]
                return (self.folder / "targets" / parent / f"{digest}.{base}").read_bytes()
        return None

    def targets(self) -> list[str]:
        """What the approvers signed, by path."""
        found = self._copy.newest("targets")
        return sorted(found.signed.targets) if found is not None else []

    def rollout(self) -> release.Rollout | None:
        """How far the present release has come."""
        data = self.read(release.ROLLOUT)
        return release.read_rollout(data) if data is not None else None

    def release(self, number: int) -> release.Release | None:
        """A release that the approvers signed."""
        data = self.read(f"releases/{number}.json")
        return release.read_release(data) if data is not None else None

    @contextlib.contextmanager
    def locked(self) -> Iterator[None]:
        """Nobody else changes the repository meanwhile."""
        private_folder(self.folder, 0o711)
        fd = os.open(self.folder / "lock", os.O_RDWR | os.O_CREAT | os.O_CLOEXEC | os.O_NOFOLLOW, 0o600)
        try:
            fcntl.flock(fd, fcntl.LOCK_EX)
            yield
        finally:
            os.close(fd)

    # ---- what officers bring

    def publish(self, change: Path) -> list[str]:
        """Take over ``change``; the roles that are new. Raises PolicyError: not signed as it has to be, not newer."""
        with self.locked():
            new = Repository(change)
            found = {role: made for role in ROLES if (made := new.newest(role)) is not None}
            root = self._checked_root(found.get("root"))
            targets = found.get("targets") or self._copy.newest("targets")
            if targets is None or not found:
                raise refused("missing", N_("there is nothing to publish in this folder"))
            changed = [role for role, made in found.items() if self._is_newer(role, made)]
            if not changed:
                raise refused("rollback", N_("this change was published already, or is older than what is published"))
            self._check(root, targets, {role: found[role] for role in changed})
            self._lay_down(change, {role: found[role] for role in changed})
            self._announce()
            return changed

    def _checked_root(self, new: Metadata[Root] | None) -> Root:
        old = self._copy.newest("root")
        if new is None and old is None:
            raise refused("missing", N_("there is no root of trust yet"))
        if new is None or (old is not None and new.signed.version == old.signed.version):
            return old.signed if old is not None else new.signed  # type: ignore[union-attr]
        try:
            if new.signed.version != (old.signed.version + 1 if old is not None else 1):
                raise refused("rollback", N_("the new root does not follow the one before"))
            if old is not None:
                old.signed.verify_delegate("root", new.signed_bytes, new.signatures)
            new.signed.verify_delegate("root", new.signed_bytes, new.signatures)
        except RepositoryError as error:
            raise _unsigned("root") from error
        if self.public().keyid not in new.signed.roles["timestamp"].keyids:
            raise refused("signature", N_("the root does not name this collector's key"))
        return new.signed

    def _check(self, root: Root, targets: Metadata[Targets], changed: dict[str, Metadata[Any]]) -> None:
        now = datetime.now(UTC)
        for role, made in changed.items():
            if role == "root":
                continue
            by = root if role == "targets" else targets.signed
            try:
                by.verify_delegate(role, made.signed_bytes, made.signatures)
            except (RepositoryError, ValueError) as error:
                raise _unsigned(role) from error
            if made.signed.is_expired(now):
                raise refused("expired", N_("the policy's repository has expired: it was not renewed in time"))

    def _is_newer(self, role: str, made: Metadata[Any]) -> bool:
        """What was laid down and never announced, because that was cut short, is new too: it is taken over again."""
        before = self._copy.newest(role)
        if before is None or made.signed.version > before.signed.version:
            return True
        return role != "root" and made.signed.version == before.signed.version > self._announced(role)

    def _announced(self, role: str) -> int:
        """The number of ``role`` that laptops are told of; 0: none."""
        try:
            told = msgspec.json.decode(self.timestamp())["signed"]["meta"]["snapshot.json"]["version"]
            snapshot = msgspec.json.decode((self._metadata / f"{told}.snapshot.json").read_bytes())
            return int(snapshot["signed"]["meta"][f"{role}.json"]["version"])
        except (OSError, msgspec.MsgspecError, KeyError, TypeError):
            return 0

    def _lay_down(self, change: Path, changed: dict[str, Metadata[Any]]) -> None:
        """First what is named, then the names."""
        for role, made in changed.items():
            for path, info in getattr(made.signed, "targets", {}).items():
                self._take_target(change, role, path, info)
        private_folder(self._metadata, 0o755)
        for role, made in changed.items():
            replace_file(self._metadata / f"{made.signed.version}.{role}.json", made.to_bytes(), 0o644)

    def _take_target(self, change: Path, role: str, path: str, info: TargetFile) -> None:
        parent, _, base = path.rpartition("/")
        name = f"{info.hashes['sha256']}.{base}"
        place = self.folder / "targets" / parent
        if (place / name).exists():
            return
        try:
            data = (change / "targets" / parent / name).read_bytes()
            info.verify_length_and_hashes(data)
        except (OSError, RepositoryError) as error:
            raise refused("mix", N_("files of the policy do not belong together")) from error
        _check_content(path, data)
        private_folder(place, 0o755)
        replace_file(place / name, data, 0o644)

    # ---- what the collector says itself

    def say(self, role: str, path: str, data: bytes, *, before: bytes | None = None) -> None:
        """Publish ``data`` as ``path`` of one of the collector's own roles. ``before``: what it was decided from.
        Raises ChangedError: something else was published since.
        """
        with self.locked():
            if before is not None and self.read(path) != before:
                raise ChangedError(
                    N_("somebody else changed it meanwhile"), hint=N_("look at it as it is now, then change it again")
                )
            self._say(role, path, data)
            self._announce()

    def _say(self, role: str, path: str, data: bytes) -> None:
        if role not in OWN:
            raise UsageError(N_("the collector has no right to publish this"))
        found = self._copy.newest(role)
        made: Metadata[Targets] = found if found is not None else Metadata(unversioned())
        add_target(self.folder, made.signed, path, data)
        self._sign(role, made, OWN_DAYS)

    def renew(self) -> None:
        """Sign timestamp and snapshot anew, so that laptops see that nothing was held back; what ends soon, too."""
        with self.locked():
            self._announce()

    def leap(self, last: int = 0) -> None:
        """Sign everything of its own anew, with numbers that no laptop has seen yet, above ``last`` too: this folder
        was put back from a backup, what it said later is lost. What officers signed since has to be published again.
        """
        with self.locked():
            if not self.started:
                return
            for role in OWN:
                found = self._copy.newest(role)
                self._sign(role, found if found is not None else Metadata(unversioned()), OWN_DAYS, last=last)
            self._announce(last=last)

    def age_s(self) -> float:
        """Seconds since the timestamp was signed. What a clock that was ahead signed is old too."""
        try:
            return abs(datetime.now(UTC).timestamp() - os.stat(self._metadata / "timestamp.json").st_mtime)
        except OSError:
            return 0.0

    def _announce(self, *, last: int | None = None) -> None:
        """A new snapshot of what there is, and the timestamp that points to it: the moment it becomes visible."""
        if self._copy.newest("root") is None:
            return
        soon = datetime.now(UTC) + timedelta(days=RENEW_DAYS)
        for role in OWN:
            if (own := self._copy.newest(role)) is None or own.signed.expires < soon:
                self._sign(role, own if own is not None else Metadata(unversioned()), OWN_DAYS)
        names = ("targets", *OWN, "emergency", "offline")
        meta = {
            f"{role}.json": MetaFile(found.signed.version)
            for role in names if (found := self._copy.newest(role)) is not None
        }  # fmt: skip
        before = self._copy.newest("snapshot")
        snapshot = Snapshot(meta=meta)
        snapshot.version = before.signed.version if before else 0
        number = self._sign("snapshot", Metadata(snapshot), SNAPSHOT_DAYS, last=last)
        timestamp = Timestamp(snapshot_meta=MetaFile(number))
        timestamp.version = self.number()
        self._sign("timestamp", Metadata(timestamp), TIMESTAMP_DAYS, last=last)

    def _sign(self, role: str, made: Metadata[Any], days: int, *, last: int | None = None) -> int:
        """``last``: leap, above that number too."""
        before = int(made.signed.version)
        made.signed.version = before + 1 if last is None else _leapt(max(before, last))
        made.signed.expires = datetime.now(UTC).replace(microsecond=0) + timedelta(days=days)
        made.sign(self.signer())
        private_folder(self._metadata, 0o755)
        name = "timestamp.json" if role == "timestamp" else f"{made.signed.version}.{role}.json"
        replace_file(self._metadata / name, made.to_bytes(), 0o644)
        return int(made.signed.version)

    # ---- copies

    def newest_files(self, roles: tuple[str, ...]) -> dict[str, bytes]:
        """Every root, and the newest metadata of ``roles`` with what they name, by their names in the repository."""
        files = {f"metadata/{path.name}": path.read_bytes() for path in self._metadata.glob("*.root.json")}
        for role in roles:
            found = self._copy.newest(role)
            if found is None:
                continue
            files[f"metadata/{found.signed.version}.{role}.json"] = (
                self._metadata / f"{found.signed.version}.{role}.json"
            ).read_bytes()
            for path, info in found.signed.targets.items() if role != "targets" else ():
                parent, _, base = path.rpartition("/")
                name = f"targets/{parent}/{info.hashes['sha256']}.{base}"
                files[name] = (self.folder / name).read_bytes()
        return files


def _leapt(number: int) -> int:
    """The minutes since 1970: numbers rise by one with each publication, which is slower. So it also counts for what is
    put back a second time, from the same backup. The step stays where a clock was once ahead.
    """
    minutes = int(time.time()) // 60
    return minutes if minutes > number else number + LEAP


def _check_content(path: str, data: bytes) -> None:
    """What is signed must be what laptops understand: told to the officer now, not to the fleet later."""
    if path.endswith(".yaml") and path.startswith(("policies/", "offline/")):
        from agent.policy.load import load_policy

        load_policy(data, path)
    elif path.startswith("releases/") or path == release.OFFLINE:
        release.read_release(data)
    elif path == release.EMERGENCY:
        release.read_emergency(data)
    else:
        raise refused("malformed", N_("a signed document of the policy is not understood by this version"))


def _unsigned(role: str) -> PolicyError:
    return refused("signature", N_("«{role}» is not signed by enough of those who may sign it"), role=role)
