"""A rollout on a real collector's store: held by what laptops report, steered by commands, noted in the journal."""

import asyncio
import errno
import json
import os
import shutil
import time
from datetime import UTC, datetime
from types import SimpleNamespace
from urllib.parse import unquote

import pytest
from sqlalchemy import insert, select, update
from starlette.applications import Starlette

from agent.errors import HostError, PolicyError
from agent.fleet import authoring
from agent.fleet.release import Emergency, Release, Rollout
from agent.i18n import catalogue
from collector.main import main
from collector.store.engine import open_store
from collector.store.repeated import of_laptop
from collector.store.tables import acts, laptops
from collector.store.writing import writing
from collector.tuf import command, figures, place, repository, rollout, routes
from collector.tuf.following import Following, say
from collector.tuf.refusals import HELD
from collector.tuf.repository import ServerRepository
from collector.tuf.rollout import Figures
from tests import signed_fleet
from tests.signed_fleet import RINGS, SignedFleet, policy


@pytest.fixture
def fleet(tmp_path):
    made = SignedFleet(tmp_path)
    store = open_store(made.data, "")
    made.engine, made.store = store.engine, store
    made.root()
    made.release(1, policy("block"), rings=RINGS, urgent=True)
    made.release(2, policy("encrypt"), rings=RINGS, back_to=1)
    yield made
    store.close()


class Boosted:
    """What ``Following`` needs of a service."""

    def __init__(self, store):
        self.store, self.engine, self.until, self.policies = store, store.engine, 0, None

    def boost(self, until):
        self.until = until


def reporting(store, device, **said):
    report = json.dumps({"policy": said}).encode()
    values = {"device": device, "first_seen": 1, "last_seen": 1, "size": 0, "skew_ms": 0, "summary": "{}", "seals": b""}
    with store.engine.begin() as connection:
        connection.execute(insert(laptops), {**values, "report": report, "reported": 1})


def done(store):
    with store.engine.connect() as connection:
        return [(row.by_whom, row.what) for row in connection.execute(select(acts).order_by(acts.c.id))]


def test_a_release_begins_in_its_first_ring_behind_the_one_that_is_everywhere(fleet):
    state = fleet.repository.rollout()
    assert (state.release, state.previous, state.permille, state.held) == (2, 1, 10, False)


def test_a_refusal_that_jumps_holds_it_by_itself_and_it_is_noted(fleet):
    following = Following(Boosted(fleet.store), fleet.repository)
    now = int(time.time())
    for number in range(10):
        reporting(fleet.store, f"dev_good{number}", number=2, state="in-force")
    following.judge(now)
    assert not fleet.repository.rollout().held
    reporting(fleet.store, "dev_bad", number=1, state="in-force", refused=2, why="policy")
    found = figures.gather(fleet.store, fleet.repository.release(2), fleet.repository.rollout(), now)
    assert (found.laptops, found.rejected) == (11, 1)
    number = fleet.repository.number()
    following.judge(now)
    state = fleet.repository.rollout()
    assert (state.held, state.why, fleet.repository.number()) == (True, "rejected", number + 1)
    assert done(fleet.store)[-1] == ("collector", "rollout.held")
    following.judge(now + 10**6)  # nobody lets it go on but a person
    assert fleet.repository.rollout() == state


def saying(store, device, **report):
    """What the laptop says in its last visit."""
    encoded = json.dumps(report).encode()
    with store.engine.begin() as connection:
        said = {"report": encoded, **of_laptop("{}", encoded)}
        found = connection.execute(update(laptops).where(laptops.c.device == device).values(**said))
        known = found.rowcount == 1
    if not known:
        reporting(store, device)
        saying(store, device, **report)


