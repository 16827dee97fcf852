"""What an attacker on the way, in the store, or with some of the keys may try: python-tuf's simulations as our cases.

Each is played against the code that laptops run, with real keys, and must be refused with its own word.
"""

import json
from datetime import UTC, datetime, timedelta

import pytest
from tuf.api.metadata import Metadata

from agent.errors import PolicyError, UsageError
from agent.fleet import authoring
from tests.signed_fleet import Laptop, SignedFleet, policy


@pytest.fixture
def fleet(tmp_path):
    made = SignedFleet(tmp_path)
    made.root()
    made.release(1, policy("block"))
    return made


@pytest.fixture
def laptop(fleet):
    found = Laptop(fleet)
    assert (found.look().number, found.last.policy) == (1, policy("block"))
    return found


def signed_anew(fleet, raw, change, *signers):
    """Metadata as somebody with some keys would make it."""
    found = Metadata.from_bytes(raw)
    change(found.signed)
    found.signatures.clear()
    for signer in signers:
        found.sign(signer, append=True)
    return found.to_bytes()


def newest(files, role):
    names = [name for name in files if name.startswith("metadata/") and name.endswith(f".{role}.json")]
    return max(names, key=lambda name: int(name[9:].split(".")[0]))


def test_what_the_approvers_sign_comes(fleet, laptop):
    fleet.release(2, policy("encrypt"))
    answer = laptop.look()
    assert (answer.why, answer.number, answer.policy) == ("", 2, policy("encrypt"))


def test_rollback_of_the_timestamp(fleet, laptop):
    old = fleet.files()
    fleet.release(2, policy("encrypt"))
    laptop.look()
    assert laptop.look(old).why == "rollback"


def test_rollback_of_the_snapshot(fleet, laptop):
    old = fleet.files()
    fleet.release(2, policy("encrypt"))
    laptop.look()
    files, server = fleet.files(), fleet.repository.signer()
    before = Metadata.from_bytes(old[newest(old, "snapshot")]).signed.version

    def change(signed):
        signed.version += 1
        signed.snapshot_meta.version = before

    files["metadata/timestamp.json"] = signed_anew(fleet, files["metadata/timestamp.json"], change, server)
    assert laptop.look(files | {newest(old, "snapshot"): old[newest(old, "snapshot")]}).why == "rollback"


def test_rollback_of_the_targets_by_the_servers_own_key(fleet, laptop):
    old = fleet.files()
    fleet.release(2, policy("encrypt"))
    laptop.look()
    files, server = fleet.files(), fleet.repository.signer()
    name = newest(files, "snapshot")
    number = int(name[9:].split(".")[0]) + 1

    def back(signed):
        signed.version = number
        signed.meta["targets.json"].version = Metadata.from_bytes(old[newest(old, "targets")]).signed.version

    files[f"metadata/{number}.snapshot.json"] = signed_anew(fleet, files[name], back, server)

    def point(signed):
        signed.version += 1
        signed.snapshot_meta.version = number

    files["metadata/timestamp.json"] = signed_anew(fleet, files["metadata/timestamp.json"], point, server)
    assert laptop.look(files).why == "mix"  # the snapshot names an older file than one that was verified before


def test_freeze_shows_as_expired(fleet, laptop):
    def over(signed):
        signed.version += 1
        signed.expires = datetime.now(UTC).replace(microsecond=0) - timedelta(minutes=1)

    files = fleet.files()
    files["metadata/timestamp.json"] = signed_anew(
        fleet, files["metadata/timestamp.json"], over, fleet.repository.signer()
    )
    assert laptop.look(files).why == "expired"


