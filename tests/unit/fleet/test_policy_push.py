"""Releases, rings, emergencies and sticks, with real signatures; and what the agent makes of them."""

import fcntl
import os
import time
from types import SimpleNamespace

import msgspec
import pytest

from agent.daemon.policy_store import PolicyStore
from agent.daemon.pushed import ACTIVE, PushedPolicy, age
from agent.daemon.pushed_state import Fleet, PushedState, load_state, save_fleet
from agent.errors import HostError, PolicyError, TransportError
from agent.fleet import authoring, bundle, release
from agent.fleet.following import PolicyUpdates
from agent.fleet.release import Emergency, Release, Ring, Rollout
from collector.tuf import rollout
from collector.tuf.repository import ServerRepository
from collector.tuf.rollout import Figures
from tests.signed_fleet import RINGS, Laptop, SignedFleet, policy

HOUR = 3600


@pytest.fixture
def fleet(tmp_path):
    made = SignedFleet(tmp_path)
    made.root()
    return made


def a_release(**more):
    return Release(2, {"": "policies/" + "0" * 64 + ".yaml"}, 0, "salt-of-tests", RINGS, **more)


# ---- rings


def test_buckets_are_even_and_change_with_the_salt():
    devices = [f"dev_{number}" for number in range(20_000)]
    share = sum(release.bucket(device, "salt") < 100 for device in devices) / len(devices)
    assert 0.09 < share < 0.11
    both = sum(release.bucket(each, "salt") < 100 and release.bucket(each, "other") < 100 for each in devices)
    assert both < 400


def test_a_laptop_waits_for_its_ring_and_counts_the_hours_itself():
    made = a_release()
    places = {release.bucket(device, made.salt): device for device in (f"dev_{n}" for n in range(5000))}
    early, middle, late = places[min(places)], places[50], places[900]
    assert (release.bucket(early, made.salt), release.bucket(late, made.salt)) == (min(places), 900)
    now = 1_000_000
    seen = {2: now}

    def chosen(device, permille, at):
        return release.choose(Rollout(2, 1, permille), made, device, 1, seen, at)

    assert (chosen(early, 10, now), chosen(middle, 10, now), chosen(late, 10, now)) == (2, 0, 0)
    assert chosen(middle, 1000, now + 24 * HOUR - 1) == 0  # a collector that hurries is not followed
    assert chosen(middle, 1000, now + 24 * HOUR) == 2
    assert (chosen(late, 1000, now + 72 * HOUR - 1), chosen(late, 1000, now + 72 * HOUR)) == (0, 2)
    assert release.choose(Rollout(2, 1, 1000), msgspec.structs.replace(made, urgent=True), late, 1, seen, now) == 2


def test_a_new_laptop_outside_the_ring_takes_the_release_before():
    made = a_release()
    late = next(name for name in (f"dev_{n}" for n in range(5000)) if release.bucket(name, made.salt) > 900)
    assert release.choose(Rollout(2, 1, 10), made, late, 0, {}, 0) == 1
    assert release.choose(Rollout(2, 0, 10), made, late, 0, {}, 0) == 2  # any policy is better than none


def test_nobody_waits_with_what_does_harm():
    """Back to the release before: at once for everybody, whatever its own rings were."""
    made = msgspec.structs.replace(a_release(), number=1)
    late = next(name for name in (f"dev_{n}" for n in range(5000)) if release.bucket(name, made.salt) > 900)
    assert release.choose(Rollout(1, 0, 1000), made, late, 2, {}, 0) == 1
    assert release.choose(Rollout(1, 0, 10), made, late, 2, {}, 0) == 0  # where the collector says so


def test_the_next_ring_comes_after_its_hours_and_never_while_held():
    made, state = a_release(), rollout.first(a_release(), 0, 1)
    assert state.permille == 10
    assert rollout.following(state, made, 24 * HOUR - 1) is None
    state = rollout.following(state, made, 24 * HOUR)
    assert (state.permille, state.since) == (100, 24 * HOUR)
    assert rollout.following(rollout.held(state, "blocks"), made, 10**9) is None
    state = rollout.following(rollout.resumed(rollout.held(state, "x"), 10**6), made, 10**6 + 48 * HOUR)
    assert (state.permille, rollout.following(state, made, 10**12)) == (1000, None)


