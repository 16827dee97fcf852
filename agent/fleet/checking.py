"""Whether a bundle may come into force: run by the agent as a process of its own, without rights and without network.

Reads one request on standard input, writes one answer to standard output, keeps nothing. What the agent holds as
trusted comes in with the request and goes back with the answer; the process that fetched the bundle is believed
nothing.
"""

from __future__ import annotations

import os
import resource
import sys
import tempfile
from collections.abc import Mapping
from hashlib import sha256
from pathlib import Path

import msgspec

from agent.errors import N_, PolicyError, TransportError
from agent.fleet import bundle, release
from agent.fleet.check_wire import MAX_REQUEST, Answer, Request
from agent.fleet.identity import trusted_authority
from agent.fleet.offline import OfflineBundle
from agent.fleet.release import Release, refused
from agent.fleet.repository_client import FIRST_ROOT, RepositoryClient, kept
from agent.fleet.token import pin_of


def check(request: Request) -> Answer:
    """The answer to ``request``; a refusal keeps what was trusted before."""
    try:
        files = bundle.unpack(request.bundle)
        root = _root(request, files)
        if request.offline:
            return _offline(request, files, root)
        return _online(request, files, root)
    except PolicyError as error:
        return Answer(why=str(error.fields.get("word", "malformed")), message=error.message)


def _root(request: Request, files: Mapping[str, bytes]) -> bytes:
    """The root of trust: what was trusted before, the administrator's, or what the pinned authority states."""
    if (known := request.trusted.get(FIRST_ROOT) or request.root) != b"":
        return known
    return stated_root(request.ca, files.get(bundle.AUTHORITY, b""), files.get(FIRST_ROOT, b""))


def stated_root(ca: str, authority: bytes, root: bytes) -> bytes:
    """``root``, when the authority that ``ca`` (PEM) is signed that it is the fleet's first. Raises PolicyError."""
    from cryptography import x509
    from cryptography.hazmat.primitives.serialization import Encoding

    try:
        pin = pin_of(x509.load_pem_x509_certificate(ca.encode()).public_bytes(Encoding.DER))
        _, statement = trusted_authority(authority, pin)
    except (ValueError, TransportError) as error:
        raise refused("root", N_("who may sign the policy is not vouched for by the collector's authority")) from error
    if not root or sha256(root).hexdigest() != statement.root:
        raise refused("root", N_("who may sign the policy is not vouched for by the collector's authority"))
    return root


def _online(request: Request, files: Mapping[str, bytes], root: bytes) -> Answer:
    with tempfile.TemporaryDirectory(prefix="serment-policy-") as scratch:
        folder = Path(scratch)
        lay_out(folder, request.trusted)
        client = RepositoryClient(folder, root, files.get)
        timestamp = client.refresh()
        answer = Answer(timestamp=timestamp, seen=dict(request.seen), numbers=request.numbers)
        raw = client.read(release.ROLLOUT)
        if raw is not None:
            _follow(client, release.read_rollout(raw), request, answer)
        if (urgent := client.emergency()) is not None:
            answer.emergency = release.read_emergency(urgent)
        answer.trusted = kept(folder)
        return answer


def _follow(client: RepositoryClient, rollout: release.Rollout, request: Request, answer: Answer) -> None:
    """Which release this laptop follows, and its policy."""
    new = release_of(client, rollout.release)
    answer.seen = {rollout.release: request.seen.get(rollout.release, request.now)}
    number = release.choose(rollout, new, request.device, request.active, request.seen, request.now)
    if number == 0:
        return
    if number < request.active and number != request.back_to:
        raise refused("rollback", N_("an older release than the one in force was brought"))
    chosen = new if number == new.number else release_of(client, number)
    assigned = client.read(release.assigned_path(request.device))
    group = release.read_assigned(assigned, request.device) if assigned is not None else None
    _take(answer, chosen, client.policy(path_for(chosen, request.group if group is None else group)))


