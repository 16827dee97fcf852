"""python-tuf's own simulations of attacks, played against what laptops run: each of its cases as one of ours.

Its names, of the tests of python-tuf 5 (``test_updater_top_level_update``, ``…_key_rotations``,
``…_delegation_graphs``, ``…_fetch_target``, ``test_trusted_metadata_set``), and where they are here:

    first_time_refresh, out_of_order_ops             test_policy_attacks, every test's beginning
    trusted_root_{missing,expired,unsigned}          test_a_first_root_that_cannot_be_trusted
    {intermediate,final}_root_incorrectly_signed     test_a_root_on_the_way_…
    {intermediate,final}_root_expired                test_only_the_last_root_must_be_of_today
    new_root_{same_version,nonconsecutive_version}   test_a_root_out_of_turn
    max_root_rotations                               test_an_endless_chain_of_roots_ends
    new_{timestamp,snapshot,targets}_unsigned        test_policy_attacks.test_unsigned_metadata_of_each_role
    new_timestamp_{version,snapshot}_rollback        test_policy_attacks.test_rollback_of_the_{timestamp,snapshot}
    expired_timestamp_{version,snapshot}_rollback    test_what_expired_still_tells_a_step_back
    new_{timestamp,snapshot,targets}_expired         test_policy_attacks.test_freeze…, test_expired_metadata…
    …_fast_forward_recovery (three)                  test_a_number_that_a_thief_drove_up_…
    new_{snapshot,targets}_hash_mismatch             test_a_file_of_other_bytes_or_number_than_announced
    new_{snapshot,targets}_version_mismatch          the same
    new_snapshot_version_rollback, _meta_decreases   test_policy_attacks.test_rollback_of_the_targets…
    snapshot_rollback_with_local_…_hash_mismatch     test_a_step_back_shows_also_where_the_kept_snapshot_…
    snapshot_file_removed_from_meta                  test_what_was_announced_once_cannot_be_left_out
    meta_missing_delegated_role                      the same, for a laptop that never saw it
    expired_metadata                                 test_a_laptop_that_was_off_for_long_comes_back
    max_metadata_lengths                             test_no_file_is_read_beyond_its_limit
    timestamp_eq_versions_check                      test_policy_attacks.test_a_fork_…
    root_rotation (15 rows), non_root_rotations (10) test_keys_of_the_root_change…, test_keys_of_another_role…
    delegation graphs: invalid_metadata              test_a_role_of_one_key_that_another_signed
    delegation graphs: targetfile_search             test_policy_push.test_an_emergency_is_72_hours…
    invalid_target_download, length_hash_mismatch    test_policy_attacks.test_another_content_under_a_signed_name
    top_level_md_with_invalid_json                   test_policy_attacks.test_endless_and_hostile_files

Not ours: succinct roles and hash bins (this repository has none), role names that are paths (ours are eight words),
caches of targets, prefixes of addresses, user agents.
"""

import copy
import time
from datetime import UTC, datetime, timedelta
from hashlib import sha256

import pytest
from securesystemslib.signer import CryptoSigner
from tuf.api.metadata import Metadata, MetaFile

from agent.fleet import bundle
from agent.fleet.check_wire import Request
from agent.fleet.checking import check
from tests.signed_fleet import Laptop, SignedFleet, policy

YESTERDAY = datetime.now(UTC).replace(microsecond=0) - timedelta(days=1)
FUTURE = datetime.now(UTC).replace(microsecond=0) + timedelta(days=30)
KEYS = [CryptoSigner.generate_ed25519() for _ in range(7)]


@pytest.fixture(scope="module")
def published(tmp_path_factory):
    """A fleet with one release; no test changes it."""
    fleet = SignedFleet(tmp_path_factory.mktemp("fleet"))
    fleet.root()
    fleet.release(1, policy("block"))
    return fleet


class Forge:
    """Everything that is published, to be changed by whoever has the keys."""

    def __init__(self, fleet):
        self.fleet, self.files = fleet, dict(fleet.files())
        self.server = fleet.repository.signer()
        self.officers = [fleet.signers["anne"], fleet.signers["bruno"]]

    def newest(self, role):
        if role == "timestamp":
            return "metadata/timestamp.json"
        names = [name for name in self.files if name.startswith("metadata/") and name.endswith(f".{role}.json")]
        return max(names, key=lambda name: int(name[9:].split(".")[0]))

    def read(self, role):
        return Metadata.from_bytes(self.files[self.newest(role)])

    def put(self, role, made, signers, number=None):
        """As its ``number``, signed by these."""
        made.signatures.clear()
        for signer in signers:
            made.sign(signer, append=True)
        name = "timestamp.json" if role == "timestamp" else f"{number or made.signed.version}.{role}.json"
        self.files[f"metadata/{name}"] = made.to_bytes()

    def next(self, role, change=lambda signed: None, signers=None, announce=True):
        """A further number of ``role``; what points to it follows, signed by the collector."""
        made = self.read(role)
        made.signed.version += 1
        change(made.signed)
        by = signers if signers is not None else self.officers if role in {"root", "targets"} else [self.server]
        self.put(role, made, by)
        if announce and role in {"targets", "rollout", "emergency"}:
            self.next("snapshot", lambda s: s.meta.update({f"{role}.json": MetaFile(made.signed.version)}))
        elif announce and role == "snapshot":
            self.next("timestamp", lambda s: setattr(s, "snapshot_meta", MetaFile(made.signed.version)))

    def look(self, laptop=None):
        return (laptop or Laptop(self.fleet)).look(self.files).why