@pytest.mark.parametrize(
    ("figures", "why"),
    [
        (Figures(transfers=100, blocked=10, overridden=5, before_transfers=100, before_blocked=10), ""),
        (Figures(transfers=100, overridden=6), "overrides"),
        (Figures(transfers=100, blocked=31, before_transfers=100, before_blocked=10), "blocks"),
        (Figures(transfers=100, blocked=30, before_transfers=100, before_blocked=10), ""),
        (Figures(transfers=19, overridden=19), ""),
        (Figures(laptops=1000, rejected=5), ""),
        (Figures(laptops=1000, rejected=6), "rejected"),
    ],
)
def test_a_jump_holds_the_release(figures, why):
    assert rollout.alarm(figures, a_release()) == why


# ---- groups, emergencies, sticks


def test_a_group_has_its_policy_and_the_collector_may_only_name_groups(fleet):
    fleet.release(1, policy("block"), groups={"cardio": policy("encrypt")})
    assert Laptop(fleet).look().policy == policy("block")
    assert Laptop(fleet, group="cardio").look().policy == policy("encrypt")
    assert Laptop(fleet, group="unheard of").look().policy == policy("block")
    fleet.repository.say("assign", release.assigned_path("dev_one"), b'{"dev_one": "cardio"}')
    assert Laptop(fleet).look().policy == policy("encrypt")
    assert Laptop(fleet, "dev_two").look().policy == policy("block")


def test_an_emergency_is_72_hours_at_most_and_its_key_signs_nothing_else(fleet):
    fleet.release(1)
    fleet.emergency("usb-01", hours=72)
    assert Laptop(fleet).look().emergency.rules == ("usb-01",)
    with pytest.raises(PolicyError, match="72 hours"):
        fleet.emergency("usb-01", hours=72.01)
    long = msgspec.json.encode(Emergency(("usb-01",), 0, 72 * HOUR + 1, "Dr A", "panne"))
    with pytest.raises(PolicyError, match="72 hours"):
        release.read_emergency(long)
    for by, why in (("", "panne"), ("Dr A", " ")):
        with pytest.raises(PolicyError):
            release.read_emergency(msgspec.json.encode(Emergency(("usb-01",), 0, 10, by, why)))


def test_an_emergency_of_last_year_bars_nothing_that_came_later(fleet, monkeypatch):
    fleet.release(1, policy("block"))
    with monkeypatch.context() as long_ago:
        long_ago.setattr(authoring, "TARGETS_DAYS", -1)
        long_ago.setattr(ServerRepository, "_check", lambda *_: None)
        fleet.emergency("usb-01")
    laptop = Laptop(fleet)
    assert (laptop.look().why, laptop.number, laptop.last.emergency) == ("", 1, None)
    updates = PolicyUpdates(SimpleNamespace(folder=fleet.base / "laptop", member=SimpleNamespace(device="d", group="")))
    monkeypatch.setattr(PolicyUpdates, "_root", lambda *_: (b"{}", fleet.first_root()))
    updates.refresh(Visits(fleet).fetch)
    assert updates.report() == {"tuf": fleet.repository.number()}
    fleet.emergency("usb-01")
    assert laptop.look().emergency is not None


def test_a_stick_has_a_key_of_its_own_and_no_way_back(fleet):
    fleet.release(1, policy("block"))
    fleet.release(2, policy("encrypt"), offline=True, signers=("stick",))
    old = fleet.stick()
    laptop = Laptop(fleet)
    laptop.now = int(time.time()) + 300 * 86400  # long after every online role has expired
    answer = laptop.look(offline=True, stick=old)
    assert (answer.why, answer.number, answer.policy) == ("", 2, policy("encrypt"))
    fleet.release(3, policy("inform"), offline=True, signers=("stick",))
    assert laptop.look(offline=True, stick=fleet.stick()).number == 3
    assert laptop.look(offline=True, stick=old).why == "rollback"
    laptop.now += 200 * 86400
    assert laptop.look(offline=True, stick=fleet.stick()).why == "expired"