def test_laptops_that_cannot_verify_it_hold_a_release_and_the_officer_is_told_why(fleet, capsys):
    following = Following(Boosted(fleet.store), fleet.repository)
    now, began = int(time.time()), figures.last_act(fleet.store, "rollout.began", 2)["timestamp"]
    for number in range(10):
        saying(fleet.store, f"dev_good{number}", tuf=began + 1)
    # what was broken before the release, a clock, and hostile words say nothing against it
    saying(fleet.store, "dev_long_since", tuf=1, tuf_refused="mix", tuf_refused_from=began - 1)
    saying(fleet.store, "dev_clock", tuf=1, tuf_refused="expired", tuf_refused_from=began)
    saying(fleet.store, "dev_odd", tuf=True, tuf_refused=["mix"], tuf_refused_from="many")
    saying(fleet.store, "dev_future", tuf_refused="mix", tuf_refused_from=True)
    following.judge(now)
    assert not fleet.repository.rollout().held
    saying(fleet.store, "dev_bad", tuf=1, tuf_refused="signature", tuf_refused_from=began)
    found = figures.gather(fleet.store, fleet.repository.release(2), fleet.repository.rollout(), now)
    assert (found.verified, found.unverified) == (10, 1)
    following.judge(now)
    state = fleet.repository.rollout()
    assert (state.held, state.why) == (True, "unverified")
    assert done(fleet.store)[-1] == ("collector", "rollout.held")
    main(["publish", "--show", "--data", str(fleet.data)])
    said = capsys.readouterr().out
    assert HELD["unverified"] in said or catalogue("fr").gettext(HELD["unverified"]) in said
    assert "dev_bad" in said


def test_laptops_whose_second_look_refuses_it_hold_a_release(fleet):
    """The process that fetched it found it good; the agent, which looks again, does not."""
    following = Following(Boosted(fleet.store), fleet.repository)
    began = figures.last_act(fleet.store, "rollout.began", 2)["timestamp"]
    for number in range(10):
        saying(fleet.store, f"dev_good{number}", tuf=began, policy={"number": 1, "state": "in-force"})
    # what is of before the release, a clock, another release and hostile words say nothing against it
    before = {"number": 1, "state": "in-force", "refused": 0}
    saying(fleet.store, "dev_before", tuf=began - 1, policy={**before, "why": "mix"})
    saying(fleet.store, "dev_clock", tuf=began, policy={**before, "why": "expired"})
    saying(fleet.store, "dev_other", tuf=began, policy={**before, "why": "policy", "refused": 1})
    saying(fleet.store, "dev_odd", tuf=began, policy={**before, "why": ["mix"]})
    saying(fleet.store, "dev_list", tuf=began, policy=["mix"])
    following.judge(int(time.time()))
    assert not fleet.repository.rollout().held
    saying(fleet.store, "dev_bad", tuf=began, policy={**before, "why": "check-failed"})
    found = figures.on_release(fleet.store, 2, seen := Figures())
    assert (found, seen.verified, seen.unverified) == (set(), 14, 1)
    following.judge(int(time.time()))
    assert (fleet.repository.rollout().held, fleet.repository.rollout().why) == (True, "unverified")


def test_one_of_many_does_not_hold_everybody(fleet):
    following = Following(Boosted(fleet.store), fleet.repository)
    began = figures.last_act(fleet.store, "rollout.began", 2)["timestamp"]
    for number in range(300):
        saying(fleet.store, f"dev_good{number}", tuf=began)
    saying(fleet.store, "dev_bad", tuf_refused="mix", tuf_refused_from=began)
    following.judge(int(time.time()))
    assert not fleet.repository.rollout().held  # one of 301 is less than 0.5 percent
    saying(fleet.store, "dev_worse", tuf_refused="mix", tuf_refused_from=began + 1)
    following.judge(int(time.time()))
    assert fleet.repository.rollout().held


@pytest.mark.parametrize(
    "refusing",
    [
        {"tuf_refused": "mix", "tuf_refused_from": 99},
        {"policy": {"refused": 2, "why": "x"}},
        {"tuf": 99, "policy": {"why": "check-failed", "refused": 0}},
    ],
)
def test_who_refused_when_an_officer_let_it_go_on_does_not_hold_it_again(fleet, refusing):
    following = Following(Boosted(fleet.store), fleet.repository)
    now = int(time.time())
    saying(fleet.store, "dev_bad", **refusing)
    following.judge(now)
    assert fleet.repository.rollout().held
    assert main(["publish", "--resume", "--data", str(fleet.data)]) == 0
    following.judge(now)
    assert not fleet.repository.rollout().held
    saying(fleet.store, "dev_worse", **refusing)
    following.judge(now)
    assert fleet.repository.rollout().held


def test_the_next_ring_comes_by_the_clock(fleet):
    following = Following(Boosted(fleet.store), fleet.repository)
    now = int(time.time())
    following.judge(now + 23 * 3600)
    assert fleet.repository.rollout().permille == 10
    following.judge(now + 25 * 3600)
    assert fleet.repository.rollout().permille == 100
    assert done(fleet.store)[-1] == ("collector", "rollout.advanced")


