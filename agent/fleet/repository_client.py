"""The signed repository as a laptop sees it: python-tuf's client over files that somebody else brings.

Verifies signatures, thresholds, versions and dates from a root of trust on; what is refused has a stable word. The
same code runs where the files are fetched and, without network, where the agent has them checked. It keeps the
verified metadata in a folder of the caller's, which is what makes a step back noticed.
"""

from __future__ import annotations

from collections.abc import Callable, Iterator
from pathlib import Path
from typing import TypeVar

import msgspec
from tuf.api import exceptions
from tuf.ngclient import FetcherInterface, Updater, UpdaterConfig

from agent.errors import N_, PolicyError
from agent.fleet.release import EMERGENCY, MAX_DOCUMENT, MAX_POLICY, refused

DELEGATED = ("rollout", "assign", "emergency", "offline")
FIRST_ROOT = "metadata/1.root.json"
_Result = TypeVar("_Result")
_LIMITS = UpdaterConfig(max_root_rotations=64, max_delegations=8, root_max_length=128 << 10,
                        snapshot_max_length=256 << 10, targets_max_length=2 << 20)  # fmt: skip
Bring = Callable[[str], bytes | None]
"""The file of the repository with this name (``metadata/…``, ``targets/…``); None: there is none."""


class RepositoryClient:
    """One look at the repository. Raises PolicyError, and whatever ``bring`` raises."""

    def __init__(self, folder: Path, root: bytes, bring: Bring) -> None:
        self._folder = folder
        self._fetcher = _Fetcher(bring)
        self._published: set[str] = set()
        self.targets: dict[str, bytes] = {}
        """What was read, by the name that it has in the repository."""
        try:
            self._updater = Updater(
                str(folder), "metadata", str(folder), "targets", self._fetcher, _LIMITS, bootstrap=root
            )
        except exceptions.RepositoryError as error:
            raise _refused(error) from error

    def refresh(self) -> int:
        """Verify root, timestamp, snapshot and targets; the timestamp's number."""
        self._run(self._updater.refresh)
        kept = (self._folder / "timestamp.json").read_bytes()
        if self._fetcher.timestamp != kept:
            raise refused("fork", N_("two different states of the policy carry the same number"))
        snapshot = msgspec.json.decode((self._folder / "snapshot.json").read_bytes())
        self._published = {name.removesuffix(".json") for name in snapshot["signed"]["meta"]}
        return _version(kept)

    def read(self, path: str, limit: int = MAX_DOCUMENT) -> bytes | None:
        """A verified target; None when nobody signed one of that name."""
        role = path.split("/", maxsplit=1)[0].removesuffix(".json")
        if role in DELEGATED and role not in self._published:  # nobody has signed anything in that role yet
            return None
        info = self._run(lambda: self._updater.get_targetinfo(path))
        if info is None:
            return None
        if info.length > limit:
            raise refused("too-large", N_("a signed file of the policy is too large"))
        place = self._folder / "target"
        self._run(lambda: self._updater.download_target(info, str(place)))
        data = place.read_bytes()
        place.unlink()
        self.targets[self._fetcher.last] = data
        return data

    def emergency(self) -> bytes | None:
        """What is loosened. What was signed so long ago that it expired ended long before: it bars nothing else."""
        try:
            return self.read(EMERGENCY)
        except PolicyError as error:
            if error.fields.get("word") != "expired":
                raise
            return None

    def policy(self, path: str) -> bytes:
        """A policy that a release names. Raises PolicyError: it is not there."""
        data = self.read(path, MAX_POLICY)
        if data is None:
            raise refused("missing", N_("a policy that a release names is not there"))
        return data

    def _run(self, step: Callable[[], _Result]) -> _Result:
        try:
            return step()
        except exceptions.DownloadLengthMismatchError as error:
            raise refused("mix", N_("files of the policy do not belong together")) from error
        except exceptions.RepositoryError as error:
            raise _refused(error) from error
        except exceptions.DownloadError as error:
            if self._fetcher.failed is not None:  # the network's own trouble, not the policy's
                raise self._fetcher.failed from error
            raise refused("missing", N_("a file of the policy's repository is missing")) from error


class _Fetcher(FetcherInterface):
    """Hands over what is brought; remembers what the client itself does not keep."""

    def __init__(self, bring: Bring) -> None:
        self._bring = bring
        self.timestamp = b""
        self.last = ""
        self.failed: Exception | None = None

    def _fetch(self, url: str) -> Iterator[bytes]:
        try:
            data = self._bring(url)
        except Exception as error:
            self.failed = error
            raise
        if data is None:
            raise exceptions.DownloadHTTPError("not there", 404)
        if url == "metadata/timestamp.json":
            self.timestamp = data
        self.last = url
        return iter((data,))


_REASONS: tuple[tuple[type[Exception], str, str], ...] = (
    (exceptions.ExpiredMetadataError, "expired", N_("the policy's repository has expired: it was not renewed in time")),
    (exceptions.UnsignedMetadataError, "signature", N_("the policy is not signed by enough of those who may sign it")),
    (exceptions.BadVersionNumberError, "rollback", N_("an older state of the policy than before was brought")),
    (exceptions.LengthOrHashMismatchError, "mix", N_("files of the policy do not belong together")),
)


def _refused(error: Exception) -> PolicyError:
    """What python-tuf found wrong, as a word and a sentence."""
    if isinstance(error, exceptions.BadVersionNumberError) and str(error).startswith("Expected"):
        return refused("mix", N_("files of the policy do not belong together"))
    for kind, word, message in _REASONS:
        if isinstance(error, kind):
            return refused(word, message)
    return refused("malformed", N_("the policy's repository is not understood"))


def kept(folder: Path) -> dict[str, bytes]:
    """The verified metadata in ``folder``, under the names that a repository serves it by."""
    found = {}
    for file in (folder / "root_history").glob("*.root.json"):
        found[f"metadata/{file.name}"] = file.read_bytes()
    for file in folder.glob("*.json"):
        if file.name == "root.json":
            continue
        data = file.read_bytes()
        number = "" if file.name == "timestamp.json" else f"{_version(data)}."
        found[f"metadata/{number}{file.name}"] = data
    return found


def _version(data: bytes) -> int:
    return int(msgspec.json.decode(data)["signed"]["version"])