def test_a_stolen_key_of_a_stick_that_was_replaced_signs_nothing(fleet):
    """The targets that named it are dated for months; a laptop that has verified newer ones knows better."""
    fleet.release(1, policy("block"))
    fleet.release(9, policy("encrypt"), offline=True, signers=("stick",))
    stolen, laptop = fleet.stick(), Laptop(fleet)
    assert laptop.look().why == ""
    fleet.release(2, policy("block"))
    assert laptop.look().why == ""
    assert laptop.look(offline=True, stick=stolen).why == "rollback"
    other = Laptop(fleet, "laptop-away")  # has verified nothing newer
    assert other.look(offline=True, stick=stolen).number == 9


def test_a_tampered_stick(fleet):
    fleet.release(1, policy("block"))
    fleet.release(2, policy("encrypt"), offline=True, signers=("stick",))
    files = bundle.unpack(fleet.stick())
    name = next(name for name in files if name.endswith(".yaml"))
    assert Laptop(fleet).look(offline=True, stick=bundle.pack(files | {name: policy("observe")})).why == "mix"
    name = next(name for name in files if name.endswith(".offline.json"))
    changed = files[name].replace(b'"version":1}', b'"version":9}')
    assert changed != files[name]
    assert Laptop(fleet).look(offline=True, stick=bundle.pack(files | {name: changed})).why == "signature"
    with pytest.raises(PolicyError):
        fleet.release(4, policy("observe"), offline=True, signers=())


# ---- fetching


class Visits:
    """What a laptop asks in its visits."""

    def __init__(self, fleet):
        self.fleet, self.asked = fleet, []

    def fetch(self, path, limit):
        self.asked.append(path)
        if path == "/v1/authority":
            return self.authority
        data = self.fleet.files().get(path.removeprefix("/v1/tuf/"))
        if data is None:
            raise TransportError("missing", kind="missing", detail="404", retry_s=0)
        return data


def test_what_did_not_change_costs_no_request(fleet, tmp_path):
    from agent.fleet.identity import Authority, Identity, Membership, Statement
    from collector.enrol.authority import load_authority

    fleet.release(1)
    authority = load_authority(fleet.data)
    document = authority.document(fleet.repository.root_digest())
    visits = Visits(fleet)
    visits.authority = msgspec.json.encode(document)
    folder = tmp_path / "fleet"
    folder.mkdir()
    member = Membership("https://x", "dev_one", "", Authority(authority.pem, "{}", b""))
    updates = PolicyUpdates(Identity(folder, member, Statement(b"", "", 0)))
    news = {"timestamp": fleet.repository.number()}
    assert updates.due(news)
    updates.refresh(visits.fetch)
    assert updates.report() == {"tuf": news["timestamp"]}
    assert not updates.due(news)
    assert not updates.due({})
    # what a visit left that was killed goes with the next one, but not while another is at work there
    (left := folder / "tuf" / "new-killed" / "metadata").mkdir(parents=True)
    (left / "1.root.json").write_bytes(b"{")
    at_work = os.open(folder / "tuf", os.O_RDONLY)
    fcntl.flock(at_work, fcntl.LOCK_SH)
    updates.refresh(visits.fetch)
    assert left.exists()
    os.close(at_work)
    updates.refresh(visits.fetch)
    assert not list((folder / "tuf").glob("new-*"))
    assert "metadata/timestamp.json" in bundle.unpack((folder / "policy.bundle").read_bytes())
    # another authority's root is not taken
    other = SignedFleet(tmp_path / "other")
    other.root()
    impostor = Visits(other)
    impostor.authority = msgspec.json.encode(load_authority(other.data).document(other.repository.root_digest()))
    (tmp_path / "second").mkdir()
    stranger = PolicyUpdates(Identity(tmp_path / "second", member, Statement(b"", "", 0)))
    with pytest.raises(PolicyError, match="vouched"):
        stranger.refresh(impostor.fetch)
    assert stranger.report() == {"tuf_refused": "root", "tuf_refused_from": 0}
    assert not (tmp_path / "second" / "policy.bundle").exists()