def test_what_was_taken_back_does_not_come_again_with_the_next_change_of_a_key(fleet):
    fleet.release(3, policy("inform"), urgent=True, back_to=1)
    taken_back = Rollout(1, 0, 1000, int(time.time()), why="harm")
    with writing(fleet.engine) as connection:
        say(fleet.repository, taken_back, connection, "command:anne", "rollout.back", {})
    fleet.root(first=False)
    assert fleet.repository.rollout() == taken_back


def test_a_publication_that_was_cut_short_is_taken_up_again(fleet, monkeypatch):
    """A full disk, a kill: the files are laid down and the release did not begin."""
    folder, copy = fleet.change()
    path = authoring.policy_path(policy("inform"))
    made = Release(3, {"": path}, int(time.time()), "salt-of-tests", urgent=True)
    authoring.build_release(folder, copy, made, {path: policy("inform")}, offline=False)
    for name in ("anne", "bruno"):
        authoring.sign(folder, fleet.signers[name])

    def full(*_words):
        raise OSError(errno.ENOSPC, os.strerror(errno.ENOSPC))

    with monkeypatch.context() as broken, pytest.raises(OSError, match="space"):
        broken.setattr(command, "say", full)
        command.publish(fleet.repository, folder, fleet.engine, "anne")
    assert fleet.repository.rollout().release == 2
    command.publish(fleet.repository, folder, fleet.engine, "anne")
    assert fleet.repository.rollout().release == 3
    with pytest.raises(PolicyError, match="published already"):
        command.publish(fleet.repository, folder, fleet.engine, "anne")


@pytest.mark.parametrize("found_by", ["the collector", "the next command"])
@pytest.mark.parametrize("what", ["rollout.held", "laptop.assigned", "policy.published"])
def test_what_was_published_by_a_command_that_was_killed_is_noted(fleet, monkeypatch, what, found_by):
    """The file is there for laptops, the transaction with the note is not."""
    number = fleet.repository.number()

    def killed(*_words):
        raise KeyboardInterrupt

    with monkeypatch.context() as broken, pytest.raises(KeyboardInterrupt):
        broken.setattr(place, "remember", killed)
        if what == "policy.published":
            fleet.emergency("usb-01")
        elif what == "laptop.assigned":
            command._assign(fleet.repository, "dev_one=cardio", fleet.engine, "command:anne")
        else:
            with writing(fleet.engine) as connection:
                held = rollout.held(fleet.repository.rollout(), "x")
                say(fleet.repository, held, connection, "command:anne", what, {})
    assert fleet.repository.number() > number and what not in [each for _, each in done(fleet.store)[-2:]]
    before = len(done(fleet.store))
    if found_by == "the collector":
        following = Following(Boosted(fleet.store), fleet.repository)
        following.look()
        following.look()
    else:
        command._assign(fleet.repository, "dev_two=cardio", fleet.engine, "command:anne")
    noted = done(fleet.store)[before:]
    assert noted[0] == ("collector", "policy.unrecorded") and len(noted) == (1 if found_by == "the collector" else 2)
    with fleet.engine.connect() as connection:
        fields = json.loads(connection.execute(select(acts.c.fields).where(acts.c.what == noted[0][1])).scalar_one())
        assert not place.is_ahead(fleet.repository, connection)
    assert fields["timestamp"] == number + 1 and fields["held"] is (what == "rollout.held")


@pytest.mark.parametrize("what", ["emergency", "root"])
def test_what_was_laid_down_and_not_announced_is_published_by_a_second_try(fleet, monkeypatch, what):
    def killed(*_words, **_more):
        raise OSError(errno.ENOSPC, os.strerror(errno.ENOSPC))

    laptop = signed_fleet.Laptop(fleet)
    with monkeypatch.context() as broken, pytest.raises(OSError, match="space"):
        broken.setattr(ServerRepository, "_announce", killed)
        fleet.emergency("usb-01") if what == "emergency" else fleet.root(first=False)
    number = fleet.repository.number()
    command.publish(fleet.repository, fleet.base / f"change-{fleet.changes}", fleet.engine, "anne")
    assert (laptop.look().why, fleet.repository.number()) == ("", number + 1)
    assert (laptop.last.emergency is not None) == (what == "emergency")
    with pytest.raises(PolicyError, match="published already"):
        command.publish(fleet.repository, fleet.base / f"change-{fleet.changes}", fleet.engine, "anne")