@pytest.mark.parametrize("role", ["snapshot", "targets", "rollout"])
def test_expired_metadata_of_any_role(fleet, laptop, role):
    keys = {"targets": ("anne", "bruno")}.get(role)
    signers = [fleet.signers[name] for name in keys] if keys else [fleet.repository.signer()]
    fleet.release(2, policy("encrypt"))
    files = fleet.files()

    def over(signed):
        signed.expires = datetime.now(UTC).replace(microsecond=0) - timedelta(minutes=1)

    files[newest(files, role)] = signed_anew(fleet, files[newest(files, role)], over, *signers)
    assert laptop.look(files).why == "expired"


def test_mix_and_match(fleet, laptop):
    old = fleet.files()
    fleet.release(2, policy("encrypt"))
    files = fleet.files()
    files[newest(files, "targets")] = old[newest(old, "targets")]
    assert laptop.look(files).why == "mix"


def test_another_content_under_a_signed_name(fleet):
    files = fleet.files()
    name = next(name for name in files if name.startswith("targets/policies/"))
    files[name] = policy("observe")
    assert Laptop(fleet).look(files).why == "mix"


def test_wrong_threshold_and_the_same_key_twice(fleet, laptop):
    fleet.release(2, policy("encrypt"))
    files = fleet.files()
    name = newest(files, "targets")
    for signers in (("anne",), ("anne", "anne"), ("urgent", "stick")):
        mine = [fleet.signers[each] for each in signers]
        changed = {name: signed_anew(fleet, files[name], lambda _: None, *mine)}
        assert laptop.look(files | changed).why == "signature"


def test_the_same_signature_under_two_names_counts_once(fleet, laptop):
    fleet.release(2, policy("encrypt"))
    files = fleet.files()
    name = newest(files, "targets")
    document = json.loads(signed_anew(fleet, files[name], lambda _: None, fleet.signers["anne"]))
    document["signatures"].append(document["signatures"][0])
    assert laptop.look(files | {name: json.dumps(document).encode()}).why in {"signature", "malformed"}


def test_unsigned_metadata_of_each_role(fleet, laptop):
    fleet.release(2, policy("encrypt"))
    files = fleet.files()
    for name in ("metadata/timestamp.json", newest(files, "snapshot"), newest(files, "targets")):
        bare = signed_anew(fleet, files[name], lambda signed: None)
        assert laptop.look(files | {name: bare}).why == "signature", name


def test_a_fork_is_two_states_of_one_number(fleet, laptop):
    files = fleet.files()

    def change(signed):
        signed.snapshot_meta.version += 5

    files["metadata/timestamp.json"] = signed_anew(
        fleet, files["metadata/timestamp.json"], change, fleet.repository.signer()
    )
    assert laptop.look(files).why == "fork"


def test_the_collectors_key_signs_no_release(fleet, laptop):
    files, server = fleet.files(), fleet.repository.signer()
    name = newest(files, "targets")
    number = int(name[9:].split(".")[0]) + 1
    forged = Metadata.from_bytes(files[name])
    authoring.add_target(fleet.base / "forged", forged.signed, "releases/2.json", b"{}")
    files[f"metadata/{number}.targets.json"] = signed_anew(
        fleet, forged.to_bytes(), lambda signed: setattr(signed, "version", number), server
    )
    snap = newest(files, "snapshot")
    after = int(snap[9:].split(".")[0]) + 1

    def follow(signed):
        signed.version = after
        signed.meta["targets.json"].version = number

    def point(signed):
        signed.version += 1
        signed.snapshot_meta.version = after

    files[f"metadata/{after}.snapshot.json"] = signed_anew(fleet, files[snap], follow, server)
    files["metadata/timestamp.json"] = signed_anew(fleet, files["metadata/timestamp.json"], point, server)
    assert laptop.look(files).why == "signature"


def test_the_collector_cannot_announce_what_nobody_signed(fleet, laptop):
    fleet.repository.say("rollout", "rollout.json", json.dumps({"release": 7}).encode())
    assert laptop.look().why == "missing"