def test_what_is_refused_is_told_at_every_visit_with_where_it_began(fleet, tmp_path):
    from agent.fleet.identity import Authority, Identity, Membership, Statement
    from collector.enrol.authority import load_authority

    fleet.release(1)
    authority = load_authority(fleet.data)
    visits = Visits(fleet)
    visits.authority = msgspec.json.encode(authority.document(fleet.repository.root_digest()))
    folder = tmp_path / "fleet"
    folder.mkdir()
    identity = Identity(
        folder, Membership("https://x", "d", "", Authority(authority.pem, "{}", b"")), Statement(b"", "", 0)
    )

    def visit(spoil=""):
        """Each visit is a process of its own."""
        updates = PolicyUpdates(identity)
        before = updates.report()
        if updates.due({"timestamp": fleet.repository.number()}):
            try:
                updates.refresh(
                    lambda path, limit: b"{" if spoil and path.endswith(spoil) else visits.fetch(path, limit)
                )
            except PolicyError:
                pass
        return before, PolicyUpdates(identity).report()

    good = fleet.repository.number()
    assert visit() == ({}, {"tuf": good})
    fleet.release(2)
    first = fleet.repository.number()
    said = {"tuf": good, "tuf_refused": "malformed", "tuf_refused_from": first}
    assert visit(".targets.json") == ({"tuf": good}, said)
    fleet.release(3)  # the collector goes on; it began with the one before
    assert visit(".targets.json") == (said, said)
    assert visit() == (said, {"tuf": fleet.repository.number()})
    # what was refused is gone again, and the collector has nothing that is new: seen all the same
    fleet.release(4)
    visit(".targets.json")
    last = fleet.repository.number()
    (folder / "tuf" / "verified").write_text(str(last))
    updates = PolicyUpdates(identity)
    assert updates.due({}) and updates.report()["tuf_refused"] == "malformed"
    updates.refresh(visits.fetch)
    assert updates.report() == {"tuf": last} and not updates.due({})


# ---- the agent


class Told:
    """In the place of the log: what is told."""

    def __init__(self):
        self.records, self.standing = [], set()
        self.troubles = self

    def raise_(self, word, **_fields):
        self.standing.add(word)

    def clear(self, word):
        self.standing.discard(word)

    def record(self, kind, fields):
        self.records.append((kind, dict(fields)))

    def policy(self, in_force, refused):
        pass


class Agent:
    def __init__(self, fleet, base):
        self.fleet, self.base = fleet, base
        self.told = Told()
        self.folder = base / "policy"
        self.folder.mkdir(parents=True, exist_ok=True)
        save_fleet(base, Fleet("", "dev_one", ""))
        (self.folder / "root.json").write_bytes(fleet.first_root())
        self.start()

    def start(self):
        self.store = PolicyStore(None, "enforce", self.folder, self.told.policy, self.folder / ACTIVE)
        self.pushed = PushedPolicy(self.folder, self.base / "policy.bundle", self.store, self.told, lambda: None, None)

    def bring(self, files=None):
        staged = self.base / "new"
        staged.write_bytes(bundle.pack(self.fleet.files() if files is None else files))
        os.replace(staged, self.base / "policy.bundle")
        changed = self.pushed.look()
        if self.pushed._thread is not None:
            self.pushed._thread.join()
            changed = self.pushed.look() or changed
        return changed


@pytest.fixture
def agent(fleet, tmp_path):
    fleet.release(1, policy("block"))
    return Agent(fleet, tmp_path / "agent")


