"""What officers prepare and sign: keys, the root of trust, releases, loosening in an emergency. Never on the collector.

A *change* is a folder: ``metadata/`` with the files that are to be signed, ``targets/`` with what they name. ``build``
makes it from a copy of the present repository, each officer's ``sign`` adds a signature, the collector's ``publish``
verifies it and takes it over. docs/formats/policy-push.md.
"""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from datetime import UTC, datetime, timedelta
from hashlib import sha256
from pathlib import Path
from typing import Any

import msgspec
from securesystemslib.signer import CryptoSigner, Key, SSlibKey
from tuf.api.exceptions import RepositoryError
from tuf.api.metadata import DelegatedRole, Delegations, Metadata, Root, TargetFile, Targets

from agent.errors import N_, UsageError
from agent.fleet import release
from agent.fleet.release import Emergency, Release
from agent.fsys.atomic import private_folder, replace_file

ROOT_DAYS, TARGETS_DAYS, OFFLINE_DAYS = 3 * 365, 400, 400
SERVER_ROLES = ("snapshot", "timestamp")
DELEGATED = {
    "assign": ["assign/*"], "rollout": ["rollout.json"], "emergency": ["emergency/*"],
    "offline": ["offline/*"],
}  # fmt: skip
MAX_FILE = 4 << 20


class Officers(msgspec.Struct):
    """Who may do what: public keys by file, and how many of them it takes."""

    approvers: Sequence[Key]
    threshold: int
    server: Key
    emergency: Key
    offline: Key


def make_key(path: Path, passphrase: bytes, owner: str) -> Key:
    """A new Ed25519 key: encrypted in ``path``, public beside it (``.pub``). Raises UsageError: it is there already."""
    from cryptography.hazmat.primitives.serialization import BestAvailableEncryption, Encoding, PrivateFormat

    if path.exists():
        raise UsageError(N_("there is such a file already"), where=str(path))
    signer = CryptoSigner.generate_ed25519()
    signer.public_key.unrecognized_fields["owner"] = owner
    secret = signer._private_key.private_bytes(Encoding.PEM, PrivateFormat.PKCS8, BestAvailableEncryption(passphrase))
    replace_file(path, secret)
    replace_file(path.with_name(path.name + ".pub"), public_bytes(signer.public_key), 0o644)
    return signer.public_key


def public_bytes(key: Key) -> bytes:
    """A public key as a file."""
    return msgspec.json.format(msgspec.json.encode({"id": key.keyid, **key.to_dict()})) + b"\n"


def read_public(path: Path) -> Key:
    """A public key. Raises UsageError."""
    try:
        found: dict[str, Any] = msgspec.json.decode(_read(path))
        return Key.from_dict(found.pop("id"), found)
    except (msgspec.MsgspecError, KeyError, ValueError, TypeError, AttributeError) as error:
        raise UsageError(N_("this is not an officer's public key"), where=str(path)) from error


def open_key(path: Path, passphrase: bytes) -> CryptoSigner:
    """An officer's signer. Raises UsageError: the passphrase is wrong, or it is no such key."""
    from cryptography.hazmat.primitives.asymmetric.ed25519 import Ed25519PrivateKey
    from cryptography.hazmat.primitives.serialization import load_pem_private_key

    try:
        key = load_pem_private_key(_read(path), passphrase or None)
    except (ValueError, TypeError) as error:
        raise UsageError(N_("the key cannot be opened: is the passphrase right?"), where=str(path)) from error
    if not isinstance(key, Ed25519PrivateKey):
        raise UsageError(N_("this is not an officer's key"), where=str(path))
    return CryptoSigner(key, SSlibKey.from_crypto(key.public_key()))


class Repository:
    """A copy of the repository's newest metadata in ``folder``/metadata."""

    def __init__(self, folder: Path) -> None:
        self.folder = folder

    def newest(self, role: str) -> Metadata[Any] | None:
        """The newest metadata of ``role``. Raises UsageError: unreadable."""
        number = max((_number(path) for path in (self.folder / "metadata").glob(f"*.{role}.json")), default=0)
        if not number:
            return None
        path = self.folder / "metadata" / f"{number}.{role}.json"
        try:
            return Metadata.from_bytes(_read(path))
        except RepositoryError as error:
            raise UsageError(N_("this is no signed policy metadata"), where=str(path)) from error


def _number(path: Path) -> int:
    first = path.name.split(".", 1)[0]
    return int(first) if first.isdecimal() else 0


def build_root(change: Path, base: Path | None, who: Officers) -> None:
    """A new root, and the targets role with its delegations. Raises UsageError."""
    if not 1 <= who.threshold <= len(who.approvers):
        raise UsageError(N_("so many signatures are needed as there are approvers, or fewer"))
    before = Repository(base).newest("root") if base else None
    root = Root(version=before.signed.version + 1 if before else 1, expires=_in_days(ROOT_DAYS))
    for role in ("root", "targets"):
        root.roles[role].threshold = who.threshold
        for key in who.approvers:
            root.add_key(key, role)
    for role in SERVER_ROLES:
        root.add_key(who.server, role)
    _put(change, "root", Metadata(root))
    earlier = Repository(base).newest("targets") if base else None
    targets: Targets = earlier.signed if earlier else unversioned()
    targets.delegations = _delegations(who)
    _next(change, "targets", targets, TARGETS_DAYS)