@pytest.fixture
def forge(published):
    return Forge(published)


@pytest.fixture
def laptop(published):
    """That follows release 1."""
    found = Laptop(published)
    assert found.look().number == 1
    return found


def first_look(fleet, root, ca=""):
    return check(
        Request(bundle.pack(fleet.files()), "dev_one", "", int(time.time()), ca, root, {}, {}, 0, 0, {}, False)
    ).why


# ---- roots


def test_a_first_root_that_cannot_be_trusted(published):
    assert first_look(published, published.first_root()) == ""
    assert first_look(published, b"") == "root"
    root = Metadata.from_bytes(published.first_root())
    old = copy.deepcopy(root)
    root.signatures.clear()
    assert first_look(published, root.to_bytes()) == "signature"
    old.signed.expires = YESTERDAY
    old.signatures.clear()
    for name in ("anne", "bruno"):
        old.sign(published.signers[name], append=True)
    assert first_look(published, old.to_bytes()) == "expired"


@pytest.mark.parametrize("last", [False, True])
def test_a_root_on_the_way_that_the_wrong_people_signed(forge, laptop, last):
    forge.next("root", signers=[forge.officers[0]])
    if not last:
        forge.next("root")
    assert forge.look(laptop) == "signature"


def test_only_the_last_root_must_be_of_today(forge, laptop):
    forge.next("root", lambda signed: setattr(signed, "expires", YESTERDAY))
    assert forge.look(laptop) == "expired"
    forge.next("root", lambda signed: setattr(signed, "expires", FUTURE))
    assert forge.look(laptop) == ""


@pytest.mark.parametrize("number", [1, 3])
def test_a_root_out_of_turn(forge, laptop, number):
    made = forge.read("root")
    made.signed.version = number
    forge.put("root", made, forge.officers, number=2)  # it lies where number 2 is looked for
    assert forge.look(laptop) == "mix"


def test_an_endless_chain_of_roots_ends(forge, laptop):
    for _ in range(70):
        forge.next("root")
    assert forge.look(laptop) == ""
    known = [int(name[9:].split(".")[0]) for name in laptop.last.trusted if name.endswith(".root.json")]
    assert max(known) == 65  # so many changes of keys in all, from the first root on


ROTATIONS = {  # keys, threshold, who signs, by root; the last number that is taken
    "1 of 1": ([([0], 1, [0]), ([1], 1, [1, 0]), ([2], 1, [2, 1])], 3),
    "1 of 1, signatures nobody asked for": ([([0], 1, [0]), ([1], 1, [3, 1, 0, 4]), ([2], 1, [2, 1, 5])], 3),
    "1 of 1, not by the old key": ([([0], 1, [0]), ([1], 1, [2, 3, 1])], 1),
    "1 of 1, not by the new key": ([([0], 1, [0]), ([1], 1, [2, 3, 0])], 1),
    "3 of 5, others each time": ([([0, 1, 2, 3, 4], 3, [0, 2, 4]), ([0, 1, 2, 3, 4], 3, [0, 4, 1]),
                                  ([0, 1, 2, 3, 4], 3, [0, 1, 3])], 3),
    "3 of 5, one changes": ([([0, 1, 2, 3, 4], 3, [0, 2, 4]), ([0, 1, 2, 3, 5], 3, [0, 1, 2])], 2),
    "3 of 5, one changes, not by 3 new": ([([0, 1, 2, 3, 4], 3, [0, 2, 4]), ([0, 1, 2, 3, 5], 3, [0, 1, 4])], 1),
    "3 of 5, one changes, not by 3 old": ([([0, 1, 2, 3, 4], 3, [0, 2, 4]), ([0, 1, 2, 3, 5], 3, [0, 1, 5])], 1),
    "3 of 5, a step between": ([([0, 1, 2, 3, 4], 3, [0, 2, 4]), ([0, 1, 2, 3, 5], 3, [0, 2, 4, 5]),
                                ([0, 1, 2, 3, 5], 3, [0, 2, 5])], 3),
    "all change, a step between": ([([0, 1], 2, [0, 1]), ([2, 3], 2, [0, 1, 2, 3]), ([2, 3], 2, [2, 3])], 3),
    "1 of 3 to 2 of 3": ([([0, 1, 2], 1, [0]), ([0, 1, 2], 2, [0, 1])], 2),
    "1 of 3 to 2 of 3, by one": ([([0, 1, 2], 1, [0]), ([0, 1, 2], 2, [0])], 1),
    "2 of 3 to 1 of 3": ([([0, 1, 2], 2, [0, 1]), ([0, 1, 2], 1, [0, 1]), ([0, 1, 2], 1, [0])], 3),
    "2 of 3 to 1 of 3, by one": ([([0, 1, 2], 2, [0, 1]), ([0, 1, 2], 1, [0])], 1),
    "1 of 2 to 2 of 2": ([([0, 1], 1, [0]), ([0, 1], 2, [0, 1]), ([0, 1], 2, [0, 1])], 3),
}  # fmt: skip


