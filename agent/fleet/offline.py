"""A bundle for laptops without network: who signed it, without the short-lived roles of the online repository.

As Uptane's offline updates: a role of its own with its own key and a long life, which counts in bundles alone; so an
old stick never becomes a way back for laptops that are online. The chain is root → targets → offline; each file's
number may not fall.
"""

from __future__ import annotations

from collections.abc import Mapping
from datetime import UTC, datetime
from hashlib import sha256

from tuf.api import exceptions
from tuf.api.metadata import Metadata, Root, Targets

from agent.errors import N_
from agent.fleet.release import MAX_DOCUMENT, MAX_POLICY, malformed, refused

ROLE = "offline"
_MAX_ROOTS = 64


class OfflineBundle:
    """The files of a bundle, verified from ``root`` on. ``numbers`` are the least that roles may have.

    Raises PolicyError.
    """

    def __init__(self, files: Mapping[str, bytes], root: bytes, numbers: Mapping[str, int], now: int) -> None:
        self._files = files
        self._when = datetime.fromtimestamp(now, UTC)
        try:
            self.roots: dict[str, bytes] = {}
            self._root = self._walk(root)
            targets = self._role("targets")
            self._root.verify_delegate("targets", targets.signed_bytes, targets.signatures)
            signed = self._role(ROLE)
            targets.signed.verify_delegate(ROLE, signed.signed_bytes, signed.signatures)
        except exceptions.UnsignedMetadataError as error:
            raise refused("signature", N_("the policy is not signed by enough of those who may sign it")) from error
        except (exceptions.RepositoryError, ValueError) as error:
            raise malformed() from error
        self._targets = signed.signed
        self.numbers = {"targets": targets.signed.version, ROLE: signed.signed.version}
        for role, number in self.numbers.items():
            if number < numbers.get(role, 0):
                raise refused("rollback", N_("an older state of the policy than before was brought"))
        for each in (self._root, targets.signed, signed.signed):
            if each.is_expired(self._when):
                raise refused("expired", N_("this bundle has expired: ask for a newer one"))

    def read(self, path: str, limit: int = MAX_DOCUMENT) -> bytes | None:
        """A file that the offline role signed; None: it did not."""
        info = self._targets.targets.get(path) if path.startswith("offline/") else None
        if info is None:
            return None
        digest = info.hashes.get("sha256", "")
        folder, _, base = path.rpartition("/")
        data = self._files.get(f"targets/{folder}/{digest}.{base}", b"")
        if len(data) > limit or len(data) != info.length or sha256(data).hexdigest() != digest:
            raise refused("mix", N_("files of the policy do not belong together"))
        return data

    def policy(self, path: str) -> bytes:
        """A policy that the release names. Raises PolicyError: it is not there."""
        data = self.read(path, MAX_POLICY)
        if data is None:
            raise refused("missing", N_("a policy that a release names is not there"))
        return data

    def _walk(self, root: bytes) -> Root:
        """From the trusted root to the newest in the bundle, each signed by the one before and by itself."""
        last = Metadata[Root].from_bytes(root)
        self.roots[f"metadata/{last.signed.version}.root.json"] = root
        for _ in range(_MAX_ROOTS):
            name = f"metadata/{last.signed.version + 1}.root.json"
            following = self._files.get(name)
            if following is None:
                return last.signed
            new = Metadata[Root].from_bytes(following)
            if new.signed.type != Root.type or new.signed.version != last.signed.version + 1:
                raise malformed()
            last.signed.verify_delegate("root", new.signed_bytes, new.signatures)
            new.signed.verify_delegate("root", new.signed_bytes, new.signatures)
            last = new
            self.roots[name] = following
        raise malformed()

    def _role(self, role: str) -> Metadata[Targets]:
        """The role's newest metadata in the bundle."""
        ending = f".{role}.json"
        names = [name for name in self._files if name.startswith("metadata/") and name.endswith(ending)]
        if len(names) != 1:
            raise malformed()
        found = Metadata[Targets].from_bytes(self._files[names[0]])
        if found.signed.type != Targets.type:
            raise malformed()
        return found