def test_the_collector_cannot_go_back_by_itself(fleet, laptop):
    fleet.release(2, policy("encrypt"))
    laptop.look()
    fleet.repository.say("rollout", "rollout.json", json.dumps({"release": 1}).encode())
    assert laptop.look().why == "rollback"
    fleet.release(3, policy("inform"), back_to=1)
    assert laptop.look().number == 3
    fleet.repository.say("rollout", "rollout.json", json.dumps({"release": 1}).encode())
    assert (laptop.look().number, laptop.last.policy) == (1, policy("block"))


def test_a_stolen_root_needs_the_others_too(fleet, laptop):
    folder, copy = fleet.change()
    authoring.build_root(folder, copy, fleet.officers(("urgent", "stick", "chloe")))
    authoring.sign(folder, fleet.signers["anne"])
    for name in ("urgent", "stick", "chloe"):
        authoring.sign(folder, fleet.signers[name])
    files = fleet.files() | {"metadata/2.root.json": (folder / "metadata" / "2.root.json").read_bytes()}
    assert laptop.look(files).why == "signature"


def test_keys_change_by_the_threshold_of_the_old_ones(fleet, laptop):
    folder, copy = fleet.change()
    authoring.build_root(folder, copy, fleet.officers(("bruno", "chloe")))
    fleet.publish(folder, "anne", "bruno", "chloe")
    assert laptop.look().why == ""
    with pytest.raises((PolicyError, UsageError)):
        fleet.release(2, policy("inform"), signers=("anne", "bruno"))
    fleet.release(2, policy("encrypt"), signers=("bruno", "chloe"))
    assert laptop.look().number == 2


def test_another_fleets_repository(fleet, laptop, tmp_path):
    other = SignedFleet(tmp_path / "other")
    other.root()
    other.release(1, policy("observe"))
    assert laptop.look(other.files()).why == "signature"


def test_endless_and_hostile_files(fleet, laptop):
    for name in ("metadata/timestamp.json", newest(fleet.files(), "snapshot")):
        for content in (b"", b"{", b"[]", b"null", b"[" * 100_000, b'{"signed":{}}', b"\xff" * 100, b"0" * (3 << 20)):
            files = fleet.files()
            files[name] = content
            answer = laptop.look(files)
            # an equal number of snapshots is not read again: what was verified counts
            assert answer.why or name.endswith("snapshot.json"), (name, content[:20])


def test_hostile_bundles(laptop):
    import io
    import tarfile

    for bad in (b"", b"not a tar", b"\0" * 1024, b"x" * (17 << 20)):
        assert laptop.look(stick=bad or b"?").why
    for name, kind in (("../etc/passwd", tarfile.REGTYPE), ("metadata/x", tarfile.SYMTYPE), ("/abs", tarfile.REGTYPE)):
        out = io.BytesIO()
        with tarfile.open(fileobj=out, mode="w") as tar:
            entry = tarfile.TarInfo(name)
            entry.type = kind
            tar.addfile(entry)
        assert laptop.look(stick=out.getvalue()).why == "malformed"


def test_nothing_is_published_that_is_not_signed_enough(fleet):
    folder, copy = fleet.change()
    authoring.build_root(folder, copy, fleet.officers())
    with pytest.raises(PolicyError, match="not signed"):
        fleet.publish(folder, "anne")
    number = fleet.repository.number()
    for signers in (("anne",), ()):
        with pytest.raises(PolicyError, match="not signed"):
            fleet.release(2, policy("encrypt"), signers=signers)
    with pytest.raises(UsageError):
        fleet.release(2, policy("encrypt"), signers=("urgent",))
    assert fleet.repository.number() == number


def test_nothing_is_published_that_laptops_would_refuse(fleet):
    for bad in (b"serment: 1\n", policy("block", expect="observe"), policy("block") + b"surprise: 1\n"):
        with pytest.raises(PolicyError):
            fleet.release(2, bad)
    assert Laptop(fleet).look().number == 1
