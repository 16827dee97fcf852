"""The policy of the fleet, as the sync process sees it: fetch what is new, verify it, put it down as one file.

Owns ``tuf/`` (verified metadata, what was refused last) and ``policy.bundle`` in the fleet's folder. What lies there is
believed nothing: the agent has it checked again by a process of its own (``checking``) before anything comes into
force. An unchanged repository costs no request: the visit's answer says whether there is news.
"""

from __future__ import annotations

import contextlib
import fcntl
import os
import shutil
import tempfile
from collections.abc import Iterator, Mapping
from pathlib import Path
from typing import Any

import msgspec

from agent.errors import PolicyError, TransportError
from agent.fleet import bundle
from agent.fleet.identity import Identity
from agent.fleet.release import BUNDLE
from agent.fleet.visiting import Fetch
from agent.fsys.atomic import private_folder, replace_file

FOLDER = "tuf"
NUMBER = "verified"
REFUSED = "refused"
SCRATCH = "new-"
MAX_FILE = 4 << 20
MAX_REFUSED = 200  # bytes


class Refused(msgspec.Struct, frozen=True):
    """Why news was not taken. ``first``: the first timestamp of those that were refused in a row; 0: not told."""

    why: str = ""
    first: int = 0


class PolicyUpdates:
    """See ``updates.Updates``."""

    def __init__(self, identity: Identity) -> None:
        self._identity = identity
        self._folder = identity.folder / FOLDER
        self._news = 0

    def due(self, policy: Mapping[str, Any]) -> bool:
        """Whether the collector has another timestamp than the one that was verified last; or no longer has the one
        that was refused, which is to be seen and told.
        """
        number = policy.get("timestamp")
        self._news = number if isinstance(number, int) and not isinstance(number, bool) and 0 < number < 1 << 53 else 0
        return self._news not in {0, self._number()} or bool(self._refused().why)

    def refresh(self, fetch: Fetch) -> None:
        """Fetch, verify, put down. Raises TransportError and PolicyError."""
        try:
            self._refresh(fetch)
            (self._folder / REFUSED).unlink(missing_ok=True)
        except PolicyError as error:
            refused = Refused(str(error.fields.get("word", "malformed")), self._refused().first or self._news)
            replace_file(self._folder / REFUSED, msgspec.json.encode(refused))
            raise

    def _refresh(self, fetch: Fetch) -> None:
        from agent.fleet import release
        from agent.fleet.checking import path_for, release_of
        from agent.fleet.repository_client import RepositoryClient, kept

        def bring(name: str) -> bytes | None:
            try:
                return fetch(f"/v1/tuf/{name}", MAX_FILE)
            except TransportError as error:
                if error.fields.get("kind") == "missing":
                    return None
                raise

        private_folder(self._folder)
        member = self._identity.member
        with self._scratch() as folder:
            authority, root = self._root(fetch, bring)
            self._lay_out(folder)
            client = RepositoryClient(folder, root, bring)
            number = client.refresh()
            raw = client.read(release.ROLLOUT)
            assigned = client.read(release.assigned_path(member.device))
            group = release.read_assigned(assigned, member.device) if assigned is not None else None
            if raw is not None:
                rollout = release.read_rollout(raw)
                for wanted in {rollout.release, rollout.previous} - {0}:
                    found = release_of(client, wanted)
                    client.policy(path_for(found, member.group if group is None else group))
            client.emergency()
            files = {**kept(folder), **client.targets, bundle.AUTHORITY: authority}
        replace_file(self._folder / "trusted", bundle.pack({n: d for n, d in files.items() if n.startswith("meta")}))
        replace_file(self._identity.folder / BUNDLE, bundle.pack(files))
        replace_file(self._folder / NUMBER, str(number).encode())

    @contextlib.contextmanager
    def _scratch(self) -> Iterator[Path]:
        """A folder of its own, gone afterwards; so are those that a process left which was killed, unless another
        one works here now.
        """
        fd = os.open(self._folder, os.O_RDONLY | os.O_DIRECTORY | os.O_CLOEXEC)
        try:
            with contextlib.suppress(BlockingIOError):
                fcntl.flock(fd, fcntl.LOCK_EX | fcntl.LOCK_NB)
                for left in self._folder.glob(f"{SCRATCH}*"):
                    shutil.rmtree(left, ignore_errors=True)
            fcntl.flock(fd, fcntl.LOCK_SH)
            with tempfile.TemporaryDirectory(dir=self._folder, prefix=SCRATCH) as scratch:
                yield Path(scratch)
        finally:
            os.close(fd)

    def _root(self, fetch: Fetch, bring: Any) -> tuple[bytes, bytes]:
        """The authority's document and the first root: kept from the first time, or stated by our own authority."""
        from agent.fleet.checking import stated_root
        from agent.fleet.repository_client import FIRST_ROOT

        place = self._folder / "authority.json"
        first = self._folder / "first.root.json"
        if place.exists() and first.exists():
            return place.read_bytes(), first.read_bytes()
        authority = fetch("/v1/authority", MAX_FILE)
        root = stated_root(self._identity.member.authority.ca, authority, bring(FIRST_ROOT) or b"")
        replace_file(place, authority)
        replace_file(first, root)
        return authority, root

    def _lay_out(self, folder: Path) -> None:
        from agent.fleet.checking import lay_out

        if (self._folder / "trusted").exists():
            lay_out(folder, bundle.unpack((self._folder / "trusted").read_bytes()))

    def _number(self) -> int:
        try:
            return int((self._folder / NUMBER).read_bytes()[:20])
        except (OSError, ValueError):
            return 0

    def _refused(self) -> Refused:
        try:
            with (self._folder / REFUSED).open("rb") as file:
                return msgspec.json.decode(file.read(MAX_REFUSED), type=Refused)
        except (OSError, msgspec.MsgspecError):
            return Refused()

    def report(self) -> Mapping[str, Any]:
        """The timestamp that was verified last, why a newer one was not, and since which one."""
        said: dict[str, Any] = {"tuf": self._number()} if self._number() else {}
        if (refused := self._refused()).why:
            said |= {"tuf_refused": refused.why, "tuf_refused_from": refused.first}
        return said