def test_it_comes_into_force_stays_over_a_restart_and_three_are_kept(fleet, agent):
    assert agent.bring()
    assert agent.store.in_force.compiled.policy.name == "chu-exemple/base"
    for number, then in enumerate(("encrypt", "inform", "justify", "block", "encrypt"), 2):
        fleet.release(number, policy(then))
        assert agent.bring()
    agent.start()
    assert (agent.pushed.state.number, agent.store.in_force.compiled.policy.rules[0].then) == (6, "encrypt")
    assert sorted(path.name for path in (agent.folder / "pushed").iterdir()) == [
        "00000003.yaml", "00000004.yaml", "00000005.yaml", "00000006.yaml"
    ]  # fmt: skip
    assert [fields["number"] for _, fields in agent.told.records] == [1, 2, 3, 4, 5, 6]


def test_what_is_refused_leaves_everything_as_it_is_and_is_told_once(fleet, agent):
    agent.bring()
    old, before = fleet.files(), agent.store.release
    fleet.release(2, policy("encrypt"))
    agent.bring()
    for _ in range(2):
        assert not agent.bring(old)
    assert (agent.pushed.status()["refused"], agent.told.standing) == ("rollback", {"policy-push-refused"})
    assert [fields["why"] for _, fields in agent.told.records if fields["state"] == "rejected"] == ["rollback"]
    assert agent.store.release != before
    assert agent.pushed.report()["policy"]["why"] == "rollback"
    assert not agent.bring()  # the good one again: nothing new, and the refusal is over
    assert (agent.pushed.status()["refused"], agent.told.standing) == (None, set())


def test_a_signed_policy_that_fails_its_own_test_never_comes(fleet, agent, monkeypatch):
    agent.bring()
    monkeypatch.setattr("collector.tuf.repository._check_content", lambda path, data: None)
    fleet.release(2, policy("block", expect="observe"))
    assert not agent.bring()
    assert (agent.pushed.status()["refused"], agent.pushed.state.number) == ("policy", 1)
    assert agent.pushed.report()["policy"]["refused"] == 2
    fleet.release(3, policy("encrypt"))
    assert agent.bring()


def test_an_emergency_loosens_its_rules_and_ends_by_itself(fleet, agent, monkeypatch):
    agent.bring()
    strict = agent.store.release
    fleet.emergency("usb-01", hours=1)
    assert agent.bring()
    assert agent.store.in_force.compiled.policy.rules[0].mode == "observe"
    assert agent.store.release != strict
    assert 0 < agent.pushed.next_s() <= HOUR
    agent.start()  # killed and started again
    assert agent.store.in_force.compiled.policy.rules[0].mode == "observe"
    later = time.time() + HOUR + 1
    monkeypatch.setattr("agent.daemon.pushed.time.time", lambda: later)
    assert agent.pushed.look()
    assert (agent.store.in_force.compiled.policy.rules[0].mode, agent.store.release) == ("enforce", strict)
    states = [fields["state"] for _, fields in agent.told.records]
    assert states == ["activated", "loosened", "loosened", "tightened"]


def test_a_stick_comes_into_force_and_says_why_not(fleet, agent):
    fleet.release(2, policy("encrypt"), offline=True, signers=("stick",))
    done = agent.pushed.apply(fleet.stick())
    assert (done["number"], done["changed"]) == (2, True)
    with pytest.raises(PolicyError):
        agent.pushed.apply(b"nonsense")
    assert agent.pushed.state.number == 2


def test_stale_is_said_and_weakens_nothing(agent):
    agent.bring()
    state, now = agent.pushed.state, int(time.time())
    assert [age(state, now + days * 86400) for days in (0, 1, 3, 89, 91)] == [
        "current", "current", "old", "old", "stale"
    ]  # fmt: skip
    assert age(PushedState(), now) == ""
    rules = agent.store.in_force.compiled.policy.rules
    agent.pushed.state = msgspec.structs.replace(state, checked=1)
    agent.pushed.look()
    assert agent.pushed.status()["age"] == "stale"
    assert agent.pushed.report()["policy"]["state"] == "stale"
    assert agent.store.in_force.compiled.policy.rules == rules