@pytest.mark.parametrize("back", [False, True])
def test_the_clock_does_not_overwrite_what_an_officer_decides_meanwhile(fleet, monkeypatch, back):
    decided = Rollout(1, 0, 1000, int(time.time()), why="harm")
    if not back:
        decided = rollout.held(fleet.repository.rollout(), "harm")

    def gather(*_words):  # takes a while: an officer acts
        with writing(fleet.engine) as connection:
            say(ServerRepository(fleet.data), decided, connection, "command:anne", "rollout.held", {})
        return Figures()

    monkeypatch.setattr(figures, "gather", gather)
    Following(Boosted(fleet.store), fleet.repository).judge(int(time.time()) + 100 * 3600)
    assert fleet.repository.rollout() == decided
    assert done(fleet.store)[-1][0] == "command:anne"


def test_hostile_reports_count_for_nothing(fleet):
    for number, report in enumerate(
        (b"", b"[]", b'{"policy": 7}', b"\xff", b'{"policy": {"number": [], "refused": {}}}')
    ):
        reporting(fleet.store, f"dev_odd{number}")
        with fleet.store.engine.begin() as connection:
            connection.execute(update(laptops).where(laptops.c.device == f"dev_odd{number}").values(report=report))
    found = figures.gather(fleet.store, fleet.repository.release(2), fleet.repository.rollout(), int(time.time()))
    assert (found.laptops, found.rejected) == (0, 0)


def test_an_emergency_makes_laptops_come_sooner(fleet):
    service = Boosted(fleet.store)
    following = Following(service, fleet.repository)
    following.look()
    assert service.until == 0
    fleet.emergency("usb-01")
    following.look()
    assert service.until > time.time()


def test_laptops_are_told_only_what_they_have_not_verified(fleet):
    following = Following(Boosted(fleet.store), fleet.repository)
    number = fleet.repository.number()
    assert following.part(None, {}) == {"policy": {"timestamp": number}}
    assert following.part(None, {"tuf": number}) == {}
    fleet.emergency("usb-01")
    assert following.part(None, {"tuf": number}) == {"policy": {"timestamp": number + 1}}


def test_commands_hold_resume_and_go_back(fleet, capsys):
    data = ["--data", str(fleet.data)]
    assert main(["publish", "--hold", "plaintes", *data]) == 0
    assert (fleet.repository.rollout().held, fleet.repository.rollout().why) == (True, "plaintes")
    assert main(["publish", "--resume", *data]) == 0
    assert not fleet.repository.rollout().held
    assert main(["publish", "--back", "erreur", *data]) == 0
    assert fleet.repository.rollout() == Rollout(1, 0, 1000, fleet.repository.rollout().since, why="erreur")
    assert main(["publish", "--back", "encore", *data]) == 64  # nobody named a release behind that one
    assert main(["publish", "--assign", "dev_one=cardio", *data]) == 0
    assert main(["publish", "--assign", "nonsense", *data]) == 64
    capsys.readouterr()
    assert main(["publish", "--show", "--json", *data]) == 0
    assert json.loads(capsys.readouterr().out)["rollout"]["release"] == 1
    assert main(["publish", *data]) == 64
    number = fleet.repository.number()
    assert main(["publish", "--here", *data]) == 0 and fleet.repository.number() > number + 1
    words = [what for _, what in done(fleet.store)]
    assert words[-5:] == ["rollout.held", "rollout.resumed", "rollout.back", "laptop.assigned", "policy.here"]


def test_what_is_published_twice_or_older_is_refused(fleet):
    folder = fleet.release(3, policy("inform"))
    with pytest.raises(PolicyError, match="already"):
        fleet.publish(folder)
    folder, copy = fleet.change()
    with pytest.raises(PolicyError, match="nothing to publish"):
        fleet.publish(folder)


def asked(app, path):
    """The status and body of one GET, by way of the application itself."""
    said, body = [], []

    async def receive():
        await asyncio.sleep(60)  # nothing more comes

    async def send(message):
        (said if message["type"] == "http.response.start" else body).append(message)

    scope = {"type": "http", "method": "GET", "path": unquote(path), "raw_path": path.encode(), "headers": [],
             "query_string": b"", "root_path": "", "http_version": "1.1", "scheme": "http",
             "server": ("x", 1), "client": ("x", 1)}  # fmt: skip
    asyncio.run(app(scope, receive, send))
    return said[0]["status"], b"".join(part.get("body", b"") for part in body)