def release_of(client: RepositoryClient, number: int) -> Release:
    """A release that the approvers signed. Raises PolicyError: there is none, or it calls itself another."""
    data = client.read(f"releases/{number}.json")
    found = release.read_release(data) if data is not None else None
    if found is None or found.number != number:
        raise refused("missing", N_("the release that is announced was not signed by the approvers"))
    return found


def path_for(found: Release, group: str) -> str:
    """The policy of ``group``."""
    return found.policies.get(group, found.policies[""])


def _least(request: Request) -> dict[str, int]:
    """The lowest numbers that a stick may bring. What was verified online counts: a key it no longer names is none."""
    least = dict(request.numbers)
    for name in request.trusted:
        number, _, role = name.removeprefix("metadata/").partition(".")
        if role == "targets.json" and number.isdigit():
            least["targets"] = max(least.get("targets", 0), int(number))
    return least


def _offline(request: Request, files: Mapping[str, bytes], root: bytes) -> Answer:
    held = OfflineBundle(files, newest_root(request.trusted, root), _least(request), request.now)
    data = held.read(release.OFFLINE)
    if data is None:
        raise refused("missing", N_("there is no release in this bundle"))
    found = release.read_release(data)
    if found.number < request.active:
        raise refused("rollback", N_("an older release than the one in force was brought"))
    answer = Answer(numbers=held.numbers, seen=request.seen, trusted=request.trusted | held.roots)
    _take(answer, found, held.policy(path_for(found, request.group)))
    return answer


def newest_root(trusted: Mapping[str, bytes], first: bytes) -> bytes:
    """The newest root that was verified before."""
    numbers = [int(name.split("/")[1].split(".")[0]) for name in trusted if name.endswith(".root.json")]
    return trusted[f"metadata/{max(numbers)}.root.json"] if numbers else first


def _take(answer: Answer, found: Release, policy: bytes) -> None:
    if not any(path.endswith(f"/{sha256(policy).hexdigest()}.yaml") for path in found.policies.values()):
        raise refused("mix", N_("files of the policy do not belong together"))
    answer.number, answer.policy = found.number, policy
    answer.back_to, answer.max_age_days = found.back_to, found.max_age_days


def lay_out(folder: Path, trusted: Mapping[str, bytes]) -> None:
    """Put verified metadata where python-tuf's client looks for it."""
    (folder / "root_history").mkdir(exist_ok=True)
    for name, data in trusted.items():
        base = name.removeprefix("metadata/")
        if base.endswith(".root.json"):
            (folder / "root_history" / base).write_bytes(data)
        else:
            (folder / (base if base == "timestamp.json" else base.split(".", 1)[1])).write_bytes(data)


def _give_up_rights(person: list[str]) -> None:
    """Become somebody else (uid, gid) before the first hostile byte; what will be needed is loaded before."""
    import cryptography.hazmat.backends.openssl
    import cryptography.hazmat.primitives.serialization
    import cryptography.x509  # noqa: F401
    from tuf.api.metadata import Metadata, Root

    Metadata.from_bytes(Metadata(Root()).to_bytes())  # python-tuf loads its readers at their first use

    if person:
        uid, gid = int(person[0]), int(person[1])
        os.setgroups([])
        os.setresgid(gid, gid, gid)
        os.setresuid(uid, uid, uid)


def main() -> int:
    """One request, one answer; bounded in time, memory and what it may write."""
    _give_up_rights(sys.argv[1:])
    resource.setrlimit(resource.RLIMIT_CPU, (30, 30))
    resource.setrlimit(resource.RLIMIT_AS, (1 << 30, 1 << 30))
    resource.setrlimit(resource.RLIMIT_FSIZE, (MAX_REQUEST, MAX_REQUEST))
    request = msgspec.msgpack.decode(sys.stdin.buffer.read(MAX_REQUEST), type=Request)
    sys.stdout.buffer.write(msgspec.msgpack.encode(check(request)))
    return 0


if __name__ == "__main__":
    sys.exit(main())