def test_a_bundle_that_is_a_link_or_a_pipe_does_not_hold_the_agent(agent, tmp_path):
    os.mkfifo(agent.base / "policy.bundle")
    assert not agent.pushed.look()
    (agent.base / "policy.bundle").unlink()
    os.symlink("/etc/passwd", agent.base / "policy.bundle")
    assert not agent.pushed.look()
    assert agent.pushed.state == load_state(agent.folder)


@pytest.mark.timeout(30)
@pytest.mark.parametrize("name", ["pushed.state", "fleet.json"])
@pytest.mark.parametrize("how", ["spoilt", "empty", "latin", "nul", "deep", "pipe", "folder", "endless"])
def test_a_spoilt_memory_is_not_taken_for_none_and_does_not_end_the_guarding(fleet, agent, name, how):
    """The policy stays in force; an older or another one does not take its place."""
    fleet.release(2, policy("block"))
    agent.bring()
    release, good = agent.store.release, (agent.folder / name).read_bytes()
    (agent.folder / name).unlink()
    if how == "pipe":
        os.mkfifo(agent.folder / name)
    elif how == "folder":
        (agent.folder / name).mkdir()
    elif how == "endless":
        (agent.folder / name).symlink_to("/dev/zero")
    else:
        text = {"spoilt": b"spoilt", "empty": b"", "latin": good.replace(b"dev_", b"d\xe9v_").replace(b"meta", b"m\xe9ta"),
                "nul": b"\0" * 99, "deep": b'{"a":' * 99_999}[how]  # fmt: skip
        (agent.folder / name).write_bytes(text)
    agent.start()
    assert agent.store.release == release and agent.told.standing == {"policy-memory-unusable"}
    fleet.release(3, policy("inform"))
    agent.bring()
    assert agent.store.release == release and agent.pushed._thread is None
    with pytest.raises(HostError, match="cannot be used") as caught:
        agent.pushed.apply(fleet.stick())
    assert caught.value.hint and name in str(caught.value)


def test_a_resident_agent_never_loads_python_tuf():
    import subprocess
    import sys

    code = (
        "import agent.daemon.main, sys; assert not {'tuf', 'securesystemslib', 'tarfile', 'urllib3'} & set(sys.modules)"
    )
    assert subprocess.run([sys.executable, "-c", code], check=False).returncode == 0


def test_rings_that_make_no_sense_are_refused():
    good = {"number": 1, "policies": {"": "policies/" + "0" * 64 + ".yaml"}, "made": 1, "salt": "12345678"}
    release.read_release(msgspec.json.encode(good))
    for bad in (
        {"rings": []}, {"rings": [{"until_permille": 10}]}, {"number": 0}, {"back_to": 1}, {"format": 2}, {"salt": ""},
        {"rings": [{"until_permille": 100}, {"until_permille": 10}, {"until_permille": 1000}]}, {"surprise": 1},
        {"policies": {}}, {"policies": {"": "../../etc/passwd"}}, {"max_age_days": 0},
    ):  # fmt: skip
        with pytest.raises(PolicyError):
            release.read_release(msgspec.json.encode(good | bad))
    assert Ring(10, 24).hold_h == 24


def test_a_laptop_of_another_fleet_trusts_nothing_of_the_one_before(tmp_path):
    """Enrolled again with another collector: the files of the first would make it refuse everything of the second."""
    kept = tmp_path / "fleet" / "tuf" / "first.root.json"
    kept.parent.mkdir(parents=True)
    for authority, there in (("one", True), ("one", True), ("other", False)):
        kept.parent.mkdir(exist_ok=True)
        kept.write_text("{}")
        save_fleet(tmp_path, Fleet(authority, "dev_one", ""))
        assert kept.exists() is there
    assert (tmp_path / "fleet").is_dir()