def test_files_are_served_and_nothing_else(fleet):
    app = Starlette(routes=routes.routes())
    app.state.service = SimpleNamespace(policies=fleet.repository, following=None)
    for name, content in fleet.files().items():
        assert asked(app, f"/v1/tuf/{name}") == (200, content), name
    fleet.repository.signer()
    assert (fleet.repository.folder / "server.key").exists()
    for bad in ("metadata/root.json", "metadata/99.root.json", "targets/../server.key", "metadata/%2e%2e%2fserver.key",
                "targets/%2e%2e/server.key", "metadata/", "targets/server.key", "metadata/..%2fserver.key"):  # fmt: skip
        assert asked(app, f"/v1/tuf/{bad}")[0] == 404, bad
    app.state.service = SimpleNamespace(policies=None, following=None)
    assert asked(app, "/v1/tuf/metadata/timestamp.json")[0] == 404


def test_what_the_collector_says_itself_never_ends(fleet, monkeypatch):
    with monkeypatch.context() as before:
        before.setattr(repository, "OWN_DAYS", 199)
        before.setattr(repository, "RENEW_DAYS", 0)
        fleet.repository.leap()
    fleet.repository.renew()
    for role in repository.OWN:
        left = fleet.repository._copy.newest(role).signed.expires - datetime.now(UTC)
        assert left.days > 390, role
    number = fleet.repository._copy.newest("assign").signed.version
    fleet.repository.renew()
    assert fleet.repository._copy.newest("assign").signed.version == number


@pytest.mark.parametrize("days", [-2, 300])
def test_the_timestamp_is_signed_each_day_also_when_a_clock_was_ahead(fleet, days):
    following = Following(Boosted(fleet.store), fleet.repository)
    number, signed = fleet.repository.number(), time.time() + days * 86400
    os.utime(fleet.repository.folder / "metadata" / "timestamp.json", (signed, signed))
    following.look()
    assert fleet.repository.number() == number + 1
    following.look()
    assert fleet.repository.number() == number + 1


def serving(store, repository):
    """A collector's view of its folder."""
    service = Boosted(store)
    service.policies = repository
    service.following = Following(service, repository)
    app = Starlette(routes=routes.routes())
    app.state.service = service
    return service, app


@pytest.mark.parametrize("copied", [True, False])
def test_of_two_collectors_on_one_database_one_publishes_and_the_other_says_nothing(tmp_path, store, copied):
    fleet = SignedFleet(tmp_path / "first")
    fleet.engine = store.engine
    fleet.root()
    fleet.release(1, policy("block"), urgent=True)
    (tmp_path / "second").mkdir()
    if copied:
        shutil.copytree(fleet.data, tmp_path / "second", dirs_exist_ok=True)
    second = ServerRepository(tmp_path / "second")
    (one, first_app), (two, second_app) = serving(store, fleet.repository), serving(store, second)
    os.utime(fleet.repository.folder / "metadata" / "timestamp.json", (1, 1))
    one.following.look()
    for path in second.folder.glob("metadata/timestamp.json"):
        os.utime(path, (1, 1))
    two.following.look()
    number = fleet.repository.number()
    assert one.following.part(None, {}) == {"policy": {"timestamp": number}} and two.following.part(None, {}) == {}
    assert asked(first_app, "/v1/tuf/metadata/timestamp.json")[0] == 200
    assert asked(second_app, "/v1/tuf/metadata/timestamp.json")[0] == 503  # 404 would count as a refusal
    if not copied:
        return
    folder, copy = fleet.change()
    authoring.build_emergency(folder, copy, Emergency(("usb-01",), now := int(time.time()), now + 60, "Dr A", "panne"))
    authoring.sign(folder, fleet.signers["urgent"])
    with pytest.raises(HostError, match="another collector"):
        command.publish(second, folder, store.engine, "anne")
    command.publish(fleet.repository, folder, store.engine, "anne")
    laptop = signed_fleet.Laptop(fleet)
    assert laptop.look().why == ""
    with writing(store.engine) as connection:  # the first one is lost
        place.take(second, connection)
    command.publish(second, folder, store.engine, "anne")
    fleet.repository = second
    two.following.look()
    one.following.look()
    assert (laptop.look().why, one.policies, two.policies) == ("", None, second)