def given(root, role, keys, threshold):
    """``role`` is these keys', and nobody else's."""
    for keyid in list(root.roles[role].keyids):
        root.revoke_key(keyid, role)
    for number in keys:
        root.add_key(KEYS[number].public_key, role)
    root.roles[role].threshold = threshold


@pytest.mark.parametrize("name", ROTATIONS)
def test_keys_of_the_root_change_by_the_old_and_the_new_threshold(forge, name):
    rows, taken = ROTATIONS[name]
    for number, (keys, threshold, signers) in enumerate(rows, 1):
        root = forge.read("root")
        root.signed.version = number
        given(root.signed, "root", keys, threshold)
        forge.put("root", root, [KEYS[each] for each in signers])
    first = forge.files["metadata/1.root.json"]
    answer = check(
        Request(bundle.pack(forge.files), "dev_one", "", int(time.time()), "", first, {}, {}, 0, 0, {}, False)
    )  # fmt: skip
    if taken == len(rows):
        assert answer.why == "" and f"metadata/{taken}.root.json" in answer.trusted
    else:
        assert answer.why == "signature"


OTHERS = [  # keys, threshold, who signs, whether it is taken
    ([0], 1, [0], True), ([0], 1, [1, 0, 2], True), ([0], 1, [], False), ([0], 1, [1], False),
    ([0, 1, 2, 3, 4], 3, [0, 2, 6], False), ([0, 1, 2, 3, 4], 3, [0, 2], False), ([0, 1, 2, 3, 4], 3, [0, 2, 0], False),
    ([0, 1, 2, 3, 4], 3, [0, 2, 4], True), ([0, 1, 2, 3, 4], 3, [0, 4, 1], True), ([0, 1, 2, 3, 4], 3, [1, 3, 4, 0], True),
]  # fmt: skip


@pytest.mark.parametrize("role", ["timestamp", "snapshot", "targets"])
@pytest.mark.parametrize(("keys", "threshold", "signers", "taken"), OTHERS)
def test_keys_of_another_role_change_with_the_root(forge, laptop, role, keys, threshold, signers, taken):
    forge.next("root", lambda root: given(root, role, keys, threshold))
    forge.next(role, signers=[KEYS[each] for each in dict.fromkeys(signers)])
    assert forge.look(laptop) == ("" if taken else "signature")


# ---- back, on, and not at all


@pytest.mark.parametrize("role", ["timestamp", "snapshot"])
def test_what_expired_still_tells_a_step_back(published, forge, role):
    """The laptop holds what is over by now; a thief brings older files that are signed to last."""
    laptop = Laptop(published)
    older = Forge(published)
    if role == "snapshot":
        older.next("timestamp", lambda signed: setattr(signed, "version", signed.version + 9))
    for _ in range(2):
        forge.next("snapshot")
    assert forge.look(laptop) == ""
    name = "metadata/timestamp.json"
    kept = Metadata.from_bytes(laptop.last.trusted[name])
    kept.signed.expires = YESTERDAY
    kept.signatures.clear()
    kept.sign(forge.server)
    laptop.last.trusted[name] = kept.to_bytes()
    assert older.look(laptop) == "rollback"


@pytest.mark.parametrize("role", ["timestamp", "snapshot", "targets"])
def test_a_number_that_a_thief_drove_up_is_left_behind_by_new_keys(published, forge, role):
    """Whoever had the keys of the collector (and, for targets, of the officers) names numbers as large as they like.
    With other keys in a new root laptops take what is honest again.
    """
    laptop = Laptop(published)
    forge.next(role, lambda signed: setattr(signed, "version", 99_999))
    assert forge.look(laptop) == ""
    honest = Forge(published)
    assert honest.look(laptop) != ""
    new = KEYS[0]

    def replaced(root):
        for each in ("snapshot", "timestamp"):
            given(root, each, [0], 1)

    honest.next("root", replaced)
    for each in ("snapshot", "timestamp"):
        made = honest.read(each)
        honest.put(each, made, [new])
    assert honest.look(laptop) == ""