def _delegations(who: Officers) -> Delegations:
    keys = {"assign": who.server, "rollout": who.server, "emergency": who.emergency, "offline": who.offline}
    roles = {
        name: DelegatedRole(name, [keys[name].keyid], 1, terminating=False, paths=paths)
        for name, paths in DELEGATED.items()
    }
    return Delegations({key.keyid: key for key in keys.values()}, roles)


def build_release(change: Path, base: Path, made: Release, policies: Mapping[str, bytes], *, offline: bool) -> None:
    """A release with its policies (path → bytes), signed by the approvers or, ``offline``, by that role. Raises
    UsageError: the number is not new, a policy is missing.
    """
    role = "offline" if offline else "targets"
    found = Repository(base).newest(role)
    if found is None and not offline:
        raise UsageError(N_("there is no root of trust yet"), hint=N_("see: serment policy build --help"))
    targets: Targets = found.signed if found else unversioned()
    path = release.OFFLINE if offline else f"releases/{made.number}.json"
    if not offline and path in targets.targets:
        raise UsageError(N_("release {number} exists already"), number=made.number)
    release.read_release(encoded := msgspec.json.encode(made))
    for name, data in {**policies, path: encoded}.items():
        add_target(change, targets, name, data)
    _next(change, role, targets, OFFLINE_DAYS if offline else TARGETS_DAYS)


def build_emergency(change: Path, base: Path, made: Emergency) -> None:
    """Rules that only observe for a while. Raises PolicyError: more than 72 hours."""
    release.read_emergency(encoded := msgspec.json.encode(made))
    found = Repository(base).newest("emergency")
    targets: Targets = found.signed if found else unversioned()
    add_target(change, targets, release.EMERGENCY, encoded)
    _next(change, "emergency", targets, TARGETS_DAYS)


def policy_path(data: bytes, *, offline: bool = False) -> str:
    """Where a policy lies in the repository: by its digest, so that a release names these bytes and no others."""
    return f"{'offline' if offline else 'policies'}/{sha256(data).hexdigest()}.yaml"


def add_target(folder: Path, targets: Targets, path: str, data: bytes) -> None:
    """Name ``data`` in ``targets`` and lay it down, by its digest."""
    made = TargetFile.from_data(path, data, ["sha256"])
    targets.targets[path] = made
    parent, _, base = path.rpartition("/")
    place = folder / "targets" / parent
    place.mkdir(parents=True, exist_ok=True)
    replace_file(place / f"{made.hashes['sha256']}.{base}", data, 0o644)


def sign(change: Path, signer: CryptoSigner) -> list[str]:
    """Sign what ``signer`` may sign in ``change``; the names of the files. Raises UsageError: nothing is."""
    signed = []
    for path in sorted((change / "metadata").glob("*.json")):
        found: Metadata[Any] = Metadata.from_bytes(_read(path))
        if signer.public_key.keyid in _keyids(change, path):
            found.sign(signer, append=True)
            replace_file(path, found.to_bytes(), 0o644)
            signed.append(path.name)
    if not signed:
        raise UsageError(N_("there is nothing in this change that this key may sign"), where=str(change))
    return signed


def _keyids(change: Path, path: Path) -> Sequence[str]:
    """Which keys count for a file, by the root and targets that the change was built on, or brings."""
    role = path.name.split(".")[1]
    places = [Repository(change), Repository(change / "base")]
    known: set[str] = set()
    for place in places:
        root, targets = place.newest("root"), place.newest("targets")
        if root is not None and role in root.signed.roles:
            known |= set(root.signed.roles[role].keyids)
        delegations = targets.signed.delegations if targets is not None else None
        if delegations is not None and delegations.roles and role in delegations.roles:
            known |= set(delegations.roles[role].keyids)
    return sorted(known)


def remember_base(change: Path, base: Path | None) -> None:
    """Keep, beside the change, the root and targets that say who may sign it."""
    private_folder(change / "metadata", 0o755)
    folder = private_folder(change / "base" / "metadata", 0o755)
    for role in ("root", "targets"):
        if base is not None and (found := Repository(base).newest(role)) is not None:
            replace_file(folder / f"{found.signed.version}.{role}.json", found.to_bytes(), 0o644)


def unversioned() -> Targets:
    """A role that nobody has signed yet: its first version will be 1."""
    made = Targets()
    made.version = 0
    return made


def _next(change: Path, role: str, signed: Targets, days: int) -> None:
    signed.version += 1
    signed.expires = _in_days(days)
    _put(change, role, Metadata(signed))


def _put(change: Path, role: str, made: Metadata[Any]) -> None:
    private_folder(change / "metadata", 0o755)
    replace_file(change / "metadata" / f"{made.signed.version}.{role}.json", made.to_bytes(), 0o644)


def _in_days(days: int) -> datetime:
    return datetime.now(UTC).replace(microsecond=0) + timedelta(days=days)


def _read(path: Path) -> bytes:
    try:
        with path.open("rb") as file:
            return file.read(MAX_FILE)
    except OSError as error:
        raise UsageError(
            N_("cannot be read: {why}"), where=str(path), hint=N_("check the path"), why=error.strerror or ""
        ) from error