def announced(role, **wrong):
    """The file that points to ``role`` says something else of it."""
    pointer = {"snapshot": "timestamp", "targets": "snapshot", "rollout": "snapshot"}[role]

    def change(signed):
        if pointer == "timestamp":
            signed.snapshot_meta = MetaFile(**{"version": signed.snapshot_meta.version, **wrong})
        else:
            signed.meta[f"{role}.json"] = MetaFile(**{"version": signed.meta[f"{role}.json"].version, **wrong})

    return pointer, change


@pytest.mark.parametrize("role", ["snapshot", "targets", "rollout"])
@pytest.mark.parametrize("wrong", [{"hashes": {"sha256": "0" * 64}}, {"length": 1}, "number"])
def test_a_file_of_other_bytes_or_number_than_announced(published, forge, laptop, role, wrong):
    forge.next(role)
    if wrong == "number":  # the file that lies under the number announced calls itself another
        made = forge.read(role)
        number, made.signed.version = made.signed.version, made.signed.version + 1
        forge.put(role, made, forge.officers if role == "targets" else [forge.server], number=number)
    else:
        pointer, change = announced(role, **wrong)
        forge.next(pointer, change)
    assert forge.look(laptop) == "mix"
    assert forge.look(Laptop(published)) == "mix"


def test_a_step_back_shows_also_where_the_kept_snapshot_is_not_the_one_announced(published, forge):
    """The timestamp names the digest of the new snapshot, which the kept one does not have; it counts all the same."""
    laptop = Laptop(published)
    forge.next("targets")

    def point(signed):
        data = forge.files[forge.newest("snapshot")]
        signed.snapshot_meta = MetaFile(
            forge.read("snapshot").signed.version, len(data), {"sha256": sha256(data).hexdigest()}
        )

    forge.next("timestamp", point)
    assert forge.look(laptop) == ""
    back = forge.read("targets").signed.version - 1
    forge.next("snapshot", lambda signed: signed.meta.update({"targets.json": MetaFile(back)}), announce=False)
    forge.next("timestamp", point)
    assert forge.look(Laptop(published)) == ""  # to a laptop that never saw more it is as good as any
    assert forge.look(laptop) in {"mix", "rollback"}


def test_what_was_announced_once_cannot_be_left_out(published, forge, laptop):
    forge.next("snapshot", lambda signed: signed.meta.pop("rollout.json"))
    assert forge.look(laptop) in {"mix", "missing", "malformed"}
    new = Laptop(published)
    assert forge.look(new) == "" and new.number == 0  # held back from a new one: it gets nothing, and nothing else
    forge.next("snapshot", lambda signed: signed.meta.pop("targets.json"))
    assert forge.look(Laptop(published)) in {"mix", "missing", "malformed"}


def test_a_laptop_that_was_off_for_long_comes_back(published, forge):
    laptop = Laptop(published)
    old = Forge(published)
    for role in ("targets", "snapshot", "timestamp"):
        old.next(role)
    assert old.look(laptop) == ""
    for name, data in list(laptop.last.trusted.items()):
        if not name.endswith(".root.json"):
            kept = Metadata.from_bytes(data)
            kept.signed.expires = YESTERDAY
            kept.signatures.clear()
            for signer in [*old.officers, old.server]:
                kept.sign(signer, append=True)
            laptop.last.trusted[name] = kept.to_bytes()
    old.next("targets")
    assert old.look(laptop) == ""


@pytest.mark.parametrize("role", ["root", "timestamp", "snapshot", "targets"])
def test_no_file_is_read_beyond_its_limit(forge, laptop, role):
    forge.next(role)
    name = forge.newest(role)
    forge.files[name] += b" " * (3 << 20)
    assert forge.look(laptop) != ""


@pytest.mark.parametrize("signers", [[], ["urgent"], ["anne", "bruno"], ["server"]])
@pytest.mark.parametrize("role", ["rollout", "emergency"])
def test_a_role_of_one_key_that_another_signed(tmp_path, role, signers):
    fleet = SignedFleet(tmp_path)
    fleet.root()
    fleet.release(1, policy("block"))
    fleet.emergency("usb-01")
    forge = Forge(fleet)
    own = "urgent" if role == "emergency" else "server"
    forge.next(role, signers=[forge.server if name == "server" else fleet.signers[name] for name in signers])
    assert forge.look() == ("" if signers == [own] else "signature")
